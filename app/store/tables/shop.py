"""The shop, its rules and places, its tills and people."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Integer,
    String,
    Text,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.columns import Table

#: A number whose NULL is written when it is meant: what is left out gets the default.
_OR_NONE = Integer().evaluates_none()


class Shop(Table):
    """The shop itself: one row."""

    __tablename__ = "shop"
    __table_args__ = (CheckConstraint("shop_id = 1", name="one_row"),)

    shop_id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str] = mapped_column(String(60))
    #: ``#rrggbb``
    colour: Mapped[str] = mapped_column(String(7))
    #: IANA name, for dates on stamps and days in figures.
    timezone: Mapped[str] = mapped_column(String(40))
    #: Whether staff may give stamps to a card that nobody showed.
    allows_by_hand: Mapped[bool] = mapped_column(default=False, server_default=false())
    founded_at: Mapped[datetime]
    stamp_shape: Mapped[str] = mapped_column(
        String(12), default="round", server_default="round"
    )
    #: As ISO 4217 spells it; every sum of money is in its minor unit.
    currency: Mapped[str] = mapped_column(
        String(3), default="EUR", server_default="EUR"
    )
    #: The name of its picture in ``Logo``; None for the plain mark.
    logo: Mapped[str | None] = mapped_column(String(24))
    #: What the form for joining asks, as ``app.programme.account.asked`` reads it;
    #: None: as shops begin.
    join_fields: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Logo(Table):
    """The shop's own mark as PNG, apart from ``Shop`` because that is read often."""

    __tablename__ = "logo"

    #: Of its content, with its size: another picture has another name.
    name: Mapped[str] = mapped_column(String(24), primary_key=True)
    png: Mapped[bytes]


class Programme(Table):
    """The rules of one stamp card."""

    __tablename__ = "programme"
    __table_args__ = (
        CheckConstraint("stamps_required BETWEEN 2 AND 30", name="stamps_required"),
        CheckConstraint("voucher_days BETWEEN 1 AND 3650", name="voucher_days"),
        CheckConstraint("notice_days BETWEEN 1 AND 365", name="notice_days"),
        CheckConstraint("most_per_scan BETWEEN 1 AND 5", name="most_per_scan"),
        CheckConstraint("most_per_card > 0", name="most_per_card"),
        CheckConstraint("most_per_staff_member > 0", name="most_per_staff_member"),
        CheckConstraint("most_per_terminal > 0", name="most_per_terminal"),
        CheckConstraint("most_per_location > 0", name="most_per_location"),
        CheckConstraint("exchanges IN ('automatic', 'by_choice')", name="exchanges"),
    )

    programme_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(60))
    reward: Mapped[str] = mapped_column(String(60))
    stamps_required: Mapped[int]
    terms: Mapped[str] = mapped_column(Text)
    terms_version: Mapped[int] = mapped_column(default=1)
    #: For how many days its vouchers are good, told by ``app.programme.expiry``; None:
    #: they have no end.
    voucher_days: Mapped[int | None]
    is_open: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    #: ``automatic``: a full card becomes a voucher by itself; ``by_choice``: members
    #: choose among rewards.
    exchanges: Mapped[str] = mapped_column(
        String(9), default="automatic", server_default="automatic"
    )
    #: How many days before it takes effect a change of what it promises is announced.
    notice_days: Mapped[int] = mapped_column(default=14, server_default="14")
    #: Stamps at most: by one scan, and within any hour; ``app.programme.limits`` tells
    #: what each holds. None: no limit.
    most_per_scan: Mapped[int] = mapped_column(default=5, server_default="5")
    most_per_card: Mapped[int | None] = mapped_column(_OR_NONE, server_default="20")
    most_per_staff_member: Mapped[int | None] = mapped_column(
        _OR_NONE, server_default="400"
    )
    most_per_terminal: Mapped[int | None] = mapped_column(
        _OR_NONE, server_default="400"
    )
    most_per_location: Mapped[int | None] = mapped_column(
        _OR_NONE, server_default="2000"
    )


class Location(Table):
    """A shop's place: one counter or several."""

    __tablename__ = "location"

    location_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    created_at: Mapped[datetime]
    #: When it is open, a pair of minutes for each day from Monday on, as
    #: ``app.programme.hours`` reads it; None: nobody has said.
    hours: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))


class Terminal(Table):
    """A device at a counter, enrolled by a single-use code."""

    __tablename__ = "terminal"

    terminal_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    location_id: Mapped[UUID] = mapped_column(
        ForeignKey("location.location_id"), index=True
    )
    name: Mapped[str] = mapped_column(String(60))
    #: The enrolment code that made it: 9 bytes, and all 80 as its proof.
    nonce: Mapped[bytes] = mapped_column(unique=True)
    proof: Mapped[bytes]
    enrolled_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class StaffMember(Table):
    """A person who works in the shop."""

    __tablename__ = "staff_member"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'manager', 'barista')", name="role"),
    )

    staff_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(10))
    #: None: works at every location.
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.location_id"))
    #: argon2 of the PIN; None until one is set.
    pin_hash: Mapped[str | None] = mapped_column(String(120))
    #: For the console, lower case; None: no console.
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(120))
    #: The language they chose, as a tag; None: the till's or the browser's.
    locale: Mapped[str | None] = mapped_column(String(12))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

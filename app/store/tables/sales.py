"""What the shop sells, and what was bought: items, purchases, what came back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.columns import Table

_EMPTY = text("''")


class Item(Table):
    """Something that the shop sells: one tap at the till."""

    __tablename__ = "item"
    __table_args__ = (CheckConstraint("price >= 0", name="price"),)

    item_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    #: In minor units of the shop's currency.
    price: Mapped[int]
    #: What it is shown with at the till, in the shop's own words; "": nothing.
    category: Mapped[str] = mapped_column(
        String(40), default="", server_default=text("''")
    )
    #: Where it stands in the list: rising.
    position: Mapped[int]
    #: Stands before all others at the till.
    is_favourite: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: False: not sold any more; purchases keep it.
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime]


class Purchase(Table):
    """One sale to one card; never changed but for the count of what came back.

    The entry that it brought about carries its id, and tells of it in its answer, which
    its receipt covers: what stands here can be compared with what was signed.
    """

    __tablename__ = "purchase"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        Index("ix_purchase_location_id_at", "location_id", "at"),
    )

    purchase_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), index=True)
    at: Mapped[datetime]
    #: What was paid in all, in minor units of ``currency``.
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.location_id"))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    terminal_id: Mapped[UUID | None] = mapped_column(ForeignKey("terminal.terminal_id"))
    #: As the ledger keeps it.
    request_id: Mapped[str] = mapped_column(String(100), unique=True)
    #: The till system's own number of the receipt, which counts once.
    till_number: Mapped[str | None] = mapped_column(String(60), unique=True)
    #: Counts the refunds, and holds the row while one is written.
    refunds: Mapped[int] = mapped_column(default=0, server_default="0")


class PurchaseLine(Table):
    """One line of a purchase, as it was sold."""

    __tablename__ = "purchase_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("(item_id IS NULL) = (name IS NULL)", name="item_has_name"),
    )

    purchase_id: Mapped[UUID] = mapped_column(
        ForeignKey("purchase.purchase_id"), primary_key=True
    )
    #: From 1.
    line_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: None: what was paid beyond the items, or without any.
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("item.item_id"), index=True)
    #: Called so, and shown with that, when it was sold.
    name: Mapped[str | None] = mapped_column(String(60))
    category: Mapped[str] = mapped_column(
        String(40), default="", server_default=text("''")
    )
    quantity: Mapped[int]
    #: Of one, in minor units, from the books when it was sold.
    price: Mapped[int]


class Refund(Table):
    """Something of a purchase came back: who took it, when and why."""

    __tablename__ = "refund"

    refund_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    purchase_id: Mapped[UUID] = mapped_column(
        ForeignKey("purchase.purchase_id"), index=True
    )
    at: Mapped[datetime] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(200))
    #: What was paid back, in minor units.
    amount: Mapped[int]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    terminal_id: Mapped[UUID | None] = mapped_column(ForeignKey("terminal.terminal_id"))
    #: None: it was not asked for by a device that may ask again.
    request_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    #: What the first answer said, for the same request asked again.
    answer: Mapped[dict[str, Any] | None]


class RefundLine(Table):
    """One line that came back: once, whoever asks, since its key is the line's."""

    __tablename__ = "refund_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["purchase_id", "line_no"],
            ["purchase_line.purchase_id", "purchase_line.line_no"],
        ),
    )

    purchase_id: Mapped[UUID] = mapped_column(primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refund.refund_id"), index=True)

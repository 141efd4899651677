"""A member's details: checked as they are typed, changed by the member.

A birthday may be set to another day once a year, whatever lies between: what it gives
is given once a year. Taking it away is always possible, and does not let another day
in any sooner. That is a conditional update, so that of two changes at once one counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update

from app.programme.errors import InvalidRequest, NotFound
from app.programme.words import clean_email, clean_name, has_controls
from app.store.database import Tx, changed
from app.store.tables import Card, Member, Shop
from app.tools import Tools

PHONE_LENGTH: Final = 32
ADDRESS_LENGTH: Final = 300
_ADDRESS_LINES: Final = 6
#: The longest life that a birthday is believed of, in years.
_OLDEST: Final = 120
#: How long a birthday stays as it was set.
BIRTHDAY_STAYS: Final = timedelta(days=365)
_PHONE: Final = re.compile(r"\+?[0-9(][0-9 ()./-]*", re.ASCII)
#: Digits of a telephone number: fewer are an extension, more is none (E.164).
_DIGITS: Final = range(5, 16)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Details:
    """What a member has told of themselves."""

    name: str | None
    email: str | None
    email_confirmed_at: datetime | None
    phone: str | None
    address: str | None
    birthday: date | None
    #: When another birthday may be set; None: now.
    birthday_free_at: datetime | None
    locale: str | None
    #: The member number: that of the first card. None: no card.
    number: str | None
    joined_at: datetime


def details(tools: Tools, member_id: UUID) -> Details:
    """Read a member's details.

    Raises:
        NotFound: no such member.
    """
    with tools.database.read() as tx:
        row = tx.get(Member, member_id)
        if row is None:
            raise NotFound
        number = tx.scalar(
            select(Card.number)
            .where(Card.member_id == member_id)
            .order_by(Card.opened_at, Card.number)
            .limit(1)
        )
    set_at = row.birthday_set_at
    free_at = set_at + BIRTHDAY_STAYS if set_at else None
    return Details(
        name=row.name,
        email=row.email,
        email_confirmed_at=row.email_confirmed_at,
        phone=row.phone,
        address=row.address,
        birthday=row.birthday,
        birthday_free_at=free_at if free_at and free_at > tools.now() else None,
        locale=row.locale,
        number=number,
        joined_at=row.joined_at,
    )


def save(tools: Tools, member_id: UUID, typed: Mapping[str, str]) -> None:
    """Change a member's name, phone, address and birthday.

    Args:
        tools: books and clock.
        member_id: whose.
        typed: any of ``name``, ``phone``, ``address``, ``birthday``; an empty text
            takes a detail away, one that is not there is left. Not trusted.

    Raises:
        InvalidRequest: a detail makes no sense, or the birthday was set to another day
            within a year.
        NotFound: no such member.
    """
    with tools.database.begin() as tx:
        row = tx.get(Member, member_id)
        if row is None:
            raise NotFound
        wrong: dict[str, str] = {}
        clean = cleaned(typed, wrong)
        said = typed.get("birthday", "").strip()
        day = birthday(said, wrong, today=today(tx, tools.now())) if said else None
        if wrong:
            raise InvalidRequest(wrong)
        plain = {name: clean[name] for name in ("name", "phone", "address")}
        plain = {name: value for name, value in plain.items() if name in typed}
        if plain:
            tx.execute(
                update(Member).where(Member.member_id == member_id).values(**plain)
            )
        if "birthday" in typed and day != row.birthday:
            _set_birthday(tx, tools.now(), member_id, day)


def cleaned(typed: Mapping[str, str], wrong: dict[str, str]) -> dict[str, str | None]:
    """Trim and check what was typed of name, e-mail, phone and address.

    Args:
        typed: by the names of the fields; not trusted. Empty: nothing said.
        wrong: gets a stable word for each field that does not serve.

    Returns:
        A value for each field; None where nothing was said.
    """
    checks = {
        "name": clean_name,
        "email": clean_email,
        "phone": _phone,
        "address": _address,
    }
    return {
        name: check(typed[name], wrong) if typed.get(name, "").strip() else None
        for name, check in checks.items()
    }


def must_have(asked: Mapping[str, str], clean: Mapping[str, object]) -> dict[str, str]:
    """Tell which fields the form requires and nobody filled in."""
    return {
        name: "missing"
        for name, choice in asked.items()
        if choice == "required" and not clean.get(name)
    }


def birthday(text: str, wrong: dict[str, str], *, today: date) -> date | None:
    """Read a birthday as browsers send a date: a real day, and past."""
    text = text.strip()
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day >= today or today.year - day.year > _OLDEST:
        wrong["birthday"] = "not_a_birthday"
        return None
    return day


def today(tx: Tx, now: datetime) -> date:
    """Tell the day where the shop is."""
    shop = tx.get(Shop, 1)
    return now.astimezone(ZoneInfo(shop.timezone if shop else "UTC")).date()


def _phone(text: str, wrong: dict[str, str]) -> str:
    phone = " ".join(text.split())
    digits = sum(letter.isdigit() for letter in phone)
    if (
        len(phone) > PHONE_LENGTH
        or not _PHONE.fullmatch(phone)
        or digits not in _DIGITS
    ):
        wrong["phone"] = "not_a_phone"
    return phone


def _address(text: str, wrong: dict[str, str]) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines()]
    address = "\n".join(filter(None, lines))
    if len(address) > ADDRESS_LENGTH or address.count("\n") >= _ADDRESS_LINES:
        wrong["address"] = "too_long"
    elif has_controls(address, but="\n"):
        wrong["address"] = "bad_characters"
    return address


def _set_birthday(tx: Tx, now: datetime, member_id: UUID, day: date | None) -> None:
    """Set it if it may be set, in one step; taking it away keeps the year running."""
    change = update(Member).where(Member.member_id == member_id)
    if day is None:
        tx.execute(change.values(birthday=None))
        return
    is_free = or_(
        Member.birthday_set_at.is_(None),
        Member.birthday_set_at <= now - BIRTHDAY_STAYS,
    )
    if not changed(tx, change.where(is_free).values(birthday=day, birthday_set_at=now)):
        raise InvalidRequest({"birthday": "changed_lately"})

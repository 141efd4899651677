"""The first rows of a new installation: the shop, its owner, a place, a card."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.programme import audit, staff
from app.programme.limits import SAFE, Limits, columns
from app.store.database import Tx
from app.store.tables import Location, Programme, Shop, StaffMember
from app.tools import Tools

DEFAULT_TERMS = (
    "One stamp for each drink you buy. A full card gives one voucher. "
    "Stamps and vouchers have no cash value and can't be passed on."
)


@dataclass(frozen=True, slots=True)
class Founded:
    """What the first owner needs; the secrets are told once and kept nowhere."""

    staff_id: UUID
    location_id: UUID
    programme_id: UUID
    email: str
    password: str
    pin: str


#: What an owner is called until they have said their name.
UNNAMED: Final = "Owner"


def is_founded(tools: Tools) -> bool:
    """Tell whether the shop exists."""
    with tools.database.read() as tx:
        return tx.get(Shop, 1) is not None


@dataclass(frozen=True, slots=True)
class Charter:
    """What a shop starts with."""

    name: str = "My shop"
    colour: str = "#0f5c4a"
    timezone: str = "UTC"
    location: str = "Main counter"
    owner: str = UNNAMED
    email: str = "owner@localhost"
    limits: Limits = SAFE


def found(tools: Tools, charter: Charter | None = None) -> Founded:
    """Make the shop, one location, one programme and its owner.

    Raises:
        StoreDown: nothing was written.
    """
    with tools.database.begin() as tx:
        return found_in(tx, tools, charter or Charter())


def found_in(tx: Tx, tools: Tools, charter: Charter) -> Founded:
    """Do as ``found``, in the caller's transaction."""
    password, pin = secrets.token_urlsafe(12), random_pin()
    now = tools.now()
    tx.add(
        Shop(
            name=charter.name,
            colour=charter.colour,
            timezone=charter.timezone,
            founded_at=now,
        )
    )
    place = Location(name=charter.location, created_at=now)
    programme = Programme(
        name="10 coffees, 1 free",
        reward="Free coffee",
        stamps_required=10,
        terms=DEFAULT_TERMS,
        created_at=now,
        **columns(charter.limits),
    )
    person = StaffMember(
        name=charter.owner,
        role="owner",
        email=charter.email,
        password_hash=staff.hash_password(password),
        pin_hash=staff.hash_pin(pin),
        created_at=now,
    )
    tx.add_all([place, programme, person])
    tx.flush()
    audit.record(tx, tools, "shop.founded", charter.name, by=None)
    return Founded(
        person.staff_id,
        place.location_id,
        programme.programme_id,
        charter.email,
        password,
        pin,
    )


def first_location(tools: Tools) -> UUID | None:
    """Find the oldest location; None where there is none."""
    with tools.database.read() as tx:
        return tx.scalar(
            select(Location.location_id).order_by(Location.created_at).limit(1)
        )


def random_pin() -> str:
    """Draw a PIN of four digits that is not simple."""
    while True:
        pin = f"{secrets.randbelow(10_000):04}"
        if not staff.is_simple(pin):
            return pin

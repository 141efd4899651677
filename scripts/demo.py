"""A shop to play with: two locations, five people, fifty members and their history.

The history is made of real codes: each past stamp carries the signature that its code
would have had, so that an audit of the demo finds what an audit of a shop finds.
Names and habits are invented; who is who is drawn from a fixed seed, keys and PINs are
not.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from app.programme import cards, codes, founding, rewards, stamping
from app.programme import staff as people
from app.programme.codes import Spending
from app.programme.founding import Charter, Founded
from app.programme.limits import SAFE, Limits
from app.programme.sessions import StaffCaller
from app.programme.stamping import Giver
from app.store.database import Tx
from app.store.tables import Location, Member, Programme, StaffMember, Terminal
from app.tools import Tools
from signing import codes as signed
from signing.codes import Code, Kind

FILE = "demo.json"
SHOP, TIMEZONE = "Kaffe & Brød", "Europe/Copenhagen"
PLACES = ("Nyhavn", "Torvet")
OWNER = "Sofie"
STAFF = (
    ("Jonas", "manager"),
    ("Mia", "barista"),
    ("Emil", "barista"),
    ("Freja", "barista"),
)
NAMES = tuple(
    "Anna Bo Carla David Ella Finn Grete Hugo Ida Jakob Karen Lars Maja Noah Olivia "  # noqa: SIM905 -- to be read
    "Peter Rikke Simon Thea Ulrik Vera William Yasmin Zara Aksel Birgit Clara Dan Emma "
    "Frida Gustav Hanna Ivar Johan Kirsten Liv Mads Nina Otto Pernille Rosa Sara Tom "
    "Agnes Viggo Alma Bent".split()
)
MEMBERS, DAYS = 50, 90
#: For how many days the demo's vouchers are good.
VOUCHER_DAYS = 30
#: Who filled a card and has not come back: in how many days their voucher ends, or
#: since how many it has.
AWAY = {NAMES.index("Alma"): 3, NAMES.index("Bent"): -3}
_OPENS, _CLOSES = 7.5, 17.5
_SEED = 20260101


_CHARTER = Charter(
    name=SHOP,
    timezone=TIMEZONE,
    location=PLACES[0],
    owner=OWNER,
    email="owner@demo.example",
    # A demo is tried with more load than a shop has: only cards are held to theirs.
    limits=Limits(5, SAFE.per_card, None, None, None),
)


@dataclass(frozen=True, slots=True)
class _Visit:
    """One stamp to be written: who, when, where, how many."""

    at: datetime
    member: int
    place: int
    person: int
    stamps: int


def load(tools: Tools, data: Path) -> Path:
    """Fill an installation without a shop with the demo's.

    Args:
        tools: open, over migrated books.
        data: where ``demo.json`` goes, mode 0600: it holds PINs and a password.

    Returns:
        The path of ``demo.json``.

    Raises:
        StoreDown: the books gave no answer; nothing was written.
    """
    path = data / FILE
    since = tools.now() - timedelta(days=DAYS + 1)
    then = dataclasses.replace(tools, now=lambda: since)
    with tools.database.begin() as tx:
        founded = founding.found_in(tx, then, _CHARTER)
        staff = [_staff_fact(founded.staff_id, OWNER, "owner", founded.pin)]
        staff += _hire(tx, then)
        callers = _open_tills(tx, then, [UUID(fact["staff_id"]) for fact in staff])
        _write_history(tx, tools, founded, callers)
        # Before the books close: a start that is cut short leaves no shop whose
        # PINs nobody knows.
        _write(path, tx, tools, founded, staff)
    return path


def _hire(tx: Tx, tools: Tools) -> list[dict[str, str]]:
    facts = []
    for name, role in STAFF:
        pin = founding.random_pin()
        row = StaffMember(
            name=name, role=role, pin_hash=people.hash_pin(pin), created_at=tools.now()
        )
        tx.add(row)
        tx.flush()
        facts.append(_staff_fact(row.staff_id, name, role, pin))
    return facts


def _staff_fact(staff_id: UUID, name: str, role: str, pin: str) -> dict[str, str]:
    return {"staff_id": str(staff_id), "name": name, "role": role, "pin": pin}


def _open_tills(tx: Tx, tools: Tools, staff_ids: list[UUID]) -> list[list[StaffCaller]]:
    """Make the tills of the past, and who stood at them: by place, then person."""
    since = tools.now()
    tx.add(Location(name=PLACES[1], created_at=since + timedelta(minutes=1)))
    tx.flush()
    callers = []
    for place in PLACES:
        location_id = tx.query(Location).filter_by(name=place).one().location_id
        code = _code(tools, Kind.ENROLMENT, since)
        till = Terminal(
            location_id=location_id,
            name=f"Till {place}",
            nonce=code.nonce,
            proof=code.data,
            enrolled_at=since,
        )
        tx.add(till)
        tx.flush()
        callers.append(
            [
                StaffCaller(one, "", "barista", till.terminal_id, location_id, place)
                for one in staff_ids[2:]
            ]
        )
    return callers


def _write_history(
    tx: Tx, tools: Tools, founded: Founded, callers: list[list[StaffCaller]]
) -> None:
    chance = random.Random(_SEED)  # noqa: S311 -- habits, not secrets
    programme = tx.get_one(Programme, founded.programme_id)
    programme.voucher_days = VOUCHER_DAYS
    card_ids: dict[int, UUID] = {}
    for visit in _visits(chance, tools.now()):
        staff = callers[visit.place][visit.person]
        if visit.member not in card_ids:
            card_ids[visit.member] = _join(tx, tools, programme, visit)
        card_id = card_ids[visit.member]
        spending = _spending(tools, Kind.CARD, visit.at, {"card": card_id.hex})
        giver = Giver(staff.terminal_id, staff.staff_id, staff.location_id)
        stamping.book_stamps(
            tx, tools, spending, card_id=card_id, stamps=visit.stamps, giver=giver
        )
        _perhaps_redeem(tx, tools, chance, visit, card_id, staff)
        # Visits come in order: in the end, a till was last seen at its last stamp.
        tx.get_one(Terminal, staff.terminal_id).seen_at = visit.at


def _join(tx: Tx, tools: Tools, programme: Programme, visit: _Visit) -> UUID:
    then = dataclasses.replace(tools, now=lambda: visit.at - timedelta(minutes=1))
    # Some of the fifty never told their name, as happens.
    name = NAMES[visit.member] if visit.member < len(NAMES) else None
    member = Member(name=name, joined_at=then.now())
    tx.add(member)
    tx.flush()
    return cards.open_card(tx, then, member.member_id, programme)


def _perhaps_redeem(
    tx: Tx,
    tools: Tools,
    chance: random.Random,
    visit: _Visit,
    card_id: UUID,
    staff: StaffCaller,
) -> None:
    waiting = [
        voucher
        for voucher in cards.state_of(tx, card_id, visit.at).vouchers
        if voucher.state == "issued" and voucher.issued_at < visit.at
    ]
    if waiting and chance.random() < 0.7:  # noqa: PLR2004 -- most use it at once
        at = visit.at + timedelta(seconds=30)
        record = {"voucher": waiting[-1].voucher_id.hex}
        spending = _spending(tools, Kind.VOUCHER, at, record)
        rewards.book_redemption(tx, tools, spending, staff=staff)


def _visits(chance: random.Random, now: datetime) -> Iterator[_Visit]:
    """Draw three months of visits: a few regulars, many who come now and then."""
    visits = []
    for member in range(MEMBERS):
        if member in AWAY:
            ago = timedelta(days=VOUCHER_DAYS - AWAY[member])
            for day in (now - ago - timedelta(days=2), now - ago):
                visits.append(_Visit(_in_opening_hours(chance, day), member, 0, 0, 5))
            continue
        joined = DAYS * chance.random() ** 0.7
        weekly = min(6.0, 0.4 + chance.expovariate(0.7))
        home, days = chance.randrange(len(PLACES)), joined
        while days > 0:
            place = home if chance.random() < 0.85 else 1 - home  # noqa: PLR2004
            at = _in_opening_hours(chance, now - timedelta(days=days))
            if at < now - timedelta(minutes=2):
                person = chance.randrange(3)
                stamps = 2 if chance.random() < 0.15 else 1  # noqa: PLR2004
                visits.append(_Visit(at, member, place, person, stamps))
            days -= chance.expovariate(weekly / 7)
    return iter(sorted(visits, key=lambda visit: visit.at))


def _in_opening_hours(chance: random.Random, day: datetime) -> datetime:
    """Pick a moment of a day, more in the morning, by the shop's own clock."""
    hours = _OPENS + (_CLOSES - _OPENS) * chance.betavariate(1.6, 2.6)
    zone = ZoneInfo(TIMEZONE)
    midnight = datetime.combine(day.astimezone(zone).date(), time(), zone)
    return midnight + timedelta(hours=hours)


def _spending(
    tools: Tools, kind: Kind, at: datetime, record: dict[str, str]
) -> Spending:
    return Spending(_code(tools, kind, at), uuid4().hex, record, at)


def _code(tools: Tools, kind: Kind, at: datetime) -> Code:
    """Sign the code that would have been shown then."""
    return signed.sign(
        kind,
        tools.keys.ring,
        origin=tools.settings.origin,
        not_after=at + codes.LIFETIME[kind],
        nonce=signed.new_nonce(),
    )


def _write(
    path: Path, tx: Tx, tools: Tools, founded: Founded, staff: list[dict[str, str]]
) -> None:
    required = tx.get_one(Programme, founded.programme_id).stamps_required
    facts: dict[str, Any] = {
        "base_url": tools.settings.origin,
        "programme": str(founded.programme_id),
        "stamps_required": required,
        "staff": staff,
        "console": {"email": founded.email, "password": founded.password},
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2, ensure_ascii=False)
        file.write("\n")

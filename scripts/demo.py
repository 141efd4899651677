"""A shop to play with: two locations, five people, fifty members and their year.

The history is made of real codes: each past stamp carries the signature that its code
would have had, so that an audit of the demo finds what an audit of a shop finds.
Names and habits are invented; who is who is drawn from a fixed seed, keys and PINs are
not.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from app.programme import cards, codes, founding, rewards, stamping, vouchers
from app.programme import staff as people
from app.programme.codes import Spending
from app.programme.errors import Refused
from app.programme.founding import Charter, Founded
from app.programme.limits import SAFE, Limits
from app.programme.plans import paying
from app.programme.purchases import Order
from app.programme.rewards import Kind as Reward
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.stamping import Giver
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import (
    Card,
    Location,
    Member,
    Programme,
    Shop,
    StaffMember,
    Terminal,
)
from app.tools import Tools
from scripts.parts import demo_offers
from scripts.parts.demo_offers import InOne, Offers
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
MEMBERS, DAYS = 50, 360
#: The first of them have come since the shop opened, the others in its last weeks.
REGULARS, RECENT_DAYS = 4, 90
#: Who pays for a plan, from their fifth visit on.
PAYING = (0, 3)
#: For how many days the demo's vouchers are good.
VOUCHER_DAYS = 30
#: Who filled a card and has not come back: in how many days their voucher ends, or
#: since how many it has.
AWAY = {NAMES.index("Alma"): 3, NAMES.index("Bent"): -3}
_OPENS, _CLOSES = 7.5, 17.5
_SEED = 20260101
#: What is handed over as soon as it is shown; a place at an event is not.
_AT_ONCE = frozenset(
    {Reward.ITEM, Reward.PERCENT, Reward.MONEY, Reward.DELIVERY, Reward.MERCHANDISE}
)
_HEARD_OF = timedelta(days=21)


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
    #: Places of what was bought in the list of items; none: nobody told the till.
    bought: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Past:
    """What the history is written with."""

    tx: Tx
    #: Their books are ``tx``.
    tools: Tools
    chance: random.Random
    programme: Programme
    callers: list[list[StaffCaller]]
    offers: Offers
    card_ids: dict[int, UUID] = field(default_factory=dict)
    visits: Counter[int] = field(default_factory=Counter)

    def then(self, at: datetime) -> Tools:
        """Return the tools as they were at a moment."""
        return dataclasses.replace(self.tools, now=lambda: at)


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
    since = tools.now() - timedelta(days=_days(tools.now()) + 1)
    then = dataclasses.replace(tools, now=lambda: since)
    with tools.database.begin() as tx:
        founded = founding.found_in(tx, then, _CHARTER)
        staff = [_staff_fact(founded.staff_id, OWNER, "owner", founded.pin)]
        staff += _hire(tx, then)
        callers = _open_tills(tx, then, [UUID(fact["staff_id"]) for fact in staff])
        tx.get_one(Shop, 1).currency = demo_offers.CURRENCY
        inside = dataclasses.replace(tools, database=InOne(tx, tools.database))
        owner = ConsoleCaller(founded.staff_id, OWNER, "owner")
        offers = demo_offers.set_up(
            dataclasses.replace(inside, now=then.now),
            founded.programme_id,
            by=owner,
            now=tools.now(),
        )
        programme = tx.get_one(Programme, founded.programme_id)
        chance = random.Random(_SEED)  # noqa: S311 -- habits, not secrets
        past = _Past(tx, inside, chance, programme, callers, offers)
        _write_history(past)
        demo_offers.invite(inside, _numbers(past, range(10, 16)), by=owner)
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


def _write_history(past: _Past) -> None:
    past.programme.voucher_days = VOUCHER_DAYS
    for visit in _visits(past.chance, past.tools.now()):
        staff = past.callers[visit.place][visit.person]
        if visit.member not in past.card_ids:
            past.card_ids[visit.member] = _join(past, visit)
        card_id = past.card_ids[visit.member]
        past.visits[visit.member] += 1
        if visit.member in PAYING and past.visits[visit.member] == 5:  # noqa: PLR2004
            _pay(past, card_id, visit.at, staff)
        spending = _spending(past.tools, Kind.CARD, visit.at, {"card": card_id.hex})
        bought = Counter(past.offers.items[place][0] for place in visit.bought)
        stamping.book_stamps(
            past.tx,
            past.tools,
            spending,
            card_id=card_id,
            stamps=visit.stamps,
            giver=Giver(staff.terminal_id, staff.staff_id, staff.location_id),
            order=Order(tuple(bought.items())),
        )
        _perhaps_redeem(past, visit, card_id, staff)
        _perhaps_choose(past, visit, card_id)
        # Visits come in order: in the end, a till was last seen at its last stamp.
        past.tx.get_one(Terminal, staff.terminal_id).seen_at = visit.at


def _join(past: _Past, visit: _Visit) -> UUID:
    then = past.then(visit.at - timedelta(minutes=1))
    # Some of the fifty never told their name, as happens.
    name = NAMES[visit.member] if visit.member < len(NAMES) else None
    member = Member(name=name, joined_at=then.now())
    if visit.member == 0:
        # Who plays with the demo signs in as her, by a mail.
        member.email = f"{NAMES[0].lower()}@demo.example"
        member.email_confirmed_at = then.now()
    past.tx.add(member)
    past.tx.flush()
    return cards.open_card(past.tx, then, member.member_id, past.programme)


def _pay(past: _Past, card_id: UUID, at: datetime, staff: StaffCaller) -> None:
    paying.mark_paid(
        past.then(at - timedelta(seconds=30)),
        card_id,
        past.offers.plan_id,
        paid_how="card",
        request_id=uuid4().hex,
        by=staff,
    )


def _perhaps_redeem(
    past: _Past, visit: _Visit, card_id: UUID, staff: StaffCaller
) -> None:
    if past.chance.random() > 0.7:  # noqa: PLR2004 -- most use it at once
        return
    waiting = [
        voucher
        for voucher in vouchers.of_card(past.tx, card_id, visit.at)
        if voucher.state == "issued"
        and voucher.issued_at < visit.at
        and voucher.kind in _AT_ONCE
    ]
    if waiting:
        at = visit.at + timedelta(seconds=30)
        voucher = waiting[-1]
        spending = _spending(
            past.tools, Kind.VOUCHER, at, {"voucher": voucher.voucher_id.hex}
        )
        # Of money, what two coffees cost or what is left.
        part = min(voucher.rest, 2000) if voucher.rest else None
        rewards.book_redemption(past.tx, past.tools, spending, staff=staff, amount=part)


def _perhaps_choose(past: _Past, visit: _Visit, card_id: UUID) -> None:
    """Let a member exchange points for a reward that they like, if they can."""
    at = visit.at + timedelta(minutes=1)
    is_lately = past.tools.now() - at < _HEARD_OF
    if past.chance.random() > (0.4 if is_lately else 0.15):
        # Most let them grow.
        return
    points = cards.balances(past.tx, card_id, at).get(Unit.POINT, 0)
    likes = [
        # What is dearer is saved for, and an evening is what all speak of.
        (reward_id, plan.price**2 * (9 if plan.kind == Reward.EVENT else 1))
        for reward_id, plan in past.offers.rewards
        if plan.price is not None
        and points >= plan.price
        and plan.needs_tier_id is None
        # Nobody joins an evening that nobody has heard of.
        and (plan.kind != Reward.EVENT or is_lately)
    ]
    if not likes:
        return
    member_id = past.tx.get_one(Card, card_id).member_id
    ids, weights = zip(*likes, strict=True)
    wanted = past.chance.choices(ids, weights)[0]
    # Of some only one is had.
    with contextlib.suppress(Refused):
        rewards.choose(
            past.then(at),
            card_id,
            wanted,
            member_id=member_id,
            request_id=uuid4().hex,
            edition=1,
        )


def _numbers(past: _Past, members: range) -> list[str]:
    """Read the numbers of some members' cards."""
    ids = [past.card_ids[one] for one in members if one in past.card_ids]
    return [past.tx.get_one(Card, card_id).number for card_id in ids]


def _visits(chance: random.Random, now: datetime) -> Iterator[_Visit]:
    """Draw three months of visits: a few regulars, many who come now and then."""
    visits = []
    for member in range(MEMBERS):
        if member in AWAY:
            ago = timedelta(days=VOUCHER_DAYS - AWAY[member])
            for day in (now - ago - timedelta(days=2), now - ago):
                visits.append(_Visit(_in_opening_hours(chance, day), member, 0, 0, 5))
            continue
        joined, weekly = _habits(chance, member, _days(now))
        home, days = chance.randrange(len(PLACES)), joined
        while days > 0:
            place = home if chance.random() < 0.85 else 1 - home  # noqa: PLR2004
            at = _in_opening_hours(chance, now - timedelta(days=days))
            if at < now - timedelta(minutes=2):
                person = chance.randrange(3)
                stamps = 2 if chance.random() < 0.15 else 1  # noqa: PLR2004
                bought = _bought(chance, stamps)
                visits.append(_Visit(at, member, place, person, stamps, bought))
            days -= chance.expovariate(weekly / 7)
    return iter(sorted(visits, key=lambda visit: visit.at))


def _days(now: datetime) -> int:
    """Count the days of the history: no code can say that it is older than codes."""
    return max(RECENT_DAYS, min(DAYS, (now - signed.EPOCH).days - 2))


def _habits(chance: random.Random, member: int, days: int) -> tuple[float, float]:
    """Draw since how many days a member comes, and how often in a week."""
    if member < REGULARS:
        return days - 12 * chance.random(), 0.5 + 0.8 * chance.random()
    joined = RECENT_DAYS * chance.random() ** 0.7
    return joined, min(4.0, 0.2 + chance.expovariate(2.4))


def _bought(chance: random.Random, drinks: int) -> tuple[int, ...]:
    """Draw what was bought, as places in the list of items; often nobody says."""
    if chance.random() < 0.25:  # noqa: PLR2004 -- a hurried morning
        return ()
    bought = [chance.choice((0, 0, 1, 1, 2, 3)) for _ in range(drinks)]
    if chance.random() < 0.5:  # noqa: PLR2004 -- something to eat
        bought.append(chance.choice((4, 4, 5, 6)))
    if chance.random() < 0.08:  # noqa: PLR2004 -- beans for home
        bought.append(7)
    return tuple(bought)


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

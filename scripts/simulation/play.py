"""Plays a plan through the real rooms, with a clock that is moved to each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from app.programme import codes, members, rewards, stamping
from app.programme.errors import LimitReached, Refused
from app.programme.sessions import StaffCaller
from app.programme.signals import watch
from scripts.simulation.plan import Event, Plan
from scripts.simulation.shop import FIRST_DAY, ZONE, Shop, moment

_SHOWN: Final = timedelta(seconds=4)


@dataclass
class Played:
    """What came of it."""

    events: int = 0
    given: int = 0
    #: Honest customers who met a limit.
    refused_honest: int = 0
    refused_cheats: int = 0
    #: Card ids and member ids of customers, by number.
    cards: dict[int, UUID] = field(default_factory=dict)
    members: dict[int, UUID] = field(default_factory=dict)
    #: The nonces that were tried again, with the cheat it was, if any.
    reused: dict[str, str | None] = field(default_factory=dict)
    #: Where each customer's last stamps, redemption and code can be found.
    stamped: dict[int, UUID] = field(default_factory=dict)
    redeemed: dict[int, UUID] = field(default_factory=dict)
    vouchers: dict[int, list[UUID]] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)


def play(shop: Shop, plan: Plan, *, tell: Callable[[str], None]) -> Played:
    """Let everything happen in its order; each night the watch looks.

    Args:
        shop: freshly founded.
        plan: what happens.
        tell: hears how far it is.
    """
    played, day = Played(), FIRST_DAY
    for event in sorted(plan.events):
        today = event.at.astimezone(ZONE).date()
        while day < today:
            _night(shop, day.toordinal() - FIRST_DAY.toordinal())
            day += timedelta(days=1)
            if day.day == 1:
                tell(f"{day:%B}: {played.given} stampings")
        if event.what != "join" and event.who not in played.cards:
            # Planned for an hour of the first day before they joined.
            continue
        shop.clock.at = event.at
        # What is refused in real life is refused here, and life goes on.
        with suppress(Refused):
            _VERBS[event.what](shop, played, event)
        played.events += 1
    _night(shop, day.toordinal() - FIRST_DAY.toordinal())
    return played


def _night(shop: Shop, day: int) -> None:
    shop.clock.at = max(shop.clock.at, moment(day, 23.5))
    watch.look(shop.tools)


def _join(shop: Shop, played: Played, event: Event) -> None:
    network, browser = event.device or (None, None)
    joined = members.join(shop.tools, device=network, browser=browser)
    played.cards[event.who] = joined.card_id
    played.members[event.who] = joined.member_id


def _visit(shop: Shop, played: Played, event: Event) -> None:
    code = stamping.card_code(shop.tools, played.cards[event.who])
    played.shown[event.who] = code.code
    shop.clock.at += _SHOWN
    try:
        spent = stamping.stamp(
            shop.tools,
            code.code,
            stamps=event.stamps,
            request_id=uuid4().hex,
            staff=_at_the_till(shop, event),
        )
    except LimitReached:
        if event.cheat:
            played.refused_cheats += 1
        else:
            played.refused_honest += 1
        raise
    played.stamped[event.who] = UUID(spent.answer["stamp_id"])
    played.given += 1
    _hold(played, event, spent)


def _reuse(shop: Shop, played: Played, event: Event) -> None:
    text = played.shown[event.who]
    nonce = codes.read(shop.tools, text).nonce.hex()
    played.reused[nonce] = event.cheat
    stamping.stamp(
        shop.tools,
        text,
        stamps=1,
        request_id=uuid4().hex,
        staff=_at_the_till(shop, event),
    )


def _undo(shop: Shop, played: Played, event: Event) -> None:
    if event.who in played.stamped:
        spent = stamping.reverse_stamp(
            shop.tools,
            played.stamped.pop(event.who),
            staff=_at_the_till(shop, event),
            reason="Wrong",
        )
        _hold(played, event, spent)


def _redeem(shop: Shop, played: Played, event: Event) -> None:
    if not played.vouchers.get(event.who):
        return
    voucher_id = played.vouchers[event.who][-1]
    code = rewards.voucher_code(shop.tools, voucher_id, played.members[event.who])
    spent = rewards.redeem(
        shop.tools,
        code.code,
        request_id=uuid4().hex,
        staff=_at_the_till(shop, event),
    )
    played.redeemed[event.who] = UUID(spent.answer["redemption_id"])
    _hold(played, event, spent)


def _unredeem(shop: Shop, played: Played, event: Event) -> None:
    if event.who in played.redeemed:
        spent = rewards.reverse_redemption(
            shop.tools,
            played.redeemed.pop(event.who),
            staff=_at_the_till(shop, event),
            reason="Not handed out",
        )
        _hold(played, event, spent)


def _hold(played: Played, event: Event, spent: codes.Spent) -> None:
    """Know which vouchers a customer has, as their phone does."""
    played.vouchers[event.who] = [
        UUID(each["voucher_id"])
        for each in spent.answer["card"]["vouchers"]
        if each["state"] == "issued"
    ]


def _at_the_till(shop: Shop, event: Event) -> StaffCaller:
    person = event.person
    if person is None:
        person = shop.on_shift(event.at, event.place)
    return shop.caller(person, event.place)


_VERBS: Final[Mapping[str, Callable[[Shop, Played, Event], None]]] = {
    "join": _join,
    "visit": _visit,
    "reuse": _reuse,
    "undo": _undo,
    "redeem": _redeem,
    "unredeem": _unredeem,
}

"""Honest customers and people, with all that looks odd and is not.

Regulars who always meet the same person, families and offices that take many stamps at
once, a festival, people who open early or count the till late, clumsy beginners, a walk
between two near places, a customer who loses the phone's page and shows an old code.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from scripts.simulation.plan import Plan
from scripts.simulation.shop import CLOSES, NEAR, OPENS, PLACES, moment

#: Phones as they call themselves, with how common each is among ten.
PHONES: Final = ("A1", "A1", "A1", "A2", "A2", "B1", "B1", "B2", "C1", "D1")
_MINUTE: Final = timedelta(minutes=1)


def customers(plan: Plan, chance: random.Random, *, days: int, members: int) -> None:
    """Let customers join over the year and come as each does."""
    for _ in range(members):
        first = int(days * chance.random() ** 1.3)
        place = chance.randrange(len(PLACES))
        kind = chance.random()
        if kind < 0.05:  # noqa: PLR2004 -- one in twenty comes every working day
            _daily(plan, chance, first, days, place)
        elif kind < 0.13:  # noqa: PLR2004
            _family(plan, chance, first, days, place)
        elif kind < 0.15:  # noqa: PLR2004
            _office(plan, chance, first, days, place)
        else:
            _now_and_then(plan, chance, first, days, place)


def trouble(plan: Plan, chance: random.Random, *, days: int) -> None:
    """Let happen what looks odd and is not."""
    for day in range(days):
        if day % 61 == 30:  # noqa: PLR2004 -- six a year
            _out_of_hours(plan, chance, day)
        if day % 180 == 150:  # noqa: PLR2004
            _festival(plan, chance, day)


def _joins(plan: Plan, chance: random.Random, day: int, hour: float, place: int) -> int:
    # A third are in the place's own network, the others in one of their own.
    network = f"198.51.100.{place}"
    if chance.random() > 1 / 3:
        network = f"10.{chance.randrange(200)}.{chance.randrange(250)}.1"
    at = moment(day, hour) - 2 * _MINUTE
    return plan.newcomer(at, place, (network, chance.choice(PHONES)))


def _visit(
    plan: Plan, chance: random.Random, day: int, hour: float, who: int, place: int,
    stamps: int = 1,
) -> None:  # fmt: skip
    at = moment(day, hour)
    plan.add(at, "visit", who, place, stamps=stamps)
    luck = chance.random()
    if luck < 0.006:  # noqa: PLR2004 -- too many were tapped, and it is put right
        plan.add(at + _MINUTE, "undo", who, place)
    elif luck < 0.008:  # noqa: PLR2004 -- the same code is held up once more
        plan.add(at + timedelta(seconds=9), "reuse", who, place)
    # Whoever has a full card takes the reward at the next visit, or at once.
    plan.add(at + timedelta(seconds=30), "redeem", who, place)
    if chance.random() < 0.003:  # noqa: PLR2004 -- out of milk: the reward goes back
        plan.add(at + 2 * _MINUTE, "unredeem", who, place)
    if place in NEAR and chance.random() < 0.002:  # noqa: PLR2004
        other = NEAR[1 - NEAR.index(place)]
        plan.add(at + chance.uniform(7, 25) * _MINUTE, "visit", who, other)


def _hour(chance: random.Random) -> float:
    return OPENS + (CLOSES - OPENS - 0.2) * chance.betavariate(1.6, 2.4)


def _daily(
    plan: Plan, chance: random.Random, first: int, days: int, place: int
) -> None:
    usual = _hour(chance)
    who = _joins(plan, chance, first, usual, place)
    until = min(days, first + int(chance.expovariate(1 / 200)) + 5)
    for day in range(first, until):
        if day % 7 < 5 and chance.random() < 0.85:  # noqa: PLR2004
            hour = min(max(usual + chance.gauss(0, 0.3), OPENS), CLOSES - 0.05)
            stamps = 2 if chance.random() < 0.08 else 1  # noqa: PLR2004
            _visit(plan, chance, day, hour, who, place, stamps)


def _family(
    plan: Plan, chance: random.Random, first: int, days: int, place: int
) -> None:
    who = _joins(plan, chance, first, 11.0, place)
    day = float(first)
    while day < days:
        stamps = chance.choice((3, 4, 4, 5))
        _visit(plan, chance, int(day), _hour(chance), who, place, stamps)
        day += chance.expovariate(1 / 9) + 1


def _office(
    plan: Plan, chance: random.Random, first: int, days: int, place: int
) -> None:
    who = _joins(plan, chance, first, 9.0, place)
    day = float(first)
    while day < days:
        hour = chance.uniform(8.5, 10)
        for scan in range(chance.choice((2, 2, 3))):
            _visit(plan, chance, int(day), hour + scan * 0.01, who, place, 5)
        day += chance.expovariate(1 / 21) + 2


def _now_and_then(
    plan: Plan, chance: random.Random, first: int, days: int, place: int
) -> None:
    weekly = min(3.0, 0.15 + chance.expovariate(1.6))
    hour = _hour(chance)
    who = _joins(plan, chance, first, hour, place)
    day = float(first)
    while day < days:
        there = place if chance.random() < 0.85 else chance.randrange(3)  # noqa: PLR2004
        stamps = 2 if chance.random() < 0.2 else 1  # noqa: PLR2004
        _visit(plan, chance, int(day), hour, who, there, stamps)
        hour = _hour(chance)
        # Many come once or twice, and never again.
        if chance.random() < 0.08:  # noqa: PLR2004
            return
        day += chance.expovariate(weekly / 7)


def _out_of_hours(plan: Plan, chance: random.Random, day: int) -> None:
    """Open an hour early for a market, and nobody thinks of the console's hours."""
    place = chance.randrange(len(PLACES))
    for _ in range(chance.randint(4, 15)):
        hour = OPENS - chance.uniform(0.55, 1.2)
        who = _joins(plan, chance, day, hour, place)
        plan.add(moment(day, hour), "visit", who, place, stamps=1)


def _festival(plan: Plan, chance: random.Random, day: int) -> None:
    """Fill a place for an evening: many join in one network, with the same phones."""
    place = chance.randrange(len(PLACES))
    for _ in range(chance.randint(60, 90)):
        hour = chance.uniform(12, 19.5)
        device = (f"192.0.2.{place}", f"{chance.choice(PHONES)}/{chance.randrange(12)}")
        at: datetime = moment(day, hour)
        who = plan.newcomer(at - _MINUTE, place, device)
        plan.add(at, "visit", who, place, stamps=chance.choice((1, 1, 2, 3)))

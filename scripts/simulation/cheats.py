"""Cheats, each told by name so that what a signal finds can be compared with it.

Each has a blatant and a careful form: a measure that knows only the blatant ones would
flatter.

* ``friend``: stamps for a friend's card without a sale
* ``own``: the same for an own card that nobody named, on another phone
* ``late``: stamps after hours
* ``farm``: card after card of one device
* ``fill``: a new card is filled and its reward taken at once
* ``skim``: a customer's stamp is taken back and given to a friend
* ``again``: one reward is handed out again and again, and taken back each time
* ``pin``: somebody works with another's PIN at another place
* ``twin``: one card on two phones
* ``shot``: a screenshot is passed on
* ``flood``: as many stamps as can be given, before anybody comes
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from scripts.simulation.plan import Plan
from scripts.simulation.shop import CLOSES, NEAR, OPENS, PEOPLE, moment

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)


def commit(plan: Plan, chance: random.Random, *, days: int, each: int) -> None:
    """Let every cheat be tried some times, over the days.

    Args:
        plan: gets them.
        chance: of when and by whom.
        days: how long the simulation is, 30 or more.
        each: how often every kind is tried.
    """
    for name, cheat in _CHEATS.items():
        for number in range(each):
            day = chance.randrange(3, days - 25)
            cheat(plan, chance, day, f"{name}-{number}", number)


Cheat = Callable[[Plan, random.Random, int, str, int], None]


def _friend(
    plan: Plan, chance: random.Random, day: int, name: str, number: int
) -> None:
    """Give for three weeks: many a day, a few, or a few a week."""
    person, who = _pair(plan, chance, day, name)
    many, share = ((8, 0.9), (4, 0.7), (3, 0.35))[number % 3]
    for each in range(day, day + 21):
        if chance.random() < share:
            left = max(1, round(chance.gauss(many, 1)))
            hour = chance.uniform(OPENS + 0.2, CLOSES - 1)
            while left > 0:
                now = min(left, chance.choice((1, 2, 3)))
                plan.add(
                    moment(each, hour), "visit", who, person // 3,
                    stamps=now, person=person, cheat=name,
                )  # fmt: skip
                hour += chance.uniform(0.02, 0.3)
                left -= now
            plan.add(
                moment(each, hour) + _MINUTE, "redeem", who, person // 3, cheat=name
            )


def _late(plan: Plan, chance: random.Random, day: int, name: str, number: int) -> None:
    """Stay behind on some evenings: long after closing, or just past half an hour."""
    person, who = _pair(plan, chance, day, name)
    after = (1.5, 0.8, 0.55)[number % 3]
    for each in range(day, day + 12, 3):
        hour = CLOSES + after + chance.uniform(0, 0.3)
        for scan in range(chance.randint(2, 4)):
            plan.add(
                moment(each, hour) + scan * 20 * _SECOND, "visit", who, person // 3,
                stamps=chance.choice((2, 3)), person=person, cheat=name,
            )  # fmt: skip


def _farm(plan: Plan, chance: random.Random, day: int, name: str, number: int) -> None:
    """Get card after card: fast, or with time between."""
    place = chance.randrange(3)
    gap = (1, 4, 14)[number % 3]
    device = (f"203.0.113.{chance.randrange(250)}", f"F{number}")
    at = moment(day, chance.uniform(9, 14))
    for card in range(chance.randint(8, 14)):
        plan.newcomer(at + card * gap * _MINUTE, place, device, cheat=name)


def _fill(plan: Plan, chance: random.Random, day: int, name: str, number: int) -> None:
    """Fill a new card: at once, within a day, or over three days."""
    person, who = _pair(plan, chance, day, name)
    place, at = person // 3, moment(day, chance.uniform(OPENS + 0.5, 12))
    gap = (2 * _MINUTE, timedelta(hours=5), timedelta(days=3))[number % 3]
    for part in range(2):
        plan.add(
            at + part * gap, "visit", who, place,
            stamps=5, person=person, cheat=name,
        )  # fmt: skip
    plan.add(at + gap + 3 * _MINUTE, "redeem", who, place, person=person, cheat=name)


def _skim(plan: Plan, chance: random.Random, day: int, name: str, number: int) -> None:
    """Take customers' stamps back and give them to a friend, on some days."""
    person, who = _pair(plan, chance, day, name)
    for each in range(day, day + 12, 4):
        for _ in range((12, 8, 4)[number % 3]):
            at = moment(each, chance.uniform(OPENS + 0.2, CLOSES - 0.5))
            guest = plan.newcomer(at - _MINUTE, person // 3, _elsewhere(chance))
            plan.add(at, "visit", guest, person // 3, person=person)
            plan.add(
                at + _MINUTE, "undo", guest, person // 3, person=person, cheat=name
            )
            plan.add(
                at + 2 * _MINUTE, "visit", who, person // 3,
                person=person, cheat=name,
            )  # fmt: skip


def _again(plan: Plan, chance: random.Random, day: int, name: str, number: int) -> None:
    """Hand one reward out again and again, and take it back each time."""
    person, who = _pair(plan, chance, day, name)
    place, at = person // 3, moment(day, 12)
    for part in range(2):
        plan.add(at + part * 3 * _MINUTE, "visit", who, place, stamps=5)
    for time in range((7, 5, 3)[number % 3]):
        then = moment(day + 2 + time * (1, 1, 2)[number % 3], chance.uniform(9, 16))
        plan.add(then, "redeem", who, place, person=person, cheat=name)
        plan.add(then + 3 * _MINUTE, "unredeem", who, place, person=person, cheat=name)


def _pin(plan: Plan, chance: random.Random, day: int, name: str, number: int) -> None:
    """Use another's PIN at another place while they work: an hour, or a minute."""
    person = chance.randrange(len(PEOPLE))
    home, other = person // 3, (person // 3 + 1) % 3
    who = plan.newcomer(moment(day, 8), other, _elsewhere(chance), cheat=name)
    hour = chance.uniform(9, 16)
    for scan in range((10, 5, 2)[number % 3]):
        at = moment(day, hour) + scan * 4 * _MINUTE
        guest = plan.newcomer(at - _MINUTE, home, _elsewhere(chance))
        plan.add(at, "visit", guest, home, person=person)
        plan.add(at + 2 * _MINUTE, "visit", who, other, person=person, cheat=name)


def _twin(plan: Plan, chance: random.Random, day: int, name: str, number: int) -> None:
    """Carry one card on two phones, at two places at the same time of day."""
    who = plan.newcomer(moment(day, 8), NEAR[0], _elsewhere(chance), cheat=name)
    for each in range(day, day + 9, 3):
        at = moment(each, chance.uniform(9, 16))
        apart = (2, 6, 30)[number % 3]
        plan.add(at, "visit", who, 0, cheat=name)
        plan.add(at + apart * _MINUTE, "visit", who, 2, cheat=name)


def _shot(plan: Plan, chance: random.Random, day: int, name: str, number: int) -> None:
    """Pass a picture of one's code on: soon, or too late for it to matter."""
    person, who = _pair(plan, chance, day, name)
    at = moment(day, chance.uniform(9, 16))
    plan.add(at, "visit", who, person // 3)
    wait = (12, 30, 45)[number % 3]
    plan.add(at + wait * _SECOND, "reuse", who, person // 3, cheat=name)


def _flood(plan: Plan, chance: random.Random, day: int, name: str, number: int) -> None:
    """Give one card all that a quiet quarter of an hour has room for, or nearly."""
    person, who = _pair(plan, chance, day, name)
    at = moment(day, chance.uniform(OPENS, CLOSES - 1))
    for scan in range((12, 6, 4)[number % 3]):
        plan.add(
            at + scan * 20 * _SECOND, "visit", who, person // 3,
            stamps=5, person=person, cheat=name,
        )  # fmt: skip


def _pair(plan: Plan, chance: random.Random, day: int, name: str) -> tuple[int, int]:
    """Tell a barista, and a new card that belongs to the cheat."""
    person = chance.randrange(len(PEOPLE))
    who = plan.newcomer(moment(day, OPENS), person // 3, _elsewhere(chance), cheat=name)
    return person, who


def _elsewhere(chance: random.Random) -> tuple[str, str]:
    return f"10.{chance.randrange(200)}.{chance.randrange(250)}.2", "A1"


_CHEATS: Final[Mapping[str, Cheat]] = {
    "friend": _friend,
    "own": _friend,
    "late": _late,
    "farm": _farm,
    "fill": _fill,
    "skim": _skim,
    "again": _again,
    "pin": _pin,
    "twin": _twin,
    "shot": _shot,
    "flood": _flood,
}

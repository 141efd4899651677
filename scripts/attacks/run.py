"""One run over the catalogue: each attack thrown, judged by answers, books, signals."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from scripts.attacks import (
    accounts,
    benefits,
    books,
    codes,
    doors,
    gifts,
    invitations,
    leaks,
    merging,
    pages,
    paper,
    people,
    persons,
    races,
    replays,
    rewards,
    sales,
    sessions,
    thieves,
    transport,
)
from scripts.attacks.catalogue import CATALOGUE, Attack
from scripts.attacks.parts import CannotSetUp
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley

#: How a signal is told.
RAISED, MISSING, NOT_EXPECTED, UNSEEN = (
    "yes",
    "no",
    "not expected",
    "not seen from here",
)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one attack."""

    attack: Attack
    tried: int = 0
    #: By code, how often.
    refused: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    signal: str = NOT_EXPECTED
    seconds: float = 0.0
    #: What was accepted or is not as it must be, in words.
    findings: tuple[str, ...] = ()
    #: Why it was not thrown; None: it was.
    left_out: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing got through and nothing is amiss."""
        return not self.findings and not self.accepted and self.signal != MISSING


#: The subjects in the order in which they are thrown: thieves change the keys, and
#: what all of them left in the log is read at the end.
SUBJECTS: Final = (
    *(
        codes,
        doors,
        replays,
        races,
        sales,
        rewards,
        gifts,
        benefits,
        sessions,
        pages,
        transport,
        paper,
    ),
    *(invitations, people, persons, merging, accounts, thieves, leaks),
)


def catalogue() -> list[Attack]:
    """Every attack, in order."""
    order = [subject.__name__.rpartition(".")[2] for subject in SUBJECTS]
    return sorted(CATALOGUE, key=lambda one: order.index(one.subject))


def throw_all(shop: Shop, attacks: Iterable[Attack], *, size: int) -> Iterator[Result]:
    """Throw attacks one after the other.

    Args:
        shop: under attack.
        attacks: of the catalogue.
        size: tries of an attack that could make any number.

    Raises:
        StoreDown: the books, read from inside, gave no answer.
    """
    for one in attacks:
        lacking = one.needs - shop.has
        if lacking:
            needed = ", ".join(sorted(lacking))
            yield Result(one, left_out=f"needs {needed}")
        else:
            yield _throw(shop, one, size)


def _throw(shop: Shop, one: Attack, size: int) -> Result:
    volley, began = Volley(size), time.monotonic()
    before, honest = shop.booked(), shop.honest.copy()
    raised = _signals(shop)
    findings = []
    try:
        one.throw(shop, volley)
    except CannotSetUp as error:
        findings.append(f"could not be set up: {error}")
    now = shop.booked()
    shop.forget()
    given = shop.honest.copy()
    given.subtract(honest)
    unlike = books.differences(before, now, given)
    gained = _gained(unlike)
    findings += volley.told
    findings += [f"the books have {what} {by:+}" for what, by in unlike.items()]
    findings += [f"refused by {why} {n} times" for why, n in volley.odd.items()]
    if volley.faults:
        findings.append(f"{volley.faults} faults of the server")
    if not volley.tried and not findings:
        return Result(one, left_out="long forms alone")
    return Result(
        one,
        tried=volley.tried,
        refused=volley.refused,
        accepted=max(volley.accepted, gained),
        signal=_signal(one, raised, _signals(shop)),
        seconds=time.monotonic() - began,
        findings=tuple(findings),
    )


def _gained(unlike: Counter[str]) -> int:
    """Count what the books have beyond what was given; a changed setting is one."""
    return sum(
        1 if what == "settings" else by
        for what, by in unlike.items()
        if by > 0 or what == "settings"
    )


def _signals(shop: Shop) -> Counter[str] | None:
    return books.signals(shop.tools) if shop.tools else None


def _signal(
    one: Attack, before: Counter[str] | None, after: Counter[str] | None
) -> str:
    if one.signal is None:
        return NOT_EXPECTED
    if before is None or after is None:
        return UNSEEN
    return RAISED if after[one.signal] > before[one.signal] else MISSING

"""How good the signals were: of those raised how many were right, and what was missed.

A signal is *right* when it names what some cheat did: its card, or its person on that
day, or its code. A cheat is *found* by a kind when that kind named it at least once.
Each kind is held to the cheats that it is there to find (``MEANT``). A careful form
that it cannot see counts as missed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from app.programme.signals import kinds
from app.store.tables import Signal
from app.tools import Tools
from scripts.simulation.plan import Plan
from scripts.simulation.play import Played
from scripts.simulation.shop import ZONE, Shop

#: What each kind is there to find; those it does not measure are left out.
MEANT: Final[Mapping[str, tuple[str, ...]]] = {
    kinds.FAVOURITE: ("friend", "own"),
    kinds.AFTER_HOURS: ("late",),
    kinds.JOIN_BURST: ("farm",),
    kinds.QUICK_REWARD: ("fill",),
    kinds.MANY_UNDOS: ("skim", "again"),
    kinds.PERSON_IN_TWO_PLACES: ("pin",),
    kinds.CARD_IN_TWO_PLACES: ("twin",),
    kinds.SPENT: ("shot",),
    kinds.LIMIT_MET: ("flood",),
}


@dataclass(frozen=True, slots=True)
class Score:
    """How good one kind was."""

    kind: str
    raised: int
    right: int
    cheats: int
    found: int

    @property
    def precision(self) -> float | None:
        """Tell how many of those raised were right; None: none was raised."""
        return self.right / self.raised if self.raised else None

    @property
    def recall(self) -> float | None:
        """Tell how many of the cheats were found; None: none was tried."""
        return self.found / self.cheats if self.cheats else None


def scores(shop: Shop, plan: Plan, played: Played) -> list[Score]:
    """Compare what was raised with what was done."""
    truth = _Truth(shop, plan, played)
    right: dict[str, int] = defaultdict(int)
    raised: dict[str, int] = defaultdict(int)
    found: dict[str, set[str]] = defaultdict(set)
    for signal in _raised(shop.tools):
        raised[signal.kind] += 1
        named = truth.cheats_in(signal)
        right[signal.kind] += bool(named)
        found[signal.kind] |= named
    done = {event.cheat for event in plan.events if event.cheat}
    return [
        Score(
            kind,
            raised[kind],
            right[kind],
            len(tried := {one for one in done if one.partition("-")[0] in meant}),
            len(tried & found[kind]),
        )
        for kind, meant in MEANT.items()
    ]


class _Truth:
    """Who cheated, by card, by person and day, and by code."""

    def __init__(self, shop: Shop, plan: Plan, played: Played) -> None:
        self._cards: dict[object, set[str]] = defaultdict(set)
        self._days: dict[object, set[str]] = defaultdict(set)
        self._codes = {nonce: cheat for nonce, cheat in played.reused.items() if cheat}
        for event in plan.events:
            if event.cheat is None:
                continue
            if event.who in played.cards:
                self._cards[played.cards[event.who]].add(event.cheat)
            if event.person is not None:
                day = event.at.astimezone(ZONE).date()
                self._days[shop.people[event.person], day].add(event.cheat)

    def cheats_in(self, signal: Signal) -> set[str]:
        """Tell which cheats a signal names."""
        if signal.kind == kinds.SPENT:
            cheat = self._codes.get(signal.evidence["nonce"])
            return {cheat} if cheat else set()
        named = set(self._cards[signal.card_id]) if signal.card_id else set()
        if signal.staff_id is not None and signal.kind in _BY_PERSON:
            day = signal.at.astimezone(ZONE).date()
            named |= self._days[signal.staff_id, day]
        return named


_BY_PERSON: Final = {
    kinds.AFTER_HOURS,
    kinds.MANY_UNDOS,
    kinds.PERSON_IN_TWO_PLACES,
}


def _raised(tools: Tools) -> list[Signal]:
    with tools.database.read() as tx:
        return list(tx.scalars(select(Signal)))

"""Lots: of which givings a card's units are left, and until when each is good.

Pure, and one for all units. What was given together is one *lot* with one end. What
leaves the card leaves the lot that ends soonest, those without an end last, the older
first among equals; so nobody loses what they could have used. From the entries alone,
in the order of their numbers:

==================================== ==================================================
an entry                             does
==================================== ==================================================
that gives (EARN, BONUS, ADJUST,     opens a lot
MERGE into the card)
that takes (REDEEM, ADJUST)          takes of the lots that are not over, soonest first
EXPIRE, MERGE out of the card        takes of the lot that it names by ``caused_by_id``
REVERSE of what gave                 takes of that lot what is left there, the rest of
                                     the others: a refund takes back what a sale gave,
                                     though it was spent meanwhile
REVERSE of what took                 puts back where it was taken, with those ends
==================================== ==================================================

What is taken beyond all lots is a *debt*. The next lots pay it first; nobody else can
spend them. The sum over all lots, less the debts, is the sum of the entries, always:
no unit appears or vanishes.

What is over is not there to be spent, whether its EXPIRE was written by then or not;
``ends`` writes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from app.programme.units import Unit

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
#: Kinds that take of the one lot which they name.
_NAMING: Final = frozenset({"EXPIRE", "MERGE"})


@dataclass(frozen=True, slots=True)
class Movement:
    """What an entry of the ledger does to the units of its card."""

    entry_id: UUID
    kind: str
    unit: Unit
    #: Negative where they leave the card.
    units: int
    at: datetime
    #: The last second of what it gives; None: no end.
    expires_at: datetime | None = None
    caused_by_id: UUID | None = None
    reverses_id: UUID | None = None


@dataclass(slots=True)
class Lot:
    """Units that were given together, and what is left of them."""

    entry_id: UUID
    unit: Unit
    left: int
    at: datetime
    #: The last second in which it is good; None: no end.
    expires_at: datetime | None

    def is_over(self, at: datetime) -> bool:
        """Tell whether its end has passed."""
        return self.expires_at is not None and at > self.expires_at


@dataclass(slots=True)
class _Debt:
    """What an entry took and no lot had."""

    entry_id: UUID
    unit: Unit
    owed: int


class Lots:
    """All lots of a card, by the entries that were told so far."""

    def __init__(self, movements: Iterable[Movement] = ()) -> None:
        self._lots: dict[UUID, Lot] = {}
        self._debts: list[_Debt] = []
        #: By entry: from which lots it took how much.
        self._taken: defaultdict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
        for movement in movements:
            self.add(movement)

    def __iter__(self) -> Iterator[Lot]:
        """Give the lots of which something is left, soonest end first."""
        left = (lot for lot in self._lots.values() if lot.left)
        return iter(sorted(left, key=lambda lot: lot.expires_at or _NEVER))

    def usable(self, unit: Unit, at: datetime) -> int:
        """Count what can be spent at a moment; below nought where some is owed."""
        there = sum(
            lot.left
            for lot in self._lots.values()
            if lot.unit is unit and not lot.is_over(at)
        )
        return there - self.owed(unit)

    def owed(self, unit: Unit) -> int:
        """Count what was taken back and is not there."""
        return sum(debt.owed for debt in self._debts if debt.unit is unit)

    def over(self, at: datetime) -> list[Lot]:
        """Tell the lots whose end has passed with something left."""
        return [lot for lot in self if lot.is_over(at)]

    def add(self, movement: Movement) -> None:
        """Do what the next entry does."""
        if movement.reverses_id is not None:
            self._reverse(movement, movement.reverses_id)
        elif movement.units > 0:
            self._lots[movement.entry_id] = Lot(
                movement.entry_id,
                movement.unit,
                movement.units,
                movement.at,
                movement.expires_at,
            )
            self._pay(movement.unit, movement.at)
        elif movement.units < 0:
            named = movement.caused_by_id if movement.kind in _NAMING else None
            self._take(movement, named)

    def _take(self, movement: Movement, first: UUID | None) -> None:
        missing = -movement.units
        named = self._lots.get(first) if first else None
        others = (
            lot
            for lot in self
            if lot.unit is movement.unit
            and lot is not named
            and not lot.is_over(movement.at)
        )
        for lot in (*((named,) if named else ()), *others):
            taken = min(lot.left, missing)
            if taken:
                lot.left -= taken
                missing -= taken
                self._taken[movement.entry_id].append((lot.entry_id, taken))
        if missing:
            self._debts.append(_Debt(movement.entry_id, movement.unit, missing))

    def _reverse(self, movement: Movement, reversed_id: UUID) -> None:
        if movement.units < 0:
            self._take(movement, reversed_id)
            return
        self._debts = [debt for debt in self._debts if debt.entry_id != reversed_id]
        for lot_id, taken in self._taken.pop(reversed_id, ()):
            self._lots[lot_id].left += taken
        self._pay(movement.unit, movement.at)

    def _pay(self, unit: Unit, at: datetime) -> None:
        """Let what is there pay what is owed, the oldest debt first."""
        for debt in self._debts:
            for lot in self if debt.unit is unit else ():
                if lot.unit is unit and debt.owed and not lot.is_over(at):
                    paid = min(lot.left, debt.owed)
                    lot.left -= paid
                    debt.owed -= paid
                    self._taken[debt.entry_id].append((lot.entry_id, paid))
        self._debts = [debt for debt in self._debts if debt.owed]

"""What a card holds: stamps, points, and cents of cashback; whole numbers only.

Cents are minor units of the shop's currency (``money``): 250 cents are 2.50 euros, and
250 yen in Japan. In the books an entry in stamps names no unit, as every entry did when
there were only stamps, for these are signed (``ledger``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Unit(StrEnum):
    """One kind of unit of a card."""

    STAMP = "stamp"
    POINT = "point"
    CENT = "cent"


#: How many of each; one that is left out is nought.
Sums = Mapping[Unit, int]


def of(kept: str | None) -> Unit:
    """Read a unit as an entry names it."""
    return Unit(kept) if kept else Unit.STAMP


def kept(unit: Unit) -> str | None:
    """Write a unit as an entry names it; stamps are not named."""
    return None if unit is Unit.STAMP else unit.value

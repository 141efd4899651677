"""What a card counts: stamps, points, and money back in minor units of the currency.

Integers only, and each unit for itself: none is ever turned into another.
"""

from __future__ import annotations

from enum import StrEnum


class Unit(StrEnum):
    """A unit of the ledger."""

    STAMP = "stamp"
    POINT = "point"
    #: Minor units of the shop's currency.
    CENT = "cent"

"""Reasons that our own pages give for an undoing.

The books keep what was sent; a reason of ours is kept in English, and told to each
reader in their language. Whatever a person typed is told as it was typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext

#: What the till sends when somebody taps "Undo".
AT_THE_TILL: Final = "Undone at the till"
#: What the console keeps when a manager undoes from a signal.
AFTER_A_SIGNAL: Final = "Undone after a signal"
#: What the till sends when something comes back.
BROUGHT_BACK: Final = "Brought back"
MISTYPED: Final = "Typed wrong"
NOT_GOOD: Final = "Was not good"
_REFUNDS: Final = (BROUGHT_BACK, NOT_GOOD, MISTYPED)
_OURS: Final[Mapping[str, Any]] = {
    BROUGHT_BACK: lazy_gettext("Brought back"),
    NOT_GOOD: lazy_gettext("Was not good"),
    MISTYPED: lazy_gettext("Typed wrong"),
    AT_THE_TILL: lazy_gettext("Undone at the till"),
    AFTER_A_SIGNAL: lazy_gettext("Undone by the shop"),
}


def of_refunds() -> list[tuple[str, str]]:
    """Tell why something may come back: as it is kept, and in the reader's language."""
    return [(reason, told(reason)) for reason in _REFUNDS]


def told(reason: str | None) -> str:
    """Put a kept reason into the reader's language; "" for none."""
    return str(_OURS.get(reason or "", reason or ""))

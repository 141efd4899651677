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
_OURS: Final[Mapping[str, Any]] = {
    AT_THE_TILL: lazy_gettext("Undone at the till"),
    AFTER_A_SIGNAL: lazy_gettext("Undone by the shop"),
}


def told(reason: str | None) -> str:
    """Put a kept reason into the reader's language; "" for none."""
    return str(_OURS.get(reason or "", reason or ""))

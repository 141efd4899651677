"""What a sentence needs beside its catalogue: dates, and names that keep their place.

For whoever speaks without a request: shops and people write in any direction, and
moments are told in the reader's way, by CLDR's skeletons and never by patterns.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, tzinfo
from typing import Final

from babel.dates import format_skeleton

from app.translations import Language

_FIRST_STRONG_ISOLATE: Final = "\N{FIRST STRONG ISOLATE}"
_POP: Final = "\N{POP DIRECTIONAL ISOLATE}"


def isolated(name: object, direction: str) -> str:
    """Keep a name from turning the sentence round it.

    Args:
        name: as a person wrote it; not trusted.
        direction: of the sentence, ``ltr`` or ``rtl``.

    Returns:
        The name between marks that cannot be seen; bare where it could turn nothing,
        that is when all is written from left to right.
    """
    text = str(name)
    turns = any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in text)
    if not turns and direction == "ltr":
        return text
    return f"{_FIRST_STRONG_ISOLATE}{text}{_POP}"


def moment(skeleton: str, at: datetime, zone: tzinfo, language: Language) -> str:
    """Tell a moment.

    Args:
        skeleton: CLDR's: ``Hm`` "14:30", ``MMMd`` "12 Nov", ``yMMMd`` "12 Nov 2026".
        at: aware.
        zone: the shop's.
        language: the reader's.
    """
    return format_skeleton(skeleton, at, tzinfo=zone, locale=language.dates)

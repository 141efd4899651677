"""Names and rewards within sentences: shops and people write in any direction."""

from __future__ import annotations

import unicodedata

from flask_babel import get_locale

_FIRST_STRONG_ISOLATE, _POP = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def isolated(name: object) -> str:
    """Keep a name from turning the sentence round it.

    Args:
        name: as a person wrote it; not trusted.

    Returns:
        The name between marks that cannot be seen; bare where it could turn nothing,
        that is when all is written from left to right.
    """
    text = str(name)
    turns = any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in text)
    page = get_locale()
    if not turns and (page is None or page.text_direction == "ltr"):
        return text
    return f"{_FIRST_STRONG_ISOLATE}{text}{_POP}"

"""Looking for a card by what people know of it: its number, or a name."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import ColumnElement, func, or_

from app.programme.errors import InvalidRequest
from app.programme.words import has_controls
from app.store.tables import Card, Member

_LETTERS, _IDEOGRAPHS = 3, 2
#: Where scripts begin that write a name with two characters.
_FIRST_IDEOGRAPH: Final = "\u2e80"
_NUMBER: Final = re.compile(r"[0-9]{8}")
_LONGEST: Final = 60


def condition(words: str) -> ColumnElement[bool]:
    """Read what was typed as a card's number or as a part of a name.

    Args:
        words: eight digits, or at least three letters of a name (two where a name
            is written with ideographs); spaces do not matter in a number. Not trusted.

    Returns:
        What to ask of cards that are joined with their members.

    Raises:
        InvalidRequest: ``q`` is ``too_short``, ``too_long`` or ``bad_characters``.
    """
    digits = re.sub(r"[\s·.-]", "", words)
    if _NUMBER.fullmatch(digits):
        return Card.number == digits
    name = " ".join(words.split())
    if has_controls(name):
        raise InvalidRequest({"q": "bad_characters"})
    if len(name) > _LONGEST:
        raise InvalidRequest({"q": "too_long"})
    is_short_script = any(letter >= _FIRST_IDEOGRAPH for letter in name)
    letters = sum(letter.isalpha() for letter in name)
    if letters < (_IDEOGRAPHS if is_short_script else _LETTERS):
        raise InvalidRequest({"q": "too_short"})
    # SQLite lowers ASCII only, so "åse" is looked for as "Åse" too.
    spellings = {name, name.lower(), name.title(), name.upper()}
    return or_(
        func.lower(Member.name).contains(name.lower(), autoescape=True),
        *(Member.name.contains(each, autoescape=True) for each in sorted(spellings)),
    )

"""Several things in a row, as each language writes them."""

from __future__ import annotations

from collections.abc import Iterable

from babel.lists import format_list
from flask_babel import get_locale


def of_things(words: Iterable[str]) -> str:
    """Put things in a row: "2 stamps, 35 points"; "" of none.

    Babel knows this style of some languages in part only; their sentences' style
    ("2 stamps and 35 points") is known of all.
    """
    each = list(words)
    if not each:
        return ""
    locale = get_locale()
    try:
        return str(format_list(each, style="unit-short", locale=locale))
    except KeyError:
        return str(format_list(each, style="standard", locale=locale))

"""Money: whole numbers of the minor unit of the shop's one currency.

How many digits stand behind the point is the currency's own (ISO 4217, as CLDR has
it): two for euros and kroner, none for yen. No sum is ever a float.
"""

from __future__ import annotations

import re
from typing import Final

from babel.numbers import get_currency_precision, list_currencies
from sqlalchemy import select

from app.store.database import Tx
from app.store.tables import Shop

DEFAULT_CURRENCY: Final = "EUR"
#: More than any till of ours takes at once, in minor units.
MOST: Final = 100_000_000
_TYPED = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,4}))?")
_GROUPS = re.compile(r"[\s\u00a0\u202f']")


def currency_of(tx: Tx) -> str:
    """Read the shop's currency, as ISO 4217 spells it."""
    return tx.scalar(select(Shop.currency)) or DEFAULT_CURRENCY


def is_currency(text: str) -> bool:
    """Tell whether ISO 4217 has such a code, in capitals."""
    return text in list_currencies()


def digits(currency: str) -> int:
    """Tell how many digits of a sum stand behind the point."""
    return int(get_currency_precision(currency))


def parse(text: str, currency: str) -> int | None:
    """Read a sum as people type it: "3,50", "3.5", "1 250".

    Args:
        text: not trusted; a comma or a point stands before the minor digits, spaces
            and apostrophes may stand between groups.
        currency: as ISO 4217 spells it.

    Returns:
        Minor units, nought to ``MOST``; None for anything else, a sum with more
        digits than the currency has among it.
    """
    read = _TYPED.fullmatch(_GROUPS.sub("", text.strip()))
    places = digits(currency)
    if read is None:
        return None
    whole, minor = read[1], (read[2] or "")
    if len(minor) > places:
        return None
    sum_ = int(whole + minor.ljust(places, "0"))
    return sum_ if sum_ <= MOST else None


def spelled(sum_: int, currency: str) -> str:
    """Write a sum as ``parse`` reads it: "3.50"."""
    places = digits(currency)
    if not places:
        return str(sum_)
    sign, each = ("-" if sum_ < 0 else ""), 10**places
    return f"{sign}{abs(sum_) // each}.{abs(sum_) % each:0{places}}"

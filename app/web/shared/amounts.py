"""Sums of money, as people read them in the page's language."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import format_currency

from app.programme import money


def told(minor: int, currency: str) -> str:
    """Write a sum: "€3.50".

    Args:
        minor: in minor units.
        currency: as ISO 4217 spells it.
    """
    return str(format_currency(Decimal(money.spelled(minor, currency)), currency))

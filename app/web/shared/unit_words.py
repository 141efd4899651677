"""How many of what: units and sums of money, as readers of each language write them."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import format_currency, format_percent, gettext, ngettext

from app.programme import money as sums
from app.programme.plans import offering
from app.programme.units import Unit
from app.web.shared import access
from app.web.shared.names import isolated


def money(minor: int, currency: str) -> str:
    """Tell a sum: "24.80 €".

    Args:
        minor: in minor units.
        currency: as ISO 4217 spells it.
    """
    value = Decimal(minor).scaleb(-sums.digits(currency))
    return isolated(str(format_currency(value, currency)))


def of_shop(minor: int) -> str:
    """Tell a sum in the shop's own currency."""
    return money(minor, offering.currency(access.tools()))


def units(unit: Unit, count: int, currency: str) -> str:
    """Tell a number of units: "120 points", "3 stamps", "24.80 €"."""
    if unit is Unit.CENT:
        return money(count, currency)
    if unit is Unit.POINT:
        return str(ngettext("%(num)s point", "%(num)s points", count))
    return str(ngettext("%(num)s stamp", "%(num)s stamps", count))


def unit_name(unit: Unit) -> str:
    """Name a unit, of many."""
    names = {
        Unit.STAMP: gettext("Stamps"),
        Unit.POINT: gettext("Points"),
        Unit.CENT: gettext("Cashback"),
    }
    return str(names[unit])


def percent(hundredths: int) -> str:
    """Tell a share: "2.5 %".

    Args:
        hundredths: of a percent.
    """
    return str(format_percent(Decimal(hundredths) / 10_000, "#,##0.##%"))

"""What a visit earned by which rule, in the words that a barista says aloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext, ngettext

from app.web.shared import amounts
from app.web.shared.names import isolated


def told(given: Iterable[Mapping[str, Any]], currency: str) -> list[str]:
    """Say each thing that an answer tells of: "2 stamps: Double Tuesday".

    Args:
        given: of an answer: ``unit``, ``units`` and, where it has one, the ``rule``.
        currency: of cents, as ISO 4217 spells it.

    Returns:
        Nothing where all of it are stamps as the barista counted them, which the
        title says.
    """
    each = [one for one in given if one["units"]]
    if all(one["unit"] == "stamp" and not one.get("rule") for one in each):
        return []
    return [_sentence(one, currency) for one in each]


def _sentence(one: Mapping[str, Any], currency: str) -> str:
    what = _what(one["unit"], one["units"], currency)
    rule = one.get("rule")
    if not rule:
        return what
    words = gettext("%(what)s: %(rule)s", what=what, rule=isolated(rule))
    return str(words)


def _what(unit: str, units: int, currency: str) -> str:
    if unit == "cent":
        return str(gettext("%(sum)s back", sum=amounts.told(units, currency)))
    if unit == "point":
        return str(ngettext("%(num)s point", "%(num)s points", units))
    return str(ngettext("%(num)s stamp", "%(num)s stamps", units))

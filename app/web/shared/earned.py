"""What a visit earned, and what a card has, in words that a barista says aloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext, ngettext

from app.web.shared import amounts, lists
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


def of_visit(answer: Mapping[str, Any], currency: str) -> list[str]:
    """Say each thing that a visit gave, what its membership brought back among it."""
    said = told(answer["given"], currency)
    if back := answer.get("cashback"):
        one = {"unit": "cent", "units": back, "rule": gettext("Membership")}
        said.append(_sentence(one, currency))
    return said


def gained(answer: Mapping[str, Any], currency: str) -> str:
    """Add up what a visit gave: "2 stamps, 35 points"; "" where it gave nothing."""
    sums: dict[str, int] = {}
    for one in answer["given"]:
        sums[one["unit"]] = sums.get(one["unit"], 0) + one["units"]
    if back := answer.get("cashback"):
        sums["cent"] = sums.get("cent", 0) + back
    return _listed(sums, currency)


def holds(card: Mapping[str, Any], currency: str) -> str:
    """Tell what is on a card beside stamps; "" where nothing is."""
    there = {unit: left for unit, left in card["balances"].items() if left > 0}
    return _listed(there, currency, is_back=False)


def owes(card: Mapping[str, Any], currency: str) -> str:
    """Tell what a card is short of since something came back; "" where it is not."""
    sums = {"stamp": card["stamps"], **card["balances"]}
    short = {unit: -left for unit, left in sums.items() if left < 0}
    return _listed(short, currency, is_back=False)


def _listed(sums: Mapping[str, int], currency: str, *, is_back: bool = True) -> str:
    each = [
        amounts.told(count, currency)
        if unit == "cent" and not is_back
        else _what(unit, count, currency)
        for unit, count in sums.items()
        if count
    ]
    return lists.of_things(each)


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

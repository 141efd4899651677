"""How a rule's version is written in the books, and read again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from app.programme.earning.rules import Act, Caps, Figures, Rule, RuleKind
from app.programme.earning.windows import Window
from app.programme.units import Unit
from app.store.tables import EarningRule, EarningRuleVersion

_CAPS = tuple(Caps.__slots__)


def terms_of(rule: Rule) -> dict[str, Any]:
    """Write all that a rule says but its kind, unit and name; defaults are left out."""
    figures = rule.figures
    told: dict[str, Any] = {
        "units": figures.units,
        "per": figures.per,
        "each": figures.each,
        "items": sorted(item.hex for item in figures.items),
        "categories": sorted(figures.categories),
        "least": figures.least,
        "percent": figures.percent,
        "act": figures.act.value if figures.act else None,
        "friend_units": figures.friend_units,
        "windows": [_window_told(window) for window in rule.windows],
        "first_day": _day_told(rule.first_day),
        "last_day": _day_told(rule.last_day),
        "places": sorted(place.hex for place in rule.places),
        "caps": {name: getattr(rule.caps, name) for name in _CAPS},
        "budget": rule.budget,
        "life_days": rule.life_days,
    }
    told["caps"] = {name: most for name, most in told["caps"].items() if most}
    return {name: said for name, said in told.items() if said not in (None, [], {})}


def rule_of(rule: EarningRule, row: EarningRuleVersion) -> Rule:
    """Read a version of a rule."""
    terms = row.terms
    act = terms.get("act")
    return Rule(
        rule_id=rule.rule_id,
        version=row.version,
        version_id=row.version_id,
        programme_id=rule.programme_id,
        kind=RuleKind(row.kind),
        unit=Unit(row.unit),
        figures=Figures(
            units=terms.get("units", 0),
            per=terms.get("per", 1),
            each=terms.get("each", False),
            items=frozenset(UUID(item) for item in terms.get("items", ())),
            categories=frozenset(terms.get("categories", ())),
            least=terms.get("least", 0),
            percent=terms.get("percent", 100),
            act=Act(act) if act else None,
            friend_units=terms.get("friend_units", 0),
        ),
        name=row.name,
        windows=tuple(_window(told) for told in terms.get("windows", ())),
        first_day=_day(terms.get("first_day")),
        last_day=_day(terms.get("last_day")),
        places=frozenset(UUID(place) for place in terms.get("places", ())),
        caps=Caps(**terms.get("caps", {})),
        budget=terms.get("budget"),
        life_days=terms.get("life_days"),
    )


def _window_told(window: Window) -> dict[str, Any]:
    return {
        "days": window.days,
        "opens": window.opens,
        "closes": window.closes,
        "first_day": _day_told(window.first_day),
        "last_day": _day_told(window.last_day),
    }


def _window(told: Mapping[str, Any]) -> Window:
    return Window(
        told["days"],
        told["opens"],
        told["closes"],
        _day(told.get("first_day")),
        _day(told.get("last_day")),
    )


def _day_told(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(told: str | None) -> date | None:
    return date.fromisoformat(told) if told else None

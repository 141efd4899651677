"""A rule as somebody types it in a form, read and checked; or refused, at the field.

Pure. Every field comes as text, what was left empty as "", and is not trusted. Windows
are asked as people say them: days of the week, every week or the first of the month,
from when to when.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar
from uuid import UUID, uuid4

from app.programme import expiry, hours
from app.programme.earning import windows
from app.programme.earning.rules import Act, Caps, Figures, Rule, RuleKind
from app.programme.earning.windows import Window
from app.programme.errors import InvalidRequest
from app.programme.units import Unit
from app.programme.words import clean_name

#: Units that a rule may give at once: what nobody means is refused.
MOST: Final[Mapping[Unit, int]] = {
    Unit.STAMP: 50,
    Unit.POINT: 100_000,
    Unit.CENT: 1_000_000,
}
#: Units of caps and budgets, and minor units of amounts.
MOST_IN_ALL: Final = 1_000_000_000
MOST_PERCENT: Final = 1000
#: Percent of an amount that a rule may pay back.
MOST_BACK: Final = 50
#: Which weeks, as the form says it; how a recurrence says it.
WEEKS: Final = ("every", "second", "first", "last")
KINDS_WITH_UNITS: Final = frozenset(RuleKind) - {RuleKind.TIMES}
_Kind = TypeVar("_Kind", RuleKind, Unit, Act)
_CAPS: Final = ("sale", "day", "month", "year", "member")
_DECIMAL: Final = re.compile(r"(\d{1,4})(?:[.,](\d{1,2}))?")
_WHOLE: Final = re.compile(r"\d{1,10}")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form says."""

    fields: Mapping[str, str]
    days: Collection[int] = ()
    items: Collection[UUID] = ()
    categories: Collection[str] = ()
    places: Collection[UUID] = ()


@dataclass(slots=True)
class _Reading:
    """A form while it is read, and what is wrong with it so far."""

    typed: Typed
    #: Digits of money behind the point.
    digits: int
    wrong: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.typed.fields.get(name, "").strip()

    def whole(self, name: str, most: int, *, needed: bool = False) -> int | None:
        """Read 1 to ``most``; None for what was left empty, or is wrong."""
        text = self.text(name)
        if not text:
            if needed:
                self.wrong[name] = "missing"
            return None
        found = int(text) if _WHOLE.fullmatch(text) and text.isascii() else 0
        if not 1 <= found <= most:
            self.wrong[name] = "out_of_range"
            return None
        return found

    def money(self, name: str, *, needed: bool = False) -> int | None:
        """Read a sum in minor units, above nought."""
        text = self.text(name)
        if not text:
            if needed:
                self.wrong[name] = "missing"
            return None
        found = decimal(text, self.digits)
        if found is None or not 0 < found <= MOST_IN_ALL:
            self.wrong[name] = "not_an_amount"
            return None
        return found

    def day(self, name: str) -> date | None:
        try:
            return date.fromisoformat(self.text(name)) if self.text(name) else None
        except ValueError:
            self.wrong[name] = "not_a_day"
            return None


def rule_of(typed: Typed, *, programme_id: UUID, digits: int, today: date) -> Rule:
    """Read a form as a rule.

    Args:
        typed: the form.
        programme_id: whose rule.
        digits: of money behind the point.
        today: the shop's; a rule that is over already is refused.

    Returns:
        The rule with ids of nothing yet, version 0.

    Raises:
        InvalidRequest: for each field that makes no sense a word for why.
    """
    reading = _Reading(typed, digits)
    kind = _one_of(reading, "kind", RuleKind)
    unit = _one_of(reading, "unit", Unit)
    if kind is None or unit is None:
        raise InvalidRequest(reading.wrong)
    name = reading.text("name")
    if name:
        name = clean_name(name, reading.wrong)
    rule = Rule(
        rule_id=uuid4(),
        version=0,
        version_id=uuid4(),
        programme_id=programme_id,
        kind=kind,
        unit=unit,
        figures=_figures(reading, kind, unit),
        name=name,
        windows=_windows(reading),
        first_day=reading.day("first_day"),
        last_day=reading.day("last_day"),
        places=frozenset(typed.places),
        caps=Caps(**{cap: reading.whole(f"cap_{cap}", MOST_IN_ALL) for cap in _CAPS}),
        budget=reading.whole("budget", MOST_IN_ALL),
        life_days=reading.whole("life_days", expiry.DAYS[-1]),
    )
    _must_agree(rule, today, reading.wrong)
    if reading.wrong:
        raise InvalidRequest(reading.wrong)
    return rule


def decimal(text: str, digits: int) -> int | None:
    """Read "3,50" as 350 where two digits stand behind the point; None: it is none."""
    found = re.fullmatch(r"(\d{1,9})(?:[.,](\d{1,4}))?", text.strip(), re.ASCII)
    if found is None or len(found[2] or "") > digits:
        return None
    return int(found[1] + (found[2] or "").ljust(digits, "0"))


def contradictions(rule: Rule, others: Sequence[Rule]) -> dict[str, str]:
    """Tell what a rule and the others of its programme do not agree in, by field."""
    if rule.kind is RuleKind.TIMES:
        bases = {other.unit for other in others if other.kind in _GIVING}
        # Without such a rule the barista's stamps are what is multiplied.
        if rule.unit not in (bases or {Unit.STAMP}):
            return {"unit": "nothing_to_multiply"}
    same = [
        other
        for other in others
        if other.rule_id != rule.rule_id
        and other.kind is rule.kind
        and other.figures.act is rule.figures.act
    ]
    if rule.kind in _ONLY_ONE and same:
        return {"act" if rule.kind is RuleKind.ACT else "kind": "there_is_one"}
    return {}


_GIVING: Final = frozenset({RuleKind.VISIT, RuleKind.ITEM, RuleKind.AMOUNT})
_ONLY_ONE: Final = frozenset(
    {RuleKind.ACT, RuleKind.SIGNUP, RuleKind.BIRTHDAY, RuleKind.REFERRAL}
)


def _one_of(reading: _Reading, name: str, kinds: type[_Kind]) -> _Kind | None:
    try:
        return kinds(reading.text(name))
    except ValueError:
        reading.wrong[name] = "missing"
        return None


def _figures(reading: _Reading, kind: RuleKind, unit: Unit) -> Figures:
    least = reading.money("least") or 0
    if kind is RuleKind.TIMES:
        return Figures(percent=_percent(reading), least=least)
    if kind is RuleKind.AMOUNT and unit is Unit.CENT:
        units, per = _back(reading)
        return Figures(units=units, per=per, least=least)
    units = _units(reading, "units", unit) or 0
    if kind is RuleKind.AMOUNT:
        per = reading.money("per", needed=True) or 1
        return Figures(units=units, per=per, least=least)
    if kind is RuleKind.ITEM:
        return _item_figures(reading, units)
    act = _one_of(reading, "act", Act) if kind is RuleKind.ACT else None
    friend = _units(reading, "friend_units", unit) if kind is RuleKind.REFERRAL else 0
    return Figures(
        units=units,
        each=kind is RuleKind.VISIT and bool(reading.text("each")),
        least=least if kind is RuleKind.VISIT else 0,
        act=act,
        friend_units=friend or 0,
    )


def _units(reading: _Reading, name: str, unit: Unit) -> int | None:
    """Read how many units: as money where they are money."""
    if unit is not Unit.CENT:
        return reading.whole(name, MOST[unit], needed=True)
    found = reading.money(name, needed=True)
    if found is not None and found > MOST[unit]:
        reading.wrong[name] = "out_of_range"
    return found


def _item_figures(reading: _Reading, units: int) -> Figures:
    items = frozenset(reading.typed.items)
    categories = frozenset(filter(None, reading.typed.categories))
    if not items and not categories:
        reading.wrong["items"] = "missing"
    per = reading.whole("pieces", 1000) or 1
    return Figures(units=units, per=per, items=items, categories=categories)


def _percent(reading: _Reading) -> int:
    """Read "2" times, or "1.5", as a percentage."""
    text = reading.text("times")
    found = _DECIMAL.fullmatch(text)
    percent = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
    if not text:
        reading.wrong["times"] = "missing"
    elif not 100 < percent <= MOST_PERCENT:  # noqa: PLR2004
        reading.wrong["times"] = "out_of_range"
    return percent


def _back(reading: _Reading) -> tuple[int, int]:
    """Read a percentage that is paid back, as units for so many minor units."""
    text = reading.text("back")
    found = _DECIMAL.fullmatch(text)
    hundredths = (
        int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
    )
    if not text:
        reading.wrong["back"] = "missing"
    elif not 0 < hundredths <= MOST_BACK * 100:
        reading.wrong["back"] = "out_of_range"
    return (hundredths // 100, 100) if hundredths % 100 == 0 else (hundredths, 10_000)


def _windows(reading: _Reading) -> tuple[Window, ...]:
    days = tuple(sorted(set(reading.typed.days)))
    opens, closes = reading.text("opens"), reading.text("closes")
    if not days and not opens and not closes:
        return ()
    times = (0, windows.MINUTES_OF_DAY)
    if opens or closes:
        wrong: dict[str, str] = {}
        read = hours.typed([(opens, closes)], wrong)
        if wrong or read is None or read.days[0] is None:
            reading.wrong["opens"] = "not_a_time"
            return ()
        times = read.days[0]
    weeks = reading.text("weeks") or "every"
    if weeks not in WEEKS or (weeks != "every" and not days):
        reading.wrong["weeks"] = "days_missing"
        return ()
    return (
        Window(_recurrence(weeks, days), *times, first_day=_anchor(reading, weeks)),
    )


def _anchor(reading: _Reading, weeks: str) -> date | None:
    """Every second week is counted from the rule's first day, if it has one."""
    return reading.day("first_day") if weeks == "second" else None


def _recurrence(weeks: str, days: tuple[int, ...]) -> str:
    names = [windows.DAYS[day] for day in days]
    if weeks == "second":
        return "FREQ=WEEKLY;INTERVAL=2;BYDAY=" + ",".join(names)
    if weeks in {"first", "last"}:
        nth = "1" if weeks == "first" else "-1"
        return "FREQ=MONTHLY;BYDAY=" + ",".join(f"{nth}{name}" for name in names)
    return windows.weekly(days)


def _must_agree(rule: Rule, today: date, wrong: dict[str, str]) -> None:
    """Find figures that contradict each other."""
    if rule.first_day and rule.last_day and rule.last_day < rule.first_day:
        wrong.setdefault("last_day", "before_start")
    elif rule.last_day and rule.last_day < today:
        wrong.setdefault("last_day", "over")
    once = max(rule.figures.units, rule.figures.friend_units)
    bounds = {
        **{f"cap_{name}": getattr(rule.caps, name) for name in _CAPS},
        "budget": rule.budget,
    }
    per_sale = rule.kind not in {RuleKind.AMOUNT, RuleKind.TIMES}
    narrower = 0
    for name, most in bounds.items():
        if most is None:
            continue
        if per_sale and most < once:
            wrong.setdefault(name, "less_than_once")
        elif most < narrower:
            wrong.setdefault(name, "less_than_shorter")
        narrower = max(narrower, most)

"""What a shop gives for what, in the sentence that customers read.

The same words stand on the member's page, in the console and beside each entry. What
one rule says is one main part, and parts that narrow it, with commas between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from babel.dates import get_day_names
from babel.lists import format_list
from flask_babel import (
    format_currency,
    format_date,
    format_decimal,
    get_locale,
    gettext,
    lazy_gettext,
    ngettext,
)

from app.programme import hours, money
from app.programme.earning.rules import Act, Cut, Figures, Rule, RuleKind
from app.programme.earning.windows import MINUTES_OF_DAY, Window, weekdays_of
from app.programme.units import Unit
from app.web.shared.names import isolated

_ACTS: Final[Mapping[Act, Any]] = {
    Act.NEWSLETTER: lazy_gettext("%(what)s for getting our news by mail"),
    Act.REVIEW: lazy_gettext("%(what)s for writing a review"),
    Act.SURVEY: lazy_gettext("%(what)s for answering our questions"),
    Act.PROFILE: lazy_gettext("%(what)s for filling in your account"),
    Act.SOCIAL: lazy_gettext("%(what)s for following us"),
}
_CUTS: Final[Mapping[Cut, Any]] = {
    Cut.SALE: lazy_gettext("The most for one purchase is reached."),
    Cut.DAY: lazy_gettext("The most for one day is reached."),
    Cut.MONTH: lazy_gettext("The most for this month is reached."),
    Cut.YEAR: lazy_gettext("The most for this year is reached."),
    Cut.MEMBER: lazy_gettext("The most for one member is reached."),
    Cut.BUDGET: lazy_gettext("What the shop gives for this is used up."),
}
_CAPS: Final[Mapping[str, Any]] = {
    "sale": lazy_gettext("at most %(what)s for one purchase"),
    "day": lazy_gettext("at most %(what)s a day"),
    "month": lazy_gettext("at most %(what)s a month"),
    "year": lazy_gettext("at most %(what)s a year"),
    "member": lazy_gettext("at most %(what)s in all"),
}


def sum_of(cents: int, currency: str) -> str:
    """Write a sum of money: "3.50 €"."""
    # For the reader's eye alone: what is counted stays whole.
    return str(format_currency(cents / 10 ** money.digits(currency), currency))


def units(number: int, unit: Unit, currency: str) -> str:
    """Say how many of a unit: "2 stamps"; of money, the sum."""
    if unit is Unit.CENT:
        return sum_of(number, currency)
    if unit is Unit.POINT:
        return str(ngettext("%(num)s point", "%(num)s points", number))
    return str(ngettext("%(num)s stamp", "%(num)s stamps", number))


def sentence(
    rule: Rule,
    currency: str,
    *,
    items: Mapping[UUID, str] | None = None,
    places: Mapping[UUID, str] | None = None,
) -> str:
    """Say a rule in one sentence.

    Args:
        rule: the rule.
        currency: the shop's.
        items: names of the items that rules name.
        places: names of the shop's locations.
    """
    main = _MAIN[rule.kind](rule, currency, items or {})
    parts = [
        *[_when(window) for window in rule.windows],
        *_days(rule.first_day, rule.last_day),
        *_where(rule, places or {}),
        *_bounds(rule, currency),
    ]
    return ", ".join([main, *(part for part in parts if part)])


def cut(word: str) -> str:
    """Say why a rule gave less, or nothing."""
    return str(_CUTS[Cut(word)])


def _visit(rule: Rule, currency: str, _items: Mapping[UUID, str]) -> str:
    what = units(rule.figures.units, rule.unit, currency)
    if rule.figures.each:
        return str(gettext("%(what)s for each one the barista counts", what=what))
    return str(gettext("%(what)s for each visit", what=what))


def _item(rule: Rule, currency: str, items: Mapping[UUID, str]) -> str:
    figures = rule.figures
    names = sorted(items.get(item, "?") for item in figures.items)
    names += sorted(figures.categories)
    words = _any_of([isolated(name) for name in names])
    what = units(figures.units, rule.unit, currency)
    if figures.per == 1:
        return str(gettext("%(what)s for each of: %(items)s", what=what, items=words))
    return str(
        gettext(
            "%(what)s for every %(number)s of: %(items)s",
            what=what,
            number=figures.per,
            items=words,
        )
    )


def _amount(rule: Rule, currency: str, _items: Mapping[UUID, str]) -> str:
    figures = rule.figures
    if rule.unit is Unit.CENT:
        share = format_decimal(figures.units * 100 / figures.per)
        return str(gettext("%(share)s %% of what you pay comes back", share=share))
    return str(
        gettext(
            "%(what)s for every %(sum)s",
            what=units(figures.units, rule.unit, currency),
            sum=sum_of(figures.per, currency),
        )
    )


def _times(rule: Rule, _currency: str, _items: Mapping[UUID, str]) -> str:
    percent = rule.figures.percent
    number = format_decimal(percent / 100)
    if rule.unit is Unit.STAMP:
        double, more = gettext("Double stamps"), gettext("%(number)s times the stamps")
    elif rule.unit is Unit.POINT:
        double, more = gettext("Double points"), gettext("%(number)s times the points")
    else:
        double = gettext("Double money back")
        more = gettext("%(number)s times the money back")
    is_double = percent == 200  # noqa: PLR2004
    return str(double if is_double else more % {"number": number})


def _act(rule: Rule, currency: str, _items: Mapping[UUID, str]) -> str:
    words = _ACTS[rule.figures.act or Act.REVIEW]
    return str(words) % {"what": units(rule.figures.units, rule.unit, currency)}


def _signup(rule: Rule, currency: str, _items: Mapping[UUID, str]) -> str:
    what = units(rule.figures.units, rule.unit, currency)
    return str(gettext("%(what)s more with your first visit", what=what))


def _birthday(rule: Rule, currency: str, _items: Mapping[UUID, str]) -> str:
    what = units(rule.figures.units, rule.unit, currency)
    return str(gettext("%(what)s on your birthday", what=what))


def _referral(rule: Rule, currency: str, _items: Mapping[UUID, str]) -> str:
    figures: Figures = rule.figures
    return str(
        gettext(
            "%(what)s for a friend whom you invite, and %(friend)s for the friend, "
            "after the second day on which the friend was here",
            what=units(figures.units, rule.unit, currency),
            friend=units(figures.friend_units, rule.unit, currency),
        )
    )


_MAIN: Final[Mapping[RuleKind, Callable[[Rule, str, Mapping[UUID, str]], str]]] = {
    RuleKind.VISIT: _visit,
    RuleKind.ITEM: _item,
    RuleKind.AMOUNT: _amount,
    RuleKind.TIMES: _times,
    RuleKind.ACT: _act,
    RuleKind.SIGNUP: _signup,
    RuleKind.BIRTHDAY: _birthday,
    RuleKind.REFERRAL: _referral,
}


def _when(window: Window) -> str:
    """Say on which days and at which hours."""
    said = []
    names = get_day_names("wide", context="stand-alone", locale=get_locale())
    days, nth = _read(window.days)
    if nth or len(days) < 7:  # noqa: PLR2004
        listed = _and([names[day] for day in days])
        words = {
            "": gettext("on %(days)s"),
            "2": gettext("every second week on %(days)s"),
            "1": gettext("on the first %(days)s of the month"),
            "-1": gettext("on the last %(days)s of the month"),
        }
        said.append(words[nth] % {"days": listed})
    if (window.opens, window.closes) != (0, MINUTES_OF_DAY):
        said.append(
            gettext(
                "from %(start)s to %(end)s",
                start=hours.told(window.opens),
                end=hours.told(window.closes),
            )
        )
    return ", ".join(said)


def _read(days: str) -> tuple[tuple[int, ...], str]:
    """Read the days of a recurrence, and which of a month or second week."""
    plain = weekdays_of(days)
    if plain is not None:
        return plain, ""
    names = days.rpartition("BYDAY=")[2].split(",")
    nth = "2" if "INTERVAL=2" in days else names[0][:-2]
    weekly = "FREQ=WEEKLY;BYDAY=" + ",".join(name[-2:] for name in names)
    return weekdays_of(weekly) or (), nth


def _days(first: date | None, last: date | None) -> list[str]:
    said = []
    if first is not None:
        said.append(str(gettext("from %(day)s on", day=format_date(first, "long"))))
    if last is not None:
        said.append(str(gettext("until %(day)s", day=format_date(last, "long"))))
    return said


def _where(rule: Rule, places: Mapping[UUID, str]) -> list[str]:
    names = [isolated(places.get(place, "?")) for place in rule.places]
    if not names:
        return []
    return [str(gettext("at %(places)s", places=_any_of(sorted(names))))]


def _bounds(rule: Rule, currency: str) -> list[str]:
    said = []
    if rule.figures.least:
        least = sum_of(rule.figures.least, currency)
        said.append(str(gettext("for purchases of %(sum)s and more", sum=least)))
    for name, words in _CAPS.items():
        most = getattr(rule.caps, name)
        if most is not None:
            said.append(str(words) % {"what": units(most, rule.unit, currency)})
    if rule.life_days is not None:
        said.append(
            str(
                ngettext(
                    "good for %(num)s day", "good for %(num)s days", rule.life_days
                )
            )
        )
    return said


def _and(words: list[str]) -> str:
    return str(format_list(words, "standard", locale=get_locale()))


def _any_of(words: list[str]) -> str:
    return str(format_list(words, "or", locale=get_locale()))

"""Tiers in the words that customers read, and the console shows beside its forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask_babel import gettext, ngettext

from app.programme.tiers import CardTier, Rules, TierView
from app.programme.tiers.ladder import Standing
from app.web.shared import moments, unit_words
from app.web.shared.names import isolated

#: How long the bar is drawn, in its own units.
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One tier of the ladder, for a list of them."""

    tier_id: UUID
    name: str
    colour: str
    #: How one comes to it.
    way: str
    benefits: tuple[str, ...]
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A card's tier as its page tells it; a sentence is "" where there is none."""

    #: "" with no tier yet.
    name: str
    colour: str
    benefits: tuple[str, ...]
    #: What is short for the next, and until when this one is held.
    next: str
    keep: str
    in_grace: bool
    #: How far the way to the next tier is gone, 0 to 100; None: there is none.
    gone: int | None
    steps: tuple[Step, ...]


def shown(found: CardTier) -> Shown:
    """Tell a card's tier.

    Args:
        found: as the programme tells it.
    """
    now, rules = found.standing, found.rules
    bar = now.counted + now.missing
    return Shown(
        name=found.tier.name if found.tier else "",
        colour=found.tier.colour if found.tier else "",
        benefits=benefits(found.tier, rules) if found.tier else (),
        next=_next(found),
        keep=_keep(now, rules) if found.tier else "",
        in_grace=now.in_grace,
        gone=min(_WHOLE, now.counted * _WHOLE // bar) if found.next and bar else None,
        steps=tuple(step(one, rules, is_mine=one == found.tier) for one in rules.tiers),
    )


def step(tier: TierView, rules: Rules, *, is_mine: bool = False) -> Step:
    """Tell one tier of a ladder."""
    return Step(
        tier.tier_id,
        tier.name,
        tier.colour,
        way_in(tier, rules),
        benefits(tier, rules),
        is_mine,
    )


def way_in(tier: TierView, rules: Rules) -> str:
    """Say how one comes to a tier: "300 points within 12 months"."""
    if tier.units is None:
        return str(gettext("By invitation"))
    said = within(rules, unit_words.units(rules.unit, tier.units, rules.currency))
    if tier.by_invitation:
        said = str(gettext("%(way)s, or by invitation", way=said))
    if tier.next_from is None:
        return said
    day = _day(tier.next_from)
    if tier.next_units is None:
        last = gettext("From %(day)s by invitation alone", day=day)
        return f"{said}. {last}"
    more = unit_words.units(rules.unit, tier.next_units, rules.currency)
    then = gettext("From %(day)s: %(units)s", day=day, units=more)
    return f"{said}. {then}"


def within(rules: Rules, units: str) -> str:
    """Say in which time units count together."""
    if rules.window_months is None:
        return str(gettext("%(units)s within a calendar year", units=units))
    words = ngettext(
        "%(units)s within a month",
        "%(units)s within %(num)s months",
        rules.window_months,
        units=units,
    )
    return str(words)


def benefits(tier: TierView, rules: Rules) -> tuple[str, ...]:
    """Tell what a tier gives, the shop's own words last."""
    found = []
    if tier.boost_percent:
        more = unit_words.percent(tier.boost_percent * 100)
        found.append(gettext("%(percent)s more on all you earn", percent=more))
    if tier.birthday_units:
        extra = unit_words.units(rules.unit, tier.birthday_units, rules.currency)
        found.append(gettext("%(units)s extra on your birthday", units=extra))
    return (*map(str, found), *tier.benefits)


def _next(found: CardTier) -> str:
    if found.next is None:
        return ""
    rules = found.rules
    missing = unit_words.units(rules.unit, found.standing.missing, rules.currency)
    return str(
        gettext(
            "%(units)s more until %(tier)s",
            units=missing,
            tier=isolated(found.next.name),
        )
    )


def _keep(now: Standing, rules: Rules) -> str:
    if now.until is None or now.ends is None:
        return ""
    day = _day(now.ends if now.in_grace else now.until)
    if now.keep is None:
        return str(gettext("Yours until %(day)s.", day=day))
    short = unit_words.units(rules.unit, now.keep, rules.currency)
    if now.in_grace:
        return str(
            gettext(
                "Its time is over. With %(units)s more by %(day)s you keep it.",
                units=short,
                day=day,
            )
        )
    return str(
        gettext(
            "Yours until %(day)s. With %(units)s more by then you keep it.",
            units=short,
            day=day,
        )
    )


def _day(day: date) -> str:
    return moments.calendar_day(day)

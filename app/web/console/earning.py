"""How customers earn: rules as the sentences they read, made and tried before."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext, lazy_gettext

from app.programme import hours, money, shop
from app.programme.earning import desk, drafts, trial
from app.programme.earning.drafts import Typed
from app.programme.earning.rules import Act, Occasion, Rule, RuleKind
from app.programme.earning.windows import MINUTES_OF_DAY, weekdays_of
from app.programme.errors import InvalidRequest, NotFound
from app.programme.units import Unit
from app.web.console.programme import preview, typed_day
from app.web.console.room import bp, form_values, id_or_none, sentences
from app.web.console.which import chosen_programme
from app.web.shared import access, moments, rule_words

KINDS: Final = {
    RuleKind.VISIT: lazy_gettext("A visit"),
    RuleKind.ITEM: lazy_gettext("Items"),
    RuleKind.AMOUNT: lazy_gettext("What is paid"),
    RuleKind.TIMES: lazy_gettext("Double and more"),
    RuleKind.ACT: lazy_gettext("Something done for the shop"),
    RuleKind.SIGNUP: lazy_gettext("Joining"),
    RuleKind.BIRTHDAY: lazy_gettext("Birthday"),
    RuleKind.REFERRAL: lazy_gettext("An invited friend"),
}
UNITS: Final = {
    Unit.STAMP: lazy_gettext("Stamps"),
    Unit.POINT: lazy_gettext("Points"),
    Unit.CENT: lazy_gettext("Money back"),
}
ACTS: Final = {
    Act.NEWSLETTER: lazy_gettext("Gets the news by mail"),
    Act.REVIEW: lazy_gettext("Writes a review"),
    Act.SURVEY: lazy_gettext("Answers questions"),
    Act.PROFILE: lazy_gettext("Fills in the account"),
    Act.SOCIAL: lazy_gettext("Follows the shop"),
}
_WRONG: Final = {
    "out_of_range": lazy_gettext("That is too little or too much."),
    "not_an_amount": lazy_gettext("A sum above nought."),
    "not_a_day": lazy_gettext("That is no day."),
    "not_a_time": lazy_gettext("Two times of day, such as 14:00 and 16:00."),
    "days_missing": lazy_gettext("Choose days of the week too."),
    "before_start": lazy_gettext("The end is before the start."),
    "over": lazy_gettext("That day is over."),
    "less_than_once": lazy_gettext("Less than the rule gives at once."),
    "less_than_shorter": lazy_gettext("Less than a narrower limit allows."),
    "nothing_to_multiply": lazy_gettext(
        "No rule gives this, so there is no more of it."
    ),
    "there_is_one": lazy_gettext("There is such a rule already. Change that one."),
}
#: What a made-up purchase comes to, in whole units of the currency.
_TRIED: Final = 10


@bp.get("/console/earning")
def earning() -> ResponseReturnValue:
    """Show every rule as its sentence."""
    shown = chosen_programme()
    if shown is None:
        return redirect(url_for("console.programme"))
    tools = access.tools()
    currency = shop.currency(tools)
    rows = [
        (view, _said(view.rule), rule_words.units(view.given, view.rule.unit, currency))
        for view in desk.rules(tools, shown.programme_id)
    ]
    return render_template(
        "console/earning.html", rows=rows, kinds=KINDS, begins=moments.day_in_full
    )


@bp.route("/console/earning/new/<kind>", methods=["GET", "POST"])
def new_earning(kind: str) -> ResponseReturnValue:
    """Make a rule."""
    if kind not in set(RuleKind):
        raise NotFound
    return _page(RuleKind(kind), None)


@bp.route("/console/earning/<uuid:rule_id>", methods=["GET", "POST"])
def change_earning(rule_id: UUID) -> ResponseReturnValue:
    """Change a rule, for what is earned from then on."""
    view = desk.rule(access.tools(), rule_id)
    return _page(view.rule.kind, view.rule)


@bp.post("/console/earning/<uuid:rule_id>/switch")
def switch_earning(rule_id: UUID) -> ResponseReturnValue:
    """Stop a rule, or let it give again."""
    is_on = request.form.get("is_on") == "1"
    try:
        desk.switch(access.tools(), rule_id, is_on=is_on, by=access.console())
        flash(gettext("Saved."))
    except InvalidRequest as error:
        flash(next(iter(_wrong(error).values())))
    return redirect(url_for("console.earning"), 303)


def _page(kind: RuleKind, known: Rule | None) -> ResponseReturnValue:
    shown = chosen_programme()
    if shown is None:
        raise NotFound
    tools = access.tools()
    digits = money.digits(shop.currency(tools))
    form = _values(known, digits) if known else {"unit": Unit.STAMP.value}
    facts: dict[str, Any] = {
        "wrong": {}, "kind": kind, "rule": known, "said": None, "status": 200,
    }  # fmt: skip
    if request.method == "POST":
        form = form_values()
        try:
            draft = drafts.rule_of(
                _typed(kind),
                programme_id=known.programme_id if known else shown.programme_id,
                digits=digits,
                today=tools.now().date(),
            )
            begins_at = _begins_at()
            if request.form.get("do") == "save":
                return _saved(draft, known, begins_at)
            facts |= _looked_at(draft, known)
        except InvalidRequest as error:
            facts |= {"wrong": _wrong(error), "status": 422}
    status = facts.pop("status")
    page = render_template(
        "console/earning_rule.html",
        form=form,
        chosen=request.form.getlist("days") or form.get("days", ""),
        chosen_items=request.form.getlist("items") or form.get("items", ""),
        chosen_places=request.form.getlist("places") or form.get("places", ""),
        chosen_categories=request.form.getlist("categories")
        or form.get("categories", ""),
        sentences=[facts["said"]] if facts["said"] else [_said(known)] if known else [],
        **preview(shown),
        **facts,
        **_choices(kind),
    )
    return page, status


def _saved(
    draft: Rule, known: Rule | None, begins_at: datetime | None
) -> ResponseReturnValue:
    """Keep a rule, and go back to the list."""
    desk.save(
        access.tools(),
        draft,
        by=access.console(),
        rule_id=known.rule_id if known else None,
        takes_effect_at=begins_at,
    )
    if begins_at is None:
        flash(gettext("Saved."))
    else:
        day = moments.day_in_full(begins_at)
        flash(gettext("Saved. Customers read that it changes on %(day)s.", day=day))
    return redirect(url_for("console.earning"), 303)


def _begins_at() -> datetime | None:
    """Read from which day on a change counts; None: at once.

    Raises:
        InvalidRequest: ``begins`` is no day, or over.
    """
    tools = access.tools()
    day, zone = typed_day("begins"), ZoneInfo(shop.shop(tools).timezone)
    if day is None:
        return None
    if day < tools.now().astimezone(zone).date():
        raise InvalidRequest({"begins": "over"})
    return max(datetime.combine(day, time(), zone).astimezone(UTC), tools.now())


def _choices(kind: RuleKind) -> dict[str, Any]:
    names = get_day_names("wide", context="stand-alone", locale=get_locale())
    tools = access.tools()
    items = shop.items(tools) if kind is RuleKind.ITEM else ()
    places = shop.locations(tools)
    return {
        "title": KINDS[kind],
        "units": [(unit.value, name) for unit, name in UNITS.items()],
        "acts": [(act.value, name) for act, name in ACTS.items()],
        "days": [(str(day), names[day]) for day in range(7)],
        "items": [(str(item.item_id), item.name) for item in items],
        "categories": sorted({item.category for item in items if item.category}),
        # With one place there is nothing to choose.
        "places": [(str(place.location_id), place.name) for place in places]
        if len(places) > 1
        else [],
        "weeks": [
            ("every", gettext("Every week")),
            ("second", gettext("Every second week")),
            ("first", gettext("The first of the month")),
            ("last", gettext("The last of the month")),
        ],
    }


def _looked_at(draft: Rule, known: Rule | None) -> dict[str, Any]:
    """Say what a draft would do: its sentence, one purchase, three months."""
    tools = access.tools()
    currency = shop.currency(tools)
    others = desk.in_effect(tools, draft.programme_id)
    if known is not None:
        others = tuple(rule for rule in others if rule.rule_id != known.rule_id)
    occasion = Occasion(
        RuleKind.VISIT,
        tools.now(),
        ZoneInfo(shop.shop(tools).timezone),
        amount=_TRIED * 10 ** money.digits(currency),
    )
    tried = trial.purchase(others, draft, occasion)
    found = trial.simulate(tools, draft, others)
    return {
        "said": _said(draft),
        "tried_for": rule_words.sum_of(occasion.total, currency),
        "tried": [
            rule_words.units(award.units, award.unit, currency)
            + (f": {_said(award.rule)}" if award.rule else "")
            for award in tried
        ],
        "found": found,
        "cost": rule_words.units(found.units, draft.unit, currency),
        "cost_sum": _cost(found.units, draft.unit, currency),
    }


def _cost(units: int, unit: Unit, currency: str) -> str:
    """Say what units come to by what one costs, as typed; "" where nothing is.

    Raises:
        InvalidRequest: ``unit_cost`` is no sum.
    """
    typed = request.form.get("unit_cost", "").strip()
    if not typed or unit is Unit.CENT:
        return ""
    each = drafts.decimal(typed, money.digits(currency))
    if each is None:
        raise InvalidRequest({"unit_cost": "not_an_amount"})
    return rule_words.sum_of(units * each, currency)


def _said(rule: Rule) -> str:
    tools = access.tools()
    items = {item.item_id: item.name for item in shop.items(tools)}
    places = {place.location_id: place.name for place in shop.locations(tools)}
    currency = shop.currency(tools)
    return rule_words.sentence(rule, currency, items=items, places=places)


def _typed(kind: RuleKind) -> Typed:
    days = [int(day) for day in request.form.getlist("days") if day in set("0123456")]
    items = [id_or_none(item) for item in request.form.getlist("items")]
    places = [id_or_none(place) for place in request.form.getlist("places")]
    return Typed(
        {**form_values(), "kind": kind.value},
        days=days,
        items=[item for item in items if item is not None],
        categories=request.form.getlist("categories"),
        places=[place for place in places if place is not None],
    )


def _wrong(error: InvalidRequest) -> dict[str, str]:
    general = sentences(error)
    return {
        name: str(_WRONG.get(word, general[name]))
        for name, word in error.fields.items()
    }


def _values(rule: Rule, digits: int) -> dict[str, Any]:
    """Write a rule as its form shows it."""
    figures, is_money = rule.figures, rule.unit is Unit.CENT
    written = {
        "unit": rule.unit.value,
        "name": rule.name,
        "units": _sum(figures.units, digits) if is_money else str(figures.units),
        "friend_units": (
            _sum(figures.friend_units, digits) if is_money else figures.friend_units
        ),
        "per": "" if is_money else _sum(figures.per, digits),
        "pieces": figures.per,
        "back": f"{figures.units * 100 / figures.per:g}" if is_money else "",
        "times": f"{figures.percent / 100:g}",
        "each": "1" if figures.each else "",
        "least": _sum(figures.least, digits) if figures.least else "",
        "act": figures.act.value if figures.act else "",
        "items": [str(item) for item in figures.items],
        "categories": sorted(figures.categories),
        "places": [str(place) for place in rule.places],
        "first_day": rule.first_day or "",
        "last_day": rule.last_day or "",
        "budget": rule.budget or "",
        "life_days": rule.life_days or "",
        **{f"cap_{cap}": getattr(rule.caps, cap) or "" for cap in rule.caps.__slots__},
    }
    return {**written, **_window_values(rule)}


def _window_values(rule: Rule) -> dict[str, Any]:
    if not rule.windows:
        return {}
    window = rule.windows[0]
    nth = window.days.rpartition("BYDAY=")[2].split(",")[0][:-2]
    weeks = {"1": "first", "-1": "last"}.get(nth, "every")
    weeks = "second" if "INTERVAL=2" in window.days else weeks
    names = [day[-2:] for day in window.days.rpartition("BYDAY=")[2].split(",")]
    plain = "FREQ=WEEKLY;BYDAY=" + ",".join(names)
    days = weekdays_of(plain) if "BYDAY" in window.days else ()
    told = {"weeks": weeks, "days": [str(day) for day in days or ()]}
    if (window.opens, window.closes) != (0, MINUTES_OF_DAY):
        told |= {
            "opens": hours.told(window.opens),
            "closes": hours.told(window.closes),
        }
    return told


def _sum(cents: int, digits: int) -> str:
    return f"{cents / 10**digits:.{digits}f}"

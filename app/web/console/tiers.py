"""The ladder of tiers: how it counts, each tier as its sentence, who would be where."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, gettext, lazy_gettext, ngettext

from app.programme import tiers as ladders
from app.programme.cards import ProgrammeView
from app.programme.errors import InvalidRequest, NotFound
from app.programme.tiers import CardTier, Rules, TierView, setting, weighing
from app.programme.tiers.ladder import Standing
from app.programme.tiers.setting import BY_UNITS, TierDraft
from app.programme.tiers.weighing import NEW, Weighed
from app.programme.units import Unit
from app.web.console.room import bp, form_values, sentences
from app.web.console.which import chosen_programme
from app.web.shared import access, moments, tier_words, unit_words

#: What a new tier looks like, one after the other: bronze, silver, gold, and on.
_COLOURS: Final = ("#8c5a2b", "#6f7680", "#a37a00", "#3f4a8a", "#7a2f5d")
_YEAR: Final = "year"
_MONTHS: Final = (1, 3, 6, 12, 18, 24)
#: Digits of the longest number that is read: ten million.
_DIGITS: Final = 8
_SENTENCES: Final[dict[tuple[str, str], Any]] = {
    ("units", "no_way_in"): lazy_gettext(
        "Nobody could get in. Say how many it takes, or let people in by invitation."
    ),
    ("units", "same_bar"): lazy_gettext("Another tier takes just as many."),
    ("units", "out_of_order"): lazy_gettext(
        "A tier above must take more than the ones below it. Change this, or its place."
    ),
    ("units", "out_of_range"): lazy_gettext("A whole number from 1 to 10,000,000."),
    ("boost_percent", "out_of_range"): lazy_gettext(
        "0 to 400 percent more: 100 is double, 400 five times as much."
    ),
    ("birthday_units", "out_of_range"): lazy_gettext("A whole number up to 10,000."),
    ("name", "taken"): lazy_gettext("Another tier has this name."),
    ("above_id", "too_many"): lazy_gettext("Twelve tiers are as many as there can be."),
    ("above_id", "not_an_id"): lazy_gettext("That tier is gone. Choose its place."),
    ("window_months", "out_of_range"): lazy_gettext("1 to 60 months."),
    ("window_months", "only_longer"): lazy_gettext(
        "Cards have tiers by it. It can only become longer."
    ),
    ("grace_days", "out_of_range"): lazy_gettext("0 to 366 days."),
    ("grace_days", "only_longer"): lazy_gettext(
        "Cards have tiers by it. It can only become longer."
    ),
    ("unit", "in_use"): lazy_gettext(
        "Cards have tiers by it. Remove the tiers first, then count something else."
    ),
    ("to", "missing"): lazy_gettext("Say where its people go."),
    ("to", "not_an_id"): lazy_gettext("That tier is gone. Choose another."),
}


@bp.route("/console/tiers", methods=["GET", "POST"])
def tiers() -> ResponseReturnValue:
    """Show the ladder, and how many have each tier; say how it counts."""
    programme = _programme()
    if request.method != "POST":
        return _ladder_page(programme, {}, {})
    window = request.form.get("window_months", "")
    try:
        setting.save_ladder(
            access.tools(),
            programme.programme_id,
            unit=request.form.get("unit", ""),
            window_months=None if window == _YEAR else _whole(window),
            grace_days=_whole(request.form.get("grace_days", "") or "0"),
            by=access.console(),
        )
    except InvalidRequest as error:
        page = _ladder_page(programme, form_values(), _said(error))
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    flash(gettext("Saved."))
    return redirect(url_for("console.tiers"))


@bp.route("/console/tiers/new", methods=["GET", "POST"])
def new_tier() -> ResponseReturnValue:
    """Add a tier on top, or between two."""
    return _tier(None)


@bp.route("/console/tiers/<uuid:tier_id>", methods=["GET", "POST"])
def tier(tier_id: UUID) -> ResponseReturnValue:
    """Show a tier and change it; look first who would be where."""
    return _tier(tier_id)


@bp.post("/console/tiers/<uuid:tier_id>/remove")
def remove_tier(tier_id: UUID) -> ResponseReturnValue:
    """Take a tier off the ladder, when it is said where its people go."""
    _, rules, found = _found(tier_id)
    to = request.form.get("to", "")
    try:
        setting.remove_tier(access.tools(), tier_id, to, by=access.console())
    except InvalidRequest as error:
        page = _tier_page(rules, found, _values(found, rules), _said(error))
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    flash(gettext("Removed. Cards are looked at again within a minute."))
    return redirect(url_for("console.tiers"))


def _tier(tier_id: UUID | None) -> ResponseReturnValue:
    programme, rules, found = _found(tier_id)
    if request.method != "POST":
        return _tier_page(rules, found, _values(found, rules), {})
    draft = _draft()
    tools, programme_id = access.tools(), programme.programme_id
    try:
        if "look" in request.form:
            weighed = weighing.weigh(tools, programme_id, tier_id, draft)
            return _tier_page(rules, found, form_values(), {}, weighed, draft)
        setting.save_tier(tools, programme_id, tier_id, draft, by=access.console())
    except InvalidRequest as error:
        page = _tier_page(rules, found, form_values(), _said(error))
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    flash(gettext("Saved. Cards are looked at again within a minute."))
    return redirect(url_for("console.tiers"))


def _ladder_page(
    programme: ProgrammeView, form: dict[str, str], wrong: dict[str, str]
) -> str:
    tools, programme_id = access.tools(), programme.programme_id
    rules = ladders.of_programme(tools, programme_id)
    weighed = weighing.weigh(tools, programme_id) if rules else None
    held = setting.tiers_held(tools, programme_id)
    months = rules.window_months if rules else 12
    values = {
        "unit": rules.unit.value if rules else Unit.POINT.value,
        "window_months": str(months or _YEAR),
        "grace_days": str(rules.grace_days if rules else 30),
    }
    return render_template(
        "console/tiers.html",
        form=form or values,
        wrong=wrong,
        rules=rules,
        steps=[
            (
                tier_words.step(one, rules),
                _cards(held.get(one.tier_id, 0)),
                _cards(weighed.at[one.tier_id]) if weighed else "",
            )
            for one in reversed(rules.tiers)
        ]
        if rules
        else [],
        cards=weighed.cards if weighed else 0,
        with_tier=format_decimal(sum(held.values())),
        preview=_preview(rules) if rules and rules.tiers else None,
        units=[
            (each.value, unit_words.unit_name(each))
            for each in (Unit.POINT, Unit.STAMP)
        ],
        windows=_windows(months),
    )


def _tier_page(
    rules: Rules,
    found: TierView | None,
    form: dict[str, str],
    wrong: dict[str, str],
    weighed: Weighed | None = None,
    draft: TierDraft | None = None,
) -> str:
    mine = found.tier_id if found else None
    others = [one for one in rules.tiers if one.tier_id != mine]
    shown = _drafted(rules, found, draft) if draft else found
    people = 0
    if found:
        held = setting.tiers_held(access.tools(), rules.programme_id)
        people = held.get(found.tier_id, 0)
    return render_template(
        "console/tier.html",
        form=form,
        wrong=wrong,
        tier=found,
        rules=rules,
        places=[
            ("", gettext("The lowest")),
            *(
                (one.tier_id, gettext("Above %(tier)s", tier=one.name))
                for one in others
            ),
        ],
        unit=unit_words.unit_name(rules.unit),
        step=tier_words.step(shown, rules) if shown else None,
        preview=_preview_of(rules, shown) if shown else None,
        people=people,
        people_told=_cards(people),
        ways=[
            (BY_UNITS, gettext("Where their own units take them")),
            *((one.tier_id, one.name) for one in others),
        ],
        counts=_counts(rules, weighed, draft) if weighed else [],
        raised_from=moments.calendar_day(weighed.raised_from)
        if weighed and weighed.raised_from
        else "",
    )


def _counts(
    rules: Rules, weighed: Weighed, draft: TierDraft | None
) -> list[tuple[str, str]]:
    names = {one.tier_id: one.name for one in rules.tiers}
    new = draft.name if draft else ""
    rows = [
        (names.get(tier_id, new) if tier_id != NEW else new, _cards(count))
        for tier_id, count in reversed(list(weighed.at.items()))
    ]
    return [*rows, (str(gettext("No tier")), _cards(weighed.none))]


def _preview(rules: Rules) -> tier_words.Shown:
    """Draw what a member halfway up reads."""
    place = (len(rules.tiers) - 1) // 2
    return _preview_of(rules, rules.tiers[place])


def _preview_of(rules: Rules, tier: TierView) -> tier_words.Shown:
    place = rules.place(tier.tier_id)
    tiers_ = list(rules.tiers)
    if place >= 0:
        tiers_[place] = tier
    above = next((one for one in tiers_[place + 1 :] if one.units), None)
    low = tier.units or 0
    counted = low + ((above.units or 0) - low) // 3 if above else low
    now = Standing(
        held=tier.rung,
        counted=counted,
        next=above.rung if above else None,
        missing=(above.units or 0) - counted if above else 0,
    )
    mine = replace(rules, tiers=tuple(tiers_))
    return tier_words.shown(CardTier(mine, tier, None, now, above))


def _drafted(rules: Rules, found: TierView | None, draft: TierDraft) -> TierView:
    """Lay what was typed over the tier as it is, to be read before it is saved."""
    checked, _ = setting.checked(rules, found.tier_id if found else None, draft)
    return TierView(
        found.tier_id if found else NEW,
        checked.name,
        checked.colour,
        found.position if found else 0,
        checked.units,
        None,
        None,
        checked.by_invitation,
        checked.boost_percent,
        tuple(filter(None, checked.benefits.split("\n"))),
        checked.birthday_units,
    )


def _draft() -> TierDraft:
    form = request.form
    units = form.get("units", "").strip()
    above = form.get("above_id", "")
    return TierDraft(
        name=form.get("name", ""),
        colour=form.get("colour", ""),
        units=_whole(units) if units else None,
        by_invitation=form.get("by_invitation") == "1",
        above_id=_id(above) if above else None,
        boost_percent=_whole(form.get("boost_percent", "") or "0"),
        benefits=form.get("benefits", ""),
        birthday_units=_whole(form.get("birthday_units", "") or "0"),
    )


def _values(found: TierView | None, rules: Rules) -> dict[str, str]:
    if found is None:
        return {
            "colour": _COLOURS[len(rules.tiers) % len(_COLOURS)],
            "above_id": str(rules.tiers[-1].tier_id) if rules.tiers else "",
            "boost_percent": "0",
            "birthday_units": "0",
        }
    place = rules.place(found.tier_id)
    units = found.next_units if found.next_from else found.units
    return {
        "name": found.name,
        "colour": found.colour,
        "units": str(units or ""),
        "by_invitation": "1" if found.by_invitation else "",
        "above_id": str(rules.tiers[place - 1].tier_id) if place else "",
        "boost_percent": str(found.boost_percent),
        "benefits": "\n".join(found.benefits),
        "birthday_units": str(found.birthday_units),
    }


def _found(tier_id: UUID | None) -> tuple[ProgrammeView, Rules, TierView | None]:
    programme = _programme()
    rules = ladders.of_programme(access.tools(), programme.programme_id)
    found = rules.tier(tier_id) if rules else None
    if rules is None or (tier_id is not None and found is None):
        raise NotFound
    return programme, rules, found


def _programme() -> ProgrammeView:
    found = chosen_programme()
    if found is None:
        raise NotFound
    return found


def _windows(months: int | None) -> list[tuple[str, str]]:
    known = sorted({*_MONTHS, *([months] if months else [])})
    return [
        *((str(n), ngettext("%(num)s month", "%(num)s months", n)) for n in known),
        (_YEAR, gettext("A calendar year")),
    ]


def _cards(count: int) -> str:
    return str(ngettext("%(num)s card", "%(num)s cards", count))


def _whole(text: str) -> int:
    """Read a whole number as typed; -1 for anything else."""
    digits = text.strip()
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS
    return int(digits) if is_number else -1


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return NEW


def _said(error: InvalidRequest) -> dict[str, str]:
    told = sentences(error)
    for name, word in error.fields.items():
        known = _SENTENCES.get((name, word))
        if known is not None:
            told[name] = str(known)
    return told

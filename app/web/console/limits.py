"""The programme's limits, and when each location is open."""

from __future__ import annotations

from uuid import UUID

from babel.dates import get_day_names
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext, lazy_gettext

from app.programme import hours, members, shop
from app.programme import limits as rules
from app.programme.errors import InvalidRequest, NotFound
from app.programme.hours import Hours
from app.programme.limits import Limits
from app.web.console.programme import first_programme, url_of, whole
from app.web.console.room import again, bp
from app.web.shared import access

#: Each limit by the hour: its field, what it is called, and what it means.
_BY_THE_HOUR = (
    (
        "most_per_card",
        lazy_gettext("One card"),
        lazy_gettext("A family or an office takes ten at once; twenty is a lot."),
    ),
    (
        "most_per_staff_member",
        lazy_gettext("One person at the till"),
        lazy_gettext("At whatever till, to whatever card."),
    ),
    (
        "most_per_terminal",
        lazy_gettext("One till"),
        lazy_gettext("Whoever is signed in there."),
    ),
    (
        "most_per_location",
        lazy_gettext("One location"),
        lazy_gettext("All its tills, and printed stamps that count there."),
    ),
)


@bp.route("/console/limits", methods=["GET", "POST"])
@bp.route("/console/programmes/<uuid:programme_id>/limits", methods=["GET", "POST"])
def limits(programme_id: UUID | None = None) -> ResponseReturnValue:
    """Show how many stamps may be given, and change it."""
    if programme_id is None:
        shown = first_programme()
    else:
        shown = members.programme(access.tools(), programme_id)
    if shown is None:
        return redirect(url_for("console.programme"))
    facts = {"fields": _BY_THE_HOUR, "programme": shown, "back_url": url_of(shown)}
    if request.method != "POST":
        values = {
            name: "" if most is None else str(most)
            for name, most in rules.columns(shown.limits).items()
        }
        return render_template("console/limits.html", form=values, wrong={}, **facts)
    try:
        shop.save_limits(
            access.tools(), shown.programme_id, _typed(), by=access.console()
        )
    except InvalidRequest as error:
        return again("console/limits.html", error, **facts)
    flash(gettext("Saved."))
    return redirect(url_for("console.limits", programme_id=programme_id))


@bp.route("/console/locations/<uuid:location_id>/hours", methods=["GET", "POST"])
def location_hours(location_id: UUID) -> ResponseReturnValue:
    """Show when a location is open, and change it."""
    tools = access.tools()
    place = next(
        (one for one in shop.locations(tools) if one.location_id == location_id), None
    )
    if place is None:
        raise NotFound
    facts = {"place": place, "days": _day_names()}
    if request.method != "POST":
        values = _shown(shop.hours_of(tools)[location_id])
        return render_template("console/hours.html", form=values, wrong={}, **facts)
    wrong: dict[str, str] = {}
    typed = [
        (request.form.get(f"opens_{day}", ""), request.form.get(f"closes_{day}", ""))
        for day in range(7)
    ]
    wanted = hours.typed(typed, wrong)
    if wrong:
        return again("console/hours.html", InvalidRequest(wrong), **facts)
    shop.save_hours(tools, location_id, wanted, by=access.console())
    flash(gettext("Saved."))
    return redirect(url_for("console.locations"))


def _typed() -> Limits:
    """Read the form; what is no number is as wrong as one that is too small."""

    def number(name: str) -> int | None:
        text = request.form.get(name, "").strip()
        return (whole(text) or 0) if text else None

    return Limits(
        number("most_per_scan") or 0, *(number(name) for name, _, _ in _BY_THE_HOUR)
    )


def _shown(known: Hours | None) -> dict[str, str]:
    values = {}
    for number, day in enumerate(known.days if known else ()):
        if day:
            values[f"opens_{number}"] = hours.told(day[0])
            values[f"closes_{number}"] = hours.told(day[1])
    return values


def _day_names() -> list[str]:
    """Name the days from Monday on, as the reader's language has them."""
    names = get_day_names("wide", context="stand-alone", locale=get_locale())
    return [names[day] for day in range(7)]

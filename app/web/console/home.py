"""Today: the figure, and the live list of what happened."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import (
    Response,
    get_template_attribute,
    jsonify,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, gettext, ngettext

from app.programme import alarms, shop
from app.programme import feed as happenings
from app.programme.feed import DayStamps, Figures, PlaceStamps
from app.web.console.key_words import ToldAlarm, told_alarms
from app.web.console.lines import Told, told, when
from app.web.console.room import bp, id_or_none
from app.web.shared import access, languages

_LINES: Final = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do before the first stamp."""

    title: str
    text: str
    verb: str
    endpoint: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class News:
    """What the page shows and the feed sends."""

    figures: Mapping[str, str]
    places: list[PlaceStamps]
    lines: list[Told]
    #: The gravest first.
    alarms: list[ToldAlarm]
    #: The moment to ask from next time.
    after: str
    #: Changes when anything that is shown does.
    tag: str


@bp.get("/console/")
def home() -> ResponseReturnValue:
    """Show today."""
    place = id_or_none(request.args.get("place"))
    tools = access.tools()
    days = happenings.stamps_by_day(tools, location_id=place)
    news = _news(place, None)
    return render_template(
        "console/home.html",
        news=news,
        place=place,
        bars=_bars(days),
        steps=_steps(),
        # Whoever has had a till needs no first run.
        is_new=not shop.terminals(tools),
        feed_url=url_for("console.feed", place=place),
        texts={"live": gettext("Live"), "away": gettext("Waiting for the network")},
    )


@bp.get("/console/feed")
def feed() -> ResponseReturnValue:
    """Send what is new since ``after`` as JSON; 304 while nothing is."""
    news = _news(id_or_none(request.args.get("place")), _moment("after"))
    if request.if_none_match.contains(news.tag):
        answer = Response(status=HTTPStatus.NOT_MODIFIED)
    else:
        line = get_template_attribute("console/line.html", "line")
        notice = get_template_attribute("console/alarm.html", "notice")
        answer = jsonify(
            after=news.after,
            figures=news.figures,
            alarms=str(notice(news.alarms, url_for("console.keys"))),
            places={str(each.location_id): each.stamps for each in news.places},
            lines=[
                {"id": each.line_id, "html": str(line(each))} for each in news.lines
            ],
        )
    answer.set_etag(news.tag)
    return answer


def _news(place: UUID | None, after: datetime | None) -> News:
    tools = access.tools()
    now, zone = tools.now(), ZoneInfo(shop.shop(tools).timezone)
    found = happenings.feed(tools, limit=_LINES, after=after, location_id=place)
    figures = _in_words(happenings.figures(tools, location_id=place))
    places = happenings.stamps_by_place(tools)
    warned = told_alarms(alarms.look(tools).alarms, zone=zone, now=now)
    # Names and times are shown too, but they do not change by themselves.
    seen = repr(
        (
            languages.spoken().tag,
            figures,
            places,
            [line.line_id for line in found],
            [alarm.sentence for alarm in warned],
        )
    )
    return News(
        figures=figures,
        places=places,
        lines=[told(line, zone=zone, now=now) for line in found],
        alarms=warned,
        after=(found[0].at if found else after or now).isoformat(),
        tag=hashlib.sha256(seen.encode()).hexdigest()[:32],
    )


def _in_words(figures: Figures) -> Mapping[str, str]:
    return {
        "stamps": format_decimal(figures.stamps),
        "stamps_word": ngettext("stamp today", "stamps today", figures.stamps),
        "joined": format_decimal(figures.joined),
        "earned": format_decimal(figures.earned),
        "redeemed": format_decimal(figures.redeemed),
        "undone": format_decimal(figures.undone),
    }


def _moment(name: str) -> datetime | None:
    """Read an aware moment of the query; None for anything else."""
    try:
        moment = datetime.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    # At the ends of the calendar no sum of moments is safe.
    is_plain = moment.tzinfo and MINYEAR < moment.year < MAXYEAR
    return moment if is_plain else None


def _bars(days: list[DayStamps]) -> Mapping[str, Any] | None:
    """Measure the small chart; None while there is nothing to draw."""
    most = max(day.stamps for day in days)
    if not any(day.stamps for day in days[:-1]):
        return None
    now, zone = access.tools().now(), ZoneInfo(shop.shop(access.tools()).timezone)
    names = [
        when(datetime.combine(day.day, datetime.min.time(), zone), zone=zone, now=now)
        for day in days
    ]
    return {
        "bars": [
            # At least a line on the ground, in a chart 48 high.
            {"height": max(2, round(48 * day.stamps / most)), "stamps": day.stamps}
            for day in days
        ],
        "first": names[0],
        "label": gettext(
            "Stamps of the last %(days)s days: %(list)s",
            days=len(days),
            list=", ".join(str(day.stamps) for day in days),
        ),
    }


def _steps() -> list[Step]:
    """Tell what is still to be done before the first stamp; empty when all is."""
    tools = access.tools()
    steps = [
        Step(
            gettext("Make the stamp card"),
            gettext("What it is called and what it gives."),
            gettext("Make it"),
            "console.programme",
            bool(shop.programmes(tools)),
        ),
        Step(
            gettext("Name a location"),
            gettext("It stands on every stamp."),
            gettext("Name it"),
            "console.locations",
            bool(shop.locations(tools)),
        ),
        Step(
            gettext("Add a till"),
            gettext("Any phone or tablet with a camera."),
            gettext("Add it"),
            "console.new_terminal",
            any(each.revoked_at is None for each in shop.terminals(tools)),
        ),
    ]
    return [] if all(step.is_done for step in steps) else steps

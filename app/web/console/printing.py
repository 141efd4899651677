"""Printing: batches of stamps on paper, what came back of them, and their files.

A file holds living codes. So it is asked for by a form, never by a link that a browser
would follow, keep or share; ``app.programme.batches`` says how often, and by whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, get_locale, gettext, lazy_gettext, ngettext
from markupsafe import Markup

from app.programme import batches, shop
from app.programme.batches import BatchView
from app.programme.cards import ProgrammeView
from app.programme.errors import InvalidRequest
from app.programme.printing import PrintedStamp, put_on_paper
from app.web.console.lines import when
from app.web.console.paper.layouts import LAYOUTS, CodeTooLarge
from app.web.console.room import again, bp, id_or_none
from app.web.shared import access, moments
from signing import qr

#: Name and use of each paper.
PAPERS: Final[Mapping[str, tuple[Any, Any]]] = {
    "a4": (lazy_gettext("A4 sheet"), lazy_gettext("18 to cut apart")),
    "letter": (lazy_gettext("Letter sheet"), lazy_gettext("18 to cut apart")),
    "labels-a4": (
        lazy_gettext("Labels on A4"),
        lazy_gettext("21 of 63.5 by 38.1 mm, as Avery L7160"),
    ),
    "labels-letter": (
        lazy_gettext("Labels on Letter"),
        lazy_gettext("10 of 4 by 2 in, as Avery 5163"),
    ),
    "slip-58": (
        lazy_gettext("Receipt slips, 58 mm"),
        lazy_gettext("For a receipt printer, one each"),
    ),
    "slip-80": (
        lazy_gettext("Receipt slips, 80 mm"),
        lazy_gettext("For a receipt printer, one each"),
    ),
}
_PROBLEMS: Final[Mapping[str, Any]] = {
    "revoked": lazy_gettext("It was called back, so there is nothing to print."),
    "ended": lazy_gettext("Its last day is over, so there is nothing to print."),
    "too_late": lazy_gettext(
        "The file was there for a day after the batch was made, and no longer: it is "
        "as good as cash. If you need more stamps, make a new batch."
    ),
    "too_often": lazy_gettext(
        "The file was downloaded as often as it may be. If the stamps are lost, call "
        "the batch back and make a new one."
    ),
    "key_changed": lazy_gettext(
        "Another key signs since. What is on paper stays good; for more stamps, make a "
        "new batch."
    ),
}
_STATES: Final[Mapping[str, tuple[Any, str]]] = {
    "open": (lazy_gettext("Open"), "given"),
    "ended": (lazy_gettext("Ended"), "plain"),
    "revoked": (lazy_gettext("Called back"), "refused"),
}
#: What a batch begins with, before anybody has typed.
_BEGIN: Final = {"stamps": "1", "count": "100", "layout": "a4"}
_MONTHS_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Row:
    """A batch in words."""

    of: BatchView
    state: str
    tone: str
    #: "3 of 100 came back"
    came_back: str
    #: Stamps each, place, end.
    facts: tuple[str, ...]
    share: float


@bp.get("/console/printing")
def printing() -> ResponseReturnValue:
    """List the batches with what came back."""
    found = batches.batches(access.tools())
    zone = _zone()
    about = sum(each.count - each.spent for each in found if each.state == "open")
    return render_template(
        "console/printing.html",
        rows=[_row(each, zone) for each in found],
        about=about,
        about_told=format_decimal(about),
    )


@bp.route("/console/printing/new", methods=["GET", "POST"])
def new_batch() -> ResponseReturnValue:
    """Ask what to print, and make the batch."""
    tools = access.tools()
    if request.method != "POST":
        last = tools.now().astimezone(_zone()).date() + timedelta(days=_MONTHS_DAYS)
        form = {**_BEGIN, "last_day": last.isoformat()}
        return render_template(
            "console/batch_new.html", form=form, wrong={}, **_choices()
        )
    try:
        batch_id = batches.make(
            tools,
            name=request.form.get("name", ""),
            programme_id=id_or_none(request.form.get("programme_id")),
            location_id=id_or_none(request.form.get("location_id")),
            stamps=_whole("stamps"),
            count=_whole("count"),
            last_day=_day("last_day"),
            by=access.console(),
        )
    except InvalidRequest as error:
        return again("console/batch_new.html", error, **_choices())
    flash(gettext("The batch is made. Now download its file."))
    layout = request.form.get("layout", "")
    return redirect(url_for("console.batch", batch_id=batch_id, layout=layout))


@bp.get("/console/printing/sample.pdf")
def sample() -> ResponseReturnValue:
    """Give a page on which every code leads to the join page and is worth nothing."""
    layout = request.args.get("layout", "a4")
    layout = layout if layout in LAYOUTS else "a4"
    tools = access.tools()
    url = f"{tools.settings.origin}{url_for('customer.join')}"
    count = LAYOUTS[layout].on_page
    until = tools.now() + timedelta(days=_MONTHS_DAYS)
    reward = _reward(_programmes()[0]) if _programmes() else ""
    stamps = [(gettext("Sample"), url)] * count
    file = _drawn(layout, gettext("Sample"), 1, reward, until, stamps)
    return Response(file, mimetype="application/pdf")


@bp.get("/console/printing/<uuid:batch_id>")
def batch(batch_id: UUID) -> ResponseReturnValue:
    """Show one batch."""
    return _page(batch_id, form={"layout": request.args.get("layout", "a4")}, wrong={})


@bp.post("/console/printing/<uuid:batch_id>/print")
def print_batch(batch_id: UUID) -> ResponseReturnValue:
    """Give the file of a batch: each code in it is worth its stamps."""
    from app.web.console.paper.fonts import FontMissing  # noqa: PLC0415

    tools = access.tools()
    layout = request.form.get("layout", "")
    if layout not in LAYOUTS:
        return _page(batch_id, form={}, wrong={"layout": gettext("Choose a paper.")})
    of = batches.batch(tools, batch_id)

    def draw(stamps: list[PrintedStamp]) -> bytes:
        numbered = [(f"{of.number}-{each.number:04}", each.url) for each in stamps]
        reward = _reward(_programme(of.programme_id))
        return _drawn(layout, of.name, of.stamps, reward, of.expires_at, numbered)

    form = {"layout": layout}
    try:
        file = put_on_paper(
            tools, batch_id, layout=layout, by=access.console(), draw=draw
        )
    except InvalidRequest as error:
        sentence = str(_PROBLEMS[error.fields["batch"]])
        return _page(batch_id, form=form, wrong={"layout": sentence})
    except CodeTooLarge:
        sentence = gettext("This shop's address is too long for this paper.")
        return _page(batch_id, form=form, wrong={"layout": sentence})
    except FontMissing as missing:
        sentence = gettext(
            "This machine has no font for “%(letters)s”. Whoever looks after it can "
            "install one: fonts-noto-core, or fonts-noto-cjk for Chinese.",
            letters=missing.letters[:20],
        )
        return _page(batch_id, form=form, wrong={"layout": sentence})
    answer = Response(file, mimetype="application/pdf")
    name = f"stamps-{of.number}-{layout}.pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.post("/console/printing/<uuid:batch_id>/revoke")
def revoke_batch(batch_id: UUID) -> ResponseReturnValue:
    """Call a batch back."""
    reason = request.form.get("reason", "")
    try:
        batches.revoke(access.tools(), batch_id, reason=reason, by=access.console())
    except InvalidRequest as error:
        sentence = gettext("Say why, in 200 letters at most.")
        wrong = dict.fromkeys(error.fields, sentence)
        return _page(batch_id, form={"reason": reason}, wrong=wrong)
    flash(gettext("Called back. Its stamps give nothing any more."))
    return redirect(url_for("console.batch", batch_id=batch_id))


def _page(
    batch_id: UUID, *, form: Mapping[str, str], wrong: Mapping[str, str]
) -> ResponseReturnValue:
    tools = access.tools()
    of, zone, now = batches.batch(tools, batch_id), _zone(), tools.now()

    def moment(at: datetime | None) -> str | None:
        return None if at is None else when(at, zone=zone, now=now)

    page = render_template(
        "console/batch.html",
        row=_row(of, zone),
        of=of,
        form={"layout": "a4", **form},
        wrong=wrong,
        papers=_papers(),
        problem=_PROBLEMS.get(of.print_problem or ""),
        left=ngettext("%(num)s time more", "%(num)s times more", of.printings_left),
        until=_told_moment(of.created_at + batches.PRINT_WITHIN, zone),
        made=moment(of.created_at),
        last=moment(of.last_spent_at),
        revoked=moment(of.revoked_at),
    )
    return page, 422 if wrong else 200


def _row(of: BatchView, zone: ZoneInfo) -> Row:
    state, tone = _STATES[of.state]
    each = ngettext("%(num)s stamp each", "%(num)s stamps each", of.stamps)
    end = gettext("until %(day)s", day=moments.day_and_year(of.expires_at, zone))
    came_back = gettext(
        "%(spent)s of %(count)s came back",
        spent=format_decimal(of.spent),
        count=format_decimal(of.count),
    )
    facts = (each, of.place or "", end)
    return Row(
        of=of,
        state=str(state),
        tone=tone,
        came_back=came_back,
        facts=tuple(fact for fact in facts if fact),
        share=round(100 * of.spent / of.count, 1),
    )


def _choices() -> dict[str, Any]:
    """What a new batch may be of, and how one stamp of it looks."""
    tools = access.tools()
    rewards = [(each.programme_id, each.name) for each in _programmes()]
    places = [(each.location_id, each.name) for each in shop.locations(tools)]
    join = f"{tools.settings.origin}{url_for('customer.join')}"
    last = tools.now() + timedelta(days=_MONTHS_DAYS)
    return {
        "programmes": rewards,
        "locations": [("", gettext("Nowhere in particular")), *places],
        "papers": _papers(),
        "sample": {
            "picture": Markup(qr.svg(join)),  # noqa: S704 -- drawn by us
            "worth": _worth(1),
            "reward": _reward(_programmes()[0]) if _programmes() else "",
            "how": _how(),
            "until": _until(last),
        },
        "most": format_decimal(batches.MOST_CODES),
    }


def _papers() -> list[tuple[str, Any, Any]]:
    return [(key, *PAPERS[key]) for key in LAYOUTS]


def _programmes() -> list[ProgrammeView]:
    return [each for each in shop.programmes(access.tools()) if each.is_open]


def _programme(programme_id: UUID) -> ProgrammeView:
    known = shop.programmes(access.tools())
    return next(each for each in known if each.programme_id == programme_id)


def _drawn(
    layout: str,
    title: str,
    stamps: int,
    reward: str,
    until: datetime,
    numbered: list[tuple[str, str]],
) -> bytes:
    """Draw a file in the shop's look and the reader's language."""
    from app.web.console.paper.drawing import (  # noqa: PLC0415
        Drawn,
        Look,
        Sheet,
        draw,
    )

    tools, locale = access.tools(), get_locale()
    mine = shop.shop(tools)
    logo = shop.logo(tools, mine.logo) if mine.logo else None
    sheet = Sheet(
        look=Look(mine.name, mine.colour, mine.ink, logo),
        worth=_worth(stamps),
        reward=reward,
        how=_how(),
        until=_until(until),
        is_rtl=locale is not None and locale.text_direction == "rtl",
        title=title,
        language=str(locale or "en").replace("_", "-"),
    )
    return draw(sheet, LAYOUTS[layout], [Drawn(*each) for each in numbered])


def _worth(stamps: int) -> str:
    return str(ngettext("%(num)s stamp", "%(num)s stamps", stamps))


def _reward(of: ProgrammeView) -> str:
    told = ngettext(
        "%(num)s stamp: %(reward)s",
        "%(num)s stamps: %(reward)s",
        of.stamps_required,
        reward=of.reward,
    )
    return str(told)


def _how() -> str:
    return str(gettext("Scan this with your phone's camera. It works once."))


def _until(at: datetime) -> str:
    return str(gettext("Good until %(day)s", day=moments.day_in_full(at, _zone())))


def _told_moment(at: datetime, zone: ZoneInfo) -> str:
    day, time = moments.day(at, zone), moments.time(at, zone)
    return str(gettext("%(day)s, %(time)s", day=day, time=time))


def _whole(name: str) -> int | None:
    """Read a whole number; None for anything that is none."""
    text = request.form.get(name, "").strip()
    return int(text) if text.isdecimal() and len(text) < len("10000") else None


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None


def _zone() -> ZoneInfo:
    return ZoneInfo(shop.shop(access.tools()).timezone)

"""Locations, and the tills that stand there."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup

from app.programme import shop
from app.programme.codes import IssuedCode
from app.programme.errors import InvalidRequest, NotFound
from app.programme.shop import TerminalView
from app.web.console.lines import when
from app.web.console.room import again, bp, id_or_none
from app.web.shared import access
from signing import qr

#: A terminal at work asks for something at least this often.
_AT_WORK = timedelta(minutes=15)
#: Where this browser's session keeps the enrolment code that it may show again.
_SHOWN = "enrolment"


@bp.route("/console/locations", methods=["GET", "POST"])
def locations() -> ResponseReturnValue:
    """List locations, and add one."""
    tools = access.tools()
    if request.method != "POST":
        return render_template(
            "console/locations.html",
            form={},
            wrong={},
            renaming=None,
            locations=shop.locations(tools),
        )
    try:
        shop.add_location(tools, name=request.form.get("name", ""), by=access.console())
    except InvalidRequest as error:
        return again(
            "console/locations.html",
            error,
            renaming=None,
            locations=shop.locations(tools),
        )
    flash(gettext("Location added."))
    return redirect(url_for("console.locations"))


@bp.post("/console/locations/<uuid:location_id>")
def rename_location(location_id: UUID) -> ResponseReturnValue:
    """Give a location another name."""
    tools = access.tools()
    try:
        shop.rename_location(
            tools,
            location_id,
            name=request.form.get("name", ""),
            by=access.console(),
        )
    except InvalidRequest as error:
        return again(
            "console/locations.html",
            error,
            renaming=location_id,
            locations=shop.locations(tools),
        )
    flash(gettext("Renamed."))
    return redirect(url_for("console.locations"))


@bp.get("/console/terminals")
def terminals() -> ResponseReturnValue:
    """List the tills, those at work first."""
    tools = access.tools()
    now, zone = tools.now(), ZoneInfo(shop.shop(tools).timezone)
    rows = [_row(each, now, zone) for each in shop.terminals(tools)]
    return render_template(
        "console/terminals.html",
        active=[row for row in rows if not row["is_revoked"]],
        removed=[row for row in rows if row["is_revoked"]],
        has_locations=bool(shop.locations(tools)),
        allows_by_hand=shop.allows_by_hand(tools),
    )


@bp.post("/console/terminals/by-hand")
def allow_by_hand() -> ResponseReturnValue:
    """Allow stamps without a code, or forbid them."""
    is_allowed = request.form.get("allow") == "yes"
    shop.allow_by_hand(access.tools(), is_allowed=is_allowed, by=access.console())
    flash(gettext("Saved."))
    return redirect(url_for("console.terminals"))


@bp.route("/console/terminals/new", methods=["GET", "POST"])
def new_terminal() -> ResponseReturnValue:
    """Ask where the new till stands and what it is called, then show its code."""
    tools = access.tools()
    choices = [(each.location_id, each.name) for each in shop.locations(tools)]
    if request.method != "POST":
        return render_template(
            "console/terminal_new.html", form={}, wrong={}, locations=choices
        )
    try:
        issued = shop.enrolment(
            tools,
            location_id=id_or_none(request.form.get("location_id")),
            name=request.form.get("name", ""),
            by=access.console(),
        )
    except InvalidRequest as error:
        return again("console/terminal_new.html", error, locations=choices)
    keep_shown(issued)
    return redirect(url_for("console.enrolment", nonce=issued.nonce.hex()))


def keep_shown(issued: IssuedCode) -> None:
    """Keep a code in this browser, so that its page may be loaded again.

    Never in an address: addresses are remembered, and sent along.
    """
    session[_SHOWN] = {
        "code": issued.code,
        "url": issued.url,
        "not_after": issued.not_after.isoformat(),
        "nonce": issued.nonce.hex(),
    }


@bp.get("/console/terminals/new/<nonce>")
def enrolment(nonce: str) -> ResponseReturnValue:
    """Show an enrolment code until a device has used it."""
    facts = enrolment_facts(nonce)
    if facts is None:
        return redirect(url_for("console.new_terminal"))
    return render_template("console/enrolment.html", **facts)


def enrolment_facts(nonce: str) -> dict[str, Any] | None:
    """Tell what the page of a code shows; None in a browser that did not ask for it."""
    shown = session.get(_SHOWN)
    if not isinstance(shown, dict) or shown.get("nonce") != nonce:
        return None
    tools = access.tools()
    found = shop.enrolment_state(tools, bytes.fromhex(nonce))
    left = datetime.fromisoformat(shown["not_after"]) - tools.now()
    seconds = max(0, math.floor(left.total_seconds()))
    is_over = found.state == "waiting" and not seconds
    picture = qr.svg(shown["url"], title=gettext("Code for the new till"))
    return {
        "state": "expired" if is_over else found.state,
        "name": found.terminal_name or "",
        "location_name": found.location_name or "",
        "picture": Markup(picture),  # noqa: S704 -- drawn by us
        "code": shown["code"],
        "counter_url": f"{tools.settings.origin}/counter/",
        "seconds": seconds,
        "left": f"{seconds // 60}:{seconds % 60:02}",
        "state_url": url_for("console.enrolment_state", nonce=nonce),
    }


@bp.get("/console/terminals/new/<nonce>/state")
def enrolment_state(nonce: str) -> ResponseReturnValue:
    """Say as JSON whether a device has used the code."""
    try:
        found = shop.enrolment_state(access.tools(), bytes.fromhex(nonce))
    except ValueError as error:
        raise NotFound from error
    return jsonify(
        state=found.state, name=found.terminal_name, location_name=found.location_name
    )


@bp.post("/console/terminals/<uuid:terminal_id>/revoke")
def revoke_terminal(terminal_id: UUID) -> ResponseReturnValue:
    """Stop a till."""
    shop.revoke_terminal(access.tools(), terminal_id, by=access.console())
    flash(gettext("Till removed."))
    return redirect(url_for("console.terminals"))


def _row(each: TerminalView, now: datetime, zone: ZoneInfo) -> dict[str, object]:
    """Put a terminal into words."""
    is_revoked = each.revoked_at is not None
    is_at_work = not is_revoked and each.seen_at and now - each.seen_at < _AT_WORK
    if each.revoked_at is not None:
        seen = gettext(
            "Removed %(when)s", when=when(each.revoked_at, zone=zone, now=now)
        )
    elif each.seen_at is None:
        seen = gettext("Not seen yet")
    else:
        seen = gettext("Seen %(when)s", when=when(each.seen_at, zone=zone, now=now))
    return {
        "terminal_id": each.terminal_id,
        "name": each.name,
        "location_name": each.location_name,
        "is_revoked": is_revoked,
        "seen": seen,
        "is_at_work": is_at_work,
    }

"""The first run: five short pages from a new installation to the first stamp.

Every page does what the console's own page for it does, through the same verbs, and can
be left for later; nothing here is a state of its own, so it can be walked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from app.programme import shop
from app.programme.cards import ProgrammeView
from app.programme.errors import InvalidRequest
from app.programme.founding import UNNAMED
from app.programme.shop import LocationView
from app.web.console.look import chosen, look_facts, save_logo, zones
from app.web.console.premises import enrolment_facts, keep_shown
from app.web.console.programme import first_programme, join_url, whole
from app.web.console.room import bp, form_values, sentences
from app.web.shared import access


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the first run: where it is, and what it is about in a word."""

    endpoint: str
    word: Any


PAGES: Final = (
    Page("console.setup_shop", lazy_gettext("Shop")),
    Page("console.setup_programme", lazy_gettext("Card")),
    Page("console.setup_look", lazy_gettext("Look")),
    Page("console.setup_till", lazy_gettext("Till")),
    Page("console.setup_barista", lazy_gettext("Barista")),
)


@bp.get("/console/setup")
def setup() -> ResponseReturnValue:
    """Begin."""
    return redirect(url_for(PAGES[0].endpoint))


@bp.route("/console/setup/shop", methods=["GET", "POST"])
def setup_shop() -> ResponseReturnValue:
    """Ask what the shop and its first place are called."""
    tools, by = access.tools(), access.console()
    now, place = shop.shop(tools), _first_place()
    if request.method != "POST":
        values = {
            "name": now.name,
            "timezone": now.timezone,
            "place": place.name if place else "",
            "you": "" if by.name == UNNAMED else by.name,
        }
        return _page("shop", values, zones=zones())
    try:
        _name_owner(request.form.get("you", ""))
        shop.update_shop(
            tools,
            name=request.form.get("name", ""),
            colour=now.colour,
            timezone=request.form.get("timezone", ""),
            by=by,
        )
        _name_place(place, request.form.get("place", ""))
    except InvalidRequest as error:
        return _page("shop", form_values(), error, zones=zones()), 422
    return redirect(url_for("console.setup_programme"))


@bp.route("/console/setup/card", methods=["GET", "POST"])
def setup_programme() -> ResponseReturnValue:
    """Ask what the card gives, and after how many stamps."""
    now = first_programme()
    if request.method != "POST":
        return _page("programme", _programme_values(now))
    try:
        shop.save_programme(
            access.tools(),
            programme_id=now.programme_id if now else None,
            name=request.form.get("name", ""),
            reward=request.form.get("reward", ""),
            stamps_required=whole(request.form.get("stamps_required", "")),
            terms=now.terms if now else "",
            is_open=True,
            voucher_days=now.voucher_days if now else None,
            by=access.console(),
        )
    except InvalidRequest as error:
        return _page("programme", form_values(), error), 422
    return redirect(url_for("console.setup_look"))


@bp.route("/console/setup/look", methods=["GET", "POST"])
def setup_look() -> ResponseReturnValue:
    """Let the owner choose colour and stamps, with the card beside them."""
    tools = access.tools()
    now = shop.shop(tools)
    if request.method != "POST":
        values = {"colour": now.colour, "stamp_shape": now.stamp_shape}
        return _page("look", values, well=now.colour, **look_facts(now.stamp_shape))
    try:
        save_logo()
        shop.update_shop(
            tools,
            name=now.name,
            colour=request.form.get("colour", ""),
            timezone=now.timezone,
            stamp_shape=request.form.get("stamp_shape"),
            by=access.console(),
        )
    except InvalidRequest as error:
        return _page("look", form_values(), error, **chosen(now, error)), 422
    return redirect(url_for("console.setup_till"))


@bp.route("/console/setup/till", methods=["GET", "POST"])
def setup_till() -> ResponseReturnValue:
    """Name the first till and show the code that makes a device one."""
    tools, place = access.tools(), _first_place()
    if place is None:
        return redirect(url_for("console.setup_shop"))
    tills = [each for each in shop.terminals(tools) if each.revoked_at is None]
    if request.method != "POST":
        return _page("till", {"name": gettext("Front counter")}, tills=tills)
    try:
        issued = shop.enrolment(
            tools,
            location_id=place.location_id,
            name=request.form.get("name", ""),
            by=access.console(),
        )
    except InvalidRequest as error:
        return _page("till", form_values(), error, tills=tills), 422
    keep_shown(issued)
    return redirect(url_for("console.setup_till_code", nonce=issued.nonce.hex()))


@bp.get("/console/setup/till/<nonce>")
def setup_till_code(nonce: str) -> ResponseReturnValue:
    """Show the code until a device has used it."""
    facts = enrolment_facts(nonce)
    if facts is None:
        return redirect(url_for("console.setup_till"))
    return _page("till_code", {}, None, step="till", **facts)


@bp.route("/console/setup/barista", methods=["GET", "POST"])
def setup_barista() -> ResponseReturnValue:
    """Add the first person who gives stamps."""
    if request.method != "POST":
        return _page("barista", {})
    try:
        shop.add_staff(
            access.tools(),
            name=request.form.get("name", ""),
            role="barista",
            pin=request.form.get("pin", ""),
            location_id=None,
            email="",
            password="",
            by=access.console(),
        )
    except InvalidRequest as error:
        return _page("barista", form_values(), error), 422
    return redirect(url_for("console.setup_done"))


@bp.get("/console/setup/done")
def setup_done() -> ResponseReturnValue:
    """Say what to do for the first stamp."""
    tills = [each for each in shop.terminals(access.tools()) if each.revoked_at is None]
    return _page("done", {}, has_till=bool(tills), join_url=join_url())


def _page(
    template: str,
    form: dict[str, str],
    error: InvalidRequest | None = None,
    *,
    step: str | None = None,
    **facts: Any,
) -> str:
    """Render one page, with its place in the row."""
    endpoint = f"console.setup_{step or template}"
    ends = [page.endpoint for page in PAGES]
    at = ends.index(endpoint) if endpoint in ends else len(PAGES)
    return render_template(
        f"console/setup_{template}.html",
        form=form,
        wrong=sentences(error) if error else {},
        pages=PAGES,
        at=at,
        next_url=url_for(ends[at + 1] if at + 1 < len(ends) else "console.setup_done"),
        back_url=url_for(ends[at - 1]) if at else None,
        **facts,
    )


def _first_place() -> LocationView | None:
    return next(iter(shop.locations(access.tools())), None)


def _name_place(place: LocationView | None, name: str) -> None:
    """Name the first place.

    Raises:
        InvalidRequest: ``place`` makes no sense.
    """
    tools, by = access.tools(), access.console()
    if place is not None and place.name == name.strip():
        return
    try:
        if place is None:
            shop.add_location(tools, name=name, by=by)
        else:
            shop.rename_location(tools, place.location_id, name=name, by=by)
    except InvalidRequest as error:
        raise InvalidRequest({"place": error.fields["name"]}) from error


def _name_owner(name: str) -> None:
    """Name the person who sets the shop up; nothing typed leaves the name.

    Raises:
        InvalidRequest: ``you`` makes no sense.
    """
    by = access.console()
    if not name.strip():
        return
    try:
        shop.rename_staff(access.tools(), by.staff_id, name=name, by=by)
    except InvalidRequest as error:
        raise InvalidRequest({"you": error.fields["name"]}) from error


def _programme_values(now: ProgrammeView | None) -> dict[str, str]:
    if now is None:
        return {"stamps_required": "10"}
    return {
        "name": now.name,
        "reward": now.reward,
        "stamps_required": str(now.stamps_required),
    }

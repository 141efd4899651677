"""Staff: who works here, with what PIN and what rights."""

from __future__ import annotations

from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.programme import own_cards, shop
from app.programme.errors import InvalidRequest
from app.programme.shop import StaffView
from app.web.console.room import (
    ROLE_NAMES,
    again,
    bp,
    form_values,
    id_or_none,
    sentences,
)
from app.web.shared import access


@bp.get("/console/staff")
def staff() -> ResponseReturnValue:
    """List who works here."""
    people = shop.staff_members(access.tools())
    active = [each for each in people if each.is_active]
    return render_template(
        "console/staff.html",
        active=active,
        inactive=[each for each in people if not each.is_active],
        only_you=len(people) == 1,
    )


@bp.route("/console/staff/new", methods=["GET", "POST"])
def new_staff() -> ResponseReturnValue:
    """Add a person."""
    facts = {"roles": _roles(), "locations": _locations()}
    if request.method != "POST":
        values = {"role": "barista"}
        return render_template("console/staff_new.html", form=values, wrong={}, **facts)
    try:
        shop.add_staff(
            access.tools(),
            name=request.form.get("name", ""),
            role=request.form.get("role", ""),
            pin=request.form.get("pin", ""),
            location_id=id_or_none(request.form.get("location_id")),
            email=request.form.get("email", ""),
            password=request.form.get("password", ""),
            by=access.console(),
        )
    except InvalidRequest as error:
        return again("console/staff_new.html", error, **facts)
    flash(gettext("Added."))
    return redirect(url_for("console.staff"))


@bp.get("/console/staff/<uuid:staff_id>")
def staff_member(staff_id: UUID) -> ResponseReturnValue:
    """Show one person."""
    person = shop.staff_member(access.tools(), staff_id)
    return _page(person, {"email": person.email or "", "name": person.name}, {})


@bp.post("/console/staff/<uuid:staff_id>/name")
def rename_staff(staff_id: UUID) -> ResponseReturnValue:
    """Give a person another name."""
    tools = access.tools()
    try:
        shop.rename_staff(
            tools, staff_id, name=request.form.get("name", ""), by=access.console()
        )
    except InvalidRequest as error:
        person = shop.staff_member(tools, staff_id)
        values = {"email": person.email or "", **form_values()}
        return _page(person, values, sentences(error)), 422
    flash(gettext("The new name holds from now on."))
    return redirect(url_for("console.staff_member", staff_id=staff_id))


@bp.post("/console/staff/<uuid:staff_id>/pin")
def set_pin(staff_id: UUID) -> ResponseReturnValue:
    """Give a person a new PIN."""
    tools = access.tools()
    try:
        shop.set_pin(
            tools, staff_id, pin=request.form.get("pin", ""), by=access.console()
        )
    except InvalidRequest as error:
        person = shop.staff_member(tools, staff_id)
        values = {"email": person.email or "", "name": person.name}
        return _page(person, values, sentences(error)), 422
    flash(gettext("The new PIN holds from now on."))
    return redirect(url_for("console.staff_member", staff_id=staff_id))


@bp.post("/console/staff/<uuid:staff_id>/console-access")
def set_console_access(staff_id: UUID) -> ResponseReturnValue:
    """Give a person an email and password for the console."""
    tools = access.tools()
    try:
        shop.set_console_access(
            tools,
            staff_id,
            email=request.form.get("email", ""),
            password=request.form.get("password", ""),
            by=access.console(),
            kept=access.token("console"),
        )
    except InvalidRequest as error:
        person = shop.staff_member(tools, staff_id)
        values = {"name": person.name, **form_values()}
        return _page(person, values, sentences(error)), 422
    flash(gettext("The new sign-in holds from now on."))
    return redirect(url_for("console.staff_member", staff_id=staff_id))


@bp.post("/console/staff/<uuid:staff_id>/own-card")
def own_card(staff_id: UUID) -> ResponseReturnValue:
    """Take down that a card is a person's own."""
    tools = access.tools()
    try:
        own_cards.say_by_number(
            tools, staff_id, request.form.get("number", ""), by=access.console()
        )
    except InvalidRequest as error:
        person = shop.staff_member(tools, staff_id)
        values = {"email": person.email or "", "name": person.name, **form_values()}
        return _page(person, values, sentences(error)), 422
    flash(gettext("Saved."))
    return redirect(url_for("console.staff_member", staff_id=staff_id))


@bp.post("/console/staff/<uuid:staff_id>/own-card/<uuid:card_id>/remove")
def not_own_card(staff_id: UUID, card_id: UUID) -> ResponseReturnValue:
    """Take down that a card is not a person's own after all."""
    own_cards.take_back(access.tools(), staff_id, card_id, by=access.console())
    flash(gettext("Saved."))
    return redirect(url_for("console.staff_member", staff_id=staff_id))


@bp.post("/console/staff/<uuid:staff_id>/sign-out")
def sign_staff_out(staff_id: UUID) -> ResponseReturnValue:
    """End a person's sessions everywhere."""
    shop.sign_out_everywhere(access.tools(), staff_id, by=access.console())
    flash(gettext("Signed out everywhere."))
    return redirect(url_for("console.staff_member", staff_id=staff_id))


@bp.post("/console/staff/<uuid:staff_id>/<to>")
def set_active(staff_id: UUID, to: str) -> ResponseReturnValue:
    """Switch a person off or on again."""
    if to not in {"on", "off"}:
        abort(404)
    shop.set_active(access.tools(), staff_id, is_active=to == "on", by=access.console())
    flash(gettext("Switched on.") if to == "on" else gettext("Switched off."))
    return redirect(url_for("console.staff"))


def _page(person: StaffView, form: dict[str, str], wrong: dict[str, str]) -> str:
    return render_template(
        "console/staff_member.html",
        person=person,
        may_change=shop.may_change(access.console(), person.role),
        own_cards=own_cards.of_person(access.tools(), person.staff_id),
        form=form,
        wrong=wrong,
    )


def _roles() -> list[tuple[str, object, str]]:
    """Tell the roles that this caller may give, with what each may do."""
    texts = {
        "barista": gettext("Gives stamps and hands out rewards."),
        "manager": gettext("Also keeps this console, but cannot change owners."),
        "owner": gettext("May do everything."),
    }
    me = access.console()
    return [
        (role, ROLE_NAMES[role], text)
        for role, text in texts.items()
        if shop.may_change(me, role)
    ]


def _locations() -> list[tuple[object, str]]:
    return [
        ("", gettext("Every location")),
        *((each.location_id, each.name) for each in shop.locations(access.tools())),
    ]

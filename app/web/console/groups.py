"""Groups of customers and the invitations to them."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, gettext, lazy_gettext

from app.programme import eligible
from app.programme.eligible import InvitationView
from app.programme.errors import InvalidRequest
from app.web.console.programme import typed_day, whole
from app.web.console.room import again, bp, form_values, sentences
from app.web.shared import access, moments
from signing import qr

_STATES: Final = {
    "good": (lazy_gettext("Works"), "given"),
    "used_up": (lazy_gettext("Used up"), "plain"),
    "over": (lazy_gettext("Its last day is over"), "plain"),
    "ended": (lazy_gettext("Ended"), "refused"),
}
_WAYS: Final = {
    "console": lazy_gettext("put in here"),
    "till": lazy_gettext("put in at a till"),
    "invitation": lazy_gettext("by invitation"),
}


@bp.route("/console/groups", methods=["GET", "POST"])
def groups() -> ResponseReturnValue:
    """List the groups, and make one."""
    tools = access.tools()
    if request.method != "POST":
        return render_template(
            "console/groups.html", form={}, wrong={}, groups=eligible.groups(tools)
        )
    try:
        group_id = eligible.add_group(
            tools,
            name=request.form.get("name", ""),
            staff_may_add=request.form.get("staff_may_add") == "1",
            by=access.console(),
        )
    except InvalidRequest as error:
        return again("console/groups.html", error, groups=eligible.groups(tools))
    return redirect(url_for("console.group", group_id=group_id))


@bp.route("/console/groups/<uuid:group_id>", methods=["GET", "POST"])
def group(group_id: UUID) -> ResponseReturnValue:
    """Show a group, and change its name and who may fill it."""
    if request.method != "POST":
        return _page(group_id)
    try:
        eligible.save_group(
            access.tools(),
            group_id,
            name=request.form.get("name", ""),
            staff_may_add=request.form.get("staff_may_add") == "1",
            by=access.console(),
        )
    except InvalidRequest as error:
        return _page(group_id, error)
    flash(gettext("Saved."))
    return redirect(url_for("console.group", group_id=group_id))


@bp.post("/console/groups/<uuid:group_id>/members")
def put_in_group(group_id: UUID) -> ResponseReturnValue:
    """Put a customer in, by a card's number."""
    try:
        number = request.form.get("number", "")
        eligible.put_in_by_number(access.tools(), group_id, number, by=access.console())
    except InvalidRequest as error:
        return _page(group_id, error)
    flash(gettext("They are in the group."))
    return redirect(url_for("console.group", group_id=group_id))


@bp.post("/console/groups/<uuid:group_id>/members/<uuid:member_id>/out")
def take_out_of_group(group_id: UUID, member_id: UUID) -> ResponseReturnValue:
    """Take a customer out."""
    eligible.take_out(access.tools(), group_id, member_id, by=access.console())
    flash(gettext("They are out of the group."))
    return redirect(url_for("console.group", group_id=group_id))


@bp.post("/console/groups/<uuid:group_id>/invitations")
def new_invitation(group_id: UUID) -> ResponseReturnValue:
    """Make an invitation."""
    try:
        made = eligible.invite(
            access.tools(),
            group_id,
            name=request.form.get("about", ""),
            most_uses=whole(request.form.get("most_uses", "")),
            last_day=typed_day("last_day"),
            by=access.console(),
        )
    except InvalidRequest as error:
        fields = dict(error.fields)
        if "name" in fields:
            fields["about"] = fields.pop("name")
        return _page(group_id, InvalidRequest(fields))
    return redirect(url_for("console.invitation", invitation_id=made))


@bp.get("/console/invitations/<uuid:invitation_id>")
def invitation(invitation_id: UUID) -> ResponseReturnValue:
    """Show a page to print or send: what it opens, and how."""
    found = eligible.invitation(access.tools(), invitation_id)
    return render_template(
        "console/invitation.html",
        of=found,
        link=_link(found),
        until=format_date(found.expires_at, "long") if found.expires_at else "",
    )


@bp.get("/console/invitations/<uuid:invitation_id>.svg")
def invitation_picture(invitation_id: UUID) -> ResponseReturnValue:
    """Draw an invitation's link as a QR code."""
    found = eligible.invitation(access.tools(), invitation_id)
    picture = qr.svg(_link(found), title=gettext("QR code of the invitation"))
    return Response(picture, mimetype="image/svg+xml")


@bp.post("/console/invitations/<uuid:invitation_id>/end")
def end_invitation(invitation_id: UUID) -> ResponseReturnValue:
    """End an invitation."""
    tools = access.tools()
    found = eligible.invitation(tools, invitation_id)
    eligible.end_invitation(tools, invitation_id, by=access.console())
    flash(gettext("It works no more. Who has used it stays in the group."))
    return redirect(url_for("console.group", group_id=found.group_id))


def _page(group_id: UUID, error: InvalidRequest | None = None) -> ResponseReturnValue:
    tools = access.tools()
    found, inside = eligible.group(tools, group_id)
    form = {
        "name": found.name,
        "staff_may_add": "1" if found.staff_may_add else "0",
        "most_uses": "1",
    }
    page = render_template(
        "console/group.html",
        of=found,
        form={**form, **form_values()} if error else form,
        wrong=sentences(error) if error else {},
        people=[
            (each, str(_WAYS[each.way]), moments.day_and_year(each.since_at))
            for each in inside
        ],
        invitations=[_row(each) for each in eligible.of_group(tools, group_id)],
    )
    return page, 422 if error else 200


def _row(each: InvitationView) -> dict[str, Any]:
    state, tone = _STATES[each.state]
    return {
        "of": each,
        "state": state,
        "tone": tone,
        "used": gettext(
            "used %(uses)s of %(most)s times", uses=each.uses, most=each.most_uses
        ),
        "until": gettext(
            "until %(day)s",
            day=moments.day_in_words(each.expires_at, access.tools().now()),
        )
        if each.expires_at
        else "",
    }


def _link(found: InvitationView) -> str:
    return f"{access.tools().settings.origin}/invited/{found.code}"

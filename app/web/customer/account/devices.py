"""Where a customer is signed in, and signing out what is lost."""

from __future__ import annotations

from uuid import UUID

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from app.programme.account import devices as signed_in
from app.web.customer.room import bp
from app.web.shared import access, moments


def summary(member_id: UUID) -> str:
    """Tell on how many phones a customer is signed in."""
    count = len(signed_in.devices(access.tools(), member_id, None))
    return str(ngettext("One phone", "%(num)s phones", count))


@bp.get("/account/devices")
def devices() -> str:
    """List them."""
    caller = access.member()
    found = signed_in.devices(access.tools(), caller.member_id, access.token("member"))
    return render_template(
        "customer/account/devices.html",
        devices=[
            (
                one,
                moments.day_and_year(one.first_at),
                f"{moments.day(one.last_at)}, {moments.time(one.last_at)}",
            )
            for one in found
        ],
    )


@bp.post("/account/devices/sign-out")
def sign_out_device() -> ResponseReturnValue:
    """Sign out the one that the form names, or this one."""
    caller, token = access.member(), access.token("member")
    named = request.form.get("device_id", "")
    found = signed_in.devices(access.tools(), caller.member_id, token)
    if any(one.is_this and one.device_id == named for one in found):
        answer = make_response(redirect(url_for("customer.join"), 303))
        access.end(answer, "member")
        return answer
    signed_in.sign_out(access.tools(), caller.member_id, named)
    flash(gettext("Signed out. It learns of it with its next tap."))
    return redirect(url_for("customer.devices"), 303)


@bp.post("/account/devices/sign-out-others")
def sign_out_others() -> ResponseReturnValue:
    """Sign out every phone but this one, as when one was lost."""
    caller = access.member()
    count = signed_in.sign_out_others(
        access.tools(), caller.member_id, access.token("member") or ""
    )
    flash(
        ngettext(
            "One other phone was signed out.",
            "%(num)s other phones were signed out.",
            count,
        )
        if count
        else gettext("You are signed in nowhere else.")
    )
    return redirect(url_for("customer.devices"), 303)

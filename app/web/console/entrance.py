"""Signing in to the console, and out."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.programme import staff
from app.programme.errors import LimitReached, Unauthenticated
from app.web.console.room import bp, form_values
from app.web.shared import access
from app.web.shared.errors import sentence


@bp.route("/console/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Ask for email and password; send on to the page that was wanted."""
    if request.method != "POST":
        if access.console_or_none() is not None:
            return redirect(_wanted(request.args.get("next")))
        wanted = request.args.get("next", "")
        return render_template("console/sign_in.html", form={"next": wanted}, wrong={})
    try:
        signed_in = staff.console_sign_in(
            access.tools(),
            request.form.get("email", ""),
            request.form.get("password", ""),
            device=request.remote_addr or "127.0.0.1",
        )
    except Unauthenticated:
        # One sentence for both, so that nobody learns who works here.
        refusal = gettext("That email and password do not belong together.")
        return _refused(refusal, HTTPStatus.UNAUTHORIZED)
    except LimitReached as error:
        return _refused(sentence(error), HTTPStatus.TOO_MANY_REQUESTS)
    response = make_response(redirect(_wanted(request.form.get("next"))))
    access.replace(response, "console", signed_in.token)
    return response


@bp.post("/console/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this browser's session, in the books too."""
    response = make_response(redirect(url_for("console.sign_in")))
    access.end(response, "console")
    return response


def _refused(refusal: str, status: HTTPStatus) -> ResponseReturnValue:
    page = render_template(
        "console/sign_in.html", form=form_values(), wrong={}, refusal=refusal
    )
    return page, status


def _wanted(path: str | None) -> str:
    """Trust a path only within the console: never another host."""
    home = url_for("console.home")
    is_plain = path is not None and path.isprintable() and "\\" not in path
    if path is None or not is_plain or not path.startswith("/console/"):
        return home
    return path

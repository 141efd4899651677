"""What the form for joining asks of a customer."""

from __future__ import annotations

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from app.programme.account import asked
from app.programme.errors import InvalidRequest
from app.web.console.room import again, bp
from app.web.shared import access

#: Each field: its name, what it is called, and what it is good for.
_FIELDS: Final = (
    ("name", lazy_gettext("Name"), lazy_gettext("The barista reads it at the till.")),
    (
        "email",
        lazy_gettext("Email"),
        lazy_gettext("For the welcome, and to open the card on a new phone."),
    ),
    (
        "phone",
        lazy_gettext("Phone"),
        lazy_gettext("For you to call."),
    ),
    ("birthday", lazy_gettext("Birthday"), lazy_gettext("It can be set once a year.")),
    ("address", lazy_gettext("Address"), lazy_gettext("For letters by post.")),
)
_CHOICES: Final = (
    ("hidden", lazy_gettext("Not asked")),
    ("optional", lazy_gettext("If they like")),
    ("required", lazy_gettext("Has to be filled in")),
)


@bp.route("/console/joining", methods=["GET", "POST"])
def joining() -> ResponseReturnValue:
    """Show what the form asks, and change it."""
    tools = access.tools()
    facts = {"fields": _FIELDS, "choices": _CHOICES}
    if request.method != "POST":
        now = asked.asked(tools)
        return render_template("console/joining.html", form=now, wrong={}, **facts)
    try:
        asked.save(tools, request.form, by=access.console())
    except InvalidRequest as error:
        return again("console/joining.html", error, **facts)
    flash(gettext("Saved."))
    return redirect(url_for("console.joining"))

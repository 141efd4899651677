"""What every page of the customer has: its blueprint, and its way to refuse."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, url_for
from flask_babel import gettext

from app.programme.errors import Unauthenticated

bp = Blueprint(
    "customer",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/customer",
)


@bp.errorhandler(Unauthenticated)
def not_on_this_phone(_error: Unauthenticated) -> Response:
    """Say that the card lives elsewhere: customers have nothing to sign in with."""
    page = render_template(
        "shared/error.html",
        title=gettext("This card is not on this phone"),
        detail=gettext(
            "Open it on the phone and in the browser where you got it, or get a card "
            "for this one."
        ),
        icon_name="phone",
        next_url=url_for("customer.home"),
        next_label=gettext("Get my card"),
    )
    return respond(page, 401)


def respond(page: str, status: int) -> Response:
    """Answer with a page."""
    return make_response(page, status)

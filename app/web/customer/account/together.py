"""Two cards of one customer put together: a link of this phone, opened on the other."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from app.programme import merging
from app.programme.errors import InvalidRequest, NotFound
from app.web.customer.room import bp, respond
from app.web.shared import access
from signing import qr


@bp.get("/account/merge")
def merge_link() -> str:
    """Show the link by which another phone gives its cards to this one."""
    caller = access.member()
    link = merging.link(access.tools(), caller.member_id)
    picture = qr.svg(link, title=gettext("QR code for your other phone"))
    return render_template(
        "customer/account/merge.html",
        link=link,
        picture=Markup(picture),  # noqa: S704 -- drawn by us
    )


@bp.get("/merge/<text>")
def merge(text: str) -> Response:
    """Say what would go to which card; looking moves nothing."""
    caller = access.member()
    try:
        going = merging.looked(access.tools(), text, giver_id=caller.member_id)
    except (NotFound, InvalidRequest) as refusal:
        return _not_so(refusal)
    page = render_template("customer/account/merging.html", going=going, text=text)
    return respond(page, 200)


@bp.post("/merge/<text>")
def merge_now(text: str) -> AnyResponse:
    """Give this phone's cards to whoever made the link."""
    caller = access.member()
    try:
        merging.give(access.tools(), text, giver_id=caller.member_id)
    except (NotFound, InvalidRequest) as refusal:
        return _not_so(refusal)
    flash(gettext("Your cards are one now."))
    return redirect(url_for("customer.account"), 303)


def _not_so(refusal: NotFound | InvalidRequest) -> Response:
    is_own = isinstance(refusal, InvalidRequest)
    title, detail = (
        gettext("This link does not work"),
        gettext("It is good for a few minutes. Show a new one on the other phone."),
    )
    if isinstance(refusal, InvalidRequest) and "number" in refusal.fields:
        title = gettext("This card has a paid membership")
        detail = gettext(
            "Do it the other way round: show the link here, and open it with the phone "
            "of the other card."
        )
    elif is_own:
        title = gettext("Open it on your other phone")
        detail = gettext("This phone has the card that the link leads to.")
    page = render_template(
        "shared/error.html",
        title=title,
        detail=detail,
        icon_name="phone",
        next_url=url_for("customer.newest"),
        next_label=gettext("Back to the card"),
    )
    return respond(page, 409 if is_own else 404)

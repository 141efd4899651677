"""What a customer gets by mail: chosen on the account's page, ended from each mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.programme import consents, members
from app.programme.consents import Choice, Told
from app.programme.errors import NotFound
from app.web.customer.account import wordings
from app.web.customer.room import bp, respond
from app.web.shared import access, moments


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what was said."""

    words: str
    language: str
    at: datetime
    when: str
    is_given: bool


@bp.get("/account/mail")
def consents_page() -> str:
    """Show what a customer wants to get, and what they said before."""
    caller = access.member()
    tools = access.tools()
    given = consents.given(tools, caller.member_id)
    return render_template(
        "customer/account/consents.html",
        question=wordings.question(given),
        email=members.member(tools, caller.member_id).email,
        lines=[_line(told) for told in consents.history(tools, caller.member_id)],
    )


@bp.post("/account/mail")
def choose_consents() -> AnyResponse:
    """Keep what a customer ticked, with the sentences that they read."""
    caller = access.member()
    if not wordings.is_shown():
        flash(gettext("The sentences have changed. Please look at them again."))
        return redirect(url_for("customer.consents_page"), 303)
    consents.choose(
        access.tools(), caller.member_id, wordings.choices(), channel="account"
    )
    flash(gettext("Kept."))
    return redirect(url_for("customer.consents_page"), 303)


@bp.get("/unsubscribe/<text>")
def unsubscribe(text: str) -> Response:
    """Ask whether mail of a kind shall end; opening a link ends nothing."""
    tools = access.tools()
    try:
        link = consents.opened(tools, text)
    except NotFound:
        return _not_a_link()
    is_given = link.kind in consents.given(tools, link.member_id)
    return _page(link.kind, text, state="ask" if is_given else "none")


@bp.post("/unsubscribe/<text>")
def unsubscribed(text: str) -> Response:
    """End mail of a kind: for a person's tap, and for a mail program's (RFC 8058).

    No form token is asked: the link itself is the right to end it, and to no more.
    """
    tools = access.tools()
    try:
        link = consents.opened(tools, text)
        words = wordings.wording(link.kind)
        choice = Choice(link.kind, is_given=False, wording=words)
        consents.choose(tools, link.member_id, [choice], channel="mail")
    except NotFound:
        return _not_a_link()
    return _page(link.kind, text, state="done")


def summary(member_id: UUID) -> str:
    """Say below the account's row what is wanted."""
    given = consents.given(access.tools(), member_id)
    wanted = [wordings.title(kind) for kind in consents.KINDS if kind in given]
    return ", ".join(wanted) or str(gettext("Nothing but what you ask for"))


def _line(told: Told) -> Line:
    return Line(
        told.wording.sentence,
        told.wording.language,
        told.at,
        moments.day_and_year(told.at),
        told.is_given,
    )


def _page(kind: str, text: str, *, state: str) -> Response:
    page = render_template(
        "customer/unsubscribe.html", ends=wordings.title(kind), text=text, state=state
    )
    return respond(page, 200)


def _not_a_link() -> Response:
    page = render_template(
        "shared/error.html",
        title=gettext("This link does not work"),
        detail=gettext(
            "It may be cut off, or very old. Take the link of a newer mail, or choose "
            "in your account what you get."
        ),
        icon_name="info",
        next_url=url_for("customer.consents_page"),
        next_label=gettext("What I get by mail"),
    )
    return respond(page, 404)

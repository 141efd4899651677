"""A customer's e-mail address: confirmed, and changed when both mailboxes say yes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.programme.account import addresses
from app.programme.account import details as contacts
from app.programme.account.addresses import Change
from app.programme.errors import InvalidRequest, NotFound
from app.web.customer.room import bp, respond
from app.web.shared import access, moments
from app.web.shared.errors import field_sentence


def summary(member_id: UUID) -> str:
    """Tell the address."""
    return contacts.details(access.tools(), member_id).email or gettext("None yet")


@bp.get("/account/e-mail")
def email() -> str:
    """Show the address, and a change that waits."""
    return _page()


@bp.post("/account/e-mail")
def change_email() -> ResponseReturnValue:
    """Ask for another address, or for this one to be confirmed."""
    caller = access.member()
    try:
        addresses.ask(access.tools(), caller.member_id, request.form.get("email", ""))
    except InvalidRequest as error:
        return _page(error), 422
    return redirect(url_for("customer.email"), 303)


@bp.post("/account/e-mail/code")
def confirm_email() -> ResponseReturnValue:
    """Confirm the new address by the digits that it got."""
    caller = access.member()
    try:
        change = addresses.by_code(
            access.tools(), caller.member_id, request.form.get("code", "")
        )
    except InvalidRequest as error:
        return _page(error), 422
    flash(_told(change))
    return redirect(url_for("customer.email"), 303)


@bp.post("/account/e-mail/stop")
def stop_email() -> ResponseReturnValue:
    """Give the change up."""
    addresses.give_up(access.tools(), access.member().member_id)
    flash(gettext("Nothing was changed."))
    return redirect(url_for("customer.email"), 303)


@bp.get("/e-mail/<side>/<link>")
def answer_email(side: str, link: str) -> ResponseReturnValue:
    """Ask a mailbox for its yes or no. Changes nothing."""
    change = addresses.look(access.tools(), link, _side(side))
    return respond(_answer_page(side, link, change), 200 if change else 410)


@bp.post("/e-mail/<side>/<link>")
def answered_email(side: str, link: str) -> ResponseReturnValue:
    """Take a mailbox's yes or no."""
    tools = access.tools()
    try:
        if request.form.get("answer") == "no":
            addresses.say_no(tools, link, _side(side))
            said = gettext("Stopped. The address stays as it was.")
        else:
            said = _told(addresses.say_yes(tools, link, _side(side)))
    except InvalidRequest as error:
        taken = field_sentence("taken") if "email" in error.fields else ""
        return respond(_answer_page(side, link, None, problem=taken), 410)
    return respond(_answer_page(side, link, None, said=said), 200)


def _side(text: str) -> str:
    if text not in {"new", "old"}:
        raise NotFound
    return text


def _told(change: Change) -> str:
    if change.is_done:
        return str(gettext("Done. Your address is confirmed."))
    if change.is_new_confirmed:
        return str(gettext("Thank you. Now the old address has to say yes."))
    return str(gettext("Thank you. Now the new address has to be confirmed."))


def _answer_page(side: str, link: str, change: Change | None, **facts: Any) -> str:
    return render_template(
        "customer/account/answer.html", side=side, link=link, change=change, **facts
    )


def _page(error: InvalidRequest | None = None) -> str:
    tools, caller = access.tools(), access.member()
    now = contacts.details(tools, caller.member_id)
    change = addresses.under_way(tools, caller.member_id)
    fields = error.fields if error else {}
    return render_template(
        "customer/account/email.html",
        member=now,
        change=change,
        until=moments.day_and_year(change.expires_at) if change else "",
        form=request.form,
        wrong={name: field_sentence(word) for name, word in fields.items()},
    )

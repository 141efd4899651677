"""Opening one's card on another phone: by a mail, or with a passkey.

Opening the mail's link spends nothing (mail programs fetch links); the button on its
page does. Who signs in with the code is held to the browser that asked for it: its
session knows which code is meant, and nobody else's does.
"""

from __future__ import annotations

from uuid import UUID

from flask import make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.programme.account import devices
from app.programme.account import sign_in as mails
from app.programme.errors import InvalidRequest
from app.web.customer.account.passkeys import passkey_texts
from app.web.customer.room import bp, respond
from app.web.shared import access, languages
from app.web.shared.errors import field_sentence


@bp.get("/sign-in")
def sign_in() -> str:
    """Ask for an address."""
    return _page()


@bp.post("/sign-in")
def ask_sign_in() -> ResponseReturnValue:
    """Send the mail; says the same whoever has the address."""
    email = request.form.get("email", "")
    try:
        asked = mails.ask(
            access.tools(),
            email,
            device=request.remote_addr,
            locale=languages.spoken().tag,
        )
    except InvalidRequest as error:
        return _page(error), 422
    session["sign_in"] = {"code": asked.hex, "email": email.strip()}
    return redirect(url_for("customer.sign_in_code"), 303)


@bp.get("/sign-in/code")
def sign_in_code() -> ResponseReturnValue:
    """Ask for the digits of the mail."""
    if _asked() is None:
        return redirect(url_for("customer.sign_in"))
    return _code_page()


@bp.post("/sign-in/code")
def sign_in_by_code() -> ResponseReturnValue:
    """Sign in with them."""
    asked = _asked()
    if asked is None:
        return redirect(url_for("customer.sign_in"), 303)
    try:
        token = mails.by_code(
            access.tools(),
            asked,
            request.form.get("code", ""),
            device=request.remote_addr,
            browser=request.user_agent.string,
        )
    except InvalidRequest as error:
        return _code_page(error), 422
    return _let_in(token)


@bp.get("/sign-in/mail/<link>")
def sign_in_link(link: str) -> ResponseReturnValue:
    """Ask whether this phone shall have the card. Spends nothing."""
    works = mails.link_works(access.tools(), link)
    return respond(_link_page(link, works=works), 200 if works else 410)


@bp.post("/sign-in/mail/<link>")
def sign_in_by_link(link: str) -> ResponseReturnValue:
    """Sign in with the link."""
    try:
        token = mails.by_link(access.tools(), link, browser=request.user_agent.string)
    except InvalidRequest:
        return respond(_link_page(link, works=False), 410)
    return _let_in(token)


@bp.get("/signed-in")
def signed_in() -> str:
    """Welcome on the new phone, and offer to sign out the one that was lost."""
    caller = access.member()
    found = devices.devices(access.tools(), caller.member_id, access.token("member"))
    others = [one for one in found if not one.is_this]
    return render_template("customer/account/signed-in.html", others=others)


def _let_in(token: str) -> ResponseReturnValue:
    session.pop("sign_in", None)
    answer = make_response(redirect(url_for("customer.signed_in"), 303))
    access.replace(answer, "member", token)
    return answer


def _asked() -> UUID | None:
    """Tell which code this browser asked for."""
    try:
        return UUID(session["sign_in"]["code"])
    except (KeyError, TypeError, ValueError):
        return None


def _page(error: InvalidRequest | None = None) -> str:
    fields = error.fields if error else {}
    return render_template(
        "customer/account/sign-in.html",
        email=request.form.get("email", ""),
        wrong={name: field_sentence(word) for name, word in fields.items()},
        has_card=access.member_or_none() is not None,
        texts=passkey_texts(),
    )


def _code_page(error: InvalidRequest | None = None) -> str:
    fields = error.fields if error else {}
    return render_template(
        "customer/account/code.html",
        email=session["sign_in"].get("email", ""),
        wrong={name: field_sentence(word) for name, word in fields.items()},
        is_dead=fields.get("code") == "dead_code",
    )


def _link_page(link: str, *, works: bool) -> str:
    return render_template(
        "customer/account/link.html",
        link=link,
        works=works,
        has_card=access.member_or_none() is not None,
    )

"""A customer's passkeys: added by the browser, listed, taken away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import (
    Response,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.programme.account import passkeys as kept
from app.programme.account.passkeys import Offer
from app.programme.errors import InvalidRequest
from app.web.customer.room import bp
from app.web.shared import access, moments


def summary(member_id: UUID) -> str:
    """Tell how many there are."""
    count = len(kept.passkeys(access.tools(), member_id))
    return str(count) if count else str(gettext("None yet"))


@bp.get("/account/passkeys")
def passkeys() -> str:
    """List them."""
    found = kept.passkeys(access.tools(), access.member().member_id)
    return render_template(
        "customer/account/passkeys.html",
        passkeys=[
            (
                one,
                moments.day_and_year(one.created_at),
                moments.day_and_year(one.used_at) if one.used_at else "",
            )
            for one in found
        ],
        texts=passkey_texts(),
    )


@bp.post("/account/passkeys/offer")
def offer_passkey() -> Response:
    """Ask this browser for a new one."""
    return _offered(kept.offer_registration(access.tools(), access.member().member_id))


@bp.post("/account/passkeys")
def add_passkey() -> Response:
    """Keep what this browser made."""
    said = _said()
    kept.register(
        access.tools(),
        access.member().member_id,
        said["answer"],
        said["seal"],
        browser=request.user_agent.string,
    )
    flash(gettext("Your passkey is ready. It opens your card on a new phone."))
    return jsonify(next=url_for("customer.passkeys"))


@bp.post("/account/passkeys/remove")
def remove_passkey() -> ResponseReturnValue:
    """Take one away."""
    named = request.form.get("credential_id", "")
    kept.remove(access.tools(), access.member().member_id, named)
    flash(gettext("Removed. It opens nothing here any more."))
    return redirect(url_for("customer.passkeys"), 303)


@bp.post("/sign-in/passkey/offer")
def offer_passkey_sign_in() -> Response:
    """Ask a stranger's browser for a passkey of this shop."""
    return _offered(kept.offer_sign_in(access.tools()))


@bp.post("/sign-in/passkey")
def sign_in_by_passkey() -> Response:
    """Sign in with it."""
    said = _said()
    token = kept.sign_in(
        access.tools(),
        said["answer"],
        said["seal"],
        device=request.remote_addr,
        browser=request.user_agent.string,
    )
    answer = make_response(jsonify(next=url_for("customer.signed_in")))
    access.replace(answer, "member", token)
    return answer


def passkey_texts() -> dict[str, str]:
    """Give the sentences that the browser's part says."""
    return {
        "no_network": gettext("No connection. Try again when there is one."),
        "given_up": gettext("Nothing was done. Try again, or sign in by mail."),
        "known": gettext("This device has a passkey for your card already."),
        "busy": gettext("Please wait a moment and try again."),
    }


def _offered(offer: Offer) -> Response:
    return jsonify(options=offer.options, seal=offer.seal)


def _said() -> dict[str, Any]:
    said = request.get_json(silent=True)
    if (
        not isinstance(said, dict)
        or not isinstance(said.get("answer"), dict)
        or not isinstance(said.get("seal"), str)
    ):
        raise InvalidRequest({"passkey": "not_accepted"})
    return said

"""A customer's name, phone, address, birthday and language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app import translations
from app.programme import languages as accounts
from app.programme.account import details as contacts
from app.programme.account.details import Details
from app.programme.errors import InvalidRequest
from app.web.customer.room import bp
from app.web.shared import access, languages, moments
from app.web.shared.errors import field_sentence

_FIELDS: Final = ("name", "phone", "address", "birthday")


def summary(member_id: UUID) -> str:
    """Tell what the account's row says: the name, or nothing."""
    return contacts.details(access.tools(), member_id).name or ""


@bp.route("/account/details", methods=["GET", "POST"])
def details() -> ResponseReturnValue:
    """Show a customer's details and change them."""
    tools, caller = access.tools(), access.member()
    now = contacts.details(tools, caller.member_id)
    if request.method != "POST":
        return _page(now, _values(now), {})
    typed = {name: request.form[name] for name in _FIELDS if name in request.form}
    try:
        chosen = _language()
        contacts.save(tools, caller.member_id, typed)
    except InvalidRequest as error:
        wrong = {name: field_sentence(word) for name, word in error.fields.items()}
        return _page(now, request.form.to_dict(), wrong), 422
    if chosen is not None:
        accounts.keep_for_member(tools, caller.member_id, chosen)
    flash(gettext("Saved."))
    return redirect(url_for("customer.details"), 303)


def _language() -> str | None:
    """Read the language that was chosen; None: nothing was said."""
    said = request.form.get("language")
    if not said:
        return None
    found = translations.language(said)
    if found is None:
        raise InvalidRequest({"language": "not_a_locale"})
    return found.tag


def _values(now: Details) -> dict[str, str]:
    return {
        "name": now.name or "",
        "phone": now.phone or "",
        "address": now.address or "",
        "birthday": now.birthday.isoformat() if now.birthday else "",
        "language": languages.spoken().tag,
    }


def _page(now: Details, form: Mapping[str, str], wrong: Mapping[str, str]) -> str:
    free_at = now.birthday_free_at
    return render_template(
        "customer/account/details.html",
        form=form,
        wrong=wrong,
        number=now.number,
        birthday_stays=moments.day_in_full(free_at) if free_at else "",
    )

"""What is done on a person's behalf: they are erased, or their cards put together."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.programme import card_file, merging, privacy
from app.programme.errors import InvalidRequest
from app.web.console.room import again, bp
from app.web.shared import access


@bp.get("/console/cards/<uuid:card_id>/erase")
def erase_person(card_id: UUID) -> ResponseReturnValue:
    """Say what the person would lose, before it is done."""
    return render_template(
        "console/erase.html", form={}, wrong={}, **_facts(card_id)
    ), HTTPStatus.OK


@bp.post("/console/cards/<uuid:card_id>/erase")
def erase_person_now(card_id: UUID) -> ResponseReturnValue:
    """Forget the person whose card it is, with a reason."""
    tools = access.tools()
    try:
        privacy.erase(
            tools,
            card_file.member_of(tools, card_id),
            digits=request.form.get("digits", ""),
            by=access.console(),
            reason=request.form.get("reason", ""),
        )
    except InvalidRequest as error:
        return again("console/erase.html", error, **_facts(card_id))
    flash(gettext("The person is erased."))
    return redirect(url_for("console.card", card_id=card_id))


@bp.get("/console/cards/<uuid:card_id>/merge")
def merge_cards(card_id: UUID) -> ResponseReturnValue:
    """Ask which card shall be put to this one."""
    return render_template(
        "console/merge.html", form={}, wrong={}, **_facts(card_id)
    ), HTTPStatus.OK


@bp.post("/console/cards/<uuid:card_id>/merge")
def merge_cards_now(card_id: UUID) -> ResponseReturnValue:
    """Put another card of the same person to this one, with a reason."""
    try:
        merging.put_together(
            access.tools(),
            card_id,
            request.form.get("number", ""),
            reason=request.form.get("reason", ""),
            by=access.console(),
        )
    except InvalidRequest as error:
        return again("console/merge.html", error, **_facts(card_id))
    flash(gettext("The cards are one now."))
    return redirect(url_for("console.card", card_id=card_id))


def _facts(card_id: UUID) -> dict[str, object]:
    tools = access.tools()
    number = card_file.number_of(tools, card_id)
    return {
        "card_id": card_id,
        "number": f"N° {number[:4]} {number[4:]}",
        "loss": privacy.loss(tools, card_file.member_of(tools, card_id)),
    }

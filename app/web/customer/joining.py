"""Joining: the page that offers a card, all cards of the shop, and invitations.

A shop may have several cards. `/join` offers the first, `/join/<programme>` one of
them; `/offers` shows all, with what is still missing for those that are not for
everyone; `/invited/<code>` is what an invitation's link opens. Looking uses nothing.
"""

from __future__ import annotations

import secrets
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from flask import make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.programme import eligible, members, terms
from app.programme import shop as shops
from app.programme.account import asked as forms
from app.programme.cards import ProgrammeView
from app.programme.earning import referrals
from app.programme.eligible import Offer, Rules
from app.programme.errors import (
    CardClosed,
    InvalidRequest,
    NotEligible,
    NotFound,
    Refused,
    StoreDown,
)
from app.programme.members import Joined
from app.web.customer import faces
from app.web.customer.account import wordings
from app.web.customer.room import bp, respond
from app.web.shared import access, errors, languages, promises, rule_words
from app.web.shared.errors import field_sentence

#: What the form may ask besides name, e-mail and birthday.
_CONTACT = ("phone", "address")
#: What a form cannot give: it is earned.
_EARNED = {"needs_purchases", "needs_visits"}


@bp.get("/join")
def join() -> str | AnyResponse:
    """Offer a card."""
    if access.member_or_none():
        return redirect(url_for("customer.newest"))
    return _page(members.default_programme(access.tools()))


@bp.post("/join")
def joined() -> AnyResponse:
    """Make a member with a card; a phone that has one keeps it."""
    if access.member_or_none():
        return redirect(url_for("customer.newest"), 303)
    return _take(members.default_programme(access.tools()))


@bp.get("/join/<uuid:programme_id>")
def join_programme(programme_id: UUID) -> str | AnyResponse:
    """Offer one of the shop's cards; whoever has it is led to it."""
    offer = _offer(programme_id)
    if offer is not None and offer.card_id is not None:
        return redirect(url_for("customer.card", card_id=offer.card_id))
    return _page(members.programme(access.tools(), programme_id))


@bp.post("/join/<uuid:programme_id>")
def joined_programme(programme_id: UUID) -> AnyResponse:
    """Give the card to whoever may have it."""
    return _take(members.programme(access.tools(), programme_id))


@bp.get("/offers")
def offers() -> str:
    """Show every card of the shop, and what is missing for each."""
    return _offers_page(_offers(), "")


@bp.get("/invited/<code>")
def invited(code: str) -> str | AnyResponse:
    """Say what an invitation opens. Uses nothing."""
    tools = access.tools()
    eligible.may_try(tools, request.remote_addr or "127.0.0.1")
    found = eligible.peek(tools, code)
    if len(found.programme_ids) == 1:
        return redirect(
            url_for(
                "customer.join_programme",
                programme_id=found.programme_ids[0],
                invitation=found.code,
            )
        )
    rows = [
        row for row in _offers() if row.programme.programme_id in found.programme_ids
    ]
    return _offers_page(rows, found.code, group=found.group_name)


def has_offers(member_id: UUID) -> bool:
    """Tell whether the shop has a card that a member has not."""
    found = eligible.offers(access.tools(), member_id)
    return any(offer.card_id is None for offer in found)


def join_now(
    programme_id: UUID | None = None,
    terms_version: int | None = None,
    *,
    is_form: bool = False,
) -> Joined:
    """Make a member with a card, with what the form says of them.

    Args:
        programme_id: as ``members.join`` has it.
        terms_version: the same.
        is_form: the same: whether what the shop's form requires must be there.

    Raises:
        Refused: what ``members.join`` refuses.
    """
    device = request.remote_addr or "127.0.0.1"
    members.may_join(access.tools(), device)
    begin = partial(
        members.join,
        access.tools(),
        programme_id=programme_id,
        name=request.form.get("name"),
        email=request.form.get("email"),
        device=device,
        browser=request.user_agent.string,
        locale=languages.spoken().tag,
        terms_version=terms_version,
        invite=session.get("invite"),
        invitation=_invitation(),
        birthday=_birthday(),
        choices=wordings.choices(only_given=True),
        contact={name: request.form.get(name, "") for name in _CONTACT},
        is_form=is_form,
    )
    try:
        return begin(join_id=session.get("join"))
    except InvalidRequest as refusal:
        if "join_id" not in refusal.fields:
            raise
        # That joining is long over, and its card is no longer here: this is another.
        session.pop("join")
        prepare()
        return begin(join_id=session["join"])


def prepare() -> None:
    """Give a stranger's browser the secret that makes its double tap one joining."""
    session.setdefault("join", secrets.token_hex(16))


def shape() -> str:
    """Tell the shape of the shop's stamps; the plain one while it cannot be read."""
    try:
        return shops.shop(access.tools()).stamp_shape
    except (NotFound, StoreDown):
        return shops.UNKNOWN_SHOP.stamp_shape


def _take(shown: ProgrammeView) -> AnyResponse:
    """Join, or take another card; say what was wrong on the page."""
    known = access.member_or_none()
    version = request.form.get("terms_version", type=int)
    try:
        if known is None:
            new = join_now(shown.programme_id, version, is_form=True)
            card_id, token = new.card_id, new.token
        else:
            card_id = members.take_card(
                access.tools(),
                known.member_id,
                shown.programme_id,
                terms_version=version,
                invitation=_invitation(),
                birthday=_birthday(),
            ).card_id
            token = ""
    except InvalidRequest as refusal:
        return respond(_page(shown, refusal), 422)
    except NotEligible as refusal:
        return respond(_page(shown, refusal), 403)
    except CardClosed:
        return respond(_page(shown), 409)
    answer = make_response(redirect(url_for("customer.card", card_id=card_id), 303))
    if token:
        access.set_cookie(answer, "member", token)
    return answer


def _invitation() -> str | None:
    """Read an invitation's code, and count that somebody tries one."""
    text = request.form.get("invitation", "").strip()
    if not text:
        return None
    eligible.may_try(access.tools(), request.remote_addr or "127.0.0.1")
    return text


def _birthday() -> date | None:
    text = request.form.get("birthday", "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidRequest({"birthday": "not_a_day"}) from error


def _friend_gets(shown: ProgrammeView) -> str:
    """Say what a member's invitation gives the friend; it is kept until they join."""
    word = request.args.get("invite") or session.get("invite", "")
    tools = access.tools()
    rule = referrals.rule_behind(tools, word, shown.programme_id) if word else None
    if rule is None:
        return ""
    session["invite"] = word
    what = rule_words.units(rule.figures.friend_units, rule.unit, shops.currency(tools))
    return str(
        gettext(
            "A friend invites you: %(what)s for you once you have been here on two "
            "days.",
            what=what,
        )
    )


def _page(shown: ProgrammeView, refusal: Refused | None = None) -> str:
    prepare()
    tools, known = access.tools(), access.member_or_none()
    fields = refusal.fields if isinstance(refusal, InvalidRequest) else {}
    offer = _offer(shown.programme_id)
    rules = offer.rules if offer else eligible.EVERYONE
    coming = terms.coming(tools, shown.programme_id)
    return render_template(
        "customer/join.html",
        view=faces.specimen(shown),
        parts=faces.parts(shape()),
        action=request.path if request.path != "/" else url_for("customer.join"),
        terms=shown.terms,
        promise=promises.of_vouchers(shown.voucher_days),
        coming=promises.of_change(*coming, tools.now()) if coming else None,
        terms_version=shown.terms_version,
        is_open=shown.is_open,
        is_known=known is not None,
        friend_gets="" if known else _friend_gets(shown),
        form=request.form,
        asked=forms.asked(tools),
        question=wordings.question(wordings.ticked()),
        wrong={
            field: field_sentence(word)
            for field, word in fields.items()
            if field in forms.FIRST
        },
        problem=_problem(refusal, offer),
        has_others=len(_offers()) > 1,
        **_asked(rules, offer),
    )


def _asked(rules: Rules, offer: Offer | None) -> dict[str, Any]:
    """Tell for whom the card is, and what the form asks because of that."""
    lacks = offer.lacks.why if offer and offer.lacks else None
    typed = request.values
    return {
        "whom": [] if rules.is_for_everyone else promises.of_rules(rules),
        "must_earn": lacks in _EARNED,
        "asks_invitation": lacks == "needs_invitation",
        "invitation": typed.get("invitation", ""),
        # Also behind an invitation: both can be given at once.
        "asks_birthday": lacks is not None and rules.least_age is not None,
        "birthday": typed.get("birthday", ""),
    }


def _problem(refusal: Refused | None, offer: Offer | None) -> str:
    """Say what was refused, or what must be earned first."""
    if isinstance(refusal, InvalidRequest):
        if "terms_version" in refusal.fields:
            told = gettext("The terms have just changed. Please look at them again.")
            return str(told)
        return ""
    if refusal is not None:
        return errors.sentence(refusal)
    lacks = offer.lacks if offer else None
    return errors.sentence(lacks) if lacks and lacks.why in _EARNED else ""


def _offers() -> list[Offer]:
    known = access.member_or_none()
    return eligible.offers(access.tools(), known.member_id if known else None)


def _offer(programme_id: UUID) -> Offer | None:
    found = (row for row in _offers() if row.programme.programme_id == programme_id)
    return next(found, None)


def _offers_page(rows: list[Offer], invitation: str, group: str = "") -> str:
    now = access.tools().now()
    return render_template(
        "customer/offers.html",
        group=group,
        invitation=invitation,
        rows=[
            {
                "of": row,
                "promise": promises.of_programme(row.programme, now),
                "whom": ""
                if row.rules.is_for_everyone
                else " ".join(promises.of_rules(row.rules)),
                "lacks": errors.sentence(row.lacks)
                if row.lacks and row.lacks.why in _EARNED
                else "",
            }
            for row in rows
        ],
    )

"""Paid plans: each as its sentence, with how many have it; and what one card has."""

from __future__ import annotations

import secrets
from datetime import date
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext, ngettext

from app.programme import cards, money, plans, tiers
from app.programme.cards import CardState, ProgrammeView
from app.programme.errors import CardClosed, InvalidRequest, NotEligible, NotFound
from app.programme.plans import Period, offering, paying
from app.programme.plans.offering import PlanDraft, PlanView
from app.programme.tiers import inviting
from app.web.console.room import bp, form_values, id_or_none, sentences
from app.web.console.which import chosen_programme
from app.web.shared import access, moments, plan_words, tier_words
from app.web.shared.errors import sentence

#: In the books: hundredths of a percent.
_PERCENT: Final = 100
_SENTENCES: Final[dict[tuple[str, str], Any]] = {
    ("price", "out_of_range"): lazy_gettext("A price above nought, such as 45.00."),
    ("cashback", "out_of_range"): lazy_gettext("0 to 50 percent, such as 2 or 2.5."),
    ("cashback", "gives_nothing"): lazy_gettext(
        "It would give nothing. Say what is given back, or what else it gives."
    ),
    ("cap", "out_of_range"): lazy_gettext("A sum above nought, or nothing."),
    ("cap", "below_a_month"): lazy_gettext(
        "That is less in a year than a month of it costs."
    ),
    ("cap", "below_price"): lazy_gettext(
        "With this cap it could never pay for itself. Give more, or say what else it "
        "gives."
    ),
    ("period_months", "missing"): lazy_gettext("Choose a month or a year."),
    ("name", "taken"): lazy_gettext("Another plan has this name."),
    ("plan_id", "missing"): lazy_gettext("Choose a plan that is on offer."),
    ("plan_id", "paid_already"): lazy_gettext(
        "It is paid already. The next period can be paid shortly before this one ends."
    ),
    ("paid_how", "missing"): lazy_gettext("Say how it was paid."),
    ("reason", "renewed"): lazy_gettext("The period after it is paid: pay that back."),
    ("reason", "ended"): lazy_gettext("It has ended already."),
    ("tier_id", "not_by_invitation"): lazy_gettext(
        "Nobody is invited to this tier. Its page says whether it invites."
    ),
    ("until", "past"): lazy_gettext("Choose today or a later day."),
}


@bp.get("/console/plans")
def plans_page() -> ResponseReturnValue:
    """Show the plans, each as customers read it."""
    programme = _programme()
    tools = access.tools()
    currency = offering.currency(tools)
    known = offering.of_programme(tools, programme.programme_id)
    return render_template(
        "console/plans.html",
        rows=[(one, *_told(one, currency)) for one in known],
        members=sum(one.members for one in known),
    )


@bp.route("/console/plans/new", methods=["GET", "POST"])
def new_plan() -> ResponseReturnValue:
    """Add a plan."""
    return _plan(None)


@bp.route("/console/plans/<uuid:plan_id>", methods=["GET", "POST"])
def plan(plan_id: UUID) -> ResponseReturnValue:
    """Show a plan and change it, for what is paid from then on."""
    return _plan(plan_id)


@bp.get("/console/cards/<uuid:card_id>/gives")
def card_gives(card_id: UUID) -> str:
    """Show a card's tier and membership, with what a manager may do."""
    return _card_page(card_id, {}, {})


@bp.post("/console/cards/<uuid:card_id>/tier")
def card_tier(card_id: UUID) -> ResponseReturnValue:
    """Let a card in to a tier, or take that back."""
    tools, by = access.tools(), access.console()
    try:
        if "withdraw" in request.form:
            inviting.withdraw(tools, card_id, by=by)
        else:
            tier_id = id_or_none(request.form.get("tier_id"))
            inviting.invite(tools, card_id, tier_id, _until(), by=by)
    except InvalidRequest as error:
        return _refused(card_id, _said(error))
    except NotEligible as error:
        return _refused(card_id, {"tier_id": sentence(error)})
    flash(gettext("Saved."))
    return redirect(url_for("console.card_gives", card_id=card_id))


@bp.post("/console/cards/<uuid:card_id>/membership")
def card_membership(card_id: UUID) -> ResponseReturnValue:
    """Note that a period of a plan was paid."""
    try:
        paying.mark_paid(
            access.tools(),
            card_id,
            id_or_none(request.form.get("plan_id")),
            paid_how=request.form.get("paid_how", ""),
            request_id=request.form.get("request_id", ""),
            by=access.console(),
        )
    except InvalidRequest as error:
        return _refused(card_id, _said(error))
    except (CardClosed, NotEligible) as error:
        return _refused(card_id, {"plan_id": sentence(error)})
    flash(gettext("Marked as paid."))
    return redirect(url_for("console.card_gives", card_id=card_id))


@bp.post("/console/cards/<uuid:card_id>/memberships/<uuid:membership_id>/refund")
def refund_membership(card_id: UUID, membership_id: UUID) -> ResponseReturnValue:
    """End a period whose fee was paid back."""
    reason = request.form.get("reason", "")
    try:
        paying.refund(access.tools(), membership_id, reason, by=access.console())
    except InvalidRequest as error:
        return _refused(card_id, _said(error))
    except NotEligible as error:
        return _refused(card_id, {"reason": sentence(error)})
    flash(gettext("The membership has ended."))
    return redirect(url_for("console.card_gives", card_id=card_id))


def _plan(plan_id: UUID | None) -> ResponseReturnValue:
    programme, tools = _programme(), access.tools()
    currency = offering.currency(tools)
    known = offering.of_programme(tools, programme.programme_id)
    found = next((one for one in known if one.plan_id == plan_id), None)
    if plan_id is not None and found is None:
        raise NotFound
    if request.method != "POST":
        return _plan_page(found, currency, _values(found, currency), {})
    try:
        offering.save_plan(
            tools, programme.programme_id, plan_id, _draft(currency),
            by=access.console(),
        )  # fmt: skip
    except InvalidRequest as error:
        page = _plan_page(found, currency, form_values(), _said(error))
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    flash(gettext("Saved."))
    return redirect(url_for("console.plans_page"))


def _plan_page(
    found: PlanView | None, currency: str, form: dict[str, str], wrong: dict[str, str]
) -> str:
    gives: tuple[str, ...] = ()
    price, even, members = "", "", ""
    if found:
        price, gives, even, members = _told(found, currency)
    return render_template(
        "console/plan.html",
        plan=found,
        form=form,
        wrong=wrong,
        currency=currency,
        periods=[("12", gettext("A year")), ("1", gettext("A month"))],
        price=price,
        gives=gives,
        even=even,
        members=members,
    )


def _told(one: PlanView, currency: str) -> tuple[str, tuple[str, ...], str, str]:
    even = ""
    if one.terms.cashback:
        even = plan_words.break_even(one.terms.break_even, currency)
    return (
        plan_words.price(one.terms, currency),
        plan_words.gives(one.terms, one.benefits, currency),
        even,
        str(ngettext("%(num)s card", "%(num)s cards", one.members)),
    )


def _card_page(card_id: UUID, form: dict[str, str], wrong: dict[str, str]) -> str:
    tools = access.tools()
    card = cards.card(tools, card_id)
    known = offering.of_programme(tools, card.programme.programme_id)
    currency = offering.currency(tools)
    found = tiers.of_card(tools, card_id)
    periods = plans.of_card(tools, card_id)
    return render_template(
        "console/card_gives.html",
        card=card,
        number=f"N° {card.number[:4]} {card.number[4:]}",
        form=form or {"request_id": secrets.token_hex(16)},
        wrong=wrong,
        tier=tier_words.shown(found) if found else None,
        invites=[
            (one.tier_id, one.name)
            for one in (found.rules.tiers if found else ())
            if one.by_invitation
        ],
        is_invited=bool(found and found.standing.is_invited),
        offered=[
            (one.plan_id, f"{one.name} · {plan_words.price(one.terms, currency)}")
            for one in known
            if one.is_offered
        ],
        ways=list(plan_words.PAID_HOW.items()),
        periods=[_period(one, card) for one in periods],
    )


def _period(one: Period, card: CardState) -> dict[str, Any]:
    now = access.tools().now()
    return {
        "id": one.membership_id,
        "name": one.name,
        "from": moments.day_and_year(one.from_at),
        "until": moments.day_and_year(one.until_at),
        "how": plan_words.PAID_HOW[one.paid_how],
        "by": one.paid_by,
        "used": plan_words.used(one) if one.is_good(now) else "",
        "is_good": one.is_good(now),
        "ended": moments.day_and_year(one.ended_at) if one.ended_at else "",
        "reason": one.reason or "",
        "can_refund": one.ended_at is None
        and one.until_at >= now
        and not one.is_renewed
        and not card.is_closed,
    }


def _refused(card_id: UUID, wrong: dict[str, str]) -> ResponseReturnValue:
    page = _card_page(card_id, form_values(), wrong)
    return page, HTTPStatus.UNPROCESSABLE_ENTITY


def _draft(currency: str) -> PlanDraft:
    form = request.form
    cap = form.get("cap", "").strip()
    months = form.get("period_months", "")
    return PlanDraft(
        name=form.get("name", ""),
        price=_sum(form.get("price", ""), currency),
        period_months=int(months) if months in {"1", "12"} else 0,
        cashback=_share(form.get("cashback", "") or "0"),
        cap=_sum(cap, currency) if cap else None,
        benefits=form.get("benefits", ""),
        is_offered=form.get("is_offered") == "1",
    )


def _values(found: PlanView | None, currency: str) -> dict[str, str]:
    if found is None:
        return {"period_months": "12", "cashback": "2", "is_offered": "1"}
    terms = found.terms
    return {
        "name": found.name,
        "price": money.spelled(terms.price, currency),
        "period_months": str(terms.period_months),
        "cashback": f"{terms.cashback / _PERCENT:g}",
        "cap": money.spelled(terms.cap, currency) if terms.cap else "",
        "benefits": "\n".join(found.benefits),
        "is_offered": "1" if found.is_offered else "0",
    }


def _sum(text: str, currency: str) -> int:
    found = money.parse(text, currency)
    return -1 if found is None else found


def _share(text: str) -> int:
    """Read percent as typed, two digits behind the point at most; -1 for no such."""
    found = money.parse(text.replace("%", ""), money.DEFAULT_CURRENCY)
    return -1 if found is None else found


def _until() -> date | None:
    text = request.form.get("until", "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return date.min


def _programme() -> ProgrammeView:
    found = chosen_programme()
    if found is None:
        raise NotFound
    return found


def _said(error: InvalidRequest) -> dict[str, str]:
    told = sentences(error)
    for name, word in error.fields.items():
        known = _SENTENCES.get((name, word))
        if known is not None:
            told[name] = str(known)
    return told

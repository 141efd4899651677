"""A membership is paid at the till: whose, which, how much, and how it was taken.

The customer's code is looked at and not spent. Whose it was is kept in this browser's
sealed cookie for ten minutes, since money takes longer than a code lives; so a page
that was made up names no other card. What is marked is marked once
(``app.programme.plans.paying``): the number of the request is made with the page.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from app.programme import cards, plans
from app.programme.cards import CardState
from app.programme.eligible.at_the_till import member_of_code
from app.programme.errors import InvalidRequest, Refused
from app.programme.plans import Period, offering, paying
from app.programme.sessions import StaffCaller
from app.web.counter.views import bp
from app.web.shared import access, errors, moments, plan_words, unit_words
from app.web.shared.names import isolated

_KEPT: Final = "membership"
_PAID: Final = "membership_paid"
_KEEP: Final = timedelta(minutes=10)
#: As they stand in a sentence.
_HOW: Final = {
    "cash": lazy_gettext("in cash"),
    "card": lazy_gettext("by card"),
    "other": lazy_gettext("otherwise"),
}
_SENTENCES: Final = {
    "paid_already": lazy_gettext("It is paid already. Take no money, or give it back."),
    "price_changed": lazy_gettext("The price has just changed: look again."),
    "used_before": lazy_gettext("This page was used already. Begin anew."),
}


@bp.route("/counter/membership", methods=["GET", "POST"])
def membership() -> ResponseReturnValue:
    """Take the fee of a membership from whoever shows their code."""
    staff = access.staff_or_none()
    if staff is None:
        return redirect(url_for("counter.till"))
    problem = ""
    if request.method == "POST":
        try:
            return _do(staff)
        except InvalidRequest as error:
            words = [_SENTENCES.get(word) for word in error.fields.values()]
            problem = str(next(filter(None, words), gettext("Choose how it was paid.")))
        except Refused as refusal:
            problem = errors.sentence(refusal)
    page = render_template(
        "counter/membership.html",
        terminal=access.terminal(),
        staff=staff,
        problem=problem,
        paid=_receipt() if request.method == "GET" else None,
        **_facts(staff),
    )
    return page, HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK


def _do(staff: StaffCaller) -> ResponseReturnValue:
    """Look whose code it is, forget them, or mark what was paid."""
    tools, form = access.tools(), request.form
    if "code" in form:
        shown = member_of_code(tools, form["code"])
        session[_KEPT] = {
            "card": shown.card_id.hex,
            "staff": staff.staff_id.hex,
            "at": tools.now().isoformat(),
            "request": secrets.token_hex(16),
        }
    elif "forget" in form:
        session.pop(_KEPT, None)
    elif kept := _kept(staff):
        card = cards.card(tools, UUID(kept["card"]))
        price = form.get("price", "")
        paid = paying.mark_paid(
            tools,
            card.card_id,
            _id_or_none(form.get("plan_id", "")),
            paid_how=form.get("paid_how", ""),
            request_id=kept["request"],
            by=staff,
            price=int(price) if price.isdecimal() else -1,
        )
        session.pop(_KEPT)
        told = {"card": kept["card"], "price": price, "how": form["paid_how"]}
        session[_PAID] = {**paid, **told}
    return redirect(url_for("counter.membership"), HTTPStatus.SEE_OTHER)


def _kept(staff: StaffCaller) -> dict[str, str] | None:
    """Tell whose code this person looked at a moment ago."""
    kept = session.get(_KEPT)
    if not isinstance(kept, dict) or kept.get("staff") != staff.staff_id.hex:
        return None
    is_over = access.tools().now() - datetime.fromisoformat(kept["at"]) > _KEEP
    return None if is_over else kept


def _facts(staff: StaffCaller) -> dict[str, Any]:
    """Tell who it is for, what they have, and what they can take."""
    tools, kept = access.tools(), _kept(staff)
    currency = offering.currency(tools)
    if kept is None:
        return {"who": None, "offered": []}
    card = cards.card(tools, UUID(kept["card"]))
    last = next(
        (
            one
            for one in plans.of_card(tools, card.card_id)
            if one.ended_at is None and one.until_at >= tools.now()
        ),
        None,
    )
    can_pay = last is None or plans.renewable_from(last) <= tools.now()
    known = offering.of_programme(tools, card.programme.programme_id)
    return {
        "who": _who(card, last),
        "renewable": "" if can_pay or last is None else _renewable(last),
        "offered": [
            {
                "id": one.plan_id,
                "name": one.name,
                "minor": one.terms.price,
                "sum": unit_words.money(one.terms.price, currency),
                "price": plan_words.price(one.terms, currency),
                "gives": plan_words.gives(one.terms, one.benefits, currency),
            }
            for one in known
            if one.is_offered and can_pay
        ],
        "ways": list(plan_words.PAID_HOW.items()),
    }


def _who(card: CardState, last: Period | None) -> dict[str, str]:
    until = ""
    if last is not None:
        until = gettext(
            "%(plan)s, paid until %(day)s",
            plan=isolated(last.name),
            day=moments.day_and_year(last.until_at),
        )
    return {
        "name": isolated(card.member_name or gettext("No name")),
        "number": f"N° {card.number[:4]} {card.number[4:]}",
        "programme": card.programme.name,
        "has": until,
    }


def _renewable(last: Period) -> str:
    return str(
        gettext(
            "It is paid. The next period can be paid from %(day)s on.",
            day=moments.day_and_year(plans.renewable_from(last)),
        )
    )


def _receipt() -> str | None:
    """Tell what was just marked; once."""
    paid = session.pop(_PAID, None)
    if not isinstance(paid, dict):
        return None
    tools = access.tools()
    name = cards.member_name(tools, UUID(paid["card"]))
    sum_ = unit_words.money(int(paid["price"]), offering.currency(tools))
    return str(
        gettext(
            "%(plan)s for %(name)s is paid until %(day)s: %(sum)s, %(how)s.",
            plan=isolated(paid["plan"]),
            name=isolated(name or gettext("No name")),
            day=moments.day_and_year(datetime.fromisoformat(paid["until_at"])),
            sum=sum_,
            how=_HOW[paid["how"]],
        )
    )


def _id_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

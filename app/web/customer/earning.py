"""How a member earns: every rule as a sentence, acts to tell of, friends to invite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from app.programme import members
from app.programme import shop as shops
from app.programme.cards import CardState
from app.programme.earning import acts, referrals, ways
from app.programme.earning.referrals import Invited
from app.programme.earning.rules import Act, Rule, RuleKind
from app.programme.earning.ways import Way
from app.programme.errors import NotFound, Refused
from app.programme.units import Unit
from app.web.customer.rewards import my_card
from app.web.customer.room import bp, respond
from app.web.shared import access, moments, rule_words
from app.web.shared import errors as refusals
from signing import qr

_ICONS: Final = {
    RuleKind.VISIT: "stamp",
    RuleKind.ITEM: "cup",
    RuleKind.AMOUNT: "coins",
    RuleKind.TIMES: "time",
    RuleKind.ACT: "check",
    RuleKind.SIGNUP: "plus",
    RuleKind.BIRTHDAY: "gift",
    RuleKind.REFERRAL: "people",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One way to earn, in words."""

    icon: str
    name: str
    sentence: str
    #: How much is missing to the next unit; "" where nothing is left over.
    rest: str
    #: What the member can tell of by a tap; "".
    act: str
    is_done: bool


@bp.get("/card/<uuid:card_id>/earning")
def card_earning(card_id: UUID) -> str:
    """Show how a card fills."""
    return _page(my_card(card_id))


@bp.post("/card/<uuid:card_id>/earning")
def tell_act(card_id: UUID) -> AnyResponse:
    """Take a member's word for an act; it counts once however often it is sent."""
    mine = my_card(card_id)
    try:
        act = Act(request.form.get("act", ""))
    except ValueError as error:
        raise NotFound from error
    try:
        given = acts.tell(access.tools(), card_id, act)
    except NotFound:
        raise
    except Refused as refusal:
        status = int(refusals.TABLE[refusal.code].status)
        return respond(_page(mine, refusals.sentence(refusal)), status)
    if given.units:
        flash(gettext("Thank you. It is on your card."))
    return redirect(url_for("customer.card_earning", card_id=card_id), 303)


def _page(mine: CardState, problem: str = "") -> str:
    found = ways.of_card(access.tools(), mine.card_id)
    is_inviting = not mine.is_closed and any(
        way.rule.kind is RuleKind.REFERRAL for way in found
    )
    return render_template(
        "customer/earning.html",
        card=mine,
        ways=[_shown(way) for way in found],
        coming=_coming(mine),
        problem=problem,
        texts={"copied": gettext("Link copied.")},
        **(_invitation(mine) if is_inviting else {}),
    )


def _coming(mine: CardState) -> list[str]:
    """Tell what will change, and when."""
    told = []
    for rule, at, is_on in ways.coming(access.tools(), mine.programme.programme_id):
        facts = {"day": moments.day_in_full(at), "rule": _said(rule)}
        if is_on:
            told.append(str(gettext("From %(day)s: %(rule)s", **facts)))
        else:
            told.append(str(gettext("Until %(day)s: %(rule)s", **facts)))
    return told


def _shown(way: Way) -> Shown:
    rule = way.rule
    return Shown(
        icon=_ICONS[rule.kind],
        name=rule.name,
        sentence=_said(rule),
        rest=_rest(way, shops.currency(access.tools())),
        act=rule.figures.act.value if rule.figures.act and way.is_told else "",
        is_done=way.is_done,
    )


def _said(rule: Rule) -> str:
    tools = access.tools()
    items = {item.item_id: item.name for item in shops.items(tools)}
    places = {place.location_id: place.name for place in shops.locations(tools)}
    currency = shops.currency(tools)
    return rule_words.sentence(rule, currency, items=items, places=places)


def _rest(way: Way, currency: str) -> str:
    """Say what is missing; of money back nobody counts the part of a cent."""
    if way.reached is not None:
        # Thanked for an act is told another way.
        return "" if way.is_done else rule_words.cut(way.reached)
    if way.missing is None or way.rule.unit is Unit.CENT:
        return ""
    if way.rule.kind is RuleKind.ITEM:
        told = ngettext(
            "%(num)s more, and the next comes.",
            "%(num)s more, and the next comes.",
            way.missing,
        )
        return str(told)
    missing = rule_words.sum_of(way.missing, currency)
    return str(gettext("%(sum)s more, and the next comes.", sum=missing))


def _invitation(mine: CardState) -> dict[str, Any]:
    tools = access.tools()
    seen_from = members.device_of(
        tools, request.remote_addr or "127.0.0.1", request.user_agent.string
    )
    invited = referrals.of_card(tools, mine.card_id, seen_from)
    path = f"/join/{mine.programme.programme_id}?invite={invited.word}"
    link = f"{tools.settings.origin}{path}"
    picture = qr.svg(link, title=gettext("QR code of your invitation"))
    return {
        "link": link,
        "picture": Markup(picture),  # noqa: S704 -- drawn by us
        "friends": _friends(invited),
    }


def _friends(invited: Invited) -> str:
    if not invited.joined:
        return str(gettext("Nobody has joined by it yet."))
    joined = ngettext(
        "%(num)s friend has joined.", "%(num)s friends have joined.", invited.joined
    )
    paid = ngettext(
        "You were thanked for %(num)s.", "You were thanked for %(num)s.", invited.paid
    )
    return f"{joined} {paid}"

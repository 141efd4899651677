"""Choosing a reward on the phone, and the page of a voucher."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

from app.programme import cards, expiry, rewards
from app.programme import shop as shops
from app.programme.cards import CardState
from app.programme.errors import InvalidRequest, NotFound, Refused
from app.programme.rewards import Offer, Opened
from app.programme.rewards.plans import READ_ONLY
from app.programme.vouchers import VoucherView
from app.web.customer.room import bp, respond
from app.web.shared import access, moments, reward_words
from app.web.shared import errors as refusals
from app.web.shared.reward_words import Told

_LINK: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


@dataclass(frozen=True, slots=True)
class Shown:
    """One reward on the page of all."""

    offer: Offer
    told: Told


@bp.get("/card/<uuid:card_id>/rewards")
def card_rewards(card_id: UUID) -> str:
    """Show what can be had for what is on a card, and what is missing."""
    mine = my_card(card_id)
    shown = [_shown(one) for one in rewards.offers(access.tools(), mine)]
    return render_template(
        "customer/rewards.html",
        card=mine,
        shown=sorted(shown, key=lambda one: one.told.tone == "gone"),
        purse=purse(mine),
    )


@bp.get("/card/<uuid:card_id>/rewards/<uuid:reward_id>")
def card_reward(card_id: UUID, reward_id: UUID) -> str:
    """Show a reward, and ask whether it shall be."""
    return _reward_page(my_card(card_id), reward_id)


@bp.post("/card/<uuid:card_id>/rewards/<uuid:reward_id>")
def choose_reward(card_id: UUID, reward_id: UUID) -> AnyResponse:
    """Exchange what is on the card for a reward, once however often it is sent."""
    mine = my_card(card_id)
    try:
        spent = rewards.choose(
            access.tools(),
            card_id,
            reward_id,
            member_id=mine.member_id,
            request_id=request.form.get("request_id", ""),
            edition=request.form.get("edition", default=0, type=int),
        )
    except InvalidRequest:
        return redirect(
            url_for("customer.card_reward", card_id=card_id, reward_id=reward_id), 303
        )
    except NotFound:
        raise
    except Refused as refusal:
        problem = refusals.sentence(refusal)
        status = int(refusals.TABLE[refusal.code].status)
        return respond(_reward_page(my_card(card_id), reward_id, problem), status)
    voucher_id = UUID(str(spent.answer["voucher"]["voucher_id"]))
    return redirect(url_for("customer.voucher", voucher_id=voucher_id, new=1), 303)


@bp.get("/voucher/<uuid:voucher_id>")
def voucher(voucher_id: UUID) -> str:
    """Show a voucher: what it is, until when, and what is for its holder alone."""
    return _voucher_page(voucher_id)


@bp.post("/voucher/<uuid:voucher_id>/open")
def open_voucher(voucher_id: UUID) -> AnyResponse:
    """Show what only its holder reads; from now on it can't go back."""
    caller = access.member()
    try:
        rewards.open_voucher(access.tools(), voucher_id, member_id=caller.member_id)
    except NotFound:
        raise
    except Refused as refusal:
        problem = refusals.sentence(refusal)
        status = int(refusals.TABLE[refusal.code].status)
        return respond(_voucher_page(voucher_id, problem), status)
    return redirect(url_for("customer.voucher", voucher_id=voucher_id), 303)


@bp.post("/voucher/<uuid:voucher_id>/cancel")
def cancel_place(voucher_id: UUID) -> AnyResponse:
    """Give a place at an event back."""
    caller = access.member()
    mine, _ = _mine(voucher_id)
    try:
        rewards.cancel(access.tools(), voucher_id, member_id=caller.member_id)
    except NotFound:
        raise
    except Refused as refusal:
        problem = refusals.sentence(refusal)
        status = int(refusals.TABLE[refusal.code].status)
        return respond(_voucher_page(voucher_id, problem), status)
    flash(gettext("Your place is free again, and what it cost is back on the card."))
    return redirect(url_for("customer.card_rewards", card_id=mine.card_id), 303)


def my_card(card_id: UUID) -> CardState:
    """Read a card of the caller; somebody else's is not found."""
    caller = access.member()
    found = cards.card(access.tools(), card_id)
    if found.member_id != caller.member_id:
        raise NotFound
    return found


def purse(card: CardState) -> list[str]:
    """Tell what can be spent, in words: "7 stamps"."""
    currency = shops.shop(access.tools()).currency
    return [
        reward_words.purse(unit, units, currency)
        for unit, units in card.balances.items()
    ]


def _shown(offer: Offer) -> Shown:
    tools = access.tools()
    told = reward_words.told(
        offer.reward.plan,
        currency=shops.shop(tools).currency,
        now=tools.now(),
        missed=offer.missing,
        why=offer.why_not,
        left=offer.reward.left,
        tier=offer.tier,
    )
    return Shown(offer, told)


def _reward_page(card: CardState, reward_id: UUID, problem: str = "") -> str:
    offer = rewards.offer(access.tools(), card, reward_id)
    if offer is None:
        raise NotFound
    is_usable = not (card.is_closed or card.paused_at or card.has_new_terms)
    return render_template(
        "customer/reward.html",
        card=card,
        shown=_shown(offer),
        is_usable=is_usable,
        purse=purse(card),
        problem=problem,
        good_for=_good_for(offer),
        # Made when the page is: each sending of this form is one request.
        request_id=secrets.token_hex(16),
    )


def _good_for(offer: Offer) -> str:
    """Tell until when the voucher will be good; "" where it has no end."""
    tools, days = access.tools(), offer.reward.plan.voucher_days
    if days is None:
        return ""
    with tools.database.read() as tx:
        zone = expiry.zone_of(tx)
    end = expiry.end_of(tools.now(), days, zone)
    day = moments.day_in_words(end, tools.now())
    return str(gettext("Good until %(day)s", day=day))


def _mine(voucher_id: UUID) -> tuple[CardState, VoucherView]:
    """Find a voucher of the caller, and its card; somebody else's is not found."""
    tools, caller = access.tools(), access.member()
    for card in cards.cards_of(tools, caller.member_id):
        for one in card.vouchers:
            if one.voucher_id == voucher_id:
                return card, one
    raise NotFound


def _voucher_page(voucher_id: UUID, problem: str = "") -> str:
    tools = access.tools()
    card, mine = _mine(voucher_id)
    event = None
    if mine.reward_id is not None and mine.kind == "event":
        event = rewards.reward(tools, mine.reward_id)
    now = tools.now()
    begins = event.plan.starts_at if event else None
    return render_template(
        "customer/voucher.html",
        card=card,
        voucher=mine,
        told=reward_words.of_voucher(mine, event.plan if event else None, now),
        opened=_opened(mine, card),
        is_new="new" in request.args and mine.state == "issued",
        is_usable=mine.state == "issued"
        and mine.kind not in READ_ONLY
        and card.paused_at is None,
        can_cancel=mine.state == "issued" and begins is not None and begins > now,
        problem=problem,
    )


def _opened(mine: VoucherView, card: CardState) -> Opened | None:
    """Read what was opened before; None while it is shut, or there is nothing."""
    try:
        return rewards.opened_before(
            access.tools(), mine.voucher_id, member_id=card.member_id
        )
    except Refused:
        return None


@bp.app_template_filter("with_links")
def with_links(text: str) -> Markup:
    """Make the addresses in a shop's text into links; all else is text."""
    out, end = Markup(), 0
    for found in _LINK.finditer(text):
        out += escape(text[end : found.start()])
        out += Markup(
            '<a href="{0}" rel="noopener noreferrer" dir="ltr">{0}</a>'
        ).format(found[0])
        end = found.end()
    return out + escape(text[end:])


__all__ = ["Response", "my_card", "purse"]

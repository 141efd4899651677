"""Members invite friends, and both are thanked after the friend's own second day.

An invitation is a word in a link. Who joins by one is noted with it (``noted``), in the
transaction of the joining; the worker's round pays (``sweep``), to both at once, when
the friend has been here on two days of the shop's calendar. Each side is once in the
life of the books: ``referral:<friend>:giver`` and ``:friend``.

Nothing is paid where friend and giver share a device and network (the one each joined
from, and the one on which the giver looked at the invitation last), or where one of
them works here; the reason is kept. Devices are known for a month.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.programme import expiry
from app.programme.earning import booking, counting, gifts, shelf
from app.programme.earning.rules import Occasion, Rule, RuleKind
from app.programme.errors import TryAgain
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Member, Referral, ReferralLink
from app.tools import Tools

#: Days on which a friend has to have been here.
DAYS: Final = 2
#: For how long the device that looked at an invitation is kept.
KEPT: Final = timedelta(days=30)
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH: Final = 10
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Invited:
    """A card's invitation, and what has come of it."""

    word: str
    #: Friends who joined by it, and who have been here often enough.
    joined: int
    paid: int


def of_card(tools: Tools, card_id: UUID, seen_from: str | None = None) -> Invited:
    """Read a card's invitation; the first look makes it.

    Args:
        tools: the books.
        card_id: whose member looks; the caller has checked.
        seen_from: the device that looks, as ``members`` names it.

    Raises:
        TryAgain: it was just made on another page.
        StoreDown: the books gave no answer.
    """
    now = tools.now()
    try:
        with tools.database.begin() as tx:
            found = tx.scalar(
                select(ReferralLink).where(ReferralLink.card_id == card_id)
            )
            if found is None:
                word = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
                found = ReferralLink(word=word, card_id=card_id, made_at=now)
                tx.add(found)
                tx.flush()
            found.seen_from, found.seen_at = seen_from, now
            counted = (
                select(Referral.state, func.count())
                .where(Referral.giver_card_id == card_id)
                .group_by(Referral.state)
            )
            states = {row[0]: row[1] for row in tx.execute(counted).all()}
            return Invited(found.word, sum(states.values()), states.get("paid", 0))
    except IntegrityError as error:
        raise TryAgain from error


def rule_behind(tools: Tools, word: str, programme_id: UUID) -> Rule | None:
    """Read the rule that thanks a friend who joins by an invitation; None: nothing.

    Args:
        tools: the books.
        word: the invitation's, as a browser sent it; not trusted.
        programme_id: of the card that the friend would get.
    """
    if not _is_word(word):
        return None
    with tools.database.read() as tx:
        if tx.get(ReferralLink, word.strip().lower()) is None:
            return None
        rules = shelf.in_effect(tx, programme_id, tools.now())
        found = (rule for rule in rules if rule.kind is RuleKind.REFERRAL)
        return next((rule for rule in found if rule.figures.friend_units), None)


def _is_word(text: str) -> bool:
    return set(text.strip().lower()) <= set(_ALPHABET)


def noted(tx: Tx, tools: Tools, member: Member, card_id: UUID) -> None:
    """Note who invited a member, in the transaction of their joining."""
    if not member.invite or not _is_word(member.invite):
        return
    found = tx.execute(
        select(ReferralLink, Member)
        .join(Card, Card.card_id == ReferralLink.card_id)
        .join(Member, Member.member_id == Card.member_id)
        .where(ReferralLink.word == member.invite.strip().lower())
    ).first()
    if found is None:
        return
    invitation, giver = found
    marks = {giver.joined_from, invitation.seen_from} - {None}
    reason = "same_device" if member.joined_from in marks else _works_here(giver)
    tx.add(
        Referral(
            member_id=member.member_id,
            card_id=card_id,
            giver_card_id=invitation.card_id,
            at=tools.now(),
            state="refused" if reason else "waiting",
            reason=reason,
        )
    )
    tx.flush()


def sweep(tools: Tools) -> int:
    """Pay for friends who have been here on their second day.

    Returns:
        How many were paid for.

    Raises:
        TryAgain: nothing can be signed now.
        StoreDown: the books gave no answer; what was paid so far is.
    """
    now = tools.now()
    often = (
        select(func.count())
        .select_from(LedgerEntry)
        .where(
            LedgerEntry.card_id == Referral.card_id,
            LedgerEntry.nonce.is_not(None),
            LedgerEntry.kind != "REDEEM",
        )
        .scalar_subquery()
    )
    with tools.database.begin() as tx:
        tx.execute(
            update(ReferralLink)
            .where(ReferralLink.seen_at < now - KEPT)
            .values(seen_from=None, seen_at=None)
        )
        due = tx.scalars(
            select(Referral.member_id)
            .where(Referral.state == "waiting", often >= DAYS)
            .order_by(Referral.at)
            .limit(_MOST)
        ).all()
    paid = 0
    for member_id in due:
        with tools.database.begin() as tx:
            paid += pay(tx, tools, member_id, now)
    return paid


def pay(tx: Tx, tools: Tools, member_id: UUID, at: datetime) -> bool:
    """Pay for one friend, if it is time; nothing is paid twice.

    Raises:
        TryAgain: nothing can be signed now.
    """
    referral = tx.get(Referral, member_id)
    if referral is None or len(gifts.visit_days(tx, referral.card_id)) < DAYS:
        return False
    # In one order everywhere, so that no two wait for each other.
    for card_id in sorted((referral.card_id, referral.giver_card_id)):
        counting.hold(tx, card_id, ())
    reason = _refusal(tx, referral, at)
    changed = tx.scalar(
        update(Referral)
        .where(Referral.member_id == member_id, Referral.state == "waiting")
        .values(state="refused" if reason else "paid", reason=reason)
        .returning(Referral.member_id)
        .execution_options(synchronize_session=False)
    )
    if reason or changed is None:
        return False
    _pay_both(tx, tools, referral, at)
    return True


def _pay_both(tx: Tx, tools: Tools, referral: Referral, at: datetime) -> None:
    occasion = Occasion(RuleKind.REFERRAL, at, expiry.zone_of(tx))
    sides = (
        ("giver", referral.giver_card_id, occasion),
        ("friend", referral.card_id, replace(occasion, is_friend=True)),
    )
    for side, card_id, seen in sides:
        card = tx.get(Card, card_id)
        if card is None or card.closed_at is not None or card.paused_at is not None:
            continue
        gifts.give(
            tx,
            tools,
            card_id,
            seen,
            rule=gifts.RULE_REFERRAL,
            once=f"referral:{referral.member_id.hex}:{side}",
        )


def _refusal(tx: Tx, referral: Referral, at: datetime) -> str | None:
    """Tell why nothing is paid; None: all is well."""
    friend, giver = (
        tx.scalars(select(Member).join(Card).where(Card.card_id == card_id)).one()
        for card_id in (referral.card_id, referral.giver_card_id)
    )
    if friend.member_id == giver.member_id:
        return "same_device"
    if friend.joined_from and friend.joined_from == giver.joined_from:
        return "same_device"
    rules = booking.rules_of(tx, referral.card_id, at)
    if not any(rule.kind is RuleKind.REFERRAL for rule in rules):
        return "no_rule"
    return _works_here(friend) or _works_here(giver)


def _works_here(member: Member) -> str | None:
    return "staff" if member.staff_id is not None else None

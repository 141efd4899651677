"""Memberships and the clock: reminded before the end, told after it; once each.

A membership ends by itself with its last second (``periods``); here it is only said.
Whoever has paid the next period hears nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from app.programme import audit, cards, welcome
from app.store import outbox
from app.store.database import Tx
from app.store.tables import Card, Member, Membership
from app.tools import Tools

ENDS: Final = "membership_ends"
ENDED: Final = "membership_ended"
#: So many days before the end a reminder goes out, by months of a period.
REMIND_DAYS: Final = {1: 7, 12: 30}
_MOST: Final = 200


def look(tools: Tools) -> int:
    """Remind and tell whom it is time to; tell how many.

    Raises:
        StoreDown: the books gave no answer; the rest is for the next look.
    """
    now = tools.now()
    with tools.database.read() as tx:
        due = tx.scalars(_due(now)).all()
    for membership_id in due:
        with tools.database.begin() as tx:
            _pass_by(tx, tools, membership_id, now)
    return len(due)


def _due(now: datetime) -> Any:
    soon = [
        and_(
            Membership.period_months == months,
            Membership.until_at <= now + timedelta(days=days),
        )
        for months, days in REMIND_DAYS.items()
    ]
    return (
        select(Membership.membership_id)
        .where(
            Membership.ended_at.is_(None),
            Membership.told_at.is_(None),
            or_(
                Membership.until_at < now,
                and_(Membership.reminded_at.is_(None), or_(*soon)),
            ),
        )
        .order_by(Membership.until_at)
        .limit(_MOST)
    )


def _pass_by(tx: Tx, tools: Tools, membership_id: UUID, now: datetime) -> None:
    found = tx.get_one(Membership, membership_id)
    tx.get(Card, found.card_id, with_for_update=True)
    tx.refresh(found)
    if found.ended_at is not None or found.told_at is not None:
        return
    later = aliased(Membership)
    is_renewed = (
        tx.scalar(
            select(later.membership_id).where(
                later.follows_id == membership_id, later.ended_at.is_(None)
            )
        )
        is not None
    )
    if found.until_at >= now:
        if found.reminded_at is None:
            found.reminded_at = now
            if not is_renewed:
                _write(tx, tools, ENDS, found)
        return
    found.told_at = now
    if is_renewed:
        return
    _write(tx, tools, ENDED, found)
    cards.touch(tx, found.card_id)
    audit.record(
        tx,
        tools,
        "membership.ended",
        found.card_id,
        by=None,
        membership=str(membership_id),
    )


def _write(tx: Tx, tools: Tools, kind: str, found: Membership) -> None:
    member = tx.scalar(
        select(Member)
        .join(Card, Card.member_id == Member.member_id)
        .where(Card.card_id == found.card_id)
    )
    if member is None or not member.email:
        return
    facts = {
        "name": welcome.greeting_name(member.name),
        "card": str(found.card_id),
        "plan": found.name,
        "until_at": found.until_at.isoformat(),
        "price": found.price,
        "currency": found.currency,
        "period_months": found.period_months,
    }
    outbox.put(
        tx,
        kind,
        member.email,
        facts,
        now=tools.now(),
        member_id=member.member_id,
        locale=member.locale,
    )

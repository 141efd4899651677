"""The warning that stamps, points or money on a card end, to who wants reminders.

Each lot is told of once, a week at least before its end where it was there by then,
and one card gives one mail a week at most. A look goes ``AHEAD``; up to where it went
is marked on the card by a conditional update, in the transaction that writes the mail,
so that of any number of workers one writes it. Who has no address, or did not ask for
reminders, is marked too: the card's page tells them in any case.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update

from app.programme import cards, consents, money
from app.programme.lots import Lot
from app.programme.units import Unit
from app.programme.welcome import greeting_name
from app.store import outbox
from app.store.database import Tx
from app.store.tables import Card, Member
from app.tools import Tools

KIND: Final = "units_end"
#: So far ahead a look goes.
AHEAD: Final = timedelta(days=14)
#: What ends later than this after now is left to the next look.
NOTICE: Final = timedelta(days=7)
#: Cards of one look; the next takes the others.
_AT_ONCE: Final = 200
#: Ends that one mail names.
_NAMED: Final = 5


def warn(tools: Tools) -> int:
    """Write the mails that are due; returns how many.

    Raises:
        StoreDown: the books gave no answer; the next look begins anew.
    """
    now = tools.now()
    with tools.database.read() as tx:
        due = tx.scalars(
            select(Card.card_id)
            .where(
                Card.closed_at.is_(None),
                Card.units_end_at >= now,
                Card.units_end_at <= now + AHEAD,
                _is_due(now),
            )
            .order_by(Card.units_end_at)
            .limit(_AT_ONCE)
        ).all()
    written = 0
    for card_id in due:
        with tools.database.begin() as tx:
            written += _warn(tx, tools, card_id, now)
    return written


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Ask of a card whether its last look went less than ``NOTICE`` beyond now."""
    return or_(
        Card.units_warned_until.is_(None), Card.units_warned_until < now + NOTICE
    )


def _warn(tx: Tx, tools: Tools, card_id: UUID, now: datetime) -> bool:
    """Mark a card and write its mail: of two workers at once, one does."""
    before = tx.execute(
        select(Card.units_warned_until, Card.member_id).where(Card.card_id == card_id)
    ).one()
    was = before.units_warned_until
    changed = tx.scalar(
        update(Card)
        .where(
            Card.card_id == card_id, Card.units_warned_until.is_not_distinct_from(was)
        )
        .values(units_warned_until=now + AHEAD)
        .returning(Card.card_id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return False
    ending = [lot for lot in cards.lots_of(tx, card_id) if _is_new(lot, was, now)]
    member = tx.get(Member, before.member_id)
    if not ending or member is None or member.email is None:
        return False
    if not consents.may_send(tx, member.member_id, "reminders"):
        return False
    facts: dict[str, Any] = {
        "name": greeting_name(member.name),
        "ends": _told(ending),
        "currency": money.currency_of(tx),
        "card_id": str(card_id),
    }
    outbox.put(
        tx,
        KIND,
        member.email,
        facts,
        now=now,
        member_id=member.member_id,
        locale=member.locale,
    )
    return True


def _is_new(lot: Lot, was: datetime | None, now: datetime) -> bool:
    """Tell whether a lot ends within the look, and no earlier look saw it."""
    if lot.expires_at is None or not now <= lot.expires_at <= now + AHEAD:
        return False
    return was is None or lot.expires_at > was or lot.at > was - AHEAD


def _told(ending: list[Lot]) -> list[list[Any]]:
    """Add up what ends together: unit, units and the last second, soonest first."""
    sums: dict[tuple[datetime, Unit], int] = {}
    for lot in ending:
        if lot.expires_at is not None:
            key = (lot.expires_at, lot.unit)
            sums[key] = sums.get(key, 0) + lot.left
    return [
        [unit.value, left, end.isoformat()]
        for (end, unit), left in sorted(sums.items())[:_NAMED]
    ]

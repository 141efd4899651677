"""Cards: many from one device, and rewards soon after the first day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update

from app.programme import cards
from app.programme.signals import kinds
from app.programme.signals.passes import Span, named
from app.programme.signals.rows import Raised
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Member

#: How long it is known from which device a member joined.
KEPT: Final = timedelta(days=30)


def odd(tx: Tx, span: Span) -> Iterator[Raised]:
    """Find devices that get card after card, and cards that pay off at once."""
    yield from _bursts(tx, span)
    yield from _quick(tx, span)


def forget(tx: Tx, now: datetime) -> None:
    """Forget the devices of who joined long ago."""
    tx.execute(
        update(Member)
        .where(Member.joined_from.is_not(None), Member.joined_at < now - KEPT)
        .values(joined_from=None)
        .execution_options(synchronize_session=False)
    )


def _bursts(tx: Tx, span: Span) -> Iterator[Raised]:
    """Tell of each device once a day."""
    rows = tx.execute(
        select(Card.card_id, Card.number, Card.opened_at, Member.joined_from)
        .join(Member, Member.member_id == Card.member_id)
        .where(Card.opened_at >= span.since, Member.joined_from.is_not(None))
        .order_by(Card.opened_at)
    )
    by: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by[row.joined_from].append(row)
    for device, those in by.items():
        most = _most_within(those)
        if len(most) < kinds.BURST_LEAST:
            continue
        last = most[-1]
        yield Raised(
            kinds.JOIN_BURST,
            last.opened_at,
            {
                "times": len(most),
                "first_at": most[0].opened_at.isoformat(),
                "last_at": last.opened_at.isoformat(),
                "cards": named([row.card_id for row in most]),
            },
            card_id=last.card_id,
            once=f"{kinds.JOIN_BURST}:{device}:{span.day(last.opened_at)}",
        )


def _most_within(rows: list[Any]) -> list[Any]:
    """Find the most joinings within the time of a burst."""
    best: list[Any] = []
    start = 0
    for end, row in enumerate(rows):
        while row.opened_at - rows[start].opened_at > kinds.BURST_WITHIN:
            start += 1
        if end + 1 - start > len(best):
            best = rows[start : end + 1]
    return best


def _quick(tx: Tx, span: Span) -> Iterator[Raised]:
    """Tell of each card once."""
    rows = tx.execute(
        select(
            LedgerEntry.entry_id,
            LedgerEntry.at,
            LedgerEntry.card_id,
            LedgerEntry.staff_id,
            LedgerEntry.terminal_id,
            LedgerEntry.location_id,
            Card.opened_at,
        )
        .join(Card, Card.card_id == LedgerEntry.card_id)
        .where(
            LedgerEntry.at >= span.since,
            LedgerEntry.rule == cards.RULE_VOUCHER_USED,
            Card.opened_at >= span.since - kinds.QUICK_WITHIN,
        )
        .order_by(LedgerEntry.at)
    )
    for row in rows:
        age = row.at - row.opened_at
        if age <= kinds.QUICK_WITHIN:
            yield Raised(
                kinds.QUICK_REWARD,
                row.at,
                {
                    "minutes": round(age / timedelta(minutes=1)),
                    "first_at": row.opened_at.isoformat(),
                    "last_at": row.at.isoformat(),
                    "entries": named([row.entry_id]),
                },
                card_id=row.card_id,
                staff_id=row.staff_id,
                terminal_id=row.terminal_id,
                location_id=row.location_id,
                entry_id=row.entry_id,
                once=f"{kinds.QUICK_REWARD}:{row.card_id.hex}",
            )

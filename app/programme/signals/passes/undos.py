"""Undoing: much of it by one person, and rewards that come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import literal_column, select
from sqlalchemy.orm import aliased

from app.programme import cards
from app.programme.signals import kinds
from app.programme.signals.passes import Span, facts
from app.programme.signals.rows import Raised
from app.store.database import Tx
from app.store.tables import LedgerEntry

_Undone = aliased(LedgerEntry)


def odd(tx: Tx, span: Span) -> Iterator[Raised]:
    """Find who undid much on one day, or took rewards back again and again."""
    since = span.since - kinds.UNREDEEMED_WITHIN
    rows = tx.execute(
        select(
            LedgerEntry.entry_id,
            LedgerEntry.at,
            LedgerEntry.units,
            LedgerEntry.card_id,
            LedgerEntry.staff_id,
            LedgerEntry.terminal_id,
            LedgerEntry.location_id,
            _Undone.kind.label("was"),
        )
        .join(_Undone, _Undone.entry_id == LedgerEntry.reverses_id)
        .where(LedgerEntry.at >= since, LedgerEntry.staff_id.is_not(None))
        .order_by(LedgerEntry.at, LedgerEntry.entry_no)
    ).all()
    yield from _days(tx, span, [row for row in rows if row.at >= span.since])
    yield from _rewards(span, [row for row in rows if row.was == "REDEEM"])


def _days(tx: Tx, span: Span, rows: Sequence[Any]) -> Iterator[Raised]:
    """Tell of each person once a day."""
    by: dict[tuple[UUID, date], list[Any]] = defaultdict(list)
    for row in rows:
        by[row.staff_id, span.day(row.at)].append(row)
    for (staff_id, day), those in by.items():
        if len(those) >= kinds.UNDOS_LEAST:
            given = _given(tx, staff_id, span, day)
            if len(those) >= kinds.UNDOS_SHARE * given:
                yield _raised(staff_id, those, f"day:{day}", given=given)


def _rewards(span: Span, rows: Sequence[Any]) -> Iterator[Raised]:
    """Tell of each person once a week."""
    by: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by[row.staff_id].append(row)
    for staff_id, those in by.items():
        newest = those[-1].at
        lately = [row for row in those if row.at >= newest - kinds.UNREDEEMED_WITHIN]
        if newest >= span.since and len(lately) >= kinds.UNREDEEMED_LEAST:
            year, week, _ = span.day(newest).isocalendar()
            yield _raised(staff_id, lately, f"rewards:{year}-{week}", rewards=True)


def _given(tx: Tx, staff_id: UUID, span: Span, day: date) -> int:
    """Count how often a person gave stamps on the day."""
    asked = select(LedgerEntry.at).where(
        LedgerEntry.staff_id == staff_id,
        literal_column("units > 0"),
        LedgerEntry.at >= span.since,
        LedgerEntry.rule != cards.RULE_UNDO,
    )
    return sum(span.day(each) == day for each in tx.scalars(asked))


def _raised(staff_id: UUID, rows: list[Any], which: str, **more: Any) -> Raised:
    last = rows[-1]
    return Raised(
        kinds.MANY_UNDOS,
        last.at,
        {**facts(rows), **more},
        card_id=last.card_id if len({row.card_id for row in rows}) == 1 else None,
        staff_id=staff_id,
        terminal_id=last.terminal_id,
        location_id=last.location_id,
        entry_id=last.entry_id,
        once=f"{kinds.MANY_UNDOS}:{staff_id.hex}:{which}",
    )

"""One card far above the others of one person.

Somebody who gives stamps to a friend gives them to one card, and others do not give
that card as many. Regulars come often too, but they meet whoever is at the till. So a
card is compared with the other cards of the same person: the stamps that it got from
them within two weeks with those that the tenth of their cards got. An office that sends
somebody for fifteen coffees does so on a day; a friend is given to on many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, literal_column, select

from app.programme.signals import kinds
from app.programme.signals.passes import Span
from app.programme.signals.rows import Raised
from app.store.database import Tx
from app.store.tables import LedgerEntry, Signal

#: What goes on is one signal; after a pause of so long it is another.
_AGAIN_AFTER: Final = timedelta(days=14)
#: The card that a person's favourite is compared with: after nine others.
_TENTH: Final = 9


def odd(tx: Tx, span: Span) -> Iterator[Raised]:
    """Find favourites; each card and person is told once while it lasts."""
    rows = tx.execute(
        select(
            LedgerEntry.staff_id,
            LedgerEntry.card_id,
            func.count().label("times"),
            func.sum(LedgerEntry.units).label("stamps"),
            func.min(LedgerEntry.at).label("first_at"),
            func.max(LedgerEntry.at).label("last_at"),
        )
        .where(
            LedgerEntry.at >= span.until - kinds.FAVOURITE_DAYS,
            literal_column("units > 0"),
            LedgerEntry.unit.is_(None),
            LedgerEntry.kind != "REVERSE",
            LedgerEntry.staff_id.is_not(None),
        )
        .group_by(LedgerEntry.staff_id, LedgerEntry.card_id)
    )
    by: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by[row.staff_id].append(row)
    told = _told(tx, span)
    for staff_id, those in by.items():
        those.sort(key=lambda row: row.stamps, reverse=True)
        usual = those[min(_TENTH, len(those) - 1)].stamps if len(those) > 1 else 0
        for row in those:
            if row.stamps < max(kinds.FAVOURITE_LEAST, kinds.FAVOURITE_TIMES * usual):
                break
            if _days(tx, span, row) < kinds.FAVOURITE_ON_DAYS:
                continue
            once = told.get((staff_id, row.card_id)) or (
                f"{kinds.FAVOURITE}:{staff_id.hex}:{row.card_id.hex}"
                f":{span.day(row.last_at)}"
            )
            yield _raised(staff_id, row, usual, once)


def _days(tx: Tx, span: Span, row: Any) -> int:
    """Count the days of the shop on which a person gave to a card."""
    asked = select(LedgerEntry.at).where(
        LedgerEntry.card_id == row.card_id,
        LedgerEntry.staff_id == row.staff_id,
        LedgerEntry.at >= row.first_at,
        literal_column("units > 0"),
        LedgerEntry.kind != "REVERSE",
    )
    return len({span.day(at) for at in tx.scalars(asked)})


def _told(tx: Tx, span: Span) -> dict[tuple[UUID | None, UUID | None], str | None]:
    """Find the favourites that were told of lately, by person and card."""
    rows = tx.execute(
        select(Signal.staff_id, Signal.card_id, Signal.once).where(
            Signal.kind == kinds.FAVOURITE,
            Signal.at >= span.until - kinds.FAVOURITE_DAYS - _AGAIN_AFTER,
        )
    )
    return {(staff_id, card_id): once for staff_id, card_id, once in rows}


def _raised(staff_id: UUID, row: Any, usual: int, once: str) -> Raised:
    return Raised(
        kinds.FAVOURITE,
        row.last_at,
        {
            "times": row.times,
            "stamps": row.stamps,
            "usual": usual,
            "first_at": row.first_at.isoformat(),
            "last_at": row.last_at.isoformat(),
        },
        card_id=row.card_id,
        staff_id=staff_id,
        once=once,
    )

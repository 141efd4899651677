"""Stamps at odd hours, and at two places at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import literal_column, select

from app.programme import hours
from app.programme.signals import kinds
from app.programme.signals.passes import Span, facts, named
from app.programme.signals.rows import Raised
from app.store.database import Tx
from app.store.tables import LedgerEntry, Location


def odd(tx: Tx, span: Span) -> Iterator[Raised]:
    """Find what is odd among the stamps that somebody gave at a till."""
    rows = tx.execute(
        select(
            LedgerEntry.entry_id,
            LedgerEntry.at,
            LedgerEntry.units,
            LedgerEntry.card_id,
            LedgerEntry.staff_id,
            LedgerEntry.terminal_id,
            LedgerEntry.location_id,
        )
        .where(
            LedgerEntry.at >= span.since,
            literal_column("units > 0"),
            LedgerEntry.kind != "REVERSE",
            LedgerEntry.staff_id.is_not(None),
        )
        .order_by(LedgerEntry.at, LedgerEntry.entry_no)
    ).all()
    places = {row.location_id: row for row in tx.execute(_PLACES)}
    yield from _after_hours(rows, places, span)
    yield from _two_places(
        rows, places, span, kinds.CARD_IN_TWO_PLACES, lambda row: row.card_id
    )
    yield from _two_places(
        rows, places, span, kinds.PERSON_IN_TWO_PLACES, lambda row: row.staff_id
    )


_PLACES = select(Location.location_id, Location.name, Location.hours)


def _after_hours(
    rows: Iterable[Any], places: dict[UUID, Any], span: Span
) -> Iterator[Raised]:
    """Tell of each person once a day and place."""
    open_at = {
        location_id: known
        for location_id, place in places.items()
        if (known := hours.read(place.hours))
    }
    late: dict[tuple[UUID, UUID, date], list[Any]] = defaultdict(list)
    for row in rows:
        known = open_at.get(row.location_id)
        if known is not None and not known.is_open(row.at, span.zone):
            late[row.staff_id, row.location_id, span.day(row.at)].append(row)
    for (staff_id, location_id, day), those in late.items():
        last = those[-1]
        yield Raised(
            kinds.AFTER_HOURS,
            last.at,
            {**facts(those), "place": places[location_id].name},
            # Whose card, only if it was one.
            card_id=last.card_id if len({row.card_id for row in those}) == 1 else None,
            staff_id=staff_id,
            terminal_id=last.terminal_id,
            location_id=location_id,
            entry_id=last.entry_id,
            once=f"{kinds.AFTER_HOURS}:{staff_id.hex}:{location_id.hex}:{day}",
        )


def _two_places(
    rows: Sequence[Any],
    places: dict[UUID, Any],
    span: Span,
    kind: str,
    whose: Callable[[Any], UUID],
) -> Iterator[Raised]:
    """Tell of each card, or person, once a day."""
    by: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        if row.location_id is not None:
            by[whose(row)].append(row)
    for whose_id, those in by.items():
        for before, after in pairwise(those):
            is_far = before.location_id != after.location_id
            if is_far and after.at - before.at <= kinds.TWO_PLACES_WITHIN:
                is_card = kind == kinds.CARD_IN_TWO_PLACES
                yield Raised(
                    kind,
                    after.at,
                    {
                        "place": places[before.location_id].name,
                        "other_place": places[after.location_id].name,
                        "first_at": before.at.isoformat(),
                        "last_at": after.at.isoformat(),
                        "seconds": round((after.at - before.at).total_seconds()),
                        "entries": named([before.entry_id, after.entry_id]),
                    },
                    card_id=whose_id if is_card else after.card_id,
                    staff_id=after.staff_id if is_card else whose_id,
                    terminal_id=after.terminal_id,
                    location_id=after.location_id,
                    entry_id=after.entry_id,
                    once=f"{kind}:{whose_id.hex}:{span.day(after.at)}",
                )

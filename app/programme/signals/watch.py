"""The watch: looks through the ledger for what no single entry shows.

Called by the worker, every minute. It reads what was written since it last looked, with
some time before, for a transaction may commit after the moment that it writes down; and
always whole days of the shop, since most of what is odd is odd for a day. It may look
twice at the same and from two workers at once: a signal's ``once`` makes it one.

It reads first and writes after, in a transaction that takes no longer than the rows it
has found. No stamp waits for a look.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final

from sqlalchemy import select

from app.programme import expiry
from app.programme.signals.passes import Span, favourites, joins, stamps, undos
from app.programme.signals.rows import Raised, put
from app.store.database import Tx
from app.store.tables import Watched
from app.tools import Tools

#: Longer than any transaction of ours lives.
OVERLAP: Final = timedelta(minutes=10)
#: How far back the first look of all goes.
FIRST: Final = timedelta(days=1)
#: What needs no day alone is looked at once an hour: two weeks are read for it.
_SELDOM: Final = timedelta(hours=1)


def look(tools: Tools) -> int:
    """Look through what is new.

    Returns:
        How many signals were written or brought up to date.

    Raises:
        StoreDown: the books gave no answer; the next look makes up for it.
    """
    now = tools.now()
    with tools.database.read() as tx:
        is_seldom_due = now - _until(tx, "favourites", now) >= _SELDOM
        found = list(_found(tx, now, with_favourites=is_seldom_due))
    with tools.database.begin() as tx:
        for raised in found:
            put(tx, raised)
        if is_seldom_due:
            joins.forget(tx, now)
        _mark(tx, "ledger", now)
        if is_seldom_due:
            _mark(tx, "favourites", now)
    return len(found)


def _found(tx: Tx, now: datetime, *, with_favourites: bool) -> Iterator[Raised]:
    zone = expiry.zone_of(tx)
    since = min(_until(tx, "ledger", now) - OVERLAP, now)
    first_day = since.astimezone(zone).date()
    span = Span(datetime.combine(first_day, time(), zone).astimezone(UTC), now, zone)
    yield from stamps.odd(tx, span)
    yield from undos.odd(tx, span)
    yield from joins.odd(tx, span)
    if with_favourites:
        yield from favourites.odd(tx, span)


def _until(tx: Tx, name: str, now: datetime) -> datetime:
    until = tx.scalar(select(Watched.until).where(Watched.name == name))
    return until or now - FIRST


def _mark(tx: Tx, name: str, now: datetime) -> None:
    row = tx.get(Watched, name, with_for_update=True)
    if row is None:
        tx.add(Watched(name=name, until=now))
    elif row.until < now:
        # Two looks at once: the later one says how far.
        row.until = now

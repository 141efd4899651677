"""Which numbers of the ledger are settled: nothing can come to light before them.

SQLite has one writer, who takes the number after the highest: whatever is there is
settled. A sequence of PostgreSQL gives numbers to transactions that end in any order.
There, a transaction that was given a number up to N holds a lock on the table, since
before it was given the number and until it has ended. So once N was seen, and all who
held such a lock then have ended, all that is up to N can be seen. Looking takes no lock
and keeps nobody waiting.
"""

from __future__ import annotations

import time
from datetime import timedelta

from sqlalchemy import func, select, text

from app.store.database import Database, Tx
from app.store.tables import LedgerEntry

#: Between two looks, in s.
_PAUSE_S = 0.02
_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks "
    "WHERE relation = 'ledger_entry'::regclass AND mode = 'RowExclusiveLock' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def last_settled(
    database: Database, *, patience: timedelta = timedelta(seconds=10)
) -> int | None:
    """Return the ledger's last number, once everything up to it can be seen.

    Args:
        database: the books.
        patience: how long to wait for those who are writing.

    Returns:
        The number, 0 for an empty ledger; None where somebody went on writing, or
        where that cannot be seen, as on a standby.

    Raises:
        DatabaseDown: the books gave no answer.
    """
    end = time.monotonic() + patience.total_seconds()
    with database.read() as tx:
        last = tx.scalar(select(func.coalesce(func.max(LedgerEntry.entry_no), 0))) or 0
        if database.is_sqlite:
            return last
        if tx.scalar(text("SELECT pg_is_in_recovery()")):
            # Its locks are those of its readers alone.
            return None
        writing = _writers(tx)
        while writing & _writers(tx):
            if time.monotonic() > end:
                return None
            time.sleep(_PAUSE_S)
    return last


def _writers(tx: Tx) -> set[str]:
    return set(tx.scalars(_WRITERS))

"""What the ledger once was, it is still: a hash over it, kept where nobody else writes.

The head of the ledger is how many entries it has, the last one's number, and SHA-256
over all of them in the order of their numbers: of each the 16 bytes of its id, the
length of its receipt in 4 bytes, and the receipt, which covers all the rest. Whoever
kept a head finds that an entry before it was removed, put in, or put in another place
(``ledger_anchor``); no constraint and no counter helps against that.

Where the ledger ends is not where its highest number is: an entry takes its number when
it is written, and is seen when its transaction ends, so that a lower number can come to
light after a higher one. A head goes only as far as every number is settled
(``app.store.settled``), and is told by the state of the books of a moment after that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import func, select

from app.programme.proofs.found import Found, Head
from app.store.database import Tx
from app.store.tables import LedgerEntry

#: Entries in memory at a time.
_ROWS = 1000


def check(
    tx: Tx, heads: Collection[Head], settled: int | None, found: Found
) -> Head | None:
    """Look for what the ledger once was, in one walk along it.

    Args:
        tx: reads one state of the books.
        heads: what it once was.
        settled: the last number up to which nothing can come to light any more; None
            if that could not be told.
        found: takes the first of ``heads`` that is not there any more. The later
            ones have the same fault.

    Returns:
        The head at ``settled``; None without it.
    """
    ends = {head.last for head in heads}
    if settled is None:
        sentence = "Where the ledger ends could not be told, since somebody wrote on."
        found.note("ledger_busy", "ledger", sentence)
    else:
        ends.add(settled)
    now = {head.last: head for head in _walk(tx, sorted(ends))}
    gone = next((head for head in sorted(heads) if now[head.last] != head), None)
    if gone is not None:
        left = now[gone.last].count
        sentence = (
            f"Up to number {gone.last} the ledger had {gone.count} entries. It has "
            f"{left if left != gone.count else 'as many'} now, and not the same."
        )
        found.add("ledger_anchor", gone.digest.hex(), sentence)
    return None if settled is None else now[settled]


def head(tx: Tx) -> Head:
    """Tell the head of all that a transaction sees, such as a copy of the books."""
    last = tx.scalar(select(func.coalesce(func.max(LedgerEntry.entry_no), 0))) or 0
    return next(_walk(tx, [last]))


def _walk(tx: Tx, ends: Sequence[int]) -> Iterator[Head]:
    """Tell the head at each of these numbers, which rise."""
    digest, count, waiting = hashlib.sha256(), 0, list(ends)
    rows = (
        select(LedgerEntry.entry_no, LedgerEntry.entry_id, LedgerEntry.receipt)
        .where(LedgerEntry.entry_no <= max(ends, default=0))
        .order_by(LedgerEntry.entry_no)
        .execution_options(yield_per=_ROWS)
    )
    for entry_no, entry_id, receipt in tx.execute(rows):
        while waiting[0] < entry_no:
            yield Head(waiting.pop(0), count, digest.digest())
        count += 1
        signed = receipt or b""
        digest.update(entry_id.bytes + len(signed).to_bytes(4, "big") + signed)
    for last in waiting:
        yield Head(last, count, digest.digest())

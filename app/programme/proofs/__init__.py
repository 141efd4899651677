"""Proving the ledger: every entry is checked again, from its code to the card's sum.

Pure reading, of one state of the books. Cards are taken a hundred at a time with all
their entries, so that memory does not grow with the ledger. By job:

* ``receipts``: of each entry, that we wrote it, and every column of it
* ``codes``: of each entry, its kind and rule, the signature of its code, the code's
  nonce, kind and age, its request
* ``sums``: of each card, the sums that the answers told, in the order of its versions;
  full cards and reversals; that it is the card of which they told, and its version
  counts no change that the ledger lacks
* ``vouchers``: of each voucher, what it was exchanged for, its promise, its state; that
  its end is the one that was promised, and it was used before that
* ``printed``: of each batch of printed stamps, what it was made with; of each entry of
  such a code, that its batch says the same
* ``tiers``: of each card, that it earned its tier or was invited to it; of each
  membership, that somebody marked it as paid, with these terms
* ``sales``: of each purchase, that it is what its entry told when it was signed, and
  that what came back of it is still known to have
* ``whole``: what is there twice or missing, entries of no card, terminals
* ``anchors``: that what the ledger once was, it is still

The receipts alone tell of every entry that was put in or changed by somebody without a
key. The rest does not lean on them: it finds what does not add up, whoever signed it,
and what was removed.

What it cannot find, for the books alone do not show it:

* a card's last entries, removed together with its version, their vouchers, and, on
  SQLite, all later entries of the ledger; a backup of yesterday has no fault. An
  anchor finds it, up to where it was made.
* what is not in the ledger: whose card it is, what people, places and tills are called,
  and what a programme promises to those who have earned nothing yet.
* entries by who holds the signing key, or by the web server itself, while it is
  trusted; after a key is revoked, those dated back to before, but for an anchor of
  before.
"""

from __future__ import annotations

from collections.abc import Collection

from app.programme.proofs import (
    anchors,
    codes,
    printed,
    receipts,
    sales,
    sums,
    tiers,
    vouchers,
    whole,
)
from app.programme.proofs.found import Found, Head, Progress, Proved
from app.programme.proofs.holdings import Holding, holdings
from app.store.database import same_state
from app.store.settled import last_settled
from app.tools import Tools

__all__ = ["Head", "Progress", "Proved", "prove"]


def prove(
    tools: Tools,
    *,
    progress: Progress = lambda _entries: None,
    heads: Collection[Head] | None = None,
) -> Proved:
    """Check the whole ledger.

    Args:
        tools: books and keys; nothing else is asked.
        progress: told after each hundred cards.
        heads: what the ledger once was, to be found in it again; with an empty one
            its head is told and nothing compared. None: neither.

    Returns:
        What was found; ``findings`` is empty for books that nobody touched.

    Raises:
        StoreDown: the books gave no answer.
    """
    head = None
    settled = None if heads is None else last_settled(tools.database)
    with tools.database.read() as tx:
        same_state(tx)
        whole.hold(tx)
        # Looked at after the books: whatever key signed there is in the ring by now.
        tools.keys.refresh()
        found = Found(tools.keys.ring, tools.settings.origin)
        for holding in holdings(tx):
            _check_card(holding, found)
            progress(found.entries)
        whole.check(tx, found, is_dense=tools.database.is_sqlite)
        printed.check(tx, found)
        tiers.check(tx, found, tools.now())
        sales.check(tx, found)
        if heads is not None:
            head = anchors.check(tx, heads, settled, found)
    return Proved(
        found.entries, found.signatures, tuple(found.findings), tuple(found.notes), head
    )


def _check_card(holding: Holding, found: Found) -> None:
    for entry in holding.entries:
        found.entries += 1
        receipts.check(entry, found)
        codes.check(entry, found)
    sums.check(holding, found)
    vouchers.check(holding, found)

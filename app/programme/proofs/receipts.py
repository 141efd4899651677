"""Of each entry: that we wrote it, and every column of it.

Findings are ``receipt_missing``; ``receipt_forged``: no key of ours signed the entry as
it stands, so it was put in or changed by hand; ``receipt_revoked``: signed by a key
that was revoked before the entry's moment.
"""

from __future__ import annotations

from app.programme import ledger
from app.programme.proofs.found import SLACK, Found
from app.store.tables import LedgerEntry
from signing import receipts
from signing.receipts import ReceiptForged


def check(entry: LedgerEntry, found: Found) -> None:
    """Check that the entry stands as it was written, by a key that was ours then."""
    if entry.receipt is None:
        sentence = "It has no receipt, and none is written without one."
        found.add("receipt_missing", entry.entry_id, sentence)
        return
    found.signatures += 1
    try:
        key = receipts.verify(
            entry.receipt, ledger.told(entry), found.ring, origin=found.origin
        )
    except ReceiptForged as error:
        sentence = f"We did not write it as it stands: {error} in its receipt."
        found.add("receipt_forged", entry.entry_id, sentence)
        return
    if key.revoked_at is not None and entry.at > key.revoked_at + SLACK:
        sentence = f"Key {key.key_id}, which signed it, was revoked before it."
        found.add("receipt_revoked", entry.entry_id, sentence)

"""Of printed stamps: each batch, its codes, and what the ledger took of them.

Findings are ``batch_forged``: no key of ours signed the batch as it stands;
``batch_codes``: its codes are not those that it was made with; ``batch_reopened``: the
audit log has it called back, and it stands open; and of an entry ``printed_unknown``:
no batch has its code; ``printed_units``, ``printed_place``, ``printed_programme``: it
gave another number of stamps, elsewhere, or to a card of another programme than its
batch says; ``printed_revoked``: it came after its batch was called back; and
``proof_revoked``: the batch's key was revoked before it, and the batch is not older.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, func, select

from app.programme import printed
from app.programme.proofs.found import SLACK, Found
from app.store.database import Tx
from app.store.tables import AuditEntry, Card, LedgerEntry, PrintedBatch, PrintedCode
from signing.codes import Kind
from signing.keyring import SigningKey

#: How every code of ours on paper begins: format 1, its kind.
_FIRST = bytes([1 << 4 | Kind.PRINTED_STAMP])


def check(tx: Tx, found: Found) -> None:
    """Check every batch, and every entry that a printed code made."""
    called_back = set(
        tx.scalars(
            select(AuditEntry.subject).where(AuditEntry.action == "batch.revoked")
        )
    )
    for batch in tx.scalars(select(PrintedBatch).order_by(PrintedBatch.batch_no)):
        key = _check_batch(tx, batch, found)
        if batch.state != "revoked" and str(batch.batch_id) in called_back:
            sentence = "It was called back, and the books have it open."
            found.add("batch_reopened", batch.batch_id, sentence)
        _check_entries(tx, batch, key, found)
    _check_strays(tx, found)


def _check_batch(tx: Tx, batch: PrintedBatch, found: Found) -> SigningKey | None:
    found.signatures += 1
    key = printed.signer_of(batch, found.ring, origin=found.origin)
    if key is None:
        sentence = "We did not make it as it stands: its receipt says otherwise."
        found.add("batch_forged", batch.batch_id, sentence)
    rows = tx.execute(
        select(PrintedCode.number, PrintedCode.nonce)
        .where(PrintedCode.batch_id == batch.batch_id)
        .order_by(PrintedCode.number)
    ).all()
    wanted = [
        (number, printed.nonce_of(batch.seed, number))
        for number in range(1, batch.count + 1)
    ]
    if [tuple(row) for row in rows] != wanted:
        sentence = "Its codes are not those that it was made with."
        found.add("batch_codes", batch.batch_id, sentence)
    return key


def _check_entries(
    tx: Tx, batch: PrintedBatch, key: SigningKey | None, found: Found
) -> None:
    rows = tx.execute(
        select(
            LedgerEntry.entry_id,
            LedgerEntry.units,
            LedgerEntry.at,
            LedgerEntry.location_id,
            Card.programme_id,
        )
        .join(PrintedCode, PrintedCode.nonce == LedgerEntry.nonce)
        .outerjoin(Card, Card.card_id == LedgerEntry.card_id)
        .where(PrintedCode.batch_id == batch.batch_id)
        .order_by(LedgerEntry.entry_no)
    )
    for row in rows:
        said: dict[str, tuple[bool, str]] = {
            "printed_units": (
                row.units != batch.stamps,
                f"A code of batch {batch.batch_no} gives another number of stamps.",
            ),
            "printed_place": (
                row.location_id != batch.location_id,
                f"Batch {batch.batch_no} is of another place.",
            ),
            "printed_programme": (
                row.programme_id not in {None, batch.programme_id},
                f"Batch {batch.batch_no} is of another programme than its card.",
            ),
            "printed_revoked": (
                batch.revoked_at is not None and row.at > batch.revoked_at + SLACK,
                f"Batch {batch.batch_no} was called back before it.",
            ),
            "proof_revoked": (
                _is_of_dead_key(batch, key) and _is_after(row.at, key),
                f"Key {batch.key_id} was revoked before it, and its batch is no older.",
            ),
        }
        for code, (is_so, sentence) in said.items():
            if is_so:
                found.add(code, row.entry_id, sentence)


def _is_of_dead_key(batch: PrintedBatch, key: SigningKey | None) -> bool:
    return key is not None and not printed.stays_good(batch, key)


def _is_after(at: datetime, key: SigningKey | None) -> bool:
    return key is None or key.revoked_at is None or at > key.revoked_at + SLACK


def _check_strays(tx: Tx, found: Found) -> None:
    """Look for entries whose code is on no paper of ours."""
    first = func.substr(LedgerEntry.proof, 1, 1, type_=LargeBinary())
    strays = (
        select(LedgerEntry.entry_id)
        .outerjoin(PrintedCode, PrintedCode.nonce == LedgerEntry.nonce)
        .where(first == _FIRST, PrintedCode.nonce.is_(None))
        .order_by(LedgerEntry.entry_no)
    )
    entry_id: UUID
    for entry_id in tx.scalars(strays):
        found.add("printed_unknown", entry_id, "No batch has the printed code of it.")

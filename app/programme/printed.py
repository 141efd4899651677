r"""What a printed code is worth: its issue record is a row of the books.

Paper lives for months, and the nonce store may lose everything in that time. So a
printed code is issued in the books: a batch, with a row for each of its codes. While
one is being spent the door puts it in the nonce store as well, for the lease alone
(``codes.spend``); what it is worth is read from here each time, never from there.

Who writes in the books creates no value by it. The codes are not in them: without the
signature, which is on the paper alone, a nonce is worth nothing, to a thief of a backup
too. And whoever holds one real code cannot make it worth more, for a batch carries a
receipt of the key that signs its codes, over all that its codes are worth and over the
seed that their nonces follow from:

    SHA-256(b"punchproof/printed/1\0" + seed + number in 4 bytes, big-endian), the
    first 9 bytes

so that a code can be moved to no other batch and no other number. Not covered is that
a batch was called back, and how often it was printed, since both change; the audit log
has a line of each.

Keys. A code on paper outlives the key that signed it, so a *retired* key still
verifies here, and here alone. That is safe: retiring destroyed the private part, and
what nobody has cannot be stolen; if it was taken before, the key is to be revoked, and
a retired one can be. Hence a key's retirement waits for no paper. Of a *revoked* key a
batch stays good that was made before the key may have been stolen (``revoked_since``),
unless the revocation was hard: a thief has no row in the books, least of all one that
is older than the theft.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.programme.errors import CodeRevoked, NotEligible, NotFound
from app.store.database import Tx
from app.store.tables import Card, Location, PrintedBatch, PrintedCode
from app.tools import Tools
from signing import receipts
from signing.codes import NONCE_BYTES, Code, Kind
from signing.keyring import KeyRing, KeyState, SigningKey
from signing.receipts import ReceiptForged

_DOMAIN: Final = b"punchproof/printed/1\0"
SEED_BYTES: Final = 32
#: What a receipt covers; all of it is fixed when a batch is made.
_COVERED: Final = (
    "batch_id",
    "count",
    "created_at",
    "created_by",
    "expires_at",
    "key_id",
    "location_id",
    "programme_id",
    "seed",
    "stamps",
)


@dataclass(frozen=True, slots=True)
class Paper:
    """A printed code that we issued."""

    #: What it is worth, as an issue record says it.
    record: Mapping[str, str]
    #: Whether its batch, or its key, was called back.
    is_revoked: bool


def nonce_of(seed: bytes, number: int) -> bytes:
    """Return the nonce of a batch's code, 9 bytes.

    Args:
        seed: of the batch.
        number: of the code within it.
    """
    data = _DOMAIN + seed + number.to_bytes(4, "big")
    return hashlib.sha256(data).digest()[:NONCE_BYTES]


def told(batch: PrintedBatch) -> bytes:
    """Write what a batch's receipt covers, in the one spelling that is signed.

    No entry of the ledger is spelled so: those name no batch.
    """
    facts: dict[str, object] = {"what": "printed_batch"}
    for name in _COVERED:
        value = getattr(batch, name)
        if isinstance(value, UUID):
            value = value.hex
        elif isinstance(value, bytes):
            value = value.hex()
        elif name.endswith("_at"):
            value = value.astimezone(UTC).isoformat(timespec="microseconds")
        facts[name] = value
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode("ascii")


def signer_of(batch: PrintedBatch, ring: KeyRing, *, origin: str) -> SigningKey | None:
    """Return the key that signed a batch as it stands; None where none of ours did."""
    try:
        key = receipts.verify(batch.receipt, told(batch), ring, origin=origin)
    except ReceiptForged:
        return None
    return key if key.key_id == batch.key_id else None


def stays_good(batch: PrintedBatch, key: SigningKey) -> bool:
    """Tell whether a batch is older than what may have befallen its key."""
    if key.state is not KeyState.REVOKED:
        return True
    return key.revoked_since is not None and batch.created_at < key.revoked_since


def find(tools: Tools, ring: KeyRing, code: Code) -> Paper | None:
    """Find a printed code in the books.

    Args:
        tools: the books.
        ring: the keys that the code was verified with.
        code: whose signature is good, whatever became of its key.

    Returns:
        None for a code of another kind, and for one that we did not issue as it is.

    Raises:
        StoreDown: the books gave no answer.
    """
    if code.kind is not Kind.PRINTED_STAMP:
        return None
    with tools.database.read() as tx:
        row = tx.execute(
            select(PrintedCode.number, PrintedBatch, Location.name)
            .join(PrintedBatch, PrintedBatch.batch_id == PrintedCode.batch_id)
            .outerjoin(Location, Location.location_id == PrintedBatch.location_id)
            .where(PrintedCode.nonce == code.nonce)
        ).first()
    if row is None:
        return None
    number, batch, place = row
    key = signer_of(batch, ring, origin=tools.settings.origin)
    is_its = (
        nonce_of(batch.seed, number) == code.nonce
        and 1 <= number <= batch.count
        and (batch.key_id, batch.expires_at) == (code.key_id, code.not_after)
    )
    if key is None or not is_its:
        return None
    is_revoked = batch.state == "revoked" or not stays_good(batch, key)
    return Paper(_record(batch, place), is_revoked)


def must_be_good_for(tx: Tx, nonce: bytes, card_id: UUID) -> None:
    """Ask once more where it counts, in the transaction that books the code.

    The batch is locked until that ends: after it was called back nothing is booked.
    One after the other, for that queue is fair: PostgreSQL lets those who share a lock
    overtake whoever waits to change the row, and a busy batch could not be called back.

    Raises:
        CodeRevoked: the batch was called back.
        NotFound: no such card.
        NotEligible: the batch is of another programme than the card.
    """
    batch = tx.execute(
        select(PrintedBatch.state, PrintedBatch.programme_id)
        .join(PrintedCode, PrintedCode.batch_id == PrintedBatch.batch_id)
        .where(PrintedCode.nonce == nonce)
        .with_for_update(key_share=True, of=PrintedBatch)
    ).one_or_none()
    if batch is None or batch.state == "revoked":
        raise CodeRevoked(is_printed=True)
    programme_id = tx.scalar(select(Card.programme_id).where(Card.card_id == card_id))
    if programme_id is None:
        raise NotFound
    if programme_id != batch.programme_id:
        raise NotEligible


def _record(batch: PrintedBatch, place: str | None) -> Mapping[str, str]:
    record = {"stamps": str(batch.stamps), "batch": batch.batch_id.hex}
    if batch.location_id is not None:
        record |= {"location": batch.location_id.hex, "place": place or ""}
    return record

r"""The audit log: who changed what in the shop, in a chain that shows tampering.

Each row holds the hash of the row before it (32 zero bytes for the first) and its
own: SHA-256 over ``b"punchproof/audit/1\0"``, the 32 bytes of the hash before, and a
JSON list in ASCII, ``[at, staff_id, action, subject, detail]``, with sorted keys and
no spaces. ``at`` is UTC with six digits of a second and the offset; ``staff_id`` is 32
hex digits or null. A list of JSON has one reading, so that no part can run into the
next.

``audit_no`` is not covered: the books give it when the row is written, which is after
its hash is known. It needs none: the order is that of the hashes, and ``chain`` checks
that the numbers rise along it.

What the chain cannot show by itself: rows cut off at its end, and a chain that was
written anew from some row on by somebody who knows this module; it has no secret.
Both are shown by an anchor: the head's hash, kept where who writes the books cannot.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from app.store.database import Tx, take_turn
from app.store.tables import AuditEntry
from app.tools import Tools

#: What stands before the first row.
START: Final = bytes(32)
_DOMAIN: Final = b"punchproof/audit/1\0"
#: Rows in memory at a time.
_ROWS = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the books that does not follow from the rules."""

    #: A stable word.
    code: str
    #: Whose it is: an entry's id, a row's number, a voucher's id.
    subject: str
    #: For a person, with a full stop.
    sentence: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What a walk along the chain found."""

    count: int
    #: The last row's hash; ``START`` of an empty log.
    head: bytes
    findings: tuple[Finding, ...]
    #: Those of the hashes asked for that are in the chain.
    met: frozenset[bytes]


def record(
    tx: Tx,
    tools: Tools,
    action: str,
    subject: object,
    *,
    by: UUID | None,
    **detail: Any,
) -> None:
    """Write one line, in the transaction of what it tells.

    Two who write at once take turns, so call it after everything else.

    Args:
        tx: the caller's transaction.
        tools: the clock.
        action: a stable word, ``terminal.revoked``.
        subject: what was changed, usually an id.
        by: the staff member who did it; None for a script.
        detail: plain data; never a secret.
    """
    # What the caller changed is locked before we wait, never while we have the turn:
    # two who hold one and wait for the other would wait for ever.
    tx.flush()
    take_turn(tx)
    before = tx.scalar(
        select(AuditEntry.entry_hash).order_by(AuditEntry.audit_no.desc()).limit(1)
    )
    row = AuditEntry(
        at=tools.now(),
        staff_id=by,
        action=action,
        subject=str(subject),
        detail=detail,
        previous_hash=START if before is None else before,
    )
    row.entry_hash = hash_of(
        row.previous_hash, row.at, row.staff_id, row.action, row.subject, row.detail
    )
    tx.add(row)
    tx.flush()


def hash_of(
    previous: bytes,
    at: datetime,
    staff_id: UUID | None,
    action: str,
    subject: str,
    detail: dict[str, Any],
) -> bytes:
    """Return a row's hash, 32 bytes, by the encoding above."""
    told = [
        at.astimezone(UTC).isoformat(timespec="microseconds"),
        staff_id.hex if staff_id else None,
        action,
        subject,
        detail,
    ]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(_DOMAIN + previous + text.encode()).digest()


def chain(tools: Tools, *, ask: frozenset[bytes] = frozenset()) -> Chain:
    """Walk along the whole chain and check every link.

    Findings are ``audit_edited``: a row's own hash does not fit what it says;
    ``audit_link``: it does not follow the row before it, for a row was removed, added
    or moved; ``audit_anchor``: a hash that was asked for is not in the chain.

    Args:
        tools: the books.
        ask: hashes that were once the head.

    Raises:
        StoreDown: the books gave no answer.
    """
    count, head, findings, met = 0, START, [], set(ask & {START})
    rows = select(AuditEntry).order_by(AuditEntry.audit_no)
    with tools.database.read() as tx:
        for row in tx.scalars(rows.execution_options(yield_per=_ROWS)):
            count += 1
            findings += _wrong(row, head)
            head = row.entry_hash
            met |= {head} & ask
            tx.expunge(row)
    for missing in sorted(ask - met):
        sentence = "The chain does not hold this hash, which was once its head."
        findings.append(Finding("audit_anchor", missing.hex(), sentence))
    return Chain(count, head, tuple(findings), frozenset(met))


def _wrong(row: AuditEntry, before: bytes) -> list[Finding]:
    found, number = [], str(row.audit_no)
    if row.previous_hash != before:
        sentence = f"Audit row {number} does not follow the row before it."
        found.append(Finding("audit_link", number, sentence))
    said = hash_of(
        row.previous_hash, row.at, row.staff_id, row.action, row.subject, row.detail
    )
    if row.entry_hash != said:
        sentence = f"Audit row {number} was changed after it was written."
        found.append(Finding("audit_edited", number, sentence))
    return found

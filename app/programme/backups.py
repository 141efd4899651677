"""Backups: what a copy of the books holds, and when the last one was taken.

Each finished backup leaves a line in the audit log. So every process and machine can
tell how old the last one is, and a copy that somebody took in the night is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select

from app.programme import audit
from app.programme.proofs import Head, anchors
from app.store import copying
from app.store.database import Tx
from app.store.tables import AuditEntry
from app.tools import Tools

_TAKEN: Final = "books.backed_up"


@dataclass(frozen=True, slots=True)
class Facts:
    """What books hold, in one state of them."""

    #: Of the schema.
    revision: str
    #: Of each table.
    rows: Mapping[str, int]
    audit_rows: int
    #: 32 bytes.
    audit_head: bytes
    ledger: Head


def facts(tx: Tx) -> Facts:
    """Tell what books hold.

    Args:
        tx: sees one state of the books.
    """
    last = select(AuditEntry.entry_hash).order_by(AuditEntry.audit_no.desc()).limit(1)
    return Facts(
        revision=copying.revision(tx),
        rows=copying.rows(tx),
        audit_rows=tx.scalar(select(func.count()).select_from(AuditEntry)) or 0,
        audit_head=tx.scalar(last) or audit.START,
        ledger=anchors.head(tx),
    )


def note(tools: Tools, name: str, **detail: Any) -> None:
    """Write in the audit log that a backup is finished.

    Args:
        tools: the books it was taken of.
        name: of its file.
        detail: plain data; nothing secret.

    Raises:
        StoreDown: nothing was written.
    """
    with tools.database.begin() as tx:
        audit.record(tx, tools, _TAKEN, name, by=None, **detail)


def last_at(tools: Tools) -> datetime | None:
    """Tell when the last backup was finished; None if there never was one.

    Raises:
        StoreDown: the books gave no answer.
    """
    asked = (
        select(AuditEntry.at)
        .where(AuditEntry.action == _TAKEN)
        .order_by(AuditEntry.audit_no.desc())
        .limit(1)
    )
    with tools.database.read() as tx:
        return tx.scalar(asked)

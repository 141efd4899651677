"""The audit log: who changed what in the shop."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.store.database import Tx
from app.store.tables import AuditEntry
from app.tools import Tools


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

    Args:
        tx: the caller's transaction.
        tools: the clock.
        action: a stable word, ``terminal.revoked``.
        subject: what was changed, usually an id.
        by: the staff member who did it; None for a script.
        detail: plain data; never a secret.
    """
    tx.add(
        AuditEntry(
            at=tools.now(),
            staff_id=by,
            action=action,
            subject=str(subject),
            detail=detail,
        )
    )

"""Signals: things that may be fraud, kept with their evidence.

A signal blocks nothing by itself and never stands in the way of an answer: it is
written in a transaction of its own, and if that fails it is lost rather than the
refusal that it belongs to. One code raises at most a few an hour, so that a phone
which tries again and again fills no table.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.programme.errors import StoreDown
from app.store.limits import LimitHit
from app.store.tables import Signal
from app.tools import Tools


def note(
    tools: Tools,
    kind: str,
    evidence: Mapping[str, Any],
    card_id: UUID | None = None,
) -> None:
    """Keep a signal.

    Args:
        tools: the books, and limits against floods.
        kind: ``spent_code`` or ``unissued_code``.
        evidence: plain data, no secrets; its ``nonce`` tells repeats.
        card_id: the card that the code counted for, if it did.
    """
    with contextlib.suppress(StoreDown, LimitHit):
        tools.limits.hit("signal", kind, str(evidence.get("nonce")), limit="3/hour")
        with tools.database.begin() as tx:
            tx.add(
                Signal(
                    kind=kind, at=tools.now(), evidence=dict(evidence), card_id=card_id
                )
            )

"""Signals: things that may be fraud, kept with their evidence.

A signal blocks nothing by itself and never stands in the way of an answer: it is
written in a transaction of its own, and if that fails it is lost rather than the
refusal that it belongs to. One code raises at most a few an hour, so that a phone
which tries again and again fills no table.

One kind cannot wait until somebody looks: a code with our good signature that we
never issued. It is an alarm too (``app.programme.alarms``), and a line in the log at
once, at most one a minute.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from app import logs
from app.programme.errors import StoreDown
from app.store.limits import LimitHit
from app.store.tables import Signal
from app.tools import Tools

#: Signed by our key, and not by us.
UNISSUED: Final = "unissued_code"
#: Given to a card that nobody showed; written by ``by_hand`` with the stamps.
BY_HAND: Final = "by_hand"


@dataclass(frozen=True, slots=True)
class Unissued:
    """Codes of one key that were shown with a good signature and never issued."""

    key_id: int | None
    count: int
    first_at: datetime
    last_at: datetime


def note(
    tools: Tools,
    kind: str,
    evidence: Mapping[str, Any],
    card_id: UUID | None = None,
) -> None:
    """Keep a signal.

    Args:
        tools: the books, and limits against floods.
        kind: ``spent_code`` or ``UNISSUED``.
        evidence: plain data, no secrets; its ``nonce`` tells repeats.
        card_id: the card that the code counted for, if it did.
    """
    with contextlib.suppress(LimitHit):
        tools.limits.hit("signal", kind, str(evidence.get("nonce")), limit="3/hour")
        with contextlib.suppress(StoreDown), tools.database.begin() as tx:
            tx.add(
                Signal(
                    kind=kind, at=tools.now(), evidence=dict(evidence), card_id=card_id
                )
            )
        if kind == UNISSUED:
            _cry(tools, evidence.get("key_id"))


def unissued(tools: Tools, *, since: datetime) -> list[Unissued]:
    """Count the codes that were never issued, by the key that signed them.

    Raises:
        StoreDown: the books gave no answer.
    """
    key_id = Signal.evidence["key_id"].as_integer()
    asked = (
        select(key_id, func.count(), func.min(Signal.at), func.max(Signal.at))
        .where(Signal.kind == UNISSUED, Signal.at >= since)
        .group_by(key_id)
        .order_by(key_id)
    )
    with tools.database.read() as tx:
        return [Unissued(*row) for row in tx.execute(asked)]


def total(tools: Tools, kind: str) -> int:
    """Count the signals of a kind since the shop was founded.

    Raises:
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        asked = select(func.count()).where(Signal.kind == kind)
        return tx.scalar(asked) or 0


def _cry(tools: Tools, key_id: object) -> None:
    """Say it in the log, in time for somebody to revoke the key."""
    with contextlib.suppress(LimitHit):
        tools.limits.hit("alarm", UNISSUED, limit="1/minute")
        logs.alarm(
            UNISSUED,
            f"A code with the good signature of key {key_id} was shown that we never "
            "issued: the key may be stolen. See the console's page of keys.",
        )

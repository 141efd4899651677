"""Writing signals: what is the same thing is one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.dialects import postgresql, sqlite

from app.store.database import Tx
from app.store.tables import Signal


@dataclass(frozen=True, slots=True)
class Raised:
    """A signal about to be written."""

    kind: str
    #: When what it tells of happened.
    at: datetime
    #: Plain data, no secrets.
    evidence: Mapping[str, Any]
    card_id: UUID | None = None
    staff_id: UUID | None = None
    terminal_id: UUID | None = None
    location_id: UUID | None = None
    entry_id: UUID | None = None
    #: Names the thing, so that it is told once; None: always another.
    once: str | None = None


def put(tx: Tx, raised: Raised) -> None:
    """Write a signal, or bring the evidence of the one that tells of it up to date.

    What somebody has looked at stays as they saw it.
    """
    is_sqlite = tx.get_bind().dialect.name == "sqlite"
    insert = (sqlite if is_sqlite else postgresql).insert(Signal)
    values = {name: getattr(raised, name) for name in Raised.__slots__}
    wanted = insert.values(
        signal_id=uuid4(), state="new", **{**values, "evidence": dict(raised.evidence)}
    )
    tx.execute(
        wanted.on_conflict_do_update(
            index_elements=[Signal.once],
            set_={"evidence": wanted.excluded.evidence, "at": wanted.excluded.at},
            where=Signal.state == "new",
        )
    )

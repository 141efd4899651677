"""The passes of the watch, each over a span of the ledger; they read, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

#: Entries that an evidence names at most.
MOST_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Span:
    """What a look reads: whole days of the shop, up to now."""

    since: datetime
    until: datetime
    zone: ZoneInfo

    def day(self, at: datetime) -> date:
        """Tell the day of the shop on which something happened."""
        return at.astimezone(self.zone).date()


def named(ids: Sequence[UUID]) -> list[str]:
    """Name entries in an evidence: the newest ones, if they are many."""
    return [str(one) for one in ids[-MOST_NAMED:]]


def facts(rows: Sequence[Any]) -> dict[str, Any]:
    """Tell of some entries what every evidence tells: how many, from when to when.

    Args:
        rows: with ``entry_id``, ``at`` and ``units``, the oldest first.
    """
    return {
        "times": len(rows),
        "stamps": sum(abs(row.units) for row in rows),
        "first_at": rows[0].at.isoformat(),
        "last_at": rows[-1].at.isoformat(),
        "entries": named([row.entry_id for row in rows]),
    }

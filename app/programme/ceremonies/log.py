"""What the audit log knows of the keys, compared with a ring.

Each ceremony left its lines there, with the ring's digest. So an older copy that was
put back shows itself: it lacks steps that the log has. The log names keys by number
and, where they were made by a ceremony, by their public part; the first key of an
installation was made before there were books.

A line that begins anew (a copy was taken although it is older, a lost passphrase)
tells the state of every key from then on, and nothing before it is held against a ring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError

from app.programme.errors import StoreDown
from app.store.database import Database
from app.store.tables import AuditEntry
from signing.keyring import KeyRing, KeyState

#: After such a line the ring is what it says, whatever was before.
RENEWALS: Final = frozenset({"key.imported", "key.renewed"})
#: Such lines changed nothing in the ring.
_NO_STEPS: Final = frozenset({"key.exported", "key.resealed"})
_REACHED: Final = {
    "key.created": KeyState.PENDING,
    "key.activated": KeyState.ACTIVE,
    "key.retired": KeyState.RETIRED,
    "key.revoked": KeyState.REVOKED,
}


@dataclass(frozen=True, slots=True)
class Ceremony:
    """One line of the audit log about keys."""

    at: datetime
    action: str
    subject: str
    #: The ring's digest afterwards.
    ring: str
    detail: dict[str, Any]

    def tells(self, action: str, key_id: int) -> bool:
        """Tell whether this is the line of a step of a key."""
        return (self.action, self.subject) == (action, str(key_id))

    @property
    def told(self) -> str:
        """The line for a person: ``key.revoked 2 (2026-03-01 12:00 UTC)``."""
        return f"{self.action} {self.subject} ({self.at:%Y-%m-%d %H:%M} UTC)"

    @property
    def states(self) -> dict[int, KeyState]:
        """The keys that it tells of, and the state that each has at the least."""
        if self.action in RENEWALS:
            kept = self.detail.get("keys", {})
            return {int(key_id): KeyState(state) for key_id, state in kept.items()}
        state = _REACHED.get(self.action)
        if state is None or not self.subject.isdecimal():
            return {}
        told = {int(self.subject): state}
        before = self.detail.get("before")
        if self.action == "key.activated" and before is not None:
            told[int(before)] = KeyState.VERIFY_ONLY
        return told


def lines(database: Database) -> tuple[Ceremony, ...]:
    """Return every ceremony that changed a ring, oldest first.

    Raises:
        StoreDown: the books gave no answer.
    """
    asked = (
        select(AuditEntry)
        .where(AuditEntry.action.startswith("key.", autoescape=True))
        .order_by(AuditEntry.audit_no)
    )
    with database.read() as tx:
        return tuple(
            Ceremony(
                row.at, row.action, row.subject, row.detail.get("ring", ""), row.detail
            )
            for row in tx.scalars(asked)
            if row.action not in _NO_STEPS
        )


def has_books(database: Database) -> bool:
    """Tell whether there are books at all; an installation's first start makes them.

    Raises:
        StoreDown: there are, or may be, and they give no answer.
    """
    path = database.url.database
    if database.is_sqlite and not (path and Path(path).is_file()):
        return False
    try:
        with database.read() as tx:
            tx.execute(select(AuditEntry.audit_no).limit(1))
    except ProgrammingError:
        return False
    except StoreDown as error:
        # SQLite says of a table that is missing what it says of a broken file.
        if "no such table" in str(error.__cause__):
            return False
        raise
    return True


def lacking(known: Sequence[Ceremony], ring: KeyRing) -> tuple[Ceremony, ...]:
    """Return the ceremonies that a ring has not gone through, oldest first."""
    same = [number for number, line in enumerate(known) if line.ring == ring.digest]
    if same:
        return tuple(known[same[-1] + 1 :])
    # A ring that no line knows: from before the first of them, or gone on without.
    renewals = [n for n, line in enumerate(known) if line.action in RENEWALS]
    begin = renewals[-1] if renewals else 0
    return tuple(line for line in known[begin:] if not _has(ring, line))


def snapshot(ring: KeyRing) -> dict[str, str]:
    """Return the state of every key, for a line that begins anew."""
    return {str(key.key_id): key.state.value for key in ring.keys}


def reached(known: Iterable[Ceremony]) -> dict[int, KeyState]:
    """Return every key id that the log ever named, with the last state that it told."""
    told: dict[int, KeyState] = {}
    for line in known:
        for key_id, state in line.states.items():
            if key_id not in told or state.rank > told[key_id].rank:
                told[key_id] = state
    return told


def strangers(known: Iterable[Ceremony], ring: KeyRing) -> list[int]:
    """Return the keys of a ring which the log knows by another public part."""
    found = []
    for line in known:
        public = line.detail.get("public")
        if line.action == "key.created" and public and line.subject.isdecimal():
            key = ring.find(int(line.subject))
            if key is not None and key.public_bytes.hex() != public:
                found.append(key.key_id)
    return found


def _has(ring: KeyRing, line: Ceremony) -> bool:
    for key_id, state in line.states.items():
        key = ring.find(key_id)
        if key is None or key.state.rank < state.rank:
            return False
    return True

"""Key ceremonies: making keys, putting them in charge, calling them back.

What a step does to the ring is told in ``signing.keyring``; here is *when* it is wise:

* a key signs only when every live web worker verifies with it (``activate``);
* a key is retired only when its last code is dead (``retire``);
* a stolen key is called back at once, whatever else is wrong, and another signs in
  the same moment (``revoke``). What it made since the theft is listed for people to
  judge, and never removed.

Each step is one line in the audit log. The line is written first, in a transaction
that ends when the ring is on the disk: books that cannot be written stop the step.
A revocation alone goes on without them, and says so.

No ceremony belongs to a web request: commands run them, on a keys directory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, func, select
from sqlalchemy.orm import aliased

from app.programme import audit
from app.programme.codes import LIFETIME
from app.programme.errors import StoreDown
from app.store.tables import Card, LedgerEntry, Location, StaffMember
from app.store.workers import EVERY, Worker
from app.tools import Tools
from signing import keyfiles
from signing.keyring import KeyRing, KeyState, SigningKey

#: After this a key's last code is dead, counted from when it stopped to sign; the
#: minute is for a worker that was slow to hear of it.
LAST_CODE_DEAD = max(LIFETIME.values()) + timedelta(minutes=1)
#: Workers look at the ring every two seconds and report every two.
WORKERS_PATIENCE = timedelta(seconds=30)
_POLL = timedelta(seconds=0.5)
# A nonce store that came up a moment ago has heard of nobody yet.
_NOBODY_YET = EVERY + timedelta(seconds=1)


class CeremonyRefused(Exception):
    """A guard refused, and nothing was changed; the sentence says why."""


class AlreadySo(Exception):
    """What was asked for is so already; the sentence says since when."""


@dataclass(frozen=True, slots=True)
class KeyRoom:
    """Where a ceremony takes place."""

    #: The ring's directory.
    directory: Path
    passphrase: bytes = field(repr=False)
    tools: Tools
    #: Whether web workers can be running; False for an installation that is stopped.
    is_served: bool = True

    def ring(self) -> KeyRing:
        """Read the ring as it is on the disk now.

        Raises:
            RingUnreadable: it cannot be read.
        """
        return keyfiles.load(self.directory, self.passphrase)

    def live(self) -> list[Worker]:
        """Return the web workers that are alive.

        Raises:
            StoreDown: the nonce store gave no answer.
        """
        return self.tools.workers.live() if self.is_served else []


@dataclass(frozen=True, slots=True)
class Made:
    """Something in the ledger that was made with a revoked key after the theft."""

    entry_id: UUID
    at: datetime
    #: ``EARN`` or ``REDEEM``.
    kind: str
    #: Stamps; 0 for a redemption.
    units: int
    card_number: str
    place: str | None
    staff_name: str | None
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What a ceremony did, or would do; no key material."""

    #: The key that it was about.
    key_id: int
    is_applied: bool
    #: The ring afterwards.
    ring: KeyRing
    #: The key that signed before; None if there was none.
    before: int | None
    #: How many web workers were alive.
    workers: int = 0
    #: False if the books gave no answer, so that the audit log has no line.
    is_audited: bool = True
    #: After a revocation: what people should look at; None if the books were away.
    review: tuple[Made, ...] | None = ()


def create(room: KeyRoom, *, is_applied: bool) -> Done:
    """Make a key that all verify with and none signs with.

    Raises:
        AlreadySo: one is pending.
        StoreDown: the books gave no answer; nothing was changed.
        KeyRingError: the ring cannot be read or written.
    """
    ring = room.ring()
    pending = _newest(ring, KeyState.PENDING)
    if pending is not None:
        raise AlreadySo(f"key {pending} is pending already; activate that one")
    fresh = ring.with_new_key(room.tools.now())
    key_id = fresh.keys[-1].key_id
    if is_applied:
        _write(room, fresh, [("key.created", key_id, {})])
    return Done(key_id, is_applied, fresh, _newest(ring, KeyState.ACTIVE))


def activate(room: KeyRoom, key_id: int, *, is_applied: bool) -> Done:
    """Let a pending key sign; the one before it only verifies from then on.

    Raises:
        AlreadySo: it signs.
        CeremonyRefused: a live worker has not reported this ring.
        StoreDown: a store gave no answer; nothing was changed.
        KeyGuard: the key is not pending; or another command changed the ring.
        KeyRingError: no such key; the ring cannot be read or written.
    """
    ring = room.ring()
    if ring.key(key_id).state is KeyState.ACTIVE:
        raise AlreadySo(f"key {key_id} is active already")
    before = _newest(ring, KeyState.ACTIVE)
    changed = ring.activated(key_id, room.tools.now())
    workers = room.live()
    behind = _behind(workers, ring)
    if behind:
        raise CeremonyRefused(_who_is_behind(behind))
    if is_applied:
        _write(room, changed, [("key.activated", key_id, {"before": before})])
    return Done(key_id, is_applied, changed, before, workers=len(workers))


def retire(room: KeyRoom, key_id: int, *, is_applied: bool) -> Done:
    """Destroy the private part of a key whose last code is dead.

    Raises:
        AlreadySo: it is retired.
        CeremonyRefused: codes of it may be alive.
        StoreDown: the books gave no answer; nothing was changed.
        KeyGuard: the key is not verify-only; or another command changed the ring.
        KeyRingError: no such key; the ring cannot be read or written.
    """
    ring = room.ring()
    key = ring.key(key_id)
    if key.state is KeyState.RETIRED:
        raise AlreadySo(f"key {key_id} is retired already")
    now = room.tools.now()
    changed = ring.retired(key_id, now)
    dead = dead_from(key)
    if dead is not None and now < dead:
        raise CeremonyRefused(
            f"codes of key {key_id} may be alive until {dead:%Y-%m-%d %H:%M:%S} UTC; "
            "retire it after that"
        )
    if is_applied:
        _write(room, changed, [("key.retired", key_id, {})])
    return Done(key_id, is_applied, changed, _newest(ring, KeyState.ACTIVE))


def revoke(
    room: KeyRoom, key_id: int, *, since: datetime, reason: str, is_applied: bool
) -> Done:
    """Trust a key no more; if it signs, a new one signs from the same moment.

    No worker is waited for: one that does not know the new key looks for it when it
    first sees a code of it (``WatchedRing.ring_knowing``). Codes of the revoked key
    that are out are refused as ``code_revoked``. A pending key is not put in charge:
    who took one key may have taken that too.

    Args:
        room: where.
        key_id: the stolen one.
        since: when it may have been stolen, aware.
        reason: for the audit log.
        is_applied: whether to do it.

    Returns:
        With ``review``, the entries that were made with it since.

    Raises:
        AlreadySo: it is revoked.
        KeyGuard: another command changed the ring meanwhile.
        KeyRingError: no such key; the ring cannot be read or written.
    """
    ring = room.ring()
    key = ring.key(key_id)
    if key.state is KeyState.REVOKED:
        raise AlreadySo(f"key {key_id} was revoked at {key.revoked_at:%Y-%m-%d %H:%M}")
    now = room.tools.now()
    changed = ring
    lines: list[_Line] = []
    if key.state is KeyState.ACTIVE:
        changed = changed.with_new_key(now)
        fresh = changed.keys[-1].key_id
        changed = changed.activated(fresh, now)
        lines.append(("key.created", fresh, {}))
        lines.append(("key.activated", fresh, {"before": key_id}))
    changed = changed.revoked(key_id, now)
    detail = {"since": since.isoformat(), "reason": reason}
    lines.append(("key.revoked", key_id, detail))
    is_audited = _write_anyway(room, changed, lines) if is_applied else True
    return Done(
        key_id,
        is_applied,
        changed,
        _newest(ring, KeyState.ACTIVE),
        is_audited=is_audited,
        review=review(room, key_id, since),
    )


def rotate(
    room: KeyRoom,
    *,
    is_applied: bool,
    wait: Callable[[float], None],
    if_older_than: timedelta | None = None,
) -> Done:
    """Put a new key in charge: make it, wait for all workers, let it sign.

    One that was cut short is taken up again: a key that is pending is not made anew.

    Args:
        room: where.
        is_applied: whether to do it; else only what would come of it is returned.
        wait: told the seconds to wait, again and again.
        if_older_than: leave a key alone that has signed for a shorter time.

    Raises:
        AlreadySo: the active key is younger than that.
        CeremonyRefused: after ``WORKERS_PATIENCE`` a worker still had not reported
            the ring with the new key. That key stays pending.
        StoreDown: a store gave no answer.
        KeyGuard: another command changed the ring meanwhile.
        KeyRingError: the ring cannot be read or written.
    """
    ring = room.ring()
    before = _newest(ring, KeyState.ACTIVE)
    _check_age(room, ring, if_older_than)
    pending = _newest(ring, KeyState.PENDING)
    if pending is None:
        made = create(room, is_applied=is_applied)
        ring, pending = made.ring, made.key_id
    if not is_applied:
        changed = ring.activated(pending, room.tools.now())
        return Done(pending, False, changed, before)
    behind = await_workers(room, ring, wait=wait)
    if behind:
        raise CeremonyRefused(_who_is_behind(behind))
    return activate(room, pending, is_applied=True)


def await_workers(
    room: KeyRoom, ring: KeyRing, *, wait: Callable[[float], None]
) -> Sequence[Worker]:
    """Wait until every live worker has reported this ring.

    Returns:
        Those that have not, after ``WORKERS_PATIENCE``.

    Raises:
        StoreDown: the nonce store gave no answer.
    """
    waited = timedelta()
    while room.is_served:
        workers = room.live()
        behind = _behind(workers, ring)
        if workers and not behind:
            break
        if waited >= (WORKERS_PATIENCE if workers else _NOBODY_YET):
            return behind
        wait(_POLL.total_seconds())
        waited += _POLL
    return ()


def dead_from(key: SigningKey) -> datetime | None:
    """Tell from when on no code of a verify-only key is alive; None for others."""
    if key.verify_only_at is None:
        return None
    return key.verify_only_at + LAST_CODE_DEAD


def review(room: KeyRoom, key_id: int, since: datetime) -> tuple[Made, ...] | None:
    """List what the ledger took with codes of a key since a moment, oldest first.

    Returns:
        Stamps and redemptions, reversed ones too; None if the books give no answer.
    """
    undone = aliased(LedgerEntry)
    # The key id stands in bytes 2 and 3 of a code (see ``signing.codes``).
    named = func.substr(LedgerEntry.proof, 2, 2, type_=LargeBinary())
    asked = (
        select(
            LedgerEntry.entry_id,
            LedgerEntry.at,
            LedgerEntry.kind,
            LedgerEntry.units,
            Card.number,
            Location.name,
            StaffMember.name,
            undone.entry_id.is_not(None),
        )
        .join(Card, Card.card_id == LedgerEntry.card_id)
        .outerjoin(Location, Location.location_id == LedgerEntry.location_id)
        .outerjoin(StaffMember, StaffMember.staff_id == LedgerEntry.staff_id)
        .outerjoin(undone, undone.reverses_id == LedgerEntry.entry_id)
        .where(
            LedgerEntry.kind.in_(("EARN", "REDEEM")),
            LedgerEntry.at >= since,
            named == struct.pack(">H", key_id),
        )
        .order_by(LedgerEntry.entry_no)
    )
    try:
        with room.tools.database.read() as tx:
            return tuple(Made(*row) for row in tx.execute(asked))
    except StoreDown:
        return None


def problems(room: KeyRoom, ring: KeyRing, workers: Sequence[Worker]) -> list[str]:
    """What is wrong with the keys in use, in sentences; empty when all is well."""
    found = [
        f"worker {worker.worker_id} cannot read the ring: {worker.problem}"
        for worker in workers
        if worker.problem is not None
    ]
    found += [
        f"worker {worker.worker_id} works with another ring than the one on the disk"
        for worker in _behind(workers, ring)
        if worker.problem is None
    ]
    if _newest(ring, KeyState.ACTIVE) is None:
        found.append("no key is active: no code can be made")
    now = room.tools.now()
    for key in ring.keys:
        dead = dead_from(key)
        if key.state is KeyState.VERIFY_ONLY and dead is not None and now >= dead:
            found.append(f"key {key.key_id} can be retired: its last code is dead")
    return found


#: Action, key id, detail.
_Line = tuple[str, int, dict[str, Any]]


def _write(room: KeyRoom, ring: KeyRing, lines: Sequence[_Line]) -> None:
    """Write the audit lines and the ring: both or, but for a crash, neither."""
    tools = room.tools
    with tools.database.begin() as tx:
        for action, key_id, detail in lines:
            audit.record(tx, tools, action, key_id, by=None, ring=ring.digest, **detail)
        # Books that refuse the line shall do so while nothing is changed yet.
        tx.flush()
        keyfiles.save(room.directory, ring, room.passphrase)


def _write_anyway(room: KeyRoom, ring: KeyRing, lines: Sequence[_Line]) -> bool:
    """Write the ring even where the books give no answer; False if they did not."""
    try:
        _write(room, ring, lines)
    except StoreDown:
        if room.ring().digest != ring.digest:
            keyfiles.save(room.directory, ring, room.passphrase)
        return False
    return True


def _check_age(room: KeyRoom, ring: KeyRing, least: timedelta | None) -> None:
    active = _newest(ring, KeyState.ACTIVE)
    since = None if active is None else ring.key(active).activated_at
    if least is not None and since is not None and room.tools.now() - since < least:
        raise AlreadySo(f"key {active} signs since {since:%Y-%m-%d %H:%M} UTC only")


def _newest(ring: KeyRing, state: KeyState) -> int | None:
    """The newest key in this state."""
    found = [key.key_id for key in ring.keys if key.state is state]
    return found[-1] if found else None


def _behind(workers: Sequence[Worker], ring: KeyRing) -> list[Worker]:
    return [worker for worker in workers if worker.ring != ring.digest]


def _who_is_behind(behind: Sequence[Worker]) -> str:
    names = ", ".join(
        worker.worker_id + (f" ({worker.problem})" if worker.problem else "")
        for worker in behind
    )
    return (
        f"not every web worker has read the ring yet: {names}. A worker reads it "
        "within 4 seconds, and one that ended is forgotten after 10; try again"
    )

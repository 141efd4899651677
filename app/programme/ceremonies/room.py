"""Where a ceremony takes place, what may come of it, and how it is written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from app.programme import audit
from app.programme.batches import Hit
from app.programme.key_history import Made
from app.store.nonces import Outstanding
from app.store.workers import EVERY, Worker
from app.tools import Tools
from signing import keyfiles
from signing.keyfiles import Passphrase
from signing.keyring import KeyRing, KeyState, LinkSecret
from signing.signers import IN_FILE

#: Workers look at the ring every two seconds and report every two.
WORKERS_PATIENCE: Final = timedelta(seconds=30)
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
    passphrase: Passphrase = field(repr=False)
    tools: Tools
    #: Whether web workers can be running; False for an installation that is stopped.
    is_served: bool = True

    def ring(self, *, asks_token: bool = True) -> KeyRing:
        """Read the ring as it is on the disk now.

        Args:
            asks_token: open keys in a token; else they are there and sign nothing.

        Raises:
            RingUnreadable: it cannot be read.
            SignerDown: a key of it is in a token, which gives no answer.
        """
        if not asks_token:
            return keyfiles.load_files(self.directory, self.passphrase)
        return keyfiles.load(self.directory, self.passphrase, holder=self.tools.holder)

    def live(self) -> list[Worker]:
        """Return the web workers that are alive.

        Raises:
            StoreDown: the nonce store gave no answer.
        """
        return self.tools.workers.live() if self.is_served else []


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
    #: The secret that was made or put in charge with the key.
    secret_id: int | None = None
    #: Secrets that open nothing any more.
    dropped: tuple[int, ...] = ()
    #: Keys that were retired by the way.
    retired: tuple[int, ...] = ()
    #: How many web workers were alive.
    workers: int = 0
    #: Codes of a retired key that were asked for; None if nobody could be asked.
    outstanding: Outstanding | None = None
    #: False if the books gave no answer, so that the audit log has no line.
    is_audited: bool = True
    #: Dead keys that the token could not destroy now; the next ceremony asks again.
    left_in_token: tuple[int, ...] = ()
    #: After a revocation: what people should look at; None if the books were away.
    review: tuple[Made, ...] | None = ()
    #: And the printed batches of the key that are about; None as for ``review``.
    batches: tuple[Hit, ...] | None = ()


#: A line of the audit log: action, what it is about, detail.
Line = tuple[str, object, dict[str, Any]]


def write(room: KeyRoom, ring: KeyRing, lines: Sequence[Line]) -> tuple[int, ...]:
    """Write the audit lines and the ring: both or, but for a crash, neither.

    Returns:
        Dead keys that the token could not destroy now.

    Raises:
        StoreDown: the books gave no answer; nothing was changed.
        KeyGuard: another command changed the ring meanwhile.
        RingUnreadable: the ring cannot be written.
    """
    tools = room.tools
    with tools.database.begin() as tx:
        for action, subject, detail in lines:
            audit.record(
                tx, tools, action, subject, by=None, ring=ring.digest, **detail
            )
        # Books that refuse the line shall do so while nothing is changed yet.
        tx.flush()
        return save(room, ring)


def save(room: KeyRoom, ring: KeyRing) -> tuple[int, ...]:
    """Write the ring; returns dead keys that the token could not destroy now."""
    return keyfiles.save(
        room.directory, ring, room.passphrase, holder=room.tools.holder
    )


def await_workers(
    room: KeyRoom,
    ring: KeyRing,
    *,
    wait: Callable[[float], None],
    patience: timedelta = WORKERS_PATIENCE,
) -> Sequence[Worker]:
    """Wait until every live worker has reported this ring.

    Returns:
        Those that have not, after ``patience``.

    Raises:
        StoreDown: the nonce store gave no answer.
    """
    return await_all(
        room, lambda worker: worker.ring == ring.digest, wait=wait, patience=patience
    )


def await_all(
    room: KeyRoom,
    is_well: Callable[[Worker], bool],
    *,
    wait: Callable[[float], None],
    patience: timedelta = WORKERS_PATIENCE,
) -> Sequence[Worker]:
    """Wait until every live worker is as it should be; as ``await_workers``."""
    waited = timedelta()
    while room.is_served:
        workers = room.live()
        behind = [worker for worker in workers if not is_well(worker)]
        if workers and not behind:
            break
        if waited >= (patience if workers else min(patience, _NOBODY_YET)):
            return behind
        wait(_POLL.total_seconds())
        waited += _POLL
    return ()


def newest(ring: KeyRing, state: KeyState) -> int | None:
    """Return the newest key in this state; None without one."""
    found = [key.key_id for key in ring.keys if key.state is state]
    return found[-1] if found else None


def pending_secret(ring: KeyRing) -> LinkSecret | None:
    """Return the secret that will seal next; None if none waits for that."""
    last = ring.link_secrets[-1] if ring.link_secrets else None
    return last if last and last.activated_at is None else None


def is_in_token(ring: KeyRing) -> bool:
    """Tell whether the key that signs is in a token: the next one will be too."""
    active = newest(ring, KeyState.ACTIVE)
    return active is not None and ring.key(active).holder != IN_FILE


def behind_of(workers: Sequence[Worker], ring: KeyRing) -> list[Worker]:
    """Return the workers that work with another ring."""
    return [worker for worker in workers if worker.ring != ring.digest]


def who_is_behind(behind: Sequence[Worker]) -> str:
    """Say which workers are awaited, and what to do."""
    return (
        f"not every web worker has read the ring yet: {names_of(behind)}. A worker "
        "reads it within 4 seconds, and one that ended is forgotten after 10; try again"
    )


def names_of(workers: Sequence[Worker]) -> str:
    """Name workers, each with its problem."""
    return ", ".join(
        worker.worker_id + (f" ({worker.problem})" if worker.problem else "")
        for worker in workers
    )

"""The ring of a running server, followed on disk.

Looks by listing and content, on a timer: file system events do not cross container
mounts, and sizes and times do not tell every change. The new ring is built beside the
old one and one reference swapped, so readers need no lock.

Fork: no thread and no held lock survives in the child. Both are made anew there, the
thread when the ring is first asked for.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from signing.errors import RingUnreadable, SigningError
from signing.keyfiles.passphrase import Passphrase
from signing.keyfiles.reading import content_digest, load
from signing.keyring import KeyRing
from signing.signers import Holder

# Seconds between two looks that strangers can cause by naming unknown keys.
_EARLY_LOOK_EVERY = 1.0


@dataclass
class _Process:
    """What is of one process and does not survive a fork."""

    thread: threading.Thread | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    start_lock: threading.Lock = field(default_factory=threading.Lock)
    look_lock: threading.Lock = field(default_factory=threading.Lock)
    early_lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class _Trouble:
    """Why the ring on disk is not the one in use, and since when."""

    sentence: str
    since: datetime


class WatchedRing:
    """What is on disk, ``every`` seconds later at most.

    A ring that cannot be read changes nothing but ``problem``, ``since`` and
    ``rejected``. A key made a moment ago is found at once by ``ring_knowing``.

    Args:
        directory: as for ``load``.
        passphrase: asked again each time that a changed ring is read, so that a
            changed passphrase needs no restart; it is not kept. What it raises counts
            as a ring that cannot be read.
        every: seconds between two looks.
        holder: as for ``load``.

    Raises:
        RingUnreadable: at the start there is no old ring to keep.
        SignerDown: the same.
    """

    def __init__(
        self,
        directory: Path,
        passphrase: Callable[[], Passphrase],
        *,
        every: float = 2.0,
        holder: Holder | None = None,
    ) -> None:
        self.directory = directory
        self._passphrase = passphrase
        self._holder = holder
        self._every = every
        self._trouble: _Trouble | None = None
        self._refused: set[tuple[str, str]] = set()
        # Before the ring: a change between the two is found at the next look.
        self._seen = content_digest(directory)
        self._ring = self._load()
        self._closed = False
        self._looked_early = float("-inf")
        self._process = _Process()
        _watched.add(self)

    def __repr__(self) -> str:
        return f"WatchedRing({str(self.directory)!r})"

    @property
    def ring(self) -> KeyRing:
        """The current ring."""
        if self._process.thread is None:
            self._start()
        return self._ring

    @property
    def problem(self) -> str | None:
        """Why the last look was refused, a sentence for the operator; None if good."""
        trouble = self._trouble
        return None if trouble is None else trouble.sentence

    @property
    def since(self) -> datetime | None:
        """When looks began to be refused, aware, UTC; None if the last one was good.

        It stays while one problem follows another.
        """
        trouble = self._trouble
        return None if trouble is None else trouble.since

    @property
    def rejected(self) -> int:
        """How many different contents of the directory were refused since the start.

        Contents that are refused at each look count once; so does the same content
        refused again later, unless for another reason.
        """
        return len(self._refused)

    def ring_knowing(self, key_id: int) -> KeyRing:
        """Return the current ring, looked at again if it has no such key.

        So a code of a key made a moment ago is not called forged. The disk is read at
        most once a second, whatever is scanned.

        Args:
            key_id: from ``codes.named_key``; not trusted.
        """
        ring = self.ring
        if ring.find(key_id) is not None:
            return ring
        with self._process.early_lock:
            now = time.monotonic()
            if now - self._looked_early >= _EARLY_LOOK_EVERY:
                self._looked_early = now
                self.refresh()
        return self._ring

    def refresh(self) -> bool:
        """Look now.

        Returns:
            True if another ring was taken. Never raises: see ``problem``.
        """
        with self._process.look_lock:
            seen = ""
            try:
                seen = content_digest(self.directory)
                return self._take(seen)
            except SigningError as error:
                self._refuse(seen, str(error))
            except Exception as error:  # whatever it is, the old ring is better
                name = type(error).__name__
                self._refuse(seen, f"{name} while reading the key ring")
            return False

    def close(self) -> None:
        """Stop looking. ``ring`` stays as it is."""
        process = self._process
        with process.start_lock:
            self._closed = True
            process.stop.set()
        if process.thread is not None:
            process.thread.join()

    def _load(self) -> KeyRing:
        passphrase = self._passphrase()
        try:
            return load(self.directory, passphrase, holder=self._holder)
        except RingUnreadable:
            # It may have been changed, and the ring sealed anew, while we read.
            changed = self._passphrase()
            if changed == passphrase:
                raise
            return load(self.directory, changed, holder=self._holder)

    def _take(self, seen: str) -> bool:
        # After a refusal ``_seen`` is still that of the good ring: so a passing fault
        # is tried again at each look, and the old files put back are good at once.
        if seen == self._seen:
            self._trouble = None
            return False
        ring = self._load()
        is_new = ring.digest != self._ring.digest
        self._ring = ring
        self._seen = seen
        self._trouble = None
        return is_new

    def _refuse(self, seen: str, sentence: str) -> None:
        self._refused.add((seen, sentence))
        self._tell(sentence)

    def _tell(self, sentence: str) -> None:
        since = self._trouble.since if self._trouble else datetime.now(UTC)
        self._trouble = _Trouble(sentence, since)

    def _start(self) -> None:
        process = self._process
        with process.start_lock:
            if process.thread is not None or self._closed:
                return
            thread = threading.Thread(
                target=_follow,
                args=(weakref.ref(self), process.stop, self._every),
                name="key-ring",
                daemon=True,
            )
            try:
                thread.start()
            except RuntimeError as error:  # no more threads, or the process ends
                self._tell(f"the key ring is not being watched: {error}")
            else:
                process.thread = thread


def _follow(
    watched: weakref.ref[WatchedRing], stop: threading.Event, every: float
) -> None:
    """Look until told to stop, or until nobody holds the ring any more."""
    while not stop.wait(every):
        ring = watched()
        if ring is None:
            return
        ring.refresh()
        del ring


_watched: weakref.WeakSet[WatchedRing] = weakref.WeakSet()


def _after_fork() -> None:
    for watched in _watched:
        watched._process = _Process()


os.register_at_fork(after_in_child=_after_fork)

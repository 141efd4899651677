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
from dataclasses import dataclass, field
from pathlib import Path

from signing.errors import SigningError
from signing.keyfiles.directory import content_digest, load
from signing.keyring import KeyRing

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


class WatchedRing:
    """What is on disk, ``every`` seconds later at most.

    A ring that cannot be read changes nothing but ``problem``. A key made a moment ago
    is found at once by ``ring_knowing``.

    Args:
        directory: as for ``load``.
        passphrase: as for ``load``; kept for later looks.
        every: seconds between two looks.

    Raises:
        RingUnreadable: at the start there is no old ring to keep.
    """

    def __init__(
        self, directory: Path, passphrase: bytes, *, every: float = 2.0
    ) -> None:
        self.directory = directory
        self._passphrase = passphrase
        self._every = every
        self._problem: str | None = None
        # Before the ring: a change between the two is found at the next look.
        self._seen = content_digest(directory)
        self._ring = load(directory, passphrase)
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
        return self._problem

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
            try:
                return self._look()
            except SigningError as error:
                self._problem = str(error)
            except Exception as error:  # whatever it is, the old ring is better
                self._problem = f"{type(error).__name__} while reading the key ring"
            return False

    def close(self) -> None:
        """Stop looking. ``ring`` stays as it is."""
        process = self._process
        with process.start_lock:
            self._closed = True
            process.stop.set()
        if process.thread is not None:
            process.thread.join()

    def _look(self) -> bool:
        seen = content_digest(self.directory)
        # After a refusal ``_seen`` is still that of the good ring: so a passing fault
        # is tried again at each look, and the old files put back are good at once.
        if seen == self._seen:
            self._problem = None
            return False
        ring = load(self.directory, self._passphrase)
        is_new = ring.digest != self._ring.digest
        self._ring = ring
        self._seen = seen
        self._problem = None
        return is_new

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
                self._problem = f"the key ring is not being watched: {error}"
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

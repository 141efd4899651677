"""Limits on how often something may be tried, counted in Redis.

A moving window: of the tries taken in the last ``period``, never more than the limit.
A refused try is not counted, so waiting always helps. Each name has one limit; a name
and its key parts are hashed into the Redis key ``pp:limit:<name>:<hash>``, so that no
mail address or other personal text lies in Redis and no length is a danger.

Where the promise ends. A limit slows guessing down; it does not guard the single-use
rule. It therefore fails open: without an answer from Redis the try is taken and
counted in ``failures``, for the operator to see. The window goes by the web server's
clock, and a try that had to be sent twice may count twice.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self, cast

import limits
from limits.storage import RedisStorage, Storage

from app.store.errors import LimitHit
from app.store.redises import FAULTS, Patience, Redises, Script, open_redises

__all__ = ["LimitHit", "Limits"]

# Short, since nothing is lost without an answer: the try is taken.
_PATIENCE = Patience(
    connect=timedelta(seconds=0.5), reply=timedelta(seconds=0.5), retries=1
)


class Limits:
    """Counts tries; safe to share between threads.

    Attributes:
        failures: tries taken because Redis gave no answer, since the start.
    """

    def __init__(self, redises: Redises) -> None:
        self._redises = redises
        self._storage = _Counts(redises)
        self._lock = threading.Lock()
        self.failures = 0

    @classmethod
    def open(cls, url: str) -> Self:
        """Count in the Redis at an address; does not connect yet.

        Args:
            url: see ``redis_address``.

        Raises:
            SettingsError: not an address.
        """
        return cls(open_redises(url, _PATIENCE))

    def hit(self, name: str, *key: str, limit: str) -> None:
        """Take one try.

        Args:
            name: of the limit, shown to whoever meets it.
            key: who or what tries; may be untrusted, of any length.
            limit: as in ``5/15minute``; the same at each use of the name.

        Raises:
            LimitHit: no try is left; nothing was counted.
            ValueError: ``limit`` cannot be read.
        """
        item = limits.parse(limit)
        period = item.get_expiry()
        where = _key(name, key)
        try:
            if self._storage.acquire_entry(where, item.amount, period):
                return
            oldest_at, _ = self._storage.get_moving_window(where, item.amount, period)
        except FAULTS:
            self._count_failure()
            return
        wait = timedelta(seconds=max(0.0, oldest_at + period - time.time()))
        raise LimitHit(name, wait)

    def reset(self, name: str, *key: str) -> None:
        """Forget the tries, as after a right PIN. Does nothing without Redis."""
        try:
            self._storage.clear(_key(name, key))
        except FAULTS:
            self._count_failure()

    def close(self) -> None:
        """Close the connections."""
        self._redises.close()

    def _count_failure(self) -> None:
        with self._lock:
            self.failures += 1


class _Counts(RedisStorage):
    """The library's windows, on servers that are found by our own ways."""

    def __init__(self, redises: Redises) -> None:
        # RedisStorage's own would open a client of its own.
        Storage.__init__(self)
        self.key_prefix = "pp:limit"
        self.storage = cast(Any, _ByKey(redises))
        self.initialize_storage("")

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return FAULTS


class _ByKey:
    """The two things that ``RedisStorage`` asks of a client for a moving window."""

    def __init__(self, redises: Redises) -> None:
        self._redises = redises

    def register_script(
        self, text: str | bytes
    ) -> Callable[[list[str], list[Any]], Any]:
        script = Script(text if isinstance(text, str) else text.decode())
        return lambda keys, args: script.run(self._redises, keys[0], *args)

    def delete(self, key: str) -> None:
        self._redises.at(key, lambda server: server.delete(key))


def _key(name: str, parts: tuple[str, ...]) -> str:
    # JSON keeps ("a", "bc") apart from ("ab", "c").
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{name}:{digest[:32]}"

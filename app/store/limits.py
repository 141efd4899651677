"""Limits on how often something may be tried, counted in Redis.

A moving window: of the tries taken in the last ``period``, never more than the limit.
A refused try is not counted, so waiting always helps. Each name has one limit; a name
and its key parts are hashed into the Redis key ``pp:limit:<name>:<hash>``, so that no
mail address or other personal text lies in Redis and no length is a danger.

Where the promise ends. A limit slows guessing down; it does not guard the single-use
rule. It therefore fails open: without an answer from Redis the try is taken and
counted in ``failures``, for the operator to see. The window goes by the web server's
clock, and a try that redis-py had to send twice may count twice.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from datetime import timedelta
from typing import Self

import limits
import redis
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.store.errors import LimitHit

__all__ = ["LimitHit", "Limits"]

# Short, since nothing is lost without an answer: the try is taken.
_CONNECT_SECONDS = 0.5
_REPLY_SECONDS = 0.5


class Limits:
    """Counts tries; safe to share between threads.

    Attributes:
        failures: tries taken because Redis gave no answer, since the start.
    """

    def __init__(self, pool: redis.ConnectionPool) -> None:
        self._pool = pool
        # The address is that of the pool; the library only reads its scheme.
        self._storage = RedisStorage(
            "redis://", connection_pool=pool, key_prefix="pp:limit"
        )
        self._lock = threading.Lock()
        self.failures = 0

    @classmethod
    def open(cls, url: str) -> Self:
        """Count in the Redis at an address; does not connect yet.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py reads it.

        Raises:
            ValueError: not an address that redis-py can read.
        """
        pool = redis.ConnectionPool.from_url(
            url,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_REPLY_SECONDS,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
        return cls(pool)

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
        except (redis.RedisError, OSError):
            self._count_failure()
            return
        wait = timedelta(seconds=max(0.0, oldest_at + period - time.time()))
        raise LimitHit(name, wait)

    def reset(self, name: str, *key: str) -> None:
        """Forget the tries, as after a right PIN. Does nothing without Redis."""
        try:
            self._storage.clear(_key(name, key))
        except (redis.RedisError, OSError):
            self._count_failure()

    def close(self) -> None:
        """Close the connections."""
        self._pool.disconnect()

    def _count_failure(self) -> None:
        with self._lock:
            self.failures += 1


def _key(name: str, parts: tuple[str, ...]) -> str:
    # JSON keeps ("a", "bc") apart from ("ab", "c").
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{name}:{digest[:32]}"

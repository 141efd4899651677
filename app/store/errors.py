"""What the stores may raise, all of it.

A ``StoreDown`` is a fault: no answer came, so nothing is known, and the caller must
say "try again" and never guess. The others are answers.
"""

from __future__ import annotations

from datetime import timedelta


class StoreDown(Exception):
    """The books or the nonce store gave no answer; nothing may be concluded."""


class DatabaseDown(StoreDown):
    """The books (SQL) gave no answer."""


class NonceStoreDown(StoreDown):
    """The nonce store (Redis) gave no answer, or would not take the write."""


class NonceTaken(Exception):
    """A code was issued under a nonce that another code already has."""


class LimitHit(Exception):
    """Too many tries under one name.

    Attributes:
        name: which limit, as given to ``Limits.hit``.
        retry_after: until the next try can be taken; never negative.
    """

    def __init__(self, name: str, retry_after: timedelta) -> None:
        super().__init__(f"limit {name} reached")
        self.name = name
        self.retry_after = retry_after

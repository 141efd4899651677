"""The tools that every verb of the programme works with, made once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.settings import Settings
from app.store.database import Database
from app.store.limits import Limits
from app.store.nonces import Nonces
from app.store.workers import Report, Workers
from signing.keyfiles import WatchedRing, read_passphrase


def utc_now() -> datetime:
    """Tell the time, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a verb needs: first parameter ``tools``, so nothing is global."""

    settings: Settings
    keys: WatchedRing
    database: Database
    nonces: Nonces
    limits: Limits
    #: Who serves beside this process; on the nonce store's Redis.
    workers: Workers
    now: Callable[[], datetime] = utc_now

    def report(self) -> None:
        """Let the others know, from now on, that this process serves, and its ring."""
        keys = self.keys
        self.workers.start(lambda: Report(keys.ring.digest, keys.problem))

    def close(self) -> None:
        """Let go of every connection and thread."""
        self.workers.close()
        self.keys.close()
        self.database.close()
        self.nonces.close()


def open_tools(settings: Settings) -> Tools:
    """Open everything that ``settings`` name; connects to nothing yet but keys.

    Raises:
        KeyRingError: there is no key ring, or it cannot be read. A ring is never
            made here: a missing one is a mistake to be told, not to be papered over.
    """
    return Tools(
        settings=settings,
        keys=WatchedRing(settings.keys, read_passphrase(settings.keys_passphrase_file)),
        database=Database(settings.database_url),
        nonces=Nonces.open(settings.redis_url),
        limits=Limits.open(settings.redis_url),
        workers=Workers.open(settings.redis_url),
    )

"""The nonce store of a disorder: one Redis, a group behind Sentinels, or a cluster.

Each is real servers on their own data, and knows how to break what it is made of.
"""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from typing import Final, Protocol

import redis

from scripts.disorder.tunnel import Tunnel
from scripts.parts import redis_groups, redis_server
from scripts.parts.redis_server import RunningRedis

#: Kinds of stores.
REDIS, SENTINEL, CLUSTER = "redis", "sentinel", "cluster"
#: A replica that hears nothing for so long has missed something, under load.
_LAG_S: Final = 0.4


class Store(Protocol):
    """What any nonce store is, to a disorder."""

    #: For the service; the reckoning goes there by ``direct``, past every bad line.
    url: str
    direct: str
    #: The line to it, for its user to close; None: its servers tell their addresses,
    #: and no line is ours.
    line: Tunnel | None

    def kill(self, away_s: float) -> None:
        """Kill a server that is written to, and start it again a while later."""

    def fall_back(self) -> None:
        """Go on with a copy that has missed the last of what was written."""

    def wipe(self) -> None:
        """Lose everything."""

    def close(self) -> None:
        """End every server."""


class One:
    """One Redis, reached by a line that can be cut."""

    def __init__(self, directory: Path) -> None:
        self._data, self._stale = directory / "redis", directory / "redis-stale"
        (self._port,) = redis_groups.free_ports(1)
        self._running = self._start()
        self.line: Tunnel | None = Tunnel(self._port)
        self.url = f"redis://127.0.0.1:{self.line.port}"
        self.direct = f"redis://127.0.0.1:{self._port}"

    def kill(self, away_s: float) -> None:
        """See ``Store``."""
        self._stop()
        time.sleep(away_s)
        self._running = self._start()

    def fall_back(self) -> None:
        """See ``Store``."""
        ignore = shutil.ignore_patterns("*.sock", "lock")
        shutil.rmtree(self._stale, ignore_errors=True)
        shutil.copytree(self._data, self._stale, ignore=ignore)
        time.sleep(_LAG_S)
        self._stop()
        shutil.rmtree(self._data)
        self._stale.rename(self._data)
        self._running = self._start()

    def wipe(self) -> None:
        """See ``Store``."""
        with redis.Redis(port=self._port) as store:
            store.flushall()

    def close(self) -> None:
        """See ``Store``."""
        self._running.stop()

    def _start(self) -> RunningRedis:
        return redis_server.start(self._data, port=self._port)

    def _stop(self) -> None:
        self._running.process.kill()
        self._running.process.wait()


class Guarded:
    """A master and two replicas behind three Sentinels, which replace it."""

    line: Tunnel | None = None

    def __init__(self, directory: Path) -> None:
        self._group = redis_groups.start_guarded(directory / "guarded", replicas=2)
        self.url = self.direct = self._group.url

    def kill(self, away_s: float) -> None:
        """See ``Store``; it comes back as a replica of its successor."""
        master = self._group.master()
        self._group.kill(master)
        redis_groups.until(
            lambda: self._group.master() != master, "a replica takes the master's place"
        )
        time.sleep(away_s)
        self._group.start(master)
        self._wait()

    def fall_back(self) -> None:
        """See ``Store``: the replicas hear nothing for a while, then one is master."""
        replicas = self._group.replicas()
        for port in replicas:
            self._group.halt(port)
        time.sleep(_LAG_S)
        master = self._group.master()
        self._group.kill(master)
        for port in replicas:
            self._group.halt(port, goes_on=True)
        redis_groups.until(
            lambda: self._group.master() != master, "a replica takes the master's place"
        )
        self._group.start(master)
        self._wait()

    def wipe(self) -> None:
        """See ``Store``."""
        with redis_groups.client(self._group.master()) as store:
            store.flushall()

    def close(self) -> None:
        """See ``Store``."""
        self._group.stop()

    def _wait(self) -> None:
        """Wait until there is another to go on with when this one dies."""
        others = len(self._group.servers) - 1
        redis_groups.until(
            lambda: len(self._group.following()) == others, "the replicas follow"
        )


class Shared:
    """Three masters that share the codes."""

    line: Tunnel | None = None

    def __init__(self, directory: Path, seed: int) -> None:
        self._group = redis_groups.start_cluster(directory / "cluster", masters=3)
        self._chance = random.Random(seed)  # noqa: S311 -- a run that can be run again
        self.url = self.direct = self._group.url

    def kill(self, away_s: float) -> None:
        """See ``Store``; the others go on with their share."""
        port = self._chance.choice(self._group.masters)
        self._group.kill(port)
        time.sleep(away_s)
        self._group.start(port)

    def fall_back(self) -> None:
        """See ``Store``: here, one master forgets all of its share."""
        port = self._chance.choice(self._group.masters)
        with redis_groups.client(port) as store:
            store.flushall()

    def wipe(self) -> None:
        """See ``Store``."""
        for port in self._group.masters:
            with redis_groups.client(port) as store:
                store.flushall()

    def close(self) -> None:
        """See ``Store``."""
        self._group.stop()


def open_store(kind: str, directory: Path, seed: int) -> Store:
    """Start a nonce store.

    Args:
        kind: ``REDIS``, ``SENTINEL`` or ``CLUSTER``.
        directory: of the disorder.
        seed: of what is left to chance.

    Raises:
        ServerError: it does not start.
    """
    if kind == SENTINEL:
        return Guarded(directory)
    if kind == CLUSTER:
        return Shared(directory, seed)
    return One(directory)

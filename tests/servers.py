"""Real servers for the tests, and a bad network in front of them.

One Redis and one PostgreSQL serve a whole test run (each worker of xdist has its own);
every test that asks for ``redis_url`` or ``postgres_url`` finds its server empty. A
test that kills or stops a server starts its own with ``start_redis``, and several that
stand together with ``start_guarded`` (a master that Sentinels watch) or
``start_cluster``.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import pytest
import redis

from scripts.parts import postgres_server as postgres_part
from scripts.parts import redis_groups
from scripts.parts import redis_server as redis_part
from scripts.parts.postgres_server import RunningPostgres
from scripts.parts.redis_groups import Cluster, Guarded
from scripts.parts.redis_server import RunningRedis


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RunningRedis]:
    """The run's Redis. Leave it running and its settings alone."""
    with (
        tempfile.TemporaryDirectory(prefix="pp-redis-") as directory,
        redis_part.start(Path(directory)) as running,
    ):
        yield running


@pytest.fixture
def redis_url(redis_server: RunningRedis) -> str:
    """An empty Redis."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@contextlib.contextmanager
def written_by_hand(redis_url: str) -> Iterator[redis.Redis]:
    """The nonce store's Redis, for somebody who writes in it past our scripts."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


def wipe(redis_url: str) -> None:
    """Let the nonce store lose everything."""
    with written_by_hand(redis_url) as client:
        client.flushall()


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[..., RunningRedis]]:
    """Start a Redis of the test's own; the same one's data again when called again."""
    with contextlib.ExitStack() as servers:

        def start(**options: object) -> RunningRedis:
            running = redis_part.start(tmp_path / "redis", **options)
            return servers.enter_context(running)

        yield start


@pytest.fixture
def start_guarded(tmp_path: Path) -> Iterator[Callable[..., Guarded]]:
    """Start a master, replicas and Sentinels of the test's own."""
    with contextlib.ExitStack() as groups:

        def start(**options: int) -> Guarded:
            group = redis_groups.start_guarded(tmp_path / "guarded", **options)
            return groups.enter_context(group)

        yield start


@pytest.fixture
def start_cluster(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """Start a cluster of three masters of the test's own."""
    with contextlib.ExitStack() as groups:

        def start(*, with_replicas: bool = False) -> Cluster:
            group = redis_groups.start_cluster(
                tmp_path / "cluster", with_replicas=with_replicas
            )
            return groups.enter_context(group)

        yield start


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[RunningPostgres]:
    """The run's PostgreSQL."""
    # Not under pytest's own directory, which root alone can enter when root runs it.
    with tempfile.TemporaryDirectory(prefix="pp-postgres-") as directory:
        Path(directory).chmod(0o755)
        with postgres_part.start(Path(directory) / "data", fsync=False) as running:
            yield running


@pytest.fixture
def postgres_url(postgres_server: RunningPostgres) -> str:
    """An empty database, for SQLAlchemy."""
    return postgres_server.new_database()


class LossyProxy:
    """A TCP door to a server on a unix socket which can lose a reply.

    Losing a reply means: the server got the command and ran it, and the client sees a
    broken connection instead of the answer.
    """

    def __init__(self, url: str) -> None:
        self._path = unquote(urlsplit(url).path)
        self._door = socket.create_server(("127.0.0.1", 0))
        self._to_lose = 0
        self._lock = threading.Lock()
        self.lost = 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        host, port = self._door.getsockname()
        return f"redis://{host}:{port}"

    def lose_replies(self, count: int = 1) -> None:
        """Lose this many replies, from the next one on."""
        with self._lock:
            self._to_lose = count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        # A plain close would leave the thread in accept().
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._path)
                for pair in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(
        self, source: socket.socket, target: socket.socket, is_reply: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_reply and self._must_lose(data):
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            if is_reply:
                end.close()

    def _must_lose(self, reply: bytes) -> bool:
        # The greeting of a fresh connection is let through: it is no command's reply.
        if reply.startswith((b"%", b"+OK", b"-ERR unknown subcomm")):
            return False
        with self._lock:
            if not self._to_lose:
                return False
            self._to_lose -= 1
            self.lost += 1
            return True

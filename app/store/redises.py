"""The Redis servers behind one address: one of them, those of Sentinels, a cluster.

Who keeps something asks by the key that it is kept under, and hears from the server
that has it now. Each question is about one key, so that a cluster is no different.

Patience. A reply that is late helps nobody at a till: there is a limit for each step,
no question waits for another one's, and the longest that anybody waits in all is some
seconds. A connection that broke (a restart, a fail-over, a lost reply) is tried again
at once, so that **a question may be heard twice**, and every script must bear it. A
silent server is not asked again: the waits would add up.

While a master is dead there is no answer, which is a fault like any other, and no
guess. When another is in its place, whoever asks next finds it: by the Sentinels,
asked anew for each new connection, or by a word of the cluster (``redis_cluster``).
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry
from redis.sentinel import Sentinel

from app.store import redis_address
from app.store.redis_address import Address, Form
from app.store.redis_cluster import Cluster, Known

__all__ = [
    "FAULTS",
    "PATIENCE",
    "Known",
    "Patience",
    "Redises",
    "Script",
    "Server",
    "open_redises",
]

#: What comes instead of an answer.
FAULTS = (redis.RedisError, OSError)
_RETRY_S = 0.05
# No further try begins when a question is this old.
_TRY_AGAIN_FOR_S = 1.0
# Sentinels are near, or of no use; several of them may be silent.
_SENTINEL_S = 0.5

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for.

    Attributes:
        connect: until it takes a connection.
        reply: until it answers.
        retries: how often a broken connection is tried again.
    """

    connect: timedelta
    reply: timedelta
    retries: int

    def keywords(self) -> dict[str, Any]:
        """For ``redis.Redis``; its own retries, which would multiply ours, are off."""
        return {
            "socket_connect_timeout": self.connect.total_seconds(),
            "socket_timeout": self.reply.total_seconds(),
            "retry": Retry(NoBackoff(), 0),
        }


#: For what somebody at a till waits for, or that need not be quicker than it.
PATIENCE = Patience(
    connect=timedelta(seconds=1), reply=timedelta(seconds=1.5), retries=2
)


class Redises(Protocol):
    """Servers that are asked by key; safe to share between threads."""

    def at(self, key: str, ask: Callable[[redis.Redis], Answer]) -> Answer:
        """Ask the server that has a key.

        Args:
            key: of all that is asked about; on a cluster its hash tag decides.
            ask: asks what it is given; called again if the connection broke.

        Raises:
            FAULTS: no answer, or a refusal.
        """

    def owners(self, keys: Sequence[str]) -> list[int]:
        """Tell which keys are together: equal numbers, one server.

        Raises:
            FAULTS: no answer.
        """

    def masters(self) -> list[redis.Redis]:
        """List the servers that hold all keys between them.

        Raises:
            FAULTS: no answer, or there are keys that no server has.
        """

    def every(self) -> list[Known]:
        """List all servers, replicas too, as far as they are known.

        Raises:
            FAULTS: nobody tells.
        """

    def missing(self) -> list[str]:
        """Name the servers that those who watch them take for dead."""

    def close(self) -> None:
        """Close the connections."""


class Server:
    """One server, or the one that the Sentinels call the master."""

    def __init__(
        self,
        client: redis.Redis,
        retries: int,
        *,
        sentinels: Any = None,
        service: str = "",
    ) -> None:
        self._client = client
        self._retries = retries
        #: redis-py's ``Sentinel``, which has no types.
        self._sentinels = sentinels
        self._service = service

    def at(self, key: str, ask: Callable[[redis.Redis], Answer]) -> Answer:
        """See ``Redises``."""
        return persist(lambda: ask(self._client), self._retries)

    def owners(self, keys: Sequence[str]) -> list[int]:
        """See ``Redises``."""
        return [0] * len(keys)

    def masters(self) -> list[redis.Redis]:
        """See ``Redises``."""
        return [self._client]

    def every(self) -> list[Known]:
        """See ``Redises``."""
        if self._sentinels is None:
            return [Known("Redis", self._client, is_master=True)]
        options = self._sentinels.connection_kwargs
        followers = [
            Known(f"The replica {host}:{port}", redis.Redis(host, port, **options))
            for host, port in self._sentinels.discover_replicas(self._service)
        ]
        return [Known("The master", self._client, is_master=True), *followers]

    def missing(self) -> list[str]:
        """See ``Redises``."""
        for sentinel in self._sentinels.sentinels if self._sentinels else ():
            with contextlib.suppress(*FAULTS):
                known = sentinel.sentinel_slaves(self._service)
                return [
                    f"The replica {each['ip']}:{each['port']}"
                    for each in known
                    if each["is_sdown"] or each["is_odown"]
                ]
        return []

    def close(self) -> None:
        """See ``Redises``."""
        self._client.close()
        if self._sentinels is not None:
            self._sentinels.close()


class Script:
    """A Lua script on one key, which a server is taught when it does not know it.

    redis-py's own teaches every master of a cluster, and fails when one is away.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        # Redis names scripts so; it is no seal.
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def run(self, redises: Redises, key: str, *args: str | float) -> Any:
        """Run it where the key is.

        Raises:
            FAULTS: no answer.
        """
        return redises.at(key, lambda server: self._run(server, key, args))

    def run_on_all(
        self, redises: Redises, keys: Sequence[str], *args: str | float
    ) -> None:
        """Run it on each of several keys that are together, in one go.

        Args:
            redises: where they are.
            keys: of one server, see ``Redises.owners``.
            args: the same for each.

        Raises:
            FAULTS: no answer; it may have run on some.
        """

        def run(server: redis.Redis) -> None:
            # Teaches the server the script, if need be.
            self._run(server, keys[0], args)
            with server.pipeline(transaction=False) as together:
                for key in keys[1:]:
                    together.evalsha(self._sha, 1, key, *map(str, args))
                together.execute()

        redises.at(keys[0], run)

    def _run(self, server: redis.Redis, key: str, args: Sequence[str | float]) -> Any:
        words = [key, *map(str, args)]
        try:
            return server.evalsha(self._sha, 1, *words)
        except NoScriptError:
            return server.eval(self._text, 1, *words)


def open_redises(url: str, patience: Patience) -> Redises:
    """Make what asks the servers of an address; connects to none yet.

    Args:
        url: see ``redis_address``; what its query names wins over ``patience``.
        patience: for each of them.

    Raises:
        SettingsError: not an address.
    """
    address = redis_address.read(url)
    keywords = patience.keywords()
    if address.form is Form.SERVER:
        client = redis.Redis.from_url(address.url, **keywords)
        return Server(client, patience.retries)
    keywords |= address.options
    if address.form is Form.CLUSTER:
        return Cluster(
            address.hosts,
            lambda host, port: redis.Redis(host, port, **keywords),
            lambda ask: persist(ask, patience.retries),
        )
    return _guarded(address, keywords, patience.retries)


def _guarded(address: Address, keywords: dict[str, Any], retries: int) -> Server:
    quick = {
        "socket_connect_timeout": _SENTINEL_S,
        "socket_timeout": _SENTINEL_S,
        "retry": Retry(NoBackoff(), 0),
    }
    sentinels: Any = Sentinel(  # type: ignore[no-untyped-call]
        list(address.hosts),
        sentinel_kwargs=quick | dict(address.sentinel_options),
        **keywords,
    )
    client = sentinels.master_for(address.service)
    return Server(client, retries, sentinels=sentinels, service=address.service)


def persist(ask: Callable[[], Answer], retries: int) -> Answer:
    """Ask again when the connection broke, a few times and not for long."""
    last = time.monotonic() + _TRY_AGAIN_FOR_S
    for _ in range(retries):
        try:
            return ask()
        except redis.ConnectionError:
            if time.monotonic() > last:
                raise
        time.sleep(_RETRY_S)
    return ask()

"""A Redis Cluster, asked by one key at a time.

Why not redis-py's ``RedisCluster``: it waits for itself. When a server falls silent,
each thread that meets it learns the cluster anew, one after the other, each as long as
all servers are silent: with 16 threads and two silent masters the last one waited for
48 seconds, and each broken connection also cut those to the servers that are well. It
also teaches a script to all masters or to none, and connects when it is made.

How it is held. The slots' owners are one table, learnt from any server and replaced as
a whole. A server that says ``MOVED`` is believed at once; one that is away, or says
that the cluster is down, makes whoever met it ask another server who has the slots now,
unless somebody is asking already: nobody waits for another one's question, but when
there is no table at all. Slots without an owner have no answer; the others go on.

Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import redis
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError

__all__ = ["Cluster", "Known"]

_SLOTS = 16384
# A slot moves once; more often only while somebody moves it to and fro.
_MOVES = 4
# No further server is asked for the table when the first was asked this long ago.
_LEARN_FOR_S = 1.0
# So long the next one believes that nobody knows the table.
_UNKNOWN_FOR_S = 0.5
_WAIT_FOR_TABLE_S = 2.0
_NOBODY_TELLS = "no server of the cluster tells who has the slots"

Answer = TypeVar("Answer")
Where = tuple[str, int]


class Known(NamedTuple):
    """One server, as an operator knows it."""

    #: Begins a sentence.
    name: str
    client: redis.Redis
    is_master: bool = False


class Cluster:
    """The servers of a cluster; see ``app.store.redises.Redises``.

    Args:
        seeds: servers to begin with, at least one of them alive.
        connect: makes a client of one server, without retries of its own.
        persist: asks again where a connection broke.
    """

    def __init__(
        self,
        seeds: Iterable[Where],
        connect: Callable[[str, int], redis.Redis],
        persist: Callable[[Callable[[], Any]], Any],
    ) -> None:
        self._seeds = tuple(seeds)
        self._connect = connect
        self._persist = persist
        self._clients: dict[Where, redis.Redis] = {}
        #: Who owns each slot; None of one that nobody has. Empty: not learnt yet.
        self._owners: list[Where | None] = []
        self._replicas: tuple[Where, ...] = ()
        self._learning = threading.Lock()
        self._failed_at = float("-inf")

    def at(self, key: str, ask: Callable[[redis.Redis], Answer]) -> Answer:
        """See ``Redises``."""
        slot = key_slot(key.encode())
        answer: Answer = self._persist(lambda: self._follow(slot, ask))
        return answer

    def owners(self, keys: Sequence[str]) -> list[int]:
        """See ``Redises``."""
        table = self._table()
        numbers: dict[Where | None, int] = {}
        owners = (table[key_slot(key.encode())] for key in keys)
        return [numbers.setdefault(owner, len(numbers)) for owner in owners]

    def masters(self) -> list[redis.Redis]:
        """See ``Redises``."""
        # By a table of this moment: by an older one a slot might be left out.
        if not any(self._learn_from(each) for each in self._known()):
            raise redis.ConnectionError(_NOBODY_TELLS)
        owners = set(self._owners)
        if None in owners:
            raise ClusterDownError("some slots have no owner")
        return [self._client(each) for each in owners if each]

    def every(self) -> list[Known]:
        """See ``Redises``."""
        owners = {each for each in self._table() if each}
        return [
            Known(f"Redis at {host}:{port}", self._client((host, port)), is_master)
            for servers, is_master in ((owners, True), (set(self._replicas), False))
            for host, port in sorted(servers)
        ]

    def missing(self) -> list[str]:
        """See ``Redises``; here whoever has slots is asked itself."""
        return []

    def close(self) -> None:
        """See ``Redises``."""
        for client in list(self._clients.values()):
            client.close()

    def _follow(self, slot: int, ask: Callable[[redis.Redis], Answer]) -> Answer:
        """Ask the owner of a slot, and whom it names instead."""
        owner = self._table()[slot]
        if owner is None:
            self._learn(self._known())
            raise ClusterDownError(f"nobody has slot {slot}")
        client = self._client(owner)
        for _ in range(_MOVES):
            try:
                return ask(client)
            except MovedError as moved:
                owner = (moved.host or owner[0], moved.port)
                client = self._client(owner)
                self._owners[slot] = owner
                self._learn([owner])
            except AskError as asked:
                # This key is there already, and the slot not yet.
                owner = (asked.host or owner[0], asked.port)
                client = _Asking(connection_pool=self._client(owner).connection_pool)
            except (redis.ConnectionError, redis.TimeoutError, ClusterDownError):
                self._learn(each for each in self._known() if each != owner)
                raise
        return ask(client)

    def _table(self) -> list[Where | None]:
        """Give the slots' owners; learn them first if need be.

        Raises:
            redis.ConnectionError: nobody tells.
        """
        if not self._owners:
            # Without a table there is nothing that could be answered meanwhile.
            self._learn(self._seeds, wait_s=_WAIT_FOR_TABLE_S)
        if not self._owners:
            raise redis.ConnectionError(_NOBODY_TELLS)
        return self._owners

    def _known(self) -> list[Where]:
        owners = [each for each in dict.fromkeys(self._owners) if each]
        return list(dict.fromkeys([*owners, *self._replicas, *self._seeds]))

    def _learn(self, whom: Iterable[Where], *, wait_s: float = 0.0) -> None:
        """Ask one after the other for the table; leave it to who is at it already."""
        is_mine = self._learning.acquire(blocking=wait_s > 0, timeout=wait_s or -1)
        if not is_mine:
            return
        try:
            began = time.monotonic()
            if began < self._failed_at + _UNKNOWN_FOR_S or (wait_s and self._owners):
                return
            for where in whom:
                if self._learn_from(where):
                    return
                if time.monotonic() > began + _LEARN_FOR_S:
                    break
            self._failed_at = time.monotonic()
        finally:
            self._learning.release()

    def _learn_from(self, where: Where) -> bool:
        """Take the table of one server; False if it gives none."""
        try:
            client: Any = self._client(where)
            told = client.execute_command("CLUSTER", "SLOTS")
        except (redis.RedisError, OSError):
            return False
        owners: list[Where | None] = [None] * _SLOTS
        replicas = []
        for first, last, master, *followers in told:
            owners[first : last + 1] = [_where(master, where)] * (last + 1 - first)
            replicas += [_where(each, where) for each in followers]
        if not any(owners):
            return False
        self._owners, self._replicas = owners, tuple(dict.fromkeys(replicas))
        alive = {*owners, *replicas, *self._seeds}
        for gone in self._clients.keys() - alive:
            # Who is using it goes on; its connections end with the last of them.
            self._clients.pop(gone, None)
        return True

    def _client(self, where: Where) -> redis.Redis:
        found = self._clients.get(where)
        # Of two made at once, one stays.
        return found or self._clients.setdefault(where, self._connect(*where))


class _Asking(redis.Redis):
    """A server that is asked for a key which is on its way to it."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        # On one connection, or it would not hold for the command.
        together: Any
        with self.pipeline(transaction=False) as together:
            together.execute_command("ASKING")
            together.execute_command(*args, **options)
            return together.execute()[1]


def _where(told: Sequence[Any], asked: Where) -> Where:
    """Read a server's place; without a host it is where it was asked."""
    host, port = told[0], int(told[1])
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    return (name or asked[0], port)

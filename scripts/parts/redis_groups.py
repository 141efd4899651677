"""Several Redis servers that stand together, on one machine: for tests and trials.

A *guarded* group is one master, its replicas, and Sentinels that put a replica in the
master's place when it dies. A *cluster* is several masters, each with its share of
the slots, and perhaps a replica of each. Both are made of real servers with the
settings of ``redis_server``: what is answered is on the disk.

They listen on 127.0.0.1 without a password, which every user of the machine can
reach: never for a shop. They are impatient too: half a second of silence is a death,
so that a trial need not wait for what in a shop takes longer.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from scripts.parts import children, redis_server
from scripts.parts.children import ServerError
from scripts.parts.redis_server import RunningRedis

__all__ = ["Cluster", "Guarded", "ServerError", "start_cluster", "start_guarded"]

#: What the Sentinels call the master.
SERVICE = "punchproof"
#: How long a server may be silent before the others take it for dead.
SILENCE = timedelta(milliseconds=500)
_SLOTS = 16384
_STOP_PATIENCE = timedelta(seconds=10)
_EVERY_S = 0.02


@dataclass
class _Group:
    """Servers by their port, each of which may be killed and come back.

    Attributes:
        url: for ``REDIS_URL``.
        servers: those that were started here, dead or alive.
    """

    directory: Path
    url: str = ""
    servers: dict[int, RunningRedis] = field(default_factory=dict)
    _more: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def start(self, port: int, *more: str) -> RunningRedis:
        """Start a server; a second time, the same one on its data again."""
        self._more.setdefault(port, more)
        running = redis_server.start(
            self.directory / str(port), port=port, more=self._more[port]
        )
        self._stack.callback(running.stop)
        self.servers[port] = running
        return running

    def kill(self, port: int) -> None:
        """Kill a server as a power cut would."""
        self.servers[port].process.kill()
        self.servers[port].process.wait()

    def halt(self, port: int, *, goes_on: bool = False) -> None:
        """Let a server fall silent, or speak again; its connections stay open."""
        self.servers[port].process.send_signal(
            signal.SIGCONT if goes_on else signal.SIGSTOP
        )

    def stop(self) -> None:
        """End all of them; safe to repeat."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


@dataclass
class Guarded(_Group):
    """A master, its replicas and their Sentinels.

    Attributes:
        sentinels: where they listen.
    """

    sentinels: tuple[int, ...] = ()

    def master(self) -> int:
        """Where the master is, by the first Sentinel that answers.

        Raises:
            ServerError: none of them answers.
        """
        for port in self.sentinels:
            with suppressed(), client(port) as sentinel:
                asked = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
                return int(sentinel.execute_command(*asked)[1])
        raise ServerError("no Sentinel answers")

    def patient(self) -> None:
        """Let no Sentinel act by itself from now on, but only when it is told to."""
        for port in self.sentinels:
            with client(port) as sentinel:
                sentinel.execute_command(
                    "SENTINEL", "SET", SERVICE, "down-after-milliseconds", 600_000
                )

    def replace(self) -> None:
        """Tell the Sentinels to put a replica in the master's place, dead or alive."""
        with client(self.sentinels[0]) as sentinel:
            sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE)

    def replicas(self) -> list[int]:
        """The servers that are not the master."""
        master = self.master()
        return [port for port in self.servers if port != master]

    def following(self) -> list[int]:
        """Those of them that are alive and hear the master."""
        alive = []
        for port in self.replicas():
            with suppressed():
                alive += [port] if _follows(port) else []
        return alive


@dataclass
class Cluster(_Group):
    """Masters that share the slots.

    Attributes:
        masters: those that had the slots at first, by their share of them.
        replicas: the replica of each of them, if it has one.
    """

    masters: tuple[int, ...] = ()
    replicas: Mapping[int, int] = field(default_factory=dict)

    def owner(self, slot: int) -> int:
        """Which of the first masters has a slot."""
        return self.masters[slot * len(self.masters) // _SLOTS]


def start_guarded(
    directory: Path, *, replicas: int = 1, sentinels: int = 3, quorum: int = 2
) -> Guarded:
    """Start a master, replicas and Sentinels, and wait until all know of each other.

    Call it from the main thread (see ``children.launch``).

    Raises:
        ServerError: one of them does not start.
    """
    ports = free_ports(1 + replicas + sentinels)
    master, watching = ports[0], tuple(ports[1 + replicas :])
    named = ",".join(f"127.0.0.1:{port}" for port in watching)
    group = Guarded(
        directory, url=f"redis+sentinel://{named}/{SERVICE}", sentinels=watching
    )
    try:
        group.start(master)
        for port in ports[1 : 1 + replicas]:
            # Else it would wait a while for more replicas to serve at once.
            group.start(port, f"replicaof 127.0.0.1 {master}")
        for port in ports[: 1 + replicas]:
            with client(port) as server:
                server.config_set("repl-diskless-sync-delay", 0)
        for port in ports[1 : 1 + replicas]:
            until(partial(_follows, port), "a replica follows its master")
        for port in watching:
            _start_sentinel(group, port, master, min(quorum, sentinels))
        for port in watching:
            knows = partial(_knows, port, replicas, sentinels - 1)
            until(knows, "the Sentinels know of each other")
    except BaseException:
        group.stop()
        raise
    return group


def start_cluster(
    directory: Path, *, masters: int = 3, with_replicas: bool = False
) -> Cluster:
    """Start a cluster of which each master has an equal share of the slots.

    Where a master is away, the others go on with their own slots.

    Call it from the main thread (see ``children.launch``).

    Raises:
        ServerError: one of them does not start.
    """
    count = masters * 2 if with_replicas else masters
    ports, buses = free_ports(count), free_ports(count)
    group = Cluster(
        directory,
        url="redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports),
        masters=tuple(ports[:masters]),
        replicas=dict(zip(ports[:masters], ports[masters:], strict=False)),
    )
    try:
        for port, bus in zip(ports, buses, strict=True):
            group.start(
                port,
                "cluster-enabled yes",
                f"cluster-port {bus}",
                f"cluster-node-timeout {SILENCE // timedelta(milliseconds=1)}",
                "cluster-require-full-coverage no",
                "repl-diskless-sync-delay 0",
            )
        _share_out(group, dict(zip(ports, buses, strict=True)))
    except BaseException:
        group.stop()
        raise
    return group


def client(port: int) -> redis.Redis:
    """A connection to one server, which says at once that it is away."""
    return redis.Redis(
        port=port, socket_timeout=10.0, protocol=2, retry=Retry(NoBackoff(), 0)
    )


def suppressed() -> contextlib.suppress:
    """What a server that is away, or not there yet, is met with."""
    return contextlib.suppress(redis.RedisError, OSError)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody had a moment ago, each another."""
    with contextlib.ExitStack() as doors:
        opened = [
            doors.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(count)
        ]
        return [door.getsockname()[1] for door in opened]


def until(
    is_so: Callable[[], bool], what: str, patience: timedelta = timedelta(seconds=30)
) -> None:
    """Wait until something is so.

    Raises:
        ServerError: it never came to be so.
    """
    last = time.monotonic() + patience.total_seconds()
    while True:
        with suppressed():
            if is_so():
                return
        if time.monotonic() > last:
            raise ServerError(f"this never came to be: {what}")
        time.sleep(_EVERY_S)


def _share_out(group: Cluster, buses: Mapping[int, int]) -> None:
    """Give each master its slots, let all meet, and each replica follow."""
    for number, port in enumerate(group.masters):
        begin = -(-number * _SLOTS // len(group.masters))
        end = -(-(number + 1) * _SLOTS // len(group.masters)) - 1
        with client(port) as master:
            master.execute_command("CLUSTER", "ADDSLOTSRANGE", begin, end)
            # Each its own, or two of them would have one number and sort it out.
            master.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    # Everybody everybody: by hearsay it would take longer.
    for one, other in combinations(group.servers, 2):
        with client(one) as server:
            meet = ("CLUSTER", "MEET", "127.0.0.1", other, buses[other])
            server.execute_command(*meet)
    for port in group.servers:
        whole = partial(_is_whole, port, len(group.servers))
        until(whole, "the servers are one cluster")
    for master, replica in group.replicas.items():
        with client(master) as of, client(replica) as follower:
            master_id = of.execute_command("CLUSTER", "MYID").decode()
            follower.execute_command("CLUSTER", "REPLICATE", master_id)
    for replica in group.replicas.values():
        until(partial(_follows, replica), "a replica follows its master")
    for port in group.servers if group.replicas else ():
        until(partial(_names_replicas, port), "all have heard of the replicas")


def _is_whole(port: int, count: int) -> bool:
    with client(port) as server:
        told = server.execute_command("CLUSTER", "INFO").decode()
    said = dict(line.split(":") for line in told.split("\r\n") if ":" in line)
    return said["cluster_state"] == "ok" and int(said["cluster_known_nodes"]) == count


def _names_replicas(port: int) -> bool:
    with client(port) as server:
        slots = server.execute_command("CLUSTER", "SLOTS")
    return all(len(each[3:]) == 1 for each in slots)


def _follows(port: int) -> bool:
    with client(port) as replica:
        said: Any = replica.info("replication")
        return bool(said.get("master_link_status") == "up")


def _knows(port: int, replicas: int, others: int) -> bool:
    with client(port) as sentinel:
        said = dict(_pairs(sentinel.execute_command("SENTINEL", "MASTER", SERVICE)))
        followers = sentinel.execute_command("SENTINEL", "REPLICAS", SERVICE)
    return (
        int(said["num-slaves"]) == replicas
        and int(said["num-other-sentinels"]) == others
        and all(dict(_pairs(each))["flags"] == "slave" for each in followers)
    )


def _pairs(flat: Any) -> Iterator[tuple[str, str]]:
    """Read an answer of names and values, as a list or as a map."""
    words = [
        part
        for each in (flat.items() if isinstance(flat, dict) else [flat])
        for part in each
    ]
    texts = [word.decode() if isinstance(word, bytes) else str(word) for word in words]
    yield from zip(texts[::2], texts[1::2], strict=True)


def _start_sentinel(group: Guarded, port: int, master: int, quorum: int) -> None:
    directory = group.directory / str(port)
    directory.mkdir(mode=0o700)
    config, log = directory / "sentinel.conf", directory / "sentinel.log"
    silence = SILENCE // timedelta(milliseconds=1)
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"sentinel monitor {SERVICE} 127.0.0.1 {master} {quorum}",
        f"sentinel down-after-milliseconds {SERVICE} {silence}",
        f"sentinel failover-timeout {SERVICE} {4 * silence}",
    ]
    config.write_text("\n".join(lines) + "\n")
    process = children.launch(
        # By a name in its own directory: a path might be taken for a pattern. It
        # writes in that file what it learns, so it cannot be handed over as words.
        [redis_server.find_server(), config.name, "--sentinel"],
        directory=directory,
        log=log,
        end_by=signal.SIGTERM,
    )
    group._stack.callback(_end, process)
    until(partial(_answers, port), "a Sentinel answers")


def _end(process: subprocess.Popen[bytes]) -> None:
    children.end(process, signal.SIGTERM, patience=_STOP_PATIENCE)


def _answers(port: int) -> bool:
    with client(port) as sentinel:
        return bool(sentinel.ping())

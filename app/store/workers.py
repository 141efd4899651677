"""The web workers that are alive, and the key ring that each of them works with.

A key signs only when every worker verifies with it, so whoever activates one asks
here first. Each worker says every two seconds who it is, what its ring's digest is
and what is in it, so that whoever asks any of them hears the same of all; what it
said is gone ten seconds after it fell silent.

A report is one key ``pp:{workers}:worker:<id>`` with a time to live. Their ids are in
the sorted set ``pp:{workers}:ids``, so that nobody has to search a store of a million
codes; an id is dropped from it a day after its last report. All of it has one hash tag,
and so one place on a cluster.

Reporting runs in a thread of its own. It disturbs no request, and a nonce store that
is away is tried again at the next beat.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import redis

from app.store.errors import NonceStoreDown
from app.store.redises import FAULTS, PATIENCE, Redises, open_redises

#: Between two reports of a worker.
EVERY = timedelta(seconds=2)
#: How long a report stands.
KEEP = timedelta(seconds=10)

_IDS = "pp:{workers}:ids"
_FORGET_IDS = timedelta(days=1)
#: The mail worker has no ring and is none of the workers above; it says it goes on.
_MAIL = "pp:{workers}:mail"
#: A mail worker that found the way shut rests for up to five minutes.
MAIL_KEEP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Held:
    """One signing key or secret of a ring: what it is since when, and no more."""

    #: ``key`` or ``secret``.
    kind: str
    number: int
    #: Of a key a ``KeyState``; of a secret ``pending``, ``sealing`` or ``opening``.
    state: str
    created_at: datetime
    #: When it came to this state.
    since: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says of its keys."""

    #: ``KeyRing.digest``.
    ring: str
    #: Why its last look at the ring was refused; None if good.
    problem: str | None = None
    #: How many different contents it refused since it started.
    rejected: int = 0
    #: When the present problem began.
    since: datetime | None = None
    #: What is in the ring.
    held: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class Worker:
    """A live worker and what it said last. Moments are by its own clock."""

    #: ``host:pid:random``.
    worker_id: str
    ring: str
    problem: str | None
    #: When it said so.
    at: datetime
    #: When it first said this ``ring``.
    ring_at: datetime
    rejected: int = 0
    #: When the present problem began.
    since: datetime | None = None
    held: tuple[Held, ...] = ()


@dataclass
class _Process:
    """What is of one process and does not survive a fork."""

    thread: threading.Thread | None = None
    worker_id: str = ""
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    #: The ring that was said last, and when that was first.
    ring: str = ""
    ring_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Workers:
    """Reports of this process, and the reports of all.

    Args:
        redises: where the reports are kept.
        every: between two reports.
        keep: how long one stands; several times ``every``.
    """

    def __init__(
        self,
        redises: Redises,
        *,
        every: timedelta = EVERY,
        keep: timedelta = KEEP,
    ) -> None:
        self._redises = redises
        self._every = every
        self._keep = keep
        self._process = _Process()
        self._is_closed = False
        _all.add(self)

    @classmethod
    def open(
        cls, url: str, *, every: timedelta = EVERY, keep: timedelta = KEEP
    ) -> Self:
        """Make them on a Redis by its address; does not connect yet.

        Raises:
            SettingsError: not an address.
        """
        return cls(open_redises(url, PATIENCE), every=every, keep=keep)

    def live(self) -> list[Worker]:
        """Return the workers that reported within ``keep``, by id.

        Raises:
            NonceStoreDown: no answer, or one of which no sense can be made; nothing
                may be concluded.
        """
        said = self._ask(_reports, _IDS)
        return [_worker(each, text) for each, text in said if text is not None]

    def mail_goes_on(self, now: datetime) -> None:
        """Say for a mail worker that it goes on.

        Raises:
            NonceStoreDown: no answer.
        """
        self._ask(lambda redis: redis.set(_MAIL, now.isoformat(), px=MAIL_KEEP))

    def mail_went_on_at(self) -> datetime | None:
        """Tell when a mail worker said so last; None: not within ``MAIL_KEEP``.

        Raises:
            NonceStoreDown: no answer; nothing may be concluded.
        """
        said = self._ask(lambda redis: redis.get(_MAIL))
        return datetime.fromisoformat(said.decode()) if said else None

    def clock(self) -> datetime:
        """Tell the time by the clock of Redis.

        Raises:
            NonceStoreDown: no answer.
        """
        seconds, micros = self._ask(lambda redis: redis.time())
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)

    def _ask(self, ask: Callable[[redis.Redis], Any], key: str = _MAIL) -> Any:
        try:
            return self._redises.at(key, ask)
        except FAULTS as error:
            raise NonceStoreDown(str(error)) from error

    def start(
        self,
        report: Callable[[], Report],
        then: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Report from now on, from a thread of this process; once started, nothing.

        Args:
            report: asked before each report.
            then: called after each report, heard or not, with this worker's id.
        """
        process = self._process
        if process.thread is None:
            with process.lock:
                self._start(process, report, then)

    def _start(
        self,
        process: _Process,
        report: Callable[[], Report],
        then: Callable[[str], object],
    ) -> None:
        if process.thread is None and not self._is_closed:
            host = socket.gethostname().replace(":", "-")
            process.worker_id = f"{host}:{os.getpid()}:{secrets.token_hex(4)}"
            thread = threading.Thread(
                target=self._beat,
                args=(process, report, then),
                name="workers",
                daemon=True,
            )
            # No more threads, or the process ends: it is as good as not there.
            with contextlib.suppress(RuntimeError):
                thread.start()
                process.thread = thread

    def close(self) -> None:
        """Report no more, and take the last report back."""
        self._is_closed = True
        process = self._process
        with process.lock:
            process.stop.set()
        if process.thread is not None:
            process.thread.join()
            with contextlib.suppress(*FAULTS):
                self._redises.at(_IDS, lambda server: _drop(server, process.worker_id))
        self._redises.close()

    def _beat(
        self,
        process: _Process,
        report: Callable[[], Report],
        then: Callable[[str], object],
    ) -> None:
        while True:
            # Whatever is wrong, the next beat may be better.
            with contextlib.suppress(Exception):
                said = report()
                if said.ring != process.ring:
                    process.ring, process.ring_at = said.ring, datetime.now(UTC)
                self._tell(process.worker_id, said, process.ring_at)
            with contextlib.suppress(Exception):
                then(process.worker_id)
            if process.stop.wait(self._every.total_seconds()):
                return

    def _tell(
        self, worker_id: str, report: Report, ring_at: datetime | None = None
    ) -> None:
        now = datetime.now(UTC)
        last = (now - _FORGET_IDS).timestamp()
        text = _text(report, at=now, ring_at=ring_at or now)

        def write(server: redis.Redis) -> None:
            with server.pipeline() as together:
                together.set(_key(worker_id), text, px=self._keep)
                together.zadd(_IDS, {worker_id: now.timestamp()})
                together.zremrangebyscore(_IDS, 0, last)
                together.execute()

        self._redises.at(_IDS, write)


def _key(worker_id: str) -> str:
    return f"pp:{{workers}}:worker:{worker_id}"


def _reports(server: redis.Redis) -> list[tuple[str, Any]]:
    answer: Any = server.zrange(_IDS, 0, -1)
    ids = sorted(each.decode() for each in answer)
    said: Any = server.mget([_key(each) for each in ids]) if ids else []
    return list(zip(ids, said, strict=True))


def _drop(server: redis.Redis, worker_id: str) -> None:
    server.delete(_key(worker_id))
    server.zrem(_IDS, worker_id)


def _text(report: Report, *, at: datetime, ring_at: datetime) -> str:
    """Write a report as it is kept."""
    return json.dumps(
        {
            "ring": report.ring,
            "problem": report.problem,
            "at": at.isoformat(),
            "ring_at": ring_at.isoformat(),
            "rejected": report.rejected,
            "since": report.since.isoformat() if report.since else None,
            "held": [
                [
                    held.kind,
                    held.number,
                    held.state,
                    held.created_at.isoformat(),
                    held.since.isoformat(),
                ]
                for held in report.held
            ],
        }
    )


def _worker(worker_id: str, text: bytes) -> Worker:
    """Read a report; one of an older release says less."""
    try:
        return _worker_in(worker_id, json.loads(text))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        # Not one worker fewer: a key may only be put in charge once all know it.
        raise NonceStoreDown from error


def _worker_in(worker_id: str, said: Mapping[str, Any]) -> Worker:
    moment = datetime.fromisoformat
    return Worker(
        worker_id=worker_id,
        ring=said["ring"],
        problem=said["problem"],
        at=moment(said["at"]),
        ring_at=moment(said.get("ring_at") or said["at"]),
        rejected=said.get("rejected", 0),
        since=moment(said["since"]) if said.get("since") else None,
        held=tuple(
            Held(kind, number, state, moment(created_at), moment(since))
            for kind, number, state, created_at, since in said.get("held", ())
        ),
    )


_all: weakref.WeakSet[Workers] = weakref.WeakSet()


def _after_fork() -> None:
    """A fork has no thread and is another worker."""
    for workers in _all:
        workers._process = _Process()


os.register_at_fork(after_in_child=_after_fork)

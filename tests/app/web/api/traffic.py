"""Honest customers and tills, busy over HTTP while a test does something to the keys.

Each lane is one card: a code is shown, somebody hesitates, it is spent, and all over
again. As our pages do, a request without an answer is sent again with the same id, and
a customer whose code was called back shows a fresh one. Every try is written down with
the key that signed its code, so that a test can say what was accepted, and until when.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from uuid import uuid4

import httpx
import psutil
from sqlalchemy import select

from app.settings import Settings
from app.store.tables import LedgerEntry, Signal
from app.tools import Tools
from signing import keyfiles
from signing.codes import named_key
from tests.running import Service

ROOT = Path(__file__).parents[4]
#: For everything that must come some time on any machine, in s.
PATIENCE_S = 90.0
_TRY_AGAIN = frozenset({"try_again", "code_in_use"})
# Nobody shows a fresh code faster.
_RENEWAL_S = 0.2


@dataclass(frozen=True)
class Lane:
    """One customer at one till."""

    #: Asks for a fresh code to be shown.
    show: Callable[[], httpx.Response]
    #: Spends a code for the request of this id.
    spend: Callable[[str, str], httpx.Response]
    #: Between showing and spending, in s.
    pause: float = 0.05


@dataclass(frozen=True)
class Try:
    """One code that was spent, or was not."""

    key_id: int
    #: By ``time.time()``.
    sent_at: float
    answered_at: float
    #: ``given``, or the code of the refusal.
    outcome: str
    stamp_id: str | None


@dataclass(frozen=True)
class Visit:
    """One stamp as its customer met it: how often a code had to be shown."""

    tries: int
    #: From the first answer to the last, in s.
    wait: float


@dataclass
class Traffic:
    """Lanes that run until the block ends."""

    lanes: Sequence[Lane]
    tries: list[Try] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    issued: Counter[int] = field(default_factory=Counter)
    retries: int = 0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._news = threading.Condition()
        self._pool = ThreadPoolExecutor(len(self.lanes))
        self._jobs: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._jobs = [self._pool.submit(self._work, lane) for lane in self.lanes]
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._pool.shutdown()
        if exc_info[0] is None:
            for job in self._jobs:
                job.result()

    def given(self, *, key_id: int | None = None, since: float = 0.0) -> list[Try]:
        """The stamps that were given for codes sent since a moment."""
        return [
            one
            for one in list(self.tries)
            if one.outcome == "given"
            and one.sent_at >= since
            and key_id in (None, one.key_id)
        ]

    def refused(self) -> Counter[str]:
        return Counter(one.outcome for one in self.tries if one.outcome != "given")

    def until(self, is_so: Callable[[], bool]) -> None:
        """Go on until something is so; looked at after each try."""
        last = time.monotonic() + PATIENCE_S
        with self._news:
            while not is_so():
                assert time.monotonic() < last, "it did not come to that"
                for job in self._jobs:
                    if job.done():
                        job.result()
                self._news.wait(1)

    def _work(self, lane: Lane) -> None:
        while not self._stop.is_set():
            first_answer_at, tries, outcome = 0.0, 0, ""
            while outcome != "given" and not (outcome and self._stop.is_set()):
                # Only the first code of a visit lies about.
                outcome = self._try(lane, _RENEWAL_S if tries else lane.pause)
                tries += 1
                first_answer_at = first_answer_at or time.time()
            with self._news:
                self.visits.append(Visit(tries, time.time() - first_answer_at))

    def _try(self, lane: Lane, pause: float) -> str:
        shown = self._persist(lane.show)
        assert shown.is_success, shown.text
        code = shown.json()["code"]
        key_id = named_key(code)
        time.sleep(pause)
        request_id, sent_at = uuid4().hex, time.time()
        answer = self._persist(lambda: lane.spend(code, request_id))
        body = answer.json()
        outcome = "given" if answer.is_success else body["code"]
        with self._news:
            self.issued[key_id] += 1
            self.tries.append(
                Try(key_id, sent_at, time.time(), outcome, body.get("stamp_id"))
            )
            self._news.notify_all()
        return outcome

    def _persist(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send until there is an answer that is final."""
        last = time.monotonic() + PATIENCE_S
        while time.monotonic() < last:
            answer = send()
            if answer.is_success or answer.json()["code"] not in _TRY_AGAIN:
                return answer
            with self._news:
                self.retries += 1
            time.sleep(0.05)
        raise AssertionError("no answer")


def scanned(
    phone: httpx.Client, desk: httpx.Client, card_id: str, pause: float = 0.05
) -> Lane:
    """A till scans the customer's phone."""
    return Lane(
        lambda: phone.post(f"/api/v1/cards/{card_id}/code"),
        lambda code, request_id: scan(desk, code, request_id),
        pause,
    )


def collected(
    phone: httpx.Client, desk: httpx.Client, card_id: str, pause: float = 0.05
) -> Lane:
    """A phone scans the till's screen; the card itself is the request."""
    return Lane(
        lambda: desk.post("/api/v1/stamp-codes", json={"stamps": 1}),
        lambda code, _: collect(phone, card_id, code),
        pause,
    )


def scan(
    desk: httpx.Client, code: str, request_id: str | None = None, stamps: int = 1
) -> httpx.Response:
    request_id = request_id or uuid4().hex
    body = {"code": code, "stamps": stamps, "request_id": request_id}
    return desk.post("/api/v1/stamps", json=body)


def collect(phone: httpx.Client, card_id: str, code: str) -> httpx.Response:
    return phone.post(f"/api/v1/cards/{card_id}/stamps", json={"code": code})


def redeem(desk: httpx.Client, code: str) -> httpx.Response:
    body = {"code": code, "request_id": uuid4().hex}
    return desk.post("/api/v1/redemptions", json=body)


def enrol_by(client: httpx.Client, code: str) -> httpx.Response:
    return client.post("/api/v1/terminals", json={"code": code})


def with_ring_of_its_own(settings: Settings, directory: Path) -> Settings:
    """Settings over a fresh ring in a directory, which the test changes."""
    passphrase = directory / "own.passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(keyfiles.new_passphrase())
    opened = keyfiles.read_passphrase(passphrase)
    keyfiles.create(directory / "own-keys", opened, now=datetime.now(UTC))
    return dataclasses.replace(
        settings, keys=directory / "own-keys", keys_passphrase_file=passphrase
    )


def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of scripts/ as the operator of a service with these settings."""
    ours = ("PUNCHPROOF_", "REDIS_", "DATABASE_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={
            **kept,
            "PUNCHPROOF_VENV": "none",
            "PUNCHPROOF_DATA": str(settings.data),
            "PUNCHPROOF_ORIGIN": settings.origin,
            "PUNCHPROOF_KEYS": str(settings.keys),
            "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(settings.keys_passphrase_file),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def until_live(tools: Tools, workers: int) -> None:
    """Wait until so many web workers have reported."""
    last = time.monotonic() + PATIENCE_S
    while len(tools.workers.live()) < workers:
        assert time.monotonic() < last, "not every worker reports"
        time.sleep(0.1)


def at_each_worker(
    open_client: Callable[[], httpx.Client], service: Service, workers: int
) -> dict[int, httpx.Client]:
    """Clients whose one connection each ends in another web process.

    Args:
        open_client: makes one.
        service: on this machine.
        workers: how many processes it has.

    Returns:
        By process id.
    """
    found: dict[int, httpx.Client] = {}
    for _ in range(300):
        client = open_client()
        worker = worker_behind(client.get("/livez"), service)
        if worker in found:
            client.close()
        else:
            found[worker] = client
        if len(found) == workers:
            return found
    raise AssertionError(f"only {len(found)} of {workers} workers take connections")


def worker_behind(answer: httpx.Response, service: Service) -> int:
    """The process that gave an answer over a connection that is open yet."""
    _, port = answer.extensions["network_stream"].get_extra_info("client_addr")
    for process in psutil.Process(service.process.pid).children(recursive=True):
        for line in process.net_connections("tcp"):
            if line.raddr and line.raddr.port == port:
                return process.pid
    raise AssertionError("nobody holds that connection")


def booked(tools: Tools) -> tuple[list[str], int]:
    """The ids of all stamps in the books, and how many codes they name."""
    with tools.database.read() as tx:
        earned = select(LedgerEntry).where(LedgerEntry.kind == "EARN")
        entries = list(tx.scalars(earned))
        return (
            sorted(str(entry.entry_id) for entry in entries),
            len({entry.nonce for entry in entries}),
        )


def unissued(tools: Tools) -> list[str]:
    """The nonces of which the books say that nobody issued them, one a signal."""
    with tools.database.read() as tx:
        signals = select(Signal.evidence).where(Signal.kind == "unissued_code")
        return [evidence["nonce"] for evidence in tx.scalars(signals)]


def cries(logs: Path, code: str) -> list[str]:
    """What the services of a test wrote in their logs of an alarm, in order.

    Args:
        logs: the directory with the logs.
        code: of the alarm.

    Returns:
        ``alarm`` or ``alarm over``, one a line.
    """
    found = []
    for log in sorted(logs.glob("served-*.log")):
        for line in log.read_text().splitlines():
            with contextlib.suppress(ValueError, TypeError):
                said = json.loads(line)
                if said.get("code") == code and said["event"].startswith("alarm"):
                    found.append(said["event"])
    return found


def outcomes(answers: Iterable[httpx.Response]) -> Counter[str]:
    """Count answers: ``given``, or the code of the refusal."""
    return Counter(
        "given" if one.is_success else str(one.json()["code"]) for one in answers
    )

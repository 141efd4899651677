#!/usr/bin/env python3
"""Measure what one stamp costs each part of the service: web, books, nonce store.

Makes a shop of its own in a temporary directory, with books in SQLite and then in
PostgreSQL, serves it by Granian, and gives stamps over HTTP as a till does: the code
that a phone shows is scanned, and the answer says that the stamp is booked. Counted is
the CPU time of each server's processes, in turns: codes shown, codes scanned, and the
floor. That is a bare Flask view, served alike, which does what cannot be left out: one
signature checked, one question to Redis, one row committed.

    python scripts/bench/stamp.py
    python scripts/bench/stamp.py --books postgresql --stamps 500 --rounds 5 --json

CPU time is counted, not the clock on the wall: other programs do not change it much.
The client's is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from scripts.parts import environment

    environment.enter(environment.DEVELOPMENT)

import psutil  # type: ignore[import-untyped]
import psycopg
import redis
from flask import Flask, request
from sqlalchemy.engine import make_url

from app.programme import founding, limits, members, staff, stamping
from app.programme.founding import Charter
from app.programme.sessions import TerminalCaller, who
from scripts.parts import (
    children,
    postgres_server,
    preparing,
    redis_groups,
    redis_server,
)
from signing import codes, keyfiles

if TYPE_CHECKING:
    from app.tools import Tools

BOOKS = ("sqlite", "postgresql")
_HOST = "127.0.0.1"
_PATIENCE_S = 60.0
_THREADS = 8


@dataclass(frozen=True, slots=True)
class House:
    """Servers at work, and the processes of each."""

    tools: Tools
    ports: Mapping[str, int]
    #: Of each part the process that its others come from.
    parts: Mapping[str, psutil.Process]

    def cpu(self, served: str) -> dict[str, float]:
        """Seconds of CPU so far of the web server in question and of the stores."""
        found = {"web": _family(self.parts[served])}
        for name in ("books", "nonces"):
            if name in self.parts:
                found[name] = _family(self.parts[name])
        return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--books", choices=BOOKS, action="append", help="both if left")
    parser.add_argument("--stamps", type=int, default=300, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    options = parser.parse_args(argv)
    found = {}
    for books in options.books or BOOKS:
        with (
            tempfile.TemporaryDirectory(prefix="punchproof-bench-") as folder,
            _house(Path(folder), books) as house,
            contextlib.closing(Till(house)) as till,
        ):
            found[books] = _measure(house, till, options.stamps, options.rounds)
    if options.json:
        print(json.dumps(found))
        return 0
    print(f"{options.stamps} stamps a round, milliseconds of CPU for one")
    for books, figures in found.items():
        print(f"\n{books:12}" + "".join(f"{name:>10}" for name in _PARTS))
        for what in ("shown", "scanned", "stamp", "floor"):
            row = (f"{figures[what].get(part, 0):10.2f}" for part in _PARTS)
            print(f"  {what:10}" + "".join(row))
        print(f"  a stamp is {figures['times_floor']:.1f} times the floor")
    return 0


_PARTS = ("web", "books", "nonces", "all")


def _measure(house: House, till: Till, count: int, rounds: int) -> dict[str, Any]:
    """Return milliseconds of CPU for one, by what is done and by part."""
    times: dict[str, list[dict[str, float]]] = {}
    # The first round of each warms up.
    for number in range(rounds + 1):
        shown = [till.join() for _ in range(count)]
        bare = [till.code() for _ in range(count)]
        # In turns, so that what disturbs one disturbs the others as well.
        for what, served, work in (
            ("shown", "ours", lambda people=shown: till.show(people)),
            ("scanned", "ours", till.scan),
            ("floor", "floor", lambda texts=bare: till.present(texts)),
        ):
            # The server closed what nobody used for long.
            till.close()
            before = house.cpu(served)
            work()
            after = house.cpu(served)
            spent = {
                part: 1000 * (after[part] - before[part]) / count for part in after
            }
            if number:
                times.setdefault(what, []).append(spent)
    found: dict[str, Any] = {what: _median(each) for what, each in times.items()}
    found["stamp"] = {
        part: round(found["shown"].get(part, 0) + found["scanned"].get(part, 0), 2)
        for part in found["scanned"]
    }
    found["times_floor"] = round(found["stamp"]["all"] / found["floor"]["all"], 2)
    return found


def _median(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    middle = {
        part: round(statistics.median(each[part] for each in rounds), 2)
        for part in rounds[0]
    }
    return middle | {"all": round(sum(middle.values()), 2)}


def _family(process: psutil.Process) -> float:
    """Seconds of CPU of a process and of all that it started."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            spent = each.cpu_times()
            total += spent.user + spent.system
    return total


class Till:
    """One till and its customers, on one connection for each piece of work."""

    def __init__(self, house: House) -> None:
        self._tools = house.tools
        shop = founding.found(house.tools, Charter(timezone="UTC", limits=limits.NONE))
        link = staff.enrolment_code(house.tools, shop.location_id).code
        terminal = who(house.tools, staff.enrol(house.tools, link).token)
        if not isinstance(terminal, TerminalCaller):
            raise TypeError
        signed_in = staff.sign_in(house.tools, terminal, shop.staff_id, shop.pin)
        self._staff = signed_in.token
        self._ours = http.client.HTTPConnection(_HOST, house.ports["ours"], 30)
        self._bare = http.client.HTTPConnection(_HOST, house.ports["floor"], 30)
        self._shown: list[str] = []

    def close(self) -> None:
        """Let go of the connections; the next request opens another."""
        self._ours.close()
        self._bare.close()

    def join(self) -> tuple[str, str]:
        """Let somebody join; gives the card and its token. Not counted."""
        joined = members.join(self._tools)
        return str(joined.card_id), joined.token

    def code(self) -> str:
        """Make a code for the floor. Not counted."""
        card = members.join(self._tools).card_id
        return stamping.card_code(self._tools, card).code

    def show(self, people: Sequence[tuple[str, str]]) -> None:
        """Let each phone show a code."""
        self._shown = [
            self._ask(self._ours, f"/api/v1/cards/{card}/code", token)["code"]
            for card, token in people
        ]

    def scan(self) -> None:
        """Give one stamp for each code that is shown."""
        for code in self._shown:
            body = {"code": code, "stamps": 1, "request_id": uuid4().hex}
            self._ask(self._ours, "/api/v1/stamps", self._staff, body)

    def present(self, texts: Sequence[str]) -> None:
        """Do the least that a stamp can be with each code."""
        for text in texts:
            self._ask(self._bare, "/stamps", "", {"code": text})

    def _ask(
        self, door: http.client.HTTPConnection, path: str, token: str, body: Any = None
    ) -> Any:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        door.request("POST", path, json.dumps(body or {}), headers)
        answer = door.getresponse()
        text = answer.read()
        if answer.status != http.client.CREATED:
            message = f"{path} said {answer.status}: {text[:200]!r}"
            raise AssertionError(message)
        return json.loads(text)


@contextlib.contextmanager
def _house(folder: Path, books: str) -> Iterator[House]:
    """Start everything: stores, our service, and the floor beside it."""
    with contextlib.ExitStack() as stack:
        ours, floor = redis_groups.free_ports(2)
        environ = {
            "PUNCHPROOF_DATA": str(folder),
            "PUNCHPROOF_ORIGIN": f"http://localhost:{ours}",
            "PUNCHPROOF_PORT": str(ours),
        }
        # A first key is made in an empty directory only.
        preparing.open_ring(environ)
        nonces = stack.enter_context(redis_server.start(folder / "redis"))
        environ["REDIS_URL"] = nonces.url
        parts = {"nonces": psutil.Process(nonces.pid)}
        if books == "postgresql":
            # PostgreSQL's own user has to get there.
            folder.chmod(0o755)
            server = stack.enter_context(postgres_server.start(folder / "postgres"))
            environ["DATABASE_URL"] = server.url
            parts["books"] = psutil.Process(server.process.pid)
        tools = preparing.open_tools(environ)
        stack.callback(tools.close)
        for name, port, factory in (
            ("ours", ours, "app:create_app_from_environment"),
            ("floor", floor, "scripts.bench.stamp:bare"),
        ):
            parts[name] = stack.enter_context(_served(folder, environ, port, factory))
        yield House(tools, {"ours": ours, "floor": floor}, parts)


@contextlib.contextmanager
def _served(
    folder: Path, environ: Mapping[str, str], port: int, factory: str
) -> Iterator[psutil.Process]:
    """Serve an application by one process of Granian, as ``webprocess`` does."""
    words = (
        f"-m granian --interface wsgi --factory --host {_HOST} --port {port} --no-ws "
        f"--workers 1 --blocking-threads {_THREADS} --log-level warning {factory}"
    )
    log = folder / f"served-{port}.log"
    process = children.launch(
        [sys.executable, *words.split()],
        directory=Path(__file__).resolve().parents[2],
        log=log,
        end_by=signal.SIGTERM,
        environment={**os.environ, **environ},
    )
    try:
        last = time.monotonic() + _PATIENCE_S
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() > last:
                raise children.ServerError(children.tail(log))
            time.sleep(0.05)
        yield psutil.Process(process.pid)
    finally:
        children.end(process, signal.SIGTERM, patience=redis_groups.SILENCE * 20)


def _is_ready(port: int) -> bool:
    door = http.client.HTTPConnection(_HOST, port, timeout=5)
    with contextlib.closing(door), contextlib.suppress(OSError):
        door.request("GET", "/livez")
        answer = door.getresponse()
        answer.read()
        return answer.status == http.client.OK
    return False


def bare() -> Flask:
    """Make the barest service that gives a stamp truthfully."""
    service = Flask("bare", static_folder=None)
    environ = os.environ
    data = Path(environ["PUNCHPROOF_DATA"])
    passphrase = keyfiles.read_passphrase(data / "keys.passphrase")
    ring = keyfiles.load(data / "keys", passphrase)
    nonces = redis.Redis.from_url(environ["REDIS_URL"])
    write = _writer(environ.get("DATABASE_URL"), data / "bare.sqlite3")

    @service.get("/livez")
    def livez() -> str:
        return "ok"

    @service.post("/stamps")
    def stamps() -> tuple[dict[str, str], int]:
        text = request.get_json()["code"]
        code = codes.verify(text, ring, origin=environ["PUNCHPROOF_ORIGIN"])
        nonces.set(f"bare:{code.nonce.hex()}", "spent", nx=True, ex=3600)
        write(code.nonce)
        return {"stamp_id": code.nonce.hex()}, 201

    return service


def _writer(url: str | None, file: Path) -> Callable[[bytes], object]:
    """Give what commits one row, on a connection of each thread's own."""
    made, insert = (
        "CREATE TABLE IF NOT EXISTS bare (nonce VARCHAR(18) PRIMARY KEY)",
        "INSERT INTO bare VALUES ('{}')",
    )
    threads = threading.local()

    def connect() -> Any:
        if url is None:
            connection = sqlite3.connect(file, isolation_level=None)
            # As ours has it.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            return connection
        address = make_url(url).set(drivername="postgresql")
        words = address.render_as_string(hide_password=False)
        return psycopg.connect(words, autocommit=True)

    with contextlib.closing(connect()) as first:
        first.execute(made)

    def write(nonce: bytes) -> object:
        if not hasattr(threads, "connection"):
            threads.connection = connect()
        return threads.connection.execute(insert.format(nonce.hex()))

    return write


if __name__ == "__main__":
    sys.exit(main())

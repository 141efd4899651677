"""What most tests start with: real stores, a clock that the test moves, a shop."""

from __future__ import annotations

import dataclasses
import math
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from playwright.sync_api import Playwright, sync_playwright
from sqlalchemy import Table, insert, select, update

from app.programme import (
    cards,
    founding,
    limits,
    members,
    sessions,
    staff,
    stamping,
    terms,
)
from app.programme.founding import Charter, Founded
from app.programme.sessions import StaffCaller, TerminalCaller
from app.settings import Settings
from app.store.database import Database
from app.store.limits import Limits
from app.store.nonces import Nonces
from app.store.tables import Programme, ProgrammeVersion
from app.store.tables import Table as Tables
from app.store.workers import Workers
from app.tools import Tools
from scripts.parts.postgres_server import RunningPostgres
from signing import keyfiles

pytest_plugins = ["tests.servers", "tests.running"]

ORIGIN = "http://localhost:8000"


class Clock:
    """A clock that stands near the real time until the test moves it."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def forward(self, by: timedelta) -> None:
        self.offset += by


@pytest.fixture(scope="session")
def key_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ring of keys and its passphrase file beside it."""
    base = tmp_path_factory.mktemp("ring")
    passphrase = base / "keys.passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(secrets.token_hex(32))
    keyfiles.create(
        base / "keys", keyfiles.read_passphrase(passphrase), now=datetime.now(UTC)
    )
    return base


class Pages(BytecodeCache):
    """Templates as Jinja translated them: the same for each app of a run."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if known := self._known.get(bucket.key):
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def pages() -> Iterator[None]:
    """Translate each template once; each test has an app of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": Pages()})
        yield


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives browsers; a process can hold one of it, so all tests share it."""
    with sync_playwright() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SQLite books for tests to begin with, made once: migrating is slow."""
    path = tmp_path_factory.mktemp("migrated") / "books.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres_server: RunningPostgres) -> str:
    """The same on PostgreSQL; its url."""
    url = postgres_server.new_database()
    migrate(url)
    return url


def migrate(url: str) -> None:
    """Bring books to the newest schema, where a test brings its own."""
    database = Database(url)
    database.migrate()
    database.close()


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Empty, migrated books: SQLite, or what the test names by ``both_books``."""
    if request.param == "sqlite":
        path = tmp_path / "books.sqlite3"
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        return f"sqlite:///{path}"
    server: RunningPostgres = request.getfixturevalue("postgres_server")
    return server.new_database(request.getfixturevalue("migrated_database"))


def bring_forward(tools: Tools) -> None:
    """Let every announced change take effect now, as if its day had come."""
    waits = ProgrammeVersion.effective_at > tools.now()
    with tools.database.begin() as tx:
        tx.execute(
            update(ProgrammeVersion).where(waits).values(effective_at=tools.now())
        )
    terms.take_effect(tools)


#: Runs a test on SQLite and on PostgreSQL.
both_books = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql"], indirect=True
)
#: The same for what takes long: usually on the books of a shop with several machines.
both_books_at_length = pytest.mark.parametrize(
    "database_url",
    [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"],
    indirect=True,
)


@pytest.fixture
def settings(
    tmp_path: Path, key_directory: Path, redis_url: str, database_url: str
) -> Settings:
    return Settings(
        data=tmp_path,
        host="127.0.0.1",
        port=8000,
        origin=ORIGIN,
        keys=key_directory / "keys",
        keys_passphrase_file=key_directory / "keys.passphrase",
        database_url=database_url,
        redis_url=redis_url,
    )


@pytest.fixture
def make_tools(settings: Settings, clock: Clock) -> Iterator[Callable[..., Tools]]:
    """Open tools as a process of its own would; call again for another process."""
    opened: list[Tools] = []

    def make(*, lease: timedelta = timedelta(seconds=15), **changes: object) -> Tools:
        mine = dataclasses.replace(settings, **changes)
        passphrase = partial(keyfiles.read_passphrase, mine.keys_passphrase_file)
        opened.append(
            Tools(
                settings=mine,
                keys=keyfiles.WatchedRing(mine.keys, passphrase),
                database=Database(mine.database_url),
                nonces=Nonces.open(mine.redis_url, lease=lease),
                limits=Limits.open(mine.redis_url),
                workers=Workers.open(mine.redis_url),
                now=clock,
            )
        )
        return opened[-1]

    yield make
    for tools in opened:
        tools.close()


@pytest.fixture
def tools(make_tools: Callable[..., Tools]) -> Tools:
    """Tools over empty, migrated books."""
    return make_tools()


@dataclasses.dataclass
class FirstFounding:
    """What founding a shop wrote the first time: hashing its password takes long."""

    told: Founded | None = None
    rows: dict[Table, list[dict[str, Any]]] = dataclasses.field(default_factory=dict)

    def again(self, tools: Tools, charter: Charter) -> Founded:
        """Found the shop of this charter in empty books, as it was the first time."""
        if self.told is not None:
            with tools.database.begin() as tx:
                for table, rows in self.rows.items():
                    tx.execute(insert(table), rows)
            return self.told
        self.told = founding.found(tools, charter)
        with tools.database.read() as tx:
            for table in Tables.metadata.sorted_tables:
                # Numbers that the books count by themselves are theirs to give.
                columns = [each for each in table.columns if each.name != "audit_no"]
                if rows := [dict(row._mapping) for row in tx.execute(select(*columns))]:
                    self.rows[table] = rows
        return self.told


@pytest.fixture(scope="session")
def first_founding() -> FirstFounding:
    return FirstFounding()


@pytest.fixture
def founded(tools: Tools, first_founding: FirstFounding) -> Founded:
    """A shop with one location, one programme of ten stamps, and its owner."""
    # Tests are busier than shops; those of limits set their own.
    charter = Charter(
        name="Kaffe & Brød",
        location="Nyhavn",
        timezone="Europe/Copenhagen",
        limits=limits.NONE,
    )
    return first_founding.again(tools, charter)


@pytest.fixture
def make_terminal(tools: Tools, founded: Founded) -> Callable[..., TerminalCaller]:
    """Enrol a device."""

    def make(location_id: object = None) -> TerminalCaller:
        code = staff.enrolment_code(tools, location_id or founded.location_id)
        enrolled = staff.enrol(tools, code.code)
        caller = sessions.who(tools, enrolled.token)
        assert isinstance(caller, TerminalCaller)
        return caller

    return make


@pytest.fixture
def make_staff(
    tools: Tools, founded: Founded, make_terminal: Callable[..., TerminalCaller]
) -> Callable[..., StaffCaller]:
    """Sign the owner in at a new terminal."""

    def make(**options: object) -> StaffCaller:
        # A new session without the time that a PIN takes.
        whose = {"terminal_id": make_terminal(**options).terminal_id}
        with tools.database.begin() as tx:
            token = sessions.grant(
                tx, tools, "staff", **whose, staff_id=founded.staff_id
            )
        caller = sessions.who(tools, token)
        assert isinstance(caller, StaffCaller)
        return caller

    return make


@pytest.fixture
def barista(make_staff: Callable[..., StaffCaller]) -> StaffCaller:
    """Somebody at a till."""
    return make_staff()


@pytest.fixture
def make_card(tools: Tools, founded: Founded) -> Callable[..., cards.CardState]:
    """Let somebody join, with stamps on the card if asked."""

    def make(name: str | None = "Anna") -> cards.CardState:
        return cards.card(tools, members.join(tools, name=name).card_id)

    return make


@pytest.fixture
def give(tools: Tools, barista: StaffCaller) -> Callable[..., cards.CardState]:
    """Give stamps to a card by scanning its phone."""

    def to(card: cards.CardState, stamps: int) -> cards.CardState:
        while stamps > 0:
            now = min(stamps, stamping.MOST_STAMPS)
            code = stamping.card_code(tools, card.card_id).code
            stamping.stamp(
                tools, code, stamps=now, request_id=uuid4().hex, staff=barista
            )
            stamps -= now
        return cards.card(tools, card.card_id)

    return to


@pytest.fixture
def good_for(tools: Tools) -> Callable[[int | None], None]:
    """Let the vouchers from now on be good for some days; None: they have no end."""

    def promise(days: int | None) -> None:
        with tools.database.begin() as tx:
            tx.execute(update(Programme).values(voucher_days=days))

    return promise


@pytest.fixture
def counts(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Report what a test threw at the rule and what came of it, at the run's end."""

    def report(**figures: int) -> None:
        told = ", ".join(f"{name} {figure}" for name, figure in figures.items())
        record_property("counts", told)

    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that need no browser between those that do, in even shares.

    Two browsers at once take each other's processor, and then both are slow; side by
    side with other tests they are not.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    windows = [file for file in files.values() if file[0].get_closest_marker("browser")]
    others = [file for file in files.values() if file not in windows]
    share = math.ceil(len(others) / (len(windows) or 1))
    dealt = []
    for number, window in enumerate(windows):
        dealt += [window, *others[number * share : (number + 1) * share]]
    items[:] = [item for file in dealt or others for item in file]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say at once what failed: who ends a run from outside sees no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        said = report.longreprtext.splitlines()
        why = [line for line in said if line.startswith("E ")][:8] or said[-3:]
        print("", report.nodeid, report.when, *why, sep="\n", file=sys.__stderr__)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        (report.nodeid.rpartition("::")[2], told)
        for report in terminalreporter.getreports("passed")
        for name, told in report.user_properties
        if name == "counts"
    ]
    if rows:
        terminalreporter.section("counts")
        for test, told in rows:
            terminalreporter.write_line(f"{test}: {told}")

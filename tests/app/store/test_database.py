"""The books' one door: what a transaction promises, and how a fault is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, event, func, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from app.store.database import Database
from app.store.errors import DatabaseDown
from app.store.tables import Location, Shop
from tests.conftest import both_books

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NAMED = select(Location.name, Location.created_at).where(
    Location.name == bindparam("name")
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


def add(database: Database, name: str, at: datetime = NOON) -> None:
    with database.begin() as tx:
        tx.add(Location(name=name, created_at=at))


def names(database: Database) -> set[str]:
    with database.read() as tx:
        return set(tx.scalars(select(Location.name)))


@both_books
def test_what_is_begun_is_written_when_its_block_ends(database):
    add(database, "Nyhavn")

    assert names(database) == {"Nyhavn"}


@both_books
def test_a_block_that_fails_writes_nothing(database):
    def fail() -> None:
        with database.begin() as tx:
            tx.add(Location(name="Nyhavn", created_at=NOON))
            tx.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert names(database) == set()


@both_books
def test_reading_never_writes(database):
    with database.read() as tx:
        tx.add(Location(name="Nyhavn", created_at=NOON))
        tx.flush()

    assert names(database) == set()


@both_books
def test_one_question_sees_what_is_committed_and_holds_nothing_open(database):
    add(database, "Nyhavn")
    asked = {"name": "Harbour"}

    with database.begin() as tx:
        tx.add(Location(name="Harbour", created_at=NOON))
        tx.flush()
        # in another connection: not committed yet, and nobody waits
        assert database.first(NAMED, asked) is None

    # asked again on the same connection: no old state is held
    assert database.first(NAMED, asked) == ("Harbour", NOON)
    add(database, "Torvet")
    assert names(database) == {"Nyhavn", "Harbour", "Torvet"}


@both_books
def test_after_one_question_the_connection_writes_whole_transactions(database):
    """What was set for the question must not stay on it."""
    database.first(NAMED, {"name": "Nyhavn"})

    def fail() -> None:
        with database.begin() as tx:
            tx.add(Location(name="Nyhavn", created_at=NOON))
            tx.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert names(database) == set()


@both_books
def test_a_broken_constraint_is_an_answer(database):
    add(database, "Nyhavn")

    with pytest.raises(IntegrityError):
        add(database, "Nyhavn")

    add(database, "Harbour")
    assert names(database) == {"Nyhavn", "Harbour"}


@both_books
def test_a_foreign_key_must_lead_somewhere(database):
    statement = text(
        "INSERT INTO terminal (terminal_id, location_id, name, nonce, proof, "
        "enrolled_at) VALUES (:id, :id, 'Till', :nonce, :nonce, :at)"
    )
    values = {"id": uuid4(), "nonce": b"1", "at": NOON}
    if database.is_sqlite:
        values |= {"id": uuid4().hex, "at": NOON.isoformat()}

    with pytest.raises(IntegrityError):
        run(database, statement, values)


def run(database: Database, statement: Any, values: dict[str, Any]) -> None:
    with database.begin() as tx:
        tx.execute(statement, values)


@both_books
def test_moments_come_back_as_utc(database):
    far = timezone(timedelta(hours=-9, minutes=-30))
    at = datetime(2026, 11, 22, 2, 30, 15, 123456, tzinfo=far)
    add(database, "Nyhavn", at)

    with database.read() as tx:
        found = tx.scalars(select(Location.created_at)).one()

    assert found == at
    assert found.tzinfo is UTC
    assert found.hour == 12


@both_books
def test_a_naive_moment_is_refused(database):
    with pytest.raises(StatementError, match="a moment without a zone"):
        add(database, "Nyhavn", datetime(2026, 11, 22, 12, 0))  # noqa: DTZ001 -- as told

    assert names(database) == set()


@both_books
def test_moments_are_compared_as_moments(database):
    east = timezone(timedelta(hours=9))
    add(database, "later", datetime(2026, 11, 22, 22, 0, tzinfo=east))
    add(database, "earlier", NOON)

    with database.read() as tx:
        order = list(tx.scalars(select(Location.name).order_by(Location.created_at)))
        after = list(
            tx.scalars(select(Location.name).where(Location.created_at > NOON))
        )

    assert order == ["earlier", "later"]
    assert after == ["later"]


@pytest.fixture
def said(database: Database) -> Iterator[list[str]]:
    """Every statement that goes to the books."""
    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(database._engine, "before_cursor_execute", note)
    yield statements
    event.remove(database._engine, "before_cursor_execute", note)


def test_sqlite_writers_queue_at_the_start(database, said):
    add(database, "Nyhavn")
    assert said[0] == "BEGIN IMMEDIATE"

    said.clear()
    names(database)
    assert said[0] == "BEGIN"

    said.clear()
    database.first(NAMED, {"name": "Nyhavn"})
    assert [statement.split()[0] for statement in said] == ["SELECT"]


def test_sqlite_is_set_up_on_every_connection(database):
    def pragmas(tx: Any) -> dict[str, Any]:
        wanted = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return {name: tx.scalar(text(f"PRAGMA {name}")) for name in wanted}

    with database.begin() as one, database.read() as other:
        seen = [pragmas(one), pragmas(other)]

    # synchronous: 2 is FULL
    assert (
        seen
        == [
            {
                "journal_mode": "wal",
                "synchronous": 2,
                "foreign_keys": 1,
                "busy_timeout": 10_000,
            }
        ]
        * 2
    )


def test_sqlite_readers_do_not_wait_for_a_writer(database):
    add(database, "Nyhavn")

    with database.begin() as tx:
        tx.add(Location(name="Harbour", created_at=NOON))
        tx.flush()
        # in another connection, while the writer holds its lock
        assert names(database) == {"Nyhavn"}

    assert names(database) == {"Nyhavn", "Harbour"}


@both_books
def test_many_writers_at_once_all_get_their_turn(database):
    """Each reads a number and writes it back, one more: none may be lost."""
    with database.begin() as tx:
        tx.add(
            Shop(name="0", colour="#000000", timezone="UTC", founded_at=NOON),
        )

    def count() -> None:
        for _ in range(5):
            with database.begin() as tx:
                row = tx.get_one(Shop, 1, with_for_update=True)
                row.name = str(int(row.name) + 1)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.read() as tx:
        assert tx.get_one(Shop, 1).name == "40"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/books.sqlite3",
        "postgresql+psycopg://nobody@127.0.0.1:1/books",
        "postgresql+psycopg://nobody@/books?host=/nowhere",
    ],
)
def test_books_that_cannot_be_reached_are_down(url):
    away = Database(url)

    for use in (away.begin, away.read):
        with pytest.raises(DatabaseDown), use() as tx:
            tx.scalar(select(func.count()).select_from(Location))
    with pytest.raises(DatabaseDown):
        away.first(NAMED, {"name": "Nyhavn"})
    with pytest.raises(DatabaseDown):
        away.migrate()
    assert away.problems() == ["the database gives no answer"]
    away.close()


def test_books_that_are_no_books_are_down(tmp_path: Path):
    (tmp_path / "books.sqlite3").write_bytes(b"this was never a database" * 100)
    broken = Database(f"sqlite:///{tmp_path}/books.sqlite3")

    with pytest.raises(DatabaseDown):
        names(broken)

    assert broken.problems() == ["the database gives no answer"]
    broken.close()


def test_books_that_are_locked_for_too_long_are_down(database, tmp_path: Path):
    hurried = Database(f"sqlite:///{tmp_path / 'books.sqlite3'}")
    event.listen(
        hurried._engine,
        "connect",
        lambda connection, _: connection.execute("PRAGMA busy_timeout=50"),
    )

    with database.begin() as tx:
        tx.add(Location(name="Nyhavn", created_at=NOON))
        tx.flush()
        with pytest.raises(DatabaseDown):
            add(hurried, "Harbour")

    assert names(hurried) == {"Nyhavn"}
    hurried.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_goes_away_in_between_is_down_and_comes_back(database):
    add(database, "Nyhavn")
    end_all_others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def lose() -> None:
        with database.begin() as tx:
            tx.add(Location(name="Harbour", created_at=NOON))
            tx.flush()
            with database._engine.connect() as other:
                other.execute(end_all_others)

    with pytest.raises(DatabaseDown):
        lose()

    # nothing was written, and the next one is served
    assert names(database) == {"Nyhavn"}
    add(database, "Harbour")


@both_books
def test_what_is_in_a_row_is_in_no_error(database):
    add(database, "the secret place")

    with pytest.raises(IntegrityError) as fault:
        add(database, "the secret place")

    # PostgreSQL's own words may name the row; ours must not add any
    assert "hide_parameters" in str(fault.value)
    assert "[parameters: (" not in str(fault.value)

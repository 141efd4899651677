"""The audit log is one chain, and whoever changes it by hand is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

import app.store
from app.programme import audit
from app.programme.founding import Founded
from app.tools import Tools
from tests.conftest import both_books

THREADS, EACH = 16, 5


def write(tools: Tools, *names: str) -> None:
    for name in names:
        with tools.database.begin() as tx:
            audit.record(tx, tools, "test.made", name, by=None, name=f"{name} ☕")


@pytest.fixture
def log(tools: Tools) -> Tools:
    """A log of five rows."""
    write(tools, "a", "b", "c", "d", "e")
    return tools


@pytest.fixture
def by_hand(log: Tools, database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def codes_of(chain: audit.Chain) -> list[tuple[str, str]]:
    return [(finding.code, finding.subject) for finding in chain.findings]


def test_an_empty_log_is_a_chain(tools: Tools):
    assert audit.chain(tools) == audit.Chain(0, audit.START, (), frozenset())


@both_books
def test_rows_are_chained(tools: Tools, founded: Founded):
    with tools.database.begin() as tx:
        # Several in one transaction, with all that a row may hold.
        audit.record(tx, tools, "test.one", 1, by=founded.staff_id, a=[1, 2.5, None])
        audit.record(tx, tools, "test.two", "", by=None, b={"ü": True, "a": {"1": ""}})

    chain = audit.chain(tools)

    assert (chain.count, chain.findings) == (3, ())
    assert chain.head != audit.START


@both_books
def test_the_chain_of_many_who_write_at_once_is_one(
    tools: Tools, counts: Callable[..., None]
):
    start = Barrier(THREADS)

    def writer(thread: int) -> None:
        start.wait()
        write(tools, *(f"{thread}/{number}" for number in range(EACH)))

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(writer, thread) for thread in range(THREADS)]:
            done.result()
    chain = audit.chain(tools)

    assert (chain.count, chain.findings) == (THREADS * EACH, ())
    counts(threads=THREADS, rows=chain.count, forks=0, refused=0)


@both_books
def test_a_transaction_that_writes_nothing_leaves_no_gap(log: Tools):
    class ChangedMindError(Exception):
        pass

    def change_my_mind() -> None:
        with log.database.begin() as tx:
            audit.record(tx, log, "test.made", "x", by=None)
            raise ChangedMindError

    with pytest.raises(ChangedMindError):
        change_my_mind()
    write(log, "f")

    assert (audit.chain(log).count, audit.chain(log).findings) == (6, ())


@both_books
@pytest.mark.parametrize(
    ("statement", "codes"),
    [
        ("SET action = 'test.other' WHERE audit_no = 3", [("audit_edited", "3")]),
        ("SET subject = 'x' WHERE audit_no = 5", [("audit_edited", "5")]),
        ("SET detail = '{}' WHERE audit_no = 1", [("audit_edited", "1")]),
        (
            "SET at = '2026-01-01 00:00:00.000000' WHERE audit_no = 2",
            [("audit_edited", "2")],
        ),
        (
            "SET entry_hash = previous_hash WHERE audit_no = 3",
            [("audit_edited", "3"), ("audit_link", "4")],
        ),
    ],
)
def test_a_changed_row_is_found(log, by_hand, statement, codes):
    by_hand.execute(text(f"UPDATE audit_entry {statement}"))
    by_hand.commit()

    assert codes_of(audit.chain(log)) == codes


@both_books
@pytest.mark.parametrize("number", [1, 3])
def test_a_removed_row_is_found(log, by_hand, number):
    by_hand.execute(
        text("DELETE FROM audit_entry WHERE audit_no = :number"), {"number": number}
    )
    by_hand.commit()

    assert codes_of(audit.chain(log)) == [("audit_link", str(number + 1))]


@both_books
def test_two_rows_that_changed_places_are_found(log, by_hand):
    for old, new in ((2, 99), (3, 2), (99, 3)):
        by_hand.execute(
            text("UPDATE audit_entry SET audit_no = :new WHERE audit_no = :old"),
            {"old": old, "new": new},
        )
    by_hand.commit()

    assert {code for code, _ in codes_of(audit.chain(log))} == {"audit_link"}


@both_books
def test_rows_cut_off_at_the_end_are_found_by_an_anchor_alone(log, by_hand):
    head = audit.chain(log).head
    assert audit.chain(log, ask=frozenset({head})).findings == ()
    write(log, "f")
    assert audit.chain(log, ask=frozenset({head})).findings == ()

    by_hand.execute(text("DELETE FROM audit_entry WHERE audit_no >= 5"))
    by_hand.commit()

    assert audit.chain(log).findings == ()
    found = audit.chain(log, ask=frozenset({head}))
    assert codes_of(found) == [("audit_anchor", head.hex())]


@both_books
def test_rows_of_before_the_chain_are_chained(log, by_hand):
    head = audit.chain(log).head
    scripts = Config()
    migrations = Path(app.store.__file__).parent / "migrations"
    scripts.set_main_option("script_location", str(migrations))
    scripts.attributes["connection"] = by_hand
    command.downgrade(scripts, "0001")
    by_hand.commit()

    log.database.migrate()

    chain = audit.chain(log)
    assert (chain.count, chain.head, chain.findings) == (5, head, ())
    write(log, "f")
    assert audit.chain(log).findings == ()

"""Migrations: from nothing to what the models say, back, and by two at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

import app.store
from app.programme import cards, founding, ledger, members, proofs, rewards, stamping
from app.store.database import Database
from app.store.tables import LedgerEntry, Programme, Table
from app.tools import Tools
from signing import receipts
from tests.conftest import both_books

pytestmark = both_books

ROOT = Path(app.store.__file__).parents[2]
MIGRATIONS = ROOT / "app" / "store" / "migrations"
SCRIPTS = ScriptDirectory(str(MIGRATIONS))
HEAD = SCRIPTS.get_current_head()


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Books that nothing was ever done to."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'books.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def tools(make_tools: Callable[..., Tools]) -> Tools:
    made = make_tools()
    made.database.migrate()
    return made


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def config(connection: Connection) -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["connection"] = connection
    return made


def revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def difference(connection: Connection) -> list[Any]:
    """What is in the books and not in the models, or the other way round."""
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return compare_metadata(context, Table.metadata)


def test_from_nothing_to_what_the_models_say(database, connection):
    database.migrate()

    assert revision(connection) == HEAD
    assert tables(connection) == set(Table.metadata.tables)
    assert difference(connection) == []


def test_the_constraints_that_hold_once_are_there_by_name(database, connection):
    """``compare_metadata`` looks at names of unique constraints only in part."""
    database.migrate()

    found = {
        (table, tuple(rule["column_names"]), rule["name"])
        for table in tables(connection)
        for rule in inspect(connection).get_unique_constraints(table)
    }

    assert {
        ("ledger_entry", ("nonce",), "uq_ledger_entry_nonce"),
        ("ledger_entry", ("request_id",), "uq_ledger_entry_request_id"),
        ("ledger_entry", ("reverses_id",), "uq_ledger_entry_reverses_id"),
        ("terminal", ("nonce",), "uq_terminal_nonce"),
        ("card", ("member_id", "programme_id"), "uq_card_member_id_programme_id"),
    } <= found


def test_the_checks_of_the_models_are_there_by_name(database, connection):
    database.migrate()

    for name, table in Table.metadata.tables.items():
        wanted = {
            str(rule.name)
            for rule in table.constraints
            if type(rule).__name__ == "CheckConstraint"
        }
        found = {
            rule["name"] for rule in inspect(connection).get_check_constraints(name)
        }
        assert wanted <= found, name


def test_migrating_again_changes_nothing(tools: Tools):
    founding.found(tools)
    joined = members.join(tools, name="Anna")

    tools.database.migrate()

    assert members.member(tools, joined.member_id).name == "Anna"


def test_each_step_goes_down_and_up_again(connection):
    for step in reversed(list(SCRIPTS.walk_revisions())):
        command.upgrade(config(connection), step.revision)
        command.downgrade(config(connection), step.down_revision or "base")
        command.upgrade(config(connection), step.revision)
        assert revision(connection) == step.revision


def test_entries_older_than_receipts_are_kept_and_told_of(
    tools: Tools, give, make_card, barista, connection
):
    """Up from 0002 and down to it, with an entry that names another."""
    card = give(make_card(), 10)
    with tools.database.read() as tx:
        given = tx.scalars(select(LedgerEntry).order_by(LedgerEntry.entry_no)).all()
    stamping.reverse_stamp(tools, given[0].entry_id, staff=barista, reason="Wrong")
    count = len(given) + 2
    assert (proofs.prove(tools).entries, proofs.prove(tools).findings) == (count, ())

    command.downgrade(config(connection), "0002")
    connection.commit()
    names = {row["name"] for row in inspect(connection).get_columns("ledger_entry")}
    assert "receipt" not in names
    connection.rollback()
    tools.database.migrate()

    assert difference(connection) == []
    findings = proofs.prove(tools).findings
    assert {one.code for one in findings} == {"receipt_missing"}
    assert len(findings) == count
    # and what is written from now on has one
    give(card, 1)
    assert len(proofs.prove(tools).findings) == count


def test_vouchers_older_than_ends_have_none(
    tools: Tools, give, make_card, barista, connection
):
    card = give(make_card(), 10)
    # Entries of then named no cause, so the receipt of one of today covers too much.
    with tools.database.begin() as tx:
        for entry in tx.scalars(select(LedgerEntry)):
            entry.caused_by_id = None
            entry.receipt = receipts.sign(
                ledger.told(entry), tools.keys.ring, origin=tools.settings.origin
            )
    command.downgrade(config(connection), "0007")
    connection.commit()
    names = {row["name"] for row in inspect(connection).get_columns("voucher")}
    assert "expires_at" not in names
    connection.rollback()

    tools.database.migrate()

    voucher = cards.card(tools, card.card_id).vouchers[0]
    assert (voucher.state, voucher.expires_at) == ("issued", None)
    assert cards.card(tools, card.card_id).programme.voucher_days is None
    code = rewards.voucher_code(tools, voucher.voucher_id, card.member_id).code
    rewards.redeem(tools, code, request_id="old", staff=barista)
    assert proofs.prove(tools).findings == ()


@pytest.mark.parametrize("days", [0, 3651])
def test_the_books_take_no_days_that_make_no_sense(tools: Tools, founded, days):
    statement = update(Programme).values(voucher_days=days)

    with pytest.raises(IntegrityError), tools.database.begin() as tx:
        tx.execute(statement)


def test_down_to_nothing_and_up_again(database, connection):
    database.migrate()

    command.downgrade(config(connection), "base")
    connection.commit()
    assert tables(connection) == set()
    connection.rollback()

    database.migrate()
    assert difference(connection) == []


def test_each_step_has_one_that_it_stands_on(database_url):
    """Two heads would mean that two people numbered a step alike."""
    steps = list(SCRIPTS.walk_revisions())

    assert len(SCRIPTS.get_heads()) == 1
    assert len(SCRIPTS.get_bases()) == 1
    assert [step.revision for step in reversed(steps)] == [
        f"{number:04}" for number in range(1, len(steps) + 1)
    ]
    assert all(step.doc for step in steps)


def test_books_that_are_behind_are_not_ready(database, connection):
    assert database.problems() == [f"the database is at revision None, not {HEAD}"]

    database.migrate()
    assert database.problems() == []

    connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    connection.commit()
    assert database.problems() == [f"the database is at revision 0000, not {HEAD}"]


MIGRATE = """
import sys
from app.store.database import Database

database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
database.migrate()
database.close()
"""


def test_two_processes_that_start_at_once_migrate_once(database_url, connection):
    # given two processes that wait for the word
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, database_url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in starting:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    # when both get it
    ended = []
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in starting:
        _, errors = process.communicate(timeout=60)
        ended.append((process.returncode, errors))

    # then both are content with what one of them made
    assert ended == [(0, ""), (0, "")]
    assert revision(connection) == HEAD
    assert difference(connection) == []


def test_an_operator_may_migrate_by_hand(
    database_url, connection, monkeypatch: pytest.MonkeyPatch
):
    """``alembic upgrade head``, over ``DATABASE_URL``."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    by_hand = Config()
    by_hand.set_main_option("script_location", str(MIGRATIONS))

    command.upgrade(by_hand, "head")

    assert revision(connection) == HEAD
    assert difference(connection) == []

"""The books: one engine, and the only commit in the house.

``begin`` opens a transaction that writes and commits once, when its block ends;
``read`` opens one that never writes. Every fault of the server (gone, locked,
disk full) becomes ``DatabaseDown``, which callers answer with "try again": a
transaction that did not commit wrote nothing.

SQLite: WAL so that readers never wait, ``synchronous=FULL`` so that a stamp told
to a customer survives a power cut, and ``BEGIN IMMEDIATE`` so that two writers
queue at the start instead of dying at the end. PostgreSQL: read committed, which
is enough since we write first and ask after.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVarTuple

from sqlalchemy import (
    Connection,
    CursorResult,
    Delete,
    Engine,
    Row,
    Select,
    Update,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from app.store.errors import DatabaseDown

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: a command that is to stop a thief starts
# sooner without it.

#: An open transaction.
Tx = Session
_Columns = TypeVarTuple("_Columns")

MIGRATIONS = Path(__file__).parent / "migrations"
#: What ``problems`` says of books that are away.
NO_ANSWER = "the database gives no answer"
#: How long a SQLite writer queues for its turn, in milliseconds.
_BUSY_MS = 10_000
#: Connections a process may hold; a thread that finds none waits this long, in s.
_POOL, _POOL_WAIT_S = 32, 10
_AUTOCOMMIT: Mapping[str, Any] = {"isolation_level": "AUTOCOMMIT"}
#: How often another process may be a step ahead while the schema is made.
_MIGRATE_TRIES = 5


class Database:
    """The books of one installation, shared by the threads of a process."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _engine_for(url, is_sqlite=self.is_sqlite)
        self._write = sessionmaker(self._engine, expire_on_commit=False)
        self._read = sessionmaker(
            self._engine.execution_options(reads_only=True), expire_on_commit=False
        )
        # One statement sees one state by itself: no BEGIN before it, no end after.
        options = {"single": True} if self.is_sqlite else _AUTOCOMMIT
        self._single = self._engine.execution_options(**options)
        self._migrating = threading.Lock()

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Open a transaction that commits when the block ends, or writes nothing.

        Raises:
            DatabaseDown: the books gave no answer; nothing was written.
        """
        with _faults_told(), self._write() as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a transaction that sees one state of the books and never writes.

        Raises:
            DatabaseDown: the books gave no answer.
        """
        with _faults_told(), self._read() as session:
            yield session

    def first(
        self, question: Select[*_Columns], values: Mapping[str, Any]
    ) -> Row[*_Columns] | None:
        """Ask one question that stands by itself; cheaper than ``read``.

        Args:
            question: of columns; put together once, so that its text is kept.
            values: of its parameters.

        Returns:
            The first row, None if there is none.

        Raises:
            DatabaseDown: the books gave no answer.
        """
        with _faults_told(), self._single.connect() as connection:
            return connection.execute(question, values).first()

    def migrate(self) -> None:
        """Bring the schema to the newest revision; waits for another who does so.

        Raises:
            DatabaseDown: the books gave no answer.
        """
        # On SQLite each step is a transaction by itself: who reads the revision between
        # two steps of another process meets what that one made, and looks again.
        for tries_left in reversed(range(_MIGRATE_TRIES if self.is_sqlite else 1)):
            try:
                self._upgrade()
            except DatabaseDown:
                if not tries_left:
                    raise
            else:
                return

    def _upgrade(self) -> None:
        from alembic import command  # noqa: PLC0415

        with self._migrating, _faults_told(), self._engine.connect() as connection:
            if not self.is_sqlite:
                # Two machines that start at once must not both create tables.
                connection.execute(text("SELECT pg_advisory_lock(7468)"))
            try:
                command.upgrade(_alembic(connection), "head")
                connection.commit()
            finally:
                if not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_unlock(7468)"))
                    connection.commit()

    def problems(self) -> list[str]:
        """What is wrong with the books, in sentences; empty when all is well."""
        from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        try:
            with _faults_told(), self._engine.connect() as connection:
                current = MigrationContext.configure(connection).get_current_revision()
        except DatabaseDown:
            return [NO_ANSWER]
        newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        if current != newest:
            return [f"the database is at revision {current}, not {newest}"]
        return []

    def table_names(self) -> list[str]:
        """List the tables that are there; none in new books.

        Raises:
            DatabaseDown: the books gave no answer.
        """
        with _faults_told():
            return inspect(self._engine).get_table_names()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


@contextmanager
def attempt(tx: Tx) -> Iterator[None]:
    """Write something that a constraint may refuse, and keep the rest if it does.

    Raises:
        IntegrityError: it was refused; nothing within was written, and the caller's
            transaction goes on.
    """
    with tx.begin_nested():
        yield


def upgrade(tx: Tx) -> None:
    """Bring the schema to the newest revision, in the caller's transaction.

    On PostgreSQL alone: SQLite rebuilds tables outside of one.
    """
    from alembic import command  # noqa: PLC0415

    command.upgrade(_alembic(tx.connection()), "head")


def take_turn(tx: Tx) -> None:
    """Wait until no other transaction is between its own call of this and its end.

    For what must follow the row before it, such as a chain. SQLite has one writer
    anyway. Call it last: whoever waits here holds what it has locked.

    Args:
        tx: the caller's transaction; it keeps its turn until it ends.
    """
    if tx.get_bind().dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(7469)"))


def same_state(tx: Tx) -> None:
    """Let a transaction that only reads see one state in all its questions.

    SQLite does so anyway; on PostgreSQL it must be the first thing asked for.
    """
    if tx.get_bind().dialect.name == "postgresql":
        tx.connection(execution_options={"isolation_level": "REPEATABLE READ"})


@contextmanager
def _faults_told() -> Iterator[None]:
    """Turn the server's faults into ours; a broken constraint is an answer."""
    try:
        yield
    except (IntegrityError, ProgrammingError):
        raise
    except (DBAPIError, PoolTimeoutError) as error:
        raise DatabaseDown from error


def _engine_for(url: str, *, is_sqlite: bool) -> Engine:
    # What is in a row belongs in no log.
    pool: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": _POOL,
        "pool_timeout": _POOL_WAIT_S,
    }
    if is_sqlite:
        engine = create_engine(
            url,
            **pool,
            max_overflow=_POOL,
            connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        **pool,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 3},
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # We say BEGIN ourselves: the driver's own would come too late, and plain.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; of two processes that open new books at once, one must wait.

    SQLite does not wait by itself here, whatever ``busy_timeout`` says.
    """
    last = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > last:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("single"):
        return
    reads_only = options.get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _alembic(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def changed(tx: Tx, statement: Update | Delete) -> int:
    """Do it in the caller's transaction, and tell how many rows it met.

    What may happen once is a conditional update: of any number at once, one is told 1.
    """
    done = tx.execute(statement, execution_options={"synchronize_session": False})
    return done.rowcount if isinstance(done, CursorResult) else 0

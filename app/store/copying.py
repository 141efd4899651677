"""Copies of the books: taken beside a running server, put back where nothing is.

A copy is one state of the books, whole. SQLite makes it by ``VACUUM INTO``: a plain
copy of the file would lack what is in the file with ``-wal`` at its end. PostgreSQL
makes it with its own programs, which ``scripts.backup`` runs: here they get the name of
a snapshot that they and our own questions see alike.

Books put back into PostgreSQL have no revision until ``upgrade`` gives them one, in the
transaction of all else that a restore has to do. A server that finds tables without a
revision does not start, so that none serves books that were put back by half.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import func, inspect, select, text

from app.store.database import MIGRATIONS, Database, Tx, same_state, upgrade
from app.store.errors import DatabaseDown
from app.store.tables import Table

#: Where Alembic keeps the revision.
REVISIONS: Final = "alembic_version"
_BUSY_S = 10.0


def copy_sqlite(database: Database, target: Path) -> None:
    """Write one state of SQLite books into a new file; nobody waits meanwhile.

    Args:
        database: books that are a file.
        target: must not exist; in a directory that nobody else opens.

    Raises:
        DatabaseDown: the books, or the disk, gave no answer.
    """
    source = str(database.url.database)
    try:
        with contextlib.closing(sqlite3.connect(source, timeout=_BUSY_S)) as books:
            books.execute("VACUUM INTO ?", [str(target)])
    except sqlite3.Error as error:
        raise DatabaseDown from error


def is_whole_sqlite(path: Path) -> bool:
    """Tell whether SQLite finds a file of books sound, page by page."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=_BUSY_S)) as books:
            said = books.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error:
        return False
    return bool(said == ("ok",))


def snapshot(tx: Tx) -> str:
    """Name the state that a transaction on PostgreSQL sees, for another connection.

    Args:
        tx: nothing was asked of it yet; the name is good until it ends.
    """
    same_state(tx)
    return str(tx.scalar(text("SELECT pg_export_snapshot()")))


def revision(tx: Tx) -> str:
    """Return the revision of the schema; empty if there is none."""
    return str(tx.scalar(text(f"SELECT version_num FROM {REVISIONS}")) or "")  # noqa: S608


def rows(tx: Tx) -> Mapping[str, int]:
    """Count the rows of every table of ours, by its name.

    Books of an older release lack some, and are copied too.
    """
    there = set(inspect(tx.connection()).get_table_names())
    return {
        table.name: tx.scalar(select(func.count()).select_from(table)) or 0
        for table in Table.metadata.sorted_tables
        if table.name in there
    }


def server_version(tx: Tx) -> str:
    """Return the version of what keeps the books: ``15.8``, ``3.45.1``."""
    if tx.get_bind().dialect.name == "sqlite":
        return sqlite3.sqlite_version
    return str(tx.scalar(text("SHOW server_version"))).partition(" ")[0]


def bring_up(tx: Tx, at: str) -> None:
    """Give books that were put back their revision, and bring them to the newest.

    Args:
        tx: on PostgreSQL, where a schema changes within a transaction.
        at: the revision that they had.
    """
    tx.execute(text(f"INSERT INTO {REVISIONS} VALUES (:at)"), {"at": at})  # noqa: S608
    upgrade(tx)


def is_empty(database: Database) -> bool:
    """Tell whether there are no books yet: no file, or no table.

    Raises:
        DatabaseDown: that could not be told.
    """
    if database.is_sqlite:
        # Asking SQLite would make the file.
        path = Path(str(database.url.database))
        return not any(
            path.with_name(path.name + end).exists() for end in ("", "-wal", "-journal")
        )
    return not database.table_names()


def knows(at: str) -> bool:
    """Tell whether a revision is one of ours; those of a newer release are not."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    try:
        return ScriptDirectory(str(MIGRATIONS)).get_revision(at) is not None
    except CommandError:
        return False

"""Run by Alembic, over one of two connections.

Usually the one that ``Database.migrate`` hands in; when an operator calls ``alembic``
by hand, one to ``DATABASE_URL``.
"""

from __future__ import annotations

import os
from contextlib import closing

from alembic import context
from sqlalchemy import Connection

from app.store.database import Database
from app.store.tables import Table


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_connection = context.config.attributes.get("connection")
if _connection is not None:
    _run(_connection)
else:
    with (
        closing(Database(os.environ["DATABASE_URL"])) as _database,
        _database._engine.connect() as _own,
    ):
        _run(_own)
        _own.commit()

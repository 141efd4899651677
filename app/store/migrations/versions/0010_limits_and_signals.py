"""Limits of a programme, pauses, own cards, opening hours, and signals one can judge.

Every column may be null or has a default, so older code does not mind; it holds no
limit and no pause, so change every machine before relying on them. Programmes that are
there get the safe limits. Columns are added in place. Three indexes of the ledger are
made, of givings alone: about a second for a million entries, in which PostgreSQL takes
no stamps.

Columns with a check or a reference by hand, since Alembic knows no way to add one on
SQLite.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0010"
down_revision = "0009"

_LIMITS = (
    ("most_per_card", 20),
    ("most_per_staff_member", 400),
    ("most_per_terminal", 400),
    ("most_per_location", 2000),
)
_REFERENCES = (
    ("member", "staff_id", "staff_member"),
    ("signal", "location_id", "location"),
    ("signal", "entry_id", "ledger_entry"),
    ("signal", "judged_by", "staff_member"),
)
_GIVES = sa.text("units > 0")


def upgrade() -> None:
    op.execute(
        "ALTER TABLE programme ADD COLUMN most_per_scan INTEGER DEFAULT '5' NOT NULL "
        "CONSTRAINT ck_programme_most_per_scan CHECK (most_per_scan BETWEEN 1 AND 5)"
    )
    for name, most in _LIMITS:
        op.execute(
            f"ALTER TABLE programme ADD COLUMN {name} INTEGER DEFAULT '{most}' "
            f"CONSTRAINT ck_programme_{name} CHECK ({name} > 0)"
        )
    op.add_column("location", sa.Column("hours", sa.JSON(), nullable=True))
    op.add_column("card", sa.Column("paused_at", Moment(timezone=True), nullable=True))
    op.add_column("member", sa.Column("joined_from", sa.String(32), nullable=True))
    op.add_column("signal", sa.Column("once", sa.String(120), nullable=True))
    op.add_column(
        "signal", sa.Column("judged_at", Moment(timezone=True), nullable=True)
    )
    op.add_column("signal", sa.Column("note", sa.String(500), nullable=True))
    uuid = sa.Uuid().compile(dialect=op.get_bind().dialect)
    for table, column, to in _REFERENCES:
        key = {"location": "location_id", "ledger_entry": "entry_id"}.get(
            to, "staff_id"
        )
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} {uuid} "
            f"CONSTRAINT fk_{table}_{column} REFERENCES {to} ({key})"
        )
    op.create_index(op.f("ix_member_staff_id"), "member", ["staff_id"])
    op.create_index("uq_signal_once", "signal", ["once"], unique=True)
    op.create_index("ix_signal_state_at", "signal", ["state", "at"])
    for whose in ("staff", "terminal", "location"):
        op.create_index(
            f"ix_ledger_entry_given_{whose}",
            "ledger_entry",
            [f"{whose}_id", "at", "units"],
            sqlite_where=_GIVES,
            postgresql_where=_GIVES,
        )
    op.create_table(
        "watched",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("until", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watched")),
    )


def downgrade() -> None:
    op.drop_table("watched")
    for whose in ("staff", "terminal", "location"):
        op.drop_index(f"ix_ledger_entry_given_{whose}", "ledger_entry")
    op.drop_index("ix_signal_state_at", "signal")
    op.drop_index("uq_signal_once", "signal")
    op.drop_index(op.f("ix_member_staff_id"), "member")
    for table, column, _ in reversed(_REFERENCES):
        op.drop_column(table, column)
    for name in ("note", "judged_at", "once"):
        op.drop_column("signal", name)
    op.drop_column("member", "joined_from")
    op.drop_column("card", "paused_at")
    op.drop_column("location", "hours")
    for name, _ in reversed(_LIMITS):
        op.drop_column("programme", name)
    op.drop_column("programme", "most_per_scan")

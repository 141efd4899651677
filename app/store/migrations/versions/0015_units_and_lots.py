"""Points and cents beside stamps, ends of units, what an entry was caused by.

Every column may be null or has a default, so older code does not mind; it would take
points for stamps, so change every machine before the first rule that gives any. What
is there is in stamps without an end. Columns are added in place; the index of names
that happen once is empty at first.

Columns with a check or a reference by hand, since Alembic knows no way to add one on
SQLite.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE ledger_entry ADD COLUMN unit VARCHAR(5) "
        "CONSTRAINT ck_ledger_entry_unit CHECK (unit IN ('point', 'cent'))"
    )
    op.add_column(
        "ledger_entry", sa.Column("expires_at", Moment(timezone=True), nullable=True)
    )
    uuid = sa.Uuid().compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE ledger_entry ADD COLUMN caused_by_id {uuid} "
        "CONSTRAINT fk_ledger_entry_caused_by_id REFERENCES ledger_entry (entry_id)"
    )
    op.add_column("ledger_entry", sa.Column("once", sa.String(120), nullable=True))
    op.create_index("uq_ledger_entry_once", "ledger_entry", ["once"], unique=True)
    op.add_column(
        "card", sa.Column("units_end_at", Moment(timezone=True), nullable=True)
    )
    op.create_index(op.f("ix_card_units_end_at"), "card", ["units_end_at"])
    op.add_column(
        "shop",
        sa.Column("currency", sa.String(3), server_default="EUR", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("shop", "currency")
    op.drop_index(op.f("ix_card_units_end_at"), "card")
    op.drop_column("card", "units_end_at")
    op.drop_index("uq_ledger_entry_once", "ledger_entry")
    for name in ("once", "caused_by_id", "expires_at", "unit"):
        op.drop_column("ledger_entry", name)

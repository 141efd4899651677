"""Each audit row is chained to the one before it; rows that are there are chained now."""

import hashlib
import json
from datetime import UTC

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0002"
down_revision = "0001"

_ROWS = sa.table(
    "audit_entry",
    sa.column("audit_no", sa.BigInteger()),
    sa.column("at", Moment()),
    sa.column("staff_id", sa.Uuid()),
    sa.column("action", sa.String()),
    sa.column("subject", sa.String()),
    sa.column("detail", sa.JSON()),
    sa.column("previous_hash", sa.LargeBinary()),
    sa.column("entry_hash", sa.LargeBinary()),
)


def upgrade() -> None:
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("previous_hash", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("entry_hash", sa.LargeBinary(), nullable=True))
    _chain_what_is_there()
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.alter_column(
            "previous_hash", existing_type=sa.LargeBinary(), nullable=False
        )
        batch_op.alter_column(
            "entry_hash", existing_type=sa.LargeBinary(), nullable=False
        )
        batch_op.create_unique_constraint(
            op.f("uq_audit_entry_previous_hash"), ["previous_hash"]
        )


def downgrade() -> None:
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_audit_entry_previous_hash"), type_="unique")
        batch_op.drop_column("entry_hash")
        batch_op.drop_column("previous_hash")


def _chain_what_is_there() -> None:
    """Do as ``app.programme.audit`` does; copied, since a revision never changes."""
    connection = op.get_bind()
    previous = bytes(32)
    for row in connection.execute(sa.select(_ROWS).order_by(_ROWS.c.audit_no)).all():
        told = [
            row.at.astimezone(UTC).isoformat(timespec="microseconds"),
            row.staff_id.hex if row.staff_id else None,
            row.action,
            row.subject,
            row.detail,
        ]
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        data = b"punchproof/audit/1\0" + previous + text.encode()
        chained = hashlib.sha256(data).digest()
        connection.execute(
            sa.update(_ROWS)
            .where(_ROWS.c.audit_no == row.audit_no)
            .values(previous_hash=previous, entry_hash=chained)
        )
        previous = chained

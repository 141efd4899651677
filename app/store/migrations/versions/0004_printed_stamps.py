"""Batches of printed stamps, and their codes: the row is a printed code's issue record."""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "printed_batch",
        sa.Column(
            "batch_no",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("stamps", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", Moment(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("printings", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.Column("revoked_at", Moment(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "stamps BETWEEN 1 AND 5", name=op.f("ck_printed_batch_stamps")
        ),
        sa.CheckConstraint("count > 0", name=op.f("ck_printed_batch_count")),
        sa.CheckConstraint(
            "state IN ('open', 'revoked')", name=op.f("ck_printed_batch_state")
        ),
        sa.CheckConstraint(
            "(state = 'revoked') = (revoked_at IS NOT NULL)",
            name=op.f("ck_printed_batch_revoked_has_moment"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["staff_member.staff_id"],
            name=op.f("fk_printed_batch_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["location.location_id"],
            name=op.f("fk_printed_batch_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.programme_id"],
            name=op.f("fk_printed_batch_programme_id"),
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by"],
            ["staff_member.staff_id"],
            name=op.f("fk_printed_batch_revoked_by"),
        ),
        sa.PrimaryKeyConstraint("batch_no", name=op.f("pk_printed_batch")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_printed_batch_batch_id")),
    )
    op.create_table(
        "printed_code",
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["printed_batch.batch_id"],
            name=op.f("fk_printed_code_batch_id"),
        ),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_printed_code")),
        sa.UniqueConstraint(
            "batch_id", "number", name=op.f("uq_printed_code_batch_id_number")
        ),
    )


def downgrade() -> None:
    op.drop_table("printed_code")
    op.drop_table("printed_batch")

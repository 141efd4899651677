"""The outbox as mail needs it: to whom, in which language, and what became of it.

The table of 0001 was never written to, so it is made anew instead of altered. Older
code does not mind: it does not know the table.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.drop_table("outbox")
    op.create_table(
        "outbox",
        sa.Column("outgoing_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(254), nullable=True),
        sa.Column("locale", sa.String(12), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("due_at", Moment(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", Moment(timezone=True), nullable=True),
        sa.Column("failed_at", Moment(timezone=True), nullable=True),
        sa.Column("problem", sa.String(40), nullable=True),
        sa.CheckConstraint(
            "sent_at IS NULL OR failed_at IS NULL", name=op.f("ck_outbox_one_end")
        ),
        sa.CheckConstraint(
            "address IS NOT NULL OR sent_at IS NOT NULL OR failed_at IS NOT NULL",
            name=op.f("ck_outbox_waiting_has_address"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.member_id"], name=op.f("fk_outbox_member_id")
        ),
        sa.PrimaryKeyConstraint("outgoing_id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_member_id"), "outbox", ["member_id"])
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["due_at"],
        sqlite_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("outbox")
    op.create_table(
        "outbox",
        sa.Column("outgoing_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("due_at", Moment(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("outgoing_id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_due_at"), "outbox", ["due_at"])

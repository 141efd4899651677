"""Which card goes on for one that was put to it.

A table of its own, made in no time. Older code does not mind: such a card is closed.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "card_merge",
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("into_card_id", sa.Uuid(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "card_id <> into_card_id", name=op.f("ck_card_merge_two_cards")
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.card_id"], name=op.f("fk_card_merge_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["into_card_id"], ["card.card_id"], name=op.f("fk_card_merge_into_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.staff_id"], name=op.f("fk_card_merge_staff_id")
        ),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_card_merge")),
    )
    op.create_index(op.f("ix_card_merge_into_card_id"), "card_merge", ["into_card_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_card_merge_into_card_id"), "card_merge")
    op.drop_table("card_merge")

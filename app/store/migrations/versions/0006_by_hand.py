"""A shop may allow stamps by hand; none does before its manager says so.

Without batch mode, so that SQLite does not copy the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "shop",
        sa.Column(
            "allows_by_hand", sa.Boolean(), nullable=False, server_default=sa.false()
        ),
    )


def downgrade() -> None:
    op.drop_column("shop", "allows_by_hand")

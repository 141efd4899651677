"""The shop's look: the shape of its stamps, and its logo.

The logo is kept in the books, not in a directory: every machine of a shop reads the same
books, and a backup of the books has it. It stands in a table of its own, so that reading
the shop, which each page does, does not read a picture.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column(
        "shop",
        sa.Column("stamp_shape", sa.String(12), nullable=False, server_default="round"),
    )
    op.add_column("shop", sa.Column("logo", sa.String(24), nullable=True))
    op.create_table(
        "logo",
        sa.Column("name", sa.String(24), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_logo")),
    )


def downgrade() -> None:
    op.drop_table("logo")
    op.drop_column("shop", "logo")
    op.drop_column("shop", "stamp_shape")

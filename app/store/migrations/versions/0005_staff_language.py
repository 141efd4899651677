"""Each member of staff may have a language of their own.

NULL: none chosen; the till's or the browser's is spoken. Old code does not mind the
column, so it may go out before the code that uses it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "staff_member", sa.Column("locale", sa.String(length=12), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("staff_member", "locale")

"""That an event was called off, and why.

Two columns of ``reward`` that may be null, made in no time. Older code does not mind:
to it the event is closed.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column(
        "reward", sa.Column("called_off_at", Moment(timezone=True), nullable=True)
    )
    op.add_column("reward", sa.Column("called_off_why", sa.String(200), nullable=True))


def downgrade() -> None:
    op.drop_column("reward", "called_off_why")
    op.drop_column("reward", "called_off_at")

"""Up to which end of units a card's member was warned.

One column of ``card`` that may be null, made in no time. Older code does not mind: it
warns of nothing.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column(
        "card", sa.Column("units_warned_until", Moment(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("card", "units_warned_until")

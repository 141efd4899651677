"""Vouchers may end: for how many days a programme's are good, and each one's end.

NULL is "no end" in both, which is what every voucher was promised before this. Older
code beside this schema issues vouchers without an end. It redeems one that has an end
after it too, so no programme should be given days before every machine has this code.

Both are added in place, without copying a table, whatever its size. By hand, since
Alembic knows no way to add a column with its check on SQLite.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE programme ADD COLUMN voucher_days INTEGER "
        "CONSTRAINT ck_programme_voucher_days "
        "CHECK (voucher_days BETWEEN 1 AND 3650)"
    )
    op.add_column(
        "voucher", sa.Column("expires_at", Moment(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("voucher", "expires_at")
    op.drop_column("programme", "voucher_days")

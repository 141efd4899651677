"""Each entry of the ledger has room for its receipt.

NULL is allowed: an entry is written first and signed in the same transaction, once its
answer is known; and entries that are older than this step have no receipt. None can be
made for them here, for a receipt made later would vouch for whatever happens to be
there. The audit tells of each as ``receipt_missing``. No release wrote such entries.

Without batch mode, so that SQLite does not copy the table, which names itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("ledger_entry", sa.Column("receipt", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("ledger_entry", "receipt")

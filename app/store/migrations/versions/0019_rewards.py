"""Rewards that members choose, codes of partners, and what a voucher was promised as.

Every new column of an old table may be null or has a default, so older code does not
mind. It knows one kind of voucher: what is worth money it would use up at once, and it
asks no stock. So no programme should be given rewards to choose before every machine
has this code. Columns are added in place; the two indexes of vouchers take a second for
a million.

Columns with a check or a reference by hand, since Alembic knows no way to add one on
SQLite.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0019"
down_revision = "0018"

_KINDS = (
    "item",
    "percent",
    "money",
    "delivery",
    "merchandise",
    "early_access",
    "vip",
    "content",
    "partner",
    "event",
)
_IS_FREE = sa.text("voucher_id IS NULL AND withdrawn_at IS NULL")
_PLAIN = (
    ("nth", sa.Integer()),
    ("worth", sa.Integer()),
    ("currency", sa.String(3)),
    ("cost", sa.Integer()),
    ("content", sa.Text()),
    ("opened_at", Moment(timezone=True)),
    ("warned_at", Moment(timezone=True)),
)


def upgrade() -> None:
    moment = Moment(timezone=True)
    op.execute(
        "ALTER TABLE programme ADD COLUMN exchanges VARCHAR(9) "
        "DEFAULT 'automatic' NOT NULL CONSTRAINT ck_programme_exchanges "
        "CHECK (exchanges IN ('automatic', 'by_choice'))"
    )
    op.create_table(
        "reward",
        sa.Column("reward_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("about", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("unit", sa.String(5), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("worth", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Integer(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("sold", sa.Integer(), nullable=False),
        sa.Column("budget", sa.Integer(), nullable=True),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.Column("per_member", sa.Integer(), nullable=True),
        sa.Column("opens_at", moment, nullable=True),
        sa.Column("closes_at", moment, nullable=True),
        sa.Column("voucher_days", sa.Integer(), nullable=True),
        sa.Column("needs_tier_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("starts_at", moment, nullable=True),
        sa.Column("ends_at", moment, nullable=True),
        sa.Column("place", sa.String(120), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_reward_kind")),
        sa.CheckConstraint(
            "unit IN ('stamp', 'point', 'cent')", name=op.f("ck_reward_unit")
        ),
        sa.CheckConstraint("price >= 0", name=op.f("ck_reward_price")),
        sa.CheckConstraint("worth > 0", name=op.f("ck_reward_worth")),
        sa.CheckConstraint(
            "kind <> 'percent' OR worth BETWEEN 1 AND 100",
            name=op.f("ck_reward_percent"),
        ),
        sa.CheckConstraint(
            "(worth IS NOT NULL) = (kind IN ('percent', 'money'))",
            name=op.f("ck_reward_has_worth"),
        ),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_reward_cost")),
        sa.CheckConstraint(
            "sold >= 0 AND (stock IS NULL OR sold <= stock)",
            name=op.f("ck_reward_stock"),
        ),
        sa.CheckConstraint(
            "spent >= 0 AND (budget IS NULL OR spent <= budget)",
            name=op.f("ck_reward_budget"),
        ),
        sa.CheckConstraint("per_member > 0", name=op.f("ck_reward_per_member")),
        sa.CheckConstraint(
            "voucher_days BETWEEN 1 AND 3650", name=op.f("ck_reward_voucher_days")
        ),
        sa.CheckConstraint(
            "kind <> 'event' OR (starts_at IS NOT NULL AND ends_at IS NOT NULL "
            "AND starts_at < ends_at AND stock IS NOT NULL)",
            name=op.f("ck_reward_event"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.programme_id"],
            name=op.f("fk_reward_programme_id"),
        ),
        sa.PrimaryKeyConstraint("reward_id", name=op.f("pk_reward")),
    )
    op.create_index(op.f("ix_reward_programme_id"), "reward", ["programme_id"])
    uuid = sa.Uuid().compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE voucher ADD COLUMN reward_id {uuid} "
        "CONSTRAINT fk_voucher_reward_id REFERENCES reward (reward_id)"
    )
    op.execute(
        "ALTER TABLE voucher ADD COLUMN kind VARCHAR(12) DEFAULT 'item' NOT NULL"
    )
    for name, kind in _PLAIN:
        op.add_column("voucher", sa.Column(name, kind, nullable=True))
    op.execute(
        "ALTER TABLE voucher ADD COLUMN rest INTEGER CONSTRAINT ck_voucher_rest "
        "CHECK (rest >= 0 AND rest <= worth)"
    )
    op.create_index(
        "uq_voucher_nth", "voucher", ["reward_id", "card_id", "nth"], unique=True
    )
    op.create_index("ix_voucher_expires_at", "voucher", ["expires_at"])
    op.create_table(
        "partner_code",
        sa.Column("code_no", sa.Integer(), nullable=False),
        sa.Column("reward_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("voucher_id", sa.Uuid(), nullable=True),
        sa.Column("added_at", moment, nullable=False),
        sa.Column("withdrawn_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["reward.reward_id"], name=op.f("fk_partner_code_reward_id")
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"],
            ["voucher.voucher_id"],
            name=op.f("fk_partner_code_voucher_id"),
        ),
        sa.PrimaryKeyConstraint("code_no", name=op.f("pk_partner_code")),
        sa.UniqueConstraint(
            "reward_id", "code", name=op.f("uq_partner_code_reward_id_code")
        ),
        sa.UniqueConstraint("voucher_id", name=op.f("uq_partner_code_voucher_id")),
    )
    op.create_index(
        "ix_partner_code_free",
        "partner_code",
        ["reward_id", "code_no"],
        sqlite_where=_IS_FREE,
        postgresql_where=_IS_FREE,
    )


def downgrade() -> None:
    op.drop_table("partner_code")
    op.drop_index("ix_voucher_expires_at", "voucher")
    op.drop_index("uq_voucher_nth", "voucher")
    op.drop_column("voucher", "rest")
    for name, _ in reversed(_PLAIN):
        op.drop_column("voucher", name)
    op.drop_column("voucher", "kind")
    op.drop_column("voucher", "reward_id")
    op.drop_index(op.f("ix_reward_programme_id"), "reward")
    op.drop_table("reward")
    op.drop_column("programme", "exchanges")

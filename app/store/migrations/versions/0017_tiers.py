"""Tiers and who has which, paid plans and who has paid.

New tables alone, empty at first: older code does not mind, and it takes no time.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "ladder",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.String(length=5), nullable=False),
        sa.Column("window_months", sa.Integer(), nullable=True),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(timezone=True), nullable=False),
        sa.Column("settled_at", Moment(timezone=True), nullable=True),
        sa.CheckConstraint(
            "unit IN ('stamp', 'point', 'cent')", name=op.f("ck_ladder_unit")
        ),
        sa.CheckConstraint(
            "grace_days BETWEEN 0 AND 366", name=op.f("ck_ladder_grace_days")
        ),
        sa.CheckConstraint(
            "window_months BETWEEN 1 AND 60", name=op.f("ck_ladder_window_months")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.programme_id"],
            name=op.f("fk_ladder_programme_id"),
        ),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_ladder")),
    )
    op.create_table(
        "plan",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("period_months", sa.Integer(), nullable=False),
        sa.Column("cashback", sa.Integer(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("benefits", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("is_offered", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.CheckConstraint("cap > 0", name=op.f("ck_plan_cap")),
        sa.CheckConstraint(
            "cashback BETWEEN 0 AND 5000", name=op.f("ck_plan_cashback")
        ),
        sa.CheckConstraint(
            "period_months IN (1, 12)", name=op.f("ck_plan_period_months")
        ),
        sa.CheckConstraint("price > 0", name=op.f("ck_plan_price")),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.programme_id"],
            name=op.f("fk_plan_programme_id"),
        ),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan")),
    )
    op.create_index(
        op.f("ix_plan_programme_id"), "plan", ["programme_id"], unique=False
    )

    op.create_table(
        "tier",
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("next_units", sa.Integer(), nullable=True),
        sa.Column("next_from", sa.Date(), nullable=True),
        sa.Column(
            "by_invitation", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
        sa.Column("boost_percent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("benefits", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("birthday_units", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("removed_at", Moment(timezone=True), nullable=True),
        sa.CheckConstraint(
            "birthday_units BETWEEN 0 AND 1000000", name=op.f("ck_tier_birthday_units")
        ),
        sa.CheckConstraint(
            "boost_percent BETWEEN 0 AND 400", name=op.f("ck_tier_boost_percent")
        ),
        sa.CheckConstraint("next_units > 0", name=op.f("ck_tier_next_units")),
        sa.CheckConstraint("units > 0", name=op.f("ck_tier_units")),
        sa.CheckConstraint(
            "units IS NOT NULL OR by_invitation", name=op.f("ck_tier_way_in")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.programme_id"],
            name=op.f("fk_tier_programme_id"),
        ),
        sa.PrimaryKeyConstraint("tier_id", name=op.f("pk_tier")),
    )
    op.create_index(
        "ix_tier_programme_id_position",
        "tier",
        ["programme_id", "position"],
        unique=False,
    )

    op.create_table(
        "membership",
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("period_months", sa.Integer(), nullable=False),
        sa.Column("cashback", sa.Integer(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("from_at", Moment(timezone=True), nullable=False),
        sa.Column("until_at", Moment(timezone=True), nullable=False),
        sa.Column("year_from_at", Moment(timezone=True), nullable=False),
        sa.Column("follows_id", sa.Uuid(), nullable=True),
        sa.Column("paid_how", sa.String(length=10), nullable=False),
        sa.Column("paid_at", Moment(timezone=True), nullable=False),
        sa.Column("paid_by", sa.Uuid(), nullable=False),
        sa.Column("terminal_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(length=100), nullable=False),
        sa.Column("reminded_at", Moment(timezone=True), nullable=True),
        sa.Column("told_at", Moment(timezone=True), nullable=True),
        sa.Column("ended_at", Moment(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "paid_how IN ('cash', 'card', 'other')", name=op.f("ck_membership_paid_how")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)",
            name=op.f("ck_membership_ended_by_somebody"),
        ),
        sa.CheckConstraint(
            "until_at > from_at", name=op.f("ck_membership_until_after_from")
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.card_id"], name=op.f("fk_membership_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["staff_member.staff_id"], name=op.f("fk_membership_ended_by")
        ),
        sa.ForeignKeyConstraint(
            ["follows_id"],
            ["membership.membership_id"],
            name=op.f("fk_membership_follows_id"),
        ),
        sa.ForeignKeyConstraint(
            ["paid_by"], ["staff_member.staff_id"], name=op.f("fk_membership_paid_by")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.plan_id"], name=op.f("fk_membership_plan_id")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"],
            ["terminal.terminal_id"],
            name=op.f("fk_membership_terminal_id"),
        ),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_membership")),
        sa.UniqueConstraint("follows_id", name=op.f("uq_membership_follows_id")),
        sa.UniqueConstraint("request_id", name=op.f("uq_membership_request_id")),
    )
    op.create_index(
        op.f("ix_membership_card_id"), "membership", ["card_id"], unique=False
    )
    op.create_index(
        op.f("ix_membership_plan_id"), "membership", ["plan_id"], unique=False
    )
    op.create_index("ix_membership_until_at", "membership", ["until_at"], unique=False)
    op.create_index(
        "uq_membership_first",
        "membership",
        ["card_id"],
        unique=True,
        sqlite_where=sa.text("follows_id IS NULL"),
        postgresql_where=sa.text("follows_id IS NULL"),
    )

    op.create_table(
        "tier_held",
        sa.Column("held_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=True),
        sa.Column("why", sa.String(length=10), nullable=False),
        sa.Column("since_at", Moment(timezone=True), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("until_at", Moment(timezone=True), nullable=True),
        sa.Column("warn_at", Moment(timezone=True), nullable=True),
        sa.Column("warned_at", Moment(timezone=True), nullable=True),
        sa.Column("ended_at", Moment(timezone=True), nullable=True),
        sa.CheckConstraint(
            "why IN ('earned', 'undone', 'kept', 'lost', 'ladder', 'invited', 'withdrawn', 'moved')",
            name=op.f("ck_tier_held_why"),
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.card_id"], name=op.f("fk_tier_held_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["tier_id"], ["tier.tier_id"], name=op.f("fk_tier_held_tier_id")
        ),
        sa.PrimaryKeyConstraint("held_id", name=op.f("pk_tier_held")),
    )
    op.create_index(
        op.f("ix_tier_held_card_id"), "tier_held", ["card_id"], unique=False
    )
    op.create_index(
        op.f("ix_tier_held_tier_id"), "tier_held", ["tier_id"], unique=False
    )
    op.create_index(
        "ix_tier_held_until_at",
        "tier_held",
        ["until_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_tier_held_warn_at",
        "tier_held",
        ["warn_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL AND warned_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL AND warned_at IS NULL"),
    )
    op.create_index(
        "uq_tier_held_current",
        "tier_held",
        ["card_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )

    op.create_table(
        "tier_invitation",
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("why", sa.String(length=10), nullable=False),
        sa.Column("since_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("ended_at", Moment(timezone=True), nullable=True),
        sa.CheckConstraint(
            "why IN ('invited', 'moved')", name=op.f("ck_tier_invitation_why")
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.card_id"], name=op.f("fk_tier_invitation_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.staff_id"],
            name=op.f("fk_tier_invitation_staff_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tier_id"], ["tier.tier_id"], name=op.f("fk_tier_invitation_tier_id")
        ),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_tier_invitation")),
    )
    op.create_index(
        op.f("ix_tier_invitation_card_id"), "tier_invitation", ["card_id"], unique=False
    )
    op.create_index(
        op.f("ix_tier_invitation_tier_id"), "tier_invitation", ["tier_id"], unique=False
    )
    op.create_index(
        "uq_tier_invitation_current",
        "tier_invitation",
        ["card_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    for table in (
        "tier_invitation",
        "tier_held",
        "membership",
        "tier",
        "plan",
        "ladder",
    ):
        op.drop_table(table)

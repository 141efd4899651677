"""What a shop gives for what: rules in versions, what is left over, invitations.

Older code does not mind: the tables are new, and so is the column, which may be null.
It gives no more than what the barista counts, though, so change every machine before
the first rule. Columns are added in place; the index of what a rule gave is empty at
first, and is made by one look through the ledger, a second for a million entries.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0016"
down_revision = "0015"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "earning_rule",
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("whose", sa.String(4), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.CheckConstraint(
            "whose IN ('all', 'plan')", name=op.f("ck_earning_rule_whose")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.programme_id"],
            name=op.f("fk_earning_rule_programme_id"),
        ),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_earning_rule")),
    )
    op.create_index(
        op.f("ix_earning_rule_programme_id"), "earning_rule", ["programme_id"]
    )
    op.create_table(
        "earning_rule_version",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("unit", sa.String(5), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("takes_effect_at", Moment(timezone=True), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("version > 0", name=op.f("ck_earning_rule_version_version")),
        sa.CheckConstraint(
            "unit IN ('stamp', 'point', 'cent')",
            name=op.f("ck_earning_rule_version_unit"),
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["earning_rule.rule_id"],
            name=op.f("fk_earning_rule_version_rule_id"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["staff_member.staff_id"],
            name=op.f("fk_earning_rule_version_created_by"),
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_earning_rule_version")),
        sa.UniqueConstraint(
            "rule_id", "version", name=op.f("uq_earning_rule_version_rule_id_version")
        ),
    )
    uuid = sa.Uuid().compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE ledger_entry ADD COLUMN rule_version_id {uuid} "
        "CONSTRAINT fk_ledger_entry_rule_version_id "
        "REFERENCES earning_rule_version (version_id)"
    )
    op.create_index(
        op.f("ix_ledger_entry_rule_version_id"), "ledger_entry", ["rule_version_id"]
    )
    op.create_table(
        "earning_part",
        sa.Column("part_no", _NUMBER, nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("carried", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.card_id"], name=op.f("fk_earning_part_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["ledger_entry.entry_id"],
            name=op.f("fk_earning_part_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["earning_rule.rule_id"], name=op.f("fk_earning_part_rule_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["earning_rule_version.version_id"],
            name=op.f("fk_earning_part_version_id"),
        ),
        sa.PrimaryKeyConstraint("part_no", name=op.f("pk_earning_part")),
    )
    op.create_index(
        "ix_earning_part_card_id_rule_id",
        "earning_part",
        ["card_id", "rule_id", "part_no"],
    )
    op.create_index(op.f("ix_earning_part_entry_id"), "earning_part", ["entry_id"])
    op.create_table(
        "referral_link",
        sa.Column("word", sa.String(16), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.Column("seen_from", sa.String(32), nullable=True),
        sa.Column("seen_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.card_id"], name=op.f("fk_referral_link_card_id")
        ),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_referral_link")),
        sa.UniqueConstraint("card_id", name=op.f("uq_referral_link_card_id")),
    )
    op.create_table(
        "referral",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("giver_card_id", sa.Uuid(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("state", sa.String(7), nullable=False),
        sa.Column("reason", sa.String(20), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'paid', 'refused')", name=op.f("ck_referral_state")
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (reason IS NOT NULL)",
            name=op.f("ck_referral_refused_has_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.member_id"], name=op.f("fk_referral_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.card_id"], name=op.f("fk_referral_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["giver_card_id"], ["card.card_id"], name=op.f("fk_referral_giver_card_id")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_referral")),
    )
    for column in ("card_id", "giver_card_id", "state"):
        op.create_index(op.f(f"ix_referral_{column}"), "referral", [column])


def downgrade() -> None:
    for table in ("referral", "referral_link", "earning_part"):
        op.drop_table(table)
    op.drop_index(op.f("ix_ledger_entry_rule_version_id"), "ledger_entry")
    op.drop_column("ledger_entry", "rule_version_id")
    op.drop_table("earning_rule_version")
    op.drop_table("earning_rule")

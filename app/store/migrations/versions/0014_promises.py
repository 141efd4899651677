"""What programmes promise, in versions, and to whom: groups, invitations, ages.

A programme that never changed has no version of its own here. A card with stamps on it
keeps what its programme says now until its round is full, whatever is changed later:
that is written on each such card, one update over all cards. Older code beside this
schema exchanges by the programme's own row, and opens cards that follow it.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE programme ADD COLUMN notice_days INTEGER DEFAULT 14 NOT NULL "
        "CONSTRAINT ck_programme_notice_days CHECK (notice_days BETWEEN 1 AND 365)"
    )
    op.add_column("card", sa.Column("promised_version", sa.Integer(), nullable=True))
    op.add_column("voucher", sa.Column("promised_version", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE card SET promised_version = (SELECT programme.terms_version "
        "FROM programme WHERE programme.programme_id = card.programme_id) "
        "WHERE (SELECT COALESCE(SUM(units), 0) FROM ledger_entry "
        "WHERE ledger_entry.card_id = card.card_id) > 0"
    )
    op.create_table(
        "programme_version",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("stamps_required", sa.Integer(), nullable=False),
        sa.Column("reward", sa.String(length=60), nullable=False),
        sa.Column("voucher_days", sa.Integer(), nullable=True),
        sa.Column("says", sa.String(length=300), nullable=False),
        sa.Column("announced_at", Moment(timezone=True), nullable=False),
        sa.Column("effective_at", Moment(timezone=True), nullable=False),
        sa.Column("announced_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_programme_version_number")),
        sa.CheckConstraint(
            "stamps_required BETWEEN 2 AND 30",
            name=op.f("ck_programme_version_stamps_required"),
        ),
        sa.CheckConstraint(
            "voucher_days BETWEEN 1 AND 3650",
            name=op.f("ck_programme_version_voucher_days"),
        ),
        sa.CheckConstraint(
            "effective_at >= announced_at",
            name=op.f("ck_programme_version_announced_first"),
        ),
        sa.ForeignKeyConstraint(
            ["announced_by"],
            ["staff_member.staff_id"],
            name=op.f("fk_programme_version_announced_by"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.programme_id"],
            name=op.f("fk_programme_version_programme_id"),
        ),
        sa.PrimaryKeyConstraint(
            "programme_id", "number", name=op.f("pk_programme_version")
        ),
    )
    op.create_table(
        "terms_accepted",
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("accepted_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.card_id"], name=op.f("fk_terms_accepted_card_id")
        ),
        sa.PrimaryKeyConstraint("card_id", "version", name=op.f("pk_terms_accepted")),
    )
    op.create_table(
        "member_group",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column(
            "staff_may_add", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_member_group")),
        sa.UniqueConstraint("name", name=op.f("uq_member_group_name")),
    )
    op.create_table(
        "eligibility",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("least_count", sa.Integer(), nullable=True),
        sa.Column("counted", sa.String(length=10), nullable=False),
        sa.Column("least_age", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "least_count BETWEEN 1 AND 1000", name=op.f("ck_eligibility_least_count")
        ),
        sa.CheckConstraint(
            "counted IN ('purchases', 'visits')", name=op.f("ck_eligibility_counted")
        ),
        sa.CheckConstraint(
            "least_age BETWEEN 1 AND 120", name=op.f("ck_eligibility_least_age")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["member_group.group_id"],
            name=op.f("fk_eligibility_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.programme_id"],
            name=op.f("fk_eligibility_programme_id"),
        ),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_eligibility")),
    )
    op.create_index(op.f("ix_eligibility_group_id"), "eligibility", ["group_id"])
    op.create_table(
        "invitation",
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("most_uses", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("expires_at", Moment(timezone=True), nullable=True),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("revoked_at", Moment(timezone=True), nullable=True),
        sa.CheckConstraint(
            "most_uses BETWEEN 1 AND 100000", name=op.f("ck_invitation_most_uses")
        ),
        sa.CheckConstraint(
            "uses BETWEEN 0 AND most_uses", name=op.f("ck_invitation_uses")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["staff_member.staff_id"],
            name=op.f("fk_invitation_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["member_group.group_id"], name=op.f("fk_invitation_group_id")
        ),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("code", name=op.f("uq_invitation_code")),
    )
    op.create_index(op.f("ix_invitation_group_id"), "invitation", ["group_id"])
    op.create_table(
        "invitation_use",
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["invitation.invitation_id"],
            name=op.f("fk_invitation_use_invitation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.member_id"],
            name=op.f("fk_invitation_use_member_id"),
        ),
        sa.PrimaryKeyConstraint(
            "invitation_id", "member_id", name=op.f("pk_invitation_use")
        ),
    )
    op.create_index(
        op.f("ix_invitation_use_member_id"), "invitation_use", ["member_id"]
    )
    op.create_table(
        "group_member",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("since_at", Moment(timezone=True), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        sa.Column("left_at", Moment(timezone=True), nullable=True),
        sa.CheckConstraint(
            "way IN ('console', 'till', 'invitation')", name=op.f("ck_group_member_way")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["member_group.group_id"],
            name=op.f("fk_group_member_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["invitation.invitation_id"],
            name=op.f("fk_group_member_invitation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.member_id"], name=op.f("fk_group_member_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.staff_id"],
            name=op.f("fk_group_member_staff_id"),
        ),
        sa.PrimaryKeyConstraint("group_id", "member_id", name=op.f("pk_group_member")),
    )
    op.create_index(op.f("ix_group_member_member_id"), "group_member", ["member_id"])
    op.create_table(
        "age_seen",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("least_age", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_at", Moment(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "least_age BETWEEN 1 AND 120", name=op.f("ck_age_seen_least_age")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.member_id"], name=op.f("fk_age_seen_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.staff_id"], name=op.f("fk_age_seen_staff_id")
        ),
        sa.PrimaryKeyConstraint("member_id", "least_age", name=op.f("pk_age_seen")),
    )


def downgrade() -> None:
    for table in (
        "age_seen",
        "group_member",
        "invitation_use",
        "invitation",
        "eligibility",
        "member_group",
        "terms_accepted",
        "programme_version",
    ):
        op.drop_table(table)
    op.drop_column("voucher", "promised_version")
    op.drop_column("card", "promised_version")
    op.drop_column("programme", "notice_days")

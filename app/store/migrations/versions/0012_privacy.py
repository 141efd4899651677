"""What members agreed to, and who wished to be forgotten.

Two tables of their own, made in no time. Older code does not know them: it sends only
mail that needs no consent.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0012"
down_revision = "0011"

_KINDS = "('news', 'offers', 'reminders', 'birthday', 'feedback')"


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column(
            "consent_no",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("is_given", sa.Boolean(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("wording", sa.String(400), nullable=False),
        sa.Column("wording_version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_consent_kind")),
        sa.CheckConstraint(
            "channel IN ('join', 'account', 'mail', 'console')",
            name=op.f("ck_consent_channel"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.member_id"], name=op.f("fk_consent_member_id")
        ),
        sa.PrimaryKeyConstraint("consent_no", name=op.f("pk_consent")),
    )
    op.create_index(
        "ix_consent_member_id_kind_consent_no",
        "consent",
        ["member_id", "kind", "consent_no"],
    )
    op.create_table(
        "erasure",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.member_id"], name=op.f("fk_erasure_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.staff_id"], name=op.f("fk_erasure_staff_id")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_erasure")),
    )


def downgrade() -> None:
    op.drop_table("erasure")
    op.drop_index("ix_consent_member_id_kind_consent_no", "consent")
    op.drop_table("consent")

"""The member's own account: details, codes by mail, passkeys, devices.

Older code does not mind: every new column may be null, and it knows none of the new
tables. A member who joins by older code has no ``email_key`` and is found by the
address as it was typed. Columns are added in place; filling ``email_key`` writes each
member with an address once, about a second for a hundred thousand.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0011"
down_revision = "0010"

_MEMBER = (
    ("email_key", sa.String(254)),
    ("email_confirmed_at", Moment(timezone=True)),
    ("phone", sa.String(32)),
    ("address", sa.String(300)),
    ("birthday", sa.Date()),
    ("birthday_set_at", Moment(timezone=True)),
)
_IS_CONFIRMED = sa.text("email_confirmed_at IS NOT NULL")
_IS_OPEN = sa.text("stopped_at IS NULL AND done_at IS NULL")


def upgrade() -> None:
    for name, kind in _MEMBER:
        op.add_column("member", sa.Column(name, kind, nullable=True))
    op.execute("UPDATE member SET email_key = lower(email) WHERE email IS NOT NULL")
    op.create_index(op.f("ix_member_email_key"), "member", ["email_key"])
    op.create_index(
        "uq_member_email_key_confirmed",
        "member",
        ["email_key"],
        unique=True,
        sqlite_where=_IS_CONFIRMED,
        postgresql_where=_IS_CONFIRMED,
    )
    op.add_column("access_token", sa.Column("device", sa.String(60), nullable=True))
    op.add_column(
        "access_token", sa.Column("seen_at", Moment(timezone=True), nullable=True)
    )
    op.add_column("shop", sa.Column("join_fields", sa.JSON(), nullable=True))
    op.create_table(
        "email_change",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("old_email", sa.String(254), nullable=True),
        sa.Column("new_email", sa.String(254), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("expires_at", Moment(timezone=True), nullable=False),
        sa.Column("old_confirmed_at", Moment(timezone=True), nullable=True),
        sa.Column("new_confirmed_at", Moment(timezone=True), nullable=True),
        sa.Column("stopped_at", Moment(timezone=True), nullable=True),
        sa.Column("done_at", Moment(timezone=True), nullable=True),
        sa.CheckConstraint(
            "stopped_at IS NULL OR done_at IS NULL",
            name=op.f("ck_email_change_one_end"),
        ),
        sa.CheckConstraint(
            "done_at IS NULL OR new_confirmed_at IS NOT NULL",
            name=op.f("ck_email_change_done_is_confirmed"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.member_id"], name=op.f("fk_email_change_member_id")
        ),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_email_change")),
    )
    op.create_index(op.f("ix_email_change_member_id"), "email_change", ["member_id"])
    op.create_index(
        "uq_email_change_member_id_open",
        "email_change",
        ["member_id"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )
    op.create_table(
        "mail_code",
        sa.Column("mail_code_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("guesses", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("expires_at", Moment(timezone=True), nullable=False),
        sa.Column("used_at", Moment(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('sign_in', 'new_email')", name=op.f("ck_mail_code_purpose")
        ),
        sa.CheckConstraint(
            "guesses BETWEEN 0 AND 5", name=op.f("ck_mail_code_guesses")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.member_id"], name=op.f("fk_mail_code_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["email_change.change_id"],
            name=op.f("fk_mail_code_change_id"),
        ),
        sa.PrimaryKeyConstraint("mail_code_id", name=op.f("pk_mail_code")),
    )
    for column in ("member_id", "change_id", "expires_at"):
        op.create_index(op.f(f"ix_mail_code_{column}"), "mail_code", [column])
    op.create_table(
        "passkey",
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column(
            "sign_count",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("used_at", Moment(timezone=True), nullable=True),
        sa.CheckConstraint("sign_count >= 0", name=op.f("ck_passkey_sign_count")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.member_id"], name=op.f("fk_passkey_member_id")
        ),
        sa.PrimaryKeyConstraint("credential_id", name=op.f("pk_passkey")),
    )
    op.create_index(op.f("ix_passkey_member_id"), "passkey", ["member_id"])
    op.create_table(
        "spent_challenge",
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("spent_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("challenge", name=op.f("pk_spent_challenge")),
    )
    op.create_index(
        op.f("ix_spent_challenge_spent_at"), "spent_challenge", ["spent_at"]
    )


def downgrade() -> None:
    for table in ("spent_challenge", "passkey", "mail_code", "email_change"):
        op.drop_table(table)
    op.drop_column("shop", "join_fields")
    op.drop_column("access_token", "seen_at")
    op.drop_column("access_token", "device")
    op.drop_index("uq_member_email_key_confirmed", "member")
    op.drop_index(op.f("ix_member_email_key"), "member")
    for name, _ in reversed(_MEMBER):
        op.drop_column("member", name)

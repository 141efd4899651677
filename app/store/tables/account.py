"""What belongs to a member's own account: codes by mail, passkeys, a changing address.

What holds each "once":

* a mail's code and link sign in once: ``mail_code.used_at``, by conditional update
* a code is guessed at five times: ``ck_mail_code_guesses``, and the same way
* a passkey's challenge is answered once: ``pk_spent_challenge``
* a member has one change of address under way: ``uq_email_change_member_id_open``
* a confirmed address is one member's: ``uq_member_email_key_confirmed``
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.columns import Table

_IS_OPEN = text("stopped_at IS NULL AND done_at IS NULL")


class EmailChange(Table):
    """A member's wish for another address, until both addresses have said yes."""

    __tablename__ = "email_change"
    __table_args__ = (
        CheckConstraint("stopped_at IS NULL OR done_at IS NULL", name="one_end"),
        CheckConstraint(
            "done_at IS NULL OR new_confirmed_at IS NOT NULL", name="done_is_confirmed"
        ),
        Index(
            "uq_email_change_member_id_open",
            "member_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
    )

    change_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), index=True)
    #: The confirmed address that has to say yes; None: there was none.
    old_email: Mapped[str | None] = mapped_column(String(254))
    new_email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    old_confirmed_at: Mapped[datetime | None]
    new_confirmed_at: Mapped[datetime | None]
    #: When a mailbox or the member said no, or another change took its place.
    stopped_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class MailCode(Table):
    """Six digits and a link in one mail: either, once."""

    __tablename__ = "mail_code"
    __table_args__ = (
        CheckConstraint("purpose IN ('sign_in', 'new_email')", name="purpose"),
        CheckConstraint("guesses BETWEEN 0 AND 5", name="guesses"),
    )

    mail_code_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    purpose: Mapped[str] = mapped_column(String(10))
    #: Whom it signs in; None: nobody has the address that was typed.
    member_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("member.member_id"), index=True
    )
    #: The change of address that it confirms.
    change_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("email_change.change_id"), index=True
    )
    #: HMAC-SHA256 of the digits under a secret of the ring.
    code_hash: Mapped[bytes]
    guesses: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class Passkey(Table):
    """A key in a phone or a password store that signs its member in."""

    __tablename__ = "passkey"
    __table_args__ = (CheckConstraint("sign_count >= 0", name="sign_count"),)

    #: As the authenticator named it, up to 1023 bytes.
    credential_id: Mapped[bytes] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), index=True)
    #: COSE, as it was registered.
    public_key: Mapped[bytes]
    #: As the authenticator last told it; 0 for those that do not count.
    sign_count: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite")
    )
    #: The device that it was made on, for its member to know it by.
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SpentChallenge(Table):
    """A challenge that a passkey has answered."""

    __tablename__ = "spent_challenge"

    challenge: Mapped[bytes] = mapped_column(primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(index=True)

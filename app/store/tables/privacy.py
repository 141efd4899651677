"""What members agreed to, and who wished to be forgotten."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.columns import Table

#: Kinds of messages that nobody gets without having said so.
CONSENT_KINDS = ("news", "offers", "reminders", "birthday", "feedback")


class Consent(Table):
    """A consent that was given or withdrawn; the newest of its kind is the present.

    Rows are never changed. ``app.programme.privacy.erasing`` takes those of a person.
    """

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint(f"kind IN {CONSENT_KINDS}", name="kind"),
        CheckConstraint(
            "channel IN ('join', 'account', 'mail', 'console')", name="channel"
        ),
        Index(
            "ix_consent_member_id_kind_consent_no", "member_id", "kind", "consent_no"
        ),
    )

    #: The order in which the books took it.
    consent_no: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    kind: Mapped[str] = mapped_column(String(12))
    #: False: it was withdrawn.
    is_given: Mapped[bool]
    at: Mapped[datetime]
    #: The sentence as it was shown, in the language in which it was.
    wording: Mapped[str] = mapped_column(String(400))
    wording_version: Mapped[int]
    language: Mapped[str] = mapped_column(String(12))
    #: Where it was said.
    channel: Mapped[str] = mapped_column(String(8))


class CardMerge(Table):
    """A card that was put to another one: once, since it is the row's own key."""

    __tablename__ = "card_merge"
    __table_args__ = (CheckConstraint("card_id <> into_card_id", name="two_cards"),)

    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), primary_key=True)
    #: The card that goes on.
    into_card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), index=True)
    at: Mapped[datetime]
    #: Who did it on the customer's behalf; None: the customer.
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))


class Erasure(Table):
    """A person who was forgotten: once, since the member is the row's own key."""

    __tablename__ = "erasure"

    member_id: Mapped[UUID] = mapped_column(
        ForeignKey("member.member_id"), primary_key=True
    )
    at: Mapped[datetime]
    #: Who asked for it on the person's behalf; None: the person, or a restore.
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))

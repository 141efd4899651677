"""What a shop gives for what, and what is left over of sales; who invited whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.columns import Table

_NUMBER = BigInteger().with_variant(Integer, "sqlite")


class EarningRule(Table):
    """A rule of a programme, through all its versions."""

    __tablename__ = "earning_rule"
    __table_args__ = (CheckConstraint("whose IN ('all', 'plan')", name="whose"),)

    rule_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    programme_id: Mapped[UUID] = mapped_column(
        ForeignKey("programme.programme_id"), index=True
    )
    #: ``all`` members of the programme, or those of a paid ``plan``, which says whom.
    whose: Mapped[str] = mapped_column(String(4), default="all")
    created_at: Mapped[datetime]


class EarningRuleVersion(Table):
    """What a rule says from a moment on; never changed, since entries name it."""

    __tablename__ = "earning_rule_version"
    __table_args__ = (
        UniqueConstraint("rule_id", "version"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("unit IN ('stamp', 'point', 'cent')", name="unit"),
    )

    version_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    rule_id: Mapped[UUID] = mapped_column(ForeignKey("earning_rule.rule_id"))
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    unit: Mapped[str] = mapped_column(String(5))
    #: What the shop calls it; may be empty.
    name: Mapped[str] = mapped_column(String(60))
    #: Figures, windows, places, caps, budget and life, as ``earning.kept`` writes them.
    terms: Mapped[dict[str, Any]]
    #: False: from then on the rule gives nothing.
    is_on: Mapped[bool] = mapped_column(default=True)
    takes_effect_at: Mapped[datetime]
    created_at: Mapped[datetime]
    #: None: the shop's founding, or a script.
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))


class EarningPart(Table):
    """How one sale moved what is left over of a rule on a card.

    The newest one of a card and rule says what is left over now. It is always less
    than one unit, whatever stands here: ``earning.count`` takes no more.
    """

    __tablename__ = "earning_part"
    __table_args__ = (
        Index("ix_earning_part_card_id_rule_id", "card_id", "rule_id", "part_no"),
    )

    part_no: Mapped[int] = mapped_column(_NUMBER, primary_key=True)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"))
    #: The sale's first entry, or the root of what took it back.
    entry_id: Mapped[UUID] = mapped_column(
        ForeignKey("ledger_entry.entry_id"), index=True
    )
    #: None: what the barista counted.
    rule_id: Mapped[UUID | None] = mapped_column(ForeignKey("earning_rule.rule_id"))
    #: As it said then.
    version_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("earning_rule_version.version_id")
    )
    #: Negative where they were taken back.
    parts: Mapped[int] = mapped_column(BigInteger())
    #: Parts of one unit.
    whole: Mapped[int] = mapped_column(BigInteger())
    #: Units that the rule gave by this, with what multiplied them.
    units: Mapped[int]
    carried: Mapped[int] = mapped_column(BigInteger())


class ReferralLink(Table):
    """A card's word with which its member invites friends."""

    __tablename__ = "referral_link"

    #: Lower-case letters and digits that cannot be taken for each other.
    word: Mapped[str] = mapped_column(String(16), primary_key=True)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), unique=True)
    made_at: Mapped[datetime]
    #: The device and network that looked at it last, as ``Member.joined_from``, kept
    #: for a month.
    seen_from: Mapped[str | None] = mapped_column(String(32))
    seen_at: Mapped[datetime | None]


class Referral(Table):
    """A member who came by an invitation, and what became of the bonus for it."""

    __tablename__ = "referral"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'paid', 'refused')", name="state"),
        CheckConstraint(
            "(state = 'refused') = (reason IS NOT NULL)", name="refused_has_reason"
        ),
    )

    #: The friend.
    member_id: Mapped[UUID] = mapped_column(
        ForeignKey("member.member_id"), primary_key=True
    )
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), index=True)
    #: Of the member who invited.
    giver_card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), index=True)
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(7), default="waiting", index=True)
    #: ``same_device``, ``staff`` or ``no_rule``.
    reason: Mapped[str | None] = mapped_column(String(20))

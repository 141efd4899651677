"""What a programme promises and to whom: versions of its terms, groups, invitations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    String,
    Text,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.columns import Table


class ProgrammeVersion(Table):
    """One version of what a programme promises, from its announcement on.

    The version in force stands in ``Programme`` besides. A programme that never changed
    has no row here: its only version is that of its own row. Of two who announce the
    next version at once one meets ``pk_programme_version``.
    """

    __tablename__ = "programme_version"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("stamps_required BETWEEN 2 AND 30", name="stamps_required"),
        CheckConstraint("voucher_days BETWEEN 1 AND 3650", name="voucher_days"),
        CheckConstraint("effective_at >= announced_at", name="announced_first"),
    )

    programme_id: Mapped[UUID] = mapped_column(
        ForeignKey("programme.programme_id"), primary_key=True
    )
    #: As ``Programme.terms_version`` counts.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    terms: Mapped[str] = mapped_column(Text)
    stamps_required: Mapped[int]
    reward: Mapped[str] = mapped_column(String(60))
    voucher_days: Mapped[int | None]
    #: What changes and why, in the shop's own words; "" where nothing was said.
    says: Mapped[str] = mapped_column(String(300))
    announced_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    announced_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("staff_member.staff_id")
    )


class TermsAccepted(Table):
    """That a card's member agreed to a version, once for each."""

    __tablename__ = "terms_accepted"

    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    accepted_at: Mapped[datetime]


class MemberGroup(Table):
    """Customers who have something in common: a dog, a desk next door."""

    __tablename__ = "member_group"

    group_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    #: Whether everybody at a till may put customers in, or managers alone.
    staff_may_add: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]


class Eligibility(Table):
    """Who may take a programme's card; a programme without a row is for everyone."""

    __tablename__ = "eligibility"
    __table_args__ = (
        CheckConstraint("least_count BETWEEN 1 AND 1000", name="least_count"),
        CheckConstraint("counted IN ('purchases', 'visits')", name="counted"),
        CheckConstraint("least_age BETWEEN 1 AND 120", name="least_age"),
    )

    programme_id: Mapped[UUID] = mapped_column(
        ForeignKey("programme.programme_id"), primary_key=True
    )
    #: Only for this group; None: no group is asked for.
    group_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("member_group.group_id"), index=True
    )
    #: After so many purchases or visits on the member's other cards; None: at once.
    least_count: Mapped[int | None]
    #: ``purchases`` are times that stamps were given, ``visits`` days with any.
    counted: Mapped[str] = mapped_column(String(10), default="purchases")
    #: In years; None: nobody asks.
    least_age: Mapped[int | None]


class Invitation(Table):
    """A code that puts whoever has it into a group, a stated number of times."""

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint("most_uses BETWEEN 1 AND 100000", name="most_uses"),
        CheckConstraint("uses BETWEEN 0 AND most_uses", name="uses"),
    )

    invitation_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    group_id: Mapped[UUID] = mapped_column(
        ForeignKey("member_group.group_id"), index=True
    )
    #: Twelve characters that nobody guesses, as ``eligible.invitations`` draws them.
    code: Mapped[str] = mapped_column(String(12), unique=True)
    #: What it is for, in the shop's own words.
    name: Mapped[str] = mapped_column(String(60))
    most_uses: Mapped[int]
    uses: Mapped[int] = mapped_column(default=0)
    #: The last moment; None: no end.
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("staff_member.staff_id"))
    revoked_at: Mapped[datetime | None]


class InvitationUse(Table):
    """That a member used an invitation: each member once."""

    __tablename__ = "invitation_use"

    invitation_id: Mapped[UUID] = mapped_column(
        ForeignKey("invitation.invitation_id"), primary_key=True
    )
    member_id: Mapped[UUID] = mapped_column(
        ForeignKey("member.member_id"), primary_key=True, index=True
    )
    used_at: Mapped[datetime]


class GroupMember(Table):
    """That a member belongs to a group, and how that came about."""

    __tablename__ = "group_member"
    __table_args__ = (
        CheckConstraint("way IN ('console', 'till', 'invitation')", name="way"),
    )

    group_id: Mapped[UUID] = mapped_column(
        ForeignKey("member_group.group_id"), primary_key=True
    )
    member_id: Mapped[UUID] = mapped_column(
        ForeignKey("member.member_id"), primary_key=True, index=True
    )
    since_at: Mapped[datetime]
    way: Mapped[str] = mapped_column(String(10))
    #: Who put them in; None: they used an invitation.
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    invitation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("invitation.invitation_id")
    )
    #: When they were taken out: cards for the group alone take no more stamps.
    left_at: Mapped[datetime | None]


class AgeSeen(Table):
    """That staff saw a document: the member is at least so old."""

    __tablename__ = "age_seen"
    __table_args__ = (CheckConstraint("least_age BETWEEN 1 AND 120", name="least_age"),)

    member_id: Mapped[UUID] = mapped_column(
        ForeignKey("member.member_id"), primary_key=True
    )
    least_age: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime]
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_member.staff_id"))

"""Tiers and who has which; paid plans and who has paid."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.columns import Table


class Ladder(Table):
    """How a programme counts for its tiers; without a row it has none."""

    __tablename__ = "ladder"
    __table_args__ = (
        CheckConstraint("unit IN ('stamp', 'point', 'cent')", name="unit"),
        CheckConstraint("window_months BETWEEN 1 AND 60", name="window_months"),
        CheckConstraint("grace_days BETWEEN 0 AND 366", name="grace_days"),
    )

    programme_id: Mapped[UUID] = mapped_column(
        ForeignKey("programme.programme_id"), primary_key=True
    )
    unit: Mapped[str] = mapped_column(String(5))
    #: None: a calendar year.
    window_months: Mapped[int | None]
    grace_days: Mapped[int]
    #: When it, or a tier, was changed last.
    changed_at: Mapped[datetime]
    #: When every card was looked at after a change; before ``changed_at``: not yet.
    settled_at: Mapped[datetime | None]


class Tier(Table):
    """One rung of a programme's ladder."""

    __tablename__ = "tier"
    __table_args__ = (
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("next_units > 0", name="next_units"),
        CheckConstraint("units IS NOT NULL OR by_invitation", name="way_in"),
        CheckConstraint("boost_percent BETWEEN 0 AND 400", name="boost_percent"),
        CheckConstraint("birthday_units BETWEEN 0 AND 1000000", name="birthday_units"),
        Index("ix_tier_programme_id_position", "programme_id", "position"),
    )

    tier_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.programme_id"))
    name: Mapped[str] = mapped_column(String(60))
    #: ``#rrggbb``
    colour: Mapped[str] = mapped_column(String(7))
    #: The lowest first.
    position: Mapped[int]
    #: Of the ladder's unit; None: by invitation alone.
    units: Mapped[int | None]
    #: What it asks for from ``next_from`` on.
    next_units: Mapped[int | None]
    next_from: Mapped[date | None]
    by_invitation: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: On top of everything earned: 50 is half as much again.
    boost_percent: Mapped[int] = mapped_column(default=0, server_default="0")
    #: What else it gives, in the shop's own words, a line each.
    benefits: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    #: More units on a birthday.
    birthday_units: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    #: No card has it any more, nor can.
    removed_at: Mapped[datetime | None]


_IS_CURRENT = text("ended_at IS NULL")


class TierInvitation(Table):
    """That a card was let in to a tier, whatever its units; one at a time."""

    __tablename__ = "tier_invitation"
    __table_args__ = (
        CheckConstraint("why IN ('invited', 'moved')", name="why"),
        Index(
            "uq_tier_invitation_current",
            "card_id",
            unique=True,
            sqlite_where=_IS_CURRENT,
            postgresql_where=_IS_CURRENT,
        ),
    )

    invitation_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), index=True)
    tier_id: Mapped[UUID] = mapped_column(ForeignKey("tier.tier_id"), index=True)
    #: ``moved``: its tier was removed, and this is where its people went.
    why: Mapped[str] = mapped_column(String(10))
    #: First and last day on the shop's calendar; None: no end.
    since_day: Mapped[date]
    until_day: Mapped[date | None]
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_member.staff_id"))
    at: Mapped[datetime]
    #: When another took its place, or it was taken back.
    ended_at: Mapped[datetime | None]


class TierHeld(Table):
    """What tier a card came to have, and why: a row for each change, never removed.

    Written once; of a row only its marks (``ended_at``, ``warned_at``) are set, once
    each. A card has one row that has not ended: ``uq_tier_held_current``.
    """

    __tablename__ = "tier_held"
    __table_args__ = (
        CheckConstraint(
            "why IN ('earned', 'undone', 'kept', 'lost', 'ladder', 'invited', "
            "'withdrawn', 'moved')",
            name="why",
        ),
        Index(
            "uq_tier_held_current",
            "card_id",
            unique=True,
            sqlite_where=_IS_CURRENT,
            postgresql_where=_IS_CURRENT,
        ),
        Index(
            "ix_tier_held_until_at",
            "until_at",
            sqlite_where=_IS_CURRENT,
            postgresql_where=_IS_CURRENT,
        ),
        Index(
            "ix_tier_held_warn_at",
            "warn_at",
            sqlite_where=text("ended_at IS NULL AND warned_at IS NULL"),
            postgresql_where=text("ended_at IS NULL AND warned_at IS NULL"),
        ),
    )

    held_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), index=True)
    #: None: none.
    tier_id: Mapped[UUID | None] = mapped_column(ForeignKey("tier.tier_id"), index=True)
    why: Mapped[str] = mapped_column(String(10))
    #: When it came to this tier without a break, and when this row was written.
    since_at: Mapped[datetime]
    at: Mapped[datetime]
    #: Held to this last second at least, its grace included; None: no end.
    until_at: Mapped[datetime | None]
    #: From when on its member is warned of the end.
    warn_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Plan(Table):
    """A membership that is paid for."""

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("price > 0", name="price"),
        CheckConstraint("period_months IN (1, 12)", name="period_months"),
        CheckConstraint("cashback BETWEEN 0 AND 5000", name="cashback"),
        CheckConstraint("cap > 0", name="cap"),
    )

    plan_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    programme_id: Mapped[UUID] = mapped_column(
        ForeignKey("programme.programme_id"), index=True
    )
    name: Mapped[str] = mapped_column(String(60))
    #: Of one period, in minor units of the shop's currency.
    price: Mapped[int]
    period_months: Mapped[int]
    #: In hundredths of a percent: 200 is 2 %.
    cashback: Mapped[int]
    #: What it gives back in a year at most; None: no end.
    cap: Mapped[int | None]
    #: What else it gives, in the shop's own words, a line each.
    benefits: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    #: False: nobody can take it any more; who has it keeps it to its end.
    is_offered: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime]


class Membership(Table):
    """One paid period of a plan, as it was promised when it was paid.

    A card's periods follow each other: each names the one before it, which only one
    can (``uq_membership_follows_id``), and one of a card names none
    (``uq_membership_first``). So of two who mark one paid at once, one is told that it
    is paid already.
    """

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("paid_how IN ('cash', 'card', 'other')", name="paid_how"),
        CheckConstraint("until_at > from_at", name="until_after_from"),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_somebody"
        ),
        Index(
            "uq_membership_first",
            "card_id",
            unique=True,
            sqlite_where=text("follows_id IS NULL"),
            postgresql_where=text("follows_id IS NULL"),
        ),
        Index("ix_membership_until_at", "until_at"),
    )

    membership_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), index=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.plan_id"), index=True)
    #: As the plan was then.
    name: Mapped[str] = mapped_column(String(60))
    price: Mapped[int]
    period_months: Mapped[int]
    cashback: Mapped[int]
    cap: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    from_at: Mapped[datetime]
    #: The last second that is paid for.
    until_at: Mapped[datetime]
    #: When the year began in which the cap counts.
    year_from_at: Mapped[datetime]
    #: The period before it.
    follows_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("membership.membership_id"), unique=True
    )
    paid_how: Mapped[str] = mapped_column(String(10))
    paid_at: Mapped[datetime]
    paid_by: Mapped[UUID] = mapped_column(ForeignKey("staff_member.staff_id"))
    #: The till where it was paid; None: marked in the console.
    terminal_id: Mapped[UUID | None] = mapped_column(ForeignKey("terminal.terminal_id"))
    request_id: Mapped[str] = mapped_column(String(100), unique=True)
    #: When its member was reminded that it ends, and told that it has ended.
    reminded_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    #: When the fee was paid back, by whom and why.
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    reason: Mapped[str | None] = mapped_column(String(200))

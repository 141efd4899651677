"""The tiers of a programme, and what its cards earned, as the books have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from app.programme import cards, expiry, money, units
from app.programme.tiers.ladder import (
    EARNING,
    Earned,
    Invited,
    Ladder,
    Moved,
    Rung,
    earned_of,
)
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import Card, CardMerge, LedgerEntry, Tier, TierInvitation
from app.store.tables import Ladder as LadderRow
from app.tools import Tools

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TierView:
    """One tier, with what it gives."""

    tier_id: UUID
    name: str
    #: ``#rrggbb``
    colour: str
    #: Of two the higher is above.
    position: int
    #: Units that reach it; None: by invitation alone.
    units: int | None
    #: From that day on it asks for ``next_units``.
    next_from: date | None
    next_units: int | None
    by_invitation: bool
    #: On top of everything earned: 50 is half as much again.
    boost_percent: int
    #: In the shop's own words.
    benefits: tuple[str, ...]
    #: More units on a birthday.
    birthday_units: int

    @property
    def rung(self) -> Rung:
        """The tier as far as reaching it goes."""
        return Rung(
            self.tier_id, self.name, self.units, self.next_from, self.next_units
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """How a programme counts for its tiers, and which it has, the lowest first."""

    programme_id: UUID
    unit: Unit
    #: None: a calendar year.
    window_months: int | None
    grace_days: int
    tiers: tuple[TierView, ...]
    #: The shop's, in whose minor units cashback is counted.
    currency: str = money.DEFAULT_CURRENCY

    @property
    def ladder(self) -> Ladder:
        """The rules as far as counting goes."""
        rungs = tuple(tier.rung for tier in self.tiers)
        return Ladder(rungs, self.window_months, self.grace_days)

    def tier(self, tier_id: UUID | None) -> TierView | None:
        """Find a tier; None where there is none such."""
        return next((one for one in self.tiers if one.tier_id == tier_id), None)

    def place(self, tier_id: UUID | None) -> int:
        """Tell how high a tier stands, 0 is the lowest; -1: it is none of these."""
        ids = [one.tier_id for one in self.tiers]
        return ids.index(tier_id) if tier_id in ids else -1


def of_programme(tools: Tools, programme_id: UUID) -> Rules | None:
    """Read a programme's tiers; None where it never had any."""
    with tools.database.read() as tx:
        return read(tx, LadderRow.programme_id == programme_id)


def of_card(tx: Tx, card_id: UUID) -> Rules | None:
    """Read the tiers of a card's programme; None where it has none."""
    found = read(
        tx,
        LadderRow.programme_id
        == select(Card.programme_id).where(Card.card_id == card_id).scalar_subquery(),
    )
    return found if found and found.tiers else None


def read(tx: Tx, which: ColumnElement[bool]) -> Rules | None:
    """Read the rules of a ladder."""
    rows = tx.execute(
        select(LadderRow, Tier)
        .outerjoin(
            Tier,
            and_(
                Tier.programme_id == LadderRow.programme_id, Tier.removed_at.is_(None)
            ),
        )
        .where(which)
        .order_by(Tier.position)
    ).all()
    if not rows:
        return None
    ladder = rows[0][0]
    tiers: list[Tier | None] = [tier for _, tier in rows]
    return Rules(
        ladder.programme_id,
        Unit(ladder.unit),
        ladder.window_months,
        ladder.grace_days,
        tuple(view(tier) for tier in tiers if tier is not None),
        money.currency_of(tx),
    )


def view(row: Tier) -> TierView:
    """Turn a row into what others may hold."""
    return TierView(
        row.tier_id,
        row.name,
        row.colour,
        row.position,
        row.units,
        row.next_from,
        row.next_units,
        row.by_invitation,
        row.boost_percent,
        tuple(filter(None, row.benefits.split("\n"))),
        row.birthday_units,
    )


def earned_by(
    tx: Tx, card_id: UUID, rules: Rules, day: date, zone: ZoneInfo
) -> tuple[Earned, ...]:
    """Read what a card earned, as far back as it counts on a day.

    What was earned on a card that was put to it counts too.
    """
    rows = tx.execute(
        select(
            LedgerEntry.entry_id,
            LedgerEntry.kind,
            LedgerEntry.units,
            LedgerEntry.at,
            LedgerEntry.reverses_id,
        ).where(
            LedgerEntry.card_id.in_(cards.all_of(tx, card_id)),
            is_of(rules.unit),
            LedgerEntry.at >= _first_moment(rules, day, zone),
            or_(
                LedgerEntry.reverses_id.is_not(None),
                and_(LedgerEntry.kind.in_(EARNING), LedgerEntry.units > 0),
            ),
        )
    )
    return earned_of(
        Moved(entry_id, kind, given, at.astimezone(zone).date(), reverses_id)
        for entry_id, kind, given, at, reverses_id in rows
    )


def invited_to(tx: Tx, card_id: UUID) -> tuple[Invited, ...]:
    """Read the invitation that a card has."""
    rows = tx.execute(
        select(
            TierInvitation.tier_id, TierInvitation.since_day, TierInvitation.until_day
        ).where(TierInvitation.card_id == card_id, TierInvitation.ended_at.is_(None))
    )
    return tuple(Invited(*row) for row in rows)


def counted_now(
    tx: Tx, rules: Rules, day: date, zone: ZoneInfo
) -> Mapping[UUID, tuple[Earned, ...]]:
    """Read what counts today of every open card of a programme, summed up.

    What counts is what ``ladder`` counts; when in its window each unit came is left
    out, so that a large shop is read in one question.

    Returns:
        By card, one sum; of calendar years one for each of the two.
    """
    first = _first_moment(rules, day, zone, grace=False)
    this_year = datetime.combine(date(day.year, 1, 1), time(), zone).astimezone(UTC)
    is_new = LedgerEntry.at >= (this_year if rules.window_months is None else first)
    asked = _earned_sums(rules, first, is_new)
    found = {}
    for card_id, new, old in tx.execute(asked):
        sums = [Earned(day, int(new or 0))] if new else []
        if old:
            sums.append(Earned(date(day.year - 1, 12, 31), int(old)))
        found[card_id] = tuple(sums)
    return found


def _earned_sums(
    rules: Rules, first: datetime, is_new: ColumnElement[bool]
) -> Select[UUID, Any, Any]:
    # What was earned on a card that was put to another counts for that one.
    first_step = select(CardMerge.card_id, CardMerge.into_card_id).cte(recursive=True)
    going = first_step.union(
        select(first_step.c.card_id, CardMerge.into_card_id).where(
            CardMerge.card_id == first_step.c.into_card_id
        )
    )
    undoing = aliased(LedgerEntry)
    undone = (
        select(undoing.entry_no)
        .where(undoing.reverses_id == LedgerEntry.entry_id)
        .exists()
    )
    return (
        select(
            Card.card_id,
            func.sum(case((is_new, LedgerEntry.units), else_=0)),
            func.sum(case((is_new, 0), else_=LedgerEntry.units)),
        )
        .select_from(LedgerEntry)
        .outerjoin(going, going.c.card_id == LedgerEntry.card_id)
        .join(
            Card,
            Card.card_id == func.coalesce(going.c.into_card_id, LedgerEntry.card_id),
        )
        .where(
            Card.programme_id == rules.programme_id,
            Card.closed_at.is_(None),
            LedgerEntry.kind.in_(EARNING),
            LedgerEntry.units > 0,
            LedgerEntry.at >= first,
            is_of(rules.unit),
            ~undone,
        )
        .group_by(Card.card_id)
    )


def is_of(unit: Unit) -> ColumnElement[bool]:
    """Ask for entries in a unit, as the ledger names it."""
    name = units.kept(unit)
    return LedgerEntry.unit.is_(None) if name is None else LedgerEntry.unit == name


def today(tx: Tx, at: datetime) -> tuple[date, ZoneInfo]:
    """Tell the day of a moment on the shop's calendar, and its zone."""
    zone = expiry.zone_of(tx)
    return at.astimezone(zone).date(), zone


def _first_moment(
    rules: Rules, day: date, zone: ZoneInfo, *, grace: bool = True
) -> datetime:
    """Tell from when on what was earned can count on a day, or in its grace."""
    back = day - _DAY * (rules.grace_days if grace else 0)
    if rules.window_months is None:
        first = date(back.year - 1, 1, 1)
    else:
        # Months are 31 days long at most; then to the first day that counts.
        first = back - _DAY * (31 * rules.window_months + 1)
        while rules.ladder.last_day(first) < back:
            first += _DAY
    return datetime.combine(first, time(), zone).astimezone(UTC)


def told(rules: Rules) -> list[dict[str, Any]]:
    """Write the tiers as the audit log has them, the lowest first."""
    return [
        {
            "tier": str(one.tier_id),
            "name": one.name,
            "units": one.units,
            "next_units": one.next_units,
            "next_from": one.next_from.isoformat() if one.next_from else None,
            "by_invitation": one.by_invitation,
            "boost_percent": one.boost_percent,
            "benefits": list(one.benefits),
            "birthday_units": one.birthday_units,
        }
        for one in rules.tiers
    ]

"""What membership a card has, and what its cashback has come to.

A period is good from ``from_at`` to the last second of ``until_at``, whatever the
worker does. A renewal that is paid in time begins the second after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.programme import units
from app.programme.plans.advice import Terms
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import LedgerEntry, Membership, Plan, StaffMember
from app.tools import Tools

#: The rule of an entry of cashback, a stable word.
RULE: Final = "cashback"
#: From so many days before the end the next period can be paid, by months of a period.
RENEW_DAYS: Final[Mapping[int, int]] = {1: 10, 12: 60}


@dataclass(frozen=True, slots=True)
class Period:
    """One paid period, as it was promised."""

    membership_id: UUID
    plan_id: UUID
    name: str
    terms: Terms
    currency: str
    from_at: datetime
    until_at: datetime
    #: When the year began in which the cap counts.
    year_from_at: datetime
    paid_how: str
    paid_at: datetime
    #: Who marked it.
    paid_by: str
    #: When the fee was paid back, and why.
    ended_at: datetime | None
    reason: str | None
    benefits: tuple[str, ...]
    #: Cashback given in its year so far, in minor units.
    given: int = 0
    #: Whether the next period is paid already.
    is_renewed: bool = False

    @property
    def left(self) -> int | None:
        """What the cap leaves of its year; None: there is none."""
        cap = self.terms.cap
        return None if cap is None else max(0, cap - self.given)

    def is_good(self, at: datetime) -> bool:
        """Tell whether a moment is paid for."""
        return self.ended_at is None and self.from_at <= at <= self.until_at


def of_card(tools: Tools, card_id: UUID) -> list[Period]:
    """Read all paid periods of a card, the newest first."""
    with tools.database.read() as tx:
        return _read(tx, card_id)


def current(tx: Tx, card_id: UUID, at: datetime) -> Period | None:
    """Read the period in which a card is at a moment; None: it has none."""
    return next((one for one in _read(tx, card_id) if one.is_good(at)), None)


def is_paid_on(tx: Tx, card_id: UUID, at: datetime) -> bool:
    """Tell whether a card has a period that is paid for, now or later."""
    return any(
        one.ended_at is None and one.until_at >= at for one in _read(tx, card_id)
    )


def _read(tx: Tx, card_id: UUID) -> list[Period]:
    rows = tx.execute(
        select(Membership, Plan.benefits, StaffMember.name)
        .join(Plan, Plan.plan_id == Membership.plan_id)
        .join(StaffMember, StaffMember.staff_id == Membership.paid_by)
        .where(Membership.card_id == card_id)
        .order_by(Membership.from_at.desc(), Membership.paid_at.desc())
    ).all()
    followed = {row.follows_id for row, *_ in rows if row.ended_at is None}
    return [
        Period(
            row.membership_id,
            row.plan_id,
            row.name,
            Terms(row.price, row.period_months, row.cashback, row.cap),
            row.currency,
            row.from_at,
            row.until_at,
            row.year_from_at,
            row.paid_how,
            row.paid_at,
            staff,
            row.ended_at,
            row.reason,
            tuple(filter(None, benefits.split("\n"))),
            given_since(tx, card_id, row.year_from_at),
            row.membership_id in followed,
        )
        for row, benefits, staff in rows
    ]


def given_since(tx: Tx, card_id: UUID, since: datetime) -> int:
    """Add up the cashback that a card was given and has kept, in minor units."""
    undoing = aliased(LedgerEntry)
    undone = (
        select(undoing.entry_no)
        .where(undoing.reverses_id == LedgerEntry.entry_id)
        .exists()
    )
    found = tx.scalar(
        select(func.sum(LedgerEntry.units)).where(
            LedgerEntry.card_id == card_id,
            LedgerEntry.rule == RULE,
            LedgerEntry.unit == units.kept(Unit.CENT),
            LedgerEntry.reverses_id.is_(None),
            LedgerEntry.at >= since,
            ~undone,
        )
    )
    return int(found or 0)


def renewable_from(period: Period) -> datetime:
    """Tell from when on the period after this one can be paid."""
    early = RENEW_DAYS[period.terms.period_months]
    return period.until_at - timedelta(days=early)

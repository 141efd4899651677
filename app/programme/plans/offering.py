"""The plans of a programme, as managers set them and members read them.

A plan that is changed holds for what is paid from then on: a period that is paid keeps
its terms to its end (``app.store.tables.Membership`` has them).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.programme import audit, money
from app.programme.errors import NotFound
from app.programme.plans.advice import Terms
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.words import clean_lines, clean_name
from app.store.database import Tx
from app.store.tables import Membership, Plan, Programme
from app.tools import Tools

#: In minor units.
PRICE: Final = range(1, money.MOST + 1)
#: In hundredths of a percent: up to a half.
CASHBACK: Final = range(5_001)
PERIODS: Final = (1, 12)
BENEFITS_LENGTH: Final = 1000
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class PlanView:
    """One plan, with what it gives."""

    plan_id: UUID
    name: str
    terms: Terms
    #: In the shop's own words.
    benefits: tuple[str, ...]
    #: Whether it can be taken.
    is_offered: bool
    #: Cards that have it now.
    members: int = 0


@dataclass(frozen=True, slots=True)
class PlanDraft:
    """A plan as it was typed; -1 stands for what is no number."""

    name: str
    #: Of one period, in minor units.
    price: int
    period_months: int
    #: In hundredths of a percent.
    cashback: int
    #: In a year, in minor units; None: no end.
    cap: int | None
    benefits: str
    is_offered: bool


def of_programme(tools: Tools, programme_id: UUID) -> list[PlanView]:
    """Read a programme's plans: offered ones first, then by price."""
    now = tools.now()
    with tools.database.read() as tx:
        members = dict(
            tx.execute(
                select(Membership.plan_id, func.count())
                .where(
                    Membership.ended_at.is_(None),
                    Membership.from_at <= now,
                    Membership.until_at >= now,
                )
                .group_by(Membership.plan_id)
            ).all()
        )
        rows = tx.scalars(
            select(Plan)
            .where(Plan.programme_id == programme_id)
            .order_by(Plan.is_offered.desc(), Plan.price, Plan.plan_id)
        )
        return [view(row, members.get(row.plan_id, 0)) for row in rows]


def are_offered(tools: Tools) -> bool:
    """Tell whether any plan can be taken, so that a till has to take money for it."""
    with tools.database.read() as tx:
        asked = (
            select(Plan.plan_id)
            .join(Programme, Programme.programme_id == Plan.programme_id)
            .where(Plan.is_offered, Programme.is_open)
        )
        return tx.scalar(asked.limit(1)) is not None


def currency(tools: Tools) -> str:
    """Read the shop's currency, in whose minor units all sums are."""
    with tools.database.read() as tx:
        return money.currency_of(tx)


def view(row: Plan, members: int = 0) -> PlanView:
    """Turn a row into what others may hold."""
    return PlanView(
        row.plan_id,
        row.name,
        Terms(row.price, row.period_months, row.cashback, row.cap),
        tuple(filter(None, row.benefits.split("\n"))),
        row.is_offered,
        members,
    )


def save_plan(
    tools: Tools,
    programme_id: UUID,
    plan_id: UUID | None,
    draft: PlanDraft,
    *,
    by: ConsoleCaller,
) -> UUID:
    """Change a plan, or make one.

    Args:
        tools: the books.
        programme_id: whose members can take it.
        plan_id: which; a new one when None.
        draft: as typed.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: see ``checked``; or ``name`` is ``taken``.
        NotFound: no such programme or plan.
    """
    must_lead(by)
    draft = checked(draft)
    with tools.database.begin() as tx:
        if tx.get(Programme, programme_id, with_for_update=True) is None:
            raise NotFound
        row = _row(tx, tools, programme_id, plan_id)
        names = tx.scalars(
            select(Plan.name).where(
                Plan.programme_id == programme_id, Plan.plan_id != row.plan_id
            )
        )
        if draft.name.casefold() in {name.casefold() for name in names}:
            refuse({"name": "taken"})
        row.name, row.price, row.period_months = (
            draft.name, draft.price, draft.period_months,
        )  # fmt: skip
        row.cashback, row.cap = draft.cashback, draft.cap
        row.benefits, row.is_offered = draft.benefits, draft.is_offered
        tx.add(row)
        tx.flush()
        audit.record(
            tx,
            tools,
            "plan.changed" if plan_id else "plan.added",
            row.plan_id,
            by=by.staff_id,
            name=row.name,
            price=row.price,
            period_months=row.period_months,
            cashback=row.cashback,
            cap=row.cap,
            benefits=row.benefits,
            is_offered=row.is_offered,
        )
        return row.plan_id


def checked(draft: PlanDraft) -> PlanDraft:
    """Check a draft; pure.

    Raises:
        InvalidRequest: ``name`` as ``clean_name`` has it; ``price``, ``cashback`` or
            ``cap`` is ``out_of_range``; ``period_months`` is ``missing``; ``cashback``
            is ``gives_nothing``; ``cap`` is ``below_a_month`` (of what is paid), or
            ``below_price`` where nothing else is given; ``benefits`` is ``too_long`` or
            has ``bad_characters``.
    """
    wrong: dict[str, str] = {}
    name = clean_name(draft.name, wrong)
    benefits = clean_lines(draft.benefits, wrong, "benefits", BENEFITS_LENGTH)
    wrong |= _wrong_figures(draft, benefits)
    if not wrong:
        wrong |= _wrong_cap(draft, benefits)
    refuse(wrong)
    return PlanDraft(
        name, draft.price, draft.period_months, draft.cashback, draft.cap, benefits,
        draft.is_offered,
    )  # fmt: skip


def _wrong_figures(draft: PlanDraft, benefits: str) -> dict[str, str]:
    wrong = {}
    if draft.price not in PRICE:
        wrong["price"] = "out_of_range"
    if draft.period_months not in PERIODS:
        wrong["period_months"] = "missing"
    if draft.cashback not in CASHBACK:
        wrong["cashback"] = "out_of_range"
    elif not draft.cashback and not benefits:
        wrong["cashback"] = "gives_nothing"
    if draft.cap is not None and draft.cap not in PRICE:
        wrong["cap"] = "out_of_range"
    return wrong


def _wrong_cap(draft: PlanDraft, benefits: str) -> dict[str, str]:
    """Tell whether a cap takes away what the plan is there for."""
    a_year = Terms(draft.price, draft.period_months, 0).price_a_year
    if draft.cap is None:
        return {}
    if draft.cap * _MONTHS < a_year:
        return {"cap": "below_a_month"}
    return {"cap": "below_price"} if draft.cap < a_year and not benefits else {}


def _row(tx: Tx, tools: Tools, programme_id: UUID, plan_id: UUID | None) -> Plan:
    if plan_id is None:
        return Plan(programme_id=programme_id, created_at=tools.now())
    row = tx.get(Plan, plan_id, with_for_update=True)
    if row is None or row.programme_id != programme_id:
        raise NotFound
    return row

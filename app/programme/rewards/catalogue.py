"""The list of rewards as the shop keeps it: what there is, what it costs, what is left.

A reward is changed at any time, and no voucher with it: each keeps what was promised.
What people are promised has an ``edition``, so that nobody pays another price than the
one they saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update

from app.programme import audit, stock
from app.programme.errors import InvalidRequest, NotFound
from app.programme.rewards.plans import Before, Kind, Plan, checked
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.store.database import Tx
from app.store.tables import Card, Programme, Reward, Tier
from app.tools import Tools

#: Rewards that a programme has at most.
MOST: Final = 100
#: Changes of these are another promise.
_PROMISED: Final = (
    "kind",
    "name",
    "about",
    "unit",
    "price",
    "worth",
    "voucher_days",
    "needs_tier_id",
    "starts_at",
    "ends_at",
    "place",
)
#: From so many partner's codes on, the shop is told that they run low.
LOW: Final = 10


@dataclass(frozen=True, slots=True)
class RewardView:
    """A reward, what is left of it, and why nobody can have it if nobody can."""

    reward_id: UUID
    programme_id: UUID
    plan: Plan
    edition: int
    position: int
    sold: int
    #: Of the budget, minor units.
    spent: int
    #: How many there are still; None: no limit.
    left: int | None
    #: As ``RewardUnavailable`` has it; None: it can be had.
    why_not: str | None
    #: Of an event that was called off: since when.
    called_off_at: datetime | None = None

    @property
    def runs_low(self) -> bool:
        """Tell whether more codes are needed soon."""
        is_pool = self.plan.kind == Kind.PARTNER
        return is_pool and self.left is not None and self.left <= LOW


def view(tx: Tx, row: Reward, at: datetime) -> RewardView:
    """Copy a reward's row into a value."""
    left = None if row.stock is None else row.stock - row.sold
    if row.kind == Kind.PARTNER:
        left = stock.codes_left(tx, row.reward_id)
    why = stock.why_not(row, at)
    return RewardView(
        reward_id=row.reward_id,
        programme_id=row.programme_id,
        plan=Plan(**{each.name: getattr(row, each.name) for each in fields(Plan)}),
        edition=row.edition,
        position=row.position,
        sold=row.sold,
        spent=row.spent,
        left=left,
        why_not=why or ("sold_out" if left == 0 else None),
        called_off_at=row.called_off_at,
    )


def of_programme(tx: Tx, programme_id: UUID, at: datetime) -> tuple[RewardView, ...]:
    """Read a programme's rewards in their order."""
    rows = tx.scalars(
        select(Reward)
        .where(Reward.programme_id == programme_id)
        .order_by(Reward.position, Reward.created_at)
    )
    return tuple(view(tx, row, at) for row in rows.all())


def rewards(tools: Tools, programme_id: UUID) -> tuple[RewardView, ...]:
    """Read a programme's rewards in their order."""
    with tools.database.read() as tx:
        return of_programme(tx, programme_id, tools.now())


def reward(tools: Tools, reward_id: UUID) -> RewardView:
    """Read a reward.

    Raises:
        NotFound: no such reward.
    """
    with tools.database.read() as tx:
        row = tx.get(Reward, reward_id)
        if row is None:
            raise NotFound
        return view(tx, row, tools.now())


def save(
    tools: Tools,
    plan: Plan,
    *,
    programme_id: UUID,
    reward_id: UUID | None,
    by: ConsoleCaller,
) -> UUID:
    """Change a reward, or make one.

    Args:
        tools: the books and the clock.
        plan: what it shall be, as typed.
        programme_id: whose it is; of one that is there already, what it was.
        reward_id: which; a new one when None.
        by: who asks.

    Returns:
        Its id.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: a field makes no sense, by the words of ``plans``.
        NotFound: no such reward or programme.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    now = tools.now()
    with tools.database.begin() as tx:
        row = _row(tx, tools, programme_id, reward_id)
        before = None
        if reward_id is not None:
            before = Before(row.kind, row.sold, row.spent, row.closes_at, row.starts_at)
        plan = checked(plan, wrong, now=now, before=before)
        if plan.needs_tier_id not in {None, row.needs_tier_id}:
            is_its = select(Tier.tier_id).where(
                Tier.tier_id == plan.needs_tier_id,
                Tier.programme_id == row.programme_id,
                Tier.removed_at.is_(None),
            )
            if tx.scalar(is_its) is None:
                wrong["needs_tier_id"] = "not_an_id"
        refuse(wrong)
        _write(row, plan, is_new=reward_id is None)
        tx.add(row)
        tx.flush()
        audit.record(
            tx,
            tools,
            "reward.changed" if reward_id else "reward.added",
            row.reward_id,
            by=by.staff_id,
            **_told(plan),
        )
        return row.reward_id


def move(tools: Tools, reward_id: UUID, *, up: bool, by: ConsoleCaller) -> None:
    """Put a reward before the one above it, or behind the one below.

    Raises:
        Forbidden, NotFound.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        row = tx.get(Reward, reward_id)
        if row is None:
            raise NotFound
        rows = list(
            tx.scalars(
                select(Reward)
                .where(Reward.programme_id == row.programme_id)
                .order_by(Reward.position, Reward.created_at)
                .with_for_update()
            )
        )
        _swap(rows, rows.index(row), up=up)
        audit.record(tx, tools, "reward.moved", reward_id, by=by.staff_id)


def set_exchanges(
    tools: Tools, programme_id: UUID, exchanges: str, *, by: ConsoleCaller
) -> None:
    """Say whether a full card becomes a voucher by itself, or members choose.

    A programme whose members are to choose, and that has no reward, gets its own as
    the first: nobody's full card is worth nothing from one moment to the next.

    Args:
        tools: the books.
        programme_id: which.
        exchanges: ``automatic`` or ``by_choice``.
        by: who asks.

    Raises:
        Forbidden, NotFound; InvalidRequest: it is neither.
    """
    must_lead(by)
    if exchanges not in {"automatic", "by_choice"}:
        raise InvalidRequest({"exchanges": "missing"})
    with tools.database.begin() as tx:
        row = tx.get(Programme, programme_id, with_for_update=True)
        if row is None:
            raise NotFound
        if row.exchanges == exchanges:
            return
        row.exchanges = exchanges
        if exchanges == "by_choice" and not of_programme(tx, programme_id, tools.now()):
            first = Plan(
                kind=Kind.ITEM,
                name=row.reward,
                price=row.stamps_required,
                voucher_days=row.voucher_days,
            )
            begun = _row(tx, tools, programme_id, None)
            _write(begun, first, is_new=True)
            tx.add(begun)
        tx.flush()
        _touch_cards(tx, programme_id)
        audit.record(
            tx,
            tools,
            "exchanges.changed",
            programme_id,
            by=by.staff_id,
            exchanges=exchanges,
        )


def _row(tx: Tx, tools: Tools, programme_id: UUID, reward_id: UUID | None) -> Reward:
    """Find a reward to change, or begin one at the end of the list."""
    if reward_id is not None:
        row = tx.get(Reward, reward_id, with_for_update=True)
        if row is None:
            raise NotFound
        return row
    if tx.get(Programme, programme_id) is None:
        raise NotFound
    of_it = Reward.programme_id == programme_id
    count, last = tx.execute(
        select(func.count(), func.max(Reward.position)).where(of_it)
    ).one()
    if count >= MOST:
        raise InvalidRequest({"name": "too_many"})
    return Reward(
        programme_id=programme_id,
        position=(last or 0) + 1,
        sold=0,
        spent=0,
        edition=1,
        created_at=tools.now(),
    )


def _touch_cards(tx: Tx, programme_id: UUID) -> None:
    """Count a change of every card in the programme: phones show what it is."""
    tx.execute(
        update(Card)
        .where(Card.programme_id == programme_id)
        .values(version=Card.version + 1)
        .execution_options(synchronize_session=False)
    )


def _write(row: Reward, plan: Plan, *, is_new: bool) -> None:
    values = asdict(plan)
    is_other = any(getattr(row, name) != values[name] for name in _PROMISED)
    for name, value in values.items():
        setattr(row, name, value)
    if is_other and not is_new:
        row.edition += 1


def _swap(rows: Sequence[Reward], at: int, *, up: bool) -> None:
    """Number a list anew, with one of it a place higher or lower."""
    other = at - 1 if up else at + 1
    order = list(rows)
    if 0 <= other < len(order):
        order[at], order[other] = order[other], order[at]
    for position, row in enumerate(order, 1):
        row.position = position


def _told(plan: Plan) -> dict[str, Any]:
    """Write a plan as plain data, without what only its holders read."""
    values = asdict(plan)
    values.pop("content")
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if isinstance(value, UUID)
        else value
        for name, value in values.items()
        if value is not None
    }

"""What people at a till may do besides scanning, as a manager decides."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select

from app.programme import audit
from app.programme.earning import shelf
from app.programme.errors import NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.store.tables import Membership, Plan, Shop
from app.tools import Tools


def allows_by_hand(tools: Tools) -> bool:
    """Tell whether stamps may be given by hand; no before the shop was founded."""
    with tools.database.read() as tx:
        return bool(tx.scalar(select(Shop.allows_by_hand)))


def asks_for_sums(tools: Tools) -> bool:
    """Tell whether what is paid counts for anything: a rule, or a plan's cashback."""
    with tools.database.read() as tx:
        pays_back = select(Plan.plan_id).where(Plan.is_offered, Plan.cashback > 0)
        return (
            shelf.counts_sums(tx, tools.now())
            or tx.scalar(pays_back.limit(1)) is not None
            or tx.scalar(_has_cashback(tools.now()).limit(1)) is not None
        )


def _has_cashback(at: datetime) -> Select[UUID]:
    """Ask for memberships that pay back now, though nobody can take them any more."""
    return select(Membership.membership_id).where(
        Membership.cashback > 0,
        Membership.ended_at.is_(None),
        Membership.until_at >= at,
    )


def allow_by_hand(tools: Tools, *, is_allowed: bool, by: ConsoleCaller) -> None:
    """Allow stamps by hand, or forbid them.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: the shop was never founded.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        row = tx.get(Shop, 1)
        if row is None:
            raise NotFound
        row.allows_by_hand = is_allowed
        action = "by_hand.allowed" if is_allowed else "by_hand.forbidden"
        audit.record(tx, tools, action, "shop", by=by.staff_id)

"""What people at a till may do besides scanning, as a manager decides."""

from __future__ import annotations

from sqlalchemy import select

from app.programme import audit
from app.programme.errors import NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.store.tables import Shop
from app.tools import Tools


def allows_by_hand(tools: Tools) -> bool:
    """Tell whether stamps may be given by hand; no before the shop was founded."""
    with tools.database.read() as tx:
        return bool(tx.scalar(select(Shop.allows_by_hand)))


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

"""Cashback of a paid membership: what a purchase brings back, within the year's cap.

It is counted over all that was bought in the paid period, less what came back, and what
it has given so far is taken off. So a remainder is carried over, and in whatever pieces
a purchase is paid, it gives the same. The entry names the purchase and goes back with
it, also when it was spent meanwhile (``purchases``).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select

from app.programme import ledger, units
from app.programme.plans import periods
from app.programme.plans.periods import RULE, Period
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import LedgerEntry, Purchase, Refund
from app.tools import Tools

_WHOLE = 10_000


def give(tx: Tx, tools: Tools, first: LedgerEntry) -> int:
    """Write what a purchase brings back; nothing without a membership or a sum.

    Call it when the purchase and its first entry were written, and the card is held,
    before ``cards.credit``.

    Args:
        tx: the caller's.
        tools: the keys.
        first: the entry that names the purchase.

    Returns:
        Minor units that were given.

    Raises:
        TryAgain: nothing can be signed now.
    """
    if first.purchase_id is None:
        return 0
    period = periods.current(tx, first.card_id, first.at)
    return _give(tx, tools, first, period)


def give_rest(tx: Tx, tools: Tools, root: LedgerEntry, *, sold_at: datetime) -> int:
    """Write anew what the rest of a purchase brings back, when all was taken back.

    Args:
        tx: the caller's, which has written what came back.
        tools: the keys.
        root: of the refund.
        sold_at: when the purchase was; of an earlier period nothing is given anew.

    Returns:
        Minor units that were given.

    Raises:
        TryAgain: nothing can be signed now.
    """
    period = periods.current(tx, root.card_id, root.at)
    if period is None or not period.from_at <= sold_at <= period.until_at:
        return 0
    return _give(tx, tools, root, period)


def _give(tx: Tx, tools: Tools, first: LedgerEntry, period: Period | None) -> int:
    if period is None or not period.terms.cashback:
        return 0
    given = owed(tx, first.card_id, period)
    if given > 0:
        entry = LedgerEntry(
            entry_id=uuid4(),
            card_id=first.card_id,
            kind="BONUS",
            units=given,
            unit=units.kept(Unit.CENT),
            rule=RULE,
            at=first.at,
            purchase_id=first.purchase_id,
            caused_by_id=first.entry_id,
            location_id=first.location_id,
        )
        ledger.write(tx, tools, entry)
    return max(given, 0)


def owed(tx: Tx, card_id: UUID, period: Period) -> int:
    """Tell what a period owes for all that was bought in it; below nought: too much."""
    back = (
        select(func.coalesce(func.sum(Refund.amount), 0))
        .where(Refund.purchase_id == Purchase.purchase_id)
        .scalar_subquery()
    )
    spent = tx.scalar(
        select(func.sum(Purchase.amount - back)).where(
            Purchase.card_id == card_id,
            Purchase.currency == period.currency,
            Purchase.at >= period.from_at,
            Purchase.at <= period.until_at,
        )
    )
    earned = int(spent or 0) * period.terms.cashback // _WHOLE
    due = earned - periods.given_since(tx, card_id, period.from_at)
    return due if period.left is None else min(due, period.left)

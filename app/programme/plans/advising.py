"""Whether a plan would have paid for itself: asked of a card's own purchases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select

from app.programme.plans.advice import Advice, Terms, advice
from app.programme.tiers import rules as books
from app.store.tables import Card, Purchase, Refund
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a card's purchases: the day and the sum of each."""

    purchases: tuple[tuple[date, int], ...]
    today: date
    since: date

    def advice(self, terms: Terms) -> Advice:
        """Tell whether a plan would have paid for itself."""
        return advice(self.purchases, terms, today=self.today, since=self.since)


def of_card(tools: Tools, card_id: UUID) -> History | None:
    """Read a card's purchases; None where no sum was ever written down.

    What was paid back is taken off. Known is a card from its first day on, or from the
    first day on which the shop wrote down what was paid.
    """
    with tools.database.read() as tx:
        today, zone = books.today(tx, tools.now())
        opened_at = tx.get_one(Card, card_id).opened_at
        first_at = tx.scalar(select(func.min(Purchase.at)))
        if first_at is None:
            return None
        back = (
            select(func.coalesce(func.sum(Refund.amount), 0))
            .where(Refund.purchase_id == Purchase.purchase_id)
            .scalar_subquery()
        )
        # A day more than a year, whatever the zone.
        since = tools.now() - timedelta(days=368)
        rows = tx.execute(
            select(Purchase.at, Purchase.amount - back).where(
                Purchase.card_id == card_id, Purchase.at >= since
            )
        )
        bought = tuple((at.astimezone(zone).date(), int(sum_)) for at, sum_ in rows)
        known = max(opened_at, first_at).astimezone(zone).date()
        return History(bought, today, known)

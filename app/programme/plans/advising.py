"""Whether a plan would have paid for itself: asked of a card's own purchases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.programme.plans.advice import Advice, Terms, advice
from app.programme.tiers import rules as books
from app.store.tables import Card
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
    """Read a card's purchases; None where no sum was ever written down."""
    with tools.database.read() as tx:
        day, zone = books.today(tx, tools.now())
        card = tx.get_one(Card, card_id)
        bought: tuple[tuple[date, int], ...] = ()
        if not bought:
            return None
        return History(bought, day, card.opened_at.astimezone(zone).date())

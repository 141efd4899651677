"""Who comes to an event: its list of guests, for those who run it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.store.tables import Card, Member, Voucher
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class Guest:
    """One place that somebody has."""

    name: str | None
    card_id: UUID
    #: The card's, of which the last four are shown.
    number: str
    since: datetime
    #: When they came in; None: not yet.
    came_at: datetime | None


def guests(tools: Tools, reward_id: UUID) -> tuple[Guest, ...]:
    """Read who has a place, in the order of joining; places given back are none."""
    with tools.database.read() as tx:
        rows = tx.execute(
            select(
                Member.name,
                Card.card_id,
                Card.number,
                Voucher.issued_at,
                Voucher.redeemed_at,
            )
            .join(Card, Card.card_id == Voucher.card_id)
            .join(Member, Member.member_id == Card.member_id)
            .where(Voucher.reward_id == reward_id, Voucher.state != "voided")
            .order_by(Voucher.issued_at)
        )
        return tuple(Guest(*row) for row in rows.all())

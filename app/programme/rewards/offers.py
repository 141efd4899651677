"""What a member may choose for what is on the card, and what is missing yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app.programme import cards, tiers
from app.programme.cards import CardState
from app.programme.rewards import catalogue
from app.programme.rewards.catalogue import RewardView
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import Voucher
from app.tools import Tools

#: Why a member does not even see a reward.
_HIDDEN = frozenset({"closed", "over"})


@dataclass(frozen=True, slots=True)
class Offer:
    """A reward as one member sees it."""

    reward: RewardView
    #: How many units more it needs; 0: there are enough.
    missing: int
    #: Why it can't be had, as ``RewardUnavailable`` has it; None: nothing but units.
    why_not: str | None
    #: How many of it the member has had.
    had: int
    #: Which tier it takes; "": none.
    tier: str = ""

    @property
    def can_be_had(self) -> bool:
        """Tell whether it can be chosen now."""
        return self.why_not is None and self.missing == 0


def offers(tools: Tools, card: CardState) -> tuple[Offer, ...]:
    """Tell what may be chosen for what is on a card, in the shop's order.

    What is closed or over is left out; what is sold out is shown as such.
    """
    now = tools.now()
    with tools.database.read() as tx:
        return _offers(tx, card, now)


def offer(tools: Tools, card: CardState, reward_id: UUID) -> Offer | None:
    """Find one of them; None where it is not offered."""
    found = offers(tools, card)
    return next((one for one in found if one.reward.reward_id == reward_id), None)


def _offers(tx: Tx, card: CardState, at: datetime) -> tuple[Offer, ...]:
    held = cards.balances(tx, card.card_id, at)
    rows = tx.execute(
        select(Voucher.reward_id, func.count())
        .where(Voucher.card_id == card.card_id, Voucher.nth.is_not(None))
        .group_by(Voucher.reward_id)
    )
    had: dict[UUID | None, int] = {row[0]: row[1] for row in rows}
    known = catalogue.of_programme(tx, card.programme.programme_id, at)
    found = [
        _offer(each, held.get(Unit(each.plan.unit), 0), had.get(each.reward_id, 0))
        for each in known
        if each.why_not not in _HIDDEN
    ]
    return tuple(_by_tier(tx, one, card.card_id, at) for one in found)


def _by_tier(tx: Tx, one: Offer, card_id: UUID, at: datetime) -> Offer:
    """Ask for the tier that a reward takes."""
    needed = one.reward.plan.needs_tier_id
    if needed is None:
        return one
    is_reached = tiers.reaches(tx, card_id, needed, at)
    why = one.why_not or (None if is_reached else "tier")
    return replace(one, why_not=why, tier=tiers.name_of(tx, needed))


def _offer(reward: RewardView, held: int, had: int) -> Offer:
    most = reward.plan.per_member
    why = reward.why_not
    if why is None and most is not None and had >= most:
        why = "had"
    return Offer(reward, max(0, (reward.plan.price or 0) - max(held, 0)), why, had)

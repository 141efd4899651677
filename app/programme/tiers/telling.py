"""The mails about tiers: reached, soon over, lost. Who has no address reads the card.

Each is written with what causes it, and holds all that it says, as it was then.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from app.programme import welcome
from app.programme.tiers.ladder import Standing
from app.programme.tiers.rules import Rules
from app.store import outbox
from app.store.database import Tx
from app.store.tables import Card, Member, Tier
from app.tools import Tools

CHANGED: Final = "tier_changed"
ENDS: Final = "tier_ends"


def changed(
    tx: Tx,
    tools: Tools,
    card_id: UUID,
    rules: Rules | None,
    now: Standing,
    *,
    was: UUID | None,
) -> None:
    """Tell that a card has another tier, or none any more."""
    tier = rules.tier(now.held.tier_id) if rules and now.held else None
    before = tx.get(Tier, was) if was else None
    is_up = tier is not None and (before is None or before.position < tier.position)
    facts = {
        "tier": tier.name if tier else None,
        "was": before.name if before else None,
        "is_up": is_up,
        "until": now.until.isoformat() if now.until else None,
        "benefits": list(tier.benefits) if tier and is_up else [],
        "boost_percent": tier.boost_percent if tier and is_up else 0,
    }
    _put(tx, tools, CHANGED, card_id, facts)


def ends(tx: Tx, tools: Tools, card_id: UUID, rules: Rules, now: Standing) -> None:
    """Tell that a tier is over soon, and what keeps it."""
    if now.held is None or now.ends is None or now.until is None:
        return
    facts = {
        "tier": now.held.name,
        "until": now.until.isoformat(),
        "ends": now.ends.isoformat(),
        "unit": rules.unit.value,
        "keep": now.keep,
    }
    _put(tx, tools, ENDS, card_id, facts)


def _put(tx: Tx, tools: Tools, kind: str, card_id: UUID, facts: dict[str, Any]) -> None:
    member = tx.scalar(
        select(Member)
        .join(Card, Card.member_id == Member.member_id)
        .where(Card.card_id == card_id)
    )
    if member is None or not member.email:
        return
    name = welcome.greeting_name(member.name)
    outbox.put(
        tx,
        kind,
        member.email,
        {"name": name, "card": str(card_id), **facts},
        now=tools.now(),
        member_id=member.member_id,
        locale=member.locale,
    )

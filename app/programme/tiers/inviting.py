"""Letting a card in to a tier, whatever its units: a manager's word."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from app.programme import audit, standing
from app.programme.errors import InvalidRequest, NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.programme.tiers import holding
from app.programme.tiers import rules as books
from app.store.tables import Card
from app.tools import Tools


def invite(
    tools: Tools,
    card_id: UUID,
    tier_id: UUID | None,
    until: date | None,
    *,
    by: ConsoleCaller,
) -> None:
    """Let a card in to a tier, whatever its units; another invitation ends.

    Args:
        tools: the books.
        card_id: whose.
        tier_id: of its programme, one that invites.
        until: the last day; None: without an end.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``tier_id`` is ``not_by_invitation``, ``until`` is ``past``.
        NotEligible: ``own_card``: nobody lets themselves in.
        NotFound: no such card.
    """
    must_lead(by)
    now = tools.now()
    with tools.database.begin() as tx:
        tx.get(Card, card_id, with_for_update=True)
        standing.must_not_be_own(tx, card_id, by.staff_id)
        rules = books.of_card(tx, card_id)
        tier = rules.tier(tier_id) if rules else None
        day, _ = books.today(tx, now)
        wrong = {}
        if tier is None or not tier.by_invitation:
            wrong["tier_id"] = "not_by_invitation"
        if until is not None and until < day:
            wrong["until"] = "past"
        if wrong or tier is None:
            raise InvalidRequest(wrong)
        holding.let_in(tx, card_id, tier.tier_id, day, until, now, why="invited", by=by)
        holding.settle(tx, tools, card_id, now, "invited", by=by.staff_id)
        audit.record(
            tx,
            tools,
            "tier.invited",
            card_id,
            by=by.staff_id,
            tier=str(tier.tier_id),
            until=until.isoformat() if until else None,
        )


def withdraw(tools: Tools, card_id: UUID, *, by: ConsoleCaller) -> None:
    """Take an invitation back: the card has what its own units reach.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such card, or it has no invitation.
    """
    must_lead(by)
    now = tools.now()
    with tools.database.begin() as tx:
        tx.get(Card, card_id, with_for_update=True)
        standing.must_not_be_own(tx, card_id, by.staff_id)
        if not holding.end_invitation(tx, card_id, now):
            raise NotFound
        holding.settle(tx, tools, card_id, now, "withdrawn", by=by.staff_id)
        audit.record(tx, tools, "tier.withdrawn", card_id, by=by.staff_id)

"""Stopping a card or a person for now, at once and without taking anything away."""

from __future__ import annotations

from uuid import UUID

from app.programme import audit, cards
from app.programme.errors import NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import (
    end_tokens,
    may_change_person,
    must_lead,
)
from app.store.tables import AccessToken, Card
from app.tools import Tools


def pause_card(
    tools: Tools, card_id: UUID, *, is_paused: bool, by: ConsoleCaller
) -> None:
    """Let nothing count on a card until further notice, or let it count again.

    Stamps and vouchers stay as they are. Its phone says so at its next look.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such card.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        row = tx.get(Card, card_id, with_for_update={"key_share": True})
        if row is None:
            raise NotFound
        if (row.paused_at is not None) == is_paused:
            return
        row.paused_at = tools.now() if is_paused else None
        tx.flush()
        cards.touch(tx, card_id)
        action = "card.paused" if is_paused else "card.resumed"
        audit.record(tx, tools, action, card_id, by=by.staff_id, number=row.number)


def sign_out_everywhere(tools: Tools, staff_id: UUID, *, by: ConsoleCaller) -> None:
    """End every session of a person, at tills and in the console; PINs stay.

    Raises:
        Forbidden: ``by`` may not change this person.
        NotFound: no such person.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        row = may_change_person(tx, staff_id, by)
        end_tokens(tx, tools, AccessToken.staff_id == staff_id)
        audit.record(
            tx, tools, "staff.signed_out", staff_id, by=by.staff_id, name=row.name
        )

"""The round that writes off units whose end has passed, of cards that nobody used.

Nobody waits for it: what is over is left out of every balance from its end on, and a
card that is used writes its own ends first (``cards.credit``). The round keeps the
ledger's plain sum true for cards that lie in a drawer.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import Select, select

from app.programme import cards
from app.store.tables import Card
from app.tools import Tools

#: Cards of one round; the rest is for the next.
_MOST: Final = 500


def _held(card_id: UUID) -> Select[UUID]:
    """Ask for a card, and let others wait for it."""
    return select(Card.card_id).where(Card.card_id == card_id).with_for_update()


def sweep(tools: Tools) -> int:
    """Write the ends of cards whose units are over, each card in its transaction.

    Returns:
        How many cards it wrote.

    Raises:
        TryAgain: nothing can be signed now.
        StoreDown: the books gave no answer; what was written so far is.
    """
    now = tools.now()
    is_due = Card.units_end_at < now
    with tools.database.read() as tx:
        due = tx.scalars(
            select(Card.card_id).where(is_due).order_by(Card.units_end_at).limit(_MOST)
        ).all()
    for card_id in due:
        with tools.database.begin() as tx:
            # Somebody may use the card meanwhile, and write them.
            if tx.scalar(_held(card_id).where(is_due)) is not None:
                cards.touch(tx, card_id)
                cards.write_ends(tx, tools, card_id, now)
    return len(due)

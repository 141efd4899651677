"""What a card's running round is promised, read and kept with the card.

``Card.promised_version`` is written whenever stamps come or go: the version of the
running round, or None where no stamp lies on the card, so that the next round goes by
the version in force. What gains meanwhile is found by the clock (``reading.promised``)
and needs no writing.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from app.programme.terms import reading
from app.programme.terms.reading import Version
from app.store.database import Tx
from app.store.tables import Card, Programme


def running(tx: Tx, card_id: UUID, at: datetime, *, has_stamps: bool) -> Version:
    """Read which version a card's running round goes by.

    Args:
        tx: the caller's.
        card_id: which; it is there.
        at: the moment.
        has_stamps: whether any stamp lay on it: without one no round has begun.
    """
    row = tx.execute(
        select(Card.promised_version, Programme)
        .join(Programme, Programme.programme_id == Card.programme_id)
        .where(Card.card_id == card_id)
    ).one()
    held, programme = row
    known = reading.of_programme(tx, programme)
    return reading.promised(known, held, at, has_stamps=has_stamps)


def keep(tx: Tx, card_id: UUID, version: int | None) -> None:
    """Write which version the running round goes by; None: none has begun."""
    tx.execute(
        update(Card)
        .where(Card.card_id == card_id)
        .values(promised_version=version)
        .execution_options(synchronize_session=False)
    )

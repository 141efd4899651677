"""That members agreed: once for each version, with its moment."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app.store.database import Tx
from app.store.tables import Card, TermsAccepted
from app.tools import Tools


def note(tx: Tx, card_id: UUID, version: int, at: datetime) -> None:
    """Write that a card's member agreed to a version.

    The caller holds the card, so that nobody agrees twice at once; who does all the
    same meets ``pk_terms_accepted``.
    """
    if tx.get(TermsAccepted, (card_id, version)) is None:
        tx.add(TermsAccepted(card_id=card_id, version=version, accepted_at=at))
        tx.flush()


def accepted_by(tools: Tools, programme_id: UUID) -> dict[int, int]:
    """Count, for each version of a programme, the cards whose member agreed to it."""
    with tools.database.read() as tx:
        rows = tx.execute(
            select(TermsAccepted.version, func.count())
            .join(Card, Card.card_id == TermsAccepted.card_id)
            .where(Card.programme_id == programme_id)
            .group_by(TermsAccepted.version)
        )
        return {row[0]: row[1] for row in rows}

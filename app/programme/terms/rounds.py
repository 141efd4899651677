"""What a card's running round is promised, read and kept with the card.

``Card.promised_version`` is written when stamps come or go: the version of the running
round, or None where no stamp lies on the card, so that the next round goes by the
version in force. What gains meanwhile is found by the clock (``reading.promised``) and
needs no writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from app.programme.terms import reading
from app.programme.terms.reading import Version
from app.store.database import Tx
from app.store.tables import Card, Programme


@dataclass(frozen=True, slots=True)
class Rounds:
    """The versions of a card's programme, and which its running round began under."""

    card_id: UUID
    #: None: no round has begun.
    held: int | None
    known: Sequence[Version]

    def running(self, at: datetime, *, has_stamps: bool) -> Version:
        """Tell which version the running round goes by at a moment."""
        return reading.promised(self.known, self.held, at, has_stamps=has_stamps)

    def coming(self, at: datetime) -> Version:
        """Tell which version a round goes by that begins at a moment."""
        return reading.in_force(self.known, at)

    def keep(self, tx: Tx, version: int | None) -> None:
        """Write which version the running round goes by; None: none has begun."""
        if version == self.held:
            return
        tx.execute(
            update(Card)
            .where(Card.card_id == self.card_id)
            .values(promised_version=version)
            .execution_options(synchronize_session=False)
        )


def of_card(tx: Tx, card_id: UUID) -> Rounds:
    """Read what a card's rounds go by; the card is there."""
    held, programme = tx.execute(
        select(Card.promised_version, Programme)
        .join(Programme, Programme.programme_id == Card.programme_id)
        .where(Card.card_id == card_id)
    ).one()
    return Rounds(card_id, held, reading.of_programme(tx, programme))

"""A programme as it is at a moment: its own row, with what it promises by then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.programme import cards
from app.programme.cards import ProgrammeView
from app.programme.terms import reading
from app.store.database import Tx
from app.store.tables import Programme


def present(tx: Tx, row: Programme, at: datetime) -> ProgrammeView:
    """Read a programme with the version that is in force at a moment."""
    now = reading.in_force(reading.of_programme(tx, row), at)
    return replace(
        cards.programme_view(row),
        terms=now.terms,
        terms_version=now.number,
        stamps_required=now.figures.stamps_required,
        reward=now.figures.reward,
        voucher_days=now.figures.voucher_days,
    )

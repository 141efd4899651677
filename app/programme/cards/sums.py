"""What a card holds: the sums of its entries, and which lots are left of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app.programme import units
from app.programme.lots import Lots, Movement
from app.programme.units import Sums, Unit
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry

_MOVES = (
    LedgerEntry.entry_id,
    LedgerEntry.kind,
    LedgerEntry.unit,
    LedgerEntry.units,
    LedgerEntry.at,
    LedgerEntry.expires_at,
    LedgerEntry.caused_by_id,
    LedgerEntry.reverses_id,
)


def balance_of(tx: Tx, card_id: UUID, unit: Unit = Unit.STAMP) -> int:
    """Add up a card's ledger in one unit, ends that are not written yet left out."""
    total = tx.scalar(
        select(func.coalesce(func.sum(LedgerEntry.units), 0)).where(
            LedgerEntry.card_id == card_id,
            LedgerEntry.unit.is_not_distinct_from(units.kept(unit)),
        )
    )
    return int(total or 0)


def balances(tx: Tx, card_id: UUID, at: datetime) -> Sums:
    """Tell what can be spent of each unit at a moment; below nought where some is owed.

    That is the sum of the entries, less what has ended and is not written off yet.

    Returns:
        Of stamps always, of other units where there ever were any.
    """
    end = tx.scalar(select(Card.units_end_at).where(Card.card_id == card_id))
    if end is not None and at > end:
        return usable(lots_of(tx, card_id), at)
    rows = tx.execute(
        select(LedgerEntry.unit, func.sum(LedgerEntry.units))
        .where(LedgerEntry.card_id == card_id)
        .group_by(LedgerEntry.unit)
    )
    return {Unit.STAMP: 0} | {units.of(unit): int(total) for unit, total in rows}


def usable(lots: Lots, at: datetime) -> Sums:
    """Tell what can be spent of each unit; of stamps always."""
    return {
        unit: left
        for unit in Unit
        if (left := lots.usable(unit, at)) or unit is Unit.STAMP
    }


def lots_of(tx: Tx, card_id: UUID) -> Lots:
    """Read all lots of a card, by all of its entries."""
    rows = tx.execute(
        select(*_MOVES)
        .where(LedgerEntry.card_id == card_id, LedgerEntry.units != 0)
        .order_by(LedgerEntry.entry_no)
    )
    return Lots(
        Movement(row[0], row[1], units.of(row[2]), *row[3:]) for row in rows.all()
    )

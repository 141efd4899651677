"""Units that go from one card to another of the same programme, with their ends.

Each leaves the one by an entry, and comes to the other by an entry that names it. So do
they when two cards are put together, and so do they again when something of a card that
was put to another is undone later: nothing stays on a card that is closed, and nothing
is owed there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from app.programme import ledger, units
from app.programme.cards import changes
from app.programme.cards.changes import RULE_MOVED_IN, RULE_MOVED_OUT
from app.programme.cards.sums import lots_of
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import Card, CardMerge, LedgerEntry
from app.tools import Tools

#: What leaves one card, and comes to the other.
Pair = tuple[LedgerEntry, LedgerEntry]


def debit(tx: Tx, tools: Tools, undoing: LedgerEntry, *, may_owe: bool = False) -> None:
    """Do what a reversal causes, on the card that goes on if this one does not.

    Args:
        tx: the caller's.
        tools: the keys.
        undoing: as ``changes.debit`` has it.
        may_owe: the same; what a card lacks that was put to another is always owed
            there, since its vouchers were paid for elsewhere.

    Raises:
        VoucherSpent, TryAgain: as ``changes.debit``.
    """
    into = _held_to_go_on(tx, undoing.card_id)
    if into is None:
        changes.debit(tx, tools, undoing, may_owe=may_owe)
        return
    changes.touch(tx, undoing.card_id)
    moved = units_of(tx, tools, undoing.card_id, into, undoing.at)
    for out, _ in moved:
        # One change of this card, by the undoing.
        out.caused_by_id = undoing.entry_id
    write(tx, tools, moved, into)


def goes_on(tx: Tx, card_id: UUID) -> UUID | None:
    """Tell which card goes on for one that was put to another; None: it does itself."""
    found: UUID | None = None
    while into := tx.scalar(
        select(CardMerge.into_card_id).where(CardMerge.card_id == (found or card_id))
    ):
        found = into
    return found


def _held_to_go_on(tx: Tx, card_id: UUID) -> UUID | None:
    """Hold the card that goes on, which may be put to another while we wait for it."""
    while (into := goes_on(tx, card_id)) is not None:
        tx.get(Card, into, with_for_update={"key_share": True}, populate_existing=True)
        if goes_on(tx, into) is None:
            return into
    return None


def all_of(tx: Tx, card_id: UUID) -> list[UUID]:
    """Tell every card that was put to this one, or to one of those; itself first."""
    found = newer = [card_id]
    while newer:
        asked = select(CardMerge.card_id).where(CardMerge.into_card_id.in_(newer))
        newer = list(tx.scalars(asked))
        found = found + newer
    return found


def units_of(
    tx: Tx, tools: Tools, old_id: UUID, new_id: UUID, at: datetime
) -> list[Pair]:
    """Make the entries that leave nothing on a card, and nothing owed; see ``write``.

    Raises:
        TryAgain: the ends that have passed can't be signed now.
    """
    lots = lots_of(tx, old_id)
    if lots.over(at):
        changes.touch(tx, old_id)
        changes.write_ends(tx, tools, old_id, at)
        lots = lots_of(tx, old_id)
    moved: list[Pair] = []
    for lot in lots:
        out = leaves(old_id, -lot.left, at, lot.unit)
        out.caused_by_id = lot.entry_id
        moved.append(pair(out, new_id, ends=lot.expires_at))
    for unit in Unit:
        if owed := lots.owed(unit):
            moved.append(pair(leaves(old_id, owed, at, unit), new_id))
    return moved


def leaves(
    card_id: UUID, amount: int, at: datetime, unit: Unit = Unit.STAMP
) -> LedgerEntry:
    """Make the entry by which something leaves a card; positive: a debt does."""
    return _entry(card_id, RULE_MOVED_OUT, amount, at, unit)


def pair(out: LedgerEntry, new_id: UUID, *, ends: datetime | None = None) -> Pair:
    """Make the entry that brings what another one takes."""
    into = _entry(new_id, RULE_MOVED_IN, -out.units, out.at, units.of(out.unit))
    into.expires_at, into.voucher_id = ends, out.voucher_id
    into.caused_by_id = out.entry_id
    return out, into


def write(tx: Tx, tools: Tools, moved: Iterable[Pair], new_id: UUID) -> None:
    """Write pairs, and count each on the new card; what has become full is exchanged.

    That the old card has changed is the caller's to count.

    Raises:
        TryAgain: nothing can be signed now.
    """
    last: LedgerEntry | None = None
    for out, into in moved:
        ledger.write(tx, tools, out)
        ledger.write(tx, tools, into)
        if into.unit is not None or into.units <= 0:
            changes.touch(tx, new_id, into.expires_at if into.units > 0 else None)
            continue
        if last is not None:
            changes.touch(tx, new_id, last.expires_at)
        last = into
    if last is not None:
        changes.credit(tx, tools, last)


def _entry(
    card_id: UUID, rule: str, amount: int, at: datetime, unit: Unit
) -> LedgerEntry:
    return LedgerEntry(
        entry_id=uuid4(),
        card_id=card_id,
        kind="MERGE",
        units=amount,
        unit=units.kept(unit),
        rule=rule,
        at=at,
    )

"""Undoing: a wrong stamp or redemption is reversed by a new entry, with a reason.

Nothing is changed or removed. ``reverses_id`` is unique in the ledger, so an entry
is reversed once; whoever asks again gets the first answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.programme import cards, ledger, stock
from app.programme.codes import Spent
from app.programme.errors import Forbidden, InvalidRequest, NotFound
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.words import REASON_LENGTH, clean_name
from app.store.database import Tx
from app.store.tables import LedgerEntry
from app.tools import Tools

#: How long a barista may undo what was done at the same location.
UNDO_WITHIN: Final = timedelta(hours=24)
#: Who undoes: at a till, or from the console.
Undoer = StaffCaller | ConsoleCaller
#: What an undo causes besides its entry: given the entry undone, and the undoing.
Cause = Callable[[Tx, LedgerEntry, LedgerEntry], None]


def reverse(
    tools: Tools,
    entry_id: UUID,
    *,
    kinds: Collection[str],
    staff: Undoer,
    reason: str,
    cause: Cause,
) -> Spent:
    """Reverse an entry that a code made, or a hand.

    Args:
        tools: books, keys and clock.
        entry_id: the entry.
        kinds: the ledger kinds it may have.
        staff: who undoes.
        reason: in the words of ``staff``; it is kept.
        cause: writes what follows, in the same transaction.

    Returns:
        ``{reversal_id, card}``; with the ``voucher`` that came back, if one did.

    Raises:
        InvalidRequest, NotFound, Forbidden, TryAgain, StoreDown; whatever ``cause``
            refuses.
    """
    wrong: dict[str, str] = {}
    reason = clean_name(reason, wrong, "reason", REASON_LENGTH)
    if wrong:
        raise InvalidRequest(wrong)
    try:
        with tools.database.begin() as tx:
            entry = _undoable(tx, tools, entry_id, kinds, staff)
            answer = _write(tx, tools, entry, staff=staff, reason=reason, cause=cause)
            return Spent(answer, is_repeat=False)
    except IntegrityError:
        return _first_answer(tools, entry_id)


def _write(
    tx: Tx,
    tools: Tools,
    entry: LedgerEntry,
    *,
    staff: Undoer,
    reason: str,
    cause: Cause,
) -> Mapping[str, Any]:
    now = tools.now()
    reversal = LedgerEntry(
        entry_id=uuid4(),
        card_id=entry.card_id,
        kind="REVERSE",
        units=-entry.units,
        unit=entry.unit,
        rule=cards.RULE_UNDO,
        at=now,
        voucher_id=entry.voucher_id,
        reverses_id=entry.entry_id,
        reason=reason,
        staff_id=staff.staff_id,
        **place_of(staff),
    )

    def answer() -> Mapping[str, Any]:
        cause(tx, entry, reversal)
        state = cards.state_of(tx, entry.card_id, now)
        card = cards.answer_of(state, entry.voucher_id)
        told = {"reversal_id": str(reversal.entry_id), "card": card}
        if entry.kind == "REDEEM":
            told["voucher"] = cards.voucher_in(card, entry.voucher_id)
        return told

    return ledger.write_first(tx, tools, reversal, answer=answer)


def _undoable(
    tx: Tx,
    tools: Tools,
    entry_id: UUID,
    kinds: Collection[str],
    staff: Undoer,
) -> LedgerEntry:
    entry = tx.scalar(select(LedgerEntry).where(LedgerEntry.entry_id == entry_id))
    if entry is None or entry.kind not in kinds:
        raise NotFound
    # What another entry caused goes back with it, never by itself; what a member chose
    # on the phone, from the console alone.
    by_itself = {cards.RULE_BY_HAND}
    if isinstance(staff, ConsoleCaller):
        by_itself.add(cards.RULE_CHOSEN)
    if entry.nonce is None and entry.rule not in by_itself:
        raise NotFound
    if entry.rule == cards.RULE_CHOSEN and entry.voucher_id is not None:
        stock.hold(tx, entry.voucher_id)
    must_undo(staff, entry.location_id, entry.at, tools.now())
    return entry


def must_undo(
    staff: Undoer, location_id: UUID | None, at: datetime, now: datetime
) -> None:
    """Let pass who may take back what was given somewhere, at a moment.

    Raises:
        Forbidden: it was elsewhere, or too long ago, and ``staff`` is no manager.
    """
    is_near = location_id == place_of(staff).get("location_id")
    if staff.role == "barista" and not (is_near and now - at <= UNDO_WITHIN):
        raise Forbidden


def place_of(staff: Undoer) -> Mapping[str, UUID]:
    """Tell at which till somebody undoes; nothing of the console, which is nowhere."""
    if isinstance(staff, ConsoleCaller):
        return {}
    return {"terminal_id": staff.terminal_id, "location_id": staff.location_id}


def _first_answer(tools: Tools, entry_id: UUID) -> Spent:
    with tools.database.read() as tx:
        first = tx.scalars(
            select(LedgerEntry).where(LedgerEntry.reverses_id == entry_id)
        ).one()
        return Spent(first.answer or {}, is_repeat=True)

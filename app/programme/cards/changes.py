"""What changes a card: opening it, and what new units, or taking some back, cause."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import case, func, or_, select, update

from app.programme import expiry, ledger, stock, units
from app.programme.cards.sums import balance_of, lots_of
from app.programme.errors import InvalidRequest, NotFound, VoucherSpent
from app.programme.lots import Lot
from app.programme.terms import accepted, reading, rounds
from app.programme.terms.reading import Version
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Programme, Voucher
from app.tools import Tools

#: Rules that move units, as kept in the ledger.
RULE_STAMP: Final = "stamp"
RULE_FULL_CARD: Final = "full_card"
RULE_VOUCHER_USED: Final = "voucher_used"
RULE_UNDO: Final = "undo"
RULE_BY_HAND: Final = "by_hand"
RULE_END: Final = "end"
RULE_CHOSEN: Final = "reward_chosen"
RULE_CANCELLED: Final = "cancelled"
RULE_MOVED_OUT: Final = "moved_out"
RULE_MOVED_IN: Final = "moved_in"
#: What the audit log calls the end of a card.
CLOSED: Final = "card.closed"


def open_card(tx: Tx, tools: Tools, member_id: UUID, programme: Programme) -> UUID:
    """Open a member's card in a programme, with a free number."""
    now = tools.now()
    in_force = reading.in_force(reading.of_programme(tx, programme), now)
    opened = Card(
        member_id=member_id,
        programme_id=programme.programme_id,
        number=_free_number(tx),
        terms_version=in_force.number,
        opened_at=now,
    )
    tx.add(opened)
    tx.flush()
    accepted.note(tx, opened.card_id, in_force.number, now)
    return opened.card_id


def accept_terms(tools: Tools, card_id: UUID, version: int) -> None:
    """Note that a card's member has read and accepted the terms.

    Accepting again, or an older version than before, changes nothing.

    Args:
        tools: the books.
        card_id: whose member agrees; the caller has checked that it is theirs.
        version: the one that was shown.

    Raises:
        NotFound: no such card.
        InvalidRequest: the terms have changed again meanwhile.
    """
    with tools.database.begin() as tx:
        card = tx.get(Card, card_id, with_for_update=True)
        if card is None:
            raise NotFound
        if version != rounds.of_card(tx, card_id).coming(tools.now()).number:
            raise InvalidRequest({"terms_version": "out_of_date"})
        if version > card.terms_version:
            accepted.note(tx, card_id, version, tools.now())
            card.terms_version = version
            card.version += 1


def touch(tx: Tx, card_id: UUID, end: datetime | None = None) -> datetime | None:
    """Count a change of a card, and hold it: others wait here until we commit.

    Args:
        tx: the caller's.
        card_id: which.
        end: the end of units that it is given; None: they have none.

    Returns:
        The soonest end of all units on it; None: none of them ends.
    """
    changes: dict[str, object] = {"version": Card.version + 1}
    if end is not None:
        is_sooner = or_(Card.units_end_at.is_(None), Card.units_end_at > end)
        changes["units_end_at"] = case((is_sooner, end), else_=Card.units_end_at)
    return tx.scalar(
        update(Card)
        .where(Card.card_id == card_id)
        .values(**changes)
        .returning(Card.units_end_at)
        .execution_options(synchronize_session=False)
    )


def close(tx: Tx, tools: Tools, card_id: UUID) -> bool:
    """End a card for good: nothing counts on it any more, and nothing is taken away.

    The caller records it in the audit log as ``CLOSED``, after everything else.

    Returns:
        Whether it was open until now.
    """
    ended = tx.execute(
        update(Card)
        .where(Card.card_id == card_id, Card.closed_at.is_(None))
        .values(closed_at=tools.now(), version=Card.version + 1)
        .returning(Card.card_id)
        .execution_options(synchronize_session=False)
    )
    return ended.first() is not None


def credit(
    tx: Tx, tools: Tools, given: LedgerEntry, end: datetime | None = None
) -> int:
    """Do what new units cause: exchange each full card's worth of stamps for a voucher.

    Call it when all entries of the giving were written.

    Args:
        tx: the caller's.
        tools: the keys.
        given: the entry that brought them, which all that follows names.
        end: the soonest end of all that came with it; None: that of the entry.

    Returns:
        How many full cards became a voucher.

    Raises:
        TryAgain: nothing can be signed now.
    """
    card_id, at = given.card_id, given.at
    end = touch(tx, card_id, end or given.expires_at)
    if end is not None and at > end:
        write_ends(tx, tools, card_id, at)
    return exchange(tx, tools, given)


def exchange(tx: Tx, tools: Tools, given: LedgerEntry) -> int:
    """Exchange each full card's worth of stamps for a voucher.

    Call it when the card was touched; ``credit`` does both. A round goes by what it was
    promised (``app.programme.terms``), the next one by the version in force.

    Args:
        tx: the caller's.
        tools: the keys.
        given: the entry that filled the card, which the exchange names.

    Returns:
        How many full cards became a voucher.

    Raises:
        TryAgain: nothing can be signed now.
    """
    balance = balance_of(tx, given.card_id)
    new = given.units if units.of(given.unit) is Unit.STAMP else 0
    all_rounds = rounds.of_card(tx, given.card_id)
    # What lay there before has a promise; a round that only begins has none yet.
    promised = all_rounds.running(given.at, has_stamps=balance > new)
    by_itself = _is_by_itself(tx, given.card_id)
    filled = 0
    while by_itself and balance >= promised.figures.stamps_required:
        _pay(tx, tools, given, promised)
        balance -= promised.figures.stamps_required
        filled += 1
        promised = all_rounds.coming(given.at)
    all_rounds.keep(tx, promised.number if balance > 0 else None)
    return filled


def _pay(tx: Tx, tools: Tools, given: LedgerEntry, promised: Version) -> None:
    """Turn a full card's worth of stamps into the voucher that it was promised."""
    figures, at = promised.figures, given.at
    days = figures.voucher_days
    voucher = Voucher(
        card_id=given.card_id,
        reward=figures.reward,
        promised_version=promised.number,
        issued_at=at,
        expires_at=expiry.end_of(at, days, expiry.zone_of(tx)) if days else None,
    )
    tx.add(voucher)
    tx.flush()
    paid = LedgerEntry(
        entry_id=uuid4(),
        card_id=given.card_id,
        kind="REDEEM",
        units=-figures.stamps_required,
        rule=RULE_FULL_CARD,
        at=at,
        voucher_id=voucher.voucher_id,
        location_id=given.location_id,
        caused_by_id=given.entry_id,
    )
    ledger.write(tx, tools, paid)


def debit(tx: Tx, tools: Tools, undoing: LedgerEntry, *, may_owe: bool = False) -> None:
    """Do what a reversal causes: take back unused vouchers that it had paid for.

    Call it after the reversal's entry was written. One that has expired goes back too:
    the stamps that it was exchanged for did not expire, and only managers undo so late.

    Args:
        tx: the caller's.
        tools: the keys.
        undoing: the entry that took stamps back, which all that follows names.
        may_owe: what is not there is left below nought, to be paid by the next.

    Raises:
        VoucherSpent: the stamps paid for a voucher that was used; its use would
            have to be reversed first.
        TryAgain: nothing can be signed now.
    """
    card_id, at = undoing.card_id, undoing.at
    touch(tx, card_id)
    write_ends(tx, tools, card_id, at)
    all_rounds = rounds.of_card(tx, card_id)
    promised = all_rounds.held
    for unit in Unit:
        while balance_of(tx, card_id, unit) < 0:
            voucher = _last_bought(tx, card_id, unit)
            if voucher is None:
                if may_owe:
                    break
                raise VoucherSpent
            # That round runs again, by the promise that it had.
            promised = voucher.promised_version or promised
            _take_back(tx, tools, voucher, undoing)
    all_rounds.keep(tx, promised if balance_of(tx, card_id) > 0 else None)


def _last_bought(tx: Tx, card_id: UUID, unit: Unit) -> Voucher | None:
    """Find the newest voucher that a card's units paid for and nobody has used."""
    return tx.scalar(
        select(Voucher)
        .join(LedgerEntry, LedgerEntry.voucher_id == Voucher.voucher_id)
        .where(
            Voucher.card_id == card_id,
            stock.untouched(),
            # One that came from another card was paid for there.
            LedgerEntry.card_id == card_id,
            LedgerEntry.rule.in_((RULE_FULL_CARD, RULE_CHOSEN)),
            LedgerEntry.units < 0,
            LedgerEntry.unit.is_not_distinct_from(units.kept(unit)),
        )
        .order_by(Voucher.issued_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _take_back(tx: Tx, tools: Tools, voucher: Voucher, undoing: LedgerEntry) -> None:
    """Turn a voucher back into what it was paid with, and give back what it took."""
    paid = tx.scalars(
        select(LedgerEntry).where(
            LedgerEntry.voucher_id == voucher.voucher_id,
            LedgerEntry.rule.in_((RULE_FULL_CARD, RULE_CHOSEN)),
        )
    ).one()
    voucher.state = "voided"
    stock.put_back(tx, voucher)
    taken_back = LedgerEntry(
        entry_id=uuid4(),
        card_id=voucher.card_id,
        kind="REVERSE",
        units=-paid.units,
        unit=paid.unit,
        rule=RULE_UNDO,
        at=undoing.at,
        voucher_id=voucher.voucher_id,
        reverses_id=paid.entry_id,
        caused_by_id=undoing.entry_id,
    )
    ledger.write(tx, tools, taken_back)


def write_ends(tx: Tx, tools: Tools, card_id: UUID, at: datetime) -> None:
    """Write off the units whose end has passed, each lot by an entry that names it.

    Hold the card before (``touch``), so that nobody else writes the same.

    Raises:
        TryAgain: nothing can be signed now.
    """
    lots = lots_of(tx, card_id)
    over = lots.over(at)
    for lot in over:
        ledger.write(tx, tools, _end_of(tx, lot, card_id, at))
    soonest = next((lot.expires_at for lot in lots if lot not in over), None)
    tx.execute(
        update(Card)
        .where(Card.card_id == card_id)
        .values(units_end_at=soonest)
        .execution_options(synchronize_session=False)
    )


def _end_of(tx: Tx, lot: Lot, card_id: UUID, at: datetime) -> LedgerEntry:
    """Make the entry of a lot's end; it comes again where units come back after it."""
    before = tx.scalar(
        select(func.count())
        .select_from(LedgerEntry)
        .where(
            LedgerEntry.card_id == card_id,
            LedgerEntry.kind == "EXPIRE",
            LedgerEntry.caused_by_id == lot.entry_id,
        )
    )
    return LedgerEntry(
        entry_id=uuid4(),
        card_id=card_id,
        kind="EXPIRE",
        units=-lot.left,
        unit=units.kept(lot.unit),
        rule=RULE_END,
        at=at,
        caused_by_id=lot.entry_id,
        once=f"end:{lot.entry_id.hex}:{before}",
    )


def _is_by_itself(tx: Tx, card_id: UUID) -> bool:
    """Tell whether a full card becomes a voucher without its member's word."""
    exchanges = tx.scalar(
        select(Programme.exchanges)
        .join(Card, Card.programme_id == Programme.programme_id)
        .where(Card.card_id == card_id)
    )
    return exchanges == "automatic"


def _free_number(tx: Tx) -> str:
    """Draw an eight-digit number that no card has; the column is unique besides."""
    while True:
        number = f"{secrets.randbelow(90_000_000) + 10_000_000}"
        if tx.scalar(select(Card.card_id).where(Card.number == number)) is None:
            return number

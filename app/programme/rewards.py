"""Vouchers: showing one, redeeming it once, taking a redemption back.

However many codes were shown for a voucher, it is redeemed once, and not after its end:
by a conditional update of its own row, which holds the end too, so that one statement
decides. The moment that it is asked about is the one that the entry keeps. The entry in
the ledger moves no units; it keeps the code as proof, and is what a reversal names.

A voucher that is given back has the end that it had: a redemption and its undoing
lengthen nothing. After that end it comes back expired, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select, update

from app.programme import (
    cards,
    expiry,
    ledger,
    reversals,
    short_codes,
    standing,
    vouchers,
)
from app.programme.codes import IssuedCode, Spending, Spent
from app.programme.errors import NotFound, VoucherSpent
from app.programme.sessions import StaffCaller
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Voucher
from app.tools import Tools
from signing.codes import Kind


def voucher_code(tools: Tools, voucher_id: UUID, member_id: UUID) -> IssuedCode:
    """Issue the code that a customer's phone shows to use a voucher.

    Raises:
        NotFound: no such voucher of this member.
        VoucherSpent: it was used or taken back.
        VoucherExpired: its end has passed.
        StoreDown: nothing was issued.
    """
    with tools.database.read() as tx:
        row = tx.execute(
            select(Voucher.state, Voucher.expires_at, Voucher.card_id)
            .join(Card, Card.card_id == Voucher.card_id)
            .where(Voucher.voucher_id == voucher_id, Card.member_id == member_id)
        ).first()
        if row is None:
            raise NotFound
        standing.must_be_in_use(tx, row.card_id)
    vouchers.must_be_usable(row.state, row.expires_at, tools.now())
    record = {"voucher": voucher_id.hex}
    return short_codes.issue(tools, Kind.VOUCHER, record)


def redeem(tools: Tools, text: str, *, request_id: str, staff: StaffCaller) -> Spent:
    """Redeem the voucher whose code was scanned.

    Args:
        tools: keys, stores and clock.
        text: what was scanned, or a short code that was typed; not trusted.
        request_id: made by the terminal, the same on each retry.
        staff: who hands the reward over.

    Returns:
        ``{redemption_id, voucher, card}``.

    Raises:
        Refused: what ``codes.spend`` refuses; VoucherSpent, VoucherExpired, TryAgain.
        StoreDown: nothing was written.
    """

    def book(tx: Tx, spending: Spending) -> Mapping[str, Any]:
        return book_redemption(tx, tools, spending, staff=staff)

    return short_codes.spend_at_till(
        tools,
        text,
        kind=Kind.VOUCHER,
        request_id=request_id,
        staff=staff,
        named="redemption_id",
        book=book,
    )


def reverse_redemption(
    tools: Tools, redemption_id: UUID, *, staff: StaffCaller, reason: str
) -> Spent:
    """Give a voucher back that was redeemed by mistake, with the end that it had.

    Returns:
        ``{reversal_id, card, voucher}``; the first answer again when it was reversed
        before.

    Raises:
        InvalidRequest, NotFound, Forbidden, TryAgain, StoreDown: as
            ``reversals.reverse``.
    """
    return reversals.reverse(
        tools,
        redemption_id,
        kinds={"REDEEM"},
        staff=staff,
        reason=reason,
        cause=give_back,
    )


def book_redemption(
    tx: Tx, tools: Tools, spending: Spending, *, staff: StaffCaller
) -> Mapping[str, Any]:
    """Write that a voucher was handed over: step 5 of the rule, in ``codes``.

    Raises:
        NotFound: no such voucher.
        VoucherSpent: it was used or taken back.
        VoucherExpired: its end has passed.
        CardClosed: its card is closed or paused.
        TryAgain: nothing can be signed now.
    """
    voucher_id = UUID(spending.record["voucher"])
    card_id = tx.scalar(select(Voucher.card_id).where(Voucher.voucher_id == voucher_id))
    if card_id is None:
        raise NotFound
    standing.must_be_in_use(tx, card_id)
    entry = LedgerEntry(
        entry_id=uuid4(),
        card_id=card_id,
        kind="REDEEM",
        units=0,
        rule=cards.RULE_VOUCHER_USED,
        at=spending.at,
        nonce=spending.code.nonce,
        proof=spending.code.data,
        request_id=spending.request_id,
        voucher_id=voucher_id,
        terminal_id=staff.terminal_id,
        staff_id=staff.staff_id,
        location_id=staff.location_id,
    )

    def answer() -> Mapping[str, Any]:
        _use(tx, voucher_id, spending.at)
        cards.touch(tx, card_id)
        state = cards.state_of(tx, card_id, spending.at)
        card = cards.answer_of(state, voucher_id)
        return {
            "redemption_id": str(entry.entry_id),
            "voucher": cards.voucher_in(card, voucher_id),
            "card": card,
        }

    return ledger.write_first(tx, tools, entry, answer=answer)


def give_back(tx: Tx, entry: LedgerEntry, _undoing: LedgerEntry) -> None:
    """Do what the reversal of a redemption causes: the voucher can be used again.

    Raises:
        VoucherSpent: it was not redeemed any more.
    """
    if entry.voucher_id is not None:
        was = (Voucher.voucher_id == entry.voucher_id, Voucher.state == "redeemed")
        if not _change(tx, *was, state="issued", redeemed_at=None):
            raise VoucherSpent
    cards.touch(tx, entry.card_id)


def _use(tx: Tx, voucher_id: UUID, at: datetime) -> None:
    """Mark a voucher as used, if it can be: one statement decides."""
    was = (
        Voucher.voucher_id == voucher_id,
        Voucher.state == "issued",
        expiry.not_over(Voucher.expires_at, at),
    )
    if _change(tx, *was, state="redeemed", redeemed_at=at):
        return
    row = tx.execute(
        select(Voucher.state, Voucher.expires_at).where(
            Voucher.voucher_id == voucher_id
        )
    ).one()
    vouchers.must_be_usable(row.state, row.expires_at, at)
    # It was used when we asked, and has been given back since.
    raise VoucherSpent


def _change(tx: Tx, *was: ColumnElement[bool], **becomes: object) -> bool:
    """Change a voucher if it is as expected: of two at once, one does."""
    changed = tx.execute(
        update(Voucher)
        .where(*was)
        .values(**becomes)
        .returning(Voucher.voucher_id)
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None

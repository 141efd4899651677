"""Giving stamps: the barista scans the phone, or the phone scans the till.

Both ways end in ``_book``: one EARN entry whose nonce is unique, and everything
that the stamps cause, in one transaction. ``codes.spend`` holds the rule "once".

A reversal is an entry of its own, never a change; ``reverses_id`` is unique, so
that an entry is reversed once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, select

from app.programme import (
    cards,
    codes,
    ledger,
    limits,
    printed,
    purchases,
    reversals,
    short_codes,
    standing,
    tiers,
)
from app.programme.codes import IssuedCode, Spending, Spent
from app.programme.earning import booking, taking_back
from app.programme.errors import InvalidRequest, NotFound
from app.programme.limits import Giving, Limits
from app.programme.plans import cashback
from app.programme.purchases import Counter, Order, Sold
from app.programme.sessions import StaffCaller, TerminalCaller
from app.store.database import Tx
from app.store.nonces import ClaimState
from app.store.tables import Card, LedgerEntry, Member, Programme
from app.tools import Tools
from signing.codes import Code, Kind

#: Nobody said what was bought.
NOTHING: Final = Order()
#: Stamps that one code or one scan may give.
MOST_STAMPS: Final = 5
_NONCE = re.compile(r"[0-9a-f]{18}")


@dataclass(frozen=True, slots=True)
class StampCodeState:
    """What became of a stamp code that a till shows."""

    #: ``waiting``, ``collected`` or ``expired``.
    state: str
    member_name: str | None = None
    card_number: str | None = None
    stamp_id: UUID | None = None
    #: As ``stamp`` answers; empty before.
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gave a stamp and where, as the ledger keeps it."""

    terminal_id: UUID | None
    staff_id: UUID | None
    location_id: UUID | None


def card_code(tools: Tools, card_id: UUID) -> IssuedCode:
    """Issue the code that a customer's phone shows for a stamp.

    Raises:
        NotFound: no such card.
        CardClosed: it takes no stamps.
        StoreDown: nothing was issued.
    """
    with tools.database.read() as tx:
        standing.must_take_stamps(tx, card_id)
    return short_codes.issue(tools, Kind.CARD, {"card": card_id.hex})


def stamp_code(
    tools: Tools, staff: StaffCaller, stamps: int, order: Order = NOTHING
) -> IssuedCode:
    """Issue the code that a till shows for a customer to collect.

    Args:
        tools: keys, stores and clock.
        staff: who shows it.
        stamps: 1 to ``MOST_STAMPS``.
        order: what was bought, for whoever collects it; not trusted.

    Raises:
        InvalidRequest: ``stamps`` or ``order`` makes no sense.
        LimitReached: ``stamps_per_scan``: more than any card here may be given.
        StoreDown: nothing was issued.
    """
    _check_stamps(stamps)
    purchases.check(order)
    with tools.database.read() as tx:
        purchases.sale_of(tx, order)
        # Which card collects it is not known yet; that card's own programme decides.
        most = tx.scalar(select(func.max(Programme.most_per_scan)))
    limits.must_fit_scan(Limits(most or MOST_STAMPS), stamps)
    record = {
        "stamps": str(stamps),
        "place": staff.location_name,
        "terminal": staff.terminal_id.hex,
        "staff": staff.staff_id.hex,
        "location": staff.location_id.hex,
        **({} if order.is_empty else {purchases.RECORD_FIELD: order.as_text()}),
    }
    return codes.issue(tools, Kind.STAMP, record)


def stamp(
    tools: Tools,
    text: str,
    *,
    stamps: int,
    request_id: str,
    staff: StaffCaller | TerminalCaller,
    order: Order = NOTHING,
) -> Spent:
    """Give stamps to the card whose code was scanned.

    Args:
        tools: keys, stores and clock.
        text: what was scanned, or a short code that was typed; not trusted.
        stamps: 1 to ``MOST_STAMPS``.
        request_id: made by the terminal, the same on each retry.
        staff: who gives; a terminal alone, where a till system does.
        order: what was bought; not trusted.

    Returns:
        ``{stamp_id, stamps_given, card}``; with the ``purchase``, if there is one.

    Raises:
        InvalidRequest: ``stamps`` or ``order`` makes no sense.
        ReceiptCounted: another request brought its receipt.
        Refused: what ``codes.spend`` refuses; CardClosed, NotEligible (their own card),
            LimitReached; TryAgain.
        StoreDown: nothing was written.
    """
    _check_stamps(stamps)
    purchases.check(order)
    staff_id = staff.staff_id if isinstance(staff, StaffCaller) else None
    giver = Giver(staff.terminal_id, staff_id, staff.location_id)

    def book(tx: Tx, spending: Spending) -> Mapping[str, Any]:
        return book_stamps(
            tx,
            tools,
            spending,
            card_id=UUID(spending.record["card"]),
            stamps=stamps,
            giver=giver,
            order=order,
        )

    return short_codes.spend_at_till(
        tools,
        text,
        kind=Kind.CARD,
        request_id=request_id,
        staff=staff,
        named="stamp_id",
        book=book,
    )


def collect(tools: Tools, text: str, *, card_id: UUID) -> Spent:
    """Collect the stamps of a till's or a printed code on a customer's card.

    The card is the request: the same card that asks again gets its first answer.

    Args:
        tools: keys, stores and clock.
        text: what the phone scanned; not trusted.
        card_id: the customer's card; the caller has checked that it is theirs.

    Returns:
        ``{stamp_id, stamps_given, card}``.

    Raises:
        Refused: what ``codes.spend`` refuses; CardClosed, NotEligible, LimitReached,
            NotFound, TryAgain.
        StoreDown: nothing was written.
    """

    def book(tx: Tx, spending: Spending) -> Mapping[str, Any]:
        record = spending.record
        if spending.code.kind is Kind.PRINTED_STAMP:
            printed.must_be_good_for(tx, spending.code.nonce, card_id)
        # A printed stamp was given by nobody at no till.
        giver = Giver(
            *(
                UUID(record[name]) if name in record else None
                for name in ("terminal", "staff", "location")
            )
        )
        return book_stamps(
            tx,
            tools,
            spending,
            card_id=card_id,
            stamps=int(record["stamps"]),
            giver=giver,
            order=purchases.order_in(record),
        )

    def request_id(code: Code) -> str:
        return f"{card_id.hex}:{code.nonce.hex()}"

    return codes.spend(
        tools,
        text,
        kinds={Kind.STAMP, Kind.PRINTED_STAMP},
        request_id=request_id,
        book=book,
    )


def book_stamps(
    tx: Tx,
    tools: Tools,
    spending: Spending,
    *,
    card_id: UUID,
    stamps: int,
    giver: Giver,
    order: Order = NOTHING,
) -> Mapping[str, Any]:
    """Write an EARN entry and all that it causes: step 5 of the rule.

    The entry comes first, after the purchase that it names, so that of two at once one
    meets the unique nonce before anything else was done. What it gives, the programme's
    rules say (``app.programme.earning``); without any, the stamps that were counted.

    Raises:
        InvalidRequest, ReceiptCounted: the purchase can't be; see ``purchases.write``.
        NotFound, CardClosed: the card takes no stamps.
        NotEligible: ``own_card``: it is the giver's own.
        LimitReached: the hour has no room for them; see ``limits``.
        TryAgain: nothing can be signed now.
    """
    allowed = standing.must_take_stamps(tx, card_id, giver.staff_id)
    giving = Giving(
        stamps,
        spending.at,
        card_id,
        giver.staff_id,
        giver.terminal_id,
        giver.location_id,
    )
    limits.hold(tx, allowed, giving)
    sold = purchases.write(tx, order, _counter(spending, card_id, giver))
    occasion = booking.occasion_of(
        tx,
        spending.at,
        stamps=stamps,
        basket=purchases.basket_of(sold.sale) if sold else None,
        location_id=giver.location_id,
    )
    plan = booking.plan(tx, card_id, occasion)
    entry = LedgerEntry(
        entry_id=uuid4(),
        card_id=card_id,
        **plan.first,
        at=spending.at,
        nonce=spending.code.nonce,
        proof=spending.code.data,
        request_id=spending.request_id,
        purchase_id=sold.purchase_id if sold else None,
        terminal_id=giver.terminal_id,
        staff_id=giver.staff_id,
        location_id=giver.location_id,
    )

    def answer() -> Mapping[str, Any]:
        limits.must_fit(tx, allowed, giving)
        return visited(tx, tools, entry, plan, sold)

    return ledger.write_first(tx, tools, entry, answer=answer)


def visited(
    tx: Tx, tools: Tools, first: LedgerEntry, plan: booking.Plan, sold: Sold | None
) -> Mapping[str, Any]:
    """Write all that a visit causes beside its first entry; tell of it.

    Args:
        tx: the caller's, which holds the card and has written ``first``.
        tools: the keys.
        first: what the visit is known by.
        plan: what it earns.
        sold: what was bought.

    Raises:
        TryAgain: nothing can be signed now.
    """
    earned = booking.write(tx, tools, first, plan)
    back = cashback.give(tx, tools, first)
    filled = cards.credit(tx, tools, first, earned.soonest_end)
    tiers.after_earning(tx, tools, first.card_id, first.at)
    return {
        "stamp_id": str(first.entry_id),
        "stamps_given": earned.stamps,
        "counted": plan.occasion.stamps,
        "given": earned.told,
        "filled": filled,
        **({"cashback": back} if back else {}),
        "card": cards.answer_of(cards.state_of(tx, first.card_id, first.at)),
        **({"purchase": sold.told} if sold else {}),
    }


def _counter(spending: Spending, card_id: UUID, giver: Giver) -> Counter:
    return Counter(
        card_id=card_id,
        request_id=spending.request_id,
        at=spending.at,
        terminal_id=giver.terminal_id,
        staff_id=giver.staff_id,
        location_id=giver.location_id,
    )


def stamp_code_state(
    tools: Tools, nonce_hex: str, staff: StaffCaller
) -> StampCodeState:
    """Tell a till what became of a stamp code that it shows.

    Raises:
        NotFound: no code's id, or a code that another terminal showed was collected.
        StoreDown: a store gave no answer.
    """
    if not _NONCE.fullmatch(nonce_hex):
        raise NotFound
    nonce = bytes.fromhex(nonce_hex)
    seen = tools.nonces.look(nonce)
    with tools.database.read() as tx:
        row = tx.execute(
            select(
                LedgerEntry.entry_id,
                LedgerEntry.terminal_id,
                LedgerEntry.answer,
                Card.number,
                Member.name,
            )
            .join(Card, Card.card_id == LedgerEntry.card_id)
            .join(Member, Member.member_id == Card.member_id)
            .where(LedgerEntry.nonce == nonce)
        ).first()
    if row is not None:
        if row.terminal_id != staff.terminal_id:
            raise NotFound
        told = row.answer or {}
        return StampCodeState("collected", row.name, row.number, row.entry_id, told)
    is_known = seen.state is not ClaimState.UNKNOWN
    return StampCodeState("waiting" if is_known else "expired")


def reverse_stamp(
    tools: Tools, stamp_id: UUID, *, staff: StaffCaller, reason: str
) -> Spent:
    """Take a stamp back, with a reason, by an entry of its own.

    Returns:
        ``{reversal_id, card}``; the first answer again when it was reversed before.

    Raises:
        NotFound: no such stamp.
        Forbidden: it was given elsewhere, or too long ago, and ``staff`` is no
            manager.
        InvalidRequest: the reason is missing or too long.
        VoucherSpent: it paid for a voucher that was used since.
        TryAgain: nothing can be signed now; nothing was written.
        StoreDown: nothing was written.
    """
    # What a purchase gave goes back with all of it.
    if whole := purchases.undo(tools, stamp_id, staff=staff, reason=reason):
        return whole

    def cause(tx: Tx, entry: LedgerEntry, undoing: LedgerEntry) -> None:
        taking_back.caused(tx, tools, entry, undoing)
        cards.debit(tx, tools, undoing)
        tiers.after_undoing(tx, tools, undoing.card_id, undoing.at)

    return reversals.reverse(
        tools,
        stamp_id,
        kinds={"EARN", "BONUS", "ADJUST"},
        staff=staff,
        reason=reason,
        cause=cause,
    )


def _check_stamps(stamps: int) -> None:
    if not 1 <= stamps <= MOST_STAMPS:
        raise InvalidRequest({"stamps": "out_of_range"})

"""What comes back: of a purchase all of it, or some lines, each line once.

The purchase's row is held first, so that two who take something back of it go one after
the other; the key of ``refund_line`` holds "once" besides. What the sale had given goes
with it, also what was spent meanwhile: then the card is below nought, and the next
stamps pay for that first.

Undoing stamps that a purchase gave is the same, with one difference: where their reward
was used, it is refused until that was undone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from app.programme import audit, cards, reversals
from app.programme.codes import Spent
from app.programme.errors import InvalidRequest, NotFound, PurchaseRefunded
from app.programme.purchases import filed, giving_back
from app.programme.purchases.filed import FiledLine, FiledPurchase
from app.programme.purchases.sale import Line, Sale
from app.programme.reversals import Undoer
from app.programme.sessions import ConsoleCaller
from app.programme.words import REASON_LENGTH, clean_name
from app.store.database import Tx
from app.store.tables import LedgerEntry, Purchase, Refund, RefundLine
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to take back."""

    #: Numbers of lines; none: all that has not come back.
    lines: tuple[int, ...]
    reason: str
    staff: Undoer
    #: As the ledger would keep it; None: nobody asks again.
    request_id: str | None = None
    #: Whether the card may be below nought after it.
    may_owe: bool = True


def refund(
    tools: Tools,
    purchase_id: UUID,
    *,
    lines: Collection[int] = (),
    staff: Undoer,
    reason: str,
    request_id: str | None = None,
) -> Spent:
    """Take back a purchase, or lines of it, and what they had given.

    Args:
        tools: books, keys and clock.
        purchase_id: which.
        lines: numbers of lines; none: all that has not come back.
        staff: who takes it.
        reason: in the words of ``staff``; it is kept.
        request_id: the same on each retry; None: nobody asks again.

    Returns:
        ``{refund_id, purchase_id, amount, currency, lines, card}``; the first answer
        again to the same request.

    Raises:
        NotFound: no such purchase.
        Forbidden: it was elsewhere, or too long ago, and ``staff`` is no manager.
        InvalidRequest: the reason makes no sense, or there is no such line.
        PurchaseRefunded: one of these lines, or all, came back before.
        TryAgain: nothing can be signed now; nothing was written.
        StoreDown: nothing was written.
    """
    wanted = Wanted(tuple(sorted(set(lines))), _clean(reason), staff, request_id)
    if (first := _first_answer(tools, request_id)) is not None:
        return first
    try:
        with tools.database.begin() as tx:
            return Spent(_book(tx, tools, purchase_id, wanted), is_repeat=False)
    except (IntegrityError, PurchaseRefunded) as error:
        # What came back may have done so by this very request, on another way.
        if (first := _first_answer(tools, request_id)) is not None:
            return first
        raise PurchaseRefunded from error


def undo(tools: Tools, entry_id: UUID, *, staff: Undoer, reason: str) -> Spent | None:
    """Take back the whole purchase that an entry of the ledger names.

    Returns:
        As ``refund``, and the ``reversal_id``; the last answer again when all came back
        before. None: the entry names no purchase, and is undone by itself.

    Raises:
        VoucherSpent: the stamps paid for a voucher that was used since.
        NotFound, Forbidden, InvalidRequest, TryAgain, StoreDown: as ``refund``.
    """
    asked = select(LedgerEntry.purchase_id).where(
        LedgerEntry.entry_id == entry_id,
        or_(
            LedgerEntry.kind.in_(("EARN", "BONUS")),
            LedgerEntry.rule == cards.RULE_BY_HAND,
        ),
    )
    with tools.database.read() as tx:
        purchase_id = tx.scalar(asked)
    if purchase_id is None:
        return None
    wanted = Wanted((), _clean(reason), staff, may_owe=False)
    try:
        with tools.database.begin() as tx:
            return Spent(_book(tx, tools, purchase_id, wanted), is_repeat=False)
    except PurchaseRefunded:
        with tools.database.read() as tx:
            last = tx.scalars(
                select(Refund)
                .where(Refund.purchase_id == purchase_id)
                .order_by(Refund.at.desc())
            ).first()
        if last is None or last.answer is None:
            raise
        return Spent(last.answer, is_repeat=True)


def rest_of(lines: Sequence[FiledLine], amount: int, back: Collection[int]) -> Sale:
    """Tell what is left of a sale when lines of it have come back.

    Where less was paid than the items come to (a discount), each has its share of it,
    rounded down for what is left.

    Args:
        lines: of the whole sale.
        amount: what was paid for all of it, in minor units.
        back: numbers of the lines that have come back.
    """
    kept = [line for line in lines if line.line_no not in back]
    all_of_it = sum(line.quantity * line.price for line in lines)
    left = sum(line.quantity * line.price for line in kept)
    return Sale(
        tuple(
            Line(
                line.item_id, line.name or "", line.quantity, line.price, line.category
            )
            for line in kept
            if line.item_id is not None
        ),
        amount * left // all_of_it if all_of_it else 0,
    )


def _book(tx: Tx, tools: Tools, purchase_id: UUID, wanted: Wanted) -> Mapping[str, Any]:
    now = tools.now()
    purchase = _held(tx, purchase_id)
    reversals.must_undo(wanted.staff, purchase.location_id, purchase.at, now)
    before = {line.line_no for line in purchase.lines if line.is_back}
    chosen = _chosen(purchase, wanted.lines, before)
    rest = rest_of(purchase.lines, purchase.amount, before | chosen)
    was = rest_of(purchase.lines, purchase.amount, before)
    row = _row(purchase, wanted, now, (was.amount or 0) - (rest.amount or 0))
    tx.add(row)
    tx.flush()
    tx.add_all(
        RefundLine(purchase_id=purchase_id, line_no=line_no, refund_id=row.refund_id)
        for line_no in chosen
    )
    tx.flush()
    is_whole = len(before | chosen) == len(purchase.lines)
    facts = {
        "refund_id": str(row.refund_id),
        "purchase_id": str(purchase_id),
        "amount": row.amount,
        "currency": purchase.currency,
        "lines": sorted(chosen),
    }
    row.answer = dict(
        giving_back.take_back(
            tx,
            tools,
            purchase,
            wanted,
            rest=None if is_whole else rest,
            facts=facts,
            at=now,
        )
    )
    if isinstance(wanted.staff, ConsoleCaller):
        by = wanted.staff.staff_id
        card = str(purchase.card_id)
        audit.record(
            tx, tools, "purchase.refunded", purchase_id, by=by, card=card,
            reason=wanted.reason,
        )  # fmt: skip
    return row.answer


def _held(tx: Tx, purchase_id: UUID) -> FiledPurchase:
    """Hold a purchase: others who take something back wait here until we commit."""
    tx.execute(
        update(Purchase)
        .where(Purchase.purchase_id == purchase_id)
        .values(refunds=Purchase.refunds + 1)
        .execution_options(synchronize_session=False)
    )
    found = filed.one(tx, purchase_id)
    if found is None:
        raise NotFound
    return found


def _chosen(
    purchase: FiledPurchase, lines: Collection[int], before: set[int]
) -> set[int]:
    known = {line.line_no for line in purchase.lines}
    if not known.issuperset(lines):
        raise InvalidRequest({"lines": "unknown"})
    chosen = set(lines) or known - before
    if not chosen or chosen & before:
        raise PurchaseRefunded
    return chosen


def _row(purchase: FiledPurchase, wanted: Wanted, at: datetime, amount: int) -> Refund:
    return Refund(
        refund_id=uuid4(),
        purchase_id=purchase.purchase_id,
        at=at,
        reason=wanted.reason,
        amount=amount,
        staff_id=wanted.staff.staff_id,
        terminal_id=reversals.place_of(wanted.staff).get("terminal_id"),
        request_id=wanted.request_id,
    )


def _clean(reason: str) -> str:
    wrong: dict[str, str] = {}
    reason = clean_name(reason, wrong, "reason", REASON_LENGTH)
    if wrong:
        raise InvalidRequest(wrong)
    return reason


def _first_answer(tools: Tools, request_id: str | None) -> Spent | None:
    if request_id is None:
        return None
    with tools.database.read() as tx:
        answer = tx.scalar(select(Refund.answer).where(Refund.request_id == request_id))
    return Spent(answer, is_repeat=True) if answer is not None else None

"""Taking back what a sale gave, by entries of their own.

All of the sale: every entry that it brought about is reversed. A part of it: rules give
anew what the rest of it earns (``earning.taking_back``). Without rules what a barista
counted stays, for only a person can say which stamp was for what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import or_, select

from app.programme import cards, ledger, reversals, tiers
from app.programme.earning import booking, taking_back
from app.programme.earning.booking import Basket
from app.programme.earning.rules import Bought
from app.programme.earning.taking_back import Refunding
from app.programme.purchases.filed import FiledPurchase
from app.programme.purchases.sale import Sale
from app.store.database import Tx
from app.store.tables import LedgerEntry
from app.tools import Tools

if TYPE_CHECKING:
    from app.programme.purchases.refunds import Wanted


def take_back(
    tx: Tx,
    tools: Tools,
    purchase: FiledPurchase,
    wanted: Wanted,
    *,
    rest: Sale | None,
    facts: Mapping[str, Any],
    at: datetime,
) -> Mapping[str, Any]:
    """Take back what the part of a sale gave that has come back.

    Args:
        tx: the caller's, which holds the purchase.
        tools: the keys.
        purchase: as it was before.
        wanted: who takes it back and why.
        rest: what is left of the sale; None: nothing is.
        facts: of the refund, for the answer.
        at: now.

    Returns:
        ``facts`` with the ``card`` and the ``reversal_id``: of the entry that reverses
        the first one, or of the refund where nothing is left to reverse.

    Raises:
        TryAgain: nothing can be signed now.
    """
    first = _first(tx, purchase)
    if first is not None and _is_counted(tx, first):
        return taking_back.refund(
            tx,
            tools,
            first,
            rest=basket_of(rest) if rest is not None else None,
            by=_by(wanted, at),
            facts=facts,
        )
    given = _given(tx, purchase) if rest is None else []
    if not given:
        return _told(tx, purchase, facts["refund_id"], facts, at)
    root, *others = (_reversal(entry, wanted, at) for entry in given)

    def answer() -> Mapping[str, Any]:
        for one in others:
            one.caused_by_id = root.entry_id
            ledger.write(tx, tools, one)
        cards.debit(tx, tools, root, may_owe=wanted.may_owe)
        tiers.after_undoing(tx, tools, root.card_id, root.at)
        return _told(tx, purchase, str(root.entry_id), facts, at)

    return ledger.write_first(tx, tools, root, answer=answer)


def basket_of(sale: Sale) -> Basket:
    """Describe a sale as rules look at it."""
    lines = tuple(
        Bought(line.quantity, line.price, line.item_id, line.category or None)
        for line in sale.lines
    )
    return Basket(lines, sale.amount)


def _first(tx: Tx, purchase: FiledPurchase) -> LedgerEntry | None:
    """Read the entry that the purchase brought about, by its code or by hand."""
    return tx.scalar(
        select(LedgerEntry).where(
            LedgerEntry.purchase_id == purchase.purchase_id,
            or_(
                LedgerEntry.nonce.is_not(None),
                LedgerEntry.rule == cards.RULE_BY_HAND,
            ),
        )
    )


def _is_counted(tx: Tx, first: LedgerEntry) -> bool:
    """Tell whether more than a barista's count came of a sale, so that a part tells."""
    more = select(LedgerEntry.entry_id).where(
        LedgerEntry.caused_by_id == first.entry_id,
        LedgerEntry.rule.in_(booking.CAUSED_RULES),
    )
    return (
        bool(booking.rules_of(tx, first.card_id, first.at))
        or tx.scalar(more.limit(1)) is not None
    )


def _by(wanted: Wanted, at: datetime) -> Refunding:
    place = reversals.place_of(wanted.staff)
    return Refunding(
        at,
        wanted.reason,
        staff_id=wanted.staff.staff_id,
        terminal_id=place.get("terminal_id"),
        location_id=place.get("location_id"),
    )


def _given(tx: Tx, purchase: FiledPurchase) -> Sequence[LedgerEntry]:
    """Read what the purchase gave and nobody has taken back, in its order."""
    undone = select(LedgerEntry.reverses_id).where(
        LedgerEntry.card_id == purchase.card_id, LedgerEntry.reverses_id.is_not(None)
    )
    return tx.scalars(
        select(LedgerEntry)
        .where(
            LedgerEntry.purchase_id == purchase.purchase_id,
            LedgerEntry.kind.in_(("EARN", "BONUS", "ADJUST")),
            LedgerEntry.entry_id.not_in(undone),
        )
        .order_by(LedgerEntry.entry_no)
    ).all()


def _reversal(entry: LedgerEntry, wanted: Wanted, at: datetime) -> LedgerEntry:
    return LedgerEntry(
        entry_id=uuid4(),
        card_id=entry.card_id,
        kind="REVERSE",
        units=-entry.units,
        unit=entry.unit,
        rule=cards.RULE_UNDO,
        at=at,
        reverses_id=entry.entry_id,
        purchase_id=entry.purchase_id,
        reason=wanted.reason,
        staff_id=wanted.staff.staff_id,
        **reversals.place_of(wanted.staff),
    )


def _told(
    tx: Tx,
    purchase: FiledPurchase,
    reversal_id: str,
    facts: Mapping[str, Any],
    at: datetime,
) -> Mapping[str, Any]:
    card = cards.answer_of(cards.state_of(tx, purchase.card_id, at))
    return {"reversal_id": reversal_id, **facts, "card": card}

"""Of each purchase: that it is what its entry told when it was signed.

* A purchase has the one entry that it brought about, of the same card, moment, request
  and place, and the sum and the lines that its answer told.
* What came back of it adds up to what was paid back, and what an answer told of a
  refund is there still: a line whose coming back was removed could come back again.

Where nothing of the ledger changed by a refund (a part of a sale that no rule counted),
the ledger knows nothing of it; then the sums alone tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.programme import cards
from app.programme.proofs.found import Found
from app.programme.proofs.holdings import told
from app.programme.purchases import filed
from app.programme.purchases.filed import FiledPurchase
from app.programme.purchases.refunds import rest_of
from app.store.database import Tx
from app.store.tables import LedgerEntry, Purchase, Refund, RefundLine

#: Purchases in memory at a time.
_MANY = 200


def check(tx: Tx, found: Found) -> None:
    """Check every purchase, and every entry that tells of one."""
    ids = tx.scalars(select(Purchase.purchase_id).order_by(Purchase.purchase_id)).all()
    for first in range(0, len(ids), _MANY):
        _check_some(tx, ids[first : first + _MANY], found)
        tx.expunge_all()
    known = select(Purchase.purchase_id)
    stray = select(LedgerEntry.entry_id).where(
        LedgerEntry.purchase_id.is_not(None), LedgerEntry.purchase_id.not_in(known)
    )
    for entry_id in tx.scalars(stray):
        found.add("purchase_missing", entry_id, "The purchase that it names is gone.")


def _check_some(tx: Tx, ids: Sequence[UUID], found: Found) -> None:
    entries: defaultdict[UUID | None, list[LedgerEntry]] = defaultdict(list)
    asked = select(LedgerEntry).where(LedgerEntry.purchase_id.in_(ids))
    for entry in tx.scalars(asked.order_by(LedgerEntry.entry_no)):
        entries[entry.purchase_id].append(entry)
    rows = {
        row.purchase_id: row
        for row in tx.scalars(select(Purchase).where(Purchase.purchase_id.in_(ids)))
    }
    back = _back(tx, ids)
    paid = dict(
        tx.execute(
            select(Refund.purchase_id, func.sum(Refund.amount))
            .where(Refund.purchase_id.in_(ids))
            .group_by(Refund.purchase_id)
        ).all()
    )
    for purchase in filed.read(
        tx, filed.question().where(Purchase.purchase_id.in_(ids))
    ):
        purchase_id = purchase.purchase_id
        of_it = entries[purchase_id]
        _check_sold(purchase, rows[purchase_id], of_it, found)
        _check_back(of_it, back[purchase_id], found)
        if int(paid.get(purchase_id, 0)) != _due(purchase):
            sentence = "What was paid back is not what came back."
            found.add("refund_changed", purchase_id, sentence)


def _back(tx: Tx, ids: Sequence[UUID]) -> Mapping[UUID, set[tuple[str, int]]]:
    """Read which lines came back by which refund."""
    back: defaultdict[UUID, set[tuple[str, int]]] = defaultdict(set)
    for row in tx.scalars(select(RefundLine).where(RefundLine.purchase_id.in_(ids))):
        back[row.purchase_id].add((str(row.refund_id), row.line_no))
    return back


def _check_sold(
    purchase: FiledPurchase, row: Purchase, entries: list[LedgerEntry], found: Found
) -> None:
    """Check a purchase against the entry that it brought about."""
    firsts = [
        entry
        for entry in entries
        if entry.nonce is not None or entry.rule == cards.RULE_BY_HAND
    ]
    if len(firsts) != 1:
        sentence = f"It brought about {len(firsts)} entries of the ledger, not one."
        found.add("purchase_stray", purchase.purchase_id, sentence)
    elif (_as_told(purchase), _place(row)) != (
        told(firsts[0], "purchase"),
        _place(firsts[0]),
    ):
        sentence = "It is not what was signed when it was sold."
        found.add("purchase_changed", purchase.purchase_id, sentence)


def _check_back(
    entries: list[LedgerEntry], back: set[tuple[str, int]], found: Found
) -> None:
    """Check that what an answer told of a refund is there still."""
    for entry in entries:
        lines, refund_id = told(entry, "lines"), told(entry, "refund_id")
        if isinstance(lines, list) and {(refund_id, line) for line in lines} - back:
            sentence = "What came back of its purchase is not in the books any more."
            found.add("refund_missing", entry.entry_id, sentence)


def _as_told(purchase: FiledPurchase) -> Mapping[str, Any]:
    """Write a purchase as its answer told it."""
    lines = [dict(line.told()) for line in purchase.lines]
    for line in lines:
        del line["is_back"]
    return {
        "purchase_id": str(purchase.purchase_id),
        "amount": purchase.amount,
        "currency": purchase.currency,
        "till_number": purchase.till_number,
        "lines": lines,
    }


def _place(row: Purchase | LedgerEntry) -> tuple[object, ...]:
    """Tell whose it was, when, by which request and where."""
    return (
        row.card_id, row.at, row.request_id, row.staff_id, row.terminal_id,
        row.location_id,
    )  # fmt: skip


def _due(purchase: FiledPurchase) -> int:
    """Tell what had to be paid back for the lines that came back."""
    back = {line.line_no for line in purchase.lines if line.is_back}
    rest = rest_of(purchase.lines, purchase.amount, back).amount or 0
    return purchase.amount - rest if back else 0

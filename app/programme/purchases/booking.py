"""Writing a purchase, in the transaction of the stamps that it gives.

The purchase comes before its entry, which names it. A receipt of a till system counts
once: its number is unique, and of two that bring it at once one writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app.programme import money
from app.programme.errors import ReceiptCounted
from app.programme.purchases.sale import Order, Sale, sale_of
from app.store.database import Tx
from app.store.tables import Purchase, PurchaseLine


@dataclass(frozen=True, slots=True)
class Sold:
    """A purchase as it was just written."""

    purchase_id: UUID
    sale: Sale
    currency: str
    #: Plain data, for the answer that the ledger signs.
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Counter:
    """To whom, where and when something is sold, and by which request."""

    card_id: UUID
    #: As the ledger keeps it.
    request_id: str
    at: datetime
    terminal_id: UUID | None
    staff_id: UUID | None
    location_id: UUID | None


def write(tx: Tx, order: Order, counter: Counter) -> Sold | None:
    """Write what was bought; None where nothing was said of it.

    Raises:
        InvalidRequest: ``items``: ``unknown`` or ``out_of_range``.
        ReceiptCounted: another request brought this receipt.
        IntegrityError: this request has counted.
    """
    if order.is_empty:
        return None
    sale, currency = sale_of(tx, order), money.currency_of(tx)
    purchase_id = _put(tx, order, counter, amount=sale.amount or 0, currency=currency)
    lines = [
        PurchaseLine(
            purchase_id=purchase_id,
            line_no=number,
            item_id=line.item_id,
            name=line.name,
            category=line.category,
            quantity=line.quantity,
            price=line.price,
        )
        for number, line in enumerate(sale.lines, 1)
    ]
    beyond = (sale.amount or 0) - sale.listed
    # A purchase has a line, so that it can come back.
    if beyond > 0 or not lines:
        lines.append(
            PurchaseLine(
                purchase_id=purchase_id,
                line_no=len(lines) + 1,
                quantity=1,
                price=max(beyond, 0),
            )
        )
    tx.add_all(lines)
    tx.flush()
    told = {
        "purchase_id": str(purchase_id),
        "amount": sale.amount or 0,
        "currency": currency,
        "till_number": order.till_number,
        "lines": [told_line(line) for line in lines],
    }
    return Sold(purchase_id, sale, currency, told)


def told_line(line: PurchaseLine) -> Mapping[str, Any]:
    """Write a line as plain data."""
    return {
        "line_no": line.line_no,
        "item_id": str(line.item_id) if line.item_id else None,
        "name": line.name,
        "quantity": line.quantity,
        "price": line.price,
    }


def _put(tx: Tx, order: Order, counter: Counter, *, amount: int, currency: str) -> UUID:
    """Write the purchase's row, if no other has its receipt."""
    purchase_id = uuid4()
    is_sqlite = tx.get_bind().dialect.name == "sqlite"
    insert = (sqlite if is_sqlite else postgresql).insert(Purchase)
    wanted = insert.values(
        purchase_id=purchase_id,
        card_id=counter.card_id,
        at=counter.at,
        amount=amount,
        currency=currency,
        location_id=counter.location_id,
        staff_id=counter.staff_id,
        terminal_id=counter.terminal_id,
        request_id=counter.request_id,
        till_number=order.till_number,
    )
    # Whoever comes second waits here until the first has written or given up.
    written = tx.execute(
        wanted.on_conflict_do_nothing(index_elements=[Purchase.till_number]).returning(
            Purchase.purchase_id
        )
    ).first()
    if written is not None:
        return purchase_id
    first = tx.execute(
        select(Purchase.at, Purchase.request_id).where(
            Purchase.till_number == order.till_number
        )
    ).one()
    if first.request_id != counter.request_id:
        raise ReceiptCounted(first.at)
    # Ours, a moment ago: the request's own constraint ends this one.
    tx.execute(wanted)
    return purchase_id

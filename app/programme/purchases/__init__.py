"""Purchases: what the shop sells, what was bought, and what came back.

A purchase is written in the transaction that gives its stamps, with prices from the
books; a request only names items and says what was paid in all. What came back is told
by rows of its own, once for each line, and takes with it what the sale had given.
"""

from __future__ import annotations

from app.programme.purchases.booking import Counter, Sold, write
from app.programme.purchases.filed import (
    FiledLine,
    FiledPurchase,
    card_of,
    lately,
    of_card,
)
from app.programme.purchases.giving_back import basket_of
from app.programme.purchases.refunds import refund, undo
from app.programme.purchases.sale import (
    RECORD_FIELD,
    Line,
    Order,
    Sale,
    check,
    order_in,
    sale_of,
)

__all__ = [
    "RECORD_FIELD",
    "Counter",
    "FiledLine",
    "FiledPurchase",
    "Line",
    "Order",
    "Sale",
    "Sold",
    "basket_of",
    "card_of",
    "check",
    "lately",
    "of_card",
    "order_in",
    "refund",
    "sale_of",
    "undo",
    "write",
]

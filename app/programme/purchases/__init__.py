"""Purchases: what the shop sells, what was bought, and what came back.

A purchase is written in the transaction that gives its stamps, with prices from the
books; a request only names items and says what was paid in all. What came back is told
by rows of its own, once for each line, and takes with it what the sale had given.
"""

from __future__ import annotations

from app.programme.purchases.items import (
    ItemView,
    TypedItem,
    add_item,
    change_item,
    currency,
    items,
    move_item,
    on_sale,
    set_on_sale,
)
from app.programme.purchases.sale import Line, Order, Sale

__all__ = [
    "ItemView",
    "Line",
    "Order",
    "Sale",
    "TypedItem",
    "add_item",
    "change_item",
    "currency",
    "items",
    "move_item",
    "on_sale",
    "set_on_sale",
]

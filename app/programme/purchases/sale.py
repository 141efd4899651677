"""A sale: items with their prices from the books, and what was paid in all.

Pure values, but for ``sale_of``, which reads the prices. What was paid may be more
than the items come to (something was sold that has no tile) or less (a discount); it is
what rules of amounts count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.programme import money
from app.programme.errors import InvalidRequest
from app.store.database import Tx
from app.store.tables import Item

#: Different items of one sale, and how many of one.
MOST_LINES: Final = 40
MOST_OF_ONE: Final = 99
#: Minor units that one sale may come to: 100,000.00 where there are two digits.
MOST_AMOUNT: Final = money.MOST // 10
#: Where an issue record keeps the sale of a code that a till shows.
RECORD_FIELD: Final = "order"


@dataclass(frozen=True, slots=True)
class Line:
    """Some of one item, as it was sold."""

    item_id: UUID
    name: str
    #: 1 to ``MOST_OF_ONE``.
    quantity: int
    #: Of one, in minor units.
    price: int
    #: What the till showed it with; "": nothing.
    category: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """What was bought at once."""

    lines: tuple[Line, ...]
    #: What was paid in all, in minor units; None: nobody said.
    amount: int | None

    @property
    def listed(self) -> int:
        """Add up what the items cost, in minor units."""
        return sum(line.quantity * line.price for line in self.lines)


@dataclass(frozen=True, slots=True)
class Order:
    """What a device says was bought: names and numbers, no prices."""

    #: Item ids with how many of each; an item that stands twice is added up.
    items: tuple[tuple[UUID, int], ...] = ()
    #: What was paid in all, in minor units; None: what the items come to.
    amount: int | None = None
    #: The till system's own number of the receipt.
    till_number: str | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was said: stamps alone."""
        return not self.items and self.amount is None

    def as_text(self) -> str:
        """Write it for an issue record, as ``order_in`` reads it."""
        items = [[item_id.hex, number] for item_id, number in self.items]
        return json.dumps([items, self.amount])


def order_in(record: Mapping[str, str]) -> Order:
    """Read the order of an issue record, which only we can have sealed."""
    items, amount = json.loads(record.get(RECORD_FIELD, "[[], null]"))
    return Order(tuple((UUID(item_id), number) for item_id, number in items), amount)


def check(order: Order) -> None:
    """Refuse an order that makes no sense, before a code is looked at.

    Raises:
        InvalidRequest: ``items`` or ``amount`` is ``out_of_range``, ``items`` is
            ``too_long``, or there is a ``till_number`` without a sale.
    """
    wrong = {}
    if not all(1 <= number <= MOST_OF_ONE for number in _counted(order.items).values()):
        wrong["items"] = "out_of_range"
    if len(order.items) > MOST_LINES:
        wrong["items"] = "too_long"
    if order.amount is not None and not 0 <= order.amount <= MOST_AMOUNT:
        wrong["amount"] = "out_of_range"
    if order.till_number is not None and order.is_empty:
        wrong["amount"] = "missing"
    if wrong:
        raise InvalidRequest(wrong)


def sale_of(tx: Tx, order: Order) -> Sale:
    """Read what the items of an order are called and cost now.

    An item that is not sold any more still counts: the order may have waited for a
    network while it was hidden.

    Raises:
        InvalidRequest: ``items``: ``unknown``; or they come to more than a sale may.
    """
    counted = _counted(order.items)
    rows = {
        row.item_id: row
        for row in tx.scalars(select(Item).where(Item.item_id.in_(counted)))
    }
    if rows.keys() != counted.keys():
        raise InvalidRequest({"items": "unknown"})
    lines = tuple(
        Line(item_id, row.name, counted[item_id], row.price, row.category)
        for item_id, row in ((item_id, rows[item_id]) for item_id in counted)
    )
    sale = Sale(lines, order.amount)
    if sale.listed > MOST_AMOUNT:
        raise InvalidRequest({"items": "out_of_range"})
    return replace(sale, amount=sale.listed) if sale.amount is None else sale


def _counted(items: Sequence[tuple[UUID, int]]) -> dict[UUID, int]:
    """Add up items that stand twice, in the order in which they came."""
    counted: dict[UUID, int] = {}
    for item_id, number in items:
        # A number that makes no sense must not be mended by the next.
        sound = number if number > 0 else MOST_OF_ONE + 1
        counted[item_id] = counted.get(item_id, 0) + sound
    return counted

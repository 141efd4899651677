"""What the shop sells: the tiles of the till.

An item is never removed: what was bought keeps it. One that is not sold any more is
hidden, and may come back. Prices are whole minor units of the shop's currency; a change
counts from the next sale on, since each purchase keeps the price that it had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.programme import audit, money
from app.programme.errors import InvalidRequest, NotFound
from app.programme.purchases.sale import MOST_AMOUNT
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse, unique
from app.programme.words import clean_name
from app.store.database import Tx
from app.store.tables import Item
from app.tools import Tools

#: Items that a shop may have, hidden ones among them.
MOST_ITEMS: Final = 300
CATEGORY_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class ItemView:
    """Something that the shop sells."""

    item_id: UUID
    name: str
    #: In minor units.
    price: int
    #: "": none.
    category: str
    is_favourite: bool
    is_active: bool


@dataclass(frozen=True, slots=True)
class TypedItem:
    """An item as somebody typed it; not trusted."""

    #: 1 to 60 characters, no other item's.
    name: str
    #: Minor units, 0 or more; None: it was no sum of money.
    price: int | None
    #: What the till shows it with, or nothing.
    category: str = ""
    #: Whether it stands before all others.
    is_favourite: bool = False


def items(tools: Tools) -> list[ItemView]:
    """Read every item in the shop's own order, hidden ones last."""
    with tools.database.read() as tx:
        return [_view(row) for row in _in_order(tx)]


def currency(tools: Tools) -> str:
    """Read what prices are in, as ISO 4217 spells it."""
    with tools.database.read() as tx:
        return money.currency_of(tx)


def on_sale(tools: Tools) -> list[ItemView]:
    """Read what the till shows: favourites first, then the shop's own order."""
    shown = [item for item in items(tools) if item.is_active]
    return sorted(shown, key=lambda item: not item.is_favourite)


def add_item(tools: Tools, typed: TypedItem, *, by: ConsoleCaller) -> UUID:
    """Add an item after all others.

    Returns:
        Its id.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``item_name``, ``price`` or ``category`` makes no sense, the
            name is ``taken``, or there are too many (``item_name``: ``too_many``).
    """
    must_lead(by)
    facts = _facts(typed)
    with unique("item_name"), tools.database.begin() as tx:
        known, last = tx.execute(
            select(func.count(), func.coalesce(func.max(Item.position), 0))
        ).one()
        if known >= MOST_ITEMS:
            raise InvalidRequest({"item_name": "too_many"})
        row = Item(**facts, position=last + 1, created_at=tools.now())
        tx.add(row)
        tx.flush()
        audit.record(tx, tools, "item.added", row.item_id, by=by.staff_id, **facts)
        return row.item_id


def change_item(
    tools: Tools, item_id: UUID, typed: TypedItem, *, by: ConsoleCaller
) -> None:
    """Change an item; what was sold before keeps its name and price.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: as ``add_item``.
        NotFound: no such item.
    """
    must_lead(by)
    facts = _facts(typed)
    with unique("item_name"), tools.database.begin() as tx:
        row = _held(tx, item_id)
        was = {"was_name": row.name, "was_price": row.price}
        for field, value in facts.items():
            setattr(row, field, value)
        tx.flush()
        audit.record(tx, tools, "item.changed", item_id, by=by.staff_id, **facts, **was)


def set_on_sale(
    tools: Tools, item_id: UUID, *, is_active: bool, by: ConsoleCaller
) -> None:
    """Hide an item from the till, or show it again.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such item.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        row = _held(tx, item_id)
        if row.is_active == is_active:
            return
        row.is_active = is_active
        did = "item.shown" if is_active else "item.hidden"
        audit.record(tx, tools, did, item_id, by=by.staff_id, name=row.name)


def move_item(tools: Tools, item_id: UUID, *, up: bool, by: ConsoleCaller) -> None:
    """Move an item one place up or down among those that are sold.

    At the end of the list nothing changes.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such item, or it is hidden.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        # All of them are held: two people who move at once do it one after the other.
        rows = [row for row in _in_order(tx, hold=True) if row.is_active]
        at = next((n for n, row in enumerate(rows) if row.item_id == item_id), None)
        if at is None:
            raise NotFound
        to = at - 1 if up else at + 1
        if 0 <= to < len(rows):
            rows[at], rows[to] = rows[to], rows[at]
        for place, row in enumerate(rows, 1):
            row.position = place


def _in_order(tx: Tx, *, hold: bool = False) -> list[Item]:
    asked = select(Item).order_by(
        Item.is_active.desc(), Item.position, func.lower(Item.name)
    )
    return list(tx.scalars(asked.with_for_update() if hold else asked))


def _held(tx: Tx, item_id: UUID) -> Item:
    row = tx.get(Item, item_id, with_for_update=True)
    if row is None:
        raise NotFound
    return row


def _facts(typed: TypedItem) -> dict[str, str | int | bool]:
    wrong: dict[str, str] = {}
    name, category = clean_name(typed.name, wrong, "item_name"), ""
    if typed.category.strip():
        category = clean_name(typed.category, wrong, "category", CATEGORY_LENGTH)
    if typed.price is None:
        wrong["price"] = "not_an_amount"
    elif not 0 <= typed.price <= MOST_AMOUNT:
        wrong["price"] = "out_of_range"
    refuse(wrong)
    return {
        "name": name,
        "price": typed.price or 0,
        "category": category,
        "is_favourite": typed.is_favourite,
    }


def _view(row: Item) -> ItemView:
    return ItemView(
        item_id=row.item_id,
        name=row.name,
        price=row.price,
        category=row.category,
        is_favourite=row.is_favourite,
        is_active=row.is_active,
    )

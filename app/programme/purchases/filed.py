"""Purchases as people look them up: lately at a location, or of one card."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select

from app.programme.errors import NotFound
from app.programme.sessions import StaffCaller
from app.store.database import Tx
from app.store.tables import Card, Member, Purchase, PurchaseLine, RefundLine
from app.tools import Tools

#: How far back a till looks, and how many it shows.
LATELY: Final = timedelta(days=14)
MOST_LATELY: Final = 30


@dataclass(frozen=True, slots=True)
class FiledLine:
    """A line of a purchase."""

    line_no: int
    #: None: what was paid beyond items, or without any.
    item_id: UUID | None
    name: str | None
    category: str
    quantity: int
    #: Of one, in minor units.
    price: int
    #: Whether it came back.
    is_back: bool

    def told(self) -> Mapping[str, Any]:
        """Write it as plain data."""
        return {
            "line_no": self.line_no,
            "item_id": str(self.item_id) if self.item_id else None,
            "name": self.name,
            "quantity": self.quantity,
            "price": self.price,
            "is_back": self.is_back,
        }


@dataclass(frozen=True, slots=True)
class FiledPurchase:
    """A purchase and what of it came back."""

    purchase_id: UUID
    card_id: UUID
    card_number: str
    member_name: str | None
    at: datetime
    #: In minor units of ``currency``.
    amount: int
    currency: str
    till_number: str | None
    location_id: UUID | None
    lines: tuple[FiledLine, ...]

    @property
    def is_back(self) -> bool:
        """Tell whether all of it came back."""
        return all(line.is_back for line in self.lines)


def lately(tools: Tools, staff: StaffCaller) -> list[FiledPurchase]:
    """Read what was bought lately where somebody works, newest first."""
    asked = question().where(
        Purchase.location_id == staff.location_id,
        Purchase.at > tools.now() - LATELY,
    )
    with tools.database.read() as tx:
        return read(tx, asked.limit(MOST_LATELY))


def of_card(tx: Tx, card_id: UUID, *, limit: int = 100) -> dict[UUID, FiledPurchase]:
    """Read a card's last purchases by their ids."""
    asked = question().where(Purchase.card_id == card_id).limit(limit)
    return {each.purchase_id: each for each in read(tx, asked)}


def card_of(tools: Tools, purchase_id: UUID) -> UUID:
    """Tell whose purchase it is.

    Raises:
        NotFound: no such purchase.
    """
    with tools.database.read() as tx:
        found = one(tx, purchase_id)
    if found is None:
        raise NotFound
    return found.card_id


def one(tx: Tx, purchase_id: UUID) -> FiledPurchase | None:
    """Read a purchase; None where there is none."""
    found = read(tx, question().where(Purchase.purchase_id == purchase_id))
    return found[0] if found else None


def read(tx: Tx, asked: Select[Purchase, str, str | None]) -> list[FiledPurchase]:
    """Read purchases with their lines."""
    rows = tx.execute(asked).all()
    lines = _lines(tx, [row.Purchase.purchase_id for row in rows])
    return [
        FiledPurchase(
            purchase_id=row.Purchase.purchase_id,
            card_id=row.Purchase.card_id,
            card_number=row.number,
            member_name=row.name,
            at=row.Purchase.at,
            amount=row.Purchase.amount,
            currency=row.Purchase.currency,
            till_number=row.Purchase.till_number,
            location_id=row.Purchase.location_id,
            lines=tuple(lines.get(row.Purchase.purchase_id, ())),
        )
        for row in rows
    ]


def question() -> Select[Purchase, str, str | None]:
    """Ask for purchases with whose they are, newest first; ``read`` takes it."""
    return (
        select(Purchase, Card.number, Member.name)
        .join(Card, Card.card_id == Purchase.card_id)
        .join(Member, Member.member_id == Card.member_id)
        .order_by(Purchase.at.desc())
    )


def _lines(tx: Tx, purchase_ids: Collection[UUID]) -> dict[UUID, list[FiledLine]]:
    rows = tx.execute(
        select(PurchaseLine, RefundLine.refund_id)
        .outerjoin(
            RefundLine,
            (RefundLine.purchase_id == PurchaseLine.purchase_id)
            & (RefundLine.line_no == PurchaseLine.line_no),
        )
        .where(PurchaseLine.purchase_id.in_(purchase_ids))
        .order_by(PurchaseLine.line_no)
    )
    found: dict[UUID, list[FiledLine]] = {}
    for line, refund_id in rows:
        found.setdefault(line.purchase_id, []).append(
            FiledLine(
                line_no=line.line_no,
                item_id=line.item_id,
                name=line.name,
                category=line.category,
                quantity=line.quantity,
                price=line.price,
                is_back=refund_id is not None,
            )
        )
    return found

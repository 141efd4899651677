"""What the API takes and gives of purchases."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, RootModel

from app.web.api.bodies import (
    Body,
    CardAnswer,
    InWords,
    LineAnswer,
    RequestId,
    Scan,
)


class Receipt(Scan):
    """A purchase out of a till system: its receipt counts once."""

    till_number: Annotated[
        str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._:/-]+$")
    ]


class GivenBack(Body):
    """What of a purchase comes back, all of it without ``lines``; and why."""

    lines: list[Annotated[int, Field(ge=1, le=99)]] = Field(
        default_factory=list, max_length=50
    )
    reason: Annotated[str, Field(max_length=400)]
    request_id: RequestId


class FiledLine(LineAnswer):
    """A line, and whether it came back."""

    is_back: bool


class FiledPurchase(BaseModel):
    """A purchase of lately, for whoever takes something back."""

    purchase_id: UUID
    amount: int = Field(description="paid in all, in minor units")
    currency: str = Field(description="ISO 4217")
    till_number: str | None
    at: str = Field(description="RFC 3339, UTC")
    member_name: str | None
    number_end: str
    lines: list[FiledLine]


class PurchaseList(RootModel[list[FiledPurchase]]):
    """Purchases, newest first."""


class RefundAnswer(InWords):
    """What came back of a purchase, and what that did to the card."""

    refund_id: UUID
    reversal_id: UUID = Field(description="of the entry in the ledger, if there is one")
    purchase_id: UUID
    amount: int = Field(description="to be paid back, in minor units")
    currency: str
    lines: list[int]
    card: CardAnswer
    member_name: str | None = None

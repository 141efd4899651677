"""What the API takes and gives of rewards."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, RootModel

from app.web.api.bodies import Body, CardAnswer, RequestId, VoucherAnswer


class Choose(Body):
    """A reward that a member wants, as they saw it."""

    reward_id: UUID
    request_id: Annotated[RequestId, Field(min_length=8)]
    edition: Annotated[int, Field(ge=1, le=1_000_000)]


class RewardAnswer(BaseModel):
    """A reward, as one member may choose it."""

    reward_id: UUID
    kind: str
    name: str
    about: str
    unit: str = Field(description="stamp, point or cent")
    price: int
    worth: int | None
    edition: int = Field(description="of its promise; choosing names it")
    missing: int = Field(description="units that are not on the card yet")
    left: int | None = Field(description="how many there are; null: no limit")
    why: str | None = Field(description="why it can't be had; null: it can")


class RewardList(RootModel[list[RewardAnswer]]):
    """What may be chosen, in the shop's order."""


class ExchangeAnswer(BaseModel):
    """A reward that was chosen, and the voucher that came of it."""

    exchange_id: UUID
    voucher: VoucherAnswer
    card: CardAnswer

"""What the API takes and gives: one model for each body.

Bodies are strict: a text is no number, and a field that we do not know is refused, so
that a slip is told rather than ignored. What came in is never echoed.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, TypeVar
from uuid import UUID

from flask import request
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from app.programme.errors import InvalidRequest

_Body = TypeVar("_Body", bound="Body")

#: pydantic's error types, as the stable words of ``InvalidRequest.fields``.
_WORDS: Final = {
    "missing": "missing",
    "extra_forbidden": "unexpected",
    "string_too_long": "too_long",
    "string_too_short": "missing",
    "string_pattern_mismatch": "bad_characters",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "too_long": "too_long",
    "int_type": "not_a_number",
    "uuid_parsing": "not_an_id",
    "uuid_type": "not_an_id",
    "json_invalid": "not_json",
    "model_type": "not_json",
}

# Long enough for a whole link to a code.
Code = Annotated[str, Field(min_length=1, max_length=400)]
RequestId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="made by the device that spends, the same on each retry",
    ),
]
Invitation = Annotated[
    str, Field(max_length=40, description="the code of a group's invitation")
]
Day = Annotated[str, Field(max_length=10, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
#: A field that we do not know is named if it looks like a name: it came from outside.
_FIELD = re.compile(r"[a-z][a-z_]{0,39}")
_ID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


class Body(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewMember(Body):
    """A customer who joins."""

    programme: UUID | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    locale: Annotated[str, Field(max_length=12)] | None = None
    terms_version: int | None = None
    invite: Annotated[str, Field(max_length=64)] | None = None
    invitation: Invitation | None = None
    birthday: Day | None = None


class NewCard(Body):
    """A card in another programme, for a member."""

    programme: UUID
    terms_version: int | None = None
    invitation: Invitation | None = None
    birthday: Day | None = None


class CodeOnly(Body):
    """A code to be spent: 128 characters, or the whole link."""

    code: Code


class NewTerminal(Body):
    """A device that wants to be a terminal."""

    code: Code
    name: Annotated[str, Field(max_length=200)] | None = None


class Pin(Body):
    """A staff member and their PIN."""

    staff_id: UUID
    pin: Annotated[str, Field(max_length=32)]


class HowMany(Body):
    """How many stamps."""

    stamps: Annotated[int, Field(ge=1, le=5)] = 1


class ItemCount(Body):
    """Some of one item; what it costs stands in the books."""

    item_id: UUID
    quantity: Annotated[int, Field(ge=1, le=99)] = 1


class Bought(HowMany):
    """How many stamps, and what was bought, if anybody says."""

    items: Annotated[list[ItemCount], Field(max_length=40)] = []
    amount: (
        Annotated[
            int,
            Field(ge=0, le=10_000_000, description="paid in all, in minor units"),
        ]
        | None
    ) = None


class Scan(Bought):
    """A card's code that was scanned, or its short code that was typed."""

    code: Code
    request_id: RequestId


class Search(Body):
    """Whom somebody at the till looks for: a card's number, or a part of a name."""

    q: Annotated[str, Field(min_length=1, max_length=80)]


class ByHand(Bought):
    """Stamps to a card that nobody showed, and what was bought."""

    card_id: UUID
    request_id: RequestId


class Redeem(Body):
    """A voucher's code that was scanned, or its short code that was typed."""

    code: Code
    request_id: RequestId
    amount: (
        Annotated[
            int,
            Field(
                ge=1,
                le=100_000_000,
                description="of money: minor units that are used",
            ),
        ]
        | None
    ) = None


class Reason(Body):
    """Why something is undone."""

    reason: Annotated[str, Field(max_length=400)]


class JoinedAnswer(BaseModel):
    """A new member; the token is told once."""

    member_id: UUID
    card_id: UUID
    token: str


class TakenAnswer(BaseModel):
    """A member's card."""

    card_id: UUID


class VoucherAnswer(BaseModel):
    """A voucher; ``state`` is issued, redeemed, expired or voided."""

    voucher_id: UUID
    reward: str
    state: str
    expires_at: str | None = Field(
        None, description="RFC 3339, UTC: its last second; null: it has no end"
    )
    kind: str = Field(
        "item",
        description="item, percent, money, delivery, merchandise, early_access, vip, "
        "content, partner or event",
    )
    worth: int | None = Field(None, description="percent, or minor units of currency")
    rest: int | None = Field(None, description="of money: minor units not used yet")
    currency: str | None = Field(None, description="ISO 4217; of money")


class CardAnswer(BaseModel):
    """A card; ``version`` counts what was written of it.

    Its ETag also changes with the clock, when a voucher's end comes near or has passed.
    """

    card_id: UUID
    programme: UUID
    programme_name: str
    reward: str
    number: str
    stamps: int
    stamps_required: int
    exchanges: str = Field(
        "automatic",
        description="automatic: a full card becomes a voucher; by_choice: it waits",
    )
    balances: dict[str, int] = Field(
        description="what can be spent in `point` and `cent`, where there is any"
    )
    vouchers: list[VoucherAnswer]
    version: int
    is_closed: bool


class CodeAnswer(BaseModel):
    """A code to be shown as a QR picture of its ``url``."""

    code: str
    url: str
    not_after: str = Field(description="RFC 3339, UTC")
    short: str | None = Field(None, description="stands for it when typed by staff")
    code_id: str | None = Field(None, description="stamp codes: asks what became of it")
    picture: str | None = Field(None, description="SVG, with ?picture=svg")


class GivenAnswer(BaseModel):
    """What one rule gave for a visit."""

    unit: str = Field(description="`stamp`, `point` or `cent`")
    units: int
    kind: str = Field(description="of the rule; `stamp`: what the barista counted")
    rule: str = Field(description="what the shop calls it; may be empty")
    version_id: UUID | None = Field(None, description="of the rule as it was then")
    percent: int | None = Field(None, description="of a `tier`: 150 is half more")
    cut: str | None = Field(
        None, description="what kept it from giving more: a `day`'s most, a `budget`"
    )


class LineAnswer(BaseModel):
    """A line of a purchase; without an item, what was paid beyond them."""

    line_no: int
    item_id: UUID | None
    name: str | None
    quantity: int
    price: int = Field(description="of one, in minor units, as it was sold")


class PurchaseAnswer(BaseModel):
    """A purchase, as it was written."""

    purchase_id: UUID
    amount: int = Field(description="paid in all, in minor units")
    currency: str = Field(description="ISO 4217")
    till_number: str | None
    lines: list[LineAnswer]


class CardInWords(BaseModel):
    """What stands on a card besides stamps, for whoever holds it; to staff only."""

    holds: str = Field("", description="what is on the card beside stamps")
    owes: str = Field("", description="what the card is short of")


class InWords(CardInWords):
    """What came of a visit, said to staff; nobody else is told in words."""

    earned: list[str] = Field([], description="by which rule")
    gained: str = Field("", description="all of it")


class StampAnswer(InWords):
    """Stamps that were given; ``given`` tells by which rule, and of other units."""

    stamp_id: UUID
    stamps_given: int
    counted: int | None = Field(None, description="what was asked for, before rules")
    given: list[GivenAnswer] = Field(default_factory=list)
    card: CardAnswer
    purchase: PurchaseAnswer | None = Field(None, description="where one was told")
    filled: int = Field(0, description="full cards that became a voucher")
    cashback: int = Field(0, description="by a paid membership, in minor units")
    member_name: str | None = Field(None, description="to staff only")


class FoundAnswer(BaseModel):
    """A card that was looked for: whose it is, and how its number ends."""

    card_id: UUID
    member_name: str | None
    number_end: str


class FoundList(RootModel[list[FoundAnswer]]):
    """The cards that were found, five at most."""


class RedemptionAnswer(CardInWords):
    """A voucher that was redeemed."""

    redemption_id: UUID
    voucher: VoucherAnswer
    card: CardAnswer
    amount: int | None = Field(None, description="of money: what was used of it")
    member_name: str | None = None


class ReversalAnswer(BaseModel):
    """What was undone, by an entry of its own."""

    reversal_id: UUID
    card: CardAnswer
    voucher: VoucherAnswer | None = Field(None, description="one that was given back")


class TerminalAnswer(BaseModel):
    """A new terminal; the token is told once."""

    terminal_id: UUID
    name: str
    location: str
    token: str


class StaffAnswer(BaseModel):
    """Somebody who may sign in here."""

    staff_id: UUID
    name: str


class StaffList(RootModel[list[StaffAnswer]]):
    """Everybody who may sign in here."""


class SessionAnswer(BaseModel):
    """A staff member at work; the token is told once."""

    staff_id: UUID
    name: str
    token: str


class StampCodeAnswer(InWords):
    """What became of a stamp code: waiting, collected or expired."""

    state: str
    member_name: str | None
    card_number: str | None
    stamp_id: UUID | None
    stamps_given: int | None = None


class Problem(BaseModel):
    """A refusal, RFC 9457."""

    type: str
    title: str
    status: int
    code: str = Field(description="stable; see the table of codes")
    detail: str = Field(description="a sentence for a person, in their language")
    fields: dict[str, str] | None = None
    limit: str | None = None
    most: int | None = Field(None, description="what the limit allows")
    why: str | None = Field(
        None,
        description="of not_eligible: own_card; of reward_unavailable: sold_out, "
        "budget_used, had, not_yet, over, closed, changed, too_late",
    )
    missing: int | None = Field(None, description="of not_enough: units")
    unit: str | None = Field(None, description="of not_enough: stamp, point, cent")
    rest: int | None = Field(None, description="of amount_needed: minor units left")
    currency: str | None = Field(None, description="of amount_needed: ISO 4217")
    digits: int | None = Field(None, description="of amount_needed: minor digits")
    reward: str | None = Field(None, description="of amount_needed: what it is")
    starts_at: str | None = Field(None, description="of voucher_early: RFC 3339")
    is_paused: bool | None = Field(None, description="of card_closed: for a while")
    retry_after: int | None = Field(None, description="seconds")
    spent_at: str | None = Field(None, description="to staff only")
    place: str | None = Field(None, description="to staff only")
    ended_at: str | None = Field(None, description="of a voucher: its last second")


def read(model: type[_Body]) -> _Body:
    """Read this request's body.

    Raises:
        InvalidRequest: it is no JSON object, or a field of it makes no sense.
    """
    try:
        return model.model_validate_json(request.get_data() or b"{}")
    except ValidationError as error:
        raise InvalidRequest(
            {
                _field(fault["loc"]): _WORDS.get(fault["type"], "wrong_type")
                # Neither the value nor pydantic's own words leave the house.
                for fault in error.errors(
                    include_input=False, include_url=False, include_context=False
                )
            }
        ) from error


def _field(place: tuple[int | str, ...]) -> str:
    name = str(place[0]) if place else ""
    return name if _FIELD.fullmatch(name) else "body"


def read_day(text: str | None, field: str) -> date | None:
    """Read a day.

    Raises:
        InvalidRequest: ``not_a_day``.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidRequest({field: "not_a_day"}) from error


def read_id(text: str) -> UUID:
    """Read an id from an address.

    Raises:
        InvalidRequest: it is none.
    """
    if not _ID.fullmatch(text):
        raise InvalidRequest({"id": "not_an_id"})
    return UUID(text)

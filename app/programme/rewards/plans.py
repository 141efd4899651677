"""What a shop may plan as a reward, and what makes no sense: pure.

A plan is what somebody typed, read into values. ``checked`` says of every field that
can't be so why, by a stable word, and gives the plan back trimmed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.programme import expiry
from app.programme.words import clean_name, has_controls


class Kind(StrEnum):
    """What sort of reward it is."""

    ITEM = "item"
    PERCENT = "percent"
    MONEY = "money"
    DELIVERY = "delivery"
    MERCHANDISE = "merchandise"
    EARLY_ACCESS = "early_access"
    VIP = "vip"
    CONTENT = "content"
    PARTNER = "partner"
    EVENT = "event"


#: Kinds that no till takes: their holder reads them, and that is their use.
READ_ONLY: Final = frozenset({Kind.CONTENT, Kind.PARTNER})
#: Kinds that are worth a figure.
WITH_WORTH: Final = frozenset({Kind.PERCENT, Kind.MONEY})
UNITS: Final = ("stamp", "point", "cent")

PRICE: Final = range(1_000_001)
PERCENT: Final = range(1, 101)
#: Minor units.
MONEY: Final = range(1, 1_000_001)
COST: Final = range(10_000_001)
STOCK: Final = range(1, 100_001)
BUDGET: Final = range(1, 1_000_000_001)
PER_MEMBER: Final = range(1, 1001)
ABOUT_LENGTH: Final = 300
CONTENT_LENGTH: Final = 2000
PLACE_LENGTH: Final = 120


@dataclass(frozen=True, slots=True)
class Plan:
    """A reward as somebody would have it; -1 stands for what is no number."""

    kind: str
    name: str
    price: int | None
    about: str = ""
    unit: str = "stamp"
    worth: int | None = None
    cost: int = 0
    stock: int | None = None
    budget: int | None = None
    per_member: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    voucher_days: int | None = None
    needs_tier_id: UUID | None = None
    content: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str | None = None
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Before:
    """What a reward that is there already can't take back."""

    kind: str
    sold: int
    spent: int
    closes_at: datetime | None = None
    starts_at: datetime | None = None


def checked(
    plan: Plan, wrong: dict[str, str], *, now: datetime, before: Before | None = None
) -> Plan:
    """Trim a plan and check it.

    Args:
        plan: as typed.
        wrong: gets each field that makes no sense, with a stable word.
        now: aware.
        before: the reward that it changes; None: a new one.

    Returns:
        The plan without what its kind does not have.
    """
    plan = _trimmed(plan, wrong)
    for check in (_kind, _price, _figures, _limits, _window, _event):
        check(plan, wrong, now, before)
    return plan


def _trimmed(plan: Plan, wrong: dict[str, str]) -> Plan:
    """Clean every text, and leave out what the kind does not have."""
    is_event = plan.kind == Kind.EVENT
    place = " ".join((plan.place or "").split())
    if is_event and place:
        place = clean_name(place, wrong, "place", PLACE_LENGTH)
    return replace(
        plan,
        name=clean_name(plan.name, wrong),
        about=_text(plan.about, wrong, "about", ABOUT_LENGTH) or "",
        content=_text(plan.content or "", wrong, "content", CONTENT_LENGTH) or None,
        worth=plan.worth if plan.kind in WITH_WORTH else None,
        # There are as many as there are codes.
        stock=None if plan.kind == Kind.PARTNER else plan.stock,
        # An event's end is the end of its places.
        voucher_days=None if is_event else plan.voucher_days,
        starts_at=plan.starts_at if is_event else None,
        ends_at=plan.ends_at if is_event else None,
        place=(place or None) if is_event else None,
    )


def _text(text: str, wrong: dict[str, str], field: str, length: int) -> str:
    cleaned = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if len(cleaned) > length:
        wrong[field] = "too_long"
    elif has_controls(cleaned, but="\n\t"):
        wrong[field] = "bad_characters"
    return cleaned


def _kind(
    plan: Plan, wrong: dict[str, str], _now: datetime, before: Before | None
) -> None:
    if plan.kind not in set(Kind):
        wrong["kind"] = "missing"
    elif before is not None and before.sold and plan.kind != before.kind:
        wrong["kind"] = "fixed"
    if plan.unit not in UNITS:
        wrong["unit"] = "missing"
    if plan.kind == Kind.CONTENT and not plan.content:
        wrong["content"] = "missing"


def _price(
    plan: Plan, wrong: dict[str, str], _now: datetime, _before: Before | None
) -> None:
    if plan.price is None:
        wrong["price"] = "missing"
    elif plan.price not in PRICE:
        wrong["price"] = "not_a_price"
    elif plan.price == 0 and plan.per_member is None:
        wrong["per_member"] = "free_needs_limit"


def _figures(
    plan: Plan, wrong: dict[str, str], _now: datetime, _before: Before | None
) -> None:
    if plan.kind == Kind.PERCENT and plan.worth not in PERCENT:
        wrong["worth"] = "not_a_percent"
    if plan.kind == Kind.MONEY and plan.worth not in MONEY:
        wrong["worth"] = "out_of_range"
    if plan.cost not in COST:
        wrong["cost"] = "out_of_range"
    elif plan.budget is not None and plan.cost == 0:
        wrong["cost"] = "budget_needs_cost"
    if plan.per_member is not None and plan.per_member not in PER_MEMBER:
        wrong["per_member"] = "out_of_range"
    if plan.voucher_days is not None and plan.voucher_days not in expiry.DAYS:
        wrong["voucher_days"] = "out_of_range"


def _limits(
    plan: Plan, wrong: dict[str, str], _now: datetime, before: Before | None
) -> None:
    sold, spent = (before.sold, before.spent) if before else (0, 0)
    if plan.stock is not None and plan.stock not in STOCK:
        wrong["stock"] = "out_of_range"
    elif plan.stock is not None and plan.stock < sold:
        wrong["stock"] = "below_sold"
    elif plan.stock is None and plan.kind == Kind.EVENT:
        wrong["stock"] = "missing"
    if plan.budget is None:
        return
    if plan.budget not in BUDGET:
        wrong["budget"] = "out_of_range"
    elif plan.budget < max(spent, plan.cost):
        wrong["budget"] = "below_spent" if spent > plan.cost else "below_cost"


def _window(
    plan: Plan, wrong: dict[str, str], now: datetime, before: Before | None
) -> None:
    if plan.closes_at is None:
        return
    is_old = before is not None and before.closes_at == plan.closes_at
    if plan.opens_at is not None and plan.closes_at <= plan.opens_at:
        wrong["closes_at"] = "before_start"
    elif plan.closes_at <= now and not is_old:
        wrong["closes_at"] = "in_the_past"


def _event(
    plan: Plan, wrong: dict[str, str], now: datetime, before: Before | None
) -> None:
    if plan.kind != Kind.EVENT:
        return
    is_old = before is not None and before.starts_at == plan.starts_at
    if plan.starts_at is None:
        wrong["starts_at"] = "missing"
    elif plan.starts_at <= now and not is_old:
        wrong["starts_at"] = "in_the_past"
    if plan.ends_at is None:
        wrong["ends_at"] = "missing"
    elif plan.starts_at is not None and plan.ends_at <= plan.starts_at:
        wrong["ends_at"] = "before_start"

"""Rewards in words: what they cost, what they are worth, and why one can't be had.

Customers read them on the phone and owners beside the form: the same sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from flask_babel import (
    format_currency,
    format_percent,
    gettext,
    lazy_gettext,
    ngettext,
)

from app.programme import money
from app.programme import shop as shops
from app.programme.errors import (
    AmountNeeded,
    NotEnough,
    Refused,
    RewardUnavailable,
    VoucherEarly,
)
from app.programme.rewards import Plan
from app.programme.units import Unit
from app.programme.vouchers import VoucherView
from app.web.shared import access, moments
from app.web.shared.names import isolated

#: What each kind is called, and what an owner is told of it.
KINDS: Final[Mapping[str, tuple[Any, Any]]] = {
    "item": (lazy_gettext("Free item"), lazy_gettext("A coffee, a cake, a car wash.")),
    "percent": (
        lazy_gettext("Discount in percent"),
        lazy_gettext("Taken off what is bought."),
    ),
    "money": (
        lazy_gettext("Discount in money"),
        lazy_gettext("A sum that can be used in parts, until it is gone."),
    ),
    "delivery": (lazy_gettext("Free delivery"), lazy_gettext("One delivery is free.")),
    "merchandise": (
        lazy_gettext("Merchandise"),
        lazy_gettext("A cup, a bag, a bottle: there are so many of it."),
    ),
    "early_access": (
        lazy_gettext("Early access"),
        lazy_gettext("What is new, before others may have it."),
    ),
    "vip": (lazy_gettext("VIP"), lazy_gettext("The table at the window, no queue.")),
    "content": (
        lazy_gettext("Something to read"),
        lazy_gettext("A text or a link that only its holder sees."),
    ),
    "partner": (
        lazy_gettext("A partner's code"),
        lazy_gettext("Codes of another shop, each handed out once."),
    ),
    "event": (
        lazy_gettext("Event"),
        lazy_gettext("With places, and a code that opens the door once."),
    ),
}
ICONS: Final[Mapping[str, str]] = {
    "item": "gift",
    "percent": "percent",
    "money": "coins",
    "delivery": "van",
    "merchandise": "bag",
    "early_access": "time",
    "vip": "star",
    "content": "terms",
    "partner": "share",
    "event": "ticket",
}
_WHY: Final[Mapping[str, Any]] = {
    "sold_out": lazy_gettext("There is none left."),
    "budget_used": lazy_gettext("As many as there were have been given."),
    "over": lazy_gettext("It is over."),
    "closed": lazy_gettext("It is not offered any more."),
    "called_off": lazy_gettext(
        "The event is called off. What a place cost is on the card again."
    ),
    "changed": lazy_gettext("It has just changed. Please look at it again."),
    "too_late": lazy_gettext("It has begun; places can't be given back any more."),
}
#: What they refuse, in a word or three and a sentence; all with 409.
REFUSALS: Final[Mapping[str, tuple[Any, Any]]] = {
    "voucher_early": (
        lazy_gettext("Not yet"),
        lazy_gettext("The day of this voucher has not come."),
    ),
    "amount_needed": (
        lazy_gettext("How much of it?"),
        lazy_gettext("It is worth money: say how much of it is used."),
    ),
    "reward_unavailable": (
        lazy_gettext("Not to be had"),
        lazy_gettext("It is not offered any more."),
    ),
    "not_enough": (
        lazy_gettext("Not enough yet"),
        lazy_gettext("There is less on the card than it costs."),
    ),
}
#: Of vouchers that can't be used.
_STATES: Final[Mapping[str, Any]] = {
    "redeemed": lazy_gettext("Used"),
    "expired": lazy_gettext("Expired"),
    "voided": lazy_gettext("Given back"),
}
#: The stable words of ``app.programme.rewards.plans`` and ``partners``, as sentences.
FIELD_SENTENCES: Final[Mapping[str, Any]] = {
    "fixed": lazy_gettext("Somebody has one already: this stays as it is."),
    "free_needs_limit": lazy_gettext(
        "What costs nothing needs a limit for each member."
    ),
    "not_a_percent": lazy_gettext("A whole number from 1 to 100."),
    "budget_needs_cost": lazy_gettext(
        "Say what one costs you, or the budget is never used."
    ),
    "below_sold": lazy_gettext("More than that have been given already."),
    "below_spent": lazy_gettext("More than that has been spent already."),
    "below_cost": lazy_gettext("It would not even pay for one."),
    "before_start": lazy_gettext("The end comes before the beginning."),
    "in_the_past": lazy_gettext("That is over. Choose a later day."),
    "not_a_day": lazy_gettext("That is no day. Choose one."),
    "not_a_price": lazy_gettext("0 to 1,000,000, without a sign."),
}


def amount(minor: int, currency: str) -> str:
    """Tell a sum of money: "€5.00".

    Args:
        minor: minor units.
        currency: as ISO 4217 spells it.
    """
    sum_ = Decimal(minor).scaleb(-money.digits(currency))
    return str(format_currency(sum_, currency))


def price(unit: str, units: int, currency: str) -> str:
    """Tell what it costs: "10 stamps", "250 points", "€2.50", or "Free"."""
    if units == 0:
        return str(gettext("Free"))
    if unit == Unit.CENT:
        return amount(units, currency)
    if unit == Unit.POINT:
        return str(ngettext("%(num)s point", "%(num)s points", units))
    return str(ngettext("%(num)s stamp", "%(num)s stamps", units))


def purse(unit: str, units: int, currency: str) -> str:
    """Tell how many of a unit there are: "7 stamps", also where there are none."""
    if unit == Unit.CENT:
        return amount(units, currency)
    return (
        price(unit, units, currency)
        if units
        else str(
            ngettext("%(num)s point", "%(num)s points", 0)
            if unit == Unit.POINT
            else ngettext("%(num)s stamp", "%(num)s stamps", 0)
        )
    )


def missing(unit: str, units: int, currency: str) -> str:
    """Tell what is not there yet: "3 more stamps"."""
    if unit == Unit.CENT:
        return str(gettext("%(sum)s more", sum=amount(units, currency)))
    if unit == Unit.POINT:
        return str(ngettext("One more point", "%(num)s more points", units))
    return str(ngettext("One more stamp", "%(num)s more stamps", units))


def worth(kind: str, figure: int | None, currency: str) -> str:
    """Tell what a discount is: "10% off", "€5.00"; "" for all other kinds."""
    if figure is None:
        return ""
    if kind == "percent":
        percent = format_percent(Decimal(figure) / 100)
        return str(gettext("%(percent)s off", percent=percent))
    return amount(figure, currency)


def why_not(
    why: str,
    *,
    most: int | None,
    opens_at: datetime | None,
    now: datetime,
    tier: str = "",
) -> str:
    """Tell why a reward can't be had.

    Args:
        why: as ``RewardUnavailable`` has it.
        most: of ``had``: how many one member may have.
        opens_at: of ``not_yet``: from when on it can.
        now: aware.
        tier: of ``tier``: which one it takes.
    """
    if why == "tier" and tier:
        return str(gettext("For members of %(tier)s and above.", tier=isolated(tier)))
    if why == "had":
        return str(
            ngettext(
                "One for each member, and you have had yours.",
                "%(num)s for each member, and you have had yours.",
                most or 1,
            )
        )
    if why == "not_yet":
        if opens_at is None:
            return str(gettext("Not yet"))
        return str(gettext("From %(day)s on.", day=moments.day_in_words(opens_at, now)))
    return str(_WHY.get(why, _WHY["closed"]))


def refused(error: Refused) -> str:
    """Tell what rewards and their vouchers refuse; "" of everything else."""
    now = access.tools().now()
    if isinstance(error, VoucherEarly):
        day = moments.day_in_words(error.starts_at, now)
        return str(gettext("It is good on %(day)s.", day=day))
    if isinstance(error, AmountNeeded):
        left = amount(error.rest, error.currency)
        return str(gettext("Say how much is used. %(left)s is left.", left=left))
    if isinstance(error, RewardUnavailable):
        return why_not(
            error.why, most=error.most, opens_at=None, now=now, tier=error.tier
        )
    if isinstance(error, NotEnough):
        currency = shops.shop(access.tools()).currency
        return missing(error.unit, error.missing, currency)
    return ""


def facts(error: Refused) -> Mapping[str, Any]:
    """Tell programs what such a refusal is about."""
    if isinstance(error, VoucherEarly):
        return {"starts_at": error.starts_at.isoformat()}
    if isinstance(error, AmountNeeded):
        return {
            "rest": error.rest,
            "currency": error.currency,
            "digits": money.digits(error.currency),
            "reward": error.reward,
        }
    if isinstance(error, RewardUnavailable):
        return {"why": error.why, "most": error.most}
    if isinstance(error, NotEnough):
        return {"missing": error.missing, "unit": error.unit}
    return {}


@dataclass(frozen=True, slots=True)
class Told:
    """A reward in words, as its sheet on a page shows it; "" where there is nothing."""

    icon: str
    kind: str
    name: str
    about: str
    #: "10% off"; of an event, when.
    worth: str
    place: str
    price: str
    #: What stands at its foot: what is missing, or why it can't be had.
    state: str
    #: ``can``, ``missing`` or ``gone``.
    tone: str
    #: Of its price, how much is there: 0 to 100.
    share: int
    #: "3 left", while that is worth telling.
    left: str


#: From so many on, how many are left is told.
_FEW: Final = 10


def told(
    plan: Plan,
    *,
    currency: str,
    now: datetime,
    missed: int = 0,
    why: str | None = None,
    left: int | None = None,
    tier: str = "",
) -> Told:
    """Put a reward into words.

    Args:
        plan: what is promised.
        currency: the shop's.
        now: aware.
        missed: how many units are missing.
        why: why it can't be had, as ``RewardUnavailable`` has it.
        left: how many there are still.
        tier: which one it takes.
    """
    units = plan.price or 0
    if why is not None:
        tone, state = (
            "gone",
            why_not(
                why, most=plan.per_member, opens_at=plan.opens_at, now=now, tier=tier
            ),
        )
    elif missed:
        tone, state = "missing", missing(plan.unit, missed, currency)
    else:
        tone, state = "can", ""
    return Told(
        icon=ICONS[plan.kind],
        kind=str(KINDS[plan.kind][0]),
        name=plan.name,
        about=plan.about,
        worth=_when(plan, now) or worth(plan.kind, plan.worth, currency),
        place=plan.place or "",
        price=price(plan.unit, units, currency),
        state=state,
        tone=tone,
        share=100 * (units - missed) // units if units else 100,
        left=_left(plan, left) if tone != "gone" else "",
    )


def of_voucher(voucher: VoucherView, event: Plan | None, now: datetime) -> Told:
    """Put a voucher into words: what it is, what is left of it, until when."""
    currency = voucher.currency or money.DEFAULT_CURRENCY
    what = worth(voucher.kind, voucher.worth, currency)
    if voucher.rest is not None and voucher.rest != voucher.worth:
        what = str(gettext("%(left)s left", left=amount(voucher.rest, currency)))
    until, ends = "", voucher.expires_at
    if ends is not None and event is None and voucher.state == "issued":
        day = moments.day_in_words(ends, now)
        until = str(gettext("Good until %(day)s", day=day))
    state = str(_STATES.get(voucher.state, ""))
    return Told(
        icon=ICONS[voucher.kind],
        kind=str(KINDS[voucher.kind][0]),
        name=voucher.reward,
        about=event.about if event else "",
        worth=(_when(event, now) if event else "") or what,
        place=(event.place if event else None) or "",
        price=str(gettext("Voucher")) if event is None else str(gettext("Your place")),
        state=state,
        tone="gone" if state else "can",
        share=100,
        left=until,
    )


def _when(plan: Plan, now: datetime) -> str:
    if plan.starts_at is None or plan.ends_at is None:
        return ""
    return str(
        gettext(
            "%(day)s, %(start)s to %(end)s",
            day=moments.day_in_words(plan.starts_at, now),
            start=moments.time(plan.starts_at),
            end=moments.time(plan.ends_at),
        )
    )


def _left(plan: Plan, left: int | None) -> str:
    if left is None or (left > _FEW and plan.kind != "event"):
        return ""
    if plan.kind == "event":
        return str(ngettext("%(num)s place left", "%(num)s places left", left))
    return str(ngettext("%(num)s left", "%(num)s left", left))

"""Paid plans in the words that customers read, and the console beside its forms."""

from __future__ import annotations

from typing import Final

from flask_babel import gettext, lazy_gettext, ngettext

from app.programme.plans import Advice, Period, Terms
from app.web.shared import unit_words

_MONTH = 1
#: How a fee was taken, as ``plans.paying`` names it.
PAID_HOW: Final = {
    "cash": lazy_gettext("In cash"),
    "card": lazy_gettext("By card"),
    "other": lazy_gettext("Otherwise"),
}


def price(terms: Terms, currency: str) -> str:
    """Say what a plan costs: "45.00 € a year"."""
    sum_ = unit_words.money(terms.price, currency)
    if terms.period_months == _MONTH:
        return str(gettext("%(sum)s a month", sum=sum_))
    return str(gettext("%(sum)s a year", sum=sum_))


def cashback(terms: Terms, currency: str) -> str:
    """Say what it gives back: "2 % back, at most 500.00 € a year"; "" for nothing."""
    if not terms.cashback:
        return ""
    share = unit_words.percent(terms.cashback)
    if terms.cap is None:
        return str(gettext("%(percent)s back on what you pay", percent=share))
    most = unit_words.money(terms.cap, currency)
    return str(
        gettext(
            "%(percent)s back on what you pay, at most %(sum)s a year",
            percent=share,
            sum=most,
        )
    )


def used(period: Period) -> str:
    """Say what of the cashback was given and what is left; "" for a plan without."""
    if not period.terms.cashback:
        return ""
    given = unit_words.money(period.given, period.currency)
    if period.left is None:
        return str(gettext("%(sum)s given back so far this year.", sum=given))
    return str(
        gettext(
            "%(sum)s given back so far this year, %(left)s left of at most %(most)s.",
            sum=given,
            left=unit_words.money(period.left, period.currency),
            most=unit_words.money(period.terms.cap or 0, period.currency),
        )
    )


def break_even(sum_: int | None, currency: str) -> str:
    """Say from what spending on a plan pays for itself."""
    if sum_ is None:
        return str(gettext("By its cashback alone it never pays for itself."))
    told = unit_words.money(sum_, currency)
    return str(gettext("It pays above %(sum)s a year.", sum=told))


def advice(found: Advice, currency: str) -> tuple[str, ...]:
    """Say whether a plan would have paid for itself, and from when on it does."""
    if found.is_early:
        said = ngettext(
            "We know %(num)s day of your purchases: too little to tell if it pays.",
            "We know %(num)s days of your purchases: too little to tell if it pays.",
            found.days,
        )
        return (str(said), *_break_even(found, currency))
    facts = {
        "spent": unit_words.money(found.spent, currency),
        "given": unit_words.money(found.given, currency),
        "price": unit_words.money(found.price, currency),
        "year": unit_words.money(found.spent_a_year, currency),
    }
    if found.is_drawn_out:
        said = ngettext(
            "In %(num)s day you spent %(spent)s. Drawn out to a year that is "
            "%(year)s, for which the plan would give you %(given)s and cost %(price)s.",
            "In %(num)s days you spent %(spent)s. Drawn out to a year that is "
            "%(year)s, for which the plan would give you %(given)s and cost %(price)s.",
            found.days,
            **facts,
        )
    else:
        said = gettext(
            "In the last twelve months you spent %(spent)s. The plan would have given "
            "you %(given)s for %(price)s.",
            **facts,
        )
    return (str(said), _verdict(found, currency), *_break_even(found, currency))


def _verdict(found: Advice, currency: str) -> str:
    if found.pays:
        gain = unit_words.money(found.gain, currency)
        if found.is_drawn_out:
            said = gettext("That is an estimate: it might pay, by %(sum)s.", sum=gain)
        else:
            said = gettext("It would have paid, by %(sum)s.", sum=gain)
        return str(said)
    if found.is_drawn_out:
        return str(gettext("That is an estimate: it would probably not pay."))
    return str(gettext("It would not have paid."))


def _break_even(found: Advice, currency: str) -> tuple[str, ...]:
    return (break_even(found.break_even, currency),)


def gives(terms: Terms, benefits: tuple[str, ...], currency: str) -> tuple[str, ...]:
    """Tell what a plan gives, the shop's own words last."""
    back = cashback(terms, currency)
    return (back, *benefits) if back else benefits

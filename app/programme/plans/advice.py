"""Whether a paid plan would pay for itself: told from a member's own purchases.

Pure. The last twelve months are looked at; what the plan would have given then is set
against what it would have cost, and the answer is the plain difference, also when it
is a loss. Where less than a year is known, what is known is drawn out to a year and
said to be so (``is_drawn_out``); below ``LEAST_DAYS`` nothing is said but that it is
too early. Sums are minor units; what is given is rounded down, as it is when it is
earned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.programme.tiers.ladder import months_later

#: Of a history: what is shorter says nothing about a year.
LEAST_DAYS: Final = 60
_YEAR_DAYS: Final = 365
_WHOLE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan costs and gives, for a year."""

    #: Of one period, minor units.
    price: int
    #: 1 or 12.
    period_months: int
    #: In hundredths of a percent.
    cashback: int
    #: What it gives back in a year at most; None: without an end.
    cap: int | None = None

    @property
    def price_a_year(self) -> int:
        """What a year of it costs."""
        return self.price * 12 // self.period_months

    def given_for(self, spent: int) -> int:
        """Tell what it gives back for what was spent in a year."""
        given = spent * self.cashback // _WHOLE
        return given if self.cap is None else min(given, self.cap)

    @property
    def break_even(self) -> int | None:
        """What to spend in a year so that it pays for itself; None: nothing does."""
        price = self.price_a_year
        if not self.cashback or (self.cap is not None and self.cap < price):
            return None
        return -(-price * _WHOLE // self.cashback)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a plan would have been worth; sums in minor units."""

    #: Too little is known to tell; then the rest is what is known.
    is_early: bool
    #: What is known was drawn out to a year.
    is_drawn_out: bool
    #: Days that are known of the last year.
    days: int
    #: In those days.
    spent: int
    #: In a year: spent, given, and paid for the plan.
    spent_a_year: int
    given: int
    price: int
    #: The yearly cap is what holds it down.
    is_capped: bool
    break_even: int | None

    @property
    def gain(self) -> int:
        """What would be left over; below nought it is a loss."""
        return self.given - self.price

    @property
    def pays(self) -> bool:
        """Whether there is a gain; to come out even is none."""
        return not self.is_early and self.gain > 0


def advice(
    purchases: Iterable[tuple[date, int]], terms: Terms, *, today: date, since: date
) -> Advice:
    """Tell whether a plan would have paid for itself.

    Args:
        purchases: day and sum of each, less what was paid back; in any order.
        terms: the plan's.
        today: the last day that is looked at.
        since: from when on purchases were written down at all: the card's first day,
            or the shop's first sums.
    """
    first = max(since, months_later(today, -12))
    days = min((today - first).days, _YEAR_DAYS)
    spent = sum(amount for day, amount in purchases if first < day <= today)
    is_whole = since <= months_later(today, -12)
    is_early = days < LEAST_DAYS
    a_year = spent if is_whole or is_early else spent * _YEAR_DAYS // days
    return Advice(
        is_early=is_early,
        is_drawn_out=not (is_whole or is_early),
        days=days,
        spent=spent,
        spent_a_year=a_year,
        given=terms.given_for(a_year),
        price=terms.price_a_year,
        is_capped=terms.cap is not None
        and a_year * terms.cashback // _WHOLE > terms.cap,
        break_even=terms.break_even,
    )

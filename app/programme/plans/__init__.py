"""Paid membership: what is on offer, who has paid, what it gives, whether it pays.

* ``offering``: the plans of a programme
* ``paying``: a period marked as paid, once; its fee paid back
* ``periods``: what a card has now, and what of its cashback is left
* ``rounds``: reminded before the end, told after it; the worker's
* ``advice``: whether it would have paid for itself; pure
* ``advising``: the same, from a card's own purchases

The money is taken outside. Here is written that it was, by whom, and how.
"""

from __future__ import annotations

from app.programme.plans.advice import Advice, Terms, advice
from app.programme.plans.periods import RULE as RULE_CASHBACK
from app.programme.plans.periods import (
    Period,
    current,
    is_paid_on,
    of_card,
    renewable_from,
)

__all__ = [
    "RULE_CASHBACK",
    "Advice",
    "Period",
    "Terms",
    "advice",
    "current",
    "is_paid_on",
    "of_card",
    "renewable_from",
]

"""Tiers: what a card earned lately gives it more of, qualified, kept, in grace, lost.

* ``ladder``: where a card stands; pure
* ``rules``: the tiers of a programme, and what a card earned, read from the books
* ``holding``: what a card comes to have, written with what brought it about
* ``rounds``: what the clock and a changed ladder bring; the worker's
* ``setting``: the console's changes, with care for who has a tier
* ``inviting``: a manager lets a card in
* ``weighing``: who would be where today

A card has one tier at a time. It rises in the transaction that books what it earned
(``after_earning``), and falls when the worker comes by after its last day, or at once
when what it was earned by is taken back (``after_undoing``).
"""

from __future__ import annotations

from app.programme.tiers.holding import (
    CardTier,
    after_earning,
    after_undoing,
    birthday_extra,
    boosts_of,
    gives_on_birthdays,
    name_of,
    of_card,
    reaches,
)
from app.programme.tiers.rules import Rules, TierView, of_programme

__all__ = [
    "CardTier",
    "Rules",
    "TierView",
    "after_earning",
    "after_undoing",
    "birthday_extra",
    "boosts_of",
    "gives_on_birthdays",
    "name_of",
    "of_card",
    "of_programme",
    "reaches",
]

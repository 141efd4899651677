"""Rewards: what members choose, the vouchers that come of it, and their use.

By job:

* ``plans``: what a shop may plan, and what makes no sense (pure)
* ``catalogue``: the list of rewards, what is left of each, what it has cost
* ``partners``: pools of partners' codes
* ``offers``: what one member may choose, and what is missing yet
* ``choosing``: units become a voucher; a place at an event is given back
* ``opening``: what only a holder reads
* ``using``: a voucher is shown, redeemed once or in parts, given back
* ``guests``: who comes to an event
* ``calling_off``: an event does not take place
* ``warning``: the mail that a voucher ends soon

Stock, budgets and pools are taken from and given back to by ``app.programme.stock``.
"""

from __future__ import annotations

from app.programme.rewards.calling_off import call_off
from app.programme.rewards.catalogue import (
    LOW,
    RewardView,
    move,
    reward,
    rewards,
    save,
    set_exchanges,
)
from app.programme.rewards.choosing import cancel, choose, void
from app.programme.rewards.guests import Guest, guests
from app.programme.rewards.offers import Offer, offer, offers
from app.programme.rewards.opening import Opened, open_voucher, opened_before
from app.programme.rewards.partners import Imported
from app.programme.rewards.plans import Kind, Plan
from app.programme.rewards.using import (
    book_redemption,
    give_back,
    redeem,
    reverse_redemption,
    voucher_code,
)

__all__ = [
    "LOW",
    "Guest",
    "Imported",
    "Kind",
    "Offer",
    "Opened",
    "Plan",
    "RewardView",
    "book_redemption",
    "call_off",
    "cancel",
    "choose",
    "give_back",
    "guests",
    "move",
    "offer",
    "offers",
    "open_voucher",
    "opened_before",
    "redeem",
    "reverse_redemption",
    "reward",
    "rewards",
    "save",
    "set_exchanges",
    "void",
    "voucher_code",
]

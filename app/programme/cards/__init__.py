"""Cards: their state as people see it, and what a change of units causes.

A card's balance is the sum of its ledger entries, always. When its stamps reach what
the programme asks, that many are exchanged for a voucher, in the same transaction
(``credit``); when a reversal takes stamps that were exchanged, an unused voucher goes
back (``debit``). By job:

* ``states``: a card as its member sees it, and what its answers tell
* ``sums``: the sums of its entries, and the lots that are left of them
* ``changes``: what new units cause, and what it causes to take some back

What people see of a card also changes with the clock, when the end of a voucher or of
units comes near or has passed. Its ``version`` counts what was written; its ``tag``
names both.
"""

from __future__ import annotations

from app.programme.cards.changes import (
    CLOSED,
    RULE_BY_HAND,
    RULE_CANCELLED,
    RULE_CHOSEN,
    RULE_END,
    RULE_FULL_CARD,
    RULE_MOVED_IN,
    RULE_MOVED_OUT,
    RULE_STAMP,
    RULE_UNDO,
    RULE_VOUCHER_USED,
    accept_terms,
    close,
    credit,
    exchange,
    open_card,
    touch,
    write_ends,
)
from app.programme.cards.moving import all_of, debit, goes_on
from app.programme.cards.states import (
    CardState,
    Ending,
    Mark,
    ProgrammeView,
    answer_of,
    card,
    cards_of,
    member_name,
    programme_view,
    state_of,
    tag,
    voucher_in,
    whole_answer_of,
)
from app.programme.cards.sums import balance_of, balances, lots_of

__all__ = [
    "CLOSED",
    "RULE_BY_HAND",
    "RULE_CANCELLED",
    "RULE_CHOSEN",
    "RULE_END",
    "RULE_FULL_CARD",
    "RULE_MOVED_IN",
    "RULE_MOVED_OUT",
    "RULE_STAMP",
    "RULE_UNDO",
    "RULE_VOUCHER_USED",
    "CardState",
    "Ending",
    "Mark",
    "ProgrammeView",
    "accept_terms",
    "all_of",
    "answer_of",
    "balance_of",
    "balances",
    "card",
    "cards_of",
    "close",
    "credit",
    "debit",
    "exchange",
    "goes_on",
    "lots_of",
    "member_name",
    "open_card",
    "programme_view",
    "state_of",
    "tag",
    "touch",
    "voucher_in",
    "whole_answer_of",
    "write_ends",
]

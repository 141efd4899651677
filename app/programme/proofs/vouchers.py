"""Of each voucher: what it was exchanged for, and whether it was used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.programme import cards
from app.programme.proofs.found import Found
from app.programme.proofs.holdings import Holding, told
from app.store.tables import LedgerEntry, Voucher


def check(holding: Holding, found: Found) -> None:
    """Check a card's vouchers against its entries."""
    for entry in holding.entries:
        if entry.voucher_id is not None and entry.voucher_id not in holding.vouchers:
            sentence = "Its voucher is not one of its card's."
            found.add("voucher_unknown", entry.entry_id, sentence)
    promised = _promised(holding)
    for voucher in holding.vouchers.values():
        _check(voucher, holding.entries, found)
        # One that was never told of was not paid for either.
        if promised.get(str(voucher.voucher_id), voucher.reward) != voucher.reward:
            sentence = "It promises something else than it did."
            found.add("voucher_reward", voucher.voucher_id, sentence)


def _promised(holding: Holding) -> dict[Any, Any]:
    """Read what the card's vouchers promised when it had changed last, by their ids."""
    last = holding.last_answer
    rows = told(last, "card", "vouchers") if last else None
    return {
        row.get("voucher_id"): row.get("reward")
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
    }


def _check(voucher: Voucher, entries: Sequence[LedgerEntry], found: Found) -> None:
    undone = {entry.reverses_id for entry in entries}
    its = [entry for entry in entries if entry.voucher_id == voucher.voucher_id]
    paid = [entry for entry in its if entry.rule == cards.RULE_FULL_CARD]
    used = [
        entry
        for entry in its
        if entry.rule == cards.RULE_VOUCHER_USED and entry.entry_id not in undone
    ]
    if len(paid) != 1 or paid[0].at != voucher.issued_at:
        sentence = "No one full card was exchanged for it when it was issued."
        found.add("voucher_unpaid", voucher.voucher_id, sentence)
    if len(used) > 1:
        found.add("voucher_twice", voucher.voucher_id, "It was used more than once.")
    is_taken = any(entry.entry_id in undone for entry in paid)
    state = "voided" if is_taken else "redeemed" if used else "issued"
    redeemed_at = used[0].at if used else None
    if voucher.state != state or voucher.redeemed_at != redeemed_at:
        sentence = f"It is {voucher.state}; by the ledger it was to be {state}."
        found.add("voucher_state", voucher.voucher_id, sentence)

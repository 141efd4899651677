"""Undoing from the console: a manager, later, wherever it was given."""

from __future__ import annotations

from uuid import UUID

from app.programme import audit, cards, purchases, reversals, rewards, tiers
from app.programme.codes import Spent
from app.programme.earning import taking_back
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.store.database import Tx
from app.store.tables import LedgerEntry
from app.tools import Tools


def undo_entry(
    tools: Tools, entry_id: UUID, *, reason: str, by: ConsoleCaller
) -> Spent:
    """Take back what an entry gave: stamps, a member's choice, the use of a voucher.

    Stamps that paid for a voucher take it with them while nobody has used it. If
    somebody has, its redemption has to be undone first, and is refused until then. Of a
    choice, what was paid comes back with the ends that it had, and the reward is there
    for another.

    Returns:
        As ``reversals.reverse``; the first answer again when it was undone before.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: the reason is missing or too long.
        NotFound: no such entry, or one that goes back only with another.
        VoucherSpent: the stamps paid for a voucher that was used since; or the choice's
            voucher was used, in part or whole, or read.
        TryAgain, StoreDown: nothing was written.
    """
    must_lead(by)
    # What a purchase gave goes back with all of it, whose refund tells who and why.
    if whole := purchases.undo(tools, entry_id, staff=by, reason=reason):
        return whole

    def cause(tx: Tx, entry: LedgerEntry, undoing: LedgerEntry) -> None:
        if entry.rule == cards.RULE_CHOSEN and entry.voucher_id is not None:
            rewards.void(tx, entry.voucher_id)
            cards.touch(tx, entry.card_id)
        elif entry.kind == "REDEEM":
            rewards.give_back(tx, entry, undoing)
        else:
            taking_back.caused(tx, tools, entry, undoing)
            cards.debit(tx, tools, undoing)
            tiers.after_undoing(tx, tools, undoing.card_id, undoing.at)
        audit.record(
            tx,
            tools,
            "entry.undone",
            entry.entry_id,
            by=by.staff_id,
            card=str(entry.card_id),
            reason=reason.strip(),
        )

    return reversals.reverse(
        tools,
        entry_id,
        kinds={"EARN", "BONUS", "ADJUST", "REDEEM"},
        staff=by,
        reason=reason,
        cause=cause,
    )

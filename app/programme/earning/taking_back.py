"""What a sale gave is taken back exactly, whatever became of it meanwhile.

An undoing reverses every entry of the sale. A refund does the same, and gives anew what
the rest of the sale earns, by the rules and in the window in which it was sold: so a
sale of which half comes back has given what that half alone would have. What is left
over goes back too (``count.refunded``): where a point had been made of two sales'
remainders it is taken, or given, by one ADJUST, and sales that come back in any order
leave what the others alone would have earned.

Units that were spent meanwhile are owed: the card stands below nought until its next
lots pay (``app.programme.lots``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select

from app.programme import cards, ledger, tiers, units
from app.programme.earning import booking, counting
from app.programme.earning.booking import CAUSED_RULES, Basket
from app.programme.earning.count import awards, refunded
from app.programme.earning.rules import Award, Boost
from app.programme.plans import RULE_CASHBACK, cashback
from app.store.database import Tx
from app.store.tables import EarningPart, LedgerEntry
from app.tools import Tools

#: Rules of the ledger: the root of a refund; what the rest of a sale earns; a unit that
#: two sales' remainders had made.
RULE_REFUND: Final = "refund"
RULE_REST: Final = "rest"
RULE_REMAINDER: Final = "remainder"


@dataclass(frozen=True, slots=True)
class Refunding:
    """Who takes something back, and why."""

    at: datetime
    #: As it was typed and checked.
    reason: str
    staff_id: UUID | None = None
    terminal_id: UUID | None = None
    location_id: UUID | None = None
    #: Of the device, the same on each retry; None: nobody asks again.
    request_id: str | None = None


def caused(tx: Tx, tools: Tools, first: LedgerEntry, undoing: LedgerEntry) -> None:
    """Take back what came with an entry that was reversed.

    Call it when the reversal was written, and before ``cards.debit``.

    Args:
        tx: the caller's transaction.
        tools: the keys.
        first: the entry that carried the sale's code.
        undoing: its reversal.

    Raises:
        TryAgain: nothing can be signed now.
    """
    _hold(tx, first)
    for entry in _live(tx, first):
        if entry.entry_id != first.entry_id:
            _reverse(tx, tools, entry, undoing)
    _take_parts(tx, tools, first, undoing)


def refund(
    tx: Tx,
    tools: Tools,
    first: LedgerEntry,
    *,
    rest: Basket | None,
    by: Refunding,
    facts: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """Take back a sale, and give what is left of it anew.

    Call it once for each time that something comes back; what holds that once is the
    caller's (lines come back once). A sale may come back in several pieces.

    Args:
        tx: the caller's transaction.
        tools: the keys.
        first: the entry that carried the sale's code.
        rest: what the customer keeps; None: nothing, all of it came back.
        by: who takes it back.
        facts: what the answer tells besides.

    Returns:
        ``{reversal_id, changed, card}`` and ``facts``; ``changed`` tells by how many
        units of each kind the card has changed.

    Raises:
        TryAgain: nothing can be signed now.
    """
    _hold(tx, first)
    root = LedgerEntry(
        entry_id=uuid4(),
        card_id=first.card_id,
        kind="ADJUST",
        units=0,
        rule=RULE_REFUND,
        at=by.at,
        reason=by.reason,
        staff_id=by.staff_id,
        terminal_id=by.terminal_id,
        location_id=by.location_id,
        request_id=by.request_id,
        caused_by_id=first.entry_id,
        purchase_id=first.purchase_id,
    )

    def answer() -> Mapping[str, Any]:
        for entry in _live(tx, first):
            _reverse(tx, tools, entry, root)
        _take_parts(tx, tools, first, root)
        if rest is not None:
            _give_rest(tx, tools, first, root, rest)
            cashback.give_rest(tx, tools, root, sold_at=first.at)
        cards.debit(tx, tools, root, may_owe=True)
        # A remainder that comes back may fill the card.
        cards.exchange(tx, tools, root)
        tiers.after_undoing(tx, tools, root.card_id, root.at)
        state = cards.state_of(tx, first.card_id, by.at)
        return {
            "reversal_id": str(root.entry_id),
            **(facts or {}),
            "changed": _changed(tx, root),
            "card": cards.answer_of(state),
        }

    return ledger.write_first(tx, tools, root, answer=answer)


def _hold(tx: Tx, first: LedgerEntry) -> None:
    counting.hold(tx, first.card_id, ())


def _live(tx: Tx, first: LedgerEntry) -> Sequence[LedgerEntry]:
    """Read what a sale gave and was not taken back yet, the first entry among it."""
    roots = select(LedgerEntry.entry_id).where(
        LedgerEntry.caused_by_id == first.entry_id, LedgerEntry.rule == RULE_REFUND
    )
    return tx.scalars(
        select(LedgerEntry)
        .where(
            LedgerEntry.card_id == first.card_id,
            or_(
                LedgerEntry.entry_id == first.entry_id,
                (LedgerEntry.caused_by_id == first.entry_id)
                & LedgerEntry.rule.in_(CAUSED_RULES),
                LedgerEntry.caused_by_id.in_(roots)
                & LedgerEntry.rule.in_((RULE_REST, RULE_CASHBACK)),
            ),
            ~counting.is_undone(),
        )
        .order_by(LedgerEntry.entry_no)
    ).all()


def _reverse(tx: Tx, tools: Tools, entry: LedgerEntry, root: LedgerEntry) -> None:
    taken = LedgerEntry(
        entry_id=uuid4(),
        card_id=entry.card_id,
        kind="REVERSE",
        units=-entry.units,
        unit=entry.unit,
        rule=cards.RULE_UNDO,
        at=root.at,
        reverses_id=entry.entry_id,
        caused_by_id=root.entry_id,
        rule_version_id=entry.rule_version_id,
        purchase_id=entry.purchase_id,
        location_id=root.location_id,
    )
    ledger.write(tx, tools, taken)


def _take_parts(tx: Tx, tools: Tools, first: LedgerEntry, root: LedgerEntry) -> None:
    """Take the sale's parts out of what is left over on the card."""
    earlier = select(LedgerEntry.entry_id).where(
        or_(
            LedgerEntry.entry_id == first.entry_id,
            LedgerEntry.reverses_id == first.entry_id,
            (LedgerEntry.caused_by_id == first.entry_id)
            & (LedgerEntry.rule == RULE_REFUND),
        )
    )
    rows = tx.execute(
        select(
            EarningPart.rule_id,
            EarningPart.version_id,
            EarningPart.whole,
            func.sum(EarningPart.parts),
            func.sum(EarningPart.units),
        )
        .where(EarningPart.entry_id.in_(earlier))
        .group_by(EarningPart.rule_id, EarningPart.version_id, EarningPart.whole)
    ).all()
    for rule_id, version_id, whole, parts, given in rows:
        left = counting.left_over(tx, first.card_id, rule_id, whole)
        # Sums of whole numbers; PostgreSQL tells them as decimals.
        done = refunded(left, int(parts), int(given), whole)
        tx.add(
            EarningPart(
                card_id=first.card_id,
                entry_id=root.entry_id,
                rule_id=rule_id,
                version_id=version_id,
                parts=-int(parts),
                whole=whole,
                units=-int(given),
                carried=done.carried,
            )
        )
        tx.flush()
        if done.units:
            unit = counting.unit_of(tx, version_id)
            _adjust(
                tx, tools, root, RULE_REMAINDER, _Gift(unit, done.units, version_id)
            )


@dataclass(frozen=True, slots=True)
class _Gift:
    unit: units.Unit
    units: int
    version_id: UUID | None
    expires_at: datetime | None = None
    word: str | None = None


def _adjust(tx: Tx, tools: Tools, root: LedgerEntry, rule: str, gift: _Gift) -> None:
    entry = LedgerEntry(
        entry_id=uuid4(),
        card_id=root.card_id,
        kind="ADJUST",
        units=gift.units,
        unit=units.kept(gift.unit),
        rule=rule,
        at=root.at,
        expires_at=gift.expires_at,
        reason=gift.word,
        rule_version_id=gift.version_id,
        caused_by_id=root.entry_id,
        location_id=root.location_id,
    )
    ledger.write(tx, tools, entry)


def _give_rest(
    tx: Tx, tools: Tools, first: LedgerEntry, root: LedgerEntry, rest: Basket
) -> None:
    """Give what the rest of a sale earns, as rules and tiers were when it was sold."""
    answer = first.answer or {}
    occasion = booking.occasion_of(
        tx,
        first.at,
        stamps=answer.get("counted", first.units),
        basket=rest,
        location_id=first.location_id,
    )
    rules = booking.rules_of(tx, first.card_id, first.at)
    boosts = [
        Boost(told["rule"], told["percent"])
        for told in answer.get("given", ())
        if "percent" in told
    ]
    counts = counting.counts_of(tx, first.card_id, rules, occasion)
    for award in awards(rules, occasion, boosts, counts):
        if award.units:
            _adjust(tx, tools, root, RULE_REST, _gift_of(award))
        booking.keep_parts(tx, root, (award,))


def _gift_of(award: Award) -> _Gift:
    return _Gift(
        award.unit,
        award.units,
        award.rule.version_id if award.rule else None,
        award.expires_at,
        award.boost.word if award.boost else None,
    )


def _changed(tx: Tx, root: LedgerEntry) -> dict[str, int]:
    """Add up by how much the card has changed, by the name of each unit."""
    rows = tx.execute(
        select(LedgerEntry.unit, func.sum(LedgerEntry.units))
        .where(
            LedgerEntry.caused_by_id == root.entry_id, LedgerEntry.voucher_id.is_(None)
        )
        .group_by(LedgerEntry.unit)
    )
    return {units.of(unit).value: int(changed) for unit, changed in rows if changed}

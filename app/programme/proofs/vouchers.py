"""Of each voucher: what it was exchanged for, and whether it was used, and in time.

What a voucher promises stands in the answers of its card's entries, and these are
signed. The first that tells of it was signed in the transaction that issued it, so no
later hand in the books makes its end another (``voucher_end``), or its use after that
end a use in time (``voucher_late``), though the row had another end meanwhile. An
answer older than ends tells of none, as of what was promised then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.programme import cards
from app.programme.proofs.found import Found
from app.programme.proofs.holdings import Holding, number, told
from app.store.tables import LedgerEntry, Voucher

#: Rules by which units become a voucher.
_PAYING = (cards.RULE_FULL_CARD, cards.RULE_CHOSEN)
#: What an answer says of vouchers, by their ids.
_Said = Mapping[Any, Mapping[str, Any]]


def check(holding: Holding, found: Found) -> None:
    """Check a card's vouchers against its entries."""
    gone = _moved(holding.entries, cards.RULE_MOVED_OUT)
    for entry in holding.entries:
        if entry.voucher_id in gone:
            # It hangs on another card by now: ``whole`` checks what took it there.
            continue
        if entry.voucher_id is not None and entry.voucher_id not in holding.vouchers:
            sentence = "Its voucher is not one of its card's."
            found.add("voucher_unknown", entry.entry_id, sentence)
    promised = _promised(holding)
    ends = _check_ends(holding, found)
    for voucher in holding.vouchers.values():
        _check(voucher, holding.entries, found)
        named = str(voucher.voucher_id)
        # One that was never told of was not paid for either.
        if _is_other(voucher, promised.get(named, {})):
            sentence = "It promises something else than it did."
            found.add("voucher_reward", voucher.voucher_id, sentence)
        is_as_told = ends.get(named, _end(voucher)) == _end(voucher)
        if not is_as_told:
            sentence = f"It ends {_spoken(_end(voucher))}, and was to end "
            sentence += f"{_spoken(ends[named])}."
            found.add("voucher_end", voucher.voucher_id, sentence)


def _moved(entries: Sequence[LedgerEntry], rule: str) -> set[UUID | None]:
    """Tell which vouchers came from another card, or went to one."""
    return {entry.voucher_id for entry in entries if entry.rule == rule} - {None}


def _promised(holding: Holding) -> _Said:
    """Read what was told of each voucher last; an answer leaves out old ones."""
    told_last: dict[Any, Mapping[str, Any]] = {}
    for entry in _in_order(holding):
        told_last.update(_said(entry))
    return told_last


def _in_order(holding: Holding) -> list[LedgerEntry]:
    """Give the entries in the order in which the card changed."""
    return sorted(holding.entries, key=lambda one: number(one, "card", "version") or 0)


def _check_ends(holding: Holding, found: Found) -> Mapping[str, str | None]:
    """Check every answer and every use against the end that was told first.

    Returns:
        That end, RFC 3339, of each voucher that any answer told of.
    """
    ends: dict[str, str | None] = {}
    for entry in _in_order(holding):
        for named, said in _said(entry).items():
            end = said.get("expires_at")
            first = ends.setdefault(named, end)
            if "expires_at" in said and end != first:
                sentence = f"Its answer told that voucher {named} ends {_spoken(end)}; "
                sentence += f"it was to end {_spoken(first)}."
                found.add("voucher_end", entry.entry_id, sentence)
        if entry.rule == cards.RULE_VOUCHER_USED:
            promised = ends.get(str(entry.voucher_id))
            if isinstance(promised, str) and _is_after(entry, promised):
                sentence = "Its voucher had ended before it."
                found.add("voucher_late", entry.entry_id, sentence)
    return ends


def _is_after(entry: LedgerEntry, end: str) -> bool:
    """Tell whether an entry is later than an end, to the microsecond.

    The moment that a redemption was allowed by is the one that its entry has.
    """
    try:
        return entry.at > datetime.fromisoformat(end)
    except (TypeError, ValueError):
        # Nothing of ours is spelled so; that it is not as promised is told elsewhere.
        return False


def _end(voucher: Voucher) -> str | None:
    return voucher.expires_at.isoformat() if voucher.expires_at else None


def _spoken(end: object) -> str:
    return "never" if end is None else f"at {end}"


def _said(entry: LedgerEntry) -> _Said:
    """Read what an entry's answer tells of the card's vouchers."""
    rows = told(entry, "card", "vouchers")
    return {
        row.get("voucher_id"): row
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and isinstance(row.get("voucher_id"), str)
    }


def _check(voucher: Voucher, entries: Sequence[LedgerEntry], found: Found) -> None:
    undone = {entry.reverses_id for entry in entries}
    its = [entry for entry in entries if entry.voucher_id == voucher.voucher_id]
    paid = [entry for entry in its if entry.rule in _PAYING]
    used = [
        entry
        for entry in its
        if entry.rule == cards.RULE_VOUCHER_USED and entry.entry_id not in undone
    ]
    is_from_elsewhere = voucher.voucher_id in _moved(its, cards.RULE_MOVED_IN)
    is_unpaid = len(paid) != 1 or paid[0].at != voucher.issued_at
    if paid if is_from_elsewhere else is_unpaid:
        sentence = "Nothing was exchanged for it when it was issued."
        found.add("voucher_unpaid", voucher.voucher_id, sentence)
    is_all = bool(used)
    if voucher.kind == "money":
        is_all = _check_rest(voucher, used, found)
    elif len(used) > 1:
        found.add("voucher_twice", voucher.voucher_id, "It was used more than once.")
    is_taken = any(entry.entry_id in undone for entry in paid)
    state = "voided" if is_taken else "redeemed" if is_all else "issued"
    redeemed_at = max((entry.at for entry in used), default=None) if is_all else None
    if voucher.state != state or voucher.redeemed_at != redeemed_at:
        sentence = f"It is {voucher.state}; by the ledger it was to be {state}."
        found.add("voucher_state", voucher.voucher_id, sentence)


def _check_rest(voucher: Voucher, used: Sequence[LedgerEntry], found: Found) -> bool:
    """Check what is left of money by what its uses told; returns whether it is all."""
    left = (voucher.worth or 0) - sum(number(entry, "amount") or 0 for entry in used)
    if left < 0 or voucher.rest != left:
        sentence = f"{voucher.rest} is left of it; by the ledger it was to be {left}."
        found.add("voucher_rest", voucher.voucher_id, sentence)
    return left <= 0


def _is_other(voucher: Voucher, said: Mapping[str, Any]) -> bool:
    """Tell whether a voucher promises something else than an answer told."""
    now = {
        "reward": voucher.reward,
        "kind": voucher.kind,
        "worth": voucher.worth,
        "currency": voucher.currency,
    }
    return any(said.get(name, value) != value for name, value in now.items())

"""Of each card: what its entries add up to, in the order in which it changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.programme import cards, units
from app.programme.earning import taking_back
from app.programme.proofs.codes import answers, check_answer, is_caused
from app.programme.proofs.found import Found
from app.programme.proofs.holdings import Holding, number, told
from app.programme.units import Unit
from app.store.tables import LedgerEntry

#: Kinds of entries that fill a card.
_GIVING = frozenset({"EARN", "BONUS", "ADJUST"})


@dataclass(slots=True)
class _Act:
    """What one transaction did to a card: an entry, and what it caused."""

    root: LedgerEntry
    caused: list[LedgerEntry] = field(default_factory=list)


def check(holding: Holding, found: Found) -> None:
    """Check what the card's entries have to do with each other."""
    by_id = {entry.entry_id: entry for entry in holding.entries}
    _check_twice(holding.entries, found)
    _check_card(holding, found)
    for entry in holding.entries:
        if entry.reverses_id is not None:
            _check_reversal(entry, by_id.get(entry.reverses_id), found)
    acts = _acts(holding.entries, by_id, found)
    _check_versions(holding, acts, found)
    _check_sums(holding, acts, found)


def _check_card(holding: Holding, found: Found) -> None:
    """Check that it is the card of which its last answer told."""
    last = holding.last_answer
    if last is None:
        return
    said = (told(last, "card", "number"), told(last, "card", "programme"))
    if said != (holding.number, str(holding.programme_id)):
        sentence = "Its number or its programme is not what its last answer told."
        found.add("card_changed", holding.card_id, sentence)


def _check_twice(entries: Sequence[LedgerEntry], found: Found) -> None:
    """Look for an id that is there twice, in two spellings of it.

    SQLite keeps ids as text, where a unique index takes ``AB`` and ``ab`` for two;
    in any spelling a receipt is good.
    """
    seen: set[tuple[str, UUID]] = set()
    for entry in entries:
        for code, named in (
            ("entry_twice", entry.entry_id),
            ("reversed_twice", entry.reverses_id),
        ):
            if named is not None and (code, named) in seen:
                sentence = "Another entry of its card has the same, spelled otherwise."
                found.add(code, entry.entry_id, sentence)
            elif named is not None:
                seen.add((code, named))


def _check_reversal(
    entry: LedgerEntry, undone: LedgerEntry | None, found: Found
) -> None:
    if undone is None:
        wrong = "What it reverses is not there, or not on this card."
    elif (
        undone.kind not in {"EARN", "BONUS", "ADJUST", "REDEEM"}
        or undone.entry_no >= entry.entry_no
    ):
        wrong = "It reverses what cannot be reversed."
    elif (entry.units, entry.unit, entry.voucher_id) != (
        -undone.units,
        undone.unit,
        undone.voucher_id,
    ):
        wrong = "It does not take back what it reverses."
    else:
        if not is_caused(undone) and entry.caused_by_id is None:
            check_answer(entry, "reversal_id", found)
        return
    found.add("reversal", entry.entry_id, wrong)


def _acts(
    entries: Sequence[LedgerEntry], by_id: Mapping[UUID, LedgerEntry], found: Found
) -> list[_Act]:
    """Put each entry with what caused it, in the order in which the card changed.

    Two at once may be numbered in one order and change the card in the other; the
    card's version, told in the answer, counts the changes themselves.
    """
    acts: list[_Act] = []
    for entry in entries:
        is_part, causes = _causes(entry, by_id, acts)
        cause = next(causes, None)
        if cause is not None:
            cause.caused.append(entry)
            continue
        if is_part:
            sentence = "Nothing of the same moment caused it."
            found.add("cause_missing", entry.entry_id, sentence)
        acts.append(_Act(entry))
    order: dict[UUID, int] = {}
    last = 0
    for act in acts:
        last = order[act.root.entry_id] = number(act.root, "card", "version") or last
    return sorted(acts, key=lambda act: order[act.root.entry_id])


def _causes(
    entry: LedgerEntry, by_id: Mapping[UUID, LedgerEntry], acts: Sequence[_Act]
) -> tuple[bool, Iterator[_Act]]:
    """Tell whether an entry must be part of an act, and of which it can be."""
    at_once = (act for act in reversed(acts) if act.root.at == entry.at)
    if entry.kind == "EXPIRE":
        # Of the act that met the end, or of the round that wrote several.
        return False, at_once
    if entry.rule == cards.RULE_MOVED_OUT:
        # What an undoing left on a card that was put to another follows with it.
        named = (act for act in acts if act.root.entry_id == entry.caused_by_id)
        return False, (act for act in named if _takes_back(act.root))
    undone = by_id.get(entry.reverses_id) if entry.reverses_id else None
    is_part = is_caused(entry) or (
        undone is not None and (is_caused(undone) or entry.caused_by_id is not None)
    )
    if not is_part:
        return False, iter(())
    if entry.caused_by_id is not None:
        return True, (act for act in acts if act.root.entry_id == entry.caused_by_id)
    # Older than such names.
    kinds = {"EARN", "ADJUST"} if undone is None else {"REVERSE"}
    return True, (act for act in at_once if act.root.kind in kinds)


def _check_versions(holding: Holding, acts: list[_Act], found: Found) -> None:
    seen: set[int] = set()
    for act in acts:
        version = number(act.root, "card", "version")
        if version is None:
            continue
        if version in seen or version > holding.version:
            sentence = "Its answer tells a version that its card did not have then."
            found.add("version", act.root.entry_id, sentence)
        seen.add(version)
    changes = holding.version - 1
    if changes > len(acts) + holding.changes:
        missing = changes - len(acts) - holding.changes
        sentence = f"The card counts {missing} changes that the ledger does not have."
        found.add("entry_missing", holding.card_id, sentence)
    if changes < len(acts):
        sentence = "The ledger has more entries of the card than the card counted."
        found.add("entry_added", holding.card_id, sentence)


def _check_sums(holding: Holding, acts: list[_Act], found: Found) -> None:
    totals: Counter[Unit] = Counter()
    for act in acts:
        entry = act.root
        may_owe = totals[Unit.STAMP] < 0 or entry.kind == "MERGE" or _takes_back(entry)
        required = number(entry, "card", "stamps_required") or holding.stamps_required
        totals[units.of(entry.unit)] += entry.units
        for one in act.caused:
            total = totals[Unit.STAMP]
            is_exchange = one.rule == cards.RULE_FULL_CARD
            # Its round may have run under another version than the next one does.
            asked = holding.promised(one.voucher_id) or required
            if is_exchange and (total < asked or one.units != -asked):
                sentence = f"{-one.units} stamps were exchanged, of {total} there."
                found.add("exchange", one.entry_id, sentence)
            totals[units.of(one.unit)] += one.units
        if not may_owe or entry.rule == cards.RULE_CHOSEN:
            _check_not_owed(entry, totals, found)
        _check_not_full(entry, totals[Unit.STAMP], required, found)
        if entry.answer is not None or answers(entry):
            _check_told(entry, totals, found)
        _check_given(act, found)


def _takes_back(entry: LedgerEntry) -> bool:
    return entry.kind == "REVERSE" or entry.rule == taking_back.RULE_REFUND


def _check_given(act: _Act, found: Found) -> None:
    """Check that a visit gave as many stamps as its answer told, by whatever rule."""
    if not isinstance(told(act.root, "given"), list) or _takes_back(act.root):
        return
    stamps = sum(
        one.units
        for one in (act.root, *act.caused)
        if one.unit is None
        and (one.kind in {"EARN", "BONUS"} or one.rule == cards.RULE_BY_HAND)
    )
    said = number(act.root, "stamps_given")
    if said != stamps:
        sentence = f"Its answer told of {said} stamps given, and there are {stamps}."
        found.add("answer", act.root.entry_id, sentence)


def _check_not_owed(entry: LedgerEntry, totals: Counter[Unit], found: Found) -> None:
    """Check that no more was spent than there was."""
    unit = units.of(entry.unit) if entry.units else Unit.STAMP
    is_choice = entry.rule == cards.RULE_CHOSEN
    total = totals[unit] if is_choice else totals[Unit.STAMP]
    if total < 0 and (entry.units or not is_choice):
        sentence = f"The card has {total} {unit}s after it."
        found.add("balance", entry.entry_id, sentence)


def _check_not_full(
    entry: LedgerEntry, total: int, required: int, found: Found
) -> None:
    """Check that a full card became a voucher, where it does so by itself."""
    by_choice = told(entry, "card", "exchanges") == "by_choice"
    if entry.kind in _GIVING and total >= required and not by_choice:
        sentence = f"The card has {total} stamps after it, of {required}."
        found.add("balance", entry.entry_id, sentence)


def _check_told(entry: LedgerEntry, totals: Counter[Unit], found: Found) -> None:
    """Check the sums that an answer told; one fault is told once, not by each after."""
    for unit in Unit:
        path = ("stamps",) if unit is Unit.STAMP else ("balances", unit.value)
        said = number(entry, "card", *path)
        if said is None and unit is not Unit.STAMP:
            # Nought is not told, nor is another unit by answers older than these.
            said = 0
        if said != totals[unit]:
            name = "stamps" if unit is Unit.STAMP else f"{unit}s"
            sentence = (
                f"Its answer told {said} {name}; the ledger adds up to {totals[unit]}."
            )
            found.add("sum", entry.entry_id, sentence)
            totals[unit] = totals[unit] if said is None else said

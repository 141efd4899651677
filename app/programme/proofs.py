"""Proving the ledger: every entry is checked again, from its code to the card's sum.

Pure reading, of one state of the books. Cards are taken a hundred at a time with all
their entries, so that memory does not grow with the ledger. Of each entry: its kind
and rule, the signature of its code, the code's nonce, kind and age, its stored answer.
Of each card: the sums that its answers told, in the order of its versions; full cards
and their vouchers; reversals; that its version counts no change that the ledger lacks.
Of the whole: nonces, requests and reversals that are there twice, numbers that are
missing, entries of no card, terminals.

What it cannot find, for the books alone do not show it:

* an entry of a real, signed code that nobody scanned, written by hand together with a
  fitting answer and version: what was outstanding is known to the nonce store alone,
  and the code does not say for what it was issued. Written by hand without them, it
  is found.
* the same for a changed card, voucher or number of stamps, if the answers of all later
  entries of the card are changed with it: answers are not signed.
* a card's last entries, removed together with its version, their vouchers, and, on
  SQLite, all later entries of the ledger; a backup of yesterday has no fault.
* a moment changed by less than the life of the code, where nothing else tells it; who
  gave a stamp and at which location; what a stored answer tells of vouchers and names.
* codes signed by a thief of the key, before it is revoked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.programme import cards
from app.programme.audit import Finding
from app.programme.codes import KEEP_AFTER_END, LIFETIME
from app.programme.stamping import MOST_STAMPS
from app.store.database import Tx, same_state
from app.store.tables import AuditEntry, Card, LedgerEntry, Programme, Terminal, Voucher
from app.tools import Tools
from signing.codes import Code, Kind, verify_data
from signing.errors import CodeError, CodeKeyRevoked
from signing.keyring import KeyRing

#: Cards in memory at a time.
_CARDS = 100
#: How far two clocks of ours may differ, and how long workers may not have heard of a
#: key's end.
_SLACK: Final = timedelta(seconds=15)

#: Told how many entries were checked so far.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Proved:
    """What came of checking the whole ledger."""

    entries: int
    signatures: int
    findings: tuple[Finding, ...]
    #: What is odd and proves nothing.
    notes: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """What an entry of a kind and rule must have."""

    #: Kinds of code that may have made it; none: made by no code.
    proofs: frozenset[Kind] = frozenset()
    #: The name that its answer gives the entry; None: it may have no answer.
    named: str | None = None


_RULES: Mapping[tuple[str, str], _Rule] = {
    ("EARN", cards.RULE_STAMP): _Rule(
        frozenset({Kind.CARD, Kind.STAMP, Kind.PRINTED_STAMP}), "stamp_id"
    ),
    ("REDEEM", cards.RULE_VOUCHER_USED): _Rule(
        frozenset({Kind.VOUCHER}), "redemption_id"
    ),
    ("REDEEM", cards.RULE_FULL_CARD): _Rule(),
    ("REVERSE", cards.RULE_UNDO): _Rule(),
}


@dataclass(slots=True)
class _Found:
    """What the check has seen so far, and what it checks with."""

    ring: KeyRing
    origin: str
    entries: int = 0
    signatures: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    def add(self, code: str, subject: object, sentence: str) -> None:
        self.findings.append(Finding(code, str(subject), sentence))


@dataclass(slots=True)
class _Holding:
    """One card with all that hangs on it."""

    card_id: UUID
    version: int
    stamps_required: int
    #: How often its programme was changed since it was opened.
    changes: int
    entries: list[LedgerEntry] = field(default_factory=list)
    vouchers: dict[UUID, Voucher] = field(default_factory=dict)


@dataclass(slots=True)
class _Act:
    """What one transaction did to a card: an entry, and what it caused."""

    root: LedgerEntry
    caused: list[LedgerEntry] = field(default_factory=list)


def prove(tools: Tools, *, progress: Progress = lambda _entries: None) -> Proved:
    """Check the whole ledger.

    Args:
        tools: books and keys; nothing else is asked.
        progress: told after each hundred cards.

    Returns:
        What was found; ``findings`` is empty for books that nobody touched.

    Raises:
        StoreDown: the books gave no answer.
    """
    found = _Found(tools.keys.ring, tools.settings.origin)
    with tools.database.read() as tx:
        same_state(tx)
        for holding in _holdings(tx):
            _check_card(holding, found)
            progress(found.entries)
        _check_whole(tx, found, is_dense=tools.database.is_sqlite)
        _check_terminals(tx, found)
    return Proved(
        found.entries, found.signatures, tuple(found.findings), tuple(found.notes)
    )


def _holdings(tx: Tx) -> Iterator[_Holding]:
    changed: defaultdict[str, list[datetime]] = defaultdict(list)
    for subject, at in tx.execute(
        select(AuditEntry.subject, AuditEntry.at).where(
            AuditEntry.action == "programme.changed"
        )
    ):
        changed[subject].append(at)
    last: UUID | None = None
    while True:
        page = (
            select(Card, Programme.stamps_required)
            .join(Programme, Programme.programme_id == Card.programme_id)
            .order_by(Card.card_id)
            .limit(_CARDS)
        )
        rows = tx.execute(page if last is None else page.where(Card.card_id > last))
        held = {
            card.card_id: _Holding(
                card.card_id,
                card.version,
                required,
                sum(
                    at >= card.opened_at - _SLACK
                    for at in changed[str(card.programme_id)]
                ),
            )
            for card, required in rows.all()
        }
        if not held:
            return
        last = max(held)
        _fill(tx, held)
        yield from held.values()
        tx.expunge_all()


def _fill(tx: Tx, held: Mapping[UUID, _Holding]) -> None:
    entries = select(LedgerEntry).where(LedgerEntry.card_id.in_(held))
    for entry in tx.scalars(entries.order_by(LedgerEntry.entry_no)):
        held[entry.card_id].entries.append(entry)
    for voucher in tx.scalars(select(Voucher).where(Voucher.card_id.in_(held))):
        held[voucher.card_id].vouchers[voucher.voucher_id] = voucher


def _check_card(holding: _Holding, found: _Found) -> None:
    by_id = {entry.entry_id: entry for entry in holding.entries}
    for entry in holding.entries:
        found.entries += 1
        _check_entry(entry, found)
        if entry.voucher_id is not None and entry.voucher_id not in holding.vouchers:
            sentence = "Its voucher is not one of its card's."
            found.add("voucher_unknown", entry.entry_id, sentence)
        if entry.reverses_id is not None:
            _check_reversal(entry, by_id.get(entry.reverses_id), found)
    acts = _acts(holding.entries, by_id, found)
    _check_versions(holding, acts, found)
    _check_sums(holding, acts, found)
    for voucher in holding.vouchers.values():
        _check_voucher(voucher, holding.entries, found)


# One entry


def _check_entry(entry: LedgerEntry, found: _Found) -> None:
    rule = _RULES.get((entry.kind, entry.rule))
    if rule is None:
        sentence = f"No rule of ours writes {entry.kind} by {entry.rule!r}."
        found.add("rule_unknown", entry.entry_id, sentence)
        return
    if rule.proofs:
        code = _check_proof(entry.entry_id, entry, entry.at, rule.proofs, found)
        _check_request(entry, code, found)
    elif entry.proof is not None or entry.nonce is not None:
        sentence = "It holds a code, and no code makes such an entry."
        found.add("proof_unexpected", entry.entry_id, sentence)
    if rule.named is not None:
        _check_answer(entry, rule.named, found)
    if not _are_its_units(entry):
        sentence = f"{entry.units} stamps are none that {entry.kind} can move."
        found.add("units", entry.entry_id, sentence)


def _are_its_units(entry: LedgerEntry) -> bool:
    if entry.kind == "EARN":
        return 1 <= entry.units <= MOST_STAMPS
    if entry.rule == cards.RULE_VOUCHER_USED:
        return entry.units == 0
    # What an exchange or a reversal moves is judged with what it belongs to.
    return True


def _check_proof(
    subject: UUID,
    row: LedgerEntry | Terminal,
    at: datetime,
    kinds: frozenset[Kind],
    found: _Found,
) -> Code | None:
    """Check the code that a row holds; returns it if we signed it."""
    if row.proof is None:
        found.add("proof_missing", subject, "It has no code; only a code can make it.")
        return None
    found.signatures += 1
    try:
        code = verify_data(row.proof, found.ring, origin=found.origin)
    except CodeKeyRevoked as error:
        code = error.code
        revoked_at = found.ring.key(code.key_id).revoked_at
        if revoked_at is not None and at > revoked_at + _SLACK:
            sentence = f"Key {code.key_id} was revoked before it."
            found.add("proof_revoked", subject, sentence)
    except CodeError as error:
        found.add("proof_forged", subject, f"We did not sign its code: {error}.")
        return None
    if code.nonce != row.nonce:
        sentence = "Its nonce is not that of its code: the code is another's."
        found.add("proof_nonce", subject, sentence)
    if code.kind not in kinds:
        name = code.kind.name.lower().replace("_", " ")
        found.add("proof_kind", subject, f"A {name} code does not make such an entry.")
    # A request that was heard in time may be booked as long as its claim is known.
    is_late = at > code.not_after + KEEP_AFTER_END + _SLACK
    life = LIFETIME.get(code.kind)
    is_early = life is not None and at < code.not_after - life - _SLACK
    if is_late or is_early:
        sentence = "Its moment is not within the life of its code."
        found.add("proof_time", subject, sentence)
    return code


def _check_request(entry: LedgerEntry, code: Code | None, found: _Found) -> None:
    if entry.request_id is None:
        sentence = "It names no request, and a code is spent by one."
        found.add("request_missing", entry.entry_id, sentence)
        return
    if code is None:
        return
    if code.kind in {Kind.STAMP, Kind.PRINTED_STAMP}:
        # The card is the request, for codes that a phone scans.
        is_its = entry.request_id == f"{entry.card_id.hex}:{code.nonce.hex()}"
    else:
        till, colon, _ = entry.request_id.partition(":")
        is_its = not colon or (entry.terminal_id or UUID(int=0)).hex == till
    if not is_its:
        sentence = "Its request is another card's, till's or code's."
        found.add("request_other", entry.entry_id, sentence)


def _check_answer(entry: LedgerEntry, named: str, found: _Found) -> None:
    said: list[tuple[object, object]] = [
        (_told(entry, named), str(entry.entry_id)),
        (_told(entry, "card", "card_id"), str(entry.card_id)),
    ]
    if entry.kind == "EARN":
        said.append((_told(entry, "stamps_given"), entry.units))
    if entry.rule == cards.RULE_VOUCHER_USED:
        said.append((_told(entry, "voucher", "voucher_id"), str(entry.voucher_id)))
    if any(one != other for one, other in said):
        sentence = "It is not what its first answer told."
        found.add("answer", entry.entry_id, sentence)


def _told(entry: LedgerEntry, *names: str) -> Any:
    """Read the stored answer, which may be anything; None where there is nothing."""
    value: Any = entry.answer
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _number(entry: LedgerEntry, *names: str) -> int | None:
    value = _told(entry, *names)
    return value if type(value) is int else None


# One card


def _check_reversal(
    entry: LedgerEntry, undone: LedgerEntry | None, found: _Found
) -> None:
    if undone is None:
        wrong = "What it reverses is not there, or not on this card."
    elif undone.kind not in {"EARN", "REDEEM"} or undone.entry_no >= entry.entry_no:
        wrong = "It reverses what cannot be reversed."
    elif entry.units != -undone.units or entry.voucher_id != undone.voucher_id:
        wrong = "It does not take back what it reverses."
    else:
        if undone.rule != cards.RULE_FULL_CARD:
            _check_answer(entry, "reversal_id", found)
        return
    found.add("reversal", entry.entry_id, wrong)


def _acts(
    entries: Sequence[LedgerEntry], by_id: Mapping[UUID, LedgerEntry], found: _Found
) -> list[_Act]:
    """Put each entry with what caused it, in the order in which the card changed.

    Two at once may be numbered in one order and change the card in the other; the
    card's version, told in the answer, counts the changes themselves.
    """
    acts: list[_Act] = []
    for entry in entries:
        undone = by_id.get(entry.reverses_id) if entry.reverses_id else None
        is_exchange = entry.rule == cards.RULE_FULL_CARD
        if not is_exchange and (undone is None or undone.rule != cards.RULE_FULL_CARD):
            acts.append(_Act(entry))
            continue
        kind = "EARN" if is_exchange else "REVERSE"
        cause = next(
            (
                act
                for act in reversed(acts)
                if act.root.at == entry.at and act.root.kind == kind
            ),
            None,
        )
        if cause is None:
            sentence = "Nothing of the same moment caused it."
            found.add("cause_missing", entry.entry_id, sentence)
            acts.append(_Act(entry))
        else:
            cause.caused.append(entry)
    order: dict[UUID, int] = {}
    last = 0
    for act in acts:
        last = order[act.root.entry_id] = _number(act.root, "card", "version") or last
    return sorted(acts, key=lambda act: order[act.root.entry_id])


def _check_versions(holding: _Holding, acts: list[_Act], found: _Found) -> None:
    seen: set[int] = set()
    for act in acts:
        version = _number(act.root, "card", "version")
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


def _check_sums(holding: _Holding, acts: list[_Act], found: _Found) -> None:
    total = 0
    for act in acts:
        entry = act.root
        required = _number(entry, "card", "stamps_required") or holding.stamps_required
        total += entry.units
        for one in act.caused:
            is_exchange = one.rule == cards.RULE_FULL_CARD
            if is_exchange and (total < required or one.units != -required):
                sentence = f"{-one.units} stamps were exchanged, of {total} there."
                found.add("exchange", one.entry_id, sentence)
            total += one.units
        told = _number(entry, "card", "stamps")
        if total < 0 or (entry.kind == "EARN" and total >= required):
            sentence = f"The card has {total} stamps after it, of {required}."
            found.add("balance", entry.entry_id, sentence)
        if told != total:
            sentence = f"Its answer told {told} stamps; the ledger adds up to {total}."
            found.add("sum", entry.entry_id, sentence)
            # One fault is told once, not again by each entry after it.
            total = total if told is None else told


def _check_voucher(
    voucher: Voucher, entries: Sequence[LedgerEntry], found: _Found
) -> None:
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


# The whole


def _check_whole(tx: Tx, found: _Found, *, is_dense: bool) -> None:
    _check_twice(tx, LedgerEntry.nonce, "nonce_twice", found)
    _check_twice(tx, LedgerEntry.request_id, "request_twice", found)
    _check_twice(tx, LedgerEntry.reverses_id, "reversed_twice", found)
    known = select(Card.card_id)
    stray = select(LedgerEntry.entry_id).where(LedgerEntry.card_id.not_in(known))
    for entry_id in tx.scalars(stray):
        found.entries += 1
        found.add("card_missing", entry_id, "Its card is not there.")
    _check_numbers(tx, found, is_dense=is_dense)


def _check_twice(
    tx: Tx, column: InstrumentedAttribute[Any], code: str, found: _Found
) -> None:
    """Look for a value that is there twice, as if no unique index held it."""
    many = select(column).where(column.is_not(None)).group_by(column)
    for value in tx.scalars(many.having(func.count() > 1)).all():
        ids = select(LedgerEntry.entry_id).where(column == value)
        for entry_id in tx.scalars(ids.order_by(LedgerEntry.entry_no)):
            sentence = f"Another entry has the same {column.key}."
            found.add(code, entry_id, sentence)


def _check_numbers(tx: Tx, found: _Found, *, is_dense: bool) -> None:
    """Look for numbers that are missing.

    SQLite takes the number after the highest, so a missing one was removed. A
    sequence of PostgreSQL skips those of transactions that were rolled back.
    """
    number = LedgerEntry.entry_no
    before = func.coalesce(func.lag(number).over(order_by=number), 0).label("before")
    pairs = select(before, number.label("number")).subquery()
    gaps = select(pairs).where(pairs.c.number - pairs.c.before > 1)
    for first, last in tx.execute(gaps.order_by(pairs.c.number)):
        sentence = f"Numbers {first + 1} to {last - 1} are missing from the ledger."
        kept = found.findings if is_dense else found.notes
        kept.append(Finding("gap", str(last), sentence))


def _check_terminals(tx: Tx, found: _Found) -> None:
    for row in tx.scalars(select(Terminal)):
        kinds = frozenset({Kind.ENROLMENT})
        _check_proof(row.terminal_id, row, row.enrolled_at, kinds, found)

"""Of each entry: what kind it is, the code that made it, and its request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.programme import cards
from app.programme.codes import KEEP_AFTER_END, LIFETIME
from app.programme.earning import booking, gifts, taking_back
from app.programme.proofs.found import SLACK, Found
from app.programme.proofs.holdings import told
from app.programme.stamping import MOST_STAMPS
from app.store.tables import LedgerEntry, Terminal
from signing.codes import Code, Kind, verify_data
from signing.errors import CodeError, CodeKeyRevoked


@dataclass(frozen=True, slots=True)
class _Rule:
    """What an entry of a kind and rule must have."""

    #: Kinds of code that may have made it; none: made by no code.
    proofs: frozenset[Kind] = frozenset()
    #: The name that its answer gives the entry; None: it may have no answer.
    named: str | None = None
    #: Made at the request of a person at a till, by no code.
    is_by_hand: bool = False
    #: Written in the transaction of another entry, which it names; those older than
    #: such names are told by their moment.
    is_caused: bool = False


_GIVING = frozenset({Kind.CARD, Kind.STAMP, Kind.PRINTED_STAMP})
_RULES: Mapping[tuple[str, str], _Rule] = {
    ("EARN", cards.RULE_STAMP): _Rule(_GIVING, "stamp_id"),
    ("BONUS", booking.RULE_VISIT): _Rule(_GIVING, "stamp_id"),
    **{("BONUS", rule): _Rule(is_caused=True) for rule in booking.CAUSED_RULES},
    **{("BONUS", rule): _Rule() for rule in gifts.RULES},
    ("ADJUST", taking_back.RULE_REFUND): _Rule(named="reversal_id"),
    ("ADJUST", taking_back.RULE_REST): _Rule(is_caused=True),
    ("ADJUST", taking_back.RULE_REMAINDER): _Rule(is_caused=True),
    ("REDEEM", cards.RULE_VOUCHER_USED): _Rule(
        frozenset({Kind.VOUCHER}), "redemption_id"
    ),
    ("ADJUST", cards.RULE_BY_HAND): _Rule(named="stamp_id", is_by_hand=True),
    ("REDEEM", cards.RULE_FULL_CARD): _Rule(is_caused=True),
    ("REDEEM", cards.RULE_CHOSEN): _Rule(named="exchange_id"),
    ("EXPIRE", cards.RULE_END): _Rule(),
    ("REVERSE", cards.RULE_CANCELLED): _Rule(named="reversal_id"),
    ("REVERSE", cards.RULE_UNDO): _Rule(),
    ("MERGE", cards.RULE_MOVED_OUT): _Rule(),
    ("MERGE", cards.RULE_MOVED_IN): _Rule(),
}
#: Of entries that are there for what they prove.
_NOUGHT = frozenset(
    {booking.RULE_VISIT, taking_back.RULE_REFUND, cards.RULE_VOUCHER_USED}
)


def is_caused(entry: LedgerEntry) -> bool:
    """Tell whether an entry is part of what another one does."""
    rule = _RULES.get((entry.kind, entry.rule))
    return rule is not None and rule.is_caused


def answers(entry: LedgerEntry) -> bool:
    """Tell whether an entry must have an answer: somebody asked for it."""
    rule = _RULES.get((entry.kind, entry.rule))
    return rule is None or rule.named is not None or entry.kind == "REVERSE"


def check(entry: LedgerEntry, found: Found) -> None:
    """Check an entry for itself, but for its receipt."""
    rule = _RULES.get((entry.kind, entry.rule))
    if rule is None:
        sentence = f"No rule of ours writes {entry.kind} by {entry.rule!r}."
        found.add("rule_unknown", entry.entry_id, sentence)
        return
    if rule.proofs:
        code = check_proof(entry.entry_id, entry, entry.at, rule.proofs, found)
        _check_request(entry, code, found)
    elif entry.proof is not None or entry.nonce is not None:
        sentence = "It holds a code, and no code makes such an entry."
        found.add("proof_unexpected", entry.entry_id, sentence)
    if rule.is_by_hand:
        _check_hand(entry, found)
    if entry.rule == cards.RULE_CHOSEN:
        _check_choice(entry, found)
    if rule.named is not None:
        check_answer(entry, rule.named, found)
    if not _are_its_units(entry):
        sentence = f"{entry.units} stamps are none that {entry.kind} can move."
        found.add("units", entry.entry_id, sentence)


def check_proof(
    subject: UUID,
    row: LedgerEntry | Terminal,
    at: datetime,
    kinds: frozenset[Kind],
    found: Found,
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
        key = found.ring.key(code.key_id)
        revoked_at = key.revoked_at
        # What was on paper before may stay good: ``proofs.printed`` knows its batch.
        is_older = key.revoked_since and code.kind is Kind.PRINTED_STAMP
        if revoked_at is not None and at > revoked_at + SLACK and not is_older:
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
    is_late = at > code.not_after + KEEP_AFTER_END + SLACK
    life = LIFETIME.get(code.kind)
    is_early = life is not None and at < code.not_after - life - SLACK
    if is_late or is_early:
        sentence = "Its moment is not within the life of its code."
        found.add("proof_time", subject, sentence)
    return code


def check_answer(entry: LedgerEntry, named: str, found: Found) -> None:
    """Check that the stored answer tells of this entry, by the name it has there."""
    said: list[tuple[object, object]] = [
        (told(entry, named), str(entry.entry_id)),
        (told(entry, "card", "card_id"), str(entry.card_id)),
    ]
    # What rules gave is judged with all that came of the visit.
    if named == "stamp_id" and not isinstance(told(entry, "given"), list):
        said.append((told(entry, "stamps_given"), entry.units))
    if entry.rule in {cards.RULE_VOUCHER_USED, cards.RULE_CHOSEN}:
        said.append((told(entry, "voucher", "voucher_id"), str(entry.voucher_id)))
    if any(one != other for one, other in said):
        sentence = "It is not what its first answer told."
        found.add("answer", entry.entry_id, sentence)


def _are_its_units(entry: LedgerEntry) -> bool:
    if entry.rule in _NOUGHT:
        return entry.units == 0
    is_by_hand = entry.rule == cards.RULE_BY_HAND
    if is_by_hand or entry.kind == "EARN":
        # By hand there is no other entry for a visit that earned nothing.
        least = 0 if is_by_hand and isinstance(told(entry, "given"), list) else 1
        most = MOST_STAMPS if entry.rule_version_id is None else entry.units
        return least <= entry.units <= most
    if entry.kind in {"EARN", "BONUS"}:
        return entry.units > 0
    if entry.kind == "EXPIRE":
        return entry.units < 0
    if entry.rule == cards.RULE_CHOSEN:
        return entry.units <= 0
    # What an exchange or a reversal moves is judged with what it belongs to.
    return True


def _check_hand(entry: LedgerEntry, found: Found) -> None:
    """Check that a person at a till answers for an entry that no code proves."""
    till = (entry.request_id or "").partition(":")[0]
    if entry.staff_id is None or entry.terminal_id is None:
        sentence = "Nobody at a till answers for it, and no code proves it."
        found.add("hand_missing", entry.entry_id, sentence)
    elif till != entry.terminal_id.hex:
        sentence = "Its request is another card's, till's or code's."
        found.add("request_other", entry.entry_id, sentence)


def _check_choice(entry: LedgerEntry, found: Found) -> None:
    """Check that it was chosen at the request of its own card."""
    whose = (entry.request_id or "").partition(":")[0]
    if whose != entry.card_id.hex:
        sentence = "Its request is another card's, till's or code's."
        found.add("request_other", entry.entry_id, sentence)


def _check_request(entry: LedgerEntry, code: Code | None, found: Found) -> None:
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

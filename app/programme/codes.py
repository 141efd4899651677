"""Issuing and spending codes: THE SINGLE-USE RULE lives here.

    A code is spent once, by one request, and counts only if we signed it,
    and we issued it, and the books do not have it.

A key thief has no issue record. A database administrator has no signature, and what
is booked is signed once more, as a whole (``app.programme.ledger``). Redis
alone cannot create value: each record is sealed for the very code that it belongs to,
so that neither a changed record nor a code signed anew over a known nonce is worth
anything. SQL alone does not know what is outstanding. The steps of ``spend``,
numbered again at the code:

1. Shape: 128 base32 characters, format 1, a kind that this door takes.
2. Signature, by the key named, if its state lets it verify.
3. Nonce store: a claim, which is a lease of 15 s and not a burial. If its owner
   dies, the next request may claim. It brings the issue record.
4. Age, only now: a retry of one's own gets its first answer however late it comes.
   Before "expired" or "unknown" is said, the books are asked for the nonce.
5. Books: one transaction, written first and asked after. The nonce is unique in
   the ledger; a conflict is the same request (its first answer again) or another
   (``CodeSpent``). A refusal by a rule releases the claim: the code is not spent.
6. Settle: the nonce is spent in the store too, until well after its end.

A printed code walks the same steps, with one more, for paper lives for months and the
store does not promise to. Its issue record is its row in the books (``printed``), and
at 3 the door first tells the store of it, for the time of the claim alone: who is at
it now is for the store to say, what it is worth for the books. A store that lost
everything, or a record put there by somebody else, changes nothing. Whether its batch
or its key was called back is asked at 4, like its age, and once more in 5.

Whoever dies between 3 and 5 counted nothing; between 5 and 6, once. If the nonce
store cannot answer nothing is given; if it forgot or remembers wrongly, step 5
holds. ``stamping`` and ``rewards`` say what a code is worth; ``staff`` spends
enrolment codes by the same steps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.programme import printed, signals
from app.programme.errors import (
    CodeExpired,
    CodeInUse,
    CodeInvalid,
    CodeRevoked,
    CodeSpent,
    CodeUnknown,
    CodeWrongKind,
    InvalidRequest,
    Refused,
    StoreDown,
    TryAgain,
)
from app.programme.printed import Paper
from app.store.database import Tx
from app.store.nonces import Claim, ClaimState, NonceTaken
from app.store.tables import LedgerEntry, Location
from app.tools import Tools
from signing import codes as signed
from signing import links
from signing.codes import Code, Kind
from signing.errors import CodeError, CodeKeyRevoked, LinkError, NoActiveKey, SignerDown
from signing.keyring import KeyRing

#: How long a code of each kind lives, from its issue.
LIFETIME: Mapping[Kind, timedelta] = {
    Kind.CARD: timedelta(seconds=60),
    Kind.STAMP: timedelta(seconds=120),
    Kind.VOUCHER: timedelta(seconds=60),
    Kind.ENROLMENT: timedelta(minutes=10),
}
#: How long the nonce store remembers beyond a code's end, so that a late phone
#: hears "already used" from it, and clocks may differ.
KEEP_AFTER_END = timedelta(hours=1)
#: When to ask again for a code that another request is spending.
ASK_AGAIN = timedelta(seconds=1)
#: When every worker works with a ring that was changed.
RING_IS_KNOWN_AFTER = timedelta(seconds=5)
#: How long the store keeps a printed code that nobody claims any more: it is told of
#: it again at the next try, so this is only longer than a lease and a slow request.
PAPER_KEPT = timedelta(minutes=5)
#: The one field of a record in the nonce store; all else there is unsealed.
_SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code to be shown: its text, its link, and when it ends."""

    code: str
    url: str
    not_after: datetime
    nonce: bytes
    #: Seven characters that stand for it while it lives (``short_codes``), if any.
    short: str | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """A code on its way into the books: claimed by this request, not yet counted."""

    code: Code
    request_id: str
    #: The issue record: what the code is worth.
    record: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """What came of a spending: the answer, and whether it had been given before."""

    answer: Mapping[str, Any]
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class Peeked:
    """What a code says of itself to somebody who only looks."""

    code: Code
    #: ``waiting``, ``in_use``, ``spent``, ``expired``, ``unknown`` or, of a printed
    #: code, ``revoked``.
    state: str
    record: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A code whose signature is good, and what it was checked with."""

    code: Code
    #: Its secrets open the issue record.
    ring: KeyRing
    #: Its row in the books, if it is printed and we issued it.
    paper: Paper | None


def issue(tools: Tools, kind: Kind, record: Mapping[str, str]) -> IssuedCode:
    """Sign a code and record that we issued it.

    Args:
        tools: keys, nonce store and clock.
        kind: decides how long it lives, ``LIFETIME``.
        record: what it is worth; read back when it is spent.

    Returns:
        The code.

    Raises:
        TryAgain: the nonce store gave no answer, or no key may sign now.
    """
    now = tools.now()
    life = LIFETIME[kind]
    # One ring for all of it: the next one may come between two steps, and after a
    # revocation it has another key and another secret.
    ring = tools.keys.ring
    try:
        code = signed.sign(
            kind,
            ring,
            origin=tools.settings.origin,
            not_after=(now + life).replace(microsecond=0),
            nonce=signed.new_nonce(),
        )
    except (NoActiveKey, SignerDown) as error:
        raise TryAgain from error
    sealed = {_SEALED: _seal(ring, code, record)}
    tools.nonces.issue(
        code.nonce,
        sealed,
        keep=life + KEEP_AFTER_END,
        # Not under the seal, and no step here ever reads them back: they tell those
        # who retire a key how many of its codes are about.
        key_id=code.key_id,
        not_after=code.not_after,
    )
    return IssuedCode(
        code=code.text,
        url=code.url(tools.settings.origin),
        not_after=code.not_after,
        nonce=code.nonce,
    )


def spend(
    tools: Tools,
    text: str,
    *,
    kinds: Collection[Kind],
    request_id: Callable[[Code], str],
    book: Callable[[Tx, Spending], Mapping[str, Any]],
) -> Spent:
    """Spend the code in ``text`` for one request.

    Args:
        tools: keys, stores and clock.
        text: what was scanned or typed; not trusted.
        kinds: what this door takes.
        request_id: names the request, the same on each retry.
        book: writes what the code is worth, in the one transaction it is handed,
            the row with the unique nonce first. Returns the answer, which must be
            plain data. Its refusals leave the code unspent.

    Returns:
        The answer; the first one again when this request was heard before.

    Raises:
        CodeInvalid: step 1 or 2: not a code of ours.
        CodeWrongKind: step 1: ours, for another door.
        CodeRevoked: step 2: its key was revoked; of a printed code, step 4 or 5: its
            key was, and it is not older; or its batch.
        CodeInUse: step 3: another request is at it.
        CodeSpent: step 3, 4 or 5: another request was there first.
        CodeUnknown: step 4: never issued, or the nonce store lost it.
        CodeExpired: step 4: too old.
        StoreDown: the nonce store or the books gave no answer; nothing was written.
        TryAgain: nothing can be signed now; the code is not spent.
        Refused: whatever ``book`` refuses.
    """
    shown = _read(tools, text)  # 1, 2
    code, paper = shown.code, shown.paper
    if code.kind not in kinds:
        raise CodeWrongKind
    asker = request_id(code)
    now = tools.now()
    if paper is not None:
        _tell_of_paper(tools, code)
    claim = tools.nonces.claim(code.nonce, asker, at=now)  # 3
    if claim.state is ClaimState.IN_USE:
        # Most are settled within a blink; a lease ends late only if its owner died.
        raise CodeInUse(min(claim.retry_after or ASK_AGAIN, ASK_AGAIN))
    if claim.state is ClaimState.SPENT or claim.result is not None:
        return _first_answer(tools, code, asker)
    record = paper.record if paper else _record_of(shown.ring, code, claim)
    # 4. A request that is heard again is as old as when it was first heard.
    is_late = code.is_expired(claim.claimed_at or now)
    if record is None or is_late or (paper and paper.is_revoked):
        return _too_late(tools, shown, asker, claim, is_issued=record is not None)
    return _count(tools, Spending(code, asker, record, now), book)  # 5, 6


def read(tools: Tools, text: str) -> Code:
    """Check that a text is a code of ours: steps 1 and 2.

    Raises:
        CodeInvalid: it is not.
        CodeRevoked: it was, until its key was revoked.
        StoreDown: it is printed, and the books gave no answer.
    """
    return _read(tools, text).code


def _read(tools: Tools, text: str) -> _Shown:
    """Check a text, and find the row of a printed one."""
    try:
        # A key made a moment ago on another machine is looked for before we refuse.
        ring = tools.keys.ring_knowing(signed.named_key(text))
        code = signed.verify(text, ring, origin=tools.settings.origin)
    except CodeKeyRevoked as error:
        # Its signature is good. Paper may outlive its key, and its row judges that;
        # for what has no row the key alone speaks.
        paper = printed.find(tools, ring, error.code)
        if paper is None:
            raise CodeRevoked from error
        return _Shown(error.code, ring, paper)
    except CodeError as error:
        raise CodeInvalid from error
    return _Shown(code, ring, printed.find(tools, ring, code))


def _tell_of_paper(tools: Tools, code: Code) -> None:
    """Let the store know a printed code, so that one request at a time may hold it."""
    # Taken: it was settled meanwhile, and the store says so at the claim.
    with contextlib.suppress(NonceTaken):
        tools.nonces.issue(code.nonce, {}, keep=PAPER_KEPT)


def keys_revoked_lately(tools: Tools) -> list[int]:
    """Name the keys whose codes phones may still show, though they are refused."""
    oldest = tools.now() - max(LIFETIME.values())
    return [
        key.key_id
        for key in tools.keys.ring.keys
        if key.revoked_at is not None and key.revoked_at > oldest
    ]


def peek(tools: Tools, text: str) -> Peeked:
    """Look at a code without spending it, as a page does before its button.

    Raises:
        CodeInvalid, CodeRevoked: as ``read``.
        StoreDown: the nonce store gave no answer.
    """
    shown = _read(tools, text)
    code, paper = shown.code, shown.paper
    claim = tools.nonces.look(code.nonce)
    record = paper.record if paper else _record_of(shown.ring, code, claim)
    state = {
        ClaimState.IN_USE: "in_use",
        ClaimState.SPENT: "spent",
    }.get(claim.state, "unknown" if record is None else "waiting")
    if state != "spent":
        with tools.database.read() as tx:
            if _entry_of(tx, code.nonce):
                state = "spent"
            elif paper and paper.is_revoked:
                state = "revoked"
            elif code.is_expired(tools.now()):
                state = "expired"
    return Peeked(code, state, record or {})


def answer_to(tools: Tools, request: str, *, named: str) -> Spent | None:
    """Find the first answer to a request, by the books alone.

    Args:
        tools: the books.
        request: as the ledger keeps it.
        named: what the answer must name: ``stamp_id`` or ``redemption_id``.

    Returns:
        The answer; None to a request that counted for nothing.

    Raises:
        CodeWrongKind: it counted at another door.
        StoreDown: the books gave no answer.
    """
    asked = select(LedgerEntry.answer).where(LedgerEntry.request_id == request)
    with tools.database.read() as tx:
        answer = tx.scalar(asked)
    if answer is None:
        return None
    if named not in answer:
        raise CodeWrongKind
    return Spent(answer, is_repeat=True)


def _count(
    tools: Tools,
    spending: Spending,
    book: Callable[[Tx, Spending], Mapping[str, Any]],
) -> Spent:
    """Write it in the books (5) and settle (6)."""
    code, asker = spending.code, spending.request_id
    try:
        with tools.database.begin() as tx:  # 5. Books.
            answer = book(tx, spending)
    except IntegrityError:
        # A row with this nonce, or of this request, is there already.
        return _first_answer(tools, code, asker)
    except (Refused, StoreDown) as refusal:
        # Not spent. If the store is down too, the lease ends by itself.
        with contextlib.suppress(StoreDown):
            tools.nonces.release(code.nonce, asker)
        if isinstance(refusal, Refused):
            signals.refused(tools, refusal, spending.at)
        raise
    _settle(tools, code, asker)  # 6. Settle.
    return Spent(answer, is_repeat=False)


def _settle(tools: Tools, code: Code, asker: str) -> None:
    """Tell the nonce store; what is in the books stands without it."""
    # Of paper the store is told anew at each try, and the books remember for ever.
    on_paper = code.kind is Kind.PRINTED_STAMP
    left = timedelta() if on_paper else max(code.not_after - tools.now(), timedelta())
    with contextlib.suppress(StoreDown):
        tools.nonces.settle(code.nonce, asker, asker, keep=left + KEEP_AFTER_END)


def _first_answer(tools: Tools, code: Code, asker: str) -> Spent:
    """Answer from the books: the first answer to its request, else refuse."""
    with tools.database.read() as tx:
        entry = _entry_of(tx, code.nonce)
        if entry is None:
            return _refuse_without_entry(tx, tools, code, asker)
        # The store may have forgotten, or hold our claim: the books have decided.
        _settle(tools, code, entry.request_id or asker)
        if entry.request_id == asker and entry.answer is not None:
            return Spent(entry.answer, is_repeat=True)
        place = tx.scalar(
            select(Location.name).where(Location.location_id == entry.location_id)
        )
        spent = CodeSpent(entry.at, place)
        card_id = entry.card_id
    signals.note(
        tools, "spent_code", {"nonce": code.nonce.hex(), "asker": asker}, card_id
    )
    raise spent


def _refuse_without_entry(tx: Tx, tools: Tools, code: Code, asker: str) -> NoReturn:
    """Say why a code that met a conflict, or is settled, is not in the ledger."""
    other = select(LedgerEntry.entry_id).where(LedgerEntry.request_id == asker)
    if tx.scalar(other) is not None:
        tools.nonces.release(code.nonce, asker)
        raise InvalidRequest({"request_id": "used_before"})
    # An enrolment, or the books were put back to an older state.
    raise CodeSpent


def _too_late(
    tools: Tools, shown: _Shown, asker: str, claim: Claim, *, is_issued: bool
) -> Spent:
    """Say "expired", "revoked" or "unknown", but ask the books before (4)."""
    code, paper = shown.code, shown.paper
    with tools.database.read() as tx:
        is_counted = _entry_of(tx, code.nonce) is not None
    if is_counted:
        return _first_answer(tools, code, asker)
    if claim.state is not ClaimState.UNKNOWN:
        tools.nonces.release(code.nonce, asker)
    if paper and paper.is_revoked:
        raise CodeRevoked(is_printed=True)
    if is_issued or code.is_expired(tools.now()):
        raise CodeExpired(is_printed=paper is not None)
    is_known = claim.state is not ClaimState.UNKNOWN
    if _would_open(tools, code) if is_known else _would_be_known(tools, code):
        # Signed by our key, and not by us: the key may be stolen.
        evidence = {"nonce": code.nonce.hex(), "key_id": code.key_id}
        signals.note(tools, "unissued_code", evidence)
    raise CodeUnknown


def _seal(ring: KeyRing, code: Code, record: Mapping[str, str]) -> str:
    """Seal an issue record for one code: its kind, key, end and nonce."""
    return links.seal(record, ring, purpose=_purpose(code), now=code.not_after)


def _record_of(ring: KeyRing, code: Code, claim: Claim) -> Mapping[str, str] | None:
    """Open the issue record; None where there is none that we made for this code."""
    try:
        return links.open_(
            claim.record.get(_SEALED, ""),
            ring,
            purpose=_purpose(code),
            max_age=timedelta(),
            now=code.not_after,
        )
    except LinkError:
        return None


def _purpose(code: Code) -> str:
    return f"issue-record/{code.data[:16].hex()}"


def _would_be_known(tools: Tools, code: Code) -> bool:
    """Tell whether the store would know the code, had it been issued.

    It knows what was issued in its present epoch (``app.store.epochs``).
    """
    life, epoch = LIFETIME.get(code.kind), tools.nonces.epoch(code.nonce)
    return life is None or code.not_after - life > epoch.started_at


def _would_open(tools: Tools, code: Code) -> bool:
    """Tell whether the record of the code would open, had we sealed it.

    A revocation drops the secrets of before, and a worker may hear of it a little
    later: what was sealed until then opens no more, though nobody did anything wrong.
    """
    oldest, life = tools.keys.ring.link_secrets[0], LIFETIME.get(code.kind)
    if oldest.secret_id == 1 or oldest.activated_at is None or life is None:
        return True
    return code.not_after - life > oldest.activated_at + RING_IS_KNOWN_AFTER


def _entry_of(tx: Tx, nonce: bytes) -> LedgerEntry | None:
    return tx.scalar(select(LedgerEntry).where(LedgerEntry.nonce == nonce))

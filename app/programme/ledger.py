"""Writing in the ledger: the one place that makes an entry, and signs it.

Every entry carries a receipt, made in the transaction that writes it: a signature of
the active key over all that the entry says (``signing.receipts``). So nobody who can
write in the books and has no key can put an entry in or change one, whatever real code
they have at hand; ``app.programme.proofs`` checks it for ever.

What is signed is a JSON object in ASCII, with sorted keys and no spaces, of every
column that is not NULL, by its name: moments in UTC with six digits of a second, ids
as 32 hex digits, bytes in hex, answers as they are. An object of JSON has one reading,
so that no part can run into the next. Left out are the receipt itself and
``entry_no``: the books give that number after the entry is known. It needs no
signature: the answers count the changes of a card, and an anchor holds the order.

A column that is added later is signed from then on, without asking. It must be NULL in
older entries, for these were signed without it.

Nothing is written without a receipt: with no key that may sign, or a holder of keys
that gives no answer, the transaction ends and the caller hears "try again".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from app.programme.errors import TryAgain
from app.store.database import Tx
from app.store.tables import LedgerEntry
from app.tools import Tools
from signing import receipts
from signing.errors import NoActiveKey, SignerDown

_UNSIGNED: Final = frozenset({"entry_no", "receipt"})
#: The columns that a receipt covers.
SIGNED: Final = tuple(
    sorted({column.key for column in LedgerEntry.__table__.columns} - _UNSIGNED)
)


def write(tx: Tx, tools: Tools, entry: LedgerEntry) -> None:
    """Write an entry that nobody asked for, and so has no answer.

    Args:
        tx: the caller's transaction.
        tools: the keys.
        entry: whole, with its ``entry_id``, but for its number and its receipt.

    Raises:
        TryAgain: nothing can be signed now.
    """
    entry.receipt = _receipt(tools, entry)
    tx.add(entry)
    tx.flush()


def write_first(
    tx: Tx,
    tools: Tools,
    entry: LedgerEntry,
    *,
    answer: Callable[[], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Write an entry before anything else is done, and then what it causes.

    Of two at once one meets a constraint (its nonce, its request, what it reverses)
    before anything was done, and before anything was signed.

    Args:
        tx: the caller's transaction.
        tools: the keys.
        entry: whole, with its ``entry_id``, but for its number, answer and receipt.
        answer: does what the entry causes; returns plain data.

    Returns:
        The answer, as it will be read from the books.

    Raises:
        TryAgain: nothing can be signed now; the transaction must not be committed.
        IntegrityError: another was first.
    """
    tx.add(entry)
    tx.flush()
    # The receipt covers the answer, which tells of what comes only now. Both are set
    # by the one statement that set the answer alone when there were no receipts; who
    # loses the race for the nonce costs no signature, and nobody else sees the row
    # in between: it is in no commit without its receipt.
    entry.answer = json.loads(json.dumps(answer(), allow_nan=False))
    entry.receipt = _receipt(tools, entry)
    return entry.answer or {}


def told(entry: LedgerEntry) -> bytes:
    """Write all that an entry says in the one spelling that is signed."""
    facts = {
        name: _plain(value)
        for name in SIGNED
        if (value := getattr(entry, name)) is not None
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode("ascii")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return value.hex
    return value.hex() if isinstance(value, bytes) else value


def _receipt(tools: Tools, entry: LedgerEntry) -> bytes:
    try:
        return receipts.sign(told(entry), tools.keys.ring, origin=tools.settings.origin)
    except (NoActiveKey, SignerDown) as error:
        raise TryAgain from error

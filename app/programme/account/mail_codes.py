"""Six digits and a link in a mail: either works, once, for ten minutes.

1. The books keep an HMAC of the digits under a secret of the ring: who reads them reads
   no code. (The mail on its way holds it, until it is sent.)
2. A guess is counted before it is looked at, by a conditional update; after five the
   code is dead, whatever the sixth says. Of many guesses at once five are heard.
3. What is right is spent by a conditional update; of many at once one wins. The link
   spends the same row, so after it the digits are worth nothing, and the other way.

Where the promise ends: a million codes, five guesses, and few codes an hour
(``app.programme.account.sign_in`` counts them in the books); the link is sealed by
``signing.links`` and can't be guessed.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, update

from app.programme.errors import InvalidRequest
from app.store.database import Tx, changed
from app.store.tables import MailCode
from app.tools import Tools

LIVES: Final = timedelta(minutes=10)
GUESSES: Final = 5
DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Issued:
    """A new code: the digits go in the mail and nowhere else."""

    mail_code_id: UUID
    code: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What a code was for."""

    member_id: UUID | None
    change_id: UUID | None


def issue(
    tx: Tx,
    tools: Tools,
    purpose: str,
    *,
    member_id: UUID | None,
    change_id: UUID | None = None,
) -> Issued:
    """Write a new code.

    Args:
        tx: the transaction that puts its mail in the outbox.
        tools: the ring and the clock.
        purpose: ``sign_in`` or ``new_email``.
        member_id: whom it is for; None: nobody, and no guess is ever right.
        change_id: the change of address that it confirms.
    """
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    now = tools.now()
    row = MailCode(
        purpose=purpose,
        member_id=member_id,
        change_id=change_id,
        code_hash=b"",
        created_at=now,
        expires_at=now + LIVES,
    )
    tx.add(row)
    tx.flush()
    row.code_hash = _hash(tools.keys.ring.secrets[-1], row.mail_code_id, code)
    tx.flush()
    return Issued(row.mail_code_id, code)


def guess(
    tx: Tx, tools: Tools, mail_code_id: UUID, purpose: str, digits: str
) -> Spent | None:
    """Spend a code by its digits.

    Args:
        tx: must be committed whatever the answer is: the guess counts.
        tools: the ring and the clock.
        mail_code_id: which code is guessed at.
        purpose: as it was issued.
        digits: as typed; not trusted.

    Returns:
        What it was for; None: a wrong guess.

    Raises:
        InvalidRequest: ``code`` is dead: used, too old, or guessed at too often.
            Nothing was written.
    """
    alive = _alive(tools, mail_code_id, purpose)
    counted = update(MailCode).where(*alive, MailCode.guesses < GUESSES)
    if not changed(tx, counted.values(guesses=MailCode.guesses + 1)):
        raise InvalidRequest({"code": "dead_code"})
    row = tx.get_one(MailCode, mail_code_id, populate_existing=True)
    typed = "".join(digits.split())
    hashes = [_hash(secret, mail_code_id, typed) for secret in tools.keys.ring.secrets]
    is_right = any(hmac.compare_digest(row.code_hash, each) for each in hashes)
    if not is_right or row.member_id is None:
        return None
    return _spend(tx, tools, row, alive)


def follow(tx: Tx, tools: Tools, mail_code_id: UUID, purpose: str) -> Spent:
    """Spend a code by its link, whose seal the caller has opened.

    Raises:
        InvalidRequest: ``code`` is dead.
    """
    row = tx.get(MailCode, mail_code_id)
    if row is None or row.member_id is None:
        raise InvalidRequest({"code": "dead_code"})
    return _spend(tx, tools, row, _alive(tools, mail_code_id, purpose))


def is_alive(tx: Tx, tools: Tools, mail_code_id: UUID) -> bool:
    """Tell whether a code could still be spent; spends nothing."""
    row = tx.get(MailCode, mail_code_id)
    return row is not None and row.used_at is None and row.expires_at > tools.now()


def end_all(tx: Tx, tools: Tools, member_id: UUID) -> None:
    """Make every code of a member worthless, as when the address changes."""
    unused = update(MailCode).where(
        MailCode.member_id == member_id, MailCode.used_at.is_(None)
    )
    changed(tx, unused.values(used_at=tools.now()))


def _spend(
    tx: Tx, tools: Tools, row: MailCode, alive: tuple[ColumnElement[bool], ...]
) -> Spent:
    if not changed(tx, update(MailCode).where(*alive).values(used_at=tools.now())):
        raise InvalidRequest({"code": "dead_code"})
    return Spent(row.member_id, row.change_id)


def _alive(
    tools: Tools, mail_code_id: UUID, purpose: str
) -> tuple[ColumnElement[bool], ...]:
    return (
        MailCode.mail_code_id == mail_code_id,
        MailCode.purpose == purpose,
        MailCode.used_at.is_(None),
        MailCode.expires_at > tools.now(),
    )


def _hash(secret: bytes, mail_code_id: UUID, code: str) -> bytes:
    told = b"punchproof/mail-code/1\0" + mail_code_id.bytes + code.encode()
    return hmac.digest(secret, told, "sha256")

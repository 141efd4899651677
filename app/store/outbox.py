"""Mail waiting to be sent: written with what causes it, handed to one worker at a time.

``put`` runs in the transaction of the cause, so that there is no mail without it, and
none is lost. A worker takes the row that has waited longest with ``take``: a
conditional update that moves ``due_at`` a lease ahead and counts the taking, so of any
number of workers one gets it. It then says ``sent``, ``later`` or ``given_up``.

Where the promise ends. A worker that dies holding a mail leaves it to the next one once
its lease is over. If it died after the mail server took the mail and before it could
say so, the mail goes out twice: at least once is what SMTP can give. Both carry the
row's Message-ID and date, by which mailboxes know them as one.

Once sent or given up, a row keeps no address and no facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CursorResult, func, select, update

from app.store.database import Tx
from app.store.tables import Outgoing

#: How long a worker has a mail for itself. Longer than any exchange with a mail server
#: that ``app.worker`` allows.
LEASE: Final = timedelta(minutes=5)
#: Why a mail was given up that its reader did not want any more: no fault of ours.
UNWANTED: Final = "unwanted"
#: Rows tried in one call, when others take them away before us.
_CANDIDATES: Final = 16


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that a worker has taken."""

    outgoing_id: UUID
    kind: str
    member_id: UUID | None
    address: str
    locale: str | None
    facts: Mapping[str, Any]
    created_at: datetime
    #: This taking's number, 1 for the first.
    attempt: int


def put(
    tx: Tx,
    kind: str,
    address: str,
    facts: Mapping[str, Any],
    *,
    now: datetime,
    member_id: UUID | None = None,
    locale: str | None = None,
) -> UUID:
    """Write a mail that shall be sent.

    Args:
        tx: the transaction of what causes it.
        kind: a stable word that ``app.worker`` knows.
        address: to whom; checked by the caller.
        facts: what the mail says, as JSON has it.
        now: due at once.
        member_id: whom it is about.
        locale: the language to write in, as a tag.

    Returns:
        Its id, which is its Message-ID too.
    """
    row = Outgoing(
        kind=kind,
        address=address,
        facts=dict(facts),
        member_id=member_id,
        locale=locale,
        created_at=now,
        due_at=now,
    )
    tx.add(row)
    tx.flush()
    return row.outgoing_id


@dataclass(frozen=True, slots=True)
class Figures:
    """How full the outbox is."""

    #: Neither sent nor given up.
    waiting: int
    #: When the one that has waited longest was written; None: none waits.
    oldest_at: datetime | None
    #: When the one that is overdue for longest was due; None: none is.
    overdue_since: datetime | None
    #: Mails that were given up, ever, but for those that nobody wanted any more.
    given_up: int


def figures(tx: Tx, now: datetime) -> Figures:
    """Tell how full the outbox is.

    Args:
        tx: the caller's.
        now: the moment.
    """
    is_waiting = (Outgoing.sent_at.is_(None), Outgoing.failed_at.is_(None))
    waiting, oldest_at = tx.execute(
        select(func.count(), func.min(Outgoing.created_at)).where(*is_waiting)
    ).one()
    overdue = select(func.min(Outgoing.due_at)).where(*_waiting(now))
    gone = select(func.count()).where(
        Outgoing.failed_at.is_not(None), Outgoing.problem.is_distinct_from(UNWANTED)
    )
    return Figures(waiting, oldest_at, tx.scalar(overdue), tx.scalar(gone) or 0)


def is_due(tx: Tx, now: datetime) -> bool:
    """Tell whether there is a mail to take; costs no turn at writing."""
    return tx.scalar(_due(now).limit(1)) is not None


def take(tx: Tx, now: datetime, lease: timedelta = LEASE) -> Waiting | None:
    """Take the mail that has been due for longest.

    Args:
        tx: the caller's; the mail is taken when it commits.
        now: the moment.
        lease: how long nobody else may take it.

    Returns:
        The mail; None if none is due, or others were quicker at each.
    """
    for outgoing_id in tx.scalars(_due(now).limit(_CANDIDATES)).all():
        # Asked again in the update itself: somebody may have been quicker.
        taken = tx.execute(
            update(Outgoing)
            .where(Outgoing.outgoing_id == outgoing_id, *_waiting(now))
            .values(due_at=now + lease, attempts=Outgoing.attempts + 1)
            .execution_options(synchronize_session=False)
        )
        if isinstance(taken, CursorResult) and taken.rowcount == 1:
            return _read(tx, outgoing_id)
    return None


def sent(tx: Tx, mail: Waiting, now: datetime) -> None:
    """Note that the mail server took it; true whoever has the row by now."""
    tx.execute(
        update(Outgoing)
        .where(Outgoing.outgoing_id == mail.outgoing_id, Outgoing.sent_at.is_(None))
        .values(
            sent_at=now,
            failed_at=None,
            problem=None,
            address=None,
            locale=None,
            facts={},
        )
        .execution_options(synchronize_session=False)
    )


def later(tx: Tx, mail: Waiting, due_at: datetime, problem: str) -> None:
    """Try again at a moment; does nothing once the lease has gone to another.

    Args:
        tx: the caller's.
        mail: as it was taken.
        due_at: the next try.
        problem: a stable word of up to 40 characters, nothing personal.
    """
    tx.execute(_of_this_taking(mail).values(due_at=due_at, problem=problem))


def given_up(tx: Tx, mail: Waiting, now: datetime, problem: str) -> None:
    """Send it no more; arguments as for ``later``."""
    ended = {"failed_at": now, "problem": problem}
    nothing: dict[str, Any] = {"address": None, "locale": None, "facts": {}}
    tx.execute(_of_this_taking(mail).values(**ended, **nothing))


def _due(now: datetime) -> Any:
    return (
        select(Outgoing.outgoing_id)
        .where(*_waiting(now))
        .order_by(Outgoing.due_at, Outgoing.outgoing_id)
    )


def _waiting(now: datetime) -> tuple[Any, ...]:
    return (
        Outgoing.sent_at.is_(None),
        Outgoing.failed_at.is_(None),
        Outgoing.due_at <= now,
    )


def _of_this_taking(mail: Waiting) -> Any:
    return (
        update(Outgoing)
        .where(
            Outgoing.outgoing_id == mail.outgoing_id,
            Outgoing.attempts == mail.attempt,
            Outgoing.sent_at.is_(None),
            Outgoing.failed_at.is_(None),
        )
        .execution_options(synchronize_session=False)
    )


def _read(tx: Tx, outgoing_id: UUID) -> Waiting:
    row = tx.get_one(Outgoing, outgoing_id, populate_existing=True)
    return Waiting(
        row.outgoing_id,
        row.kind,
        row.member_id,
        row.address or "",
        row.locale,
        row.facts,
        row.created_at,
        row.attempts,
    )

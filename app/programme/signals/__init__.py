"""Signals: things that may be fraud, kept with their evidence.

A signal blocks nothing and never stands in the way of an answer. Two ways lead to one:

* **at once**, where an answer is refused anyway, or where a stamp is given by hand:
  ``note`` writes in a transaction of its own, after the answer is known, and if that
  fails the signal is lost rather than the answer that it belongs to;
* **by the watch** (``signals.watch``): the worker looks through the ledger every minute
  for what no single entry shows. No stamp waits for it.

No kind floods: what is the same thing, by its ``once`` (this card with this person in
this month, this till tonight), is one row, held by a unique index. Seen again, its
evidence is brought up to date until somebody has looked at it.

What each kind means, and where its threshold comes from, stands in ``signals.kinds``.
How many of them are right is measured by ``scripts/simulate.py``. ``signals.desk``
reads and judges them.

One kind cannot wait until somebody looks: a code with our good signature that we
never issued. It is an alarm too (``app.programme.alarms``), and a line in the log at
once, at most one a minute.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app import logs
from app.programme.errors import LimitReached, NotEligible, Refused, StoreDown
from app.programme.signals.kinds import (
    BY_HAND,
    GUESSES,
    LIMIT_MET,
    OWN_CARD,
    OWN_PHONE,
    SPENT,
    UNISSUED,
)
from app.programme.signals.rows import Raised, put
from app.store.limits import LimitHit
from app.store.tables import Signal
from app.tools import Tools

__all__ = [
    "BY_HAND",
    "GUESSES",
    "LIMIT_MET",
    "OWN_CARD",
    "OWN_PHONE",
    "SPENT",
    "UNISSUED",
    "Raised",
    "Unissued",
    "guessed",
    "note",
    "own_phone",
    "put",
    "raise_now",
    "refused",
    "total",
    "unissued",
]


@dataclass(frozen=True, slots=True)
class Unissued:
    """Codes of one key that were shown with a good signature and never issued."""

    key_id: int | None
    count: int
    first_at: datetime
    last_at: datetime


def note(
    tools: Tools,
    kind: str,
    evidence: Mapping[str, Any],
    card_id: UUID | None = None,
) -> None:
    """Keep a signal.

    Args:
        tools: the books, and limits against floods.
        kind: ``spent_code`` or ``UNISSUED``.
        evidence: plain data, no secrets; its ``nonce`` tells repeats.
        card_id: the card that the code counted for, if it did.
    """
    with contextlib.suppress(LimitHit):
        tools.limits.hit("signal", kind, str(evidence.get("nonce")), limit="3/hour")
        raise_now(tools, Raised(kind, tools.now(), evidence, card_id=card_id))
        if kind == UNISSUED:
            _cry(tools, evidence.get("key_id"))


def raise_now(tools: Tools, raised: Raised) -> None:
    """Write a signal that stands beside an answer; lost if the books are away."""
    with contextlib.suppress(StoreDown), tools.database.begin() as tx:
        put(tx, raised)


def refused(tools: Tools, refusal: Refused, at: datetime) -> None:
    """Keep a refusal that may mean more than a mistake; others are nothing here.

    A limit by the hour that was met is kept once an hour for the same card, person,
    till or location; somebody who tries to stamp their own card, once a day.

    Args:
        tools: the books.
        refusal: what was told.
        at: when the stamps were to be given.
    """
    if isinstance(refusal, LimitReached) and refusal.whose_id is not None:
        whose, whose_id = refusal.limit.removeprefix("stamps_per_"), refusal.whose_id
        column = "staff_id" if whose == "staff_member" else f"{whose}_id"
        evidence = {"limit": refusal.limit, "most": refusal.most}
        once = f"{LIMIT_MET}:{whose}:{whose_id.hex}:{at:%Y%m%d%H}"
        raised = Raised(LIMIT_MET, at, evidence, once=once, **{column: whose_id})
        raise_now(tools, raised)
    elif isinstance(refusal, NotEligible) and refusal.staff_id and refusal.card_id:
        once = f"{OWN_CARD}:{refusal.card_id.hex}:{at:%Y%m%d}"
        raised = Raised(
            OWN_CARD,
            at,
            {},
            card_id=refusal.card_id,
            staff_id=refusal.staff_id,
            once=once,
        )
        raise_now(tools, raised)


def guessed(
    tools: Tools,
    evidence: Mapping[str, Any],
    key: str,
    whose: Callable[[], UUID | None],
    *,
    terminal_id: UUID | None = None,
) -> None:
    """Keep that a limit of guesses at a PIN or a password refused.

    Once an hour for a person at a terminal, or at the console's door; what was
    guessed of nobody who is known is one more at each of these, however many names
    somebody makes up.

    Only the first tries of an hour come as far as the books, so that whoever goes on
    is refused as cheaply as before. What those do is the same for a name that is known
    and one that is not, a read and a write, so that no answer is later for either.
    (But for a signal that was looked at within its hour: that one is left as it is.)

    Args:
        tools: the books, and limits against floods.
        evidence: ``limit``, ``most`` guesses in so many ``minutes``.
        key: what was refused, not trusted; kept as a hash, in Redis, for an hour.
        whose: finds the person; asked at the first tries alone.
        terminal_id: where; None: at the console's door.
    """
    at = tools.now()
    hour, door = f"{at:%Y%m%d%H}", terminal_id.hex if terminal_id else "console"
    with contextlib.suppress(LimitHit, StoreDown):
        name = (GUESSES, str(evidence["limit"]), door, key, hour)
        tools.limits.hit("signal", *name, limit="3/hour")
        staff_id = whose()
        once = f"{GUESSES}:{door}:{staff_id.hex if staff_id else 'nobody'}:{hour}"
        raised = Raised(
            GUESSES,
            at,
            {**evidence, "is_known": staff_id is not None},
            staff_id=staff_id,
            terminal_id=terminal_id,
            once=once,
        )
        raise_now(tools, raised)


def own_phone(
    tools: Tools, *, entry_id: UUID, card_id: UUID, staff_id: UUID, way: str
) -> None:
    """Keep that one browser holds the card and is the till: once a day for the two.

    Args:
        tools: the books.
        entry_id: the stamp.
        card_id: that got it.
        staff_id: who is signed in at that browser.
        way: ``scanned`` or ``collected``.
    """
    at = tools.now()
    once = f"{OWN_PHONE}:{card_id.hex}:{staff_id.hex}:{at:%Y%m%d}"
    raised = Raised(
        OWN_PHONE,
        at,
        {"way": way, "entries": [str(entry_id)]},
        card_id=card_id,
        staff_id=staff_id,
        entry_id=entry_id,
        once=once,
    )
    raise_now(tools, raised)


def unissued(tools: Tools, *, since: datetime) -> list[Unissued]:
    """Count the codes that were never issued, by the key that signed them.

    Raises:
        StoreDown: the books gave no answer.
    """
    key_id = Signal.evidence["key_id"].as_integer()
    asked = (
        select(key_id, func.count(), func.min(Signal.at), func.max(Signal.at))
        .where(Signal.kind == UNISSUED, Signal.at >= since)
        .group_by(key_id)
        .order_by(key_id)
    )
    with tools.database.read() as tx:
        return [Unissued(*row) for row in tx.execute(asked)]


def total(tools: Tools, kind: str) -> int:
    """Count the signals of a kind since the shop was founded.

    Raises:
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        asked = select(func.count()).where(Signal.kind == kind)
        return tx.scalar(asked) or 0


def _cry(tools: Tools, key_id: object) -> None:
    """Say it in the log, in time for somebody to revoke the key."""
    with contextlib.suppress(LimitHit):
        tools.limits.hit("alarm", UNISSUED, limit="1/minute")
        logs.alarm(
            UNISSUED,
            f"A code with the good signature of key {key_id} was shown that we never "
            "issued: the key may be stolen. See the console's page of keys.",
        )

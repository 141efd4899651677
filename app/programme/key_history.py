"""What was done with the keys, and what was made with one that was called back.

The ceremonies are in the audit log; what a revoked key made since it may have been
stolen is in the ledger, each entry with its code, which names its key. Both are for
people to judge: nothing here changes or removes anything.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, func, select
from sqlalchemy.orm import aliased

from app.programme.errors import NotFound
from app.store.tables import AuditEntry, Card, LedgerEntry, Location, StaffMember
from app.tools import Tools
from signing.errors import KeyUnknown
from signing.keyring import KeyState, SigningKey

#: What the action of every ceremony begins with.
_ACTION: Final = "key."
_Undone = aliased(LedgerEntry)


@dataclass(frozen=True, slots=True)
class Ceremony:
    """One step that was taken with the keys."""

    at: datetime
    #: A stable word: ``key.activated``.
    action: str
    #: Usually the key's id.
    subject: str
    #: Who did it; None for a command.
    by: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Review:
    """A key that was called back, and how much there is to look at."""

    key_id: int
    revoked_at: datetime
    #: What it made from then on is to be looked at.
    since: datetime
    #: As it was given; None where the audit log does not say.
    reason: str | None
    #: Stamps and redemptions made with it since, undone ones too.
    count: int
    #: Those of them that were undone.
    reversed: int


@dataclass(frozen=True, slots=True)
class Made:
    """Something in the ledger that was made with a revoked key after the theft."""

    entry_id: UUID
    at: datetime
    #: ``EARN`` or ``REDEEM``.
    kind: str
    #: Stamps; 0 for a redemption.
    units: int
    card_number: str
    place: str | None
    staff_name: str | None
    is_reversed: bool


def ceremonies(tools: Tools, *, limit: int = 20) -> list[Ceremony]:
    """Read the last ceremonies, newest first.

    Raises:
        StoreDown: the books gave no answer.
    """
    asked = (
        select(
            AuditEntry.at,
            AuditEntry.action,
            AuditEntry.subject,
            StaffMember.name,
            AuditEntry.detail,
        )
        .outerjoin(StaffMember, StaffMember.staff_id == AuditEntry.staff_id)
        .where(AuditEntry.action.startswith(_ACTION, autoescape=True))
        .order_by(AuditEntry.audit_no.desc())
        .limit(limit)
    )
    with tools.database.read() as tx:
        return [Ceremony(*row) for row in tx.execute(asked)]


def review(tools: Tools, key_id: int) -> Review:
    """Tell what there is to look at of a revoked key.

    Raises:
        NotFound: the ring has no such key, or it is not revoked.
        StoreDown: the books gave no answer.
    """
    key = _revoked(tools, key_id)
    asked = (
        select(AuditEntry.detail)
        .where(AuditEntry.action == "key.revoked", AuditEntry.subject == str(key_id))
        .order_by(AuditEntry.audit_no.desc())
        .limit(1)
    )
    with tools.database.read() as tx:
        said = tx.scalar(asked) or {}
        since = _since(said, key)
        count, undone = tx.execute(
            select(func.count(), func.count(_Undone.entry_id))
            .select_from(LedgerEntry)
            .outerjoin(_Undone, _Undone.reverses_id == LedgerEntry.entry_id)
            .where(*_made_with(key_id, since))
        ).one()
    reason = said.get("reason")
    return Review(
        key_id=key_id,
        revoked_at=key.revoked_at or since,
        since=since,
        reason=str(reason) if reason else None,
        count=count,
        reversed=undone,
    )


def made(
    tools: Tools,
    key_id: int,
    since: datetime,
    *,
    offset: int = 0,
    limit: int | None = None,
) -> Iterator[Made]:
    """Read what the ledger took with codes of a key since a moment, oldest first.

    Stamps and redemptions, undone ones too.

    Args:
        tools: the books, which are open until the last entry was taken.
        key_id: of the key.
        since: aware.
        offset: entries to leave out.
        limit: entries at most.

    Raises:
        StoreDown: the books gave no answer.
    """
    asked = (
        select(
            LedgerEntry.entry_id,
            LedgerEntry.at,
            LedgerEntry.kind,
            LedgerEntry.units,
            Card.number,
            Location.name,
            StaffMember.name,
            _Undone.entry_id.is_not(None),
        )
        .join(Card, Card.card_id == LedgerEntry.card_id)
        .outerjoin(Location, Location.location_id == LedgerEntry.location_id)
        .outerjoin(StaffMember, StaffMember.staff_id == LedgerEntry.staff_id)
        .outerjoin(_Undone, _Undone.reverses_id == LedgerEntry.entry_id)
        .where(*_made_with(key_id, since))
        .order_by(LedgerEntry.entry_no)
        .offset(offset)
        .limit(limit)
    )
    with tools.database.read() as tx:
        for row in tx.execute(asked):
            yield Made(*row)


def _revoked(tools: Tools, key_id: int) -> SigningKey:
    try:
        key = tools.keys.ring.key(key_id)
    except KeyUnknown as error:
        raise NotFound from error
    if key.state is not KeyState.REVOKED:
        raise NotFound
    return key


def _since(said: Mapping[str, Any], key: SigningKey) -> datetime:
    """When it may have been stolen; where nothing says so, all that it made."""
    try:
        since = datetime.fromisoformat(str(said.get("since")))
    except ValueError:
        since = key.revoked_since or key.created_at
    # A line that somebody wrote without a zone would stop every question.
    return since if since.tzinfo else key.created_at


def _made_with(key_id: int, since: datetime) -> tuple[ColumnElement[bool], ...]:
    # The key id stands in bytes 2 and 3 of a code (see ``signing.codes``).
    named = func.substr(LedgerEntry.proof, 2, 2, type_=LargeBinary())
    return (
        LedgerEntry.kind.in_(("EARN", "REDEEM")),
        LedgerEntry.at >= since,
        named == struct.pack(">H", key_id),
    )

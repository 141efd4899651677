"""Who is asking: opaque bearer tokens, of which only a hash is kept.

A token is 256 random bits; a browser holds it in a cookie, a script in a header.
A staff member's token belongs to one terminal and dies with it. Ending a token,
revoking a terminal or signing a person out takes effect with the next request,
since every request asks here.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, select, update

from app.programme.errors import Unauthenticated
from app.store.database import Tx
from app.store.tables import AccessToken, Location, StaffMember, Terminal
from app.tools import Tools

#: How long a token of each kind lives. A member's is the card itself: long.
LIFETIME: Final[Mapping[str, timedelta]] = {
    "member": timedelta(days=800),
    "terminal": timedelta(days=800),
    "staff": timedelta(hours=12),
    "console": timedelta(hours=12),
}
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
#: Asked at every request, so it is put together once, and of columns, not of objects.
_WHOSE: Final = (
    select(
        AccessToken.kind,
        AccessToken.member_id,
        AccessToken.terminal_id,
        AccessToken.staff_id,
        AccessToken.ended_at,
        AccessToken.expires_at,
        AccessToken.created_at,
        AccessToken.seen_at.label("token_seen_at"),
        Terminal.name.label("terminal_name"),
        Terminal.location_id,
        Terminal.revoked_at,
        Terminal.seen_at,
        Location.name.label("place"),
        StaffMember.name.label("person"),
        StaffMember.role,
        StaffMember.is_active,
    )
    .outerjoin(Terminal, Terminal.terminal_id == AccessToken.terminal_id)
    .outerjoin(Location, Location.location_id == Terminal.location_id)
    .outerjoin(StaffMember, StaffMember.staff_id == AccessToken.staff_id)
    .where(AccessToken.token_hash == bindparam("token_hash"))
)
#: A terminal's "last seen" is kept to the minute: no write for each request.
_SEEN_EVERY = timedelta(minutes=1)
#: A member's device is told of by the hour.
_DEVICE_SEEN_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MemberCaller:
    """A customer."""

    member_id: UUID


@dataclass(frozen=True, slots=True)
class TerminalCaller:
    """A device at a counter, nobody signed in."""

    terminal_id: UUID
    name: str
    location_id: UUID
    location_name: str

    def request(self, request_id: str) -> str:
        """Name a request for the ledger: two terminals may pick the same id."""
        return f"{self.terminal_id.hex}:{request_id}"


@dataclass(frozen=True, slots=True)
class StaffCaller:
    """A staff member at a terminal."""

    staff_id: UUID
    name: str
    role: str
    terminal_id: UUID
    location_id: UUID
    location_name: str

    def request(self, request_id: str) -> str:
        """Name a request for the ledger: two terminals may pick the same id."""
        return f"{self.terminal_id.hex}:{request_id}"


@dataclass(frozen=True, slots=True)
class ConsoleCaller:
    """An owner or manager in the console."""

    staff_id: UUID
    name: str
    role: str


Caller = MemberCaller | TerminalCaller | StaffCaller | ConsoleCaller


def grant(
    tx: Tx,
    tools: Tools,
    kind: str,
    *,
    member_id: UUID | None = None,
    terminal_id: UUID | None = None,
    staff_id: UUID | None = None,
    device: str | None = None,
) -> str:
    """Make a token of a kind for a person or device.

    Args:
        tx: the caller's transaction.
        tools: the clock.
        kind: one of ``LIFETIME``.
        member_id: whose, of a customer's.
        terminal_id: whose, of a till's and of a person's there.
        staff_id: whose, of a person's at a till or in the console.
        device: what a customer's device is called.

    Returns:
        The token, 43 characters; it can't be had again.
    """
    token = secrets.token_urlsafe(32)
    now = tools.now()
    tx.add(
        AccessToken(
            token_hash=hash_of(token),
            kind=kind,
            member_id=member_id,
            terminal_id=terminal_id,
            staff_id=staff_id,
            device=device,
            created_at=now,
            expires_at=now + LIFETIME[kind],
        )
    )
    tx.flush()
    return token


def who(tools: Tools, token: str) -> Caller:
    """Tell whose token this is.

    Args:
        tools: books and clock.
        token: as a client sent it; not trusted.

    Raises:
        Unauthenticated: nobody's, ended, expired, or its terminal was revoked or
            its staff member deactivated.
        StoreDown: the books gave no answer.
    """
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated
    row = tools.database.first(_WHOSE, {"token_hash": hash_of(token)})
    if row is None:
        raise Unauthenticated
    if row.ended_at is not None or row.expires_at <= tools.now():
        raise Unauthenticated
    if row.terminal_id is not None:
        if row.revoked_at is not None:
            raise Unauthenticated
        _seen(tools, row.terminal_id, row.seen_at)
    if row.staff_id is not None and not row.is_active:
        raise Unauthenticated
    if row.kind == "member":
        _device_seen(tools, hash_of(token), row.token_seen_at or row.created_at)
    return _caller(row)


def end(tools: Tools, token: str) -> None:
    """End a token; ending one that is not there is no fault."""
    with tools.database.begin() as tx:
        tx.execute(
            update(AccessToken)
            .where(
                AccessToken.token_hash == hash_of(token), AccessToken.ended_at.is_(None)
            )
            .values(ended_at=tools.now())
        )


def _caller(row: Row[*tuple[Any, ...]]) -> Caller:
    terminal = row.terminal_id, row.terminal_name, row.location_id, row.place or ""
    if row.kind == "member" and row.member_id:
        return MemberCaller(row.member_id)
    if row.kind == "terminal" and row.terminal_id:
        return TerminalCaller(*terminal)
    if row.kind == "staff" and row.terminal_id and row.staff_id:
        terminal_id, _, location_id, place = terminal
        return StaffCaller(
            row.staff_id, row.person, row.role, terminal_id, location_id, place
        )
    if row.kind == "console" and row.staff_id:
        return ConsoleCaller(row.staff_id, row.person, row.role)
    raise Unauthenticated


def _seen(tools: Tools, terminal_id: UUID, seen_at: datetime | None) -> None:
    now = tools.now()
    if seen_at is not None and now - seen_at < _SEEN_EVERY:
        return
    with tools.database.begin() as tx:
        tx.execute(
            update(Terminal)
            .where(Terminal.terminal_id == terminal_id)
            .values(seen_at=now)
        )


def _device_seen(tools: Tools, token_hash: bytes, seen_at: datetime) -> None:
    now = tools.now()
    if now - seen_at < _DEVICE_SEEN_EVERY:
        return
    with tools.database.begin() as tx:
        tx.execute(
            update(AccessToken)
            .where(AccessToken.token_hash == token_hash)
            .values(seen_at=now)
        )


def hash_of(token: str) -> bytes:
    """Return what the books keep of a token, 32 bytes."""
    # No salt and no stretching: the token has 256 random bits of its own.
    return hashlib.sha256(token.encode()).digest()

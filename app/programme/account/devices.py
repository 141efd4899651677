"""The phones and browsers on which a member is signed in.

A device is a member's token (``app.programme.sessions``). It is named by what the
browser says of itself, which proves nothing: it is there to be recognised.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from app.programme import sessions
from app.programme.errors import NotFound
from app.store.database import changed
from app.store.tables import AccessToken
from app.tools import Tools

#: First that is found names the browser; most pretend to be those further down.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
_DEVICE_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Device:
    """One device that is signed in."""

    #: Names it on a page; nobody can sign in with it.
    device_id: str
    #: None: it said nothing that we know.
    name: str | None
    first_at: datetime
    #: To the hour.
    last_at: datetime
    is_this: bool


def name_of(browser: str | None) -> str | None:
    """Name a device by what its browser says of itself.

    Args:
        browser: ``User-Agent``; not trusted, and nothing of it comes out.
    """
    told = browser or ""
    found = [
        next((name for mark, name in marks if mark in told), None)
        for marks in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(name for name in found if name) or None


def devices(tools: Tools, member_id: UUID, token: str | None) -> list[Device]:
    """List where a member is signed in, the one that asks first, then the latest.

    Args:
        tools: books and clock.
        member_id: whose.
        token: of whoever asks.
    """
    this = sessions.hash_of(token) if token else b""
    with tools.database.read() as tx:
        rows = tx.scalars(
            select(AccessToken).where(
                AccessToken.member_id == member_id,
                AccessToken.kind == "member",
                AccessToken.ended_at.is_(None),
                AccessToken.expires_at > tools.now(),
            )
        ).all()
    found = [
        Device(
            device_id=_id_of(row.token_hash),
            name=row.device,
            first_at=row.created_at,
            last_at=row.seen_at or row.created_at,
            is_this=row.token_hash == this,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.is_this, one.last_at), reverse=True)


def sign_out(tools: Tools, member_id: UUID, device_id: str) -> None:
    """Sign one device out; it learns of it with its next request.

    Raises:
        NotFound: the member has no such device.
    """
    if not _DEVICE_ID.fullmatch(device_id):
        raise NotFound
    with tools.database.begin() as tx:
        hashes = tx.scalars(
            select(AccessToken.token_hash).where(
                AccessToken.member_id == member_id, AccessToken.kind == "member"
            )
        ).all()
        named = [each for each in hashes if _id_of(each) == device_id]
        if not named:
            raise NotFound
        ended = update(AccessToken).where(
            AccessToken.token_hash == named[0], AccessToken.ended_at.is_(None)
        )
        changed(tx, ended.values(ended_at=tools.now()))


def sign_out_others(tools: Tools, member_id: UUID, token: str) -> int:
    """Sign out every device but the one that asks, as when a phone was lost.

    Returns:
        How many were signed out.
    """
    with tools.database.begin() as tx:
        others = update(AccessToken).where(
            AccessToken.member_id == member_id,
            AccessToken.kind == "member",
            AccessToken.token_hash != sessions.hash_of(token),
            AccessToken.ended_at.is_(None),
        )
        return changed(tx, others.values(ended_at=tools.now()))


def _id_of(token_hash: bytes) -> str:
    return hashlib.sha256(b"punchproof/device/1\0" + token_hash).hexdigest()[:32]

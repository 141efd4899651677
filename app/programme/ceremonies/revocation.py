"""Revocation: a stolen key is trusted no more, whatever else is wrong.

Whoever had the ring open had its secrets too. So a new secret seals from the same
moment, and every older one is dropped: links and pages that they sealed, and the issue
records of codes that are about, open no more.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import ProgrammingError

from app.programme import batches, key_history
from app.programme.batches import Hit
from app.programme.ceremonies import log
from app.programme.ceremonies.room import (
    AlreadySo,
    Done,
    KeyRoom,
    Line,
    is_in_token,
    newest,
    save,
    write,
)
from app.programme.ceremonies.steps import forget, line_of_new_key, with_new_key
from app.programme.errors import StoreDown
from app.programme.key_history import Made
from signing.errors import SignerDown
from signing.keyring import KeyRing, KeyState, SigningKey


def revoke(
    room: KeyRoom,
    key_id: int,
    *,
    since: datetime,
    reason: str,
    is_applied: bool,
    is_hard: bool = False,
) -> Done:
    """Trust a key no more; if it signs, a new one signs from the same moment.

    No worker is waited for: one that does not know the new key looks for it when it
    first sees a code of it (``WatchedRing.ring_knowing``). Codes of the revoked key
    that are out are refused as ``code_revoked``. A pending key is not put in charge:
    who took one key may have taken that too. The new key is made where the old one is,
    or in a file if the token gives no answer. Asked for again, it writes the audit
    line that could not be written the first time.

    Args:
        room: where.
        key_id: the stolen one.
        since: when it may have been stolen, aware. What was issued on paper before
            stays good.
        reason: for the audit log.
        is_applied: whether to do it.
        is_hard: nothing stays good, whenever it was issued.

    Returns:
        With ``review``, the entries that were made with it since, and ``batches``, the
        printed ones that are still about.

    Raises:
        AlreadySo: it is revoked.
        KeyGuard: another command changed the ring meanwhile.
        KeyRingError: no such key; the ring cannot be read or written.
    """
    ring = room.ring(asks_token=False)
    key = ring.key(key_id)
    made = review(room, key_id, since)
    hit = batches_hit(room, key_id, since, is_hard=is_hard)
    detail = {
        "since": since.isoformat(),
        "reason": reason,
        "hard": is_hard,
        "review": None if made is None else len(made),
    }
    if key.state is KeyState.REVOKED:
        if is_applied:
            _catch_up(room, ring, key_id, detail)
        raise AlreadySo(f"key {key_id} was revoked at {key.revoked_at:%Y-%m-%d %H:%M}")
    changed, lines = _replaced(room, ring, key, is_applied=is_applied)
    kept = None if is_hard else since
    changed = changed.revoked(key_id, room.tools.now(), since=kept)
    lines.append(("key.revoked", key_id, detail))
    is_audited = True
    left: tuple[int, ...] = ()
    if is_applied:
        try:
            is_audited, left = _write_anyway(room, changed, lines)
        except BaseException:
            forget(room, changed.keys[-1])
            raise
    return Done(
        key_id,
        is_applied,
        changed,
        newest(ring, KeyState.ACTIVE),
        secret_id=changed.link_secrets[-1].secret_id,
        dropped=tuple(secret.secret_id for secret in ring.link_secrets),
        is_audited=is_audited,
        left_in_token=left,
        review=made,
        batches=hit,
    )


def batches_hit(
    room: KeyRoom, key_id: int, since: datetime, *, is_hard: bool
) -> tuple[Hit, ...] | None:
    """List the printed batches of a key that are still about, oldest first.

    Returns:
        Also those that stay good; None if the books give no answer.
    """
    try:
        return tuple(batches.hit(room.tools, key_id, since, is_hard=is_hard))
    except (StoreDown, ProgrammingError):
        # Also books that are older than printed stamps: a thief does not wait for them.
        return None


def review(room: KeyRoom, key_id: int, since: datetime) -> tuple[Made, ...] | None:
    """List what the ledger took with codes of a key since a moment, oldest first.

    Returns:
        Stamps and redemptions, reversed ones too; None if the books give no answer.
    """
    try:
        return tuple(key_history.made(room.tools, key_id, since))
    except StoreDown:
        return None


def _replaced(
    room: KeyRoom, ring: KeyRing, key: SigningKey, *, is_applied: bool
) -> tuple[KeyRing, list[Line]]:
    """Put a new secret in charge, and a new key if this one signs; and the lines."""
    now = room.tools.now()
    changed = ring.with_new_secret(now)
    secret_id = changed.link_secrets[-1].secret_id
    changed = changed.secret_activated(secret_id, now)
    for secret in ring.link_secrets:
        changed = changed.without_secret(secret.secret_id)
    dropped = [secret.secret_id for secret in ring.link_secrets]
    if key.state is not KeyState.ACTIVE:
        told = {"secret": secret_id, "dropped": dropped}
        return changed, [("key.secret_replaced", key.key_id, told)]
    try:
        in_token = is_in_token(ring)
        changed = with_new_key(room, changed, in_token=in_token, is_applied=is_applied)
    except SignerDown:
        # A shop without a token's key is better off than one without any.
        changed = with_new_key(room, changed, in_token=False, is_applied=is_applied)
    fresh = changed.keys[-1].key_id
    made = line_of_new_key(changed, secret=secret_id)
    told = {"before": key.key_id, "secret": secret_id, "dropped": dropped}
    return changed.activated(fresh, now), [made, ("key.activated", fresh, told)]


def _write_anyway(
    room: KeyRoom, ring: KeyRing, lines: list[Line]
) -> tuple[bool, tuple[int, ...]]:
    """Write the ring even where the books give no answer.

    Returns:
        Whether the audit log has the lines, and the dead keys left in the token.
    """
    try:
        return True, write(room, ring, lines)
    except StoreDown:
        return False, save(room, ring)


def _catch_up(
    room: KeyRoom, ring: KeyRing, key_id: int, detail: dict[str, object]
) -> None:
    """Write the line of a revocation that was done while the books were away."""
    try:
        known = log.lines(room.tools.database)
        if not any(line.tells("key.revoked", key_id) for line in known):
            write(room, ring, [("key.revoked", key_id, {**detail, "late": True})])
    except StoreDown:
        return

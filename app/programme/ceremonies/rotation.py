"""Rotation: a new key and a new secret in charge, and nobody notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from app.programme.ceremonies.room import (
    AlreadySo,
    CeremonyRefused,
    Done,
    KeyRoom,
    await_workers,
    newest,
    pending_secret,
    who_is_behind,
)
from app.programme.ceremonies.steps import activate, create
from signing.keyring import KeyRing, KeyState


def rotate(
    room: KeyRoom,
    *,
    is_applied: bool,
    wait: Callable[[float], None],
    if_older_than: timedelta | None = None,
) -> Done:
    """Put a new key and secret in charge: make them, wait for all workers, let them.

    Both are made in one step and put in charge in one, so there are three states in
    which it can be cut short, and from each it is taken up again: nothing done; both
    pending, and not made anew; done. A key that is pending without a secret, in a ring
    of an older release, gets one.

    Args:
        room: where.
        is_applied: whether to do it; else only what would come of it is returned.
        wait: told the seconds to wait, again and again.
        if_older_than: leave a key alone that has signed for a shorter time.

    Raises:
        AlreadySo: the active key is younger than that.
        CeremonyRefused: after ``WORKERS_PATIENCE`` a worker still had not reported
            the ring with the new key. That key stays pending.
        StoreDown: a store gave no answer.
        KeyGuard: another command changed the ring meanwhile.
        KeyRingError: the ring cannot be read or written; the token gives no answer.
    """
    ring = room.ring()
    before = newest(ring, KeyState.ACTIVE)
    _check_age(room, ring, if_older_than)
    pending = newest(ring, KeyState.PENDING)
    if pending is None or pending_secret(ring) is None:
        made = create(room, is_applied=is_applied)
        ring, pending = made.ring, made.key_id
    if not is_applied:
        changed, secret = (
            ring.activated(pending, room.tools.now()),
            pending_secret(ring),
        )
        secret_id = None if secret is None else secret.secret_id
        return Done(pending, False, changed, before, secret_id=secret_id)
    behind = await_workers(room, ring, wait=wait)
    if behind:
        raise CeremonyRefused(who_is_behind(behind))
    return activate(room, pending, is_applied=True)


def _check_age(room: KeyRoom, ring: KeyRing, least: timedelta | None) -> None:
    active = newest(ring, KeyState.ACTIVE)
    since = None if active is None else ring.key(active).activated_at
    if least is not None and since is not None and room.tools.now() - since < least:
        raise AlreadySo(f"key {active} signs since {since:%Y-%m-%d %H:%M} UTC only")

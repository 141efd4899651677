"""The routine steps of a key's life: made, put in charge, retired.

A secret goes with each key, pending as long as the key is. Once a newer one seals it
only opens, and when nothing that it sealed can be alive it is dropped, together with
whatever key is retired next.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from app.programme.ceremonies.room import (
    AlreadySo,
    CeremonyRefused,
    Done,
    KeyRoom,
    Line,
    behind_of,
    is_in_token,
    newest,
    pending_secret,
    who_is_behind,
    write,
)
from app.programme.codes import LIFETIME
from app.programme.errors import StoreDown
from app.store.nonces import Outstanding
from signing.errors import KeyRingError
from signing.keyring import KeyRing, KeyState, SigningKey
from signing.signers import IN_FILE

#: After this a key's last code is dead, counted from when it stopped to sign; the
#: minute is for a worker that was slow to hear of it.
LAST_CODE_DEAD: Final = max(LIFETIME.values()) + timedelta(minutes=1)
#: For how long a secret still opens what it sealed. Issue records live for minutes and
#: links in mails for 7 days at most; the cookie and the token of a page that is left
#: open have no end, and whoever comes back to one after a month loads it anew.
SECRET_KEPT: Final = timedelta(days=30)


def create(room: KeyRoom, *, is_applied: bool, in_token: bool | None = None) -> Done:
    """Make a key that all verify with and none signs with, and a secret likewise.

    Where one of the two is pending already, for the ring is of an older release, only
    the other is made.

    Args:
        room: where.
        is_applied: whether to do it.
        in_token: make the key in the token; None: where the key that signs is.

    Raises:
        AlreadySo: both are pending.
        CeremonyRefused: no token is set up.
        StoreDown: the books gave no answer; nothing was changed.
        KeyRingError: the ring cannot be read or written; the token gives no answer.
    """
    ring = room.ring()
    pending, waits = newest(ring, KeyState.PENDING), pending_secret(ring)
    if pending is not None and waits is not None:
        raise AlreadySo(f"key {pending} is pending already; activate that one")
    now = room.tools.now()
    changed = ring
    lines: list[Line] = []
    if waits is None:
        changed = changed.with_new_secret(now)
        waits = changed.link_secrets[-1]
    if pending is None:
        where = is_in_token(ring) if in_token is None else in_token
        changed = with_new_key(room, changed, in_token=where, is_applied=is_applied)
        lines.append(line_of_new_key(changed, secret=waits.secret_id))
    else:
        lines.append(("key.secret_created", pending, {"secret": waits.secret_id}))
    key = changed.key(changed.keys[-1].key_id if pending is None else pending)
    left: tuple[int, ...] = ()
    if is_applied:
        try:
            left = write(room, changed, lines)
        except BaseException:
            if pending is None:
                forget(room, key)
            raise
    return Done(
        key.key_id,
        is_applied,
        changed,
        newest(ring, KeyState.ACTIVE),
        secret_id=waits.secret_id,
        left_in_token=left,
    )


def activate(room: KeyRoom, key_id: int, *, is_applied: bool) -> Done:
    """Let a pending key sign and the pending secret seal.

    The key before only verifies from then on, the secret before only opens.

    Raises:
        AlreadySo: it signs.
        CeremonyRefused: a live worker has not reported this ring.
        StoreDown: a store gave no answer; nothing was changed.
        KeyGuard: the key is not pending; or another command changed the ring.
        KeyRingError: no such key; the ring cannot be read or written.
    """
    ring = room.ring()
    if ring.key(key_id).state is KeyState.ACTIVE:
        raise AlreadySo(f"key {key_id} is active already")
    before, now = newest(ring, KeyState.ACTIVE), room.tools.now()
    changed, secret = ring.activated(key_id, now), pending_secret(ring)
    if secret is not None:
        changed = changed.secret_activated(secret.secret_id, now)
    workers = room.live()
    behind = behind_of(workers, ring)
    if behind:
        raise CeremonyRefused(who_is_behind(behind))
    secret_id = None if secret is None else secret.secret_id
    detail = {"before": before, "secret": secret_id}
    left: tuple[int, ...] = ()
    if is_applied:
        left = write(room, changed, [("key.activated", key_id, detail)])
    return Done(
        key_id,
        is_applied,
        changed,
        before,
        secret_id=secret_id,
        workers=len(workers),
        left_in_token=left,
    )


def retire(room: KeyRoom, key_id: int, *, is_applied: bool) -> Done:
    """Destroy the private part of a key whose last code is dead.

    Drops the secrets, too, which have not sealed for ``SECRET_KEPT``.

    Raises:
        AlreadySo: it is retired.
        CeremonyRefused: codes of it may be alive.
        StoreDown: a store gave no answer; nothing was changed.
        KeyGuard: the key is not verify-only; or another command changed the ring.
        KeyRingError: no such key; the ring cannot be read or written.
    """
    ring = room.ring(asks_token=False)
    key = ring.key(key_id)
    if key.state is KeyState.RETIRED:
        raise AlreadySo(f"key {key_id} is retired already")
    now = room.tools.now()
    changed = ring.retired(key_id, now)
    alive = _check_dead(room, key, now)
    return _put_away(room, ring, changed, (key_id,), is_applied, outstanding=alive)


def retire_dead(room: KeyRoom, *, is_applied: bool) -> Done:
    """Retire every key whose last code is dead, and drop the secrets likewise.

    Raises:
        AlreadySo: there is none, and no such secret.
        StoreDown: a store gave no answer; nothing was changed.
        KeyGuard: another command changed the ring.
        KeyRingError: the ring cannot be read or written.
    """
    ring = room.ring(asks_token=False)
    now, changed, retired = room.tools.now(), ring, []
    for key in ring.keys:
        if key.state is not KeyState.VERIFY_ONLY:
            continue
        try:
            _check_dead(room, key, now)
        except CeremonyRefused:
            continue
        changed = changed.retired(key.key_id, now)
        retired.append(key.key_id)
    if not retired and not stale_secrets(ring, now):
        raise AlreadySo("no key and no secret is to be put away")
    return _put_away(room, ring, changed, tuple(retired), is_applied)


def dead_from(key: SigningKey) -> datetime | None:
    """Tell from when on no code of a verify-only key is alive; None for others."""
    if key.verify_only_at is None:
        return None
    return key.verify_only_at + LAST_CODE_DEAD


def stale_secrets(ring: KeyRing, now: datetime) -> tuple[int, ...]:
    """Return the secrets that nothing alive was sealed with, by id.

    Such as stopped to seal longer ago than ``SECRET_KEPT``, or were passed over and
    never sealed.
    """
    stale = []
    sealed_after: datetime | None = None
    for secret in reversed(ring.link_secrets):
        never = secret.activated_at is None
        if sealed_after and (never or now - sealed_after >= SECRET_KEPT):
            stale.append(secret.secret_id)
        sealed_after = secret.activated_at or sealed_after
    return tuple(reversed(stale))


def with_new_key(
    room: KeyRoom, ring: KeyRing, *, in_token: bool, is_applied: bool
) -> KeyRing:
    """Return the ring with one more pending key, made in the token if so asked.

    Raises:
        CeremonyRefused: no token is set up.
        SignerDown: the token gives no answer.
    """
    now, holder = room.tools.now(), room.tools.holder
    if not in_token:
        return ring.with_new_key(now)
    if holder is None:
        raise CeremonyRefused("no token is set up, so no key can be made in one")
    if not is_applied:
        return ring.with_new_key(now, holder="token")
    signer, address = holder.make(ring.next_key_id)
    return ring.with_new_key(now, signer, address)


def forget(room: KeyRoom, key: SigningKey) -> None:
    """Destroy a key in the token that came into no ring, if the token lets us."""
    holder = room.tools.holder
    if key.holder == IN_FILE or holder is None:
        return
    try:
        is_in_ring = room.ring(asks_token=False).find(key.key_id) is not None
        if not is_in_ring:
            holder.destroy(key.holder)
    except KeyRingError:
        # It signs nothing that anybody takes: no ring has its public part.
        return


def line_of_new_key(ring: KeyRing, **detail: Any) -> Line:
    """Return the audit line of a ring's newest key; the public part is its name."""
    key = ring.keys[-1]
    told = {"public": key.public_bytes.hex(), "holder": key.holder, **detail}
    return ("key.created", key.key_id, told)


def _check_dead(room: KeyRoom, key: SigningKey, now: datetime) -> Outstanding | None:
    """Refuse if codes of the key may be alive; return how many are said to be.

    The time must have passed, whatever the nonce store says: so whoever writes there
    can hold up a retirement and never hasten one.
    """
    alive = None
    dead = dead_from(key)
    has_time_passed = dead is None or now >= dead
    try:
        if room.is_served:
            alive = room.tools.nonces.outstanding(key.key_id, now)
    except StoreDown:
        if has_time_passed:
            raise
    if alive and alive.last_ends_at:
        last = alive.last_ends_at
        after = dead if dead and dead > last else last
        raise CeremonyRefused(_alive(key, alive.count, last, after, now))
    if not has_time_passed:
        raise CeremonyRefused(
            f"codes of key {key.key_id} may be alive until "
            f"{dead:%Y-%m-%d %H:%M:%S} UTC; retire it after that"
        )
    return alive


def _alive(
    key: SigningKey, count: int, last: datetime, after: datetime, now: datetime
) -> str:
    """Say how many codes are alive, and when the key can be retired."""

    def told(moment: datetime) -> str:
        day = "" if moment.date() == now.date() else f"{moment:%Y-%m-%d} "
        return f"{day}{moment:%H:%M:%S} UTC"

    codes = "1 code" if count == 1 else f"{count} codes"
    return (
        f"{codes} of key {key.key_id} may still be used, the last until {told(last)}; "
        f"retire it after {'that' if after == last else told(after)}"
    )


def _put_away(
    room: KeyRoom,
    ring: KeyRing,
    changed: KeyRing,
    retired: tuple[int, ...],
    is_applied: bool,
    *,
    outstanding: Outstanding | None = None,
) -> Done:
    """Write a ring with retired keys, without the secrets that are stale."""
    stale = stale_secrets(ring, room.tools.now())
    for secret_id in stale:
        changed = changed.without_secret(secret_id)
    dropped = {"dropped": list(stale)} if stale else {}
    lines: list[Line] = [("key.retired", key_id, dropped) for key_id in retired]
    if not retired:
        active = newest(ring, KeyState.ACTIVE)
        lines.append(("key.secrets_dropped", active, dropped))
    left = write(room, changed, lines) if is_applied else ()
    return Done(
        retired[0] if retired else 0,
        is_applied,
        changed,
        newest(ring, KeyState.ACTIVE),
        dropped=stale,
        retired=retired,
        outstanding=outstanding,
        left_in_token=left,
    )

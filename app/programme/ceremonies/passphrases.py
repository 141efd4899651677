"""Another passphrase for the ring: changed in good time, or made anew after a loss.

A change keeps every key (``reseal``). While it lasts the passphrase file has two lines,
of which the first seals and both open; so it can be cut short anywhere, and is taken up
again. After a loss (``renew``) nobody can open the private parts any more, so none of
them is left in charge: the public parts stay, for old books, if the audit log vouches
for them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from app.programme import audit
from app.programme.ceremonies import log
from app.programme.ceremonies.copies import logged, make_directory
from app.programme.ceremonies.room import (
    CeremonyRefused,
    KeyRoom,
    await_all,
    is_in_token,
    names_of,
)
from app.tools import Tools
from signing import keyfiles
from signing.errors import RingUnreadable, SignerDown
from signing.keyfiles import RING_FILE, Passphrase, UntrustedRing
from signing.keyfiles.files import sync, write, writing
from signing.keyring import KeyRing
from signing.signers import IN_FILE

#: A worker looks every two seconds and reports every two: what it said before that
#: says nothing of the new seals.
HEARD_AFTER: Final = timedelta(seconds=5)
_STAGE = "renewed.new"


@dataclass(frozen=True, slots=True)
class Resealed:
    """What came of another passphrase; nothing secret."""

    is_applied: bool
    ring: KeyRing
    #: Whether an earlier change was taken up.
    is_taken_up: bool
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Renewed:
    """What came of beginning anew; nothing secret."""

    is_applied: bool
    ring: KeyRing
    #: The new key.
    key_id: int
    revoked: tuple[int, ...]
    #: Whether the audit log knows the public parts; None if it never heard of a ring.
    is_proven: bool | None
    has_books: bool
    #: Where the old directory is kept.
    kept_as: Path | None = None
    left_in_token: tuple[int, ...] = ()


def reseal(
    room: KeyRoom, *, is_applied: bool, wait: Callable[[float], None]
) -> Resealed:
    """Give the ring a new passphrase, with no restart and the same keys.

    The file gets the new line above the old one; everything is sealed with the new
    one; when every live worker opens it, the old line goes.

    Args:
        room: where; its passphrase has two words if an earlier change was cut short.
        is_applied: whether to do it.
        wait: told the seconds to wait, again and again.

    Raises:
        CeremonyRefused: a worker cannot open the ring. Both lines stay in the file.
        StoreDown: a store gave no answer; the same.
        KeyRingError: the ring cannot be opened, or something not be written.
    """
    ring = room.ring(asks_token=False)
    path = room.tools.settings.keys_passphrase_file
    words = room.passphrase
    is_taken_up = len(words.words) > 1
    if not is_applied:
        return Resealed(False, ring, is_taken_up)
    if not is_taken_up:
        fresh = keyfiles.new_passphrase().encode()
        words = Passphrase((fresh, *words.words))
        write_passphrase(path, words)
    keyfiles.reseal(room.directory, words)
    behind = _await_opening(room, wait)
    if behind is not None:
        raise CeremonyRefused(
            f"everything has the new seal, but not every web worker opens it: {behind}."
            f" Both passphrases stay in {path}: bring that file to where these workers "
            "run, then start scripts/keys.py reseal --apply again"
        )
    with room.tools.database.begin() as tx:
        detail = {"ring": ring.digest}
        audit.record(tx, room.tools, "key.resealed", "ring", by=None, **detail)
        tx.flush()
        write_passphrase(path, words.newest)
    return Resealed(True, ring, is_taken_up, workers=len(room.live()))


def renew(
    tools: Tools, *, reason: str, takes_unproven: bool, is_applied: bool
) -> Renewed:
    """Begin anew after the passphrase was lost: every key is revoked, one is made.

    What was issued on paper stays good: the keys were lost, not stolen. The old
    directory and passphrase file are kept beside, should the passphrase be found.

    Args:
        tools: settings name the directory and the passphrase file. The books may be
            missing.
        reason: for the audit log.
        takes_unproven: take the public parts though the audit log has others.
        is_applied: whether to do it.

    Raises:
        CeremonyRefused: the ring opens, so nothing is lost; or its public parts are
            not those of the last ceremony.
        StoreDown: there are books and they give no answer; nothing was changed.
        KeyRingError: there is no ``ring.json``; or something cannot be written.
    """
    directory = tools.settings.keys
    _check_lost(tools)
    found = keyfiles.untrusted_ring(directory)
    has_books = log.has_books(tools.database)
    is_proven = _is_proven(tools, found) if has_books else None
    if is_proven is False and not takes_unproven:
        raise CeremonyRefused(
            f"{directory / RING_FILE} is not the ring of the last ceremony in the "
            "audit log: it may be an older copy, or changed by hand. Bring back the "
            "right one, or take its public keys all the same with --unproven"
        )
    now = tools.now()
    ring = _renewed(tools, found.ring, now, is_applied=is_applied)
    done = Renewed(
        is_applied,
        ring,
        ring.keys[-1].key_id,
        revoked=tuple(key.key_id for key in found.ring.keys if key.state.verifies),
        is_proven=is_proven,
        has_books=has_books,
    )
    return _begin_anew(tools, done, reason, now) if is_applied else done


def write_passphrase(path: Path, words: Passphrase) -> None:
    """Write a passphrase file whole or not at all.

    Raises:
        RingUnreadable: it cannot be written.
    """
    # A link is followed, so that the file behind it is the one that changes.
    real = path.resolve()
    try:
        write(real, b"".join(word + b"\n" for word in words.words))
        sync(real.parent)
    except OSError as error:
        raise RingUnreadable(f"cannot write {path}: {error.strerror}") from error


def _await_opening(room: KeyRoom, wait: Callable[[float], None]) -> str | None:
    """Wait until every live worker opens the ring; name those that do not."""
    if room.is_served and room.live():
        wait(HEARD_AFTER.total_seconds())
    behind = await_all(room, lambda worker: worker.problem is None, wait=wait)
    return names_of(behind) if behind else None


def _check_lost(tools: Tools) -> None:
    """Refuse where the passphrase opens the ring."""
    settings = tools.settings
    with suppress(RingUnreadable):
        words = keyfiles.read_passphrase(settings.keys_passphrase_file)
        keyfiles.load_files(settings.keys, words)
        raise CeremonyRefused(
            f"{settings.keys_passphrase_file} opens the ring, so nothing is lost; "
            "scripts/keys.py reseal gives it another passphrase"
        )


def _is_proven(tools: Tools, found: UntrustedRing) -> bool | None:
    known = log.lines(tools.database)
    return known[-1].ring == found.digest if known else None


def _renewed(tools: Tools, old: KeyRing, now: datetime, *, is_applied: bool) -> KeyRing:
    """Return the ring begun anew, its key where the old one was if that answers."""
    if is_applied and tools.holder is not None and is_in_token(old):
        with suppress(SignerDown):
            signer, address = tools.holder.make(old.next_key_id)
            return old.renewed(now, signer, address, since=now)
    return old.renewed(now, holder=IN_FILE, since=now)


def _begin_anew(tools: Tools, done: Renewed, reason: str, now: datetime) -> Renewed:
    """Write it: copies of the old first, ``ring.json`` last."""
    settings = tools.settings
    words = Passphrase((keyfiles.new_passphrase().encode(),))
    kept_as = _keep_beside(settings.keys, settings.keys_passphrase_file, now)
    detail = {
        "ring": done.ring.digest,
        "reason": reason,
        "keys": log.snapshot(done.ring),
        "revoked": list(done.revoked),
        "proven": done.is_proven,
        "kept_as": kept_as.name,
    }
    with logged(tools, done.has_books) as tx:
        if tx is not None:
            audit.record(tx, tools, "key.renewed", done.key_id, by=None, **detail)
            tx.flush()
        write_passphrase(settings.keys_passphrase_file, words)
        _replace_ring(settings.keys, done.ring, words)
        # Whoever changed ring.json may have named other keys of the token in it.
        holder = tools.holder if done.is_proven else None
        left = keyfiles.save(settings.keys, done.ring, words, holder=holder)
    return Renewed(
        True,
        done.ring,
        done.key_id,
        done.revoked,
        done.is_proven,
        done.has_books,
        kept_as,
        left,
    )


def _keep_beside(directory: Path, passphrase_file: Path, now: datetime) -> Path:
    """Copy the lost ring and its passphrase file, whole; return where the ring is."""
    name = f"lost-{now:%Y%m%dT%H%M%SZ}"
    kept = directory.with_name(f"{directory.name}.{name}")
    part = kept.with_name(f"{kept.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(directory, part)
        part.rename(kept)
        if passphrase_file.exists():
            old = passphrase_file.with_name(f"{passphrase_file.name}.{name}")
            shutil.copy2(passphrase_file, old)
        os.sync()
    except (OSError, shutil.Error) as error:
        raise RingUnreadable(f"cannot keep {directory} as {kept}: {error}") from error
    return kept


def _replace_ring(directory: Path, ring: KeyRing, words: Passphrase) -> None:
    """Put a new ring in the place of one that cannot be opened.

    All names but ``ring.json`` are new, since no id is given twice; that one is the
    last, so that the directory holds the one ring or the other at every moment.
    """
    stage = directory / _STAGE
    shutil.rmtree(stage, ignore_errors=True)
    make_directory(stage, directory)
    keyfiles.save(stage, ring, words)
    with writing(directory):
        names = {path.name for path in stage.glob("*.*")} - {RING_FILE, "ring.lock"}
        for name in (*sorted(names), RING_FILE):
            (stage / name).replace(directory / name)
            sync(directory)
        shutil.rmtree(stage)

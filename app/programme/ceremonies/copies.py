"""Copies of the whole ring: taken away, brought back.

A copy is one sealed file under a passphrase of its own. Brought back, it is compared
with two places: a ring that is there is never replaced by an older one or another's,
and where the books are at hand the audit log tells what the copy does not know. A copy
that is older than the log is taken only on demand. Then what the log calls dead is
revoked, and the ids that it knows are given to no new key.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from app.programme import audit
from app.programme.ceremonies import log
from app.programme.ceremonies.log import Ceremony
from app.programme.ceremonies.room import AlreadySo, CeremonyRefused, KeyRoom, newest
from app.store.database import Tx
from app.tools import Tools
from signing import keyfiles
from signing.errors import RingUnreadable
from signing.keyfiles import Passphrase
from signing.keyfiles.files import LOCK_FILE, sync, write
from signing.keyring import KeyRing, KeyState

#: May be in a directory in which no ring was made yet.
_EMPTY: Final = frozenset({LOCK_FILE, "lost+found"})
_PUBLIC: Final = "punchproof-public-keys/1"


@dataclass(frozen=True, slots=True)
class Copied:
    """What came of a copy taken or brought back; no key material."""

    is_applied: bool
    #: The ring that was copied, or that is there afterwards.
    ring: KeyRing
    #: False where there are no books yet: then the audit log has no line.
    has_books: bool = True
    #: Whether a passphrase file was made, or would be.
    is_passphrase_made: bool = False
    #: Of a copy that was taken although it is older: what it did not know.
    lacked: tuple[Ceremony, ...] = ()
    #: Keys that were revoked for what the log says of them.
    revoked: tuple[int, ...] = ()
    #: Ids which the log knows and the ring does not; no key will ever have them.
    passed_over: tuple[int, ...] = ()
    #: The key that was made, where the one that signed is dead by the log.
    key_id: int | None = None


def export(
    room: KeyRoom, file: Path, *, passphrase_file: Path, is_applied: bool
) -> Copied:
    """Write the ring into one sealed file.

    Args:
        room: where.
        file: never overwritten.
        passphrase_file: of the copy; made with mode 0600 if missing. Not the ring's.
        is_applied: whether to do it.

    Raises:
        AlreadySo: the file is a copy of this very ring.
        CeremonyRefused: the file is something else; or the passphrase is the ring's.
        StoreDown: the books gave no answer; no copy was made.
        KeyRingError: the ring or the passphrase cannot be read, or nothing written.
    """
    ring = room.ring(asks_token=False)
    is_new = not passphrase_file.exists()
    words = None if is_new else keyfiles.read_passphrase(passphrase_file)
    if words and set(words.words) & set(room.passphrase.words):
        raise CeremonyRefused(
            f"{passphrase_file} holds the passphrase of the ring itself; a copy needs "
            "one of its own, so that the server's does not open it"
        )
    if file.exists():
        _refuse_there(file, words, ring)
    if file.resolve() == passphrase_file.resolve():
        raise CeremonyRefused("the copy and its passphrase cannot be one file")
    if is_applied:
        words = words or made_passphrase(passphrase_file)
        data = keyfiles.pack(room.directory, room.passphrase, sealed_with=words)
        # What is in the file counts, if somebody changed the ring meanwhile.
        ring = keyfiles.unpack(data, words)
        with _file_of(file), room.tools.database.begin() as tx:
            detail = {"ring": ring.digest, "file": file.name}
            audit.record(tx, room.tools, "key.exported", "ring", by=None, **detail)
            tx.flush()
            write_new(file, data)
    return Copied(is_applied, ring, is_passphrase_made=is_new)


def export_public(directory: Path, file: Path, *, is_applied: bool) -> Copied:
    """Write every public key that ever was into a file, as JSON; for auditors.

    Needs no passphrase, so nobody looked at the ring's seal: its digest is in the file,
    to be compared with the last ceremony in the audit log.

    Raises:
        AlreadySo: the file says just that.
        CeremonyRefused: the file says something else.
        RingUnreadable: there is no ring; or nothing can be written.
    """
    found = keyfiles.untrusted_ring(directory)
    keys = found.ring.public_state()["keys"]
    told = {"format": _PUBLIC, "ring": found.digest, "keys": keys}
    data = (json.dumps(told, indent=1) + "\n").encode()
    if file.exists():
        if _content(file) == data:
            raise AlreadySo(f"{file} has these public keys already")
        raise CeremonyRefused(f"{file} is there already, with something else in it")
    if is_applied:
        write_new(file, data)
    return Copied(is_applied, found.ring)


def bring_back(
    tools: Tools,
    file: Path,
    *,
    passphrase_file: Path,
    takes_older: bool,
    is_applied: bool,
) -> Copied:
    """Put a copy into an empty keys directory, or onto an older ring of its line.

    Cut short, it can be done again: the ring is there whole or not at all.

    Args:
        tools: settings name the directory, and the passphrase file, which is made if
            missing. The books may be missing, too.
        file: a copy, as ``export`` made it.
        passphrase_file: of the copy.
        takes_older: take it even if the audit log knows more.
        is_applied: whether to do it.

    Raises:
        AlreadySo: the ring there is the one of the copy.
        CeremonyRefused: the copy is older than what is there, or another ring's.
        StoreDown: there are books and they give no answer; nothing was changed.
        KeyRingError: the copy, or what is there, cannot be opened; or nothing written.
    """
    settings = tools.settings
    directory = settings.keys
    copy = keyfiles.unpack(_content(file), keyfiles.read_passphrase(passphrase_file))
    is_new = not settings.keys_passphrase_file.exists()
    here = ring_there(tools)
    if here is not None:
        _check_goes_on(here, copy, directory)
    has_books = log.has_books(tools.database)
    known = log.lines(tools.database) if has_books else ()
    lacks = log.lacking(known, copy)
    _check_log(known, copy, lacks, takes_older=takes_older)
    changed = _caught_up(copy, known, tools.now()) if lacks else copy
    done = _compared(copy, changed, known, lacks)
    done = replace(
        done,
        is_applied=is_applied,
        has_books=has_books,
        is_passphrase_made=is_new and here is None,
    )
    if is_applied:
        with logged(tools, has_books) as tx:
            if tx is not None:
                _record_import(tx, tools, file, done)
            put(tools, changed, is_there=here is not None)
    return done


def made_passphrase(path: Path) -> Passphrase:
    """Make a passphrase and its file.

    Raises:
        RingUnreadable: it cannot be written.
    """
    write_new(path, keyfiles.new_passphrase().encode() + b"\n")
    return keyfiles.read_passphrase(path)


def write_new(path: Path, data: bytes) -> None:
    """Write a file of mode 0600, whole or not at all, where there is none.

    Raises:
        CeremonyRefused: there is one.
        RingUnreadable: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part, data)
        try:
            # Unlike a rename, a link never takes the place of another file.
            os.link(part, path)
            part.unlink()
        except FileExistsError:
            part.unlink()
            raise CeremonyRefused(f"{path} is there already") from None
        except OSError:
            # A stick may know no links.
            part.rename(path)
        sync(path.parent)
    except OSError as error:
        raise RingUnreadable(f"cannot write {path}: {error.strerror}") from error


def make_directory(fresh: Path, beside: Path) -> None:
    """Make a directory for a ring, which belongs to whoever has the one beside.

    Raises:
        RingUnreadable: it cannot be made.
    """
    try:
        fresh.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0 and beside.exists():
            # The service is to read what root makes for it.
            owner = beside.stat()
            os.chown(fresh, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise RingUnreadable(f"cannot make {fresh}: {error.strerror}") from error


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RingUnreadable(f"cannot read {file}: {error.strerror}") from error


@contextlib.contextmanager
def _file_of(file: Path) -> Iterator[None]:
    """Take a new file away again if the books did not take its line."""
    try:
        yield
    except CeremonyRefused:
        raise
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _refuse_there(file: Path, words: Passphrase | None, ring: KeyRing) -> None:
    """Say what a file is that is there already."""
    if words is not None:
        with contextlib.suppress(RingUnreadable):
            if keyfiles.unpack(_content(file), words).digest == ring.digest:
                raise AlreadySo(f"{file} is a copy of this ring already")
    raise CeremonyRefused(
        f"{file} is there already and is no copy of this ring; name another file"
    )


def ring_there(tools: Tools) -> KeyRing | None:
    """Return the ring in the directory; None if it is missing or empty."""
    directory = tools.settings.keys
    if not directory.exists() or not set(os.listdir(directory)) - _EMPTY:  # noqa: PTH208
        return None
    try:
        words = keyfiles.read_passphrase(tools.settings.keys_passphrase_file)
        return keyfiles.load_files(directory, words)
    except RingUnreadable as error:
        raise RingUnreadable(
            f"{error}. What is there cannot be opened, so that nobody knows whether "
            f"the copy is newer: move {directory} away first, then import again"
        ) from error


def _check_goes_on(here: KeyRing, copy: KeyRing, directory: Path) -> None:
    """Refuse a copy that does not go on from the ring that is there."""
    if here.digest == copy.digest:
        raise AlreadySo(f"the ring in {directory} is the one of the copy")
    if not covers(copy, here):
        what = "older than" if covers(here, copy) else "not of the same line as"
        raise CeremonyRefused(
            f"the copy is {what} the ring in {directory}, which was left as it is"
        )


def covers(one: KeyRing, other: KeyRing) -> bool:
    """Tell whether one ring has every key of the other, as far in its life."""
    for old in other.keys:
        key = one.find(old.key_id)
        if key is None or key.public != old.public or key.state.rank < old.state.rank:
            return False
    last, old_last = one.link_secrets[-1:], other.link_secrets[-1:]
    return not old_last or (bool(last) and last[0].secret_id >= old_last[0].secret_id)


def _check_log(
    known: Sequence[Ceremony],
    copy: KeyRing,
    lacks: Sequence[Ceremony],
    *,
    takes_older: bool,
) -> None:
    """Refuse a copy of another installation, or one that is older than the books."""
    others = log.strangers(known, copy)
    if others:
        raise CeremonyRefused(
            f"key {others[0]} of the copy is not the key {others[0]} of the audit "
            "log: the copy is another installation's"
        )
    if lacks and not takes_older:
        raise CeremonyRefused(
            "the copy is older than the books: it lacks "
            f"{', '.join(line.told for line in lacks)}. With --older it is taken all "
            "the same, and what the audit log calls dead is revoked"
        )


def _caught_up(ring: KeyRing, known: Sequence[Ceremony], now: datetime) -> KeyRing:
    """Return an older ring without what the log knows to be dead."""
    told = log.reached(known)
    changed = ring.passed_over(max(told)) if told else ring
    for key in ring.keys:
        state = told.get(key.key_id)
        if state is KeyState.RETIRED and key.state is KeyState.VERIFY_ONLY:
            changed = changed.retired(key.key_id, now)
        elif state in {KeyState.RETIRED, KeyState.REVOKED} and key.state.verifies:
            since = _revoked_since(known, key.key_id)
            changed = changed.revoked(key.key_id, now, since=since)
    is_stolen = any(
        key.state is KeyState.REVOKED and ring.key(key.key_id).state.verifies
        for key in changed.keys
    )
    if is_stolen:
        changed = _with_other_secret(changed, known, now)
    if newest(changed, KeyState.ACTIVE) is None:
        changed = changed.with_new_key(now)
        changed = changed.activated(changed.keys[-1].key_id, now)
    return changed


def _with_other_secret(
    ring: KeyRing, known: Sequence[Ceremony], now: datetime
) -> KeyRing:
    """Drop the secrets that whoever stole a key had too."""
    given = [int(line.detail.get("secret") or 0) for line in known]
    old = [secret.secret_id for secret in ring.link_secrets]
    ring = replace(ring, last_secret_id=max([0, *given])).with_new_secret(now)
    ring = ring.secret_activated(ring.link_secrets[-1].secret_id, now)
    for secret_id in old:
        ring = ring.without_secret(secret_id)
    return ring


def _revoked_since(known: Sequence[Ceremony], key_id: int) -> datetime | None:
    """Return what stays good on paper of a key, as its revocation said."""
    for line in known:
        if line.tells("key.revoked", key_id) and not line.detail.get("hard"):
            return datetime.fromisoformat(str(line.detail["since"]))
        if line.action == "key.renewed" and key_id in line.detail.get("revoked", ()):
            return line.at
    return None


def _compared(
    copy: KeyRing,
    changed: KeyRing,
    known: Sequence[Ceremony],
    lacks: tuple[Ceremony, ...],
) -> Copied:
    """Say what differs between a copy and the ring that is made of it."""
    fresh = [key.key_id for key in changed.keys if copy.find(key.key_id) is None]
    return Copied(
        False,
        changed,
        lacked=lacks,
        revoked=tuple(
            key.key_id
            for key in copy.keys
            if changed.key(key.key_id).state is KeyState.REVOKED is not key.state
        ),
        passed_over=tuple(
            sorted(set(log.reached(known)) - {key.key_id for key in copy.keys})
        )
        if lacks
        else (),
        key_id=fresh[0] if fresh else None,
    )


@contextlib.contextmanager
def logged(tools: Tools, has_books: bool) -> Iterator[Tx | None]:
    """Open a transaction where there are books."""
    if not has_books:
        yield None
        return
    with tools.database.begin() as tx:
        yield tx


def _record_import(tx: Tx, tools: Tools, file: Path, done: Copied) -> None:
    detail = {
        "ring": done.ring.digest,
        "file": file.name,
        "keys": log.snapshot(done.ring),
        "older": bool(done.lacked),
        "revoked": list(done.revoked),
        "passed_over": list(done.passed_over),
    }
    audit.record(tx, tools, "key.imported", "ring", by=None, **detail)
    tx.flush()


def put(tools: Tools, ring: KeyRing, *, is_there: bool) -> None:
    """Write the ring in its directory, where an older one is or nothing."""
    settings = tools.settings
    directory = settings.keys
    if settings.keys_passphrase_file.exists():
        words = keyfiles.read_passphrase(settings.keys_passphrase_file)
    else:
        place = settings.keys_passphrase_file.parent
        if not place.exists():
            # The data directory of a machine on which there is nothing yet.
            make_directory(place, place.parent)
        words = made_passphrase(settings.keys_passphrase_file)
    if is_there:
        keyfiles.save(directory, ring, words, holder=tools.holder)
        return
    fresh = directory.with_name(f"{directory.name}.new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        make_directory(fresh, directory if directory.exists() else directory.parent)
        keyfiles.save(fresh, ring, words)
        (directory / LOCK_FILE).unlink(missing_ok=True)
        try:
            fresh.rename(directory)
        except OSError:
            # A directory that something is mounted on stays where it is.
            keyfiles.save(directory, ring, words)
            shutil.rmtree(fresh)
        sync(directory.parent)
    except OSError as error:
        raise RingUnreadable(f"cannot write {directory}: {error.strerror}") from error

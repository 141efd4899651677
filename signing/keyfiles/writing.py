"""A ring made and written in its directory, under the lock, ``ring.json`` last."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signing.errors import KeyGuard, KeyRingError, RingUnreadable
from signing.keyfiles.book import (
    KEY_FILE,
    RING_FILE,
    SECRET_FILE,
    SecretEntry,
    document_of,
    key_name,
    read_book,
    sealed_text,
    secret_name,
)
from signing.keyfiles.files import LOCK_FILE, numbered, read, sync, write, writing
from signing.keyfiles.passphrase import Passphrase, check_passphrase
from signing.keyfiles.reading import load, read_secret
from signing.keyfiles.seals import open_key, seal_key, seal_secret
from signing.keyring import KeyRing, LinkSecret, SigningKey
from signing.signers import IN_FILE, Holder


def create(
    directory: Path,
    passphrase: Passphrase,
    *,
    now: datetime,
    holder: Holder | None = None,
) -> KeyRing:
    """Make a ring of one active key and one secret in a new or empty directory.

    Args:
        directory: made with mode 0700 if missing.
        passphrase: from ``read_passphrase``; its first word seals.
        now: aware.
        holder: makes and keeps the private key; None for a sealed file.

    Raises:
        KeyGuard: the directory is not empty, or the passphrase is short.
        RingUnreadable: the directory cannot be written.
        SignerDown: the holder gives no answer.
    """
    check_passphrase(passphrase)
    with writing(directory):
        if any(entry.name != LOCK_FILE for entry in directory.iterdir()):
            raise KeyGuard(
                f"{directory} is not empty: a ring is only made in an empty directory"
            )
        signer, address = holder.make(1) if holder else (None, IN_FILE)
        _write_ring(directory, KeyRing.new(now, signer, address), passphrase, set())
    return load(directory, passphrase, holder=holder)


def save(
    directory: Path,
    ring: KeyRing,
    passphrase: Passphrase,
    *,
    holder: Holder | None = None,
) -> tuple[int, ...]:
    """Write a ring that was loaded from here and taken some steps further.

    Key files of keys that are retired or revoked are removed once ``ring.json`` says
    so, and private parts in a token destroyed. A token that is away stops nothing:
    each save asks it again to destroy every key that is dead, until it does.

    Args:
        directory: where the ring is, or a new or empty one: then all is written, so
            that a ring can be moved, brought back or sealed with another passphrase.
        ring: what ``ring.json`` will say.
        passphrase: of the directory; its first word seals what is new.
        holder: keeps private keys outside the directory. Without one, nothing is
            destroyed there.

    Returns:
        Ids of dead keys that the holder could not destroy now; empty if all is well.

    Raises:
        KeyGuard: the ring on disk has gone on since this one was read; or a key file
            would be overwritten with another key. Nothing that counts was changed.
        RingUnreadable: what is there cannot be read, or nothing can be written.
    """
    check_passphrase(passphrase)
    with writing(directory):
        path = directory / RING_FILE
        named: set[int] = set()
        if path.exists():
            book = read_book(str(path), read(path), passphrase)
            book.check_goes_on(ring)
            named.update(key.key_id for key in book.keys)
        elif numbered(directory, KEY_FILE) or numbered(directory, SECRET_FILE):
            raise RingUnreadable(
                f"{directory} has key files but no {RING_FILE}: bring it back first"
            )
        _write_ring(directory, ring, passphrase, named)
        return _destroy_dead(ring, holder)


def _write_ring(
    directory: Path, ring: KeyRing, passphrase: Passphrase, named: set[int]
) -> None:
    """Write what is missing, then ``ring.json``; then remove what is dead.

    ``named`` are the ids of the keys in the ``ring.json`` that is there.
    """
    remove_leftovers(directory)
    for key in ring.keys:
        if key.state.verifies and key.holder == IN_FILE:
            _keep_key(directory, key, passphrase, is_named=key.key_id in named)
    for secret in ring.link_secrets:
        _keep_secret(directory, secret, passphrase)
    sync(directory)

    write(directory / RING_FILE, sealed_text(document_of(ring), passphrase))
    sync(directory)

    # Only now: until ring.json said so, those files were still needed.
    dead = {key_name(key.key_id) for key in ring.keys if not key.state.verifies}
    live = {secret_name(secret.secret_id) for secret in ring.link_secrets}
    remove_dead(directory, dead, live)


def remove_leftovers(directory: Path) -> None:
    """Remove what writers that died left half written."""
    for leftover in directory.glob(".*.tmp"):
        leftover.unlink()


def remove_dead(directory: Path, dead_keys: set[str], live_secrets: set[str]) -> None:
    """Remove the files of dead keys, and of secrets that the ring does not have."""
    on_disk = numbered(directory, SECRET_FILE).values()
    for name in dead_keys | {name for name in on_disk if name not in live_secrets}:
        (directory / name).unlink(missing_ok=True)
    sync(directory)


def _destroy_dead(ring: KeyRing, holder: Holder | None) -> tuple[int, ...]:
    """Destroy dead keys in the token; return those that are still there."""
    left = []
    for key in ring.keys:
        if holder is None or key.state.verifies or key.holder == IN_FILE:
            continue
        try:
            holder.destroy(key.holder)
        except KeyRingError:
            left.append(key.key_id)
    return tuple(left)


def _keep_key(
    directory: Path, key: SigningKey, passphrase: Passphrase, *, is_named: bool
) -> None:
    """Write a key's file, or see that it is there.

    A file that does not open is written over only if ``ring.json`` named this very key
    before: then this ring holds all that the file ever did.
    """
    path = directory / key_name(key.key_id)
    is_here = isinstance(key.signer, Ed25519PrivateKey)
    if path.exists():
        try:
            found = open_key(str(path), read(path), passphrase)
        except RingUnreadable:
            if not (is_named and is_here):
                raise
        else:
            if found.public_key() != key.public:
                raise KeyGuard(f"{path} holds another key, which is never overwritten")
            return
    if not isinstance(key.signer, Ed25519PrivateKey):
        raise KeyGuard(f"the private part of key {key.key_id} is not here")
    write(path, seal_key(key.signer, passphrase))


def _keep_secret(directory: Path, secret: LinkSecret, passphrase: Passphrase) -> None:
    """Write a secret's file, or see that it is there.

    A damaged file, or one that no ``ring.json`` ever named, is written over: this ring
    holds the value, and ``Book.check_goes_on`` has seen that it is the right one.
    """
    entry = SecretEntry(
        secret.secret_id, secret.created_at, secret.activated_at, secret.check
    )
    name = secret_name(secret.secret_id)
    if (directory / name).exists():
        try:
            read_secret(directory, entry, passphrase)
        except RingUnreadable:
            pass
        else:
            return
    write(directory / name, seal_secret(name, secret.value, passphrase))

"""A ring read from its directory, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signing.errors import RingUnreadable
from signing.keyfiles.book import (
    KEY_FILE,
    RING_FILE,
    SECRET_FILE,
    Book,
    SecretEntry,
    key_name,
    read_book,
    secret_name,
)
from signing.keyfiles.files import check_directory, numbered, read
from signing.keyfiles.passphrase import Passphrase
from signing.keyfiles.seals import open_key, open_secret
from signing.keyring import KeyRing, KeyState, LinkSecret, SigningKey
from signing.signers import IN_FILE, Holder, Signer

# A writer may replace ring.json between our reading it and the key files.
_READS = 5
# A key that only verifies is never asked to sign again, so its token may be away.
_SIGNING = frozenset({KeyState.PENDING, KeyState.ACTIVE})


def load(
    directory: Path, passphrase: Passphrase, *, holder: Holder | None = None
) -> KeyRing:
    """Read the ring, with private parts and secrets.

    Args:
        directory: where the ring is.
        passphrase: every word of it opens.
        holder: opens the pending and the active key if they are kept outside the
            directory; a key that only verifies is not asked for.

    Raises:
        RingUnreadable: something is missing, torn, readable by others, not sealed, or
            sealed with another passphrase; or a key is in a token and there is no
            ``holder``. The message says which file or key.
        SignerDown: the holder gives no answer.
    """
    return _read_ring(directory, passphrase, lambda key: _held(key, holder))


def load_files(directory: Path, passphrase: Passphrase) -> KeyRing:
    """Read the ring as ``load``, but ask no token: its keys have no signer.

    For what does not sign: packing, comparing, going on.

    Raises:
        RingUnreadable: as for ``load``.
    """
    return _read_ring(directory, passphrase, lambda _: None)


def _read_ring(
    directory: Path,
    passphrase: Passphrase,
    held: Callable[[SigningKey], Signer | None],
) -> KeyRing:
    """Read one ring, whole, whatever is written meanwhile.

    Each file is checked against one ``ring.json``.
    """
    check_directory(directory)
    for _ in range(_READS):
        data = read(directory / RING_FILE)
        try:
            return _open_ring(directory, data, passphrase, held)
        except RingUnreadable:
            if read(directory / RING_FILE) == data:
                raise
    raise RingUnreadable(f"{directory / RING_FILE} changes faster than it can be read")


def content_digest(directory: Path) -> str:
    """Return a hash over the ring's listing and contents.

    Raises:
        RingUnreadable: a file cannot be read or is open to others.
    """
    check_directory(directory)
    contents = {RING_FILE: read(directory / RING_FILE)}
    for pattern in (KEY_FILE, SECRET_FILE):
        for name in numbered(directory, pattern).values():
            try:
                contents[name] = read(directory / name)
            except RingUnreadable:
                if (directory / name).exists():
                    raise
                # A writer took it away after we saw it: no part of the ring any more.
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(f"{name} {hashlib.sha256(contents[name]).hexdigest()}\n".encode())
    return digest.hexdigest()


def last_key_id(directory: Path, book: Book) -> int:
    """Return the highest key id ever given, in the book or to a file."""
    return max([book.last_key_id, *numbered(directory, KEY_FILE)])


def _open_ring(
    directory: Path,
    data: bytes,
    passphrase: Passphrase,
    held: Callable[[SigningKey], Signer | None],
) -> KeyRing:
    book = read_book(str(directory / RING_FILE), data, passphrase)

    def signer(key: SigningKey) -> Signer | None:
        if not key.state.verifies:
            return None
        if key.holder != IN_FILE:
            return held(key)
        return _read_key(directory, key, passphrase)

    return KeyRing(
        keys=tuple(replace(key, signer=signer(key)) for key in book.keys),
        link_secrets=tuple(read_secret(directory, s, passphrase) for s in book.secrets),
        last_key_id=last_key_id(directory, book),
    )


def _held(key: SigningKey, holder: Holder | None) -> Signer | None:
    """Open a key that is kept outside the directory."""
    if key.state not in _SIGNING:
        return None
    if holder is None:
        raise RingUnreadable(
            f"key {key.key_id} is in a token ({key.holder}), and no token is set up "
            "here: set it up as on the machine where the key was made"
        )
    signer = holder.open(key.holder)
    if signer.public_key() != key.public:
        raise RingUnreadable(
            f"the token has another key at {key.holder} than {RING_FILE} names for "
            f"key {key.key_id}"
        )
    return signer


def _read_key(
    directory: Path, key: SigningKey, passphrase: Passphrase
) -> Ed25519PrivateKey:
    path = directory / key_name(key.key_id)
    private = open_key(str(path), read(path), passphrase)
    if private.public_key() != key.public:
        raise RingUnreadable(f"{path} is not the key that {RING_FILE} names")
    return private


def read_secret(
    directory: Path, entry: SecretEntry, passphrase: Passphrase
) -> LinkSecret:
    """Read the secret that the book names.

    Raises:
        RingUnreadable: its file is missing, torn, sealed otherwise, or another's.
    """
    path = directory / secret_name(entry.secret_id)
    value = open_secret(str(path), path.name, read(path), passphrase)
    return entry.secret(str(path), value)

"""A ring and its directory: made, read, written."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from signing.errors import KeyGuard, RingUnreadable
from signing.keyfiles.files import (
    LOCK_FILE,
    check_directory,
    numbered,
    read,
    sync,
    write,
    writing,
)
from signing.keyfiles.seals import (
    check_passphrase,
    open_key,
    open_secret,
    seal_document,
    seal_key,
    seal_secret,
)
from signing.keyring import KeyRing, KeyState, LinkSecret, SigningKey

RING_FILE = "ring.json"

_FORMAT = "punchproof-ring/1"
_KEY_FILE = re.compile(r"key-([0-9]{5})\.pem")
_SECRET_FILE = re.compile(r"secret-([0-9]{5})\.sealed")
# A writer may replace ring.json between our reading it and the key files.
_READS = 5


@dataclass(frozen=True)
class _SecretEntry:
    """What ``ring.json`` says of a secret."""

    secret_id: int
    created_at: datetime
    check: str


@dataclass(frozen=True)
class _Book:
    """What ``ring.json`` says: keys without private parts."""

    keys: tuple[SigningKey, ...]
    secrets: tuple[_SecretEntry, ...]
    last_key_id: int


def create(directory: Path, passphrase: bytes, *, now: datetime) -> KeyRing:
    """Make a ring of one active key and one secret in a new or empty directory.

    Args:
        directory: made with mode 0700 if missing.
        passphrase: 32 bytes or more, from ``read_passphrase``.
        now: aware.

    Raises:
        KeyGuard: the directory is not empty, or the passphrase is short.
        RingUnreadable: the directory cannot be written.
    """
    check_passphrase(passphrase)
    with writing(directory):
        if any(entry.name != LOCK_FILE for entry in directory.iterdir()):
            raise KeyGuard(
                f"{directory} is not empty: a ring is only made in an empty directory"
            )
        ring = KeyRing.new(now)
        _write_ring(directory, ring, passphrase)
    return load(directory, passphrase)


def load(directory: Path, passphrase: bytes) -> KeyRing:
    """Read the ring, with private parts and secrets.

    Raises:
        RingUnreadable: something is missing, torn, readable by others, not sealed, or
            sealed with another passphrase. The message says which file.
    """
    check_directory(directory)
    for _ in range(_READS):
        data = read(directory / RING_FILE)
        try:
            return _open_ring(directory, data, passphrase)
        except RingUnreadable:
            if read(directory / RING_FILE) == data:
                raise
    raise RingUnreadable(f"{directory / RING_FILE} changes faster than it can be read")


def save(directory: Path, ring: KeyRing, passphrase: bytes) -> None:
    """Write a ring that was loaded from here and taken some steps further.

    Args:
        directory: where the ring is, or a new or empty one: then all is written, so
            that a ring can be moved or sealed with another passphrase.
        ring: what ``ring.json`` will say.
        passphrase: the one that the directory is sealed with.

    Raises:
        KeyGuard: the ring on disk has gone on since this one was read; or a key file
            would be overwritten with another key. Nothing that counts was changed.
        RingUnreadable: what is there cannot be read, or nothing can be written.
    """
    check_passphrase(passphrase)
    with writing(directory):
        if (directory / RING_FILE).exists():
            book = _parse(directory, read(directory / RING_FILE), passphrase)
            _check_goes_on(book, ring)
        elif numbered(directory, _KEY_FILE) or numbered(directory, _SECRET_FILE):
            raise RingUnreadable(
                f"{directory} has key files but no {RING_FILE}: bring it back first"
            )
        _write_ring(directory, ring, passphrase)


def content_digest(directory: Path) -> str:
    """Return a hash over the ring's listing and contents.

    Raises:
        RingUnreadable: a file cannot be read or is open to others.
    """
    check_directory(directory)
    contents = {RING_FILE: read(directory / RING_FILE)}
    for pattern in (_KEY_FILE, _SECRET_FILE):
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


def _open_ring(directory: Path, data: bytes, passphrase: bytes) -> KeyRing:
    book = _parse(directory, data, passphrase)
    keys = tuple(
        replace(key, private=_read_key(directory, key, passphrase))
        if key.state.verifies
        else key
        for key in book.keys
    )
    secrets = tuple(_read_secret(directory, s, passphrase) for s in book.secrets)
    orphans = numbered(directory, _KEY_FILE)
    last_key_id = max([book.last_key_id, *orphans])
    return KeyRing(keys=keys, link_secrets=secrets, last_key_id=last_key_id)


def _parse(directory: Path, data: bytes, passphrase: bytes) -> _Book:
    path = directory / RING_FILE
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RingUnreadable(f"{path} is empty or torn: it is not JSON") from error
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise RingUnreadable(f"{path} is not a key ring of this version")
    seal = document.pop("seal", None)
    if not isinstance(seal, str) or not hmac.compare_digest(
        seal.encode("utf-8", "replace"), seal_document(document, passphrase).encode()
    ):
        raise RingUnreadable(
            f"{path} is not sealed with this passphrase: "
            "the passphrase is another ring's, or the file was changed by hand"
        )
    try:
        book = _Book(
            keys=tuple(_parse_key(entry) for entry in document["keys"]),
            secrets=tuple(_parse_secret(entry) for entry in document["secrets"]),
            last_key_id=int(document["last_key_id"]),
        )
        KeyRing(keys=book.keys, link_secrets=())
    except (KeyError, TypeError, ValueError, KeyGuard) as error:
        raise RingUnreadable(f"{path} contradicts itself: {error}") from error
    return book


def _parse_key(entry: Mapping[str, str | int]) -> SigningKey:
    public = base64.urlsafe_b64decode(f"{entry['public']}=")
    return SigningKey(
        key_id=int(entry["key_id"]),
        state=KeyState(str(entry["state"])),
        public=Ed25519PublicKey.from_public_bytes(public),
        private=None,
        created_at=_parse_moment(entry["created_at"]),
        activated_at=_parse_moment_or_none(entry["activated_at"]),
        verify_only_at=_parse_moment_or_none(entry["verify_only_at"]),
        retired_at=_parse_moment_or_none(entry["retired_at"]),
        revoked_at=_parse_moment_or_none(entry["revoked_at"]),
    )


def _parse_secret(entry: Mapping[str, str | int]) -> _SecretEntry:
    return _SecretEntry(
        secret_id=int(entry["secret_id"]),
        created_at=_parse_moment(entry["created_at"]),
        check=str(entry["check"]),
    )


def _parse_moment(value: object) -> datetime:
    moment = datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007
    return moment.replace(tzinfo=UTC)


def _parse_moment_or_none(value: object) -> datetime | None:
    return None if value is None else _parse_moment(value)


def _read_key(directory: Path, key: SigningKey, passphrase: bytes) -> Ed25519PrivateKey:
    path = directory / _key_name(key.key_id)
    private = open_key(path, passphrase)
    if private.public_key() != key.public:
        raise RingUnreadable(f"{path} is not the key that {RING_FILE} names")
    return private


def _read_secret(directory: Path, entry: _SecretEntry, passphrase: bytes) -> LinkSecret:
    path = directory / _secret_name(entry.secret_id)
    value = open_secret(path, passphrase)
    secret = LinkSecret(entry.secret_id, value, entry.created_at)
    if secret.check != entry.check:
        raise RingUnreadable(f"{path} is not the secret that {RING_FILE} names")
    return secret


# Writing. All of it under the lock.


def _check_goes_on(book: _Book, ring: KeyRing) -> None:
    """Refuse a ring that would undo what another writer did meanwhile."""
    for old in book.keys:
        key = ring.find(old.key_id)
        if key is None or key.public != old.public or key.state.rank < old.state.rank:
            raise KeyGuard(
                f"key {old.key_id} on disk is {old.state}, which this ring does not "
                "know: the ring was changed meanwhile, read it again"
            )
    on_disk = {entry.secret_id: entry.check for entry in book.secrets}
    newest = max(on_disk, default=0)
    ours = {secret.secret_id: secret.check for secret in ring.link_secrets}
    added = any(i <= newest and on_disk.get(i) != ours[i] for i in ours)
    if added or max(ours, default=0) < newest:
        raise KeyGuard("the secrets were changed meanwhile: read the ring again")


def _write_ring(directory: Path, ring: KeyRing, passphrase: bytes) -> None:
    for leftover in directory.glob(".*.tmp"):
        leftover.unlink()
    for key in ring.keys:
        if key.state.verifies:
            _keep_key(directory, key, passphrase)
    for secret in ring.link_secrets:
        _keep_secret(directory, secret, passphrase)
    sync(directory)

    document: dict[str, object] = {
        "format": _FORMAT,
        "last_key_id": max([ring.last_key_id, *(key.key_id for key in ring.keys)]),
        **ring.public_state(),
    }
    document["seal"] = seal_document(document, passphrase)
    text = json.dumps(document, indent=1) + "\n"
    write(directory / RING_FILE, text.encode("ascii"))
    sync(directory)

    # Only now: until ring.json said so, those files were still needed.
    dead = {_key_name(key.key_id) for key in ring.keys if not key.state.verifies}
    live = {_secret_name(secret.secret_id) for secret in ring.link_secrets}
    dead |= {n for n in numbered(directory, _SECRET_FILE).values() if n not in live}
    for name in dead:
        (directory / name).unlink(missing_ok=True)
    sync(directory)


def _keep_key(directory: Path, key: SigningKey, passphrase: bytes) -> None:
    """Write a key's file, or see that it is there."""
    path = directory / _key_name(key.key_id)
    if path.exists():
        if open_key(path, passphrase).public_key() != key.public:
            raise KeyGuard(f"{path} holds another key, which is never overwritten")
        return
    if key.private is None:
        raise KeyGuard(f"the private part of key {key.key_id} is not here")
    write(path, seal_key(key.private, passphrase))


def _keep_secret(directory: Path, secret: LinkSecret, passphrase: bytes) -> None:
    """Write a secret's file, or see that it is there.

    A damaged file, or one that no ``ring.json`` ever named, is written over: this ring
    holds the value, and ``_check_goes_on`` has seen that it is the right one.
    """
    entry = _SecretEntry(secret.secret_id, secret.created_at, secret.check)
    name = _secret_name(secret.secret_id)
    if (directory / name).exists():
        try:
            _read_secret(directory, entry, passphrase)
        except RingUnreadable:
            pass
        else:
            return
    write(directory / name, seal_secret(name, secret.value, passphrase))


def _key_name(key_id: int) -> str:
    return f"key-{key_id:05d}.pem"


def _secret_name(secret_id: int) -> str:
    return f"secret-{secret_id:05d}.sealed"

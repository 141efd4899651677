"""What is kept as files: the ring, its copies, backups, anchors, a token's answers."""

from __future__ import annotations

import hashlib
import tarfile
from datetime import UTC, datetime
from functools import cache
from io import BytesIO

from scripts import audit, keys
from scripts.audit import NotChecked
from scripts.fuzzing import ground
from scripts.fuzzing.catalogue import Found, target, text_of
from scripts.parts import backup_archive
from scripts.parts.backup_archive import NotWhole
from signing import keyfiles
from signing.errors import RingUnreadable
from signing.keyfiles import bundle, seals
from signing.keyfiles.book import (
    document_of,
    open_document,
    parse_book,
    read_book,
    sealed_text,
)
from signing.keyring import KeyRing
from signing.tokens.keys import Place, decoded_point

_HEADER = b"punchproof-bundle/1\n"
_LARGEST = 2**63 - 1


def _rings() -> list[KeyRing]:
    now = datetime.now(UTC)
    first = ground.ring()
    pending = first.with_new_key(now)
    return [first, pending, pending.activated(pending.keys[-1].key_id, now)]


def _books() -> list[bytes]:
    return [sealed_text(document_of(ring), ground.passphrase()) for ring in _rings()]


@target(seeds=_books, allowed=(RingUnreadable,))
def ring_json(data: bytes) -> None:
    """``ring.json`` as somebody left it who has no passphrase."""
    read_book("ring.json", data, ground.passphrase())


@target(seeds=_books, allowed=(RingUnreadable,))
def ring_json_unsealed(data: bytes) -> None:
    """The same for the one ceremony that has no passphrase either."""
    document, _ = open_document("ring.json", data)
    book = parse_book("ring.json", document)
    KeyRing(keys=book.keys, link_secrets=(), last_key_id=book.last_key_id)


@cache
def _packed() -> bytes:
    keys = ground.directory().parent / "keys"
    whole = bundle.pack(keys, ground.passphrase(), sealed_with=ground.passphrase())
    opened = seals.open_bundle(_HEADER, whole[len(_HEADER) :], ground.passphrase())
    return opened or b""


@target(seeds=lambda: [_packed()], allowed=(RingUnreadable,))
def copies_of_the_ring(data: bytes) -> None:
    """A copy that opens with its passphrase, whatever is in it then."""
    sealed = seals.seal_bundle(_HEADER, data, ground.passphrase())
    keyfiles.unpack(_HEADER + sealed, ground.passphrase())


def _pems() -> list[bytes]:
    keys = ground.directory().parent / "keys"
    return [path.read_bytes() for path in keys.glob("key-*.pem")]


@target(seeds=_pems, allowed=(RingUnreadable,))
def sealed_keys(data: bytes) -> None:
    """A private key's file: encrypted PKCS#8 in PEM."""
    seals.open_key("key-00001.pem", data, ground.passphrase())


@target(
    seeds=lambda: [b"ab" * 32, b"ab" * 32 + b"\n" + b"cd" * 32 + b"\n"],
    allowed=(RingUnreadable,),
)
def passphrase_files(data: bytes) -> None:
    """The passphrase's file, one or two words."""
    path = ground.directory() / "words"
    path.touch(mode=0o600)
    path.write_bytes(data)
    keyfiles.read_passphrase(path)


@target(
    seeds=lambda: [
        Place("punchproof", "punchproof-00001", b"\1\2\3\4\5\6\7\x08").address.encode()
    ],
    allowed=(RingUnreadable,),
)
def addresses_of_keys(data: bytes) -> None:
    """The address of a key in a token, from ``ring.json``."""
    text = text_of(data)
    if Place.at(text).address != text:
        raise Found("an address with two spellings")


def _points() -> list[bytes]:
    point = ground.ring().active.public_bytes
    named = b"\x13\x0cedwards25519"
    oid = bytes.fromhex("06032b6570")
    return [bytes([len(curve)]) + curve + point for curve in (named, oid)] + [
        bytes([len(oid)]) + oid + b"\x04\x20" + point
    ]


@target(seeds=_points, allowed=(RingUnreadable,))
def points_of_a_token(data: bytes) -> None:
    """What a token says its public key is."""
    length, rest = data[:1], data[1:]
    cut = length[0] if length else 0
    decoded_point(rest[:cut], rest[cut:])


def _backups() -> list[bytes]:
    books = ground.directory() / "books.sqlite3.copy"
    path = ground.directory() / "seed" / "books.sqlite3"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"the books")
    target_ = books.with_suffix(".tar")
    target_.unlink(missing_ok=True)
    empty = hashlib.sha256(b"").hexdigest()
    backup_archive.pack(
        target_,
        books=path,
        ring=b"the ring",
        told={
            "made_at": datetime.now(UTC).isoformat(),
            "books": "sqlite",
            "origin": ground.ORIGIN,
            "versions": {"punchproof": "0.1.0"},
            "revision": "0010",
            "rows": {"card": 1},
            "audit": {"rows": 0, "head": empty},
            "ledger": {"entries": 0, "last": 0, "head": empty},
            "ring": {"digest": empty, "active": 1},
        },
        words=ground.passphrase(),
    )
    return [target_.read_bytes()]


@target(seeds=_backups, allowed=(NotWhole,))
def backups(data: bytes) -> None:
    """A backup as it lies where others can write."""
    _open_backup(data)


def _manifests() -> list[bytes]:
    with tarfile.open(fileobj=BytesIO(_backups()[0])) as tar:
        file = tar.extractfile(backup_archive.MANIFEST)
        return [file.read() if file else b""]


@target(seeds=_manifests, allowed=(NotWhole,))
def manifests_of_backups(data: bytes) -> None:
    """A tar file that is in order, around a manifest that is not."""
    whole = BytesIO()
    members = {
        backup_archive.MANIFEST: data,
        backup_archive.RING: b"the ring",
        backup_archive.BOOKS["sqlite"]: b"the books",
    }
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, BytesIO(content))
    _open_backup(whole.getvalue())


def _open_backup(data: bytes) -> None:
    path = ground.directory() / "given.tar"
    path.write_bytes(data)
    with backup_archive.opened(path) as backup:
        backup.manifest.is_sealed_with(ground.passphrase())
        if not isinstance(backup.ring, bytes):
            raise Found("a ring that is no bytes")
        out = ground.directory() / "out.books"
        out.unlink(missing_ok=True)
        backup.unpack_books(out)


def _anchors() -> list[bytes]:
    head = hashlib.sha256(b"").hexdigest()
    return [
        f"2026-03-01T12:00:00Z 12 {head}\n"
        f"2026-03-01T12:00:00Z ledger 10 11 {head}\n".encode(),
        f"2026-03-01T12:00:00Z 12 {head}\n\n".encode(),
    ]


@target(seeds=_anchors, allowed=(NotChecked,))
def anchors(data: bytes) -> None:
    """An audit's anchor, from the place where it was kept."""
    path = ground.directory() / "anchor"
    path.write_bytes(data)
    for head in audit.read_anchor(path, None).ledger:
        if not (0 <= head.last <= _LARGEST and 0 <= head.count <= _LARGEST):
            raise Found("numbers that no books can be asked for")


def _moments() -> list[bytes]:
    return [b"2026-03-01T12:00:00Z", b"2026-03-01", b"2026-03-01T12:00:00+02:00"]


@target(seeds=_moments, allowed=(ValueError,))
def moments_of_commands(data: bytes) -> None:
    """A moment as an operator types it: ``--since``."""
    keys.moment(text_of(data)).astimezone(UTC)

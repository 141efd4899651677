"""A backup as a file: what is in it, and that it is what was put in.

A tar file of three members, so that any tar can take it apart:

``manifest.json``
    what the backup is: the time, versions, the schema's revision, rows of each table,
    heads of the audit log and of the ledger, the length and SHA-256 of the other two;
    and a seal over all that, HMAC-SHA256 under the passphrase of the ring in it
``books.sqlite3`` or ``books.pgdump``
    the books, logos included
``ring.sealed``
    the whole key ring, sealed (``signing.keyfiles.bundle``)

The passphrase is not in it. Whoever can write where backups lie can take one away or
put an older one in its place, whose time is in its manifest; change one they cannot.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from app.programme.backups import Facts
from app.programme.proofs import Head
from signing.keyfiles import Passphrase
from signing.keyfiles.seals import is_sealed, seal_document

FORMAT: Final = "punchproof-backup/1"
MANIFEST: Final = "manifest.json"
RING: Final = "ring.sealed"
#: The member with the books, by what keeps them.
BOOKS: Final[Mapping[str, str]] = {
    "sqlite": "books.sqlite3",
    "postgresql": "books.pgdump",
}
_NAMED: Final = re.compile(r"punchproof-\d{8}T\d{6}Z\.tar")
_SEAL_USE: Final = b"backup"
_MANIFEST_MOST: Final = 1024 * 1024
_RING_MOST: Final = 64 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_HEX_DIGITS: Final = 64


class NotWhole(Exception):
    """A file is no backup, or not as it was made; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; checked for its shape alone."""

    made_at: datetime
    #: ``sqlite`` or ``postgresql``.
    books: str
    #: Signed into every code.
    origin: str
    versions: Mapping[str, str]
    facts: Facts
    #: Of the ring: its digest and its key that signs.
    ring: Mapping[str, Any]
    #: The document as it was read, without its seal.
    document: Mapping[str, Any]
    seal: str
    #: SHA-256 of the member, hex.
    digest: str

    def is_sealed_with(self, words: Passphrase) -> bool:
        """Tell whether somebody who has this passphrase made it."""
        return is_sealed(self.document, self.seal, words, _SEAL_USE)


def name_at(moment: datetime) -> str:
    """Return the name of a backup that was taken at a moment."""
    return f"punchproof-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.tar"


def found_in(directory: Path) -> list[Path]:
    """List the backups in a directory that have such a name, oldest first."""
    return sorted(path for path in directory.iterdir() if _NAMED.fullmatch(path.name))


def measure(path: Path) -> dict[str, Any]:
    """Return a file's length and SHA-256."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def pack(
    target: Path,
    *,
    books: Path,
    ring: bytes,
    told: Mapping[str, Any],
    words: Passphrase,
) -> None:
    """Write a backup, mode 0600, and see it on the disk.

    Args:
        target: must not exist.
        books: the copy of the books, named as ``BOOKS`` has it.
        ring: the sealed bundle.
        told: the manifest but for format and files.
        words: seals the manifest.

    Raises:
        OSError: it cannot be written.
    """
    sealed = {"bytes": len(ring), "sha256": hashlib.sha256(ring).hexdigest()}
    files = {books.name: measure(books), RING: sealed}
    document = {"format": FORMAT, **told, "files": files}
    whole = document | {"seal": seal_document(document, words, _SEAL_USE)}
    text = (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode()
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, MANIFEST, text)
            _add(tar, RING, ring)
            tar.add(books, arcname=books.name, filter=_nobodys)
        file.flush()
        os.fsync(file.fileno())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    tar.addfile(info, io.BytesIO(data))


def _nobodys(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Say nothing of who made it; it is its owner's alone wherever it is unpacked."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o600
    return info


class Backup:
    """A backup that is open: its manifest was read, and every hash compared."""

    def __init__(self, tar: tarfile.TarFile, name: str) -> None:
        self._tar = tar
        self.name = name
        self._members = _members(tar)
        text = self._file(MANIFEST).read(_MANIFEST_MOST)
        self.manifest = _manifest(text)
        self._files: Any = self.manifest.document.get("files")
        wanted = {BOOKS[self.manifest.books], RING}
        is_named = isinstance(self._files, dict) and set(self._files) == wanted
        if not is_named or set(self._members) != wanted | {MANIFEST}:
            raise NotWhole("it does not hold what its manifest names")
        for member in sorted(wanted):
            self._compare(member)

    @property
    def ring(self) -> bytes:
        """The sealed bundle."""
        return self._file(RING).read(_RING_MOST)

    def unpack_books(self, target: Path) -> None:
        """Write the books into a new file of mode 0600, and see it on the disk.

        Raises:
            OSError: it cannot be written.
            NotWhole: what came out is not what was compared.
        """
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        member = BOOKS[self.manifest.books]
        with os.fdopen(handle, "wb") as file:
            for chunk in self._chunks(member):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if measure(target) != self._files[member]:
            raise NotWhole(f"{member} changed while it was read")

    def _compare(self, member: str) -> None:
        digest = hashlib.sha256()
        for chunk in self._chunks(member):
            digest.update(chunk)
        size = self._members[member].size
        if {"bytes": size, "sha256": digest.hexdigest()} != self._files[member]:
            raise NotWhole(f"{member} in it is not what was put in")

    def _chunks(self, member: str) -> Iterator[bytes]:
        file = self._file(member)
        while chunk := file.read(_CHUNK):
            yield chunk

    def _file(self, member: str) -> IO[bytes]:
        info = self._members.get(member)
        file = self._tar.extractfile(info) if info else None
        if file is None:
            raise NotWhole(f"there is no {member} in it")
        return file


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """Open a backup and compare every hash.

    Args:
        path: of the file; not trusted.

    Raises:
        NotWhole: it cannot be read, or it is not as it was made.
    """
    with contextlib.ExitStack() as stack:
        try:
            tar = stack.enter_context(tarfile.open(path, mode="r:"))
            backup = Backup(tar, path.name)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise NotWhole(f"it cannot be read as a backup: {error}") from error
        yield backup


def _members(tar: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    """List the members; a name twice, or one that is no plain file, is a lie."""
    members = tar.getmembers()
    found = {info.name: info for info in members if info.isreg()}
    if len(found) != len(members):
        raise NotWhole("there is something in it that we did not put in")
    return found


def _manifest(text: bytes) -> Manifest:
    try:
        whole = json.loads(text)
        seal = whole.pop("seal")
        if whole["format"] != FORMAT:
            raise NotWhole(f"it is of another format: {whole['format']!r}")
        ledger, log = whole["ledger"], whole["audit"]
        _ = BOOKS[whole["books"]]
        return Manifest(
            made_at=_moment(whole["made_at"]),
            books=whole["books"],
            origin=str(whole["origin"]),
            versions=dict(whole["versions"]),
            facts=Facts(
                revision=str(whole["revision"]),
                rows={str(name): int(rows) for name, rows in whole["rows"].items()},
                audit_rows=int(log["rows"]),
                audit_head=_hash(log["head"]),
                ledger=Head(
                    int(ledger["last"]), int(ledger["entries"]), _hash(ledger["head"])
                ),
            ),
            ring=dict(whole["ring"]),
            document=whole,
            seal=str(seal),
            digest=hashlib.sha256(text).hexdigest(),
        )
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise NotWhole("its manifest cannot be read") from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _hash(text: str) -> bytes:
    if len(text) != _HEX_DIGITS:
        raise ValueError(text)
    return bytes.fromhex(text)


def told_of(facts: Facts) -> dict[str, Any]:
    """Write what books hold as a manifest has it."""
    return {
        "revision": facts.revision,
        "rows": dict(facts.rows),
        "audit": {"rows": facts.audit_rows, "head": facts.audit_head.hex()},
        "ledger": {
            "entries": facts.ledger.count,
            "last": facts.ledger.last,
            "head": facts.ledger.digest.hex(),
        },
    }

"""Taking a backup: books first, then the ring, then all of it as one file.

In this order, so that the ring in it has every key that the books in it name. The file
has its name only when it is whole and on the disk.
"""

from __future__ import annotations

import os
import platform
import shutil
import time
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from app.programme import backups
from app.programme.backups import Facts
from app.programme.ceremonies import CeremonyRefused, copies
from app.store import copying
from app.store.database import Database
from app.store.errors import StoreDown
from app.tools import Tools
from scripts.parts import backup_archive, backup_postgres
from scripts.parts.environment import ROOT
from scripts.parts.installation import sync
from scripts.parts.keyroom import Outside
from signing import keyfiles
from signing.keyfiles import Passphrase

_WHOLE: Final = "backup"
#: Of a line's subject in the audit log.
_SUBJECT_MOST: Final = 80
#: What a command that was killed left behind is taken away after so long, in s.
_LEFT_FOR_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a backup, or would."""

    file: Path
    passphrase_file: Path
    is_applied: bool
    is_passphrase_made: bool = False
    facts: Facts | None = None
    size: int = 0
    #: Older ones that were removed.
    removed: tuple[Path, ...] = ()
    #: False: the books did not take the line of it.
    is_audited: bool = True


def take(
    found: Outside,
    to: Path,
    *,
    with_file: Path | None,
    keep: int | None,
    is_applied: bool,
) -> Taken:
    """Take a backup of an installation, served or not.

    Args:
        found: the installation.
        to: a directory, or a file that is not there.
        with_file: the passphrase that seals; made if missing. None: the ring's own.
        keep: how many to leave in the directory; None: all.
        is_applied: whether to do it.

    Raises:
        CeremonyRefused: the file is there, or the directory is not.
        ProgramFailed: PostgreSQL's programs are missing, or failed.
        StoreDown: the books gave no answer.
        KeyRingError: the ring or a passphrase cannot be read.
        OSError: the file cannot be written.
    """
    now = found.tools.now()
    file = _file_for(to, now)
    if keep is not None and not to.is_dir():
        raise CeremonyRefused(f"--keep is for a directory, and {to} is none")
    room = found.enter()
    # Seen now and not in the middle: is there a ring, and can it be opened?
    room.ring(asks_token=False)
    settings = found.tools.settings
    opens = with_file or settings.keys_passphrase_file
    is_new = not opens.exists()
    if not is_applied:
        return Taken(file, opens, False, is_new)
    if not is_new:
        words = keyfiles.read_passphrase(opens)
    else:
        words = copies.made_passphrase(opens)
    _sweep(file.parent)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.mkdir(mode=0o700)
    try:
        facts = _write(found.tools, part, now, room.passphrase, words.newest)
        _place(part / _WHOLE, file)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    size = file.stat().st_size
    is_audited = _noted(found.tools, file, facts, size)
    removed = _remove_older(to, keep) if keep is not None else ()
    return Taken(file, opens, True, is_new, facts, size, removed, is_audited)


def _file_for(to: Path, now: datetime) -> Path:
    """Return where the backup goes."""
    file = to / backup_archive.name_at(now) if to.is_dir() else to
    if not file.parent.is_dir():
        raise CeremonyRefused(
            f"there is no directory {file.parent}: is what should be there mounted?"
        )
    if file.exists():
        raise CeremonyRefused(f"{file} is there already; a backup is never overwritten")
    return file


def _write(
    tools: Tools, part: Path, now: datetime, passphrase: Passphrase, words: Passphrase
) -> Facts:
    """Write the whole backup into a directory of its own."""
    backend = "sqlite" if tools.database.is_sqlite else "postgresql"
    books = part / backup_archive.BOOKS[backend]
    versions = {"punchproof": _version(), "python": platform.python_version()}
    if tools.database.is_sqlite:
        facts = _of_sqlite(tools, books, versions)
    else:
        facts = _of_postgres(tools, books, versions)
    # After the books: it has every key that they name.
    settings = tools.settings
    ring = keyfiles.pack(settings.keys, passphrase, sealed_with=words)
    held = keyfiles.unpack(ring, words)
    told = {
        "made_at": now.isoformat(),
        "origin": settings.origin,
        "books": backend,
        "versions": versions,
        "ring": {"digest": held.digest, "keys": len(held.keys)},
        **backup_archive.told_of(facts),
    }
    backup_archive.pack(part / _WHOLE, books=books, ring=ring, told=told, words=words)
    return facts


def _of_sqlite(tools: Tools, books: Path, versions: dict[str, str]) -> Facts:
    copying.copy_sqlite(tools.database, books)
    copy = Database(f"sqlite:///{books}")
    try:
        with copy.read() as tx:
            versions["books"] = copying.server_version(tx)
            return backups.facts(tx)
    finally:
        # The last one to close takes the file with -wal at its end along.
        copy.close()


def _of_postgres(tools: Tools, books: Path, versions: dict[str, str]) -> Facts:
    with tools.database.read() as tx:
        name = copying.snapshot(tx)
        versions["books"] = copying.server_version(tx)
        program = backup_postgres.find("pg_dump", at_least=versions["books"])
        versions["pg_dump"] = program.version
        backup_postgres.dump(program, tools.database.url, name, books)
        return backups.facts(tx)


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _place(whole: Path, file: Path) -> None:
    """Give a file its name, and never that of another."""
    try:
        # Unlike a rename, a link never takes the place of another file.
        os.link(whole, file)
    except FileExistsError:
        raise CeremonyRefused(f"{file} is there already") from None
    except OSError:
        # A stick may know no links.
        whole.rename(file)
    sync(file.parent)


def _noted(tools: Tools, file: Path, facts: Facts, size: int) -> bool:
    try:
        backups.note(
            tools,
            file.name[:_SUBJECT_MOST],
            bytes=size,
            entries=facts.ledger.count,
            audit_head=facts.audit_head.hex(),
        )
    except StoreDown:
        return False
    return True


def _remove_older(directory: Path, keep: int) -> tuple[Path, ...]:
    """Remove all but the newest, now that there is a new one."""
    older = backup_archive.found_in(directory)[:-keep]
    for path in older:
        path.unlink(missing_ok=True)
    return tuple(older)


def _sweep(directory: Path) -> None:
    """Take away what a backup that was killed has left."""
    for path in directory.glob(".*.part"):
        if path.is_dir() and time.time() - path.stat().st_mtime > _LEFT_FOR_S:
            shutil.rmtree(path, ignore_errors=True)

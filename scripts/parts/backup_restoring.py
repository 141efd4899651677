"""Putting a backup back where nothing is, so that nothing spent lives again.

What has to be done to such books is told in ``app.programme.restoring``. Here is the
order. SQLite: all of it is done to a file beside, which gets its name last, when the
ring is on the disk. PostgreSQL: its programs put the tables back without the schema's
revision; the rest is one transaction, and before it ends no server starts over them.
Cut short, a restore is begun again: the ring that it left is gone on from.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import UUID

from app.programme import audit, backups, proofs, restoring
from app.programme.backups import Facts
from app.programme.ceremonies import CeremonyRefused, copies
from app.programme.ceremonies.room import names_of
from app.programme.restoring import PutRight, Source
from app.store import copying
from app.store.database import Database, Tx
from app.tools import Tools, open_tools
from scripts.parts import backup_postgres, installation
from scripts.parts.backup_archive import Backup, Manifest, NotWhole
from scripts.parts.keyroom import Outside
from signing import keyfiles
from signing.keyring import KeyRing

#: How the directory is called in which a restore works.
_PART: Final = ".restore."
#: May be in a data directory in which there is no shop.
_EMPTY: Final = frozenset(
    {
        "certificate",
        "keys",
        "keys.new",
        "keys.passphrase",
        "lost+found",
        "serve.lock",
        "serve.log",
        "worker.log",
    }
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a restore finds, and what it is to do."""

    manifest: Manifest
    source: Source
    #: As it is in the backup, or newer and still there.
    before: KeyRing
    #: As it will be.
    after: KeyRing
    revoked: tuple[int, ...]
    #: Whether a ring of this line is in the place already.
    is_ring_there: bool
    is_passphrase_made: bool
    #: Whether the nonce store is one of its own address; else it begins empty.
    has_store: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it."""

    plan: Plan
    epoch: str | None
    done: PutRight
    entries: int
    #: What does not follow in the books now, in sentences; empty when all is well.
    findings: tuple[str, ...]


def read_erased(file: Path) -> tuple[UUID, ...]:
    """Read the list that ``scripts/erased.py`` prints, a number a line.

    Raises:
        CeremonyRefused: a line is none; better no restore than one person too few.
        OSError: it cannot be read.
    """
    lines = [line.strip() for line in file.read_text("utf-8", "replace").split("\n")]
    try:
        return tuple(UUID(line) for line in lines if line)
    except ValueError as error:
        raise CeremonyRefused(f"{file} is no list of scripts/erased.py") from error


def plan(
    found: Outside, backup: Backup, *, passphrase_file: Path, has_store: bool
) -> Plan:
    """Look whether a backup can be put back here; changes nothing.

    Args:
        found: the installation to be.
        backup: open, so every hash was compared.
        passphrase_file: opens the ring in it.
        has_store: whether the nonce store is named, so that it may remember.

    Raises:
        CeremonyRefused: something is there already, or a server runs; or the backup is
            of another kind of books, origin or line of keys.
        NotWhole: its seal does not fit.
        KeyRingError: the ring or a passphrase cannot be read.
        StoreDown: a store gave no answer.
    """
    tools, manifest = found.tools, backup.manifest
    words = keyfiles.read_passphrase(passphrase_file)
    copy = keyfiles.unpack(backup.ring, words)
    if not manifest.is_sealed_with(words):
        raise NotWhole("its manifest was changed after it was sealed")
    _must_fit(tools, manifest)
    _must_be_empty(tools, has_store=has_store)
    here = copies.ring_there(tools)
    if here is not None and not copies.covers(here, copy):
        raise CeremonyRefused(
            f"the ring in {tools.settings.keys} does not go on from the one in the "
            "backup: move it away, and the backup's is taken"
        )
    before = here or copy
    after = restoring.ring_after(copy, here, tools.now(), manifest.made_at)
    return Plan(
        manifest,
        Source(backup.name[:80], manifest.made_at, manifest.digest),
        before,
        after,
        restoring.revoked_by(before, after),
        is_ring_there=here is not None,
        is_passphrase_made=not tools.settings.keys_passphrase_file.exists(),
        has_store=has_store,
    )


def apply(
    found: Outside,
    backup: Backup,
    plan: Plan,
    *,
    keeps_paper: bool,
    erased: Collection[UUID] = (),
) -> Restored:
    """Put a backup back, do what its books need, and prove them.

    Args:
        found: the installation to be.
        backup: open, so every hash was compared.
        plan: as ``plan`` made it.
        keeps_paper: somebody has decided that paper stays good.
        erased: members who were forgotten since the backup.

    Raises:
        CeremonyRefused, InstallationError: somebody is in the place by now.
        NotWhole: the books are not what the manifest says; nothing was put in place.
        ProgramFailed: PostgreSQL's programs are missing, or failed.
        StoreDown: a store gave no answer.
        KeyRingError: the ring cannot be written.
        OSError: the disk did not take it.
    """
    tools = found.tools
    data = tools.settings.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / "serve.lock").touch(mode=0o600)
    with installation.in_use(data):
        # First: if it gives no answer, nothing was changed.
        epoch = tools.nonces.begin_epoch() if plan.has_store else None

        def put_right(over: Tools, tx: Tx) -> PutRight:
            _must_be_its_books(backups.facts(tx), plan.manifest)
            done = restoring.put_right(
                tx,
                over,
                plan.source,
                ring=plan.after,
                revoked=plan.revoked,
                epoch=epoch,
                keeps_paper=keeps_paper,
                erased=erased,
            )
            # The last of it, in the same transaction.
            copies.put(over, plan.after, is_there=plan.is_ring_there)
            return done

        with _beside(data) as part:
            file = part / "books"
            backup.unpack_books(file)
            if tools.database.is_sqlite:
                done = _into_sqlite(tools, file, put_right)
            else:
                done = _into_postgres(tools, plan.manifest, file, put_right)
        entries, findings = _proved(tools, plan.manifest)
    return Restored(plan, epoch, done, entries, findings)


def _must_fit(tools: Tools, manifest: Manifest) -> None:
    """Refuse what these settings cannot serve."""
    backend = "sqlite" if tools.database.is_sqlite else "postgresql"
    if backend != manifest.books:
        raise CeremonyRefused(
            f"the books of the backup are {manifest.books}, and DATABASE_URL names "
            f"{backend}"
        )
    if tools.settings.origin != manifest.origin:
        raise CeremonyRefused(
            f"the backup is of {manifest.origin}, which is signed into every code and "
            f"entry; PUNCHPROOF_ORIGIN is {tools.settings.origin}"
        )
    if not copying.knows(manifest.facts.revision):
        raise CeremonyRefused(
            f"the books of the backup are at revision {manifest.facts.revision}, which "
            "is of a newer release: restore it with that one "
            f"({manifest.versions.get('punchproof')})"
        )


def _must_be_empty(tools: Tools, *, has_store: bool) -> None:
    """Refuse a place where a shop is."""
    data = tools.settings.data
    names = {path.name for path in data.iterdir()} if data.is_dir() else set()
    there = {name for name in names - _EMPTY if not name.startswith(_PART)}
    if there:
        raise CeremonyRefused(
            f"{data} is not empty ({', '.join(sorted(there)[:5])}): move aside what is "
            "there, also the nonce store, which remembers a time that the books forget"
        )
    if not copying.is_empty(tools.database):
        raise CeremonyRefused(
            "DATABASE_URL names books that are not empty, and a restore overwrites "
            "nothing: name an empty database, or move the file aside"
        )
    if has_store and (live := tools.workers.live()):
        raise CeremonyRefused(
            f"web workers are running on this nonce store: {names_of(live)}. Stop "
            "them; one that ended is forgotten after 10 seconds"
        )


@contextmanager
def _beside(data: Path) -> Iterator[Path]:
    """Make a directory for what is under way, and take it away again."""
    for left in data.glob(f"{_PART}*"):
        # Of one that was cut short; the lock is ours, so that none is under way.
        shutil.rmtree(left, ignore_errors=True)
    part = data / f"{_PART}{os.getpid()}"
    part.mkdir(mode=0o700)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _into_sqlite(
    tools: Tools, file: Path, put_right: Callable[[Tools, Tx], PutRight]
) -> PutRight:
    """Do all of it to a file beside, then give that its name."""
    if not copying.is_whole_sqlite(file):
        raise NotWhole("SQLite does not find its books sound")
    books = Database(f"sqlite:///{file}")
    try:
        books.migrate()
        over = replace(tools, database=books)
        with books.begin() as tx:
            done = put_right(over, tx)
    finally:
        # The last one to close takes the file with -wal at its end along.
        books.close()
    target = Path(str(tools.database.url.database))
    if file.with_name(f"{file.name}-wal").exists():
        raise NotWhole("its books could not be closed")
    _give_to_owner(file, target.parent)
    file.replace(target)
    installation.sync(target.parent)
    return done


def _into_postgres(
    tools: Tools,
    manifest: Manifest,
    file: Path,
    put_right: Callable[[Tools, Tx], PutRight],
) -> PutRight:
    dumped = manifest.versions.get("pg_dump", "0")
    program = backup_postgres.find("pg_restore", at_least=dumped)
    backup_postgres.put_back(program, tools.database.url, file)
    with tools.database.begin() as tx:
        copying.bring_up(tx, manifest.facts.revision)
        return put_right(tools, tx)


def _give_to_owner(file: Path, directory: Path) -> None:
    """Let the service read what root put back for it."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def _must_be_its_books(facts: Facts, manifest: Manifest) -> None:
    """Compare what came out with what went in; a newer schema may have more tables."""
    said = manifest.facts
    wrong = [name for name, rows in said.rows.items() if facts.rows.get(name) != rows]
    heads = (facts.audit_rows, facts.audit_head, facts.ledger)
    if heads != (said.audit_rows, said.audit_head, said.ledger):
        wrong.append("a head")
    if wrong:
        raise NotWhole(
            f"the books are not what its manifest says: {', '.join(wrong)} differ"
        )


def _proved(tools: Tools, manifest: Manifest) -> tuple[int, tuple[str, ...]]:
    """Check every entry, sum and link of the restored books, as the server will."""
    said = manifest.facts
    over = open_tools(tools.settings)
    try:
        ledger = proofs.prove(over, heads={said.ledger})
        chain = audit.chain(over, ask=frozenset({said.audit_head}))
    finally:
        over.close()
    found = (*ledger.findings, *chain.findings)
    return ledger.entries, tuple(
        f"{one.code} {one.subject}: {one.sentence}" for one in found
    )

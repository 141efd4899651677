"""The shop in a disorder: real servers, bad lines between them, a clock that moves.

Clients reach the web server, and the web server its stores, through tunnels; so a line
is cut without anybody's help. What is killed is killed by SIGKILL and started again on
what it had kept.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid4

from app.programme import limits, members, rewards, sessions, staff
from app.programme import shop as shops
from app.programme.earning import desk
from app.programme.earning.rules import Figures, Rule, RuleKind
from app.programme.founding import found
from app.programme.sessions import ConsoleCaller
from app.programme.units import Unit
from app.settings import Settings
from app.store.tables import StaffMember
from app.tools import Tools, open_tools
from scripts.disorder import served, stores
from scripts.disorder.load import Desk
from scripts.disorder.tunnel import Tunnel
from scripts.parts import children, postgres_server
from scripts.parts.children import ServerError
from scripts.parts.environment import ROOT
from scripts.parts.postgres_server import RunningPostgres
from signing import keyfiles

#: Kinds of books.
SQLITE, POSTGRESQL = "sqlite", "postgresql"
_PATIENCE_S: Final = 60.0


class World:
    """A shop that serves, and what a fault may do to it.

    Args:
        directory: empty, short in its path, open for other users to go through.
        books: ``SQLITE`` or ``POSTGRESQL``.
        store: of ``stores``.
        workers: web processes.
        seed: of what is left to chance.
    """

    def __init__(
        self, directory: Path, *, books: str, store: str, workers: int, seed: int
    ) -> None:
        self.books_kind, self._workers = books, workers
        self._directory = directory
        self._shift = directory / "shift"
        self.store = stores.open_store(store, directory, seed)
        self.postgres: RunningPostgres | None = None
        self.books_line: Tunnel | None = None
        database_url = self._open_books()
        self._web_port = _free_port()
        self.web_line = Tunnel(self._web_port)
        origin = f"http://localhost:{self.web_line.port}"
        self._environ = {
            "DATABASE_URL": database_url,
            "PUNCHPROOF_DATA": str(directory),
            "PUNCHPROOF_KEYS": str(directory / "keys"),
            "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(directory / "keys.passphrase"),
            "PUNCHPROOF_LOG_LEVEL": "warning",
            "PUNCHPROOF_ORIGIN": origin,
            # A disk that is full for them must not cut short what others import.
            "PYTHONDONTWRITEBYTECODE": "1",
            "REDIS_URL": self.store.url,
            served.SHIFT: str(self._shift),
        }
        self._make_ring()
        self.tools = self._open_tools()
        self.tools.database.migrate()
        self._shop = found(self.tools)
        # As much as can be, in as little time as can be.
        shops.save_limits(self.tools, self._shop.programme_id, limits.NONE, by=None)
        self._reward_id = self._promise()
        self.web = self._start_web()
        self.mail = self._start_mail()
        self.wait()

    def _promise(self) -> UUID:
        """Let a visit give a stamp and each euro a point, and points buy a cake."""
        programme_id = self._shop.programme_id
        by = ConsoleCaller(self._shop.staff_id, "Owner", "owner")
        for kind, unit, figures in (
            (RuleKind.VISIT, Unit.STAMP, Figures(units=1)),
            (RuleKind.AMOUNT, Unit.POINT, Figures(units=1, per=100)),
        ):
            draft = Rule(uuid4(), 0, uuid4(), programme_id, kind, unit, figures)
            desk.save(self.tools, draft, by=by)
        cake = rewards.Plan("item", "Cake", 2, unit="point")
        return rewards.save(
            self.tools, cake, programme_id=programme_id, reward_id=None, by=by
        )

    # What the load needs ------------------------------------------------------

    @property
    def url(self) -> str:
        """Where clients go."""
        return self._environ["PUNCHPROOF_ORIGIN"]

    def desk(self, number: int, phones: int) -> Desk:
        """Set up a till with somebody at it, and its customers."""
        code = staff.enrolment_code(self.tools, self._shop.location_id).code
        till = staff.enrol(self.tools, code)
        person = self._hire(number)
        with self.tools.database.begin() as tx:
            token = sessions.grant(
                tx,
                self.tools,
                "staff",
                terminal_id=till.terminal_id,
                staff_id=person,
            )
        joined = [members.join(self.tools, name=f"{number}-{n}") for n in range(phones)]
        phones_of = tuple((str(one.card_id), one.token) for one in joined)
        return Desk(token, phones_of, str(self._reward_id))

    def _hire(self, number: int) -> UUID:
        with self.tools.database.begin() as tx:
            person = StaffMember(
                name=f"Barista {number}",
                role="barista",
                created_at=self.tools.now(),
            )
            tx.add(person)
            tx.flush()
            return person.staff_id

    # What faults do ------------------------------------------------------------

    def web_workers(self) -> list[int]:
        """The processes that serve."""
        pid = self.web.pid
        file = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(each) for each in file.read_text().split()]

    def kill_web_worker(self) -> None:
        """Kill one process that serves; the server starts another by itself."""
        for pid in self.web_workers()[:1]:
            _kill(pid)

    def kill_web(self) -> None:
        """Kill the whole web server, and start it again."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()
        self.web = self._start_web()

    def lines(self) -> list[Tunnel]:
        """The bad lines that there are."""
        lines = (self.web_line, self.store.line, self.books_line)
        return [line for line in lines if line]

    def kill_mail(self) -> None:
        """Kill the mail worker, and start it again."""
        self.mail.kill()
        self.mail.wait()
        self.mail = self._start_mail()

    def kill_postgres(self, *, away_s: float = 0.0) -> None:
        """Kill PostgreSQL, and start it again on what it had kept."""
        if self.postgres is None:
            return
        self.postgres.process.kill()
        self.postgres.process.wait()
        time.sleep(away_s)
        self.postgres = self._start_postgres()

    def fill_disk(self) -> None:
        """Let no file of the processes that serve grow: the disk is full to them."""
        size = (self._directory / "punchproof.sqlite3-wal").stat().st_size
        for pid in self.web_workers():
            _limit_files(pid, max(size, 1))

    def empty_disk(self) -> None:
        """Let files grow again."""
        for pid in self.web_workers():
            _limit_files(pid, resource.RLIM_INFINITY)

    def shift_clock(self, by: timedelta) -> None:
        """Move the clock of all that serves; 0 puts it right."""
        self._shift.write_text(str(by.total_seconds()))

    def wait(self) -> None:
        """Wait until it serves.

        Raises:
            ServerError: it does not.
        """
        last = time.monotonic() + _PATIENCE_S
        log = self._directory / "web.log"
        while time.monotonic() < last:
            with contextlib.suppress(OSError), _asked(self._web_port) as line:
                if b" 200 " in line.recv(64):
                    return
            if self.web.poll() is not None:
                break
            time.sleep(0.05)
        raise ServerError(f"the service does not come up.\n{children.tail(log)}")

    def close(self) -> None:
        """End everything."""
        self.tools.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()
        self.mail.kill()
        self.mail.wait()
        for line in self.lines():
            line.close()
        self.store.close()
        if self.postgres:
            self.postgres.stop()

    # How it is made --------------------------------------------------------------

    def _open_books(self) -> str:
        if self.books_kind == SQLITE:
            return f"sqlite:///{self._directory / 'punchproof.sqlite3'}"
        self.postgres = self._start_postgres()
        doors = self._directory / "doors"
        doors.mkdir()
        name = ".s.PGSQL.5432"
        self.books_line = Tunnel(self._directory / "pg" / name, doors / name)
        where = quote(str(doors), safe="")
        return f"postgresql+psycopg://punchproof@/punchproof?host={where}"

    def _open_tools(self) -> Tools:
        """Open the shop's tools past every bad line, for the reckoning."""
        direct = {"REDIS_URL": self.store.direct}
        if self.postgres:
            direct["DATABASE_URL"] = self.postgres.url
        return open_tools(Settings.from_env({**self._environ, **direct}))

    def _make_ring(self) -> None:
        file = self._directory / "keys.passphrase"
        file.touch(mode=0o600)
        file.write_text(keyfiles.new_passphrase())
        passphrase = keyfiles.read_passphrase(file)
        keyfiles.create(self._directory / "keys", passphrase, now=datetime.now(UTC))

    def _start_postgres(self) -> RunningPostgres:
        """Start it; after a kill its own processes may need a moment to notice."""
        last = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return postgres_server.start(self._directory / "pg")
            except ServerError:
                if time.monotonic() > last:
                    raise
                time.sleep(0.2)

    def _start_web(self) -> subprocess.Popen[bytes]:
        words = (
            "-m granian --interface wsgi --factory --host 127.0.0.1 --no-ws "
            f"--port {self._web_port} --workers {self._workers} "
            "--blocking-threads 32 --respawn-failed-workers --respawn-interval 0.1 "
            "--log-level error scripts.disorder.served:application"
        )
        return self._launch(words, "web.log")

    def _start_mail(self) -> subprocess.Popen[bytes]:
        return self._launch("-m app.worker", "mail.log")

    def _launch(self, words: str, log: str) -> subprocess.Popen[bytes]:
        return children.launch(
            [sys.executable, *words.split()],
            directory=ROOT,
            log=self._directory / log,
            end_by=signal.SIGKILL,
            environment={**os.environ, **self._environ},
        )


@contextlib.contextmanager
def _asked(port: int) -> Iterator[socket.socket]:
    """Ask the web server itself whether it is ready."""
    with socket.create_connection(("127.0.0.1", port), 5) as line:
        line.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield line


def _limit_files(pid: int, size: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port

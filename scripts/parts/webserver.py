"""The HTTP server: Granian, run as a program of its own, asked until it is ready."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.parts import children
from scripts.parts.supervisor import Supervisor, end_with_family

if TYPE_CHECKING:
    from scripts.parts.certificate import Certificate

_PATIENCE_S, _STORES_PATIENCE_S = 60.0, 8.0
_PATIENCE_TO_STOP = timedelta(seconds=12)
_PROGRAM = Path(__file__).with_name("webprocess.py")
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_LEVELS = ("[WARNING]", "[ERROR]", "[CRITICAL]")
_LOG_MOST = 5_000_000


class NotReady(Exception):
    """The server runs but says that it cannot serve; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the server listens, and with what certificate, if any."""

    host: str
    port: int
    certificate: Certificate | None


class WebServer:
    """The server's program: warming up since it was made, serving after ``go``.

    Args:
        supervisor: takes charge of it.
        at: address, port, certificate.
        workers: processes.
        threads: requests that one process works on at a time.
        log: its output.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        at: Listening,
        *,
        workers: int,
        threads: int,
        log: Path,
    ) -> None:
        self._supervisor = supervisor
        self._at = at
        begin_log(log)
        ears, self._mouth = os.pipe()
        words = (
            f"--host {at.host} --port {at.port} --workers {workers} "
            f"--threads {threads} --go {ears}"
        )
        command = [sys.executable, str(_PROGRAM), *words.split()]
        if at.certificate:
            chain, key = at.certificate.chain, at.certificate.key
            command += ["--certificate", str(chain), "--key", str(key)]
        process = children.launch(
            command,
            directory=log.parent,
            log=log,
            end_by=signal.SIGTERM,
            keep_open=[ears],
        )
        os.close(ears)
        supervisor.add(
            "the web server",
            process,
            log=log,
            stop=lambda: end_with_family(process, patience=_PATIENCE_TO_STOP),
        )

    def go(self, environ: Mapping[str, str]) -> None:
        """Let it serve, and wait until it says that it is ready.

        Args:
            environ: the settings, as ``app.settings`` reads them.

        Raises:
            StopAsked: a signal came.
            ChildDied: the server, or one that it needs, has ended.
            NotReady: it does not become ready; the sentence is its own.
        """
        with contextlib.suppress(BrokenPipeError), os.fdopen(self._mouth, "w") as mouth:
            mouth.write(json.dumps(dict(environ)))
        origin = environ["PUNCHPROOF_ORIGIN"]
        last = time.monotonic() + _PATIENCE_S
        said = "no answer"
        while time.monotonic() < last:
            self._supervisor.check()
            try:
                status, said = _ask(self._at, origin)
            except (OSError, http.client.HTTPException):
                time.sleep(0.03)
                continue
            if status == http.client.OK:
                return
            # It answers, so it is one of the stores that does not: a moment more.
            last = min(last, time.monotonic() + _STORES_PATIENCE_S)
            time.sleep(0.3)
        raise NotReady(f"the web server is not ready: {_problems(said)}")


def begin_log(log: Path) -> None:
    """Put a log that has grown long aside."""
    if log.exists() and log.stat().st_size > _LOG_MOST:
        log.replace(log.with_name(f"{log.name}.old"))


def _problems(said: str) -> str:
    """What ``/readyz`` complains of, as one sentence."""
    try:
        return " ".join(json.loads(said)["problems"])
    except (ValueError, KeyError, TypeError):
        return said


def _ask(at: Listening, origin: str) -> tuple[int, str]:
    """Ask for ``/readyz``; return the status and what it says."""
    host = _EVERYWHERE.get(at.host, at.host)
    if at.certificate:
        # We have just bound the port, so we know who answers.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, at.port, timeout=5, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, at.port, timeout=5)
    try:
        name = origin.partition("://")[2]
        connection.request("GET", "/readyz", headers={"Host": name})
        response = connection.getresponse()
        return response.status, response.read(2000).decode(errors="replace").strip()
    finally:
        connection.close()


class Warnings:
    """Repeats on the terminal what the server's log says that is not just routine."""

    def __init__(self, log: Path, say: Callable[[str], None]) -> None:
        self._log = log
        self._say = say
        self._at = log.stat().st_size if log.exists() else 0

    def pass_on(self) -> None:
        """Say what was added since the last time."""
        try:
            size = self._log.stat().st_size
        except OSError:
            return
        if size < self._at:
            # Somebody has cut it, as logrotate does.
            self._at = 0
        if size == self._at:
            return
        with self._log.open("rb") as file:
            file.seek(self._at)
            added = file.read(size - self._at)
        whole, _, _ = added.rpartition(b"\n")
        self._at += len(whole) + 1 if whole else 0
        for line in whole.decode(errors="replace").splitlines():
            said = _warning_in(line)
            if said:
                self._say(said)


def _warning_in(line: str) -> str | None:
    """The line in short if it is a warning or worse."""
    if any(level in line for level in _LEVELS):
        return line
    try:
        entry = json.loads(line)
        level = entry["level"]
    except (ValueError, KeyError, TypeError):
        return None
    if level not in {"warning", "error", "critical"}:
        return None
    facts = " ".join(
        f"{name}={value}"
        for name, value in entry.items()
        if name not in {"level", "event", "timestamp", "exception"}
    )
    return f"{level}: {entry.get('event', '')} {facts}".rstrip()

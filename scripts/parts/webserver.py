"""The HTTP server: Granian, run as a program of its own, asked until it is ready."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from scripts.parts import children
from scripts.parts.certificate import Certificate
from scripts.parts.environment import ROOT
from scripts.parts.supervisor import Supervisor, end_with_family

_PATIENCE_S = 60.0
# A request under way may take this long before it is cut off at the end.
_GRACE_S = 8
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


def start(
    supervisor: Supervisor,
    at: Listening,
    *,
    workers: int,
    threads: int,
    log: Path,
    environ: Mapping[str, str],
) -> None:
    """Start the server; ``wait`` tells when it serves.

    Args:
        supervisor: takes charge of it.
        at: address, port, certificate.
        workers: processes.
        threads: requests that one process works on at a time.
        log: its output.
        environ: the settings, as ``app.settings`` reads them.
    """
    if log.exists() and log.stat().st_size > _LOG_MOST:
        log.replace(log.with_name(f"{log.name}.old"))
    words = (
        f"--interface wsgi --no-ws --host {at.host} --port {at.port} "
        f"--workers {workers} --blocking-threads {threads} "
        f"--workers-kill-timeout {_GRACE_S} "
        "--respawn-failed-workers --respawn-interval 1 --log-level warning"
    )
    command = [sys.executable, "-m", "granian", *words.split()]
    if at.certificate:
        # TLS 1.2 too: a customer's phone may be an old one.
        chain, key = at.certificate.chain, at.certificate.key
        command += ["--ssl-certificate", str(chain), "--ssl-keyfile", str(key)]
        command += ["--ssl-protocol-min", "tls1.2"]
    command += ["--working-dir", str(ROOT)]
    command += ["--factory", "app:create_app_from_environment"]
    process = children.launch(
        command, log=log, end_by=signal.SIGTERM, environment=environ
    )
    patience = timedelta(seconds=_GRACE_S + 4)
    supervisor.add(
        "the web server",
        process,
        log=log,
        stop=lambda: end_with_family(process, patience=patience),
    )


def wait(supervisor: Supervisor, at: Listening, origin: str) -> None:
    """Wait until the server says that it is ready.

    Raises:
        ChildDied: the server, or one that it needs, has ended.
        NotReady: it does not become ready; the sentence is its own.
    """
    last = time.monotonic() + _PATIENCE_S
    said = "no answer"
    while time.monotonic() < last:
        supervisor.check()
        try:
            status, said = _ask(at, origin)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            continue
        if status == http.client.OK:
            return
        time.sleep(0.5)
    raise NotReady(f"the web server is not ready: {said}")


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
        if size <= self._at:
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

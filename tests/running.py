"""The service as it runs: Granian, several processes, real stores, real HTTP."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from app.programme import staff
from app.programme.founding import Charter, Founded
from app.programme.limits import NONE
from app.settings import Settings
from app.tools import Tools

ROOT = Path(__file__).parents[1]
_PATIENCE_S = 30.0


#: Nobody is trusted: it is plain HTTP, and reading whom to trust takes long.
_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


#: A shop that takes any load: no limit by the hour.
BUSY = Charter(limits=NONE)


@dataclass(frozen=True)
class Service:
    """A running service and what a test does to it."""

    url: str
    process: subprocess.Popen[bytes]

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=30, verify=_TRUST
        )


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


@pytest.fixture
def served_settings(settings: Settings) -> Settings:
    """Settings whose origin is the address that the service will have."""
    port = free_port()
    return replace(settings, port=port, origin=f"http://localhost:{port}")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Start the service over settings whose books are migrated."""
    with contextlib.ExitStack() as stack:

        def start(settings: Settings, *, workers: int = 2) -> Service:
            return stack.enter_context(
                running(settings, workers=workers, logs=tmp_path)
            )

        yield start


@contextlib.contextmanager
def running(settings: Settings, *, workers: int, logs: Path) -> Iterator[Service]:
    """Run the service over settings whose books are migrated, until the block ends."""
    environ = {
        **os.environ,
        "PUNCHPROOF_DATA": str(settings.data),
        "PUNCHPROOF_ORIGIN": settings.origin,
        "PUNCHPROOF_PROXY_HOPS": str(settings.proxy_hops),
        "PUNCHPROOF_KEYS": str(settings.keys),
        "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(settings.keys_passphrase_file),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }
    words = (
        "-m granian --interface wsgi --factory --host 127.0.0.1 --no-ws "
        f"--port {settings.port} --workers {workers} --blocking-threads 32 "
        "--respawn-failed-workers --respawn-interval 0.1 "
        "--log-level warning app:create_app_from_environment"
    )
    log = logs / f"served-{settings.port}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *words.split()],
            cwd=ROOT,
            env=environ,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        service = Service(f"http://127.0.0.1:{settings.port}", process)
        _wait(service, log)
        yield service
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(service: Service, log: Path) -> None:
    last = time.monotonic() + _PATIENCE_S
    with service.client() as client:
        while time.monotonic() < last:
            with contextlib.suppress(httpx.TransportError):
                if client.get("/readyz").status_code == httpx.codes.OK:
                    return
            assert service.process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def join(client: httpx.Client, name: str | None = "Anna") -> dict[str, str]:
    """Join by the API; gives ``member_id, card_id, token``."""
    answer = client.post("/api/v1/members", json={"name": name} if name else {})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    joined: dict[str, str] = answer.json()
    return joined


def enrol(client: httpx.Client, tools: Tools, founded: Founded) -> str:
    """Enrol a terminal by the API; gives its token."""
    code = staff.enrolment_code(tools, founded.location_id).url
    answer = client.post("/api/v1/terminals", json={"code": code})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    token: str = answer.json()["token"]
    return token


def sign_in(client: httpx.Client, terminal: str, founded: Founded) -> str:
    """Sign the owner in at a terminal by the API; gives the staff token."""
    answer = client.post(
        "/api/v1/staff-sessions",
        json={"staff_id": str(founded.staff_id), "pin": founded.pin},
        headers={"Authorization": f"Bearer {terminal}"},
    )
    assert answer.status_code == httpx.codes.CREATED, answer.text
    token: str = answer.json()["token"]
    return token


def work(client: httpx.Client, tools: Tools, founded: Founded) -> str:
    """Enrol a terminal and sign in; gives the staff token."""
    return sign_in(client, enrol(client, tools, founded), founded)

"""A server that is told to stop finishes what is under way, and counts it once."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from app.settings import Settings
from app.store.nonces import ClaimState
from app.store.tables import LedgerEntry
from signing.codes import verify
from tests.running import ROOT, Service, join, work

pytestmark = pytest.mark.slow
_PATIENCE_S = 60.0


@pytest.fixture
def served(
    tools, founded, served_settings: Settings, tmp_path: Path
) -> Iterator[Service]:
    """The web server's own program, as scripts/serve runs it."""
    ears, mouth = os.pipe()
    words = f"--host 127.0.0.1 --port {served_settings.port} --workers 2 --threads 8"
    program = ROOT / "scripts" / "parts" / "webprocess.py"
    with (tmp_path / "served.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, program, *words.split(), "--go", str(ears)],
            pass_fds=[ears],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    os.close(ears)
    with os.fdopen(mouth, "w") as told:
        json.dump(
            {
                "PUNCHPROOF_DATA": str(served_settings.data),
                "PUNCHPROOF_ORIGIN": served_settings.origin,
                "PUNCHPROOF_KEYS": str(served_settings.keys),
                "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(
                    served_settings.keys_passphrase_file
                ),
                "DATABASE_URL": served_settings.database_url,
                "REDIS_URL": served_settings.redis_url,
            },
            told,
        )
    service = Service(f"http://127.0.0.1:{served_settings.port}", process)
    try:
        until(lambda: answers(service))
        yield service
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(is_so) -> None:
    last = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < last, "it did not come to that"
        time.sleep(0.02)


def answers(service: Service) -> bool:
    """Whether a new request is answered."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{service.url}/livez", timeout=1).is_success
    return False


def test_a_request_under_way_is_answered_and_counted(
    served, tools, founded, served_settings, counts
):
    # given a scan that waits for the books, which somebody else writes in
    with served.client() as client:
        mine = dataclasses.replace(tools, settings=served_settings)
        till = work(client, mine, founded)
        anna = join(client)
        bearer = {"Authorization": f"Bearer {anna['token']}"}
        path = f"/api/v1/cards/{anna['card_id']}"
        code = client.post(f"{path}/code", headers=bearer).json()["code"]
        scan = {"code": code, "stamps": 2, "request_id": uuid4().hex}
        nonce = verify(code, tools.keys.ring, origin=served_settings.origin).nonce
        busy = sqlite3.connect(tools.database.url.database, isolation_level=None)
        busy.execute("BEGIN IMMEDIATE")

        def spend() -> httpx.Response:
            with served.client(till) as mine:
                return mine.post("/api/v1/stamps", json=scan)

        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(spend)
            until(lambda: tools.nonces.look(nonce).state is ClaimState.IN_USE)

            # when the server is told to stop, and nobody new is answered any more
            served.process.send_signal(signal.SIGTERM)
            until(lambda: not answers(served))
            assert not waiting.done()
            assert served.process.poll() is None
            busy.execute("ROLLBACK")
            busy.close()

            # then the scan is answered, and the server ends well
            answer = waiting.result(_PATIENCE_S)
    assert answer.status_code == 201, answer.text
    assert answer.json()["stamps_given"] == 2
    assert served.process.wait(_PATIENCE_S) == 0
    with tools.database.read() as tx:
        booked = tx.scalar(select(func.sum(LedgerEntry.units)))
    counts(given=2, booked=booked or 0)
    assert booked == 2

"""Keys change under load: ten rotations in a row, and no honest code is refused.

Phones show codes and tills scan them all the while. Some customers hesitate for
seconds, so that their codes are signed by one key and spent under another.
"""

from __future__ import annotations

import dataclasses
import struct
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.programme import ceremonies
from app.programme.ceremonies import KeyRoom
from app.programme.founding import found
from app.store.tables import LedgerEntry
from signing import keyfiles
from signing.keyring import KeyState
from tests.running import BUSY, join, work

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROTATIONS, WORKERS = 10, 3
#: How long the customers of each till hesitate, in s.
TILLS = (0.05, 0.05, 0.05, 0.05, 2.0, 3.0, 5.0)


@pytest.fixture
def settings(settings, tmp_path):
    """A ring of the test's own, which it changes."""
    passphrase = tmp_path / "own.passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(keyfiles.new_passphrase())
    opened = keyfiles.read_passphrase(passphrase)
    keyfiles.create(tmp_path / "own-keys", opened, now=datetime.now(UTC))
    return dataclasses.replace(
        settings, keys=tmp_path / "own-keys", keys_passphrase_file=passphrase
    )


def till(service, staff, member, pause, stop):
    """Give one card stamps until told to stop; counts the answers."""
    heard = Counter()
    with service.client(member["token"]) as phone, service.client(staff) as desk:
        while not stop.is_set():
            code = phone.post(f"/api/v1/cards/{member['card_id']}/code").json()["code"]
            time.sleep(pause)
            scan = {"code": code, "stamps": 1, "request_id": uuid4().hex}
            answer = desk.post("/api/v1/stamps", json=scan)
            heard["given" if answer.is_success else answer.json()["code"]] += 1
    return heard


def until_all_live(room):
    last = time.monotonic() + 10
    while len(room.live()) < WORKERS:
        assert time.monotonic() < last
        time.sleep(0.1)


@pytest.fixture
def tools(make_tools, served_settings):
    """Tools of the test, with the service's origin."""
    return make_tools(origin=served_settings.origin, port=served_settings.port)


@pytest.fixture
def room(tools):
    settings = tools.settings
    passphrase = keyfiles.read_passphrase(settings.keys_passphrase_file)
    return KeyRoom(settings.keys, passphrase, tools)


def rotate_under_load(service, room):
    """Rotate while every till is busy; counts what the tills heard."""
    shop, stop = found(room.tools, BUSY), threading.Event()
    with service.client() as client, ThreadPoolExecutor(len(TILLS)) as pool:
        staff = work(client, room.tools, shop)
        jobs = [
            pool.submit(till, service, staff, join(client), pause, stop)
            for pause in TILLS
        ]
        try:
            for _ in range(ROTATIONS):
                done = ceremonies.rotate(room, is_applied=True, wait=time.sleep)
                assert done.workers == WORKERS
        finally:
            stop.set()
        return sum((job.result() for job in jobs), Counter())


def test_ten_rotations_under_load_refuse_no_honest_code(
    served_settings, serve, tools, room, counts
):
    service = serve(served_settings, workers=WORKERS)
    until_all_live(room)

    heard = rotate_under_load(service, room)

    assert set(heard) == {"given"}
    with tools.database.read() as tx:
        earned = select(LedgerEntry.proof).where(LedgerEntry.kind == "EARN")
        proofs = list(tx.scalars(earned))
    assert len(proofs) == heard["given"]
    keys = {struct.unpack_from(">H", proof, 1)[0] for proof in proofs}
    ring = room.ring()
    assert ring.active.key_id == ROTATIONS + 1
    assert [key.state for key in ring.keys[:-1]] == [KeyState.VERIFY_ONLY] * ROTATIONS
    # The last key may have come too late to be used.
    assert len(keys) >= ROTATIONS
    counts(rotations=ROTATIONS, given=heard["given"], refused=0, keys=len(keys))

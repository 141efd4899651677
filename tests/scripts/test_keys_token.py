"""The key commands with a real token: SoftHSM, through its PKCS#11 library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.store.database import Database
from scripts.parts.installation import write
from signing import keyfiles
from tests.signing import softhsm

ROOT = Path(__file__).parents[2]
STOLEN = ("--since", "2026-01-01T08:00", "--reason", "stolen", "--apply")

pytestmark = pytest.mark.slow


@pytest.fixture
def hsm(tmp_path):
    return softhsm.make(tmp_path / "hsm")


@pytest.fixture
def data(tmp_path):
    """A data directory with a ring and books, and nobody who serves it."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    write(data / "keys.passphrase", keyfiles.new_passphrase().encode())
    words = keyfiles.read_passphrase(data / "keys.passphrase")
    keyfiles.create(data / "keys", words, now=datetime.now(UTC))
    books = Database(f"sqlite:///{data / 'punchproof.sqlite3'}")
    books.migrate()
    books.close()
    return data


@pytest.fixture
def command(data, hsm):
    """Run a command of scripts/ as a process; gives status, output, complaint."""

    def run(name, *words, has_token=True):
        ours = ("PUNCHPROOF_", "REDIS_", "DATABASE_")
        environ = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        environ |= {"PUNCHPROOF_VENV": "none", "SOFTHSM2_CONF": str(hsm.conf)}
        done = subprocess.run(
            [sys.executable, f"scripts/{name}", *words, "--data", str(data)],
            cwd=ROOT,
            env=environ | (hsm.settings if has_token else {}),
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert softhsm.PIN not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def holders(command):
    told = json.loads(command("keys.py", "list", "--json")[1])
    return [(key["state"], key["holder"].partition(":")[0]) for key in told["keys"]]


def test_keys_live_and_die_in_the_token(command, hsm, data, tmp_path):
    # made there, and so is the next one, without a word
    status, said, complaint = command("keys.py", "create", "--in-token", "--apply")
    assert status == 0, complaint
    assert said.startswith("key 2 (in the token) is pending")
    assert command("keys.py", "activate", "2", "--apply")[0] == 0
    assert command("rotate_keys.py", "--apply")[0] == 0
    assert holders(command) == [
        ("verify-only", "file"),
        ("verify-only", "pkcs11"),
        ("active", "pkcs11"),
    ]
    assert len(hsm.labels("PRIVATE_KEY")) == 2
    assert command("keys.py", "check")[0] == 0

    # a copy has its address only
    copy = (str(tmp_path / "copy"), "--with", str(tmp_path / "word"))
    assert "stays in the token" in command("keys.py", "export", *copy, "--apply")[1]

    # called back, it is gone from there
    status, said, complaint = command("keys.py", "revoke", "3", *STOLEN)
    assert status == 0, complaint
    assert "key 4 (in the token) signs" in said
    assert sorted(hsm.labels("PRIVATE_KEY")) == ["punchproof-00002", "punchproof-00004"]

    # where no token is set up, the ring says so and signs nothing
    status, said, _ = command("keys.py", "check", has_token=False)
    assert (status, said) == (1, "key 4 is in a token, and none is set up here\n")
    assert command("rotate_keys.py", "--apply", has_token=False)[0] == 1


def test_a_token_that_is_away_stops_no_revocation(command, hsm, data):
    command("keys.py", "create", "--in-token", "--apply")
    command("keys.py", "activate", "2", "--apply")
    hsm.directory.rename(hsm.directory.with_name("away"))
    assert command("keys.py", "check")[0] == 1

    status, said, complaint = command("keys.py", "revoke", "2", *STOLEN)

    assert status == 1
    assert "key 3 signs" in said
    assert "the private part of key 2 is still in it" in complaint
    assert holders(command)[-1] == ("active", "file")

    hsm.directory.with_name("away").rename(hsm.directory)
    assert command("rotate_keys.py", "--apply")[0] == 0
    assert hsm.labels("PRIVATE_KEY") == []


def test_without_a_token_none_is_made_in_one(command):
    status, _, complaint = command(
        "keys.py", "create", "--in-token", "--apply", has_token=False
    )

    assert status == 2
    assert "no token is set up" in complaint

"""What anyone may know of the keys: the public parts, and which ring is in use."""

from __future__ import annotations

import base64
import dataclasses
from datetime import UTC, datetime

import pytest

from signing import keyfiles


@pytest.fixture
def settings(settings, tmp_path):
    """A ring with a key in each state."""
    passphrase = tmp_path / "own.passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(keyfiles.new_passphrase())
    opened = keyfiles.read_passphrase(passphrase)
    now = datetime.now(UTC)
    ring = keyfiles.create(tmp_path / "own-keys", opened, now=now)
    for key_id in (2, 3, 4):
        ring = ring.with_new_key(now).activated(key_id, now)
    ring = ring.with_new_key(now).retired(1, now).revoked(2, now)
    keyfiles.save(tmp_path / "own-keys", ring, opened)
    return dataclasses.replace(
        settings, keys=tmp_path / "own-keys", keys_passphrase_file=passphrase
    )


def test_the_keys_that_verify_are_public_and_no_other(house):
    answer = house.app.test_client().get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    keys = answer.get_json()["keys"]
    assert [key["kid"] for key in keys] == ["3", "4", "5"]
    for key in keys:
        mine = house.tools.keys.ring.key(int(key["kid"]))
        assert base64.urlsafe_b64decode(key["x"] + "=") == mine.public_bytes
        assert key == {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "Ed25519",
            "use": "sig",
            "kid": key["kid"],
            "x": key["x"],
        }


def test_readiness_tells_which_ring_it_works_with(house):
    told = house.app.test_client().get("/readyz").get_json()

    assert told["ring"] == house.tools.keys.ring.digest[:16]

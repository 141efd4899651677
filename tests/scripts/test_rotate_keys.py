"""A rotation: a new key signs, and no code that is about is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from scripts import rotate_keys
from scripts.parts.installation import write
from signing import codes, keyfiles
from signing.codes import Kind
from signing.keyring import KeyState

ORIGIN = "https://stamps.example"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data directory with a ring."""
    write(tmp_path / "keys.passphrase", keyfiles.new_passphrase().encode())
    keyfiles.create(tmp_path / "keys", passphrase_of(tmp_path), now=datetime.now(UTC))
    monkeypatch.delenv("PUNCHPROOF_KEYS", raising=False)
    return tmp_path


def passphrase_of(data):
    return keyfiles.read_passphrase(data / "keys.passphrase")


def ring_of(data):
    return keyfiles.load(data / "keys", passphrase_of(data))


def signed(ring):
    end = datetime.now(UTC) + timedelta(minutes=1)
    nonce = codes.new_nonce()
    return codes.sign(Kind.CARD, ring, origin=ORIGIN, not_after=end, nonce=nonce)


def run(data, *words, wait=lambda _seconds: None):
    return rotate_keys.main(["--data", str(data), *words], wait=wait)


def states_of(data):
    return [key.state for key in ring_of(data).keys]


def test_it_shows_what_it_would_do(data, capsys):
    assert run(data) == 0

    assert "key 2 would sign" in capsys.readouterr().out
    assert states_of(data) == [KeyState.ACTIVE]


def test_a_new_key_signs_and_codes_of_the_old_one_live_on(data, capsys):
    code = signed(ring_of(data))

    assert run(data, "--apply") == 0

    ring = ring_of(data)
    assert "key 2 signs now" in capsys.readouterr().out
    assert ring.active.key_id == signed(ring).key_id == 2
    assert codes.verify(code.text, ring, origin=ORIGIN) == code


def test_workers_know_the_key_before_it_signs(data):
    seen = []

    def wait(_seconds):
        seen.extend(states_of(data))

    run(data, "--apply", wait=wait)

    assert seen == [KeyState.ACTIVE, KeyState.PENDING]


def test_one_that_was_cut_short_is_taken_up_again(data):
    # given a rotation that ended while it waited
    def wait(_seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(data, "--apply", wait=wait)

    # when it is started again, then it makes no third key
    assert run(data, "--apply") == 0
    assert states_of(data) == [KeyState.VERIFY_ONLY, KeyState.ACTIVE]


def test_it_tells_a_program_in_json(data, capsys):
    run(data, "--apply", "--json")

    told = json.loads(capsys.readouterr().out)
    assert told == {"applied": True, "key_id": 2, "before": 1, "verifying": 2}


def test_a_missing_ring_is_a_fault(tmp_path, capsys):
    assert run(tmp_path, "--apply") == 1
    assert "rotate_keys: " in capsys.readouterr().err


def test_a_ring_that_somebody_else_changed_is_left_as_it_is(data, capsys):
    # given somebody who activates the pending key while we wait
    def wait(_seconds):
        ring = ring_of(data)
        ring = ring.activated(ring.keys[-1].key_id, datetime.now(UTC))
        keyfiles.save(data / "keys", ring, passphrase_of(data))

    assert run(data, "--apply", wait=wait) == 3
    assert "pending" in capsys.readouterr().err
    assert ring_of(data).active.key_id == 2

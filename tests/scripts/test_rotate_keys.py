"""A rotation: a new key signs, and no code that is about is refused."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from app.store.database import Database
from app.store.nonces import Nonces
from app.store.workers import Report, Workers
from scripts import rotate_keys
from scripts.parts.installation import write
from signing import codes, keyfiles
from signing.codes import Kind
from signing.keyring import KeyState

ORIGIN = "https://stamps.example"


@pytest.fixture
def data(tmp_path):
    """A data directory with a ring and books."""
    write(tmp_path / "keys.passphrase", keyfiles.new_passphrase().encode())
    keyfiles.create(tmp_path / "keys", passphrase_of(tmp_path), now=datetime.now(UTC))
    books = Database(f"sqlite:///{tmp_path / 'punchproof.sqlite3'}")
    books.migrate()
    books.close()
    return tmp_path


@pytest.fixture
def environ(redis_url):
    return {"REDIS_URL": redis_url}


@pytest.fixture
def run(data, environ):
    """Rotate; nothing is really waited for."""

    def with_words(*words, wait=lambda _seconds: None):
        words = ["--data", str(data), *words]
        return rotate_keys.main(words, environ=environ, wait=wait)

    return with_words


def passphrase_of(data):
    return keyfiles.read_passphrase(data / "keys.passphrase")


def ring_of(data):
    return keyfiles.load(data / "keys", passphrase_of(data))


def signed(ring):
    end = datetime.now(UTC) + timedelta(minutes=1)
    nonce = codes.new_nonce()
    return codes.sign(Kind.CARD, ring, origin=ORIGIN, not_after=end, nonce=nonce)


def states_of(data):
    return [key.state for key in ring_of(data).keys]


def test_it_shows_what_it_would_do(run, data, capsys):
    assert run() == 0

    assert "key 2 would sign" in capsys.readouterr().out
    assert states_of(data) == [KeyState.ACTIVE]


def test_a_new_key_signs_and_codes_of_the_old_one_live_on(run, data, capsys):
    code = signed(ring_of(data))

    assert run("--apply") == 0

    ring = ring_of(data)
    assert "key 2 signs now" in capsys.readouterr().out
    assert ring.active.key_id == signed(ring).key_id == 2
    assert codes.verify(code.text, ring, origin=ORIGIN) == code


def test_workers_know_the_key_before_it_signs(run, data):
    seen = []

    def wait(_seconds):
        seen.append(states_of(data))

    run("--apply", wait=wait)

    assert seen
    assert all(states == [KeyState.ACTIVE, KeyState.PENDING] for states in seen)


def test_a_worker_that_does_not_report_the_key_stops_it(run, data, redis_url, capsys):
    workers = Workers.open(redis_url)
    workers.start(lambda: Report("another ring"))

    assert run("--apply", wait=lambda _seconds: workers.live()) == 2
    workers.close()

    assert "not every web worker has read the ring" in capsys.readouterr().err
    assert states_of(data) == [KeyState.ACTIVE, KeyState.PENDING]


def test_where_no_server_runs_nobody_is_waited_for(run, data, environ):
    environ.clear()

    def wait(_seconds):
        raise AssertionError

    assert run("--apply", wait=wait) == 0
    assert ring_of(data).active.key_id == 2


def test_one_that_was_cut_short_is_taken_up_again(run, data):
    # given a rotation that ended while it waited
    def wait(_seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("--apply", wait=wait)

    # when it is started again, then it makes no third key
    assert run("--apply") == 0
    assert states_of(data) == [KeyState.VERIFY_ONLY, KeyState.ACTIVE]


def test_a_young_key_stays(run, data, capsys):
    assert run("--apply", "--if-older-than", "30d") == 3
    assert "key 1 signs since" in capsys.readouterr().err
    assert states_of(data) == [KeyState.ACTIVE]

    assert run("--apply", "--if-older-than", "0m") == 0
    assert ring_of(data).active.key_id == 2


def test_an_age_is_a_number_and_a_unit(run):
    with pytest.raises(SystemExit) as refused:
        run("--if-older-than", "a month")

    assert refused.value.code == 2


def test_it_tells_a_program_in_json(run, capsys):
    run("--apply", "--json")

    told = json.loads(capsys.readouterr().out)
    assert told == {
        "applied": True,
        "key_id": 2,
        "before": 1,
        "secret_id": 2,
        "verifying": 2,
        "workers": 0,
        "retired": [],
        "secrets_dropped": [],
    }


def test_a_missing_ring_is_a_fault(run, data, capsys):
    (data / "keys").rename(data / "gone")

    assert run("--apply") == 1
    assert "rotate_keys: " in capsys.readouterr().err


def test_a_store_that_is_away_is_a_fault(run, data, environ, capsys):
    environ["REDIS_URL"] = f"unix://{data / 'none'}"

    assert run("--apply") == 1
    assert "a store gives no answer" in capsys.readouterr().err


def test_a_ring_that_somebody_else_changed_is_left_as_it_is(run, data, capsys):
    # given somebody who revokes the pending key while we wait
    def wait(_seconds):
        ring = ring_of(data)
        if ring.keys[-1].state is KeyState.PENDING:
            ring = ring.revoked(ring.keys[-1].key_id, datetime.now(UTC))
            keyfiles.save(data / "keys", ring, passphrase_of(data))

    assert run("--apply", wait=wait) == 2
    assert "pending" in capsys.readouterr().err
    assert ring_of(data).active.key_id == 1


# Putting away what is dead


def rotated_at(data, at):
    """A ring that rotated in the past."""
    ring = ring_of(data).with_new_key(at).with_new_secret(at)
    ring = ring.activated(2, at).secret_activated(2, at)
    keyfiles.save(data / "keys", ring, passphrase_of(data))


LONG_AGO = datetime.now(UTC) - timedelta(days=31)


def test_dead_keys_are_put_away_while_the_young_one_signs_on(run, data, capsys):
    rotated_at(data, datetime.now(UTC) - timedelta(days=1))
    words = ("--retire", "--if-older-than", "30d")

    assert run(*words) == 0
    assert capsys.readouterr().out == "would: retired: key 1\nDo it with --apply\n"
    assert states_of(data) == [KeyState.VERIFY_ONLY, KeyState.ACTIVE]

    assert run(*words, "--apply") == 0
    assert capsys.readouterr().out == "retired: key 1\n"
    assert states_of(data) == [KeyState.RETIRED, KeyState.ACTIVE]
    assert not (data / "keys" / "key-00001.pem").exists()

    assert run(*words, "--apply") == 3


def test_a_rotation_and_what_it_leaves_go_together(run, data, capsys):
    rotated_at(data, LONG_AGO)

    assert run("--retire", "--if-older-than", "30d", "--apply", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["key_id"], told["retired"], told["secrets_dropped"]) == (3, [1], [1])
    states = [KeyState.RETIRED, KeyState.VERIFY_ONLY, KeyState.ACTIVE]
    assert states_of(data) == states
    assert [each.secret_id for each in ring_of(data).link_secrets] == [2, 3]


def test_a_key_whose_codes_live_is_not_put_away(run, data, redis_url):
    rotated_at(data, datetime.now(UTC) - timedelta(days=1))
    end = datetime.now(UTC) + timedelta(minutes=9)
    with contextlib.closing(Nonces.open(redis_url)) as nonces:
        kept = {"keep": timedelta(hours=1), "key_id": 1, "not_after": end}
        nonces.issue(codes.new_nonce(), {}, **kept)

    assert run("--retire", "--if-older-than", "30d", "--apply") == 3
    assert states_of(data) == [KeyState.VERIFY_ONLY, KeyState.ACTIVE]

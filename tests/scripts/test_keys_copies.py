"""The key command's copies and passphrases: what it says, does, and how it ends."""

from __future__ import annotations

import base64
import json
import shutil
from datetime import UTC, datetime

import pytest

from app.store.database import Database
from app.store.workers import Report, Workers
from scripts import keys
from scripts.parts.installation import write
from signing import keyfiles
from signing.keyring import KeyState

STOLEN = ("--since", "2026-01-01T08:00", "--reason", "laptop stolen")
LOST = ("renew", "--reason", "fire")


@pytest.fixture
def data(tmp_path):
    """A data directory with a ring and books, and nobody who serves it."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    write(data / "keys.passphrase", keyfiles.new_passphrase().encode())
    keyfiles.create(data / "keys", passphrase_of(data), now=datetime.now(UTC))
    books = Database(f"sqlite:///{data / 'punchproof.sqlite3'}")
    books.migrate()
    books.close()
    return data


@pytest.fixture
def environ():
    return {}


@pytest.fixture
def run(data, environ, capsys):
    """Run the command; gives its status, what it said, and what it complained of."""

    def with_words(*words):
        words = [*map(str, words), "--data", str(data)]
        status = keys.main(words, environ=environ, wait=lambda _seconds: None)
        told = capsys.readouterr()
        return status, told.out, told.err

    return with_words


@pytest.fixture
def copy(tmp_path):
    """The words that name a copy and its passphrase."""
    return (tmp_path / "copy", "--with", tmp_path / "word")


def passphrase_of(data):
    return keyfiles.read_passphrase(data / "keys.passphrase")


def ring_of(data):
    return keyfiles.load(data / "keys", passphrase_of(data))


def states_of(data):
    return [key.state for key in ring_of(data).keys]


def lose(data):
    shutil.rmtree(data / "keys")


def test_a_copy_goes_away_and_comes_back(run, data, copy):
    status, said, _ = run("export", *copy)
    assert (status, copy[0].exists()) == (0, False)
    assert said.startswith("would: a sealed copy of the whole ring (1 key) is in ")
    assert "--apply" in said

    assert run("export", *copy, "--apply")[0] == 0
    assert run("export", *copy, "--apply")[0] == 3
    before = ring_of(data)
    assert run("import", *copy, "--apply")[0] == 3

    lose(data)
    status, said, _ = run("import", *copy)
    assert (status, (data / "keys").exists()) == (0, False)
    assert said.startswith("would: the ring of the copy (1 key) is in ")

    status, said, _ = run("import", *copy, "--apply")
    assert (status, ring_of(data).digest) == (0, before.digest)
    assert "Next: scripts/keys.py check" in said
    assert run("check")[0] == 0


def test_a_copy_of_something_else_is_refused(run, data, copy):
    copy[0].write_text("my thesis")
    status, _, complaint = run("export", *copy, "--apply")
    assert (status, copy[0].read_text()) == (2, "my thesis")
    assert "keys: " in complaint

    assert run("import", *copy, "--apply")[0] == 1


def test_an_older_copy_is_taken_on_demand_only(run, data, copy):
    run("export", *copy, "--apply")
    run("create", "--apply")
    run("activate", "2", "--apply")
    run("revoke", "1", *STOLEN, "--apply")
    lose(data)

    status, _, complaint = run("import", *copy, "--apply")
    assert status == 2
    assert "it lacks key.created 2" in complaint
    assert "key.revoked 1" in complaint

    status, said, _ = run("import", *copy, "--older", "--apply", "--json")
    told = json.loads(said)
    assert (status, told["revoked"], told["passed_over"]) == (0, [1], [2])
    assert (told["made"], told["active"]) == (3, 3)
    assert run("check")[:2] == (0, "the keys are in order; 0 workers have this ring\n")


def test_a_ring_comes_to_a_machine_with_nothing_on_it(run, data, copy, tmp_path):
    run("export", *copy, "--apply")
    digest = ring_of(data).digest
    shutil.rmtree(data)

    status, said, _ = run("import", *copy, "--apply")

    assert (status, ring_of(data).digest) == (0, digest)
    assert "A passphrase is made for it" in said
    assert "There are no books yet" in said
    assert sorted(path.name for path in data.iterdir()) == ["keys", "keys.passphrase"]


def test_the_public_part_is_for_anybody(run, data, tmp_path):
    (data / "keys.passphrase").unlink()
    file = tmp_path / "keys.json"

    assert run("export", file, "--public")[0] == 0
    assert not file.exists()
    assert run("export", file, "--public", "--apply")[0] == 0
    assert run("export", file, "--public", "--apply")[0] == 3

    (key,) = json.loads(file.read_text())["keys"]
    assert (key["key_id"], key["state"]) == (1, "active")


def test_a_passphrase_is_changed(run, data):
    old, digest = passphrase_of(data), ring_of(data).digest
    status, said, _ = run("reseal")
    assert (status, passphrase_of(data)) == (0, old)
    assert said.startswith("would: everything in ")

    status, said, _ = run("reseal", "--apply")

    assert (status, ring_of(data).digest) == (0, digest)
    assert passphrase_of(data) != old
    assert len(passphrase_of(data).words) == 1
    assert run("check")[0] == 0


def test_a_worker_without_the_new_passphrase_stops_it(run, data, environ, redis_url):
    environ["REDIS_URL"] = redis_url
    workers = Workers.open(redis_url)
    workers._tell("b:2:bb", Report(ring_of(data).digest, "does not open"))

    status, _, complaint = run("reseal", "--apply")

    assert status == 2
    assert "b:2:bb (does not open)" in complaint
    assert len(passphrase_of(data).words) == 2

    workers._tell("b:2:bb", Report(ring_of(data).digest))
    status, said, _ = run("reseal", "--apply")
    workers.close()
    assert (status, len(passphrase_of(data).words)) == (0, 1)
    assert "a change that was cut short is taken up" in said


def test_a_lost_passphrase_is_no_end(run, data):
    run("create", "--apply")
    assert run(*LOST, "--apply")[0] == 2
    (data / "keys.passphrase").unlink()
    assert run("list")[0] == 1

    status, said, _ = run(*LOST)
    assert status == 0
    assert said.startswith("would: key 3 is new and signs")
    assert not (data / "keys.passphrase").exists()

    status, said, _ = run(*LOST, "--apply")

    assert status == 0
    assert "The old ring is kept as" in said
    assert states_of(data) == [KeyState.REVOKED, KeyState.REVOKED, KeyState.ACTIVE]
    assert run("check")[0] == 0


def test_public_keys_that_nobody_vouches_for_are_taken_on_demand(run, data):
    run("create", "--apply")
    (data / "keys.passphrase").unlink()
    ring = data / "keys" / "ring.json"
    ring.write_text(ring.read_text().replace('"last_key_id": 2', '"last_key_id": 2 '))
    told = json.loads(ring.read_text())
    told["keys"][1]["state"] = "verify-only"
    ring.write_text(json.dumps(told))

    assert run(*LOST, "--apply")[0] == 2
    status, said, _ = run(*LOST, "--unproven", "--apply")

    assert status == 0
    assert "DOES NOT VOUCH" in said


@pytest.mark.parametrize(
    "words",
    [
        ("export",),
        ("export", "file"),
        ("export", "file", "--with", "word", "--public"),
        ("import", "file"),
        ("import", "file", "--with"),
        ("renew",),
        ("reseal", "now"),
    ],
)
def test_words_that_make_no_sense_end_with_two(words):
    with pytest.raises(SystemExit) as refused:
        keys.main(words)

    assert refused.value.code == 2


def forms(value):
    """Ways in which bytes might be printed."""
    return {
        value.hex(),
        repr(value),
        base64.b64encode(value).decode(),
        base64.urlsafe_b64encode(value).decode().rstrip("="),
    }


def privates_of(ring):
    return [key.signer.private_bytes_raw() for key in ring.keys if key.signer]


def test_no_secret_is_ever_said(run, data, copy, tmp_path):
    hidden, said = set(), ""

    def note():
        with_copy = [passphrase_of(data)]
        if copy[2].exists():
            with_copy.append(keyfiles.read_passphrase(copy[2]))
        for words in with_copy:
            hidden.update(word.decode() for word in words.words)
        ring = ring_of(data)
        for value in (*ring.secrets, *privates_of(ring)):
            hidden.update(forms(value))

    for words in (
        ("create", "--apply"),
        ("activate", "2", "--apply"),
        ("export", *copy, "--apply"),
        ("export", *copy, "--apply", "--json"),
        ("reseal", "--apply", "--json"),
        ("revoke", "1", *STOLEN, "--hard", "--apply", "--json"),
        ("import", *copy, "--apply"),
        ("export", tmp_path / "keys.json", "--public", "--apply", "--json"),
        ("list",),
        ("list", "--json"),
        ("check", "--json"),
        None,
        ("import", *copy, "--older", "--apply"),
        ("reseal", "--apply"),
    ):
        if words is None:
            lose(data)
            continue
        said += "".join(map(str, run(*words)))
        note()
    (data / "keys.passphrase").unlink()
    said += "".join(map(str, run(*LOST, "--apply", "--json")))
    note()
    books = Database(f"sqlite:///{data / 'punchproof.sqlite3'}")
    books.close()
    said += (data / "punchproof.sqlite3").read_bytes().decode("latin-1")
    said += (tmp_path / "keys.json").read_text()

    assert len(hidden) > 20
    assert not [one for one in hidden if one in said]
    assert "PRIVATE" not in said

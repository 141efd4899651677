"""The operator's key command: what it says, what it does, how it ends."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from app.programme import batches, ceremonies
from app.programme.sessions import ConsoleCaller
from app.store.workers import Report
from scripts import keys
from scripts.parts.installation import write
from signing import keyfiles
from signing.keyring import KeyState

STOLEN = ("--since", "2026-01-01T08:00", "--reason", "laptop stolen")


@pytest.fixture
def settings(settings, tmp_path):
    """A data directory of the test's own, with a ring."""
    write(tmp_path / "keys.passphrase", keyfiles.new_passphrase().encode())
    passphrase = keyfiles.read_passphrase(tmp_path / "keys.passphrase")
    keyfiles.create(tmp_path / "keys", passphrase, now=datetime.now(UTC))
    return dataclasses.replace(
        settings,
        keys=tmp_path / "keys",
        keys_passphrase_file=tmp_path / "keys.passphrase",
    )


@pytest.fixture
def environ(settings):
    return {"REDIS_URL": settings.redis_url, "DATABASE_URL": settings.database_url}


@pytest.fixture
def run(tools, settings, environ, capsys):
    """Run the command; gives its status, what it said, and what it complained of."""

    def with_words(*words):
        status = keys.main(
            [*words, "--data", str(settings.data)],
            environ=environ,
            wait=lambda _seconds: None,
        )
        told = capsys.readouterr()
        return status, told.out, told.err

    return with_words


@pytest.fixture
def ring(settings):
    def load():
        passphrase = keyfiles.read_passphrase(settings.keys_passphrase_file)
        return keyfiles.load(settings.keys, passphrase)

    return load


def states(ring):
    return [key.state for key in ring().keys]


def test_each_step_says_what_it_would_do_and_what_comes_next(run, ring):
    status, said, _ = run("create")
    assert (status, states(ring)) == (0, [KeyState.ACTIVE])
    assert said.startswith("would: key 2 is pending")
    assert "--apply" in said

    status, said, _ = run("create", "--apply")
    assert (status, states(ring)) == (0, [KeyState.ACTIVE, KeyState.PENDING])
    assert "Next: scripts/keys.py activate 2" in said

    status, said, _ = run("activate", "2", "--apply")
    assert (status, states(ring)) == (0, [KeyState.VERIFY_ONLY, KeyState.ACTIVE])
    assert "scripts/keys.py retire 1" in said


def test_what_is_so_already_ends_with_three(run):
    run("create", "--apply")

    assert run("create", "--apply")[0] == 3
    assert run("activate", "1", "--apply")[0] == 3
    run("revoke", "2", "--apply", *STOLEN)
    assert run("revoke", "2", "--apply", *STOLEN)[0] == 3


def test_a_guard_ends_with_two(run, tools, ring):
    run("create", "--apply")
    tools.workers._tell("till-pc:7:aa", Report("another ring"))

    status, _, complaint = run("activate", "2", "--apply")

    assert status == 2
    assert "till-pc:7:aa" in complaint
    assert ring().active.key_id == 1
    assert run("retire", "1", "--apply")[0] == 2


def test_a_fault_ends_with_one(run, settings):
    assert run("activate", "9", "--apply")[0] == 1

    settings.keys.rename(settings.data / "gone")
    status, said, complaint = run("list")
    assert (status, said) == (1, "")
    assert "keys: " in complaint


def test_keys_and_workers_are_listed(run, tools, ring):
    tools.workers._tell("till-pc:7:aa", Report(ring().digest))
    run("create", "--apply")
    tools.workers._tell("till-pc:8:bb", Report(ring().digest))

    status, said, _ = run("list")

    assert status == 0
    lines = said.splitlines()
    assert lines[0].split()[:3] == ["key", "1", "active"]
    assert lines[1].split()[:3] == ["key", "2", "pending"]
    assert lines[2].split()[:3] == ["secret", "1", "sealing"]
    assert lines[3].split()[:3] == ["secret", "2", "pending"]
    assert lines[5].startswith("worker till-pc:7:aa HAS ANOTHER RING, for ")
    assert lines[6].startswith("worker till-pc:8:bb has this ring, for ")
    assert "s; reported " in lines[6]

    told = json.loads(run("list", "--json")[1])
    assert [key["state"] for key in told["keys"]] == ["active", "pending"]
    assert [each["holder"] for each in told["keys"]] == ["file", "file"]
    assert [each["state"] for each in told["secrets"]] == ["sealing", "pending"]
    assert [each["has_this_ring"] for each in told["workers"]] == [False, True]
    assert all(each["report_age_s"] < 60 for each in told["workers"])
    assert told["ring"] == ring().digest


def test_the_list_is_there_without_a_nonce_store(run, environ, settings):
    environ["REDIS_URL"] = f"unix://{settings.data / 'none'}"

    status, said, _ = run("list")

    assert status == 0
    assert "nobody knows" in said


def test_keys_in_order_are_said_to_be(run, tools, ring):
    tools.workers._tell("till-pc:7:aa", Report(ring().digest))
    assert run("check")[:2] == (0, "the keys are in order; 1 workers have this ring\n")

    tools.workers._tell("till-pc:7:aa", Report(ring().digest, "ring.json is torn"))
    status, said, _ = run("check")

    assert status == 1
    assert "ring.json is torn" in said


def test_a_retired_key_is_gone(run, ring, settings):
    # given a rotation that is long over
    passphrase = keyfiles.read_passphrase(settings.keys_passphrase_file)
    past = datetime.now(UTC) - ceremonies.LAST_CODE_DEAD - timedelta(seconds=5)
    changed = ring().with_new_key(past)
    keyfiles.save(settings.keys, changed.activated(2, past), passphrase)

    assert run("check")[1] == "key 1 can be retired: its last code is dead\n"
    assert run("retire", "1", "--apply")[0] == 0
    assert states(ring) == [KeyState.RETIRED, KeyState.ACTIVE]
    assert not (settings.keys / "key-00001.pem").exists()


def test_a_stolen_key_is_revoked_and_what_it_made_is_listed(
    run, ring, tools, make_card, give, tmp_path
):
    card = give(make_card(), 3)
    file = tmp_path / "review.csv"

    status, said, _ = run("revoke", "1", *STOLEN, "--csv", str(file))
    assert (status, states(ring)) == (0, [KeyState.ACTIVE])
    assert said.startswith("would: key 1 is revoked; key 2 signs")

    status, said, _ = run("revoke", "1", *STOLEN, "--csv", str(file), "--apply")

    assert (status, states(ring)) == (0, [KeyState.REVOKED, KeyState.ACTIVE])
    assert "1 entries. None was removed" in said
    assert f"card {card.number}" in said
    with file.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["kind"], row["units"]) for row in rows] == [("EARN", "3")]


def test_a_program_is_told_the_review_list(run, make_card, give):
    card = give(make_card(), 2)

    told = json.loads(run("revoke", "1", *STOLEN, "--apply", "--json")[1])

    assert (told["key_id"], told["active"], told["applied"]) == (1, 2, True)
    assert [made["card_number"] for made in told["review"]] == [card.number]


def test_what_is_on_paper_stays_good_unless_it_is_told_to_be_hard(run, ring):
    run("revoke", "1", *STOLEN, "--apply")
    status, said, _ = run("revoke", "2", *STOLEN, "--hard", "--apply", "--json")

    told = json.loads(said)
    assert (status, told["hard"], told["secrets_dropped"]) == (0, True, [2])
    since = [key.revoked_since for key in ring().keys[:2]]
    assert since == [datetime(2026, 1, 1, 8, 0, tzinfo=UTC), None]


def test_printed_batches_that_are_hit_are_listed(run, tools, founded, clock, tmp_path):
    clock.forward(timedelta(hours=-2))
    batches.make(
        tools,
        name="Spring market",
        programme_id=founded.programme_id,
        location_id=None,
        stamps=1,
        count=30,
        last_day=tools.now().date() + timedelta(days=30),
        by=ConsoleCaller(founded.staff_id, "Owner", "owner"),
    )
    file = tmp_path / "review.csv"
    clock.forward(timedelta(hours=2))
    an_hour_ago = f"{tools.now() - timedelta(hours=1):%Y-%m-%dT%H:%M}"
    since = ("--since", an_hour_ago, "--reason", "laptop stolen")

    # shown as it would be: made before, made after, and whatever its age
    said = "".join(map(str, run("revoke", "1", *since)))
    assert "30 of 30 codes are out, the batch stays good" in said
    assert "the batch is good no more" in run("revoke", "1", *STOLEN)[1]
    assert "is good no more" in run("revoke", "1", *since, "--hard")[1]

    run("revoke", "1", *since, "--apply", "--csv", str(file))

    with file.open(encoding="utf-8") as stream:
        [row] = csv.DictReader(stream)
    assert (row["batch_name"], row["batch_stays_good"]) == ("Spring market", "True")
    # and told again, as the ring judges it by now
    told = json.loads(run("revoke", "1", *STOLEN, "--json")[1])
    assert [batch["stays_good"] for batch in told["batches"]] == [True]


def test_the_review_list_can_be_had_again(run, make_card, give):
    card = give(make_card(), 2)
    run("revoke", "1", *STOLEN, "--apply")

    status, said, complaint = run("revoke", "1", *STOLEN)

    assert status == 3
    assert f"card {card.number}" in said
    assert "was revoked" in complaint


def test_a_revocation_says_who_did_not_hear_of_it(run, tools, ring):
    tools.workers._tell("till-pc:7:aa", Report(ring().digest))

    status, _, complaint = run("revoke", "1", *STOLEN, "--apply")

    assert status == 1
    assert "key 1 is revoked, but worker till-pc:7:aa" in complaint
    assert states(ring) == [KeyState.REVOKED, KeyState.ACTIVE]


def test_a_revocation_goes_on_without_any_store(run, ring, environ, settings):
    environ["REDIS_URL"] = f"unix://{settings.data / 'none'}"
    environ["DATABASE_URL"] = f"sqlite:///{settings.data / 'no' / 'books'}"

    status, _, complaint = run("revoke", "1", *STOLEN, "--apply")

    assert status == 1
    assert "the audit log has no line" in complaint
    assert "there is no review list" in complaint
    assert states(ring) == [KeyState.REVOKED, KeyState.ACTIVE]


def test_a_review_list_that_cannot_be_written_is_complained_of(run, ring, tmp_path):
    missing = tmp_path / "none" / "review.csv"

    status, _, complaint = run("revoke", "1", *STOLEN, "--apply", "--csv", str(missing))

    assert status == 1
    assert "could not be written" in complaint
    assert states(ring) == [KeyState.REVOKED, KeyState.ACTIVE]


def test_no_secret_is_said(run, settings, ring):
    passphrase = settings.keys_passphrase_file.read_text().strip()
    said = ""
    for words in (
        ("create", "--apply", "--json"),
        ("activate", "2", "--apply"),
        ("revoke", "2", "--apply", "--json", *STOLEN),
        ("list",),
        ("list", "--json"),
        ("check",),
    ):
        said += "".join(map(str, run(*words)))

    assert passphrase not in said
    assert all(secret.hex() not in said for secret in ring().secrets)
    assert "PRIVATE" not in said


@pytest.mark.parametrize(
    "words", [(), ("melt",), ("revoke", "1"), ("revoke", "1", "--since", "then")]
)
def test_words_that_make_no_sense_end_with_two(words):
    with pytest.raises(SystemExit) as refused:
        keys.main(words)

    assert refused.value.code == 2


def test_it_can_be_run():
    assert os.access(keys.__file__, os.X_OK)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_a_moment_at_the_end_of_the_calendar_is_none(text):
    with pytest.raises(ValueError, match=text[:4]):
        keys.moment(text)

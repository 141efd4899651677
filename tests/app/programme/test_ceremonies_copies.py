"""Copies of the ring: one sealed file away, and back where it is wanted."""

from __future__ import annotations

import dataclasses
import json
import shutil
import stat
from datetime import timedelta

import pytest

from app.programme import ceremonies
from app.programme.ceremonies import AlreadySo, CeremonyRefused
from app.programme.errors import StoreDown
from app.store.database import Database
from signing import keyfiles
from signing.errors import RingUnreadable
from tests.app.programme.key_rooms import (
    CutShortError,
    actions,
    dies,
    log,
    own_ring,
    patient,
    room_of,
    states,
)


@pytest.fixture
def settings(settings, tmp_path):
    return own_ring(settings, tmp_path)


@pytest.fixture
def room(tools):
    return room_of(tools)


@pytest.fixture
def away(tmp_path):
    """Where copies are kept."""
    directory = tmp_path / "stick"
    directory.mkdir()
    return directory


@pytest.fixture
def export(room, away):
    def to(name="ring", is_applied=True):
        word = away / "word"
        return ceremonies.export(
            room, away / name, passphrase_file=word, is_applied=is_applied
        )

    return to


@pytest.fixture
def bring_back(tools, away):
    def of(name="ring", tools=tools, takes_older=False, is_applied=True):
        return ceremonies.bring_back(
            tools,
            away / name,
            passphrase_file=away / "word",
            takes_older=takes_older,
            is_applied=is_applied,
        )

    return of


def rotate(room):
    return ceremonies.rotate(room, is_applied=True, wait=patient)


def revoke(room, key_id):
    now = room.tools.now()
    ceremonies.revoke(room, key_id, since=now, reason="stolen", is_applied=True)


def lose(room):
    """The keys directory is gone, with or without the passphrase."""
    shutil.rmtree(room.directory)


def with_books(tools, path):
    return dataclasses.replace(tools, database=Database(f"sqlite:///{path}"))


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


# Away


def test_a_copy_is_one_file_with_a_passphrase_of_its_own(room, away, export):
    assert not export(is_applied=False).is_applied
    assert list(away.iterdir()) == []

    done = export()

    assert done.is_passphrase_made
    assert {path.name for path in away.iterdir()} == {"ring", "word"}
    assert {mode_of(path) for path in away.iterdir()} == {0o600}
    words = keyfiles.read_passphrase(away / "word")
    copy = keyfiles.unpack((away / "ring").read_bytes(), words)
    assert (copy.digest, copy.secrets) == (room.ring().digest, room.ring().secrets)
    assert words != room.passphrase
    ((action, subject, detail),) = log(room)
    assert (action, subject) == ("key.exported", "ring")
    assert (detail["file"], detail["ring"]) == ("ring", room.ring().digest)


def test_a_copy_that_is_there_is_never_overwritten(room, away, export):
    export()
    first = (away / "ring").read_bytes()
    with pytest.raises(AlreadySo):
        export()

    rotate(room)
    with pytest.raises(CeremonyRefused, match="is there already"):
        export()
    assert (away / "ring").read_bytes() == first

    assert not export("another").is_passphrase_made


def test_a_file_that_is_no_copy_is_left_alone(room, away, export):
    (away / "ring").write_text("my thesis")

    for _ in range(2):
        with pytest.raises(CeremonyRefused, match="no copy of this ring"):
            export()
    assert (away / "ring").read_text() == "my thesis"
    assert not (away / "word").exists()


def test_a_copy_does_not_open_with_the_passphrase_of_the_server(room, away):
    theirs = room.tools.settings.keys_passphrase_file

    with pytest.raises(CeremonyRefused, match="one of its own"):
        ceremonies.export(room, away / "ring", passphrase_file=theirs, is_applied=True)


def test_a_copy_and_its_passphrase_are_two_files(room, away):
    with pytest.raises(CeremonyRefused, match="one file"):
        ceremonies.export(
            room, away / "ring", passphrase_file=away / "ring", is_applied=True
        )


def test_without_the_books_there_is_no_copy(room, away, make_tools, tmp_path):
    tools = make_tools(database_url=f"sqlite:///{tmp_path / 'no' / 'books'}")

    with pytest.raises(StoreDown):
        ceremonies.export(
            dataclasses.replace(room, tools=tools),
            away / "ring",
            passphrase_file=away / "word",
            is_applied=True,
        )
    assert not (away / "ring").exists()


def test_a_place_that_cannot_be_written_is_a_fault(room, away, export):
    shutil.rmtree(away)
    away.write_text("no directory")

    with pytest.raises(RingUnreadable, match="cannot write"):
        export()
    assert log(room) == []


def test_the_public_part_needs_no_passphrase_and_holds_no_secret(room, away):
    rotate(room)
    file = away / "keys.json"

    ceremonies.export_public(room.directory, file, is_applied=True)

    told = json.loads(file.read_text())
    assert [key["state"] for key in told["keys"]] == ["verify-only", "active"]
    assert told["ring"] == room.ring().digest
    assert set(told) == {"format", "ring", "keys"}
    with pytest.raises(AlreadySo):
        ceremonies.export_public(room.directory, file, is_applied=True)
    ceremonies.create(room, is_applied=True)
    with pytest.raises(CeremonyRefused):
        ceremonies.export_public(room.directory, file, is_applied=True)


# Back


def test_a_lost_ring_comes_back(room, tools, export, bring_back):
    rotate(room)
    export()
    before = room.ring()
    lose(room)
    assert not bring_back(is_applied=False).is_applied
    assert not room.directory.exists()

    done = bring_back()

    after = room.ring()
    assert (after.digest, after.secrets) == (before.digest, before.secrets)
    assert mode_of(room.directory) == 0o700
    assert not done.is_passphrase_made
    action, _, detail = log(room)[-1]
    assert (action, detail["older"]) == ("key.imported", False)
    assert detail["keys"] == {"1": "verify-only", "2": "active"}
    assert ceremonies.problems(room, after, ()) == []
    with pytest.raises(AlreadySo):
        bring_back()


def test_a_passphrase_is_made_where_there_is_none(room, tools, export, bring_back):
    export()
    digest = room.ring().digest
    lose(room)
    room.tools.settings.keys_passphrase_file.unlink()

    assert bring_back().is_passphrase_made

    fresh = room_of(tools)
    assert fresh.ring().digest == digest
    assert fresh.passphrase != room.passphrase
    assert mode_of(tools.settings.keys_passphrase_file) == 0o600


def test_an_empty_directory_is_filled(room, export, bring_back):
    export()
    lose(room)
    room.directory.mkdir(mode=0o700)
    (room.directory / "ring.lock").touch(mode=0o600)

    bring_back()

    assert states(room) == ["active"]


def test_a_directory_that_cannot_be_replaced_is_filled(
    room, export, bring_back, monkeypatch
):
    # given something that is mounted there
    export()
    lose(room)
    (room.directory / "lost+found").mkdir(parents=True)
    room.directory.chmod(0o700)

    bring_back()

    assert states(room) == ["active"]
    assert not room.directory.with_name("own-keys.new").exists()


def test_it_works_before_there_are_books(
    room, export, bring_back, make_tools, tmp_path
):
    export()
    lose(room)
    books = tmp_path / "none.sqlite3"
    tools = with_books(room.tools, books)

    done = bring_back(tools=tools)

    assert not done.has_books
    assert not books.exists()
    assert states(room) == ["active"]


def test_books_that_give_no_answer_stop_it(room, export, bring_back, tmp_path):
    export()
    lose(room)
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"no database at all" * 100)

    with pytest.raises(StoreDown):
        bring_back(tools=with_books(room.tools, broken))
    assert not room.directory.exists()


@pytest.mark.parametrize("step", ["keyfiles.save", "sync", "audit.record"])
def test_cut_short_it_can_be_done_again(room, export, bring_back, monkeypatch, step):
    export()
    digest = room.ring().digest
    lose(room)
    room.tools.settings.keys_passphrase_file.unlink()
    with monkeypatch.context() as broken:
        broken.setattr(f"app.programme.ceremonies.copies.{step}", dies)
        with pytest.raises(CutShortError):
            bring_back()

    try:
        bring_back()
    except AlreadySo:
        # It was cut short after the ring was there.
        assert step == "sync"

    assert room_of(room.tools).ring().digest == digest


def test_a_copy_that_goes_on_is_put_onto_an_older_ring(
    room, export, bring_back, tmp_path
):
    old = tmp_path / "as-it-was"
    shutil.copytree(room.directory, old)
    rotate(room)
    export()
    digest = room.ring().digest
    lose(room)
    shutil.copytree(old, room.directory)

    bring_back()

    assert room.ring().digest == digest


def test_a_copy_that_is_older_than_the_ring_is_refused(room, export, bring_back):
    export()
    rotate(room)

    with pytest.raises(CeremonyRefused, match="older than the ring"):
        bring_back(takes_older=True)
    assert states(room) == ["verify-only", "active"]


def test_a_copy_of_another_ring_is_refused(room, export, bring_back, tmp_path, clock):
    export()
    lose(room)
    keyfiles.create(room.directory, room.passphrase, now=clock())

    with pytest.raises(CeremonyRefused, match="not of the same line"):
        bring_back()


def test_what_cannot_be_opened_is_not_replaced(room, export, bring_back):
    export()
    (room.directory / "ring.json").write_text("torn")

    with pytest.raises(RingUnreadable, match=r"move .* away first"):
        bring_back()


@pytest.mark.parametrize(
    "damage", [b"", b"no copy", b"punchproof-bundle/1\n" + bytes(99)]
)
def test_a_file_that_is_no_copy_is_refused(room, export, bring_back, away, damage):
    export()
    (away / "ring").write_bytes(damage)

    with pytest.raises(RingUnreadable, match="bundle"):
        bring_back()


# Older than the books


def test_a_copy_that_is_older_than_the_books_is_refused(room, export, bring_back):
    export()
    rotate(room)
    revoke(room, 1)
    lose(room)

    with pytest.raises(CeremonyRefused) as refused:
        bring_back()

    told = str(refused.value)
    for step in ("key.created 2", "key.activated 2", "key.revoked 1"):
        assert step in told
    assert "--older" in told
    assert not room.directory.exists()


def test_taken_all_the_same_it_trusts_nothing_that_the_books_call_dead(
    room, export, bring_back
):
    export()
    rotate(room)
    revoke(room, 1)
    stolen = room.ring().key(1)
    lose(room)

    done = bring_back(takes_older=True)

    ring = room.ring()
    assert states(room) == ["revoked", "active"]
    assert ring.key(1).revoked_since == stolen.revoked_since
    # id 2 was another key's, and is never given again
    assert (done.revoked, done.passed_over, done.key_id) == ((1,), (2,), 3)
    assert [secret.secret_id for secret in ring.link_secrets] == [4]
    detail = log(room)[-1][2]
    assert (detail["older"], detail["revoked"], detail["passed_over"]) == (
        True,
        [1],
        [2],
    )
    # and from then on it is the ring of the last ceremony
    assert ceremonies.problems(room, ring, ()) == []
    rotate(room)
    assert ceremonies.problems(room, room.ring(), ()) == []


def test_what_is_not_dead_signs_on(room, export, bring_back):
    export()
    rotate(room)
    lose(room)

    done = bring_back(takes_older=True)

    assert (done.revoked, done.passed_over, done.key_id) == ((), (2,), None)
    assert states(room) == ["active"]
    ceremonies.create(room, is_applied=True)
    assert room.ring().keys[-1].key_id == 3


def test_a_key_that_was_retired_is_retired_again(room, clock, export, bring_back):
    rotate(room)
    export()
    clock.forward(ceremonies.LAST_CODE_DEAD)
    ceremonies.retire(room, 1, is_applied=True)
    lose(room)
    with pytest.raises(CeremonyRefused, match=r"key\.retired 1"):
        bring_back()

    bring_back(takes_older=True)

    assert states(room) == ["retired", "active"]


def test_a_loss_that_the_copy_does_not_know_is_made_good(
    room, tools, export, bring_back
):
    # given a copy from before the passphrase was lost and all keys made anew
    export()
    tools.settings.keys_passphrase_file.unlink()
    ceremonies.renew(tools, reason="fire", takes_unproven=False, is_applied=True)
    lost_at = room_of(tools).ring().key(1).revoked_at
    lose(room)
    with pytest.raises(CeremonyRefused, match=r"key\.renewed 2"):
        bring_back()

    done = bring_back(takes_older=True)

    ring = room_of(tools).ring()
    assert (done.revoked, done.passed_over, done.key_id) == ((1,), (2,), 3)
    # paper of the lost key stays good
    assert abs(ring.key(1).revoked_since - lost_at) <= timedelta(seconds=1)
    assert ceremonies.problems(room_of(tools), ring, ()) == []


def test_another_installations_key_is_known_by_its_public_part(
    room, export, bring_back, clock, away
):
    # given another installation with a key 2 of its own
    export("theirs")
    rotate(room)
    lose(room)
    words = keyfiles.read_passphrase(away / "word")
    theirs = keyfiles.unpack((away / "theirs").read_bytes(), words)
    keyfiles.save(room.directory, theirs.with_new_key(clock()), room.passphrase)
    data = keyfiles.pack(room.directory, room.passphrase, sealed_with=words)
    (away / "other").write_bytes(data)
    lose(room)

    with pytest.raises(CeremonyRefused, match="another installation's"):
        bring_back("other", takes_older=True)


def test_nothing_that_is_told_is_secret(room, away, export, bring_back):
    told = repr(export()) + json.dumps([detail for *_, detail in log(room)])
    words = keyfiles.read_passphrase(away / "word")
    lose(room)
    told += repr(bring_back()) + json.dumps([detail for *_, detail in log(room)])

    for word in (*words.words, *room.passphrase.words):
        assert word.decode() not in told
    for secret in room.ring().secrets:
        assert secret.hex() not in told
        assert repr(secret) not in told
    assert actions(room) == [("key.exported", "ring"), ("key.imported", "ring")]

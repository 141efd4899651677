"""Another passphrase: changed in good time, or after the old one was lost."""

from __future__ import annotations

import dataclasses
import json
import shutil
import stat
from datetime import timedelta

import pytest

from app.programme import ceremonies, stamping
from app.programme.ceremonies import CeremonyRefused, passphrases
from app.programme.errors import CodeRevoked, StoreDown
from app.store.database import Database
from app.store.workers import Report
from signing import keyfiles
from signing.errors import RingUnreadable
from tests.app.programme.key_rooms import (
    CutShortError,
    dies,
    log,
    own_ring,
    patient,
    room_of,
    secrets_of,
    states,
)


@pytest.fixture
def settings(settings, tmp_path):
    return own_ring(settings, tmp_path)


@pytest.fixture
def room(tools):
    return room_of(tools)


def lines_of(tools):
    return tools.settings.keys_passphrase_file.read_text().split()


def reseal(tools, wait=patient):
    """Reseal as a command of its own would: with the passphrase as it is now."""
    return ceremonies.reseal(room_of(tools), is_applied=True, wait=wait)


def report(tools, problem=None):
    ring = room_of(tools).ring()
    tools.workers._tell("till-pc:1:aa", Report(ring.digest, problem))


# Changed


def test_a_new_passphrase_opens_the_same_ring_and_the_old_one_nothing(room, tools):
    before, (old,) = room.ring(), lines_of(tools)
    ceremonies.reseal(room, is_applied=False, wait=dies)
    assert lines_of(tools) == [old]

    reseal(tools)

    (new,) = lines_of(tools)
    assert new != old
    assert stat.S_IMODE(tools.settings.keys_passphrase_file.stat().st_mode) == 0o600
    after = room_of(tools).ring()
    assert (after.digest, after.secrets) == (before.digest, before.secrets)
    with pytest.raises(RingUnreadable):
        room.ring()
    assert [line[:2] for line in log(room)] == [("key.resealed", "ring")]
    assert ceremonies.problems(room_of(tools), after, ()) == []


def test_a_running_server_takes_the_passphrase_up(room, tools):
    reseal(tools)
    ceremonies.rotate(room_of(tools), is_applied=True, wait=patient)

    assert tools.keys.refresh()

    assert tools.keys.problem is None
    assert tools.keys.ring.active.key_id == 2


def test_a_worker_that_cannot_open_the_ring_keeps_the_old_line(room, tools):
    report(tools, "sealed with another passphrase")
    waits = []

    with pytest.raises(CeremonyRefused, match="till-pc:1:aa") as refused:
        reseal(tools, wait=waits.append)

    assert sum(waits) >= ceremonies.WORKERS_PATIENCE.total_seconds()
    assert "Both passphrases stay" in str(refused.value)
    new, old = lines_of(tools)
    assert log(room) == []
    # either line opens what has the new seal only by the first
    assert room_of(tools).ring().digest
    assert old.encode() == room.passphrase.sealing

    # and when the worker has it, the change is taken up with the same passphrase
    report(tools)
    assert reseal(tools).is_taken_up
    assert lines_of(tools) == [new]


def test_a_worker_is_not_believed_before_it_has_looked(room, tools):
    report(tools)
    waits = []

    reseal(tools, wait=waits.append)

    assert waits[0] >= passphrases.HEARD_AFTER.total_seconds()


@pytest.mark.parametrize("step", ["keyfiles.reseal", "_await_opening", "audit.record"])
def test_cut_short_it_is_taken_up(room, tools, monkeypatch, step):
    digest = room.ring().digest
    with monkeypatch.context() as broken:
        broken.setattr(f"app.programme.ceremonies.passphrases.{step}", dies)
        with pytest.raises(CutShortError):
            reseal(tools)
    assert len(lines_of(tools)) == 2
    assert room_of(tools).ring().digest == digest

    assert reseal(tools).is_taken_up

    assert len(lines_of(tools)) == 1
    assert room_of(tools).ring().digest == digest
    assert len(log(room)) == 1


def test_books_that_are_away_leave_both_lines(room, tools, make_tools, tmp_path):
    away = make_tools(database_url=f"sqlite:///{tmp_path / 'no' / 'books'}")

    with pytest.raises(StoreDown):
        reseal(away)

    assert len(lines_of(tools)) == 2
    reseal(tools)
    assert len(lines_of(tools)) == 1


def test_a_passphrase_that_cannot_be_written_changes_nothing(room, tools, tmp_path):
    before = room.ring().digest
    place = tmp_path / "sealed-off"
    place.mkdir()
    file = place / "passphrase"
    shutil.copy(tools.settings.keys_passphrase_file, file)
    settings = dataclasses.replace(tools.settings, keys_passphrase_file=file)
    other = dataclasses.replace(
        room, tools=dataclasses.replace(tools, settings=settings)
    )
    shutil.rmtree(place)

    with pytest.raises(RingUnreadable, match="cannot write"):
        ceremonies.reseal(other, is_applied=True, wait=patient)

    assert room.ring().digest == before


def test_the_file_behind_a_link_is_the_one_that_changes(room, tools, tmp_path):
    file = tools.settings.keys_passphrase_file
    real = tmp_path / "real"
    file.rename(real)
    file.symlink_to(real)

    reseal(tools)

    assert file.is_symlink()
    assert len(real.read_text().split()) == 1
    assert room_of(tools).ring()


# Lost


@pytest.fixture
def lost(room, tools):
    """The passphrase of a ring with two ceremonies is gone."""
    ceremonies.rotate(room, is_applied=True, wait=patient)
    tools.keys.refresh()
    tools.settings.keys_passphrase_file.unlink()
    return room.ring()


def renew(tools, **options):
    words = {"reason": "fire", "takes_unproven": False, "is_applied": True}
    return ceremonies.renew(tools, **{**words, **options})


def kept(tools):
    return sorted(tools.settings.keys.parent.glob("own-keys.lost-*"))


def test_after_a_loss_every_key_is_revoked_and_one_is_made(
    tools, barista, make_card, lost
):
    card = make_card()
    out = stamping.card_code(tools, card.card_id).code
    assert renew(tools, is_applied=False).key_id == 3
    assert kept(tools) == []

    done = renew(tools)

    room = room_of(tools)
    ring = room.ring()
    assert states(room) == ["revoked", "revoked", "active"]
    assert secrets_of(room) == {3: "seals"}
    assert (done.key_id, done.revoked, done.is_proven) == (3, (1, 2), True)
    assert [key.public for key in ring.keys[:2]] == [key.public for key in lost.keys]
    assert all(key.revoked_since == key.revoked_at for key in ring.keys[:2])
    # a server that runs takes it up, and codes that are out are asked for afresh
    tools.keys.refresh()
    with pytest.raises(CodeRevoked):
        stamping.stamp(tools, out, stamps=1, request_id="a" * 32, staff=barista)
    fresh = stamping.card_code(tools, card.card_id).code
    stamping.stamp(tools, fresh, stamps=1, request_id="b" * 32, staff=barista)


def test_the_old_ring_is_kept_beside_and_opens_if_the_passphrase_is_found(
    room, lost, tools
):
    done = renew(tools)

    assert kept(tools) == [done.kept_as]
    assert keyfiles.load(done.kept_as, room.passphrase).digest == lost.digest
    names = {path.name for path in tools.settings.keys.iterdir()}
    assert names == {"ring.json", "ring.lock", "key-00003.pem", "secret-00003.sealed"}


def test_it_is_in_the_log_and_the_ring_is_that_of_the_last_ceremony(lost, tools):
    renew(tools)

    room = room_of(tools)
    action, subject, detail = log(room)[-1]
    assert (action, subject, detail["reason"]) == ("key.renewed", "3", "fire")
    assert (detail["revoked"], detail["proven"]) == ([1, 2], True)
    assert ceremonies.problems(room, room.ring(), ()) == []
    ceremonies.rotate(room, is_applied=True, wait=patient)
    assert ceremonies.problems(room, room.ring(), ()) == []


def test_a_wrong_passphrase_file_is_kept_beside_too(lost, tools):
    wrong = tools.settings.keys_passphrase_file
    wrong.touch(mode=0o600)
    wrong.write_text("0" * 64)

    renew(tools)

    (old,) = wrong.parent.glob("own.passphrase.lost-*")
    assert old.read_text() == "0" * 64
    assert room_of(tools).ring().active.key_id == 3


def test_a_ring_that_opens_is_not_renewed(room, tools):
    with pytest.raises(CeremonyRefused, match="opens the ring"):
        renew(tools)
    assert states(room) == ["active"]


def test_public_parts_that_the_log_does_not_know_are_refused(room, lost, tools):
    file = room.directory / "ring.json"
    told = json.loads(file.read_text())
    told["keys"][0]["public"] = told["keys"][1]["public"]
    file.write_text(json.dumps(told))

    with pytest.raises(CeremonyRefused, match="not the ring of the last ceremony"):
        renew(tools)
    assert kept(tools) == []

    done = renew(tools, takes_unproven=True)

    assert (done.is_proven, log(room)[-1][2]["proven"]) == (False, False)


def test_a_log_that_knows_no_ceremony_vouches_for_nothing(room, tools):
    tools.settings.keys_passphrase_file.unlink()

    assert renew(tools).is_proven is None
    assert states(room_of(tools)) == ["revoked", "active"]


def test_it_works_before_there_are_books(lost, tools, tmp_path):
    books = tmp_path / "none.sqlite3"
    database = Database(f"sqlite:///{books}")

    done = renew(dataclasses.replace(tools, database=database))

    assert not done.has_books
    assert not books.exists()
    assert states(room_of(tools)) == ["revoked", "revoked", "active"]


@pytest.mark.parametrize(
    "step", ["_keep_beside", "write_passphrase", "make_directory", "writing", "sync"]
)
def test_a_loss_that_was_cut_short_is_taken_up(lost, tools, clock, monkeypatch, step):
    with monkeypatch.context() as broken:
        broken.setattr(f"app.programme.ceremonies.passphrases.{step}", dies)
        with pytest.raises(CutShortError):
            renew(tools)

    clock.forward(timedelta(seconds=2))
    done = renew(tools)

    room = room_of(tools)
    assert room.ring().active.key_id == done.key_id
    assert states(room).count("active") == 1
    assert ceremonies.problems(room, room.ring(), ()) == []
    assert not (room.directory / "renewed.new").exists()


def test_a_ring_that_is_gone_needs_a_copy(lost, tools):
    shutil.rmtree(tools.settings.keys)

    with pytest.raises(RingUnreadable):
        renew(tools)


def test_nothing_that_is_told_is_secret(lost, room, tools):
    told = repr(renew(tools)) + repr(reseal(tools))
    told += json.dumps([detail for *_, detail in log(room)])

    now = room_of(tools)
    for word in (*now.passphrase.words, *room.passphrase.words):
        assert word.decode() not in told
    for secret in (*now.ring().secrets, *lost.secrets):
        assert secret.hex() not in told
        assert repr(secret) not in told

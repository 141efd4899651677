"""What is wrong with the keys: ring, audit log and workers compared."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from app.programme import audit, ceremonies
from app.programme.ceremonies import log
from app.programme.errors import StoreDown
from app.store.database import Database
from app.store.workers import Report
from signing import keyfiles
from signing.keyfiles import book
from tests.app.programme.key_rooms import own_ring, patient, room_of
from tests.conftest import both_books

DAY = timedelta(days=1)


@pytest.fixture
def settings(settings, tmp_path):
    return own_ring(settings, tmp_path)


@pytest.fixture
def room(tools):
    return room_of(tools)


def found(room):
    return ceremonies.problems(room, room.ring(asks_token=False), room.live())


def rotate(room):
    return ceremonies.rotate(room, is_applied=True, wait=patient)


def put_back(room, copy):
    shutil.rmtree(room.directory)
    shutil.copytree(copy, room.directory)


@pytest.fixture
def copied(room, tmp_path):
    """A copy of the directory as it is now."""

    def copy(name):
        shutil.copytree(room.directory, tmp_path / name)
        return tmp_path / name

    return copy


def test_a_ring_that_no_ceremony_touched_is_in_order(room):
    assert found(room) == []


def test_an_older_copy_that_was_put_back_shows_itself(room, copied):
    rotate(room)
    copy = copied("before")
    now = room.tools.now()
    ceremonies.revoke(room, 1, since=now, reason="stolen", is_applied=True)
    assert found(room) == []

    put_back(room, copy)

    (told,) = found(room)
    assert told.startswith("the ring on the disk is not the one of the last ceremony, ")
    assert "it lacks key.secret_replaced 1" in told
    assert "key.revoked 1" in told
    assert "an older copy may have been put back" in told


def test_so_does_the_ring_from_before_the_first_ceremony(room, copied):
    copy = copied("first")
    rotate(room)

    put_back(room, copy)

    (told,) = found(room)
    assert "it lacks key.created 2" in told


def test_a_ceremony_without_the_books_shows_itself(room, make_tools, tmp_path, clock):
    rotate(room)
    away = make_tools(database_url=f"sqlite:///{tmp_path / 'no' / 'books'}")
    without = dataclasses.replace(room, tools=away)
    ceremonies.revoke(without, 1, since=clock(), reason="stolen", is_applied=True)

    (told,) = found(room)

    assert "it lacks" not in told
    assert "or a ceremony was done while the books were away" in told


def test_a_ring_as_an_older_release_wrote_it_is_the_one_of_its_log(room):
    # given a ring of a release that knew less, and the line that it left
    path = room.directory / "ring.json"
    document, _ = book.open_document(path.name, path.read_bytes())
    for key in document["keys"]:
        del key["holder"], key["revoked_since"]
    for secret in document["secrets"]:
        del secret["activated_at"]
    path.write_bytes(book.sealed_text(document, room.passphrase))
    digest = keyfiles.untrusted_ring(room.directory).digest
    with room.tools.database.begin() as tx:
        audit.record(tx, room.tools, "key.activated", 1, by=None, ring=digest)

    assert digest != room.ring().digest
    assert found(room) == []


def test_books_that_are_away_are_told(room, make_tools, tmp_path):
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"no database at all" * 100)
    database = Database(f"sqlite:///{broken}")
    tools = dataclasses.replace(room.tools, database=database)

    (told,) = found(dataclasses.replace(room, tools=tools))

    assert told.startswith("the books give no answer")


def test_before_there_are_books_there_is_nothing_to_compare(room, tmp_path):
    rotate(room)
    database = Database(f"sqlite:///{tmp_path / 'none.sqlite3'}")
    tools = dataclasses.replace(room.tools, database=database)

    assert found(dataclasses.replace(room, tools=tools)) == []
    assert not (tmp_path / "none.sqlite3").exists()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_there_are_books_once_they_were_made(request, tmp_path, kind):
    url = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_url")
    database = Database(url)
    assert not log.has_books(database)

    database.migrate()

    assert log.has_books(database)
    assert log.lines(database) == ()
    database.close()


def test_books_that_cannot_be_reached_may_be_there():
    nobody = Database("postgresql+psycopg://nobody@127.0.0.1:1/books")

    with pytest.raises(StoreDown):
        log.has_books(nobody)


@both_books
def test_what_a_ring_lacks_is_read_from_any_books(room, copied):
    copy = copied("first")
    rotate(room)
    put_back(room, copy)

    (told,) = found(room)
    assert "it lacks key.created 2" in told


def test_a_key_that_signs_for_too_long_is_told(room, clock):
    clock.forward(90 * DAY - timedelta(minutes=1))
    assert found(room) == []

    clock.forward(DAY + timedelta(minutes=2))

    assert found(room) == [
        "key 1 signs for 91 days, and 90 are the most: scripts/rotate_keys.py --apply"
    ]


def test_a_pending_key_that_was_forgotten_is_told(room, clock):
    ceremonies.create(room, is_applied=True)
    clock.forward(23 * DAY / 24)
    assert found(room) == []

    clock.forward(2 * DAY / 24)

    (told,) = found(room)
    assert told.startswith("key 2 is pending since ")


def test_a_pending_secret_that_was_forgotten_is_told(room, clock):
    ring = room.ring().with_new_secret(clock())
    keyfiles.save(room.directory, ring, room.passphrase)
    clock.forward(2 * DAY)

    (told,) = found(room)
    assert told.startswith("secret 2 is pending since ")


def test_no_active_key_is_told(room, clock):
    ring = room.ring().revoked(1, clock())
    keyfiles.save(room.directory, ring, room.passphrase)

    assert found(room) == ["no key is active: no code can be made"]


def test_workers_that_are_behind_or_refuse_the_ring_are_told(room, tools):
    begun = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    torn = Report(room.ring().digest, "ring.json is torn", 2, begun)
    tools.workers._tell("a:1:aa", torn)
    tools.workers._tell("b:2:bb", Report("another"))
    tools.workers._tell("c:3:cc", Report(room.ring().digest))

    assert found(room) == [
        "worker a:1:aa cannot read the ring since 2026-03-01 12:00 UTC: "
        "ring.json is torn",
        "worker b:2:bb works with another ring than the one on the disk",
    ]

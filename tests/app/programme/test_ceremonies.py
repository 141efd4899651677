"""Key ceremonies: who may do what when, and what it leaves in ring, log and books."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.programme import ceremonies, rewards, stamping
from app.programme.ceremonies import AlreadySo, CeremonyRefused
from app.programme.errors import CodeRevoked, StoreDown
from app.store.workers import Report
from signing.errors import KeyGuard, KeyUnknown
from signing.keyring import KeyState
from tests.app.programme.key_rooms import (
    actions,
    log,
    own_ring,
    patient,
    room_of,
    states,
)
from tests.conftest import both_books


@pytest.fixture
def settings(settings, tmp_path):
    return own_ring(settings, tmp_path)


@pytest.fixture
def room(tools):
    return room_of(tools)


@pytest.fixture
def worker(tools):
    """Report as a web worker, at once; says what it says until told otherwise."""

    def report(ring, name="till-pc:1:aa", problem=None):
        tools.workers._tell(name, Report(ring.digest, problem))

    return report


def last_detail(room):
    return log(room)[-1][-1]


def never(_seconds):
    raise AssertionError("nobody has to be waited for")


# Creating and activating


def test_nothing_is_done_unless_it_is_to_be_applied(room, clock):
    ceremonies.create(room, is_applied=False)
    ceremonies.rotate(room, is_applied=False, wait=never)
    ceremonies.revoke(room, 1, since=clock(), reason="try", is_applied=False)

    assert states(room) == [KeyState.ACTIVE]
    assert log(room) == []


def test_a_new_key_is_pending_and_in_the_log(room):
    done = ceremonies.create(room, is_applied=True)

    assert states(room) == [KeyState.ACTIVE, KeyState.PENDING]
    assert (done.key_id, done.before) == (2, 1)
    assert actions(room) == [("key.created", "2")]
    assert last_detail(room)["ring"] == room.ring().digest


def test_a_second_pending_key_is_not_made(room):
    ceremonies.create(room, is_applied=True)

    with pytest.raises(AlreadySo, match="key 2 is pending"):
        ceremonies.create(room, is_applied=True)


def test_no_key_signs_before_every_worker_has_it(room, worker):
    old = room.ring()
    ceremonies.create(room, is_applied=True)
    worker(room.ring(), "a:1:aa")
    worker(old, "b:2:bb", "key-00002.pem is torn")

    with pytest.raises(CeremonyRefused, match=r"b:2:bb \(key-00002.pem is torn\)"):
        ceremonies.activate(room, 2, is_applied=True)
    assert room.ring().active.key_id == 1

    worker(room.ring(), "b:2:bb")
    done = ceremonies.activate(room, 2, is_applied=True)

    assert done.workers == 2
    assert states(room) == [KeyState.VERIFY_ONLY, KeyState.ACTIVE]
    assert actions(room) == [("key.created", "2"), ("key.activated", "2")]


def test_with_no_worker_it_goes_on_and_says_so(room):
    ceremonies.create(room, is_applied=True)

    assert ceremonies.activate(room, 2, is_applied=True).workers == 0


def test_the_active_key_is_active_already(room):
    with pytest.raises(AlreadySo):
        ceremonies.activate(room, 1, is_applied=True)


def test_an_old_key_never_signs_again(room):
    ceremonies.rotate(room, is_applied=True, wait=patient)

    with pytest.raises(KeyGuard, match="only a pending key"):
        ceremonies.activate(room, 1, is_applied=True)


def test_a_key_that_never_was_is_none(room):
    for step in (ceremonies.activate, ceremonies.retire):
        with pytest.raises(KeyUnknown):
            step(room, 9, is_applied=True)


def test_books_that_are_away_stop_a_ceremony(room, make_tools, tmp_path):
    away = make_tools(database_url=f"sqlite:///{tmp_path / 'no' / 'books'}")

    with pytest.raises(StoreDown):
        ceremonies.create(dataclasses.replace(room, tools=away), is_applied=True)
    assert states(room) == [KeyState.ACTIVE]


def test_a_ring_that_cannot_be_written_leaves_no_line(room):
    (room.directory / "ring.json").chmod(0o644)

    with pytest.raises(Exception, match="chmod 600"):
        ceremonies.create(room, is_applied=True)
    assert log(room) == []


# Rotating


def test_a_rotation_waits_for_the_workers_and_not_longer(room, worker):
    worker(room.ring())
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            worker(room.ring())

    done = ceremonies.rotate(room, is_applied=True, wait=wait)

    assert len(waits) == 3
    assert (done.key_id, done.before, done.workers) == (2, 1, 1)


def test_a_rotation_gives_up_on_a_worker_that_does_not_hear(room, worker):
    worker(room.ring())
    waits = []

    with pytest.raises(CeremonyRefused, match="till-pc:1:aa"):
        ceremonies.rotate(room, is_applied=True, wait=waits.append)

    assert sum(waits) == ceremonies.WORKERS_PATIENCE.total_seconds()
    assert states(room) == [KeyState.ACTIVE, KeyState.PENDING]
    # and once it hears, the next run takes the same key
    worker(room.ring())
    assert ceremonies.rotate(room, is_applied=True, wait=never).key_id == 2


def test_a_young_key_is_left_alone(room, clock):
    month = timedelta(days=30)
    with pytest.raises(AlreadySo, match="key 1 signs since"):
        ceremonies.rotate(room, is_applied=True, wait=never, if_older_than=month)

    clock.forward(month + timedelta(minutes=1))
    done = ceremonies.rotate(room, is_applied=True, wait=patient, if_older_than=month)

    assert done.key_id == 2


def test_a_stopped_installation_has_nobody_to_wait_for(room):
    stopped = dataclasses.replace(room, is_served=False)

    assert ceremonies.rotate(stopped, is_applied=True, wait=never).key_id == 2


# Retiring


def test_a_key_is_retired_when_its_last_code_is_dead(room, clock):
    ceremonies.rotate(room, is_applied=True, wait=patient)

    with pytest.raises(CeremonyRefused, match="may be alive until"):
        ceremonies.retire(room, 1, is_applied=True)
    assert ceremonies.problems(room, room.ring(), ()) == []

    clock.forward(ceremonies.LAST_CODE_DEAD)
    assert ceremonies.problems(room, room.ring(), ()) == [
        "key 1 can be retired: its last code is dead"
    ]
    ceremonies.retire(room, 1, is_applied=True)

    assert states(room) == [KeyState.RETIRED, KeyState.ACTIVE]
    assert not (room.directory / "key-00001.pem").exists()
    assert actions(room)[-1] == ("key.retired", "1")
    with pytest.raises(AlreadySo):
        ceremonies.retire(room, 1, is_applied=True)


def test_the_key_that_signs_is_not_retired(room):
    with pytest.raises(KeyGuard):
        ceremonies.retire(room, 1, is_applied=True)


# Revoking


def test_when_the_active_key_is_stolen_another_signs_at_once(
    room, tools, barista, make_card
):
    card = make_card()
    out = stamping.card_code(tools, card.card_id).code

    done = ceremonies.revoke(
        room, 1, since=tools.now(), reason="laptop stolen", is_applied=True
    )

    assert states(room) == [KeyState.REVOKED, KeyState.ACTIVE]
    assert actions(room) == [
        ("key.created", "2"),
        ("key.activated", "2"),
        ("key.revoked", "1"),
    ]
    assert last_detail(room)["reason"] == "laptop stolen"
    assert done.review == ()
    # a code that is out is refused as such, and a fresh one is good
    tools.keys.refresh()
    with pytest.raises(CodeRevoked):
        stamping.stamp(tools, out, stamps=1, request_id="a" * 32, staff=barista)
    fresh = stamping.card_code(tools, card.card_id).code
    stamping.stamp(tools, fresh, stamps=1, request_id="b" * 32, staff=barista)


def test_a_worker_that_has_not_looked_yet_takes_codes_of_the_new_key(
    room, tools, make_tools, barista, make_card
):
    late = make_tools()
    late.keys.close()  # looks no more by itself
    ceremonies.revoke(room, 1, since=tools.now(), reason="stolen", is_applied=True)
    tools.keys.refresh()
    code = stamping.card_code(tools, make_card().card_id).code

    given = stamping.stamp(late, code, stamps=1, request_id="c" * 32, staff=barista)

    assert given is not None


def test_a_pending_key_is_not_trusted_in_its_place(room):
    ceremonies.create(room, is_applied=True)

    ceremonies.revoke(
        room, 1, since=datetime.now(UTC), reason="stolen", is_applied=True
    )

    assert states(room) == [KeyState.REVOKED, KeyState.PENDING, KeyState.ACTIVE]


def test_an_old_key_is_revoked_and_the_active_one_signs_on(room, clock):
    ceremonies.rotate(room, is_applied=True, wait=patient)

    ceremonies.revoke(room, 1, since=clock(), reason="stolen", is_applied=True)

    assert states(room) == [KeyState.REVOKED, KeyState.ACTIVE]
    with pytest.raises(AlreadySo, match="was revoked"):
        ceremonies.revoke(room, 1, since=clock(), reason="again", is_applied=True)


@both_books
def test_what_was_made_since_is_listed_and_stays(
    room, tools, clock, barista, make_card, give, founded
):
    give(make_card("Before"), 1)
    clock.forward(timedelta(minutes=5))
    stolen_at = clock()
    card = give(make_card("After"), 10)
    voucher = rewards.voucher_code(
        tools, card.vouchers[0].voucher_id, card.member_id
    ).code
    rewards.redeem(tools, voucher, request_id=uuid4().hex, staff=barista)
    ceremonies.rotate(room, is_applied=True, wait=patient)
    tools.keys.refresh()
    give(make_card("New key"), 1)

    done = ceremonies.revoke(room, 1, since=stolen_at, reason="stolen", is_applied=True)

    assert [(made.kind, made.units) for made in done.review] == [
        ("EARN", 5),
        ("EARN", 5),
        ("REDEEM", 0),
    ]
    assert {made.card_number for made in done.review} == {card.number}
    assert {made.staff_name for made in done.review} == {barista.name}
    assert {made.place for made in done.review} == {barista.location_name}
    assert not any(made.is_reversed for made in done.review)
    again = ceremonies.review(room, 1, stolen_at)
    assert again == done.review


def test_a_revocation_goes_on_without_the_books(room, make_tools, tmp_path):
    away = make_tools(database_url=f"sqlite:///{tmp_path / 'no' / 'books'}")
    without = dataclasses.replace(room, tools=away)

    done = ceremonies.revoke(
        without, 1, since=datetime.now(UTC), reason="stolen", is_applied=True
    )

    assert states(room) == [KeyState.REVOKED, KeyState.ACTIVE]
    assert (done.is_audited, done.review) == (False, None)


# Looking


def test_it_is_told_who_works_with_another_ring(room, worker):
    worker(room.ring(), "a:1:aa")
    ceremonies.create(room, is_applied=True)
    worker(room.ring(), "b:2:bb")

    assert ceremonies.problems(room, room.ring(), room.live()) == [
        "worker a:1:aa works with another ring than the one on the disk"
    ]


def test_nothing_that_is_told_holds_a_secret(room):
    done = ceremonies.create(room, is_applied=True)

    told = repr(room) + repr(done) + json.dumps(last_detail(room))
    assert all(word.decode() not in told for word in room.passphrase.words)
    assert all(secret.hex() not in told for secret in room.ring().secrets)

"""Secrets go with keys: pending together, in charge together, and dropped in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.programme import ceremonies, stamping
from app.programme.ceremonies import SECRET_KEPT, AlreadySo
from app.programme.errors import CodeRevoked
from signing import keyfiles, links
from signing.errors import LinkForged
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

DAY = timedelta(days=1)


@pytest.fixture
def settings(settings, tmp_path):
    return own_ring(settings, tmp_path)


@pytest.fixture
def room(tools):
    return room_of(tools)


def rotate(room):
    return ceremonies.rotate(room, is_applied=True, wait=patient)


def revoke(room, key_id=1, **options):
    words = {"since": room.tools.now(), "reason": "stolen", "is_applied": True}
    return ceremonies.revoke(room, key_id, **{**words, **options})


def save(room, ring):
    keyfiles.save(room.directory, ring, room.passphrase)


# Made and put in charge


def test_a_secret_is_made_with_the_key_and_seals_with_it(room):
    made = ceremonies.create(room, is_applied=True)
    assert secrets_of(room) == {1: "seals", 2: "pending"}

    done = ceremonies.activate(room, 2, is_applied=True)

    assert secrets_of(room) == {1: "opens", 2: "seals"}
    assert (made.secret_id, done.secret_id) == (2, 2)
    (_, _, created), (_, _, activated) = log(room)
    assert (created["secret"], activated["secret"]) == (2, 2)
    assert created["public"] == room.ring().key(2).public_bytes.hex()


def test_a_rotation_changes_both(room):
    assert rotate(room).secret_id == 2
    assert rotate(room).secret_id == 3

    assert secrets_of(room) == {1: "opens", 2: "opens", 3: "seals"}
    assert states(room) == ["verify-only", "verify-only", "active"]


@pytest.mark.parametrize("step", ["create", "activate"])
def test_a_rotation_that_was_cut_short_makes_no_third_pair(room, monkeypatch, step):
    # given one that died before it wrote, or between its two steps
    with monkeypatch.context() as broken:
        broken.setattr(f"app.programme.ceremonies.rotation.{step}", dies)
        with pytest.raises(CutShortError):
            rotate(room)

    rotate(room)

    assert states(room) == ["verify-only", "active"]
    assert secrets_of(room) == {1: "opens", 2: "seals"}


def test_a_key_that_is_pending_since_an_older_release_gets_a_secret(room):
    save(room, room.ring().with_new_key(room.tools.now()))

    done = rotate(room)

    assert (done.key_id, done.secret_id) == (2, 2)
    assert secrets_of(room) == {1: "opens", 2: "seals"}
    assert [action for action, _, _ in log(room)] == [
        "key.secret_created",
        "key.activated",
    ]


def test_a_pending_key_without_a_secret_is_activated_alone(room):
    save(room, room.ring().with_new_key(room.tools.now()))

    assert ceremonies.activate(room, 2, is_applied=True).secret_id is None
    assert secrets_of(room) == {1: "seals"}


def test_a_pending_secret_without_a_key_gets_one(room):
    save(room, room.ring().with_new_secret(room.tools.now()))

    done = ceremonies.create(room, is_applied=True)

    assert (done.key_id, done.secret_id) == (2, 2)
    assert secrets_of(room) == {1: "seals", 2: "pending"}


def test_a_pair_that_is_pending_is_so_already(room):
    ceremonies.create(room, is_applied=True)

    with pytest.raises(AlreadySo):
        ceremonies.create(room, is_applied=True)
    assert secrets_of(room) == {1: "seals", 2: "pending"}


# Nothing is lost by a rotation


def test_what_was_sealed_before_a_rotation_opens_after_it(
    room, tools, barista, make_card
):
    card = make_card()
    code = stamping.card_code(tools, card.card_id).code
    link = links.seal({"a": "b"}, tools.keys.ring, purpose="confirm")

    rotate(room)
    tools.keys.refresh()

    # the record was sealed with the old secret, the code signed with the old key
    assert tools.keys.ring.sealing.secret_id == 2
    given = stamping.stamp(tools, code, stamps=2, request_id="a" * 32, staff=barista)
    assert given.answer["stamps_given"] == 2
    opened = links.open_(link, tools.keys.ring, purpose="confirm", max_age=DAY)
    assert opened == {"a": "b"}


def test_a_worker_that_is_late_opens_what_the_new_secret_sealed(
    room, tools, make_tools, barista, make_card
):
    late = make_tools()
    late.keys.close()  # looks no more by itself
    rotate(room)
    tools.keys.refresh()
    code = stamping.card_code(tools, make_card().card_id).code

    stamping.stamp(late, code, stamps=1, request_id="c" * 32, staff=barista)


# Dropped


def test_a_secret_is_dropped_when_nothing_it_sealed_is_alive(room, clock):
    rotate(room)
    clock.forward(SECRET_KEPT - timedelta(minutes=1))
    rotate(room)
    kept = ceremonies.retire(room, 1, is_applied=True)
    assert (kept.retired, kept.dropped) == ((1,), ())

    clock.forward(timedelta(hours=1))
    done = ceremonies.retire(room, 2, is_applied=True)

    assert done.dropped == (1,)
    assert secrets_of(room) == {2: "opens", 3: "seals"}
    assert log(room)[-1][2]["dropped"] == [1]
    assert not (room.directory / "secret-00001.sealed").exists()


def test_a_secret_that_was_passed_over_is_dropped(room, clock):
    now = clock()
    ring = room.ring().with_new_secret(now).with_new_secret(now)
    save(room, ring.secret_activated(3, now))

    done = ceremonies.retire_dead(room, is_applied=True)

    assert (done.retired, done.dropped) == ((), (2,))
    assert secrets_of(room) == {1: "opens", 3: "seals"}
    assert log(room)[-1][:2] == ("key.secrets_dropped", "1")


def test_the_secret_that_seals_is_never_dropped(room, clock):
    clock.forward(10 * SECRET_KEPT)

    with pytest.raises(AlreadySo, match="no key and no secret"):
        ceremonies.retire_dead(room, is_applied=True)
    assert secrets_of(room) == {1: "seals"}


# Revoked


def test_a_revocation_drops_every_older_secret(room, tools):
    rotate(room)
    ceremonies.create(room, is_applied=True)
    tools.keys.refresh()
    link = links.seal({"a": "b"}, tools.keys.ring, purpose="confirm")

    done = revoke(room, 2)

    assert (done.secret_id, done.dropped) == (4, (1, 2, 3))
    assert secrets_of(room) == {4: "seals"}
    tools.keys.refresh()
    with pytest.raises(LinkForged):
        links.open_(link, tools.keys.ring, purpose="confirm", max_age=DAY)


def test_the_secrets_change_whichever_key_was_stolen(room):
    rotate(room)

    revoke(room, 1)

    assert states(room) == ["revoked", "active"]
    assert secrets_of(room) == {3: "seals"}
    assert [action for action, _, _ in log(room)[-2:]] == [
        "key.secret_replaced",
        "key.revoked",
    ]


def test_codes_that_are_out_are_called_revoked_and_fresh_ones_count(
    room, tools, barista, make_card
):
    card = make_card()
    out = stamping.card_code(tools, card.card_id).code
    revoke(room)
    tools.keys.refresh()

    with pytest.raises(CodeRevoked):
        stamping.stamp(tools, out, stamps=1, request_id="a" * 32, staff=barista)
    fresh = stamping.card_code(tools, card.card_id).code
    stamping.stamp(tools, fresh, stamps=1, request_id="b" * 32, staff=barista)


def test_what_is_on_paper_stays_good_unless_it_is_hard(room, clock):
    rotate(room)
    stolen_at = clock() - timedelta(hours=1)

    revoke(room, 1, since=stolen_at)
    revoke(room, 2, since=stolen_at, is_hard=True)

    one, two, _ = room.ring().keys
    assert one.revoked_since == stolen_at.replace(microsecond=0)
    assert two.revoked_since is None
    details = [detail for action, _, detail in log(room) if action == "key.revoked"]
    assert [detail["hard"] for detail in details] == [False, True]
    assert {detail["since"] for detail in details} == {stolen_at.isoformat()}


def test_the_log_says_how_many_entries_are_to_be_looked_at(
    room, clock, make_card, give
):
    give(make_card(), 7)

    revoke(room, since=clock() - timedelta(hours=1))

    assert log(room)[-1][2]["review"] == 2


def test_a_line_that_the_books_missed_is_written_when_asked_again(
    room, make_tools, tmp_path
):
    away = make_tools(database_url=f"sqlite:///{tmp_path / 'no' / 'books'}")
    revoke(replace(room, tools=away))
    assert log(room) == []

    with pytest.raises(AlreadySo):
        revoke(room)
    with pytest.raises(AlreadySo):
        revoke(room)

    ((action, subject, detail),) = log(room)
    assert (action, subject, detail["late"]) == ("key.revoked", "1", True)
    assert detail["ring"] == room.ring().digest

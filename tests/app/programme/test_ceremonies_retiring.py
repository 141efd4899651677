"""A key is retired when none of its codes can be used: by the clock and by count."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest
import redis

from app.programme import ceremonies, stamping
from app.programme.ceremonies import LAST_CODE_DEAD, CeremonyRefused
from app.programme.codes import LIFETIME
from app.programme.errors import StoreDown
from signing import codes
from signing.codes import Kind
from tests.app.programme.key_rooms import own_ring, patient, room_of, states

RETIRED = ["retired", "active"]
STILL_THERE = ["verify-only", "active"]


@pytest.fixture
def settings(settings, tmp_path):
    return own_ring(settings, tmp_path)


@pytest.fixture
def room(tools):
    return room_of(tools)


@pytest.fixture
def rotated(room, tools, make_card):
    """Three codes of key 1 are out, then key 2 signs."""
    card = make_card()
    out = [stamping.card_code(tools, card.card_id) for _ in range(3)]
    ceremonies.rotate(room, is_applied=True, wait=patient)
    tools.keys.refresh()
    stamping.card_code(tools, card.card_id)
    return out


def retire(room):
    return ceremonies.retire(room, 1, is_applied=True)


def test_it_is_told_how_many_codes_live_and_until_when(room, rotated):
    last = max(code.not_after for code in rotated)

    with pytest.raises(CeremonyRefused) as refused:
        retire(room)

    told = str(refused.value)
    assert told.startswith(
        f"3 codes of key 1 may still be used, the last until {last:%H:%M:%S} UTC; "
        "retire it after "
    )
    dead = ceremonies.dead_from(room.ring().key(1))
    assert told.endswith(f"{dead:%H:%M:%S} UTC")
    assert states(room) == STILL_THERE


def test_a_spent_code_does_not_count(room, rotated, tools, barista):
    for number, code in enumerate(rotated[:2]):
        request = f"{number}" * 32
        stamping.stamp(tools, code.code, stamps=1, request_id=request, staff=barista)

    with pytest.raises(CeremonyRefused, match=r"^1 code of key 1 may still be used"):
        retire(room)


def test_the_time_must_have_passed_even_if_no_code_is_about(room, rotated, clock):
    clock.forward(LIFETIME[Kind.CARD] + timedelta(seconds=1))
    with pytest.raises(CeremonyRefused, match="codes of key 1 may be alive until"):
        retire(room)

    clock.forward(LAST_CODE_DEAD)
    done = retire(room)

    assert (done.outstanding.count, states(room)) == (0, RETIRED)


def test_a_code_that_lives_longer_holds_the_key(room, rotated, tools, clock):
    clock.forward(LAST_CODE_DEAD)
    end = (clock() + timedelta(hours=30)).replace(microsecond=0)
    kept = {"keep": timedelta(hours=1), "key_id": 1, "not_after": end}
    tools.nonces.issue(codes.new_nonce(), {}, **kept)

    with pytest.raises(CeremonyRefused) as refused:
        retire(room)
    assert str(refused.value) == (
        "1 code of key 1 may still be used, the last until "
        f"{end:%Y-%m-%d %H:%M:%S} UTC; retire it after that"
    )

    clock.forward(timedelta(hours=31))
    retire(room)
    assert states(room) == RETIRED


def test_who_writes_in_the_nonce_store_hastens_nothing(room, rotated, redis_url):
    # given somebody who takes the fields away from every code
    with redis.Redis.from_url(redis_url) as writer:
        for key in writer.scan_iter(match="pp:*:code:*"):
            writer.hdel(key, "key", "end")

    with pytest.raises(CeremonyRefused, match="codes of key 1 may be alive until"):
        retire(room)
    assert states(room) == STILL_THERE


def test_without_the_nonce_store_the_time_alone_refuses(
    room, rotated, make_tools, tmp_path, clock
):
    away = make_tools(redis_url=f"unix://{tmp_path / 'none'}")
    without = dataclasses.replace(room, tools=away)
    with pytest.raises(CeremonyRefused, match="may be alive until"):
        retire(without)

    # and when the time has passed, nobody can say that no code is about
    clock.forward(LAST_CODE_DEAD)
    with pytest.raises(StoreDown):
        retire(without)
    assert states(room) == STILL_THERE


def test_a_stopped_installation_asks_the_clock_alone(
    room, rotated, make_tools, tmp_path, clock
):
    away = make_tools(redis_url=f"unix://{tmp_path / 'none'}")
    stopped = dataclasses.replace(room, tools=away, is_served=False)

    clock.forward(LAST_CODE_DEAD)
    retire(stopped)

    assert states(room) == RETIRED


def test_every_dead_key_is_retired_in_one_go(room, rotated, clock):
    clock.forward(LAST_CODE_DEAD)
    ceremonies.rotate(room, is_applied=True, wait=patient)
    assert ceremonies.retire_dead(room, is_applied=False).retired == (1,)
    assert states(room)[0] == "verify-only"

    done = ceremonies.retire_dead(room, is_applied=True)

    # key 2 was in use a moment ago
    assert (done.retired, states(room)) == ((1,), ["retired", "verify-only", "active"])
    assert isinstance(room.ring().key(1).retired_at, datetime)

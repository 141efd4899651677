"""How many codes of a key may still be used, counted by walking along the store."""

from __future__ import annotations

import contextlib
import secrets
from datetime import UTC, datetime, timedelta

import pytest
import redis

from app.store.errors import NonceStoreDown
from app.store.nonces import Nonces, Outstanding

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NONE = Outstanding(0, None)


@pytest.fixture
def nonces(redis_url):
    with contextlib.closing(Nonces.open(redis_url)) as store:
        yield store


@pytest.fixture
def issue(nonces):
    """Issue codes of a key which end at a moment."""

    def some(count, key_id, not_after):
        made = [secrets.token_bytes(9) for _ in range(count)]
        for nonce in made:
            nonces.issue(nonce, {}, keep=MINUTE, key_id=key_id, not_after=not_after)
        return made

    return some


def test_of_an_empty_store_nothing_is_outstanding(nonces):
    assert nonces.outstanding(1, NOON) == NONE


def test_codes_of_the_key_that_have_not_ended_count(nonces, issue):
    issue(3, 1, NOON + MINUTE)
    issue(2, 1, NOON + 2 * MINUTE)
    issue(4, 1, NOON - MINUTE)
    issue(5, 11, NOON + 9 * MINUTE)

    assert nonces.outstanding(1, NOON) == Outstanding(5, NOON + 2 * MINUTE)
    assert nonces.outstanding(11, NOON) == Outstanding(5, NOON + 9 * MINUTE)
    assert nonces.outstanding(2, NOON) == NONE


def test_a_code_counts_to_its_last_second(nonces, issue):
    issue(1, 1, NOON)

    assert nonces.outstanding(1, NOON).count == 1
    assert nonces.outstanding(1, NOON + timedelta(seconds=1)) == NONE


def test_a_claimed_code_counts_and_a_spent_one_does_not(nonces, issue):
    claimed, spent, released = issue(3, 1, NOON + MINUTE)
    nonces.claim(claimed, "anna")
    nonces.claim(spent, "anna")
    nonces.settle(spent, "anna", "stamp 7", keep=MINUTE)
    nonces.claim(released, "anna")
    nonces.release(released, "anna")

    assert nonces.outstanding(1, NOON).count == 2


def test_a_code_of_an_unknown_key_does_not_count(nonces):
    nonces.issue(secrets.token_bytes(9), {}, keep=MINUTE)

    assert nonces.outstanding(1, NOON) == NONE


def test_thousands_are_counted_once_each(nonces, issue):
    issue(2300, 1, NOON + MINUTE)
    issue(700, 2, NOON + MINUTE)

    assert nonces.outstanding(1, NOON).count == 2300


@pytest.mark.parametrize("end", ["", "soon", "-1", "9" * 40, "1e9"])
def test_an_end_that_somebody_made_up_is_passed_over(nonces, issue, redis_url, end):
    issue(1, 1, NOON + MINUTE)
    with redis.Redis.from_url(redis_url) as writer:
        fields = {"state": "waiting", "key": "1", "end": end}
        writer.hset("pp:{ab}:code:abcdef", mapping=fields)

    assert nonces.outstanding(1, NOON) == Outstanding(1, NOON + MINUTE)


def test_what_is_no_code_is_passed_over(nonces):
    nonces.watch()
    nonces.put_alias("4KD7QX2", "text", keep=MINUTE)

    assert nonces.outstanding(1, NOON) == NONE


def test_a_store_that_is_away_counts_nothing(tmp_path):
    away = Nonces.open(f"unix://{tmp_path / 'none'}")

    with contextlib.closing(away), pytest.raises(NonceStoreDown):
        away.outstanding(1, NOON)


def test_the_key_and_the_end_are_no_part_of_the_record(nonces, issue):
    (nonce,) = issue(1, 1, NOON)

    assert nonces.claim(nonce, "anna").record == {}

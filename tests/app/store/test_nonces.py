"""The nonce store's answers, against a real server."""

from __future__ import annotations

import contextlib
import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis

from app.store.errors import NonceTaken
from app.store.nonces import Claim, ClaimState, Nonces

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
RECORD = {"card": "44172093", "place": "Café Größenwahn · ירושלים"}


@pytest.fixture
def nonces(redis_url):
    with contextlib.closing(Nonces.open(redis_url)) as store:
        yield store


@pytest.fixture
def hasty(redis_url):
    """A store whose leases end almost at once."""
    lease = timedelta(milliseconds=400)
    with contextlib.closing(Nonces.open(redis_url, lease=lease)) as store:
        yield store


@pytest.fixture
def nonce():
    return secrets.token_bytes(9)


@pytest.fixture
def issued(nonces, nonce):
    nonces.issue(nonce, RECORD, keep=HOUR)
    return nonce


def life_of(redis_url, nonce):
    with redis.Redis.from_url(redis_url) as client:
        left = client.pttl(f"pp:{{{nonce[:1].hex()}}}:code:{nonce.hex()}")
    return timedelta(milliseconds=left)


def test_a_code_that_was_never_issued_is_unknown(nonces, nonce):
    assert nonces.claim(nonce, "anna") == Claim(ClaimState.UNKNOWN, {})
    assert nonces.look(nonce) == Claim(ClaimState.UNKNOWN, {})


def test_an_issued_code_waits_with_its_record(nonces, issued):
    assert nonces.look(issued) == Claim(ClaimState.WAITING, RECORD)


def test_the_first_request_claims_the_code_and_gets_its_record(nonces, issued):
    claim = nonces.claim(issued, "anna", at=NOON)

    assert claim == Claim(ClaimState.CLAIMED, RECORD, claimed_at=NOON)


def test_a_retry_is_told_again_and_when_it_first_claimed(nonces, issued):
    nonces.claim(issued, "anna", at=NOON)

    claim = nonces.claim(issued, "anna", at=NOON + HOUR)

    assert claim == Claim(ClaimState.AGAIN, RECORD, claimed_at=NOON)


def test_another_request_is_told_in_use_and_for_how_long(nonces, issued):
    nonces.claim(issued, "anna")

    for answer in (nonces.claim(issued, "ben"), nonces.look(issued)):
        assert answer.state is ClaimState.IN_USE
        assert timedelta(seconds=14) < answer.retry_after <= timedelta(seconds=15)
        assert answer.result is None


def test_a_settled_code_gives_its_result_to_everyone(nonces, issued):
    nonces.claim(issued, "anna")
    nonces.settle(issued, "anna", "stamp 7", keep=HOUR)

    assert nonces.claim(issued, "anna") == Claim(ClaimState.AGAIN, RECORD, "stamp 7")
    assert nonces.claim(issued, "ben") == Claim(ClaimState.SPENT, RECORD, "stamp 7")
    assert nonces.look(issued) == Claim(ClaimState.SPENT, RECORD, "stamp 7")


def test_looking_changes_nothing(nonces, issued, redis_url):
    with redis.Redis.from_url(redis_url) as client:
        key = client.keys("pp:*")[0]
        before = client.dump(key)
        nonces.look(issued)

        assert client.dump(key) == before


def test_a_lease_that_ran_out_is_taken_over(hasty, nonce):
    # given a request that claims and is heard of no more
    hasty.issue(nonce, RECORD, keep=HOUR)
    hasty.claim(nonce, "anna", at=NOON)
    assert hasty.claim(nonce, "ben").state is ClaimState.IN_USE

    # when its lease is over
    time.sleep(0.45)
    assert hasty.look(nonce).state is ClaimState.WAITING
    taken = hasty.claim(nonce, "ben", at=NOON + HOUR)

    # then the next one has it, and the first has to wait
    assert taken == Claim(ClaimState.CLAIMED, RECORD, claimed_at=NOON + HOUR)
    assert hasty.claim(nonce, "anna").state is ClaimState.IN_USE


def test_a_retry_renews_its_lease(hasty, nonce):
    hasty.issue(nonce, RECORD, keep=HOUR)
    hasty.claim(nonce, "anna")

    for _ in range(4):
        time.sleep(0.2)
        assert hasty.claim(nonce, "anna").state is ClaimState.AGAIN

    assert hasty.claim(nonce, "ben").state is ClaimState.IN_USE


def test_a_retry_after_its_lease_is_still_a_retry(hasty, nonce):
    hasty.issue(nonce, RECORD, keep=HOUR)
    hasty.claim(nonce, "anna", at=NOON)
    time.sleep(0.45)

    again = hasty.claim(nonce, "anna", at=NOON + HOUR)

    assert again == Claim(ClaimState.AGAIN, RECORD, claimed_at=NOON)


def test_a_released_code_can_be_claimed_at_once(nonces, issued):
    nonces.claim(issued, "anna", at=NOON)
    nonces.release(issued, "anna")
    assert nonces.look(issued) == Claim(ClaimState.WAITING, RECORD)

    claim = nonces.claim(issued, "ben", at=NOON + HOUR)

    assert claim == Claim(ClaimState.CLAIMED, RECORD, claimed_at=NOON + HOUR)


def test_a_released_code_is_claimed_anew_by_the_same_request(nonces, issued):
    nonces.claim(issued, "anna", at=NOON)
    nonces.release(issued, "anna")

    claim = nonces.claim(issued, "anna", at=NOON + HOUR)

    assert claim == Claim(ClaimState.CLAIMED, RECORD, claimed_at=NOON + HOUR)


def test_only_its_holder_releases_a_code(nonces, issued):
    nonces.claim(issued, "anna")

    nonces.release(issued, "ben")

    assert nonces.claim(issued, "ben").state is ClaimState.IN_USE


def test_a_spent_code_is_never_released(nonces, issued):
    nonces.claim(issued, "anna")
    nonces.settle(issued, "anna", "stamp 7", keep=HOUR)

    nonces.release(issued, "anna")

    assert nonces.claim(issued, "ben").state is ClaimState.SPENT


def test_releasing_an_unknown_code_does_not_make_it_known(nonces, nonce):
    nonces.release(nonce, "anna")

    assert nonces.look(nonce).state is ClaimState.UNKNOWN


def test_a_settlement_counts_though_another_took_the_lease_over(hasty, nonce):
    # given a slow request whose lease went to another
    hasty.issue(nonce, RECORD, keep=HOUR)
    hasty.claim(nonce, "anna")
    time.sleep(0.45)
    assert hasty.claim(nonce, "ben").state is ClaimState.CLAIMED

    # when the books took the slow one
    hasty.settle(nonce, "anna", "stamp 7", keep=HOUR)

    # then the other cannot free the code, nor write over the result
    hasty.release(nonce, "ben")
    hasty.settle(nonce, "ben", "stamp 8", keep=HOUR)
    assert hasty.claim(nonce, "ben") == Claim(ClaimState.SPENT, RECORD, "stamp 7")
    assert hasty.claim(nonce, "anna") == Claim(ClaimState.AGAIN, RECORD, "stamp 7")


def test_a_settlement_counts_though_redis_was_wiped(nonces, issued, redis_url):
    nonces.claim(issued, "anna")
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()

    nonces.settle(issued, "anna", "stamp 7", keep=HOUR)

    assert nonces.claim(issued, "ben") == Claim(ClaimState.SPENT, {}, "stamp 7")
    assert nonces.claim(issued, "anna") == Claim(ClaimState.AGAIN, {}, "stamp 7")
    assert life_of(redis_url, issued) > HOUR / 2
    with pytest.raises(NonceTaken):
        nonces.issue(issued, RECORD, keep=HOUR)


def test_the_books_may_have_a_code_settled_that_nobody_claimed(nonces, issued):
    nonces.settle(issued, "anna", "stamp 7", keep=HOUR)

    assert nonces.claim(issued, "ben") == Claim(ClaimState.SPENT, RECORD, "stamp 7")


def test_settling_twice_changes_nothing(nonces, issued, redis_url):
    nonces.claim(issued, "anna")
    nonces.settle(issued, "anna", "stamp 7", keep=2 * HOUR)

    nonces.settle(issued, "anna", "stamp 8", keep=HOUR)

    assert nonces.claim(issued, "anna").result == "stamp 7"
    assert life_of(redis_url, issued) > HOUR


def test_a_spent_code_is_kept_however_short_a_late_caller_asks(
    nonces, nonce, redis_url
):
    nonces.settle(nonce, "anna", "stamp 7", keep=timedelta(seconds=-5))

    assert nonces.claim(nonce, "ben").state is ClaimState.SPENT
    assert life_of(redis_url, nonce) > timedelta(seconds=10)


def test_issuing_again_with_the_same_record_changes_nothing(nonces, issued, redis_url):
    nonces.claim(issued, "anna")

    nonces.issue(issued, dict(reversed(RECORD.items())), keep=timedelta(minutes=1))

    assert nonces.claim(issued, "anna").state is ClaimState.AGAIN
    assert life_of(redis_url, issued) > HOUR / 2


def test_issuing_again_does_not_revive_a_spent_code(nonces, issued):
    nonces.settle(issued, "anna", "stamp 7", keep=HOUR)

    nonces.issue(issued, RECORD, keep=HOUR)

    assert nonces.claim(issued, "ben").state is ClaimState.SPENT


def test_a_nonce_is_not_issued_for_a_second_record(nonces, issued):
    with pytest.raises(NonceTaken):
        nonces.issue(issued, {**RECORD, "stamps": "10"}, keep=HOUR)

    assert nonces.look(issued).record == RECORD


def test_a_code_is_forgotten_when_its_time_of_keeping_is_over(hasty, nonce):
    hasty.issue(nonce, RECORD, keep=timedelta(milliseconds=450))
    time.sleep(0.5)

    assert hasty.claim(nonce, "anna").state is ClaimState.UNKNOWN


def test_a_claimed_code_is_kept_for_its_lease(nonces, redis_url, nonce):
    lease = timedelta(seconds=1)
    with contextlib.closing(Nonces.open(redis_url, lease=lease)) as issuer:
        issuer.issue(nonce, RECORD, keep=lease)

    nonces.claim(nonce, "anna")

    assert life_of(redis_url, nonce) > timedelta(seconds=14)


def test_a_short_name_gives_the_text_behind_it(nonces):
    assert nonces.put_alias("4KD7QX2", "the code", keep=HOUR)

    assert nonces.find_alias("4KD7QX2") == "the code"


def test_a_short_name_stands_for_one_text(nonces):
    nonces.put_alias("4KD7QX2", "the code", keep=HOUR)

    assert not nonces.put_alias("4KD7QX2", "another", keep=HOUR)
    assert nonces.put_alias("4KD7QX2", "the code", keep=HOUR)
    assert nonces.find_alias("4KD7QX2") == "the code"


@pytest.mark.parametrize(
    "typed", ["", "{", "}{", "x" * 100_000, "שלום", "4KD 7QX", "\0"]
)
def test_whatever_is_typed_is_no_short_name(nonces, typed):
    assert nonces.find_alias(typed) is None


def test_a_short_name_ends_with_its_time(hasty):
    hasty.put_alias("4KD7QX2", "the code", keep=timedelta(milliseconds=450))
    time.sleep(0.5)

    assert hasty.find_alias("4KD7QX2") is None
    assert hasty.put_alias("4KD7QX2", "another", keep=HOUR)


@pytest.mark.parametrize(
    "record",
    [b"{", b"\xff", b"[" * 90_000, b"9" * 5000, b"7", b'{"sealed": 1}', b"[]"],
    ids=lambda record: repr(record[:8]),
)
def test_a_record_that_somebody_else_wrote_is_none(nonces, issued, redis_url, record):
    with redis.Redis.from_url(redis_url) as client:
        key = f"pp:{{{issued[:1].hex()}}}:code:{issued.hex()}"
        client.hset(key, mapping={"record": record, "at": b"yesterday"})

    assert nonces.look(issued) == Claim(ClaimState.WAITING, {})
    claim = nonces.claim(issued, "anna", at=NOON)
    assert (claim.state, claim.record) == (ClaimState.CLAIMED, {})

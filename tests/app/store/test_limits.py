"""Limits on tries, against a real server."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import redis

from app.store.errors import LimitHit
from app.store.limits import Limits
from tests.servers import LossyProxy

TRIES = "5/15minute"


@pytest.fixture
def limits(redis_url):
    with contextlib.closing(Limits.open(redis_url)) as opened:
        yield opened


def use_up(limits, *key, limit=TRIES):
    for _ in range(5):
        limits.hit("pin", *key, limit=limit)


def test_the_limit_may_be_reached_and_not_passed(limits):
    use_up(limits, "anna")

    with pytest.raises(LimitHit) as refusal:
        limits.hit("pin", "anna", limit=TRIES)

    assert refusal.value.name == "pin"
    wait = refusal.value.retry_after
    assert timedelta(minutes=14, seconds=50) < wait <= timedelta(minutes=15)
    assert limits.failures == 0


def test_a_try_may_be_made_once_the_wait_is_over(limits):
    use_up(limits, "anna", limit="5/second")
    with pytest.raises(LimitHit) as refusal:
        limits.hit("pin", "anna", limit="5/second")

    time.sleep(refusal.value.retry_after.total_seconds() + 0.01)

    limits.hit("pin", "anna", limit="5/second")


def test_refused_tries_do_not_make_the_wait_longer(limits):
    use_up(limits, "anna")
    waits = []
    for _ in range(20):
        with pytest.raises(LimitHit) as refusal:
            limits.hit("pin", "anna", limit=TRIES)
        waits.append(refusal.value.retry_after)

    assert waits == sorted(waits, reverse=True)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (("anna",), ("ben",)),
        (("anna", "ben"), ("annaben",)),
        (("a/b", "c"), ("a", "b/c")),
        ((), ("",)),
    ],
)
def test_each_key_has_its_own_tries(limits, mine, theirs):
    use_up(limits, *mine)

    limits.hit("pin", *theirs, limit=TRIES)


def test_each_name_has_its_own_tries(limits):
    use_up(limits, "anna")

    limits.hit("join", "anna", limit=TRIES)


def test_a_reset_gives_all_tries_back(limits):
    use_up(limits, "anna")
    use_up(limits, "ben")

    limits.reset("pin", "anna")

    use_up(limits, "anna")
    with pytest.raises(LimitHit):
        limits.hit("pin", "ben", limit=TRIES)


def test_a_limit_holds_across_processes(limits, redis_url):
    use_up(limits, "anna")

    with (
        contextlib.closing(Limits.open(redis_url)) as another,
        pytest.raises(LimitHit),
    ):
        another.hit("pin", "anna", limit=TRIES)


def test_of_many_tries_at_once_only_the_limit_is_taken(limits):
    def is_taken(_):
        try:
            limits.hit("pin", "anna", limit=TRIES)
        except LimitHit:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(is_taken, range(64)))

    assert taken.count(True) == 5


def test_no_personal_text_lies_in_redis(limits, redis_url):
    limits.hit("sign_in", "anna@example.org", limit=TRIES)

    with redis.Redis.from_url(redis_url) as client:
        (key,) = client.keys()
        assert key.startswith(b"pp:limit:sign_in:")
        assert b"anna" not in key
        assert 0 < client.ttl(key) <= 15 * 60


def test_a_limit_that_cannot_be_read_is_refused(limits):
    with pytest.raises(ValueError, match="fortnight"):
        limits.hit("pin", "anna", limit="5/fortnight")


@pytest.mark.parametrize("url", ["unix:///nowhere/redis.sock", "redis://127.0.0.1:1"])
def test_without_a_server_every_try_is_taken_and_counted(url):
    with contextlib.closing(Limits.open(url)) as limits:
        for _ in range(7):
            limits.hit("pin", "anna", limit=TRIES)
        limits.reset("pin", "anna")

    assert limits.failures == 8


def test_a_silent_server_delays_a_try_by_no_more_than_a_second(start_redis):
    server = start_redis()
    with contextlib.closing(Limits.open(server.url)) as limits:
        use_up(limits, "anna")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            limits.hit("pin", "anna", limit=TRIES)
            assert time.monotonic() - began < 1
        finally:
            os.kill(server.pid, signal.SIGCONT)

        assert limits.failures == 1
        with pytest.raises(LimitHit):
            limits.hit("pin", "anna", limit=TRIES)


def test_limits_work_over_tcp_and_through_a_lost_reply(redis_server, redis_url):
    with (
        LossyProxy(redis_server.url) as proxy,
        contextlib.closing(Limits.open(proxy.url)) as limits,
    ):
        limits.hit("pin", "anna", limit=TRIES)
        proxy.lose_replies()
        limits.hit("pin", "anna", limit=TRIES)

        # The lost one counted twice, as the module says.
        for _ in range(2):
            limits.hit("pin", "anna", limit=TRIES)
        with pytest.raises(LimitHit):
            limits.hit("pin", "anna", limit=TRIES)
    assert proxy.lost == 1
    assert limits.failures == 0

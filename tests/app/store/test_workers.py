"""Which web workers are alive, and the ring that each works with."""

from __future__ import annotations

import contextlib
import json
import os
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis

from app.store.errors import NonceStoreDown
from app.store.workers import Held, Report, Workers

QUICK = {"every": timedelta(milliseconds=40), "keep": timedelta(milliseconds=400)}


@pytest.fixture
def make_workers():
    """Open workers as a process of its own would."""
    with contextlib.ExitStack() as opened:

        def make(url, **options):
            workers = Workers.open(url, **(QUICK | options))
            opened.callback(workers.close)
            return workers

        yield make


def until(condition, seconds=5.0):
    last = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < last
        time.sleep(0.02)


def rings(workers):
    return sorted(worker.ring for worker in workers.live())


def test_nobody_lives_at_first(make_workers, redis_url):
    assert make_workers(redis_url).live() == []


def test_each_says_its_ring_and_what_is_wrong_with_it(make_workers, redis_url):
    one, other = make_workers(redis_url), make_workers(redis_url)
    one.start(lambda: Report("aa"))
    other.start(lambda: Report("bb", "ring.json is torn"))

    until(lambda: rings(one) == ["aa", "bb"])
    told = {worker.ring: worker for worker in one.live()}
    assert told["aa"].problem is None
    assert told["bb"].problem == "ring.json is torn"
    assert told["aa"].worker_id.split(":")[1] == str(os.getpid())
    assert told["aa"].worker_id != told["bb"].worker_id


def test_all_that_is_known_of_a_ring_is_told(make_workers, redis_url):
    began = datetime(2026, 3, 1, 12, tzinfo=UTC)
    held = (
        Held("key", 3, "active", began, began + timedelta(days=1)),
        Held("secret", 1, "sealing", began, began),
    )
    workers = make_workers(redis_url)
    workers.start(lambda: Report("aa", "it is torn", 2, began, held))

    until(workers.live)
    (worker,) = workers.live()
    assert (worker.rejected, worker.since, worker.held) == (2, began, held)


def test_a_report_of_an_older_release_is_read(make_workers, redis_url):
    old = {"ring": "aa", "problem": None, "at": "2026-03-01T12:00:00+00:00"}
    with redis.Redis.from_url(redis_url) as client:
        client.set("pp:{workers}:worker:a:1:b", json.dumps(old))
        client.zadd("pp:{workers}:ids", {"a:1:b": time.time()})

    (worker,) = make_workers(redis_url).live()

    assert (worker.ring, worker.rejected, worker.held) == ("aa", 0, ())
    assert worker.ring_at == worker.at


def test_since_when_a_ring_is_in_use_is_told(make_workers, redis_url):
    workers, ring = make_workers(redis_url), ["old"]
    workers.start(lambda: Report(ring[0]))
    until(lambda: rings(workers) == ["old"])
    first = workers.live()[0]
    until(lambda: workers.live()[0].at > first.at)
    assert workers.live()[0].ring_at == first.ring_at

    ring[0] = "new"

    until(lambda: rings(workers) == ["new"])
    assert workers.live()[0].ring_at > first.ring_at


def test_whoever_listens_is_called_after_each_report(make_workers, start_redis):
    server, heard = start_redis(), []
    workers = make_workers(server.url)

    def then(worker_id):
        heard.append(worker_id)
        raise OSError

    workers.start(lambda: Report("aa"), then)
    until(lambda: len(heard) > 2)
    server.stop()
    count = len(heard)

    until(lambda: len(heard) > count + 1)
    assert len(set(heard)) == 1


def test_a_change_is_told_at_the_next_beat(make_workers, redis_url):
    workers = make_workers(redis_url)
    ring = ["old"]
    workers.start(lambda: Report(ring[0]))
    until(lambda: rings(workers) == ["old"])

    ring[0] = "new"

    until(lambda: rings(workers) == ["new"])


def test_it_starts_once(make_workers, redis_url):
    workers = make_workers(redis_url)
    for _ in range(3):
        workers.start(lambda: Report("aa"))

    until(lambda: rings(workers) == ["aa"])


def test_who_closes_is_gone_at_once(make_workers, redis_url):
    one, other = make_workers(redis_url), make_workers(redis_url)
    one.start(lambda: Report("aa"))
    until(lambda: rings(other) == ["aa"])

    one.close()

    assert other.live() == []


def test_who_falls_silent_is_gone_after_a_while(make_workers, redis_url):
    one, other = make_workers(redis_url, every=timedelta(hours=1)), None
    other = make_workers(redis_url)
    one.start(lambda: Report("aa"))
    until(lambda: rings(other) == ["aa"])

    until(lambda: other.live() == [])


def test_a_report_that_fails_is_tried_again(make_workers, redis_url):
    workers = make_workers(redis_url)
    asked = []

    def report():
        asked.append(1)
        if len(asked) < 3:
            raise OSError
        return Report("aa")

    workers.start(report)

    until(lambda: rings(workers) == ["aa"])


def test_a_redis_that_is_away_is_survived(make_workers, start_redis):
    server = start_redis()
    workers = make_workers(server.url)
    workers.start(lambda: Report("aa"))
    until(lambda: rings(workers) == ["aa"])

    server.stop()
    with pytest.raises(NonceStoreDown):
        workers.live()
    again = start_redis()

    assert again.url == server.url
    until(lambda: rings(workers) == ["aa"])


def test_a_wiped_redis_knows_them_again(make_workers, redis_url):
    workers = make_workers(redis_url)
    workers.start(lambda: Report("aa"))
    until(lambda: rings(workers) == ["aa"])

    with redis.Redis.from_url(redis_url) as client:
        client.flushall()

    until(lambda: rings(workers) == ["aa"])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_is_another_worker(make_workers, redis_url):
    workers = make_workers(redis_url)
    workers.start(lambda: Report("parent"))
    until(lambda: rings(workers) == ["parent"])

    child = os.fork()
    if child == 0:
        workers.start(lambda: Report("child"))
        time.sleep(20)
        os._exit(0)
    try:
        until(lambda: rings(workers) == ["child", "parent"])
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    until(lambda: rings(workers) == ["parent"])


@pytest.mark.parametrize(
    "report", [b"", b"\xff", b"[" * 90_000, b"7", b"{}", b'{"ring": "a", "at": 1}']
)
def test_of_a_report_that_nobody_can_read_nothing_is_concluded(
    make_workers, redis_url, report
):
    workers = make_workers(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        client.zadd("pp:{workers}:ids", {"odd": time.time() * 1000 + 60_000})
        client.set("pp:{workers}:worker:odd", report)

    with pytest.raises(NonceStoreDown):
        workers.live()

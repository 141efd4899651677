"""Since when the store remembers every code: wiped, restarted, promoted, a cluster."""

from __future__ import annotations

import contextlib
import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import redis

from app.store.epochs import SHARDS, TWO_MASTERS
from app.store.errors import NonceStoreDown
from app.store.nonces import Nonces
from scripts.parts.redis_groups import until

HOUR = timedelta(hours=1)
SOON = timedelta(seconds=5)
ONE, OTHER = b"\x00" + bytes(8), b"\xff" + bytes(8)


@pytest.fixture
def nonces(redis_url):
    with contextlib.closing(Nonces.open(redis_url)) as store:
        yield store


@pytest.fixture
def open_store():
    with contextlib.ExitStack() as opened:
        yield lambda url: opened.enter_context(contextlib.closing(Nonces.open(url)))


def of_all(nonces):
    return [nonces.epoch(bytes([first]) + bytes(8)) for first in range(256)]


def has_epoch(client):
    return Counter(key[3:7].decode() for key in client.keys("pp:{*}:epoch"))


def test_an_epoch_stays_for_all_processes(nonces, redis_url):
    first = nonces.epoch(ONE)

    with contextlib.closing(Nonces.open(redis_url)) as other:
        assert other.epoch(ONE) == first == nonces.epoch(ONE)
    assert abs(datetime.now(UTC) - first.started_at) < SOON


def test_who_watches_begins_the_epochs_of_all_shards(nonces, redis_url):
    nonces.watch()

    with redis.Redis.from_url(redis_url) as client:
        assert has_epoch(client) == {f"{{{shard}}}": 1 for shard in SHARDS}
    before = of_all(nonces)
    nonces.watch()
    assert of_all(nonces) == before


def test_a_wiped_store_begins_new_epochs(nonces, redis_url):
    nonces.watch()
    before = of_all(nonces)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        nonces.watch()
        assert len(client.keys("pp:{*}:epoch")) == len(SHARDS)

    after = of_all(nonces)

    assert not {one.epoch_id for one in before} & {one.epoch_id for one in after}
    newest = max(one.started_at for one in before)
    assert all(newest <= one.started_at <= datetime.now(UTC) for one in after)


def test_a_restarted_server_begins_new_epochs_at_once(start_redis, open_store):
    server = start_redis()
    nonces = open_store(server.url)
    nonces.watch()
    before = nonces.epoch(ONE)
    server.process.kill()
    server.process.wait()
    start_redis()

    after = nonces.epoch(ONE)

    assert after.epoch_id != before.epoch_id
    assert before.started_at < after.started_at <= datetime.now(UTC) + SOON


def test_a_server_that_tells_scripts_nothing_has_epochs_too(start_redis, open_store):
    server = start_redis()
    with redis.Redis.from_url(server.url) as admin:
        admin.execute_command("ACL SETUSER default -info")
    nonces = open_store(server.url)

    assert nonces.epoch(ONE) == nonces.epoch(ONE)


@pytest.mark.slow
def test_a_promoted_replica_begins_epochs_that_count_a_little_later(
    start_guarded, open_store
):
    # given a store whose master dies, with all that it knew at the replica
    group = start_guarded(sentinels=1)
    nonces = open_store(group.url)
    nonces.watch()
    before, old = nonces.epoch(ONE), group.master()
    with redis.Redis(port=old) as master:
        assert master.wait(1, 5000) == 1
    group.kill(old)

    # when the replica is in its place
    until_answers(nonces)
    nonces.watch()

    # then whoever the old one still let write is not called a thief for a while
    after = nonces.epoch(ONE)
    assert after.epoch_id != before.epoch_id
    assert abs(datetime.now(UTC) + TWO_MASTERS - after.started_at) < SOON
    # and of the same server it is the same epoch from then on
    assert nonces.epoch(ONE) == after


@pytest.mark.slow
def test_on_a_cluster_each_master_has_epochs_of_its_own(start_cluster, open_store):
    # given a cluster whose masters have been looked after
    cluster = start_cluster()
    nonces = open_store(cluster.url)
    nonces.watch()
    before = of_all(nonces)
    # of which none has much more than another
    held = []
    for port in cluster.masters:
        with redis.Redis(port=port) as master:
            held.append(master.dbsize())
    assert sum(held) == len(SHARDS)
    assert max(held) <= 1.2 * min(held)

    # when one of them comes back without anything
    lost, *_ = cluster.masters
    with redis.Redis(port=lost) as master:
        master.flushall()
    nonces.watch()

    # then its shards alone have new epochs, by which nobody is accused
    after = of_all(nonces)
    new = [one != other for one, other in zip(before, after, strict=True)]
    with redis.Redis(port=lost) as master:
        its_own = {int(key[4:6], 16) for key in master.keys("pp:{*}:epoch")}
    assert its_own == {shard for shard, is_new in enumerate(new) if is_new}


def until_answers(nonces):
    def answers():
        with contextlib.suppress(NonceStoreDown):
            nonces.issue(secrets.token_bytes(9), {}, keep=HOUR)
            return True
        return False

    until(answers, "the store answers")

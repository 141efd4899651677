"""The stores on a real Redis Cluster: whole, with a master away, while slots move."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from redis.crc import key_slot

from app.store.errors import LimitHit, NonceStoreDown
from app.store.limits import Limits
from app.store.nonces import Claim, ClaimState, Nonces, Outstanding
from app.store.workers import Report, Workers
from scripts.parts import redis_groups
from scripts.parts.redis_groups import client, until
from tests.running import free_port

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
RECORD = {"card": "44172093", "place": "Café Größenwahn · ירושלים"}
SPENT = Claim(ClaimState.SPENT, RECORD, "stamp")
THREADS, CODES = 16, 60
#: Nobody waits longer, whatever happens to the servers, in s.
LONGEST = 4.0


@pytest.fixture(scope="module")
def three_masters(tmp_path_factory):
    """A cluster for all tests here; who kills one of its servers starts it again."""
    with redis_groups.start_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(three_masters):
    for port in three_masters.masters:
        with client(port) as master:
            master.flushall()
    return three_masters


@pytest.fixture
def open_nonces():
    """Open the store as a process of its own would."""
    with contextlib.ExitStack() as opened:
        yield lambda url: opened.enter_context(contextlib.closing(Nonces.open(url)))


def issue(nonces, count=CODES):
    """Issue codes which are at each of the masters."""
    codes = [secrets.token_bytes(9) for _ in range(count)]
    for code in codes:
        nonces.issue(code, RECORD, keep=HOUR)
    return codes


def slot(code):
    return key_slot(f"{code[:1].hex()}".encode())


def at(cluster, port, codes):
    return [code for code in codes if cluster.owner(slot(code)) == port]


def spend(nonces, code):
    assert nonces.claim(code, "anna").state in {ClaimState.CLAIMED, ClaimState.AGAIN}
    nonces.settle(code, "anna", "stamp", keep=HOUR)


def knows(nonces, code):
    """Whether the store answers by now, and remembers."""
    with contextlib.suppress(NonceStoreDown):
        return nonces.look(code).state is not ClaimState.UNKNOWN
    return False


def test_everything_that_is_kept_works_on_a_cluster(cluster, open_nonces):
    nonces = open_nonces(cluster.url)
    end = (datetime.now(UTC) + HOUR).replace(microsecond=0)
    codes = [secrets.token_bytes(9) for _ in range(200)]
    for code in codes:
        nonces.issue(code, RECORD, keep=HOUR, key_id=1, not_after=end)
    for number, code in enumerate(codes[:50]):
        assert nonces.claim(code, "anna").state is ClaimState.CLAIMED
        nonces.release(code, "anna")
        spend(nonces, code)
        assert nonces.look(code) == nonces.claim(code, "ben") == SPENT
        assert nonces.put_alias(f"4KD7Q{number}", "the code", keep=HOUR)
        assert nonces.find_alias(f"4KD7Q{number}") == "the code"
        assert nonces.epoch(code) == nonces.epoch(code)
    with contextlib.closing(Limits.open(cluster.url)) as limits:
        for name in ("anna", "ben", "carl", "dora"):
            for _ in range(3):
                limits.hit("pin", name, limit="3/hour")
            with pytest.raises(LimitHit):
                limits.hit("pin", name, limit="3/hour")
            limits.reset("pin", name)
            limits.hit("pin", name, limit="3/hour")
        assert limits.failures == 0
    with contextlib.closing(Workers.open(cluster.url)) as workers:
        workers.start(lambda: Report("ring"))
        until(lambda: [each.ring for each in workers.live()] == ["ring"], "it reports")

    # and every master has its share
    assert nonces.outstanding(1, datetime.now(UTC)) == Outstanding(150, end)
    assert nonces.outstanding(2, datetime.now(UTC)) == Outstanding(0, None)
    assert nonces.problems() == nonces.warnings() == []
    for port in cluster.masters:
        with client(port) as master:
            assert len(list(master.scan_iter(match="pp:{*}:code:*"))) > 30


def test_where_one_master_is_dead_the_others_go_on(cluster, open_nonces, counts):
    # given codes at every master, and one of them killed
    known, (dead, *_) = open_nonces(cluster.url), cluster.masters
    codes = issue(known)
    lost = at(cluster, dead, codes)
    cluster.kill(dead)

    # when many ask, in processes old and new, where a script is not known too
    with client(cluster.masters[1]) as master:
        master.script_flush()
    fresh = open_nonces(cluster.url)

    def tried(code):
        began = time.monotonic()
        try:
            states = [store.claim(code, "anna").state for store in (known, fresh)]
            said = "+".join(states)
        except NonceStoreDown:
            said = "away"
        return said, time.monotonic() - began

    with ThreadPoolExecutor(THREADS) as pool:
        answers = dict(zip(codes, pool.map(tried, codes), strict=True))

    # then its codes have no answer, soon, and the others have theirs
    said = Counter(word for word, _ in answers.values())
    counts(tried=len(codes), away=said["away"], claimed=said["claimed+again"])
    assert {code for code, (word, _) in answers.items() if word == "away"} == set(lost)
    assert said == {"away": len(lost), "claimed+again": len(codes) - len(lost)}
    assert max(took for _, took in answers.values()) < LONGEST
    with pytest.raises(NonceStoreDown):
        known.outstanding(1, datetime.now(UTC))
    assert known.problems() == []
    assert known.warnings() == [
        f"Redis at 127.0.0.1:{dead} gives no answer (ConnectionError)."
    ]

    # and all of them when it is back, with nothing forgotten
    cluster.start(dead)
    until(lambda: knows(known, lost[0]), "it is back")
    for code in codes:
        spend(known, code)
        assert fresh.claim(code, "ben") == SPENT


def test_nobody_waits_for_anothers_question_to_silent_servers(cluster, open_nonces):
    # given a crowd that meets servers which take connections and say nothing
    nonces = open_nonces(cluster.url)
    codes = issue(nonces)
    for port in cluster.masters:
        cluster.halt(port)
    stranger = open_nonces(cluster.url)

    def tried(number):
        store = stranger if number % 2 else nonces
        began = time.monotonic()
        with pytest.raises(NonceStoreDown):
            store.claim(codes[number], "anna")
        return time.monotonic() - began

    # when each of them asks
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            took = list(pool.map(tried, range(THREADS)))
    finally:
        for port in cluster.masters:
            cluster.halt(port, goes_on=True)

    # then none is kept long, and it works again with the servers
    assert max(took) < LONGEST
    until(lambda: knows(nonces, codes[0]), "they speak again")
    for code in codes:
        spend(nonces, code)


def test_a_code_is_found_while_its_slot_moves_and_after(cluster, open_nonces):
    # given a code, and its slot on the way from one master to another
    nonces = open_nonces(cluster.url)
    (code,) = issue(nonces, 1)
    here = cluster.owner(slot(code))
    there = next(port for port in cluster.masters if port != here)
    with client(here) as giver, client(there) as taker:
        ids = [each.execute_command("CLUSTER", "MYID") for each in (giver, taker)]
        set_slot = ("CLUSTER", "SETSLOT", slot(code))
        taker.execute_command(*set_slot, "IMPORTING", ids[0])
        giver.execute_command(*set_slot, "MIGRATING", ids[1])
        (key,) = giver.scan_iter(match="pp:{*}:code:*")
        assert nonces.look(code).state is ClaimState.WAITING
        giver.migrate("127.0.0.1", there, key, 0, 1000)

        # when it is asked for between the two, and when the slot has moved
        assert nonces.claim(code, "anna").state is ClaimState.CLAIMED
        for server in (taker, giver):
            server.execute_command(*set_slot, "NODE", ids[1])
        nonces.settle(code, "anna", "stamp", keep=HOUR)

        # then it was one code all the time
        assert nonces.claim(code, "ben") == SPENT
        assert taker.exists(key)
        assert nonces.outstanding(1, datetime.now(UTC)) == Outstanding(0, None)
        taker.flushall()
        for server in (giver, taker):
            server.execute_command(*set_slot, "NODE", ids[0])


def test_a_replica_takes_a_dead_masters_place(start_cluster, open_nonces, counts):
    # given a cluster with replicas, and codes spent and waiting
    cluster = start_cluster(with_replicas=True)
    nonces = open_nonces(cluster.url)
    nonces.watch()
    codes = issue(nonces)
    spent, waiting = codes[::2], codes[1::2]
    for code in spent:
        spend(nonces, code)
    dead, *_ = cluster.masters
    with client(dead) as master:
        assert master.wait(1, 5000) == 1

    # when one master dies for good
    cluster.kill(dead)
    lost = at(cluster, dead, codes)
    until(lambda: knows(nonces, lost[0]), "the replica serves")

    # then the same store goes on, and knows what it knew
    known = Counter(nonces.claim(code, "ben").state for code in codes)
    counts(codes=len(codes), **{state.value: count for state, count in known.items()})
    assert known == {
        ClaimState.SPENT: len(spent),
        ClaimState.CLAIMED: len(waiting),
    }
    assert nonces.problems() == []


def test_every_server_that_may_forget_is_named(cluster, open_nonces):
    _, port, _ = cluster.masters
    nonces = open_nonces(cluster.url)
    with client(port) as master:
        master.config_set("maxmemory-policy", "allkeys-lru")
        problems = nonces.problems()
        master.config_set("maxmemory-policy", "noeviction")

    assert problems == [
        f"Redis at 127.0.0.1:{port} runs with maxmemory-policy allkeys-lru: when "
        "memory is short it drops spent codes. Set maxmemory-policy noeviction."
    ]
    assert nonces.problems() == []


def test_without_any_server_every_call_says_so_at_once(open_nonces):
    nonces = open_nonces("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    with contextlib.closing(Limits.open("redis+cluster://127.0.0.1:1")) as limits:
        began = time.monotonic()
        for _ in range(3):
            with pytest.raises(NonceStoreDown):
                nonces.claim(bytes(9), "anna")
            limits.hit("pin", "anna", limit="1/hour")

        assert limits.failures == 3
    assert nonces.problems() == ["Redis gives no answer (ConnectionError)."]
    assert time.monotonic() - began < LONGEST


def test_a_server_that_is_no_cluster_is_none(start_redis, open_nonces):
    server = start_redis(port=free_port())
    host = server.url.removeprefix("redis://")

    with pytest.raises(NonceStoreDown):
        open_nonces(f"redis+cluster://{host}").issue(bytes(9), {}, keep=HOUR)

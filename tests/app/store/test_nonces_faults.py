"""The nonce store under a bad network, a crowd and a dying server."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import redis

from app.settings import SettingsError
from app.store import epochs, nonce_scripts
from app.store.errors import NonceStoreDown, StoreDown
from app.store.nonces import Claim, ClaimState, Nonces
from tests.servers import LossyProxy

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
RECORD = {"card": "44172093", "place": "Café Größenwahn · ירושלים"}
TILLS = 32


@pytest.fixture
def nonces(redis_url):
    with contextlib.closing(Nonces.open(redis_url)) as store:
        yield store


@pytest.fixture
def nonce():
    return secrets.token_bytes(9)


@pytest.fixture
def issued(nonces, nonce):
    nonces.issue(nonce, RECORD, keep=HOUR)
    return nonce


@pytest.fixture
def lossy(redis_server, redis_url):
    """A proxy before Redis, and a store behind it that is connected already."""
    with (
        LossyProxy(redis_server.url) as proxy,
        contextlib.closing(Nonces.open(proxy.url)) as store,
    ):
        warm = secrets.token_bytes(9)
        store.issue(warm, RECORD, keep=HOUR)
        store.claim(warm, "warm")
        store.look(warm)
        store.release(warm, "warm")
        store.settle(warm, "warm", "warm", keep=HOUR)
        store.put_alias("warm", "warm", keep=HOUR)
        store.epoch(warm)
        yield proxy, store


@pytest.mark.parametrize("losses", [1, 2])
def test_a_claim_whose_reply_is_lost_is_still_the_owners(lossy, issued, losses):
    proxy, store = lossy
    proxy.lose_replies(losses)

    claim = store.claim(issued, "anna", at=NOON)

    assert proxy.lost == losses
    assert claim == Claim(ClaimState.CLAIMED, RECORD, claimed_at=NOON)


def test_a_retry_whose_reply_is_lost_is_still_a_retry(lossy, issued):
    proxy, store = lossy
    store.claim(issued, "anna", at=NOON)
    proxy.lose_replies()

    again = store.claim(issued, "anna", at=NOON + HOUR)

    assert proxy.lost == 1
    assert again == Claim(ClaimState.AGAIN, RECORD, claimed_at=NOON)


def test_a_claim_whose_replies_are_all_lost_is_found_by_the_devices_retry(
    lossy, issued
):
    proxy, store = lossy
    proxy.lose_replies(3)
    with pytest.raises(NonceStoreDown):
        store.claim(issued, "anna")

    assert store.claim(issued, "ben").state is ClaimState.IN_USE
    assert store.claim(issued, "anna").state is ClaimState.AGAIN


def test_losing_replies_changes_nothing_else(lossy, nonce):
    proxy, store = lossy

    proxy.lose_replies()
    store.issue(nonce, RECORD, keep=HOUR)
    assert proxy.lost == 1
    proxy.lose_replies()
    assert store.look(nonce) == Claim(ClaimState.WAITING, RECORD)
    assert proxy.lost == 2
    store.claim(nonce, "anna")
    proxy.lose_replies()
    store.release(nonce, "anna")
    assert proxy.lost == 3
    store.claim(nonce, "ben")
    proxy.lose_replies()
    store.settle(nonce, "ben", "stamp 7", keep=HOUR)
    assert proxy.lost == 4
    assert store.claim(nonce, "anna") == Claim(ClaimState.SPENT, RECORD, "stamp 7")
    proxy.lose_replies()
    assert store.put_alias("4KD7QX2", "the code", keep=HOUR)
    assert proxy.lost == 5
    proxy.lose_replies()
    assert store.find_alias("4KD7QX2") == "the code"
    assert proxy.lost == 6
    with redis.Redis.from_url(proxy.url) as client:
        client.delete(*client.keys("*:epoch"))
    proxy.lose_replies()
    assert store.epoch(nonce) == store.epoch(nonce)
    assert proxy.lost == 7


def test_of_many_tills_at_once_one_claims_the_code(nonces):
    def at_till(till):
        return nonces.claim(nonce, f"till {till}").state

    for _ in range(10):
        nonce = secrets.token_bytes(9)
        nonces.issue(nonce, RECORD, keep=HOUR)
        with ThreadPoolExecutor(TILLS) as pool:
            states = list(pool.map(at_till, range(TILLS)))

        assert states.count(ClaimState.CLAIMED) == 1
        assert states.count(ClaimState.IN_USE) == TILLS - 1


def test_of_many_tries_of_one_request_at_once_one_is_the_first(nonces, issued):
    with ThreadPoolExecutor(TILLS) as pool:
        claims = list(
            pool.map(
                lambda second: nonces.claim(
                    issued, "anna", at=NOON + timedelta(seconds=second)
                ),
                range(TILLS),
            )
        )

    states = [claim.state for claim in claims]
    assert states.count(ClaimState.CLAIMED) == 1
    assert states.count(ClaimState.AGAIN) == TILLS - 1
    # Every one of them is judged by the moment of the one that was first.
    assert len({claim.claimed_at for claim in claims}) == 1


def test_nothing_is_forgotten_when_the_server_is_killed(start_redis):
    # given spent, claimed and waiting codes
    server = start_redis()
    codes = [secrets.token_bytes(9) for _ in range(30)]
    with contextlib.closing(Nonces.open(server.url)) as nonces:
        for code in codes:
            nonces.issue(code, RECORD, keep=HOUR)
        for code in codes[:20]:
            nonces.claim(code, "anna")
        for code in codes[:10]:
            nonces.settle(code, "anna", "stamp 7", keep=HOUR)

        # when the server is killed and started again
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait()
        start_redis()

        # then the same store knows them all, without being opened anew
        spent = Claim(ClaimState.SPENT, RECORD, "stamp 7")
        assert [nonces.claim(code, "ben") for code in codes[:10]] == [spent] * 10
        states = [nonces.claim(code, "ben").state for code in codes[10:]]
        assert states == [ClaimState.IN_USE] * 10 + [ClaimState.CLAIMED] * 10


CALLS = {
    "issue": lambda store: store.issue(bytes(9), RECORD, keep=HOUR),
    "claim": lambda store: store.claim(bytes(9), "anna"),
    "release": lambda store: store.release(bytes(9), "anna"),
    "settle": lambda store: store.settle(bytes(9), "anna", "stamp 7", keep=HOUR),
    "look": lambda store: store.look(bytes(9)),
    "put_alias": lambda store: store.put_alias("4KD7QX2", "the code", keep=HOUR),
    "find_alias": lambda store: store.find_alias("4KD7QX2"),
    "epoch": lambda store: store.epoch(bytes(9)),
    "watch": lambda store: store.watch(),
    "outstanding": lambda store: store.outstanding(1, NOON),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("url", ["unix:///nowhere/redis.sock", "redis://127.0.0.1:1"])
def test_without_a_server_every_call_says_so_at_once(call, url):
    with contextlib.closing(Nonces.open(url)) as store:
        began = time.monotonic()
        with pytest.raises(NonceStoreDown) as fault:
            call(store)

    assert time.monotonic() - began < 1
    assert isinstance(fault.value, StoreDown)


def test_a_server_that_falls_silent_is_noticed_in_time(start_redis, nonce):
    # given a store with an open connection to a server that hangs
    server = start_redis()
    with contextlib.closing(Nonces.open(server.url)) as known:
        known.issue(nonce, RECORD, keep=HOUR)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with contextlib.closing(Nonces.open(server.url)) as fresh:
                for store in (known, fresh):
                    # when it is asked, then it says so within three seconds
                    began = time.monotonic()
                    with pytest.raises(NonceStoreDown):
                        store.claim(nonce, "anna")
                    assert time.monotonic() - began < 2.5
        finally:
            os.kill(server.pid, signal.SIGCONT)

        # and works again with the server
        assert known.claim(nonce, "anna").state in {
            ClaimState.CLAIMED,
            ClaimState.AGAIN,
        }


def test_a_server_that_takes_no_connection_is_noticed_in_time(nonce):
    # given a door whose queue is full, so that a knock is never answered
    with socket.socket() as door, contextlib.ExitStack() as waiting:
        door.bind(("127.0.0.1", 0))
        door.listen(0)
        for _ in range(4):
            knock = waiting.enter_context(socket.socket())
            knock.setblocking(False)
            knock.connect_ex(door.getsockname())
        url = f"redis://127.0.0.1:{door.getsockname()[1]}"

        with contextlib.closing(Nonces.open(url)) as store:
            began = time.monotonic()
            with pytest.raises(NonceStoreDown):
                store.claim(nonce, "anna")

    assert time.monotonic() - began < 2.5


def test_a_server_that_will_not_write_is_down(start_redis, nonce):
    server = start_redis()
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("maxmemory", "1kb")
    with (
        contextlib.closing(Nonces.open(server.url)) as store,
        pytest.raises(NonceStoreDown),
    ):
        store.issue(nonce, RECORD, keep=HOUR)


def test_our_own_server_has_no_problems(nonces):
    assert nonces.problems() == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("appendonly", "no"),
        ("appendfsync", "no"),
        ("maxmemory-policy", "allkeys-lru"),
        ("maxmemory-policy", "volatile-ttl"),
    ],
)
@pytest.mark.parametrize("is_config_forbidden", [False, True])
def test_a_server_that_may_forget_is_a_problem(
    start_redis, setting, value, is_config_forbidden
):
    server = start_redis()
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set(setting, value)
        if is_config_forbidden:
            admin.execute_command("ACL SETUSER default -config")
    with contextlib.closing(Nonces.open(server.url)) as store:
        problems = store.problems()

    if is_config_forbidden and setting == "appendfsync":
        assert problems == []  # INFO does not tell it
    else:
        assert len(problems) == 1
        assert f"{setting} {value}:" in problems[0]


def test_a_server_that_tells_nothing_of_itself_is_a_problem(start_redis, nonce):
    server = start_redis()
    with redis.Redis.from_url(server.url) as admin:
        admin.execute_command("ACL SETUSER default -config -info")
    with contextlib.closing(Nonces.open(server.url)) as store:
        assert "could not be checked" in store.problems()[0]
        assert store.claim(nonce, "anna").state is ClaimState.UNKNOWN


def test_no_answer_is_a_problem_and_no_exception():
    with contextlib.closing(Nonces.open("redis://:secret@127.0.0.1:1")) as store:
        problems = store.problems()

    assert problems == ["Redis gives no answer (ConnectionError)."]


def test_an_address_that_is_none_is_refused():
    with pytest.raises(SettingsError, match="REDIS_URL"):
        Nonces.open("http://127.0.0.1")


def test_each_script_touches_the_one_key_that_it_is_given():
    scripts = [
        text
        for name, text in vars(nonce_scripts).items()
        if name.isupper() and not name.startswith("_")
    ]
    scripts.append(epochs.SCRIPT)

    assert len(scripts) == 7
    for script in scripts:
        calls = re.findall(r"redis\.call\(\s*'(\w+)'(?:,\s*([^,)\s]+))?", script)
        assert {key for word, key in calls if word != "TIME"} == {"KEYS[1]"}

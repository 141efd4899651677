"""The nonce store where Sentinels watch its master: it dies, and a replica follows."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.programme import stamping
from app.programme.errors import CodeInUse, CodeSpent, CodeUnknown, StoreDown
from app.store.errors import LimitHit, NonceStoreDown
from app.store.limits import Limits
from app.store.nonces import Claim, ClaimState, Nonces
from app.store.tables import LedgerEntry, Signal
from app.store.workers import Report, Workers
from scripts.parts.redis_groups import client, until

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
RECORD = {"card": "44172093"}
SPENT = Claim(ClaimState.SPENT, RECORD, "stamp")
THREADS = 16
#: Nobody waits longer, whatever happens to the servers, in s.
LONGEST = 4.0


@pytest.fixture
def group(start_guarded):
    """A master, a replica and one Sentinel, who decides alone."""
    return start_guarded(sentinels=1)


@pytest.fixture
def open_nonces():
    """Open the store as a process of its own would."""
    with contextlib.ExitStack() as opened:
        yield lambda url: opened.enter_context(contextlib.closing(Nonces.open(url)))


@pytest.fixture
def redis_url(group):
    return group.url


def issue(nonces, count):
    codes = [secrets.token_bytes(9) for _ in range(count)]
    for code in codes:
        nonces.issue(code, RECORD, keep=HOUR)
    return codes


def answers(nonces):
    """Whether the store takes a write by now."""
    with contextlib.suppress(NonceStoreDown):
        issue(nonces, 1)
        return True
    return False


def all_sent(group):
    with client(group.master()) as master:
        assert master.wait(1, 5000) == 1


def test_what_the_master_knew_the_promoted_replica_knows(group, open_nonces, counts):
    # given codes spent and waiting, workers, and a crowd that never stops asking
    nonces = open_nonces(group.url)
    codes = issue(nonces, 60)
    for code in codes[:30]:
        nonces.claim(code, "anna")
        nonces.settle(code, "anna", "stamp", keep=HOUR)
    all_sent(group)
    dead = group.master()

    def ask_until_known(code):
        """Count the tries without an answer, and the longest of them."""
        tries, longest = 0, 0.0
        while True:
            began = time.monotonic()
            try:
                return nonces.claim(code, "ben").state, tries, longest
            except NonceStoreDown:
                tries += 1
                longest = max(longest, time.monotonic() - began)

    # when the master dies
    group.kill(dead)
    with ThreadPoolExecutor(THREADS) as pool:
        heard = list(pool.map(ask_until_known, codes))

    # then there was no answer for a while, and never one that is not so
    states = [state for state, _, _ in heard]
    away = sum(tries for _, tries, _ in heard)
    counts(codes=len(codes), no_answer=away, spent=states.count("spent"))
    assert states == [ClaimState.SPENT] * 30 + [ClaimState.CLAIMED] * 30
    assert away > 0
    assert max(longest for _, _, longest in heard) < LONGEST
    assert group.master() != dead
    assert nonces.problems() == []
    gone = f"The replica 127.0.0.1:{dead} is away."
    until(lambda: nonces.warnings() == [gone], "the Sentinel has noticed")
    the_rest_goes_on(group)


def the_rest_goes_on(group):
    with contextlib.closing(Limits.open(group.url)) as limits:
        until(lambda: is_limited(limits), "tries are counted")
    with contextlib.closing(Workers.open(group.url)) as workers:
        workers.start(lambda: Report("ring"))
        until(lambda: [each.ring for each in workers.live()] == ["ring"], "it reports")


def is_limited(limits):
    try:
        limits.hit("pin", "anna", limit="1/hour")
    except LimitHit:
        return True
    return False


def test_a_master_that_is_replaced_alive_is_written_no_more(group, open_nonces):
    # given open connections to a master
    nonces = open_nonces(group.url)
    (code,) = issue(nonces, 1)
    nonces.claim(code, "anna")
    all_sent(group)
    old = group.master()

    # when somebody puts the replica in its place
    group.replace()
    until(lambda: group.master() != old, "another is the master")
    with client(old) as demoted:
        # as the Sentinel does too, eight seconds later
        demoted.execute_command("REPLICAOF", "127.0.0.1", group.master())

    # then the same store writes to the new one
    nonces.settle(code, "anna", "stamp", keep=HOUR)
    assert nonces.claim(code, "ben") == SPENT
    with client(group.master()) as master:
        assert master.hget(f"pp:{{{code[:1].hex()}}}:code:{code.hex()}", "state") == (
            b"spent"
        )


def test_a_stale_replica_that_is_promoted_is_corrected_by_the_books(
    group, tools, make_tools, make_card, make_staff, counts
):
    # given codes that the replica has heard of, and nothing after that
    card, barista = make_card(), make_staff()
    tools.nonces.watch()
    codes = [stamping.card_code(tools, card.card_id).code for _ in range(20)]
    all_sent(group)
    # on a busy machine the Sentinels would find the replica too stale to promote
    group.patient()
    cut_off_replicas(group)
    first = [uuid4().hex for _ in codes]
    for code, request_id in zip(codes, first, strict=True):
        stamping.stamp(tools, code, stamps=1, request_id=request_id, staff=barista)
    unsent = stamping.card_code(tools, card.card_id).code

    # when the master dies, and the stale replica takes its place
    group.kill(group.master())
    down = "The master gives no answer (ConnectionError)."
    assert tools.nonces.problems() == tools.nonces.warnings() == [down]
    group.replace()
    until(lambda: answers(tools.nonces), "the replica serves")

    # then every spent code looks fresh there, and counts no second time
    outcomes = Counter()
    others = [make_staff() for _ in range(2)]

    def try_again(number):
        with contextlib.closing(make_tools()) as mine:
            return outcome(mine, codes[number % 20], others[number % 2])

    with ThreadPoolExecutor(8) as pool:
        outcomes.update(pool.map(try_again, range(60)))
    repeats = [
        at_last(tools, code, request_id, barista)
        for code, request_id in zip(codes, first, strict=True)
    ]
    counts(spent=len(codes), tried=60, booked=booked(tools), doubled=booked(tools) - 20)
    assert set(outcomes) <= {"code_spent", "code_in_use"}
    assert all(each.is_repeat for each in repeats)
    assert booked(tools) == len(codes)

    # and a code that it never heard of is unknown, by which nobody is called a thief
    with pytest.raises(CodeUnknown):
        stamping.stamp(tools, unsent, stamps=1, request_id="new", staff=barista)
    with tools.database.read() as tx:
        assert "unissued_code" not in tx.scalars(select(Signal.kind)).all()


def at_last(tools, code, request_id, staff):
    """Give a stamp as a till does: while another holds the code, it asks again."""
    while True:
        try:
            return stamping.stamp(
                tools, code, stamps=1, request_id=request_id, staff=staff
            )
        except CodeInUse as refusal:
            time.sleep(refusal.retry_after.total_seconds())


def cut_off_replicas(group):
    """Let the master send nothing more to its replicas, which do not notice."""
    with client(group.master()) as master:
        master.execute_command("ACL SETUSER default -psync -sync -replconf")
        master.execute_command("CLIENT KILL TYPE replica")


def outcome(tools, code, staff):
    try:
        stamping.stamp(tools, code, stamps=1, request_id=uuid4().hex, staff=staff)
    except (CodeInUse, CodeSpent, StoreDown) as refusal:
        return getattr(refusal, "code", "away")
    return "given"


def booked(tools):
    with tools.database.read() as tx:
        asked = select(func.count()).where(LedgerEntry.kind == "EARN")
        return tx.scalar(asked)


def test_every_server_is_looked_at_and_a_dead_sentinel_passed_over(
    start_guarded, open_nonces
):
    # given three Sentinels, of which the first that we know is dead
    group = start_guarded()
    (replica,) = group.replicas()
    with client(group.sentinels[0]) as sentinel, contextlib.suppress(Exception):
        sentinel.shutdown()
    nonces = open_nonces(group.url)
    assert answers(nonces)
    assert nonces.problems() == nonces.warnings() == []

    # when the replica's settings are such that it would forget
    with client(replica) as follower:
        follower.config_set("appendonly", "no")

    # then that is a problem today, for it may be the master tomorrow
    assert nonces.problems() == [
        f"The replica 127.0.0.1:{replica} runs with appendonly no: after a restart it "
        "forgets spent codes. Set appendonly yes."
    ]
    # and a replica that is away is none
    group.kill(replica)
    assert nonces.problems() == []
    gone = f"The replica 127.0.0.1:{replica} is away."
    until(lambda: nonces.warnings() == [gone], "the Sentinels have noticed")


def test_servers_and_sentinels_have_passwords_of_their_own(group, open_nonces):
    for port in group.servers:
        with client(port) as server:
            server.execute_command("ACL SETUSER pp on >s3cret ~* +@all")
            server.execute_command("ACL SETUSER default resetpass >0ther")
    with client(group.sentinels[0]) as sentinel:
        sentinel.execute_command("ACL SETUSER default resetpass >guard")
    plain = group.url.removeprefix("redis+sentinel://")

    known = f"redis+sentinel://pp:s3cret@{plain}?sentinel_password=guard"
    assert answers(open_nonces(known))
    for wrong in (
        f"redis+sentinel://pp:s3cret@{plain}",
        f"redis+sentinel://{plain}?sentinel_password=guard",
    ):
        assert not answers(open_nonces(wrong))


def test_without_any_sentinel_every_call_says_so_at_once(open_nonces):
    nonces = open_nonces("redis+sentinel://127.0.0.1:1,127.0.0.1:2/punchproof")
    began = time.monotonic()

    with pytest.raises(NonceStoreDown):
        nonces.claim(bytes(9), "anna")

    assert nonces.problems() == ["The master gives no answer (MasterNotFoundError)."]
    assert time.monotonic() - began < 1


def test_nobody_is_kept_long_by_silent_servers(group, open_nonces):
    # given a crowd, a store that was in use and one that was not
    nonces = open_nonces(group.url)
    codes = issue(nonces, THREADS)
    stranger = open_nonces(group.url)
    group.patient()
    for port in group.servers:
        group.halt(port)

    # when servers take connections and say nothing
    def tried(number):
        began = time.monotonic()
        with pytest.raises(NonceStoreDown):
            (stranger if number % 2 else nonces).claim(codes[number], "anna")
        return time.monotonic() - began

    try:
        with ThreadPoolExecutor(THREADS) as pool:
            took = list(pool.map(tried, range(THREADS)))
    finally:
        for port in group.servers:
            group.halt(port, goes_on=True)

    # then each is told so in time
    assert max(took) < LONGEST

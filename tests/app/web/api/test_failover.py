"""The service over several Redis servers, while their masters are really killed.

Phones and tills behave as in ``test_kills``, and every answer that is no final one is
looked at: it must say "try again", and nothing else.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import httpx
import pytest
from sqlalchemy import select

from app.programme.founding import found
from app.settings import Settings
from app.store.tables import Signal
from app.tools import Tools
from scripts.parts.redis_groups import Cluster, Guarded, until
from tests.app.web.api.test_kills import Truth, books, till, wait_for_stamps
from tests.running import BUSY, Service, join, work

pytestmark = [
    pytest.mark.slow,
    # As many machines have it.
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]

TILLS, STAMPS_EACH = 6, 16


@dataclass(frozen=True)
class Watched(Service):
    """A service of which every answer is counted by its code."""

    said: Counter[str] = field(default_factory=Counter)
    #: What was no answer of ours.
    strange: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, token: str | None = None) -> httpx.Client:
        client = super().client(token)
        client.event_hooks = {"response": [self._look]}
        return client

    def _look(self, response: httpx.Response) -> None:
        if not response.is_server_error:
            return
        response.read()
        is_ours = response.headers["content-type"] == "application/problem+json"
        with self.lock:
            if is_ours and response.status_code == 503:
                self.said[response.json()["code"]] += 1
            else:
                self.strange.append(f"{response.status_code} {response.text[:200]}")


@dataclass(frozen=True)
class Shop:
    """Tills at work over a service, and what they were told."""

    tools: Tools
    service: Watched
    truth: Truth
    run: Callable[[Callable[[Callable[[int], bool]], None]], None]


@pytest.fixture
def open_shop(
    served_settings: Settings,
    make_tools: Callable[..., Tools],
    serve: Callable[..., Service],
) -> Callable[[str], Shop]:
    """Found a shop over a nonce store, and let its tills give stamps."""

    def open_over(redis_url: str) -> Shop:
        mine = replace(served_settings, redis_url=redis_url)
        tools = make_tools(origin=mine.origin, port=mine.port, redis_url=redis_url)
        shop = found(tools, BUSY)
        service = serve(mine)
        watched = Watched(service.url, service.process)
        truth = Truth()
        with service.client() as client:
            desks = [(work(client, tools, shop), join(client)) for _ in range(TILLS)]

        def run(disturb: Callable[[Callable[[int], bool]], None]) -> None:
            with ThreadPoolExecutor(TILLS) as pool:
                jobs = [
                    pool.submit(till, watched, *desk, truth, STAMPS_EACH)
                    for desk in desks
                ]
                disturb(lambda count: wait_for_stamps(truth, count, jobs))
                for job in jobs:
                    job.result()

        return Shop(tools, watched, truth, run)

    return open_over


def nothing_lost_or_doubled(shop: Shop, counts: Callable[..., None], **kills: int):
    """Hold what the tills were told to the books, and tell the figures."""
    booked, nonces = books(shop.tools)
    given = set(shop.truth.given)
    counts(
        given=len(given),
        booked=len(booked),
        lost=len(given - booked),
        doubled=len(booked - given),
        try_again=shop.service.said["try_again"],
        unknown=shop.truth.refused["code_unknown"],
        **kills,
    )
    assert booked == given
    assert nonces == len(booked) == TILLS * STAMPS_EACH
    assert set(shop.truth.refused) <= {"code_unknown", "code_expired"}
    # Every answer was true: a refusal that sends the phone for a fresh code, or this.
    assert shop.service.strange == []
    assert set(shop.service.said) == {"try_again"}
    # And nobody was called a thief for what a dead master took with it.
    with shop.tools.database.read() as tx:
        assert "unissued_code" not in tx.scalars(select(Signal.kind)).all()


def test_masters_that_die_under_sentinels_lose_nothing_and_double_nothing(
    open_shop: Callable[[str], Shop],
    start_guarded: Callable[..., Guarded],
    counts: Callable[..., None],
):
    # given tills at work over a master, two replicas and three Sentinels
    group = start_guarded(replicas=2)
    shop = open_shop(group.url)
    killed = []

    # when the master dies, and the one after it
    def disturb(wait_for: Callable[[int], bool]) -> None:
        for count in (15, 50):
            assert wait_for(count)
            until(lambda: bool(group.following()), "a replica has all of it")
            killed.append(group.master())
            group.kill(killed[-1])
            until(lambda: group.master() != killed[-1], "another takes its place")

    shop.run(disturb)

    # then everything that was given is booked once
    nothing_lost_or_doubled(shop, counts, killed_masters=len(killed))
    assert len(set(killed)) == 2


def test_where_a_cluster_loses_a_master_the_other_slots_go_on(
    open_shop: Callable[[str], Shop],
    start_cluster: Callable[..., Cluster],
    counts: Callable[..., None],
):
    # given tills at work over three masters, of which none has a replica
    cluster = start_cluster()
    shop = open_shop(cluster.url)
    given_without = []

    # when each of them dies in its turn, and is away for a while
    def disturb(wait_for: Callable[[int], bool]) -> None:
        for count, port in zip((12, 30, 48), cluster.masters, strict=True):
            assert wait_for(count)
            cluster.kill(port)
            before = len(shop.truth.given)
            # a till that holds a code of the dead one's waits; the others go on
            assert wait_for(before + 3)
            with shop.service.client() as client:
                assert client.get("/readyz").json()["problems"] == []
            given_without.append(len(shop.truth.given) - before)
            cluster.start(port)

    shop.run(disturb)

    # then everything that was given is booked once
    nothing_lost_or_doubled(
        shop, counts, killed_masters=3, given_while_one_was_dead=sum(given_without)
    )

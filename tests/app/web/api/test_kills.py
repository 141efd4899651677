"""Load with known ground truth, while what serves it is really killed.

Phones and tills behave as ours do: a request that got no answer is sent again with
the same id until there is one. At the end every stamp that was answered is in the
books once, and nothing else is.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from uuid import uuid4

import httpx
import psutil
import pytest
from sqlalchemy import func, select

from app.programme.founding import found
from app.settings import Settings
from app.store.tables import LedgerEntry
from app.tools import Tools
from scripts.parts.redis_server import RunningRedis
from tests.conftest import both_books_at_length
from tests.running import BUSY, Service, free_port, join, work

pytestmark = [both_books_at_length, pytest.mark.slow]

TILLS, STAMPS_EACH, KILL_EVERY = 6, 25, 12
_PATIENCE_S = 90


@dataclass
class Truth:
    """What the tills were told."""

    given: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def persist(send: Callable[[], httpx.Response], truth: Truth) -> httpx.Response:
    """Send until there is an answer that is final."""
    last = time.monotonic() + _PATIENCE_S
    while time.monotonic() < last:
        try:
            response = send()
        except httpx.TransportError:
            response = None
        if response is not None and not _comes_back(response):
            return response
        with truth.lock:
            truth.retries += 1
        time.sleep(0.05)
    said = response.text if response is not None else "nothing"
    raise AssertionError(f"no final answer; the last one said {said}")


def _comes_back(response: httpx.Response) -> bool:
    if response.is_server_error:
        # What is not ours to answer is a dying server's; ours says "try again".
        return True
    return response.status_code == 409 and response.json()["code"] == "code_in_use"


def till(
    service: Service,
    staff: str,
    member: dict[str, str],
    truth: Truth,
    stamps: int = STAMPS_EACH,
) -> None:
    """Give one card its stamps, one code after the other."""
    with service.client(member["token"]) as phone, service.client(staff) as desk:
        given = 0
        while given < stamps:
            path = f"/api/v1/cards/{member['card_id']}/code"
            code = persist(lambda p=path: phone.post(p), truth).json()["code"]
            scan = {"code": code, "stamps": 1, "request_id": uuid4().hex}
            answer = persist(lambda s=scan: desk.post("/api/v1/stamps", json=s), truth)
            with truth.lock:
                if answer.is_success:
                    truth.given[answer.json()["stamp_id"]] += 1
                    given += 1
                else:
                    truth.refused[answer.json()["code"]] += 1


def test_killing_what_serves_loses_nothing_and_doubles_nothing(
    served_settings: Settings,
    make_tools: Callable[..., Tools],
    start_redis: Callable[..., RunningRedis],
    serve: Callable[..., Service],
    counts: Callable[..., None],
):
    # given a service over a Redis of its own, and tills at work
    port = free_port()
    nonce_store = start_redis(port=port)
    mine = replace(served_settings, redis_url=nonce_store.url)
    tools = make_tools(origin=mine.origin, port=mine.port, redis_url=mine.redis_url)
    shop = found(tools, BUSY)
    service = serve(mine)
    with service.client() as client:
        desks = [(work(client, tools, shop), join(client)) for _ in range(TILLS)]

    # when workers and Redis are killed again and again
    truth, kills = Truth(), Counter[str]()
    with ThreadPoolExecutor(TILLS) as pool:
        jobs = [pool.submit(till, service, *desk, truth) for desk in desks]
        while wait_for_stamps(truth, (kills.total() + 1) * KILL_EVERY, jobs):
            if kills.total() % 4 < 3:
                kill_a_worker(service)
                kills["worker"] += 1
            else:
                nonce_store.process.kill()
                nonce_store.process.wait()
                nonce_store = start_redis(port=port)
                kills["redis"] += 1
        for job in jobs:
            job.result()

    # then all that was given is booked once, and nothing else is
    booked, nonces = books(tools)
    counts(
        given=len(truth.given),
        booked=len(booked),
        lost=len(set(truth.given) - booked),
        doubled=len(booked - set(truth.given)),
        retries=truth.retries,
        refused=truth.refused.total(),
        killed_workers=kills["worker"],
        killed_redis=kills["redis"],
    )
    assert booked == set(truth.given)
    assert nonces == len(booked) == TILLS * STAMPS_EACH
    assert set(truth.refused) <= {"code_expired", "code_unknown"}
    assert kills["worker"] > 0
    assert kills["redis"] > 0


def wait_for_stamps(truth: Truth, count: int, jobs: list[Future[None]]) -> bool:
    """Wait until so many got through, on any machine; False when all did."""
    while len(truth.given) < count:
        if all(job.done() for job in jobs):
            return False
        time.sleep(0.02)
    return True


def books(tools: Tools) -> tuple[set[str], int]:
    """The stamps in the books, and how many codes they name."""
    with tools.database.read() as tx:
        stamps = {str(row) for row in tx.scalars(earned(LedgerEntry.entry_id))}
        return stamps, tx.scalar(earned(func.count(LedgerEntry.nonce.distinct()))) or 0


def earned(column):
    return select(column).where(LedgerEntry.kind == "EARN")


def kill_a_worker(service: Service) -> None:
    """Kill the oldest worker as a machine would; Granian starts another.

    Never the one that was started last: two deaths of one within 5.5 s are a crash loop
    to Granian, and it gives up. Process ids do not tell which is older, they go round.
    """
    workers = psutil.Process(service.process.pid).children()
    min(workers, key=lambda worker: worker.create_time()).kill()

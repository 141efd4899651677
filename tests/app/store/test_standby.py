"""Books in two PostgreSQL servers: the primary dies, and its standby takes over."""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psutil
import pytest
from sqlalchemy import func, select

from app.programme import stamping
from app.programme.errors import StoreDown, TryAgain
from app.store.tables import LedgerEntry
from scripts.parts import postgres_server
from scripts.parts.redis_groups import until
from tests.conftest import migrate

pytestmark = pytest.mark.slow

TILLS, STAMPS_EACH = 4, 15
PATIENCE_S = 60


@pytest.fixture
def pair():
    """A primary, and a standby that must have every commit before it is told of."""
    # Not under pytest's own directory, which root alone can enter when root runs it.
    with (
        tempfile.TemporaryDirectory(prefix="pp-pair-") as directory,
        contextlib.ExitStack() as servers,
    ):
        Path(directory).chmod(0o755)
        one, two = Path(directory, "one"), Path(directory, "two")
        primary = servers.enter_context(postgres_server.start(one, fsync=False))
        standby = servers.enter_context(
            postgres_server.follow(primary, two, fsync=False)
        )
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.sql("SELECT pg_reload_conf()")
        in_step = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
        until(lambda: bool(primary.sql(in_step)), "the standby is in step")
        yield primary, standby


@pytest.fixture
def database_url(pair):
    hosts = [server.url.partition("host=")[2] for server in pair]
    told = "&".join(f"host={quote(host, safe='%')}" for host in hosts)
    url = (
        f"postgresql+psycopg://punchproof@/punchproof?{told}"
        "&target_session_attrs=read-write"
    )
    migrate(url)
    return url


@dataclass
class Truth:
    """What the tills were told."""

    given: list[str] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


def till(tools, card, staff, truth):
    """Give a card its stamps; each is asked for until there is an answer."""
    for _ in range(STAMPS_EACH):
        request_id, code = uuid4().hex, None
        last = time.monotonic() + PATIENCE_S
        while True:
            assert time.monotonic() < last
            try:
                code = code or stamping.card_code(tools, card.card_id).code
                answer = stamping.stamp(
                    tools, code, stamps=1, request_id=request_id, staff=staff
                )
                break
            except (StoreDown, TryAgain) as error:
                with truth.lock:
                    truth.said[type(error).__name__] += 1
                time.sleep(0.05)
        with truth.lock:
            truth.given.append(str(answer.answer["stamp_id"]))


def kill(server):
    """Kill a server with all of its processes, as a power cut would."""
    family = psutil.Process(server.process.pid)
    for each in (family, *family.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    server.process.wait()


def test_a_standby_that_takes_over_has_every_stamp_that_anyone_was_told_of(
    pair, tools, make_card, make_staff, counts
):
    # given tills at work
    primary, standby = pair
    truth = Truth()
    work = [(make_card(), make_staff()) for _ in range(TILLS)]
    with ThreadPoolExecutor(TILLS) as pool:
        jobs = [pool.submit(till, tools, *each, truth) for each in work]

        # when the primary dies in the middle of it, and the standby is promoted
        until(
            lambda: len(truth.given) >= TILLS * 4 or any(job.done() for job in jobs),
            "they work",
        )
        kill(primary)
        until(lambda: truth.said.total() > 0, "it is missed")
        standby.sql("SELECT pg_promote()")
        for job in jobs:
            job.result()

    # then every stamp is booked once
    with tools.database.read() as tx:
        earned = LedgerEntry.kind == "EARN"
        booked = {
            str(row) for row in tx.scalars(select(LedgerEntry.entry_id).where(earned))
        }
        asked = select(func.count(LedgerEntry.nonce.distinct())).where(earned)
        nonces = tx.scalar(asked)
    given = set(truth.given)
    counts(
        given=len(truth.given),
        booked=len(booked),
        lost=len(given - booked),
        doubled=len(booked - given),
        try_again=truth.said.total(),
        killed_primaries=1,
    )
    assert booked == given
    assert nonces == len(truth.given) == TILLS * STAMPS_EACH

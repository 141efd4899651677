"""Sixty-four at once over HTTP: one code gives one stamp, whatever the stores do."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.programme.founding import Founded, found
from app.settings import Settings
from app.store.tables import LedgerEntry
from app.tools import Tools
from tests.conftest import both_books
from tests.running import BUSY, Service, join, work
from tests.servers import wipe

AT_ONCE = 64
TILLS = 8

pytestmark = [both_books, pytest.mark.slow]


@pytest.fixture
def own_tools(make_tools: Callable[..., Tools], served_settings: Settings) -> Tools:
    """Tools of the test, with the service's origin."""
    return make_tools(origin=served_settings.origin, port=served_settings.port)


@pytest.fixture
def shop(own_tools: Tools) -> Founded:
    return found(own_tools, BUSY)


@pytest.fixture
def service(
    serve: Callable[..., Service], served_settings: Settings, shop: Founded
) -> Service:
    return serve(served_settings)


def at_once(send: Callable[[int], str]) -> Counter[str]:
    """Let everybody send at the same moment; count the answers."""
    start = threading.Barrier(AT_ONCE)

    def one(number: int) -> str:
        start.wait()
        return send(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, range(AT_ONCE)))


def answer_of(response) -> str:
    if response.is_success:
        return "first" if response.status_code == 201 else "again"
    return response.json()["code"]


@pytest.mark.parametrize("wiped", ["never", "in between", "meanwhile"])
def test_one_scan_of_many_tills_counts(
    service, own_tools, shop, redis_url, wiped, counts
):
    # given one customer's code, and 64 scans of it on eight tills
    with service.client() as client:
        member = join(client)
        tokens = [work(client, own_tools, shop) for _ in range(TILLS)]
    with service.client(member["token"]) as phone:
        code = phone.post(f"/api/v1/cards/{member['card_id']}/code").json()["code"]
    clients = [service.client(tokens[n % TILLS]) for n in range(AT_ONCE)]

    def scan(number: int) -> str:
        if wiped == "meanwhile" and number == AT_ONCE // 2:
            wipe(redis_url)
        body = {"code": code, "stamps": 1, "request_id": uuid4().hex}
        return answer_of(clients[number].post("/api/v1/stamps", json=body))

    # when they are sent at once, and once more after the wipe
    answers = at_once(scan)
    if wiped == "in between":
        wipe(redis_url)
        answers += at_once(scan)

    # then one counted, and nobody was told an untruth
    booked = entries(own_tools)
    counts(tried=answers.total(), booked=booked, **answers)
    assert answers["first"] == booked
    assert set(answers) <= {"first", "code_in_use", "code_spent", "code_unknown"}
    # wiped before anybody claimed it, the code is unknown to all
    assert booked == 1 or (wiped == "meanwhile" and booked == 0)
    for client in clients:
        client.close()


def test_one_tills_code_goes_to_one_of_many_phones(service, own_tools, shop, counts):
    with service.client() as client:
        members = [join(client, None) for _ in range(AT_ONCE)]
        till = work(client, own_tools, shop)
    with service.client(till) as staff:
        code = staff.post("/api/v1/stamp-codes", json={"stamps": 1}).json()["url"]
    clients = [service.client(member["token"]) for member in members]

    answers = at_once(
        lambda number: answer_of(
            clients[number].post(
                f"/api/v1/cards/{members[number]['card_id']}/stamps",
                json={"code": code},
            )
        )
    )

    counts(tried=AT_ONCE, booked=entries(own_tools), **answers)
    assert answers["first"] == 1
    assert set(answers) <= {"first", "code_in_use", "code_spent"}
    assert entries(own_tools) == 1
    for client in clients:
        client.close()


def test_one_request_sent_by_many_threads_has_one_answer(
    service, own_tools, shop, counts
):
    with service.client() as client:
        member = join(client)
        till = work(client, own_tools, shop)
    with service.client(member["token"]) as phone:
        code = phone.post(f"/api/v1/cards/{member['card_id']}/code").json()["code"]
    bodies: list[str] = []
    clients = [service.client(till) for _ in range(AT_ONCE)]

    def scan(number: int) -> str:
        response = clients[number].post(
            "/api/v1/stamps", json={"code": code, "stamps": 2, "request_id": "same"}
        )
        bodies.append(response.text)
        return answer_of(response)

    answers = at_once(scan)

    counts(tried=AT_ONCE, booked=entries(own_tools), **answers)
    assert answers == {"first": 1, "again": AT_ONCE - 1}
    assert len(set(bodies)) == 1
    assert entries(own_tools) == 1
    for client in clients:
        client.close()


def entries(tools: Tools) -> int:
    with tools.database.read() as tx:
        return tx.scalar(select(func.count()).where(LedgerEntry.kind == "EARN")) or 0

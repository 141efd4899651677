"""Lines that are opened and sent no request on, by people who are at no till."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from http import HTTPStatus

import httpx
import pytest

from app.programme.founding import Founded, found
from app.settings import Settings
from app.tools import Tools
from app.web.shared.patience import STRANGERS
from tests.running import Service, join, work

pytestmark = pytest.mark.slow
#: More than the process has threads.
LINES = 40


@pytest.fixture
def own_tools(make_tools: Callable[..., Tools], served_settings: Settings) -> Tools:
    """Tools of the test, with the service's origin."""
    return make_tools(origin=served_settings.origin, port=served_settings.port)


@pytest.fixture
def shop(own_tools: Tools) -> Founded:
    return found(own_tools)


@pytest.fixture
def service(
    serve: Callable[..., Service], served_settings: Settings, shop: Founded
) -> Service:
    return serve(served_settings, workers=1)


@contextlib.contextmanager
def held(service: Service, path: str, token: str | None = None) -> Iterator[None]:
    """Begin many requests, and end none."""
    url = httpx.URL(service.url)
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\n{bearer}"
        "Content-Type: application/json\r\nContent-Length: 200\r\n\r\n{"
    )
    with contextlib.ExitStack() as lines:
        for _ in range(LINES):
            line = socket.create_connection((url.host, url.port), 10)
            lines.enter_context(line)
            line.sendall(head.encode())
        yield


def refused(service: Service) -> httpx.Response:
    """Join until there is no room for it: lines that were sent may not be read yet."""
    for _ in range(200):
        answer = httpx.post(f"{service.url}/api/v1/members", json={})
        if answer.status_code != HTTPStatus.CREATED:
            break
    return answer


def test_slow_bodies_of_others_stop_no_till(service, own_tools, shop, counts):
    # given a till, a customer, and many lines that strangers and customers hold
    with service.client() as client:
        member = join(client)
        till = service.client(work(client, own_tools, shop))
    phone = service.client(member["token"])
    stamps = f"/api/v1/cards/{member['card_id']}/stamps"
    with held(service, "/api/v1/members"), held(service, stamps, member["token"]):
        # when the customer shows a code and the till scans it
        code = phone.post(f"/api/v1/cards/{member['card_id']}/code").json()["code"]
        body = {"code": code, "stamps": 1, "request_id": "scan"}
        scanned = till.post("/api/v1/stamps", json=body)

        # then the stamp is given, and who would have to wait hears when to ask again
        assert scanned.status_code == 201
        joining = refused(service)
        assert joining.json()["code"] == "try_again"
        assert int(joining.headers["Retry-After"]) >= 1
    counts(lines=2 * LINES, given=1, waiting_at_most=STRANGERS)
    till.close()
    phone.close()


def test_a_line_that_was_let_go_makes_room(service):
    with held(service, "/api/v1/members"):
        assert refused(service).status_code == 503

    with httpx.Client(base_url=service.url) as client:
        answers = (client.post("/api/v1/members", json={}) for _ in range(200))
        assert any(answer.status_code == 201 for answer in answers)

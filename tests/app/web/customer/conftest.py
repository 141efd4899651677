"""Pages as a phone sees them: the real app, a cookie jar, a language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.programme import members
from app.programme.founding import Founded
from app.tools import Tools
from tests.app.web.conftest import app_over

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Phone:
    """A browser on a phone: keeps cookies, sends forms with their token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **options: object) -> TestResponse:
        return self.client.get(path, buffered=True, **options)

    def submit(self, page: str, path: str, **fields: str) -> TestResponse:
        """Open a page, then send a form with its token to `path`."""
        token = _TOKEN.search(self.get(page, follow_redirects=True).text)
        assert token, f"{page} has no token"
        return self.client.post(path, data={"csrf_token": token[1], **fields})

    def hold(self, token: str) -> None:
        self.client.set_cookie("pp_member", token)


@pytest.fixture
def flask_app(tools: Tools, founded: Founded) -> Flask:
    return app_over(tools)


@pytest.fixture
def make_phone(flask_app: Flask) -> Callable[[], Phone]:
    return lambda: Phone(flask_app.test_client())


@pytest.fixture
def phone(make_phone: Callable[[], Phone]) -> Phone:
    """A phone without a card."""
    return make_phone()


@pytest.fixture
def anna(phone: Phone, tools: Tools, founded: Founded) -> tuple[Phone, UUID]:
    """A phone with Anna's empty card, and the card's id."""
    joined = members.join(tools, name="Anna")
    phone.hold(joined.token)
    return phone, joined.card_id


@pytest.fixture
def in_request(flask_app: Flask) -> Iterator[None]:
    """Sentences need a request: it has the language and the addresses."""
    with flask_app.test_request_context():
        yield

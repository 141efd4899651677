"""Browsers of the console, and the pages that every test goes round."""

from __future__ import annotations

import re
from html import unescape
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.programme import sessions, shop
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.tools import Tools
from tests.app.web.conftest import app_over

#: What anybody in the console may open, whatever is in the books.
PAGES = (
    "/console/",
    "/console/signals",
    "/console/cards",
    "/console/limits",
    "/console/items",
    "/console/programme",
    "/console/programme/poster",
    "/console/tiers",
    "/console/plans",
    "/console/plans/new",
    "/console/programmes/new",
    "/console/groups",
    "/console/shop",
    "/console/style",
    "/console/setup/shop",
    "/console/setup/card",
    "/console/setup/look",
    "/console/setup/till",
    "/console/setup/barista",
    "/console/setup/done",
    "/console/locations",
    "/console/printing",
    "/console/printing/new",
    "/console/terminals",
    "/console/terminals/new",
    "/console/staff",
    "/console/staff/new",
    "/console/keys",
)
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """A browser of the console: keeps cookies, sends forms with their token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **options: object) -> TestResponse:
        return self.client.get(path, **options)

    def send(self, page: str, path: str | None = None, **fields: str) -> TestResponse:
        """Open a page and send its form, to the page itself or to ``path``."""
        token = _TOKEN.search(self.get(page).text)
        assert token, f"{page} has no form"
        return self.client.post(path or page, data={"csrf_token": token[1], **fields})

    def sign_in(self, email: str, password: str, **more: str) -> TestResponse:
        return self.send("/console/sign-in", email=email, password=password, **more)

    def hold(self, tools: Tools, staff_id: UUID) -> None:
        """Be signed in, without the time that a password takes."""
        with tools.database.begin() as tx:
            token = sessions.grant(tx, tools, "console", staff_id=staff_id)
        self.client.set_cookie("pp_console", token)


@pytest.fixture
def stranger(tools: Tools, founded: Founded) -> Browser:
    return Browser(app_over(tools).test_client())


@pytest.fixture
def owner(tools: Tools, stranger: Browser, founded: Founded) -> Browser:
    stranger.hold(tools, founded.staff_id)
    return stranger


@pytest.fixture
def manager(tools: Tools, founded: Founded) -> Browser:
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")
    staff_id = shop.add_staff(
        tools,
        name="Jonas",
        role="manager",
        pin="2580",
        email="jonas@example.com",
        password="long enough 1",
        by=by,
    )
    browser = Browser(app_over(tools).test_client())
    browser.hold(tools, staff_id)
    return browser


def seen(response: TestResponse) -> str:
    """Give a page's words as people see them."""
    words = re.sub(r"<(script|svg)\b.*?</\1>|<[^>]+>", " ", response.text, flags=re.S)
    return " ".join(unescape(words).replace("\u2068", "").replace("\u2069", "").split())

"""The worker asks at the moment of sending, and adds the way to end it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.programme import consents, members
from app.programme.consents import Choice, Wording
from app.store import outbox
from app.store.tables import Outgoing
from app.tools import Tools
from app.translations import LANGUAGES
from app.worker import loop
from app.worker.carriers import Smtp
from tests.app.worker.conftest import Server

pytestmark = pytest.mark.usefixtures("founded")
WORDS = Wording("The shop may e-mail me: news of the shop", "en", 1)


@pytest.fixture
def _news(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail that needs a consent: the welcome, as if it did."""
    monkeypatch.setitem(consents.NEEDS, "welcome", "news")


def say(tools: Tools, joined: members.Joined, *, is_given: bool) -> None:
    choice = Choice("news", is_given=is_given, wording=WORDS)
    consents.choose(tools, joined.member_id, [choice], channel="account")


@pytest.mark.usefixtures("_news")
def test_who_took_it_back_meanwhile_gets_nothing(tools: Tools, serve_mail: Callable):
    server = Server()
    joined = members.join(tools, email="anna@example.org")
    say(tools, joined, is_given=True)
    say(tools, joined, is_given=False)

    assert loop.deliver_one(tools, Smtp(serve_mail(server))).took

    assert server.mails == []
    with tools.database.read() as tx:
        row = tx.scalars(select(Outgoing)).one()
        figures = outbox.figures(tx, tools.now())
    assert (row.problem, row.address, row.facts) == ("unwanted", None, {})
    assert (figures.waiting, figures.given_up) == (0, 0)


@pytest.mark.usefixtures("_news")
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.tag)
def test_who_agreed_gets_it_with_the_way_to_end_it(
    tools: Tools, serve_mail: Callable, language
):
    server = Server()
    joined = members.join(tools, email="anna@example.org", locale=language.tag)
    say(tools, joined, is_given=True)

    loop.deliver_one(tools, Smtp(serve_mail(server)))

    (mail,) = server.mails
    url = mail["List-Unsubscribe"].strip("<>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url.startswith(f"{tools.settings.origin}/unsubscribe/")
    assert url in mail.get_body(("plain",)).get_content()
    assert url in mail.get_body(("html",)).get_content()
    told = consents.opened(tools, url.rpartition("/")[2])
    assert told == consents.Link(joined.member_id, "news")


def test_what_was_asked_for_has_no_such_link(tools: Tools, serve_mail: Callable):
    server = Server()
    members.join(tools, email="anna@example.org")

    loop.deliver_one(tools, Smtp(serve_mail(server)))

    assert server.mails[0]["List-Unsubscribe"] is None

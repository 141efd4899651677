"""Before a voucher ends its holder gets one mail, by a real mail server."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.programme import cards, consents, members
from app.programme.consents import Choice, Wording
from app.programme.founding import Founded
from app.programme.rewards import calling_off, warning
from app.store import outbox
from app.store.tables import Outgoing, Programme
from app.tools import Tools
from app.translations import LANGUAGES
from app.worker import loop
from app.worker.carriers import Smtp
from tests.app.worker.conftest import Server
from tests.conftest import both_books


@pytest.fixture
def short(tools: Tools, founded: Founded) -> None:
    """Vouchers are good for 30 days."""
    with tools.database.begin() as tx:
        tx.get_one(Programme, founded.programme_id).voucher_days = 30


def join(tools: Tools, *, wants: bool = True, locale: str = "en") -> cards.CardState:
    address = f"{uuid4().hex}@example.org"
    joined = members.join(tools, name="Anna", email=address, locale=locale)
    if wants:
        wording = Wording("Reminders", "en", 1)
        choice = Choice("reminders", is_given=True, wording=wording)
        consents.choose(tools, joined.member_id, [choice], channel="account")
    return cards.card(tools, joined.card_id)


def warnings(tools: Tools) -> list[str]:
    with tools.database.read() as tx:
        rows = tx.scalars(select(Outgoing).where(Outgoing.kind == warning.KIND))
        return [row.facts["reward"] for row in rows]


@both_books
def test_of_any_number_of_workers_one_warns_and_only_when_it_is_time(
    tools: Tools, make_tools, short, clock, give
):
    give(join(tools), 10)
    give(join(tools, wants=False), 10)
    assert warning.warn(tools) == 0
    clock.forward(timedelta(days=28))
    doors = [make_tools() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        written = sum(pool.map(warning.warn, doors))

    assert (written, len(warnings(tools))) == (1, 1)
    assert warning.warn(tools) == 0
    clock.forward(timedelta(days=5))
    assert warning.warn(tools) == 0


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.tag)
def test_the_mail_names_the_voucher_and_its_last_day(
    tools: Tools, clock, give, serve_mail: Callable, language
):
    give(join(tools, locale=language.tag), 10)
    server = Server()
    while loop.deliver_one(tools, Smtp(serve_mail(server))).took:
        pass
    server.taken.clear()
    clock.forward(timedelta(days=28))
    warning.warn(tools)

    loop.deliver_one(tools, Smtp(serve_mail(server)))

    (mail,) = server.mails
    text = mail.get_body(("plain",)).get_content()
    assert "Free coffee" in text
    assert "2026" in text or "2027" in text
    assert "%(" not in text + mail["Subject"]
    assert mail["List-Unsubscribe"] is not None


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.tag)
def test_the_mail_of_an_event_that_is_called_off_says_why(
    tools: Tools, founded: Founded, serve_mail: Callable, language
):
    facts = {
        "name": "Anna",
        "event": "Tasting",
        "starts_at": "2027-03-04T18:00:00+00:00",
        "reason": "The oven broke",
        "is_paid": True,
        "card_id": str(uuid4()),
    }
    with tools.database.begin() as tx:
        outbox.put(
            tx,
            calling_off.KIND,
            "anna@example.org",
            facts,
            now=tools.now(),
            locale=language.tag,
        )
    server = Server()

    loop.deliver_one(tools, Smtp(serve_mail(server)))

    (mail,) = server.mails
    text = mail.get_body(("plain",)).get_content()
    assert "Tasting" in str(mail["Subject"])
    assert "The oven broke" in text
    assert "2027" in text
    assert "%(" not in text + mail["Subject"]

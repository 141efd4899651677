"""Before units end their holder gets one mail, by a real mail server."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.programme import cards, consents, members
from app.programme.consents import Choice, Wording
from app.programme.earning import desk, warning
from app.programme.earning.rules import Figures, Rule, RuleKind
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.programme.units import Unit
from app.store.tables import Outgoing
from app.tools import Tools
from app.translations import LANGUAGES
from app.worker import loop
from app.worker.carriers import Smtp
from tests.app.worker.conftest import Server
from tests.conftest import both_books

WORDS = Wording("Reminders", "en", 1)


@pytest.fixture
def points(tools: Tools, founded: Founded) -> None:
    """Five points a visit, good for 30 days."""
    rule = Rule(
        uuid4(), 0, uuid4(), founded.programme_id, RuleKind.VISIT, Unit.POINT,
        Figures(units=5), life_days=30,
    )  # fmt: skip
    desk.save(tools, rule, by=ConsoleCaller(founded.staff_id, "Owner", "owner"))


def join(tools: Tools, *, wants: bool = True, locale: str = "en") -> cards.CardState:
    joined = members.join(
        tools, name="Anna", email=f"{uuid4().hex}@example.org", locale=locale
    )
    if wants:
        choice = Choice("reminders", is_given=True, wording=WORDS)
        consents.choose(tools, joined.member_id, [choice], channel="account")
    return cards.card(tools, joined.card_id)


def warnings(tools: Tools) -> list[list[list[object]]]:
    with tools.database.read() as tx:
        rows = tx.scalars(select(Outgoing).where(Outgoing.kind == warning.KIND))
        return [row.facts["ends"] for row in rows]


@pytest.mark.usefixtures("points")
def test_each_lot_is_told_of_once_and_a_week_ahead(tools: Tools, clock, give):
    card = join(tools)
    give(card, 1)
    clock.forward(timedelta(days=5))
    give(card, 1)
    assert warning.warn(tools) == 0

    clock.forward(timedelta(days=12))
    assert warning.warn(tools) == 1
    assert warning.warn(tools) == 0
    clock.forward(timedelta(days=8))
    assert warning.warn(tools) == 1
    clock.forward(timedelta(days=3))
    assert warning.warn(tools) == 0

    first, second = warnings(tools)
    assert [each[:2] for each in first] == [["point", 5]]
    assert [each[:2] for each in second] == [["point", 5]]
    assert first[0][2] < second[0][2]


@pytest.mark.usefixtures("points")
def test_who_did_not_ask_for_reminders_gets_none(tools: Tools, clock, give):
    give(join(tools, wants=False), 1)
    clock.forward(timedelta(days=20))

    assert warning.warn(tools) == 0
    assert warnings(tools) == []


@both_books
def test_any_number_of_workers_write_one_mail(
    tools: Tools, make_tools, points, clock, give
):
    card = join(tools)
    give(card, 1)
    clock.forward(timedelta(days=20))
    doors = [make_tools() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        written = sum(pool.map(warning.warn, doors))

    assert (written, len(warnings(tools))) == (1, 1)


@pytest.mark.usefixtures("points")
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.tag)
def test_the_mail_says_how_many_and_until_when(
    tools: Tools, clock, give, serve_mail: Callable, language
):
    server = Server()
    give(join(tools, locale=language.tag), 1)
    while loop.deliver_one(tools, Smtp(serve_mail(server))).took:
        pass
    server.taken.clear()
    clock.forward(timedelta(days=20))
    warning.warn(tools)

    loop.deliver_one(tools, Smtp(serve_mail(server)))

    (mail,) = server.mails
    text = mail.get_body(("plain",)).get_content()
    assert "5" in text
    assert "2026" in text or "2027" in text
    assert "%(" not in text + mail["Subject"]
    assert mail["List-Unsubscribe"] is not None

"""Rewards on the phone: what there is, what is missing, chosen once, read alone."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest

from app.programme import cards, rewards
from app.programme.founding import Founded
from app.programme.rewards import Plan, partners
from app.programme.sessions import ConsoleCaller
from app.tools import Tools


@pytest.fixture
def by(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Sofie", "owner")


@pytest.fixture
def offer(tools: Tools, founded: Founded, by):
    def put(**facts: object) -> UUID:
        plan = Plan(**{"kind": "item", "name": "Cake", "price": 3} | facts)
        rewards.set_exchanges(tools, founded.programme_id, "by_choice", by=by)
        return rewards.save(
            tools, plan, programme_id=founded.programme_id, reward_id=None, by=by
        )

    return put


def words(page) -> str:
    text = re.sub(r"<(script|svg)\b.*?</\1>|<[^>]+>", " ", page.text, flags=re.S)
    return " ".join(unescape(text).replace("\u2068", "").replace("\u2069", "").split())


def fields(page) -> dict[str, str]:
    return {
        name: re.search(rf'name="{name}" value="([^"]+)"', page.text)[1]
        for name in ("request_id", "edition")
    }


def test_a_member_chooses_once_however_often_the_form_is_sent(
    tools: Tools, anna, offer, give
):
    phone, card_id = anna
    cake = offer()
    page = f"/card/{card_id}/rewards/{cake}"
    assert "3 more stamps" in words(phone.get(f"/card/{card_id}/rewards"))
    give(cards.card(tools, card_id), 7)
    assert "1 you can have now" in words(phone.get(f"/card/{card_id}"))
    asked = phone.get(page)
    assert "Yes, for 3 stamps" in words(asked)

    first = phone.submit(page, page, **fields(asked))
    again = phone.submit(page, page, **fields(asked))

    assert (first.status_code, first.location) == (303, again.location)
    mine = cards.card(tools, card_id)
    assert (mine.stamps, len(mine.vouchers)) == (4, 1)
    held = phone.get(first.location)
    assert "It is yours." in words(held)
    assert f"#voucher-{mine.vouchers[0].voucher_id}" in held.text
    assert "Chosen: Cake" in words(phone.get(f"/card/{card_id}"))


def test_each_refusal_is_told_in_words(tools: Tools, anna, offer, give):
    phone, card_id = anna
    give(cards.card(tools, card_id), 8)
    for facts, sentence in (
        ({"stock": 1}, "There is none left."),
        ({"cost": 100, "budget": 100}, "As many as there were have been given."),
        ({"per_member": 1}, "One for each member, and you have had yours."),
        ({"price": 2}, ""),
        ({"price": 9}, "more stamps"),
    ):
        page = f"/card/{card_id}/rewards/{offer(**{'price': 1} | facts)}"
        shown = phone.get(page)
        if "edition" in shown.text:
            form = fields(shown)
            phone.submit(page, page, **form)
            if not sentence:
                continue
            late = phone.submit(page, page, **form | {"request_id": "another-one"})
            assert late.status_code == 409
            assert sentence in words(late)
        assert sentence in words(phone.get(page))


def test_a_partners_code_is_read_by_its_holder_alone(
    tools: Tools, anna, offer, give, by, flask_app
):
    phone, card_id = anna
    cinema = offer(kind="partner", name="Cinema", price=0, per_member=1)
    partners.add(tools, cinema, "SEAT-42", by=by)
    page = f"/card/{card_id}/rewards/{cinema}"
    held = phone.submit(page, page, **fields(phone.get(page))).location
    assert "SEAT-42" not in phone.get(held).text

    opened = phone.submit(held, f"{held.partition('?')[0]}/open")

    assert "SEAT-42" in phone.get(opened.location).text
    stranger = flask_app.test_client()
    assert stranger.get(held).status_code == 401


def test_a_text_of_the_shop_is_text_and_its_links_are_links(tools: Tools, anna, offer):
    phone, card_id = anna
    text = "<b>Dough</b>: see https://example.com/dough. Thanks"
    recipe = offer(kind="content", name="Recipe", price=0, per_member=1, content=text)
    page = f"/card/{card_id}/rewards/{recipe}"
    held = phone.submit(page, page, **fields(phone.get(page))).location
    opened = phone.submit(held, f"{held.partition('?')[0]}/open")

    shown = phone.get(opened.location).text

    assert "&lt;b&gt;Dough&lt;/b&gt;" in shown
    assert 'href="https://example.com/dough"' in shown


def test_a_place_at_an_event_is_taken_and_given_back(tools: Tools, anna, offer, clock):
    phone, card_id = anna
    starts = clock() + timedelta(days=5)
    evening = offer(
        kind="event",
        name="Tasting",
        price=0,
        per_member=1,
        stock=2,
        starts_at=starts,
        ends_at=starts + timedelta(hours=2),
        place="Upstairs",
    )
    page = f"/card/{card_id}/rewards/{evening}"
    assert "2 places left" in words(phone.get(page))
    held = phone.submit(page, page, **fields(phone.get(page))).location
    assert "Show my code at the door" in words(phone.get(held))

    back = phone.submit(held, f"{held.partition('?')[0]}/cancel")

    assert back.status_code == 303
    assert "Your place is free again" in words(phone.get(back.location))
    assert rewards.reward(tools, evening).left == 2


def test_a_stranger_chooses_nothing(phone, anna, offer, flask_app):
    _, card_id = anna
    cake = offer()
    assert flask_app.test_client().get(f"/card/{card_id}/rewards").status_code == 401
    answer = flask_app.test_client().get(f"/card/{card_id}/rewards/{cake}")
    assert answer.status_code == 401

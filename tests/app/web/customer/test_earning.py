"""How a member earns, on the phone: sentences, rests, acts told, friends invited."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from app.programme import cards
from app.programme.earning import desk
from app.programme.earning.rules import Act, Caps, Figures, Rule, RuleKind
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.programme.units import Unit
from app.store.tables import Referral
from app.tools import Tools


@pytest.fixture
def make_rule(tools: Tools, founded: Founded):
    by = ConsoleCaller(founded.staff_id, "Sofie", "owner")

    def make(kind: RuleKind, figures: Figures, unit: Unit = Unit.STAMP, **more: Any):
        draft = Rule(
            uuid4(), 0, uuid4(), founded.programme_id, kind, unit, figures, **more
        )
        return desk.save(tools, draft, by=by)

    return make


def words(page) -> str:
    text = re.sub(r"<(script|svg)\b.*?</\1>|<[^>]+>", " ", page.text, flags=re.S)
    return " ".join(unescape(text).replace("\u2068", "").replace("\u2069", "").split())


def test_without_rules_the_page_says_that_the_barista_counts(anna):
    phone, card_id = anna
    assert f"/card/{card_id}/earning" in phone.get(f"/card/{card_id}").text

    assert "The barista counts your stamps." in words(
        phone.get(f"/card/{card_id}/earning")
    )


def test_each_rule_is_the_sentence_that_the_shop_wrote(anna, make_rule):
    phone, card_id = anna
    make_rule(RuleKind.VISIT, Figures(units=1))
    make_rule(
        RuleKind.AMOUNT,
        Figures(units=1, per=500),
        Unit.POINT,
        name="A point for five",
        caps=Caps(day=10),
    )
    make_rule(RuleKind.SIGNUP, Figures(units=2))

    page = words(phone.get(f"/card/{card_id}/earning"))

    assert "1 stamp for each visit" in page
    assert "A point for five 1 point for every €5.00, at most 10 points a day" in page
    assert "2 stamps more with your first visit" in page


def test_an_act_is_told_once_and_only_after_a_visit(
    tools: Tools, anna, make_rule, give
):
    phone, card_id = anna
    make_rule(RuleKind.ACT, Figures(units=1, act=Act.REVIEW))
    path = f"/card/{card_id}/earning"

    early = phone.submit(path, path, act="review")
    assert early.status_code == 403
    assert "This counts once you have been here." in words(early)

    give(cards.card(tools, card_id), 1)
    assert "I have done it" in words(phone.get(path))
    for _ in range(2):
        assert phone.submit(path, path, act="review").status_code == 303
    assert cards.card(tools, card_id).stamps == 2
    after = words(phone.get(path))
    assert "Done" in after
    assert "I have done it" not in after

    for act in ("newsletter", "survey", "nonsense", ""):
        assert phone.submit(path, path, act=act).status_code == 404
    assert cards.card(tools, card_id).stamps == 2


def test_a_friend_joins_by_an_invitation(tools: Tools, anna, make_phone, make_rule):
    phone, card_id = anna
    path = f"/card/{card_id}/earning"
    assert "Invite a friend" not in words(phone.get(path))
    make_rule(RuleKind.REFERRAL, Figures(units=2, friend_units=1))
    page = phone.get(path)
    assert "Nobody has joined by it yet." in words(page)
    link = re.search(r'data-share="[^"]*(/join/[^"]+)"', page.text)[1]

    friend = make_phone()
    for each in (phone, friend):
        each.client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    phone.get(path)
    asked = friend.get(link)
    assert "1 stamp for you once you have been here on two days." in words(asked)
    # The address is left and the form sent from the plain one: the browser remembers.
    assert friend.submit("/join", "/join", terms_version="1").status_code == 303

    assert "1 friend has joined." in words(phone.get(path))
    with tools.database.read() as tx:
        # The giver looked at the invitation with the very device that joined by it.
        assert [row.reason for row in tx.query(Referral).all()] == ["same_device"]


@pytest.mark.parametrize("word", ["x", "%00", "a" * 300, "<b>"])
def test_an_invitation_that_is_none_is_no_obstacle(make_phone, make_rule, word: str):
    make_rule(RuleKind.REFERRAL, Figures(units=2, friend_units=1))
    friend = make_phone()

    assert friend.get(f"/join?invite={word}").status_code == 200
    assert friend.submit("/join", "/join", terms_version="1").status_code == 303


def test_somebody_elses_page_is_not_there(anna, make_phone):
    _, card_id = anna
    assert make_phone().get(f"/card/{card_id}/earning").status_code == 401


def test_a_change_is_read_before_it_counts(anna, make_rule, tools, founded, clock):
    phone, card_id = anna
    rule = make_rule(RuleKind.VISIT, Figures(units=1))
    desk.save(
        tools,
        replace(rule, figures=Figures(units=2)),
        by=ConsoleCaller(founded.staff_id, "Sofie", "owner"),
        rule_id=rule.rule_id,
        takes_effect_at=clock() + timedelta(days=9),
    )

    page = words(phone.get(f"/card/{card_id}/earning"))

    assert "1 stamp for each visit" in page
    assert ": 2 stamps for each visit" in page


def test_a_bound_that_is_reached_is_told(anna, make_rule, give, tools):
    phone, card_id = anna
    make_rule(RuleKind.VISIT, Figures(units=1), caps=Caps(day=1))
    assert "reached" not in words(phone.get(f"/card/{card_id}/earning"))
    give(cards.card(tools, card_id), 1)

    page = words(phone.get(f"/card/{card_id}/earning"))

    assert "The most for one day is reached." in page

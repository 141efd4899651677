"""How customers earn, as a manager sets it up."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from app.programme import shop, stamping
from app.programme.earning import desk
from app.programme.purchases import Order
from app.programme.sessions import ConsoleCaller
from app.programme.shop import TypedItem
from tests.app.web.console.conftest import Browser, seen

NEW = "/console/earning/new"


def test_double_tuesday_is_made_tried_changed_and_stopped(
    owner: Browser, tools, founded
) -> None:
    page = f"{NEW}/times"
    fields = {"name": "Double Tuesday", "unit": "stamp", "times": "2", "days": "1"}

    looked = seen(owner.send(page, **fields, do="look"))
    assert "Double stamps, on Tuesday" in looked
    assert "It would have given 0 stamps, to 0 cards." in looked
    assert desk.rules(tools, founded.programme_id) == []
    assert owner.send(page, **fields, do="save").status_code == 303

    [view] = desk.rules(tools, founded.programme_id)
    assert "Double stamps, on Tuesday" in seen(owner.get("/console/earning"))
    path = f"/console/earning/{view.rule.rule_id}"
    assert 'value="Double Tuesday"' in owner.get(path).text
    owner.send(path, **{**fields, "times": "3"}, do="save")
    owner.send("/console/earning", f"{path}/switch", is_on="0")
    [view] = desk.rules(tools, founded.programme_id)
    assert (view.rule.figures.percent, view.is_on) == (300, False)


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        ("visit", {"units": "1000000"}, "That is too little or too much."),
        ("visit", {"units": "-1"}, "That is too little or too much."),
        ("amount", {"unit": "cent", "back": "80"}, "That is too little or too much."),
        (
            "visit",
            {"units": "1", "first_day": "2030-02-01", "last_day": "2030-01-01"},
            "The end is before the start.",
        ),
        ("visit", {"units": "5", "budget": "2"}, "Less than the rule gives at once."),
        (
            "times",
            {"unit": "point", "times": "2"},
            "No rule gives this, so there is no more of it.",
        ),
    ],
)
def test_what_makes_no_sense_is_told_beside_its_field(
    owner: Browser, tools, founded, kind, fields, sentence
) -> None:
    answer = owner.send(f"{NEW}/{kind}", **{"unit": "stamp", **fields}, do="save")

    assert answer.status_code == 422
    assert sentence in seen(answer)
    assert desk.rules(tools, founded.programme_id) == []


@pytest.mark.parametrize(
    "kind",
    ["visit", "item", "amount", "times", "act", "signup", "birthday", "referral"],
)
def test_every_kind_has_a_form(owner: Browser, founded, kind) -> None:
    assert owner.get(f"{NEW}/{kind}").status_code == 200


def test_an_item_rule_is_seen_on_the_phone_and_tried_on_what_was_sold(
    owner: Browser, tools, founded, make_card, barista
) -> None:
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")
    shop.add_location(tools, name="Torvet", by=by)
    bun = shop.add_item(tools, TypedItem("Bun", 250, "Bread"), by=by)
    for _ in range(2):
        code = stamping.card_code(tools, make_card().card_id).code
        order = Order(items=((bun, 3),))
        stamping.stamp(
            tools, code, stamps=1, request_id=uuid4().hex, staff=barista, order=order
        )
    fields = {"unit": "stamp", "units": "1", "categories": "Bread"}

    looked = owner.send(f"{NEW}/item", **fields, unit_cost="0.35", do="look")
    wrong = owner.send(f"{NEW}/item", **fields, unit_cost="much", do="look")

    told = "It would have given 6 stamps, to 2 cards. That is €2.10."
    assert told in seen(looked)
    assert "A sum above nought." in seen(wrong)
    assert "What customers see" in seen(looked)
    assert "1 stamp for each of: Bread" in seen(looked)
    places = {place.name: str(place.location_id) for place in shop.locations(tools)}
    owner.send(f"{NEW}/item", **fields, places=places["Torvet"], do="save")
    [view] = desk.rules(tools, founded.programme_id)
    assert "1 stamp for each of: Bread, at Torvet" in seen(
        owner.get("/console/earning")
    )
    page = owner.get(f"/console/earning/{view.rule.rule_id}").text
    assert f'value="{places["Torvet"]}" checked' in page
    assert 'value="Bread" checked' in page


def test_a_change_that_counts_later_is_read_by_customers_before(
    owner: Browser, tools, founded, clock
) -> None:
    owner.send(f"{NEW}/visit", unit="stamp", units="1", do="save")
    [view] = desk.rules(tools, founded.programme_id)
    page = f"/console/earning/{view.rule.rule_id}"
    day = (clock() + timedelta(days=10)).date()

    early = owner.send(page, unit="stamp", units="2", begins="2020-01-01", do="save")
    saved = owner.send(page, unit="stamp", units="2", begins=str(day), do="save")

    assert early.status_code == 422
    assert "That day is over." in seen(early)
    assert saved.status_code == 303
    assert "Counts from" in seen(owner.get("/console/earning"))
    [now] = desk.in_effect(tools, founded.programme_id)
    assert now.figures.units == 1
    clock.forward(timedelta(days=11))
    [then] = desk.in_effect(tools, founded.programme_id)
    assert then.figures.units == 2

"""How customers earn, as a manager sets it up."""

from __future__ import annotations

import pytest

from app.programme.earning import desk
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

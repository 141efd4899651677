"""The ladder's pages: set up by hand, refused at the field, looked at before saving."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from werkzeug.test import TestResponse

from app.programme.cards import CardState
from app.programme.tiers import rounds
from app.tools import Tools
from tests.app.web.console.conftest import Browser, seen

Give = Callable[[CardState, int], CardState]
LADDER = {"unit": "stamp", "window_months": "12", "grace_days": "14"}
SILVER = {
    "name": "Silver",
    "colour": "#6f7680",
    "units": "3",
    "boost_percent": "50",
    "birthday_units": "1",
    "benefits": "A seat by the window",
    "above_id": "",
}


@pytest.fixture
def ladder(owner: Browser) -> Browser:
    owner.send("/console/tiers", **LADDER)
    return owner


def id_of(browser: Browser, name: str) -> str:
    """Find a tier's own address on the ladder's page."""
    page = browser.get("/console/tiers").text
    found = re.search(rf'/console/tiers/([0-9a-f-]{{36}})"><bdi>{name}<', page)
    assert found, f"no {name} on the ladder"
    return found[1]


def error_of(response: TestResponse, field: str) -> str:
    found = re.search(rf'id="error-{field}">([^<]+)<', response.text)
    assert found, f"nothing is said beside {field}"
    return unescape(found[1])


def test_a_ladder_is_set_up_and_read_as_customers_read_it(ladder: Browser) -> None:
    answer = ladder.send("/console/tiers/new", **SILVER)

    assert answer.status_code == 302
    page = seen(ladder.get("/console/tiers"))
    assert "Silver 3 stamps within 12 months 50% more on all you earn" in page
    assert "1 stamp extra on your birthday A seat by the window" in page


def test_one_looks_first_who_would_be_where(
    ladder: Browser, make_card: Callable[..., CardState], give: Give
) -> None:
    give(make_card("Anna"), 3)
    give(make_card("Bo"), 1)

    looked = ladder.send("/console/tiers/new", look="1", **SILVER)

    assert "Who would be where today Silver 1 card No tier 1 card" in seen(looked)
    assert "Silver : 3 stamps within 12 months" in seen(looked)
    assert "Silver" not in seen(ladder.get("/console/tiers"))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("units", "", "Nobody could get in."),
        ("units", "0", "A whole number from 1"),
        ("units", "-3", "A whole number from 1"),
        ("units", "99999999999", "A whole number from 1"),
        ("units", "5", "Another tier takes just as many."),
        ("units", "9", "A tier above must take more"),
        ("boost_percent", "1000", "0 to 400 percent"),
        ("birthday_units", "1000000", "A whole number up to 10,000."),
        ("name", " ", "Please fill this in."),
        ("name", "gold", "Another tier has this name."),
        ("colour", "red", "not a colour"),
        ("benefits", "x" * 1001, "too long"),
        ("above_id", "nowhere", "That tier is gone."),
    ],
)
def test_bad_input_is_refused_at_its_field(
    ladder: Browser, field: str, typed: str, sentence: str
) -> None:
    ladder.send("/console/tiers/new", **SILVER | {"name": "Gold", "units": "5"})

    answer = ladder.send("/console/tiers/new", **SILVER | {field: typed})

    assert answer.status_code == 422
    assert sentence in error_of(answer, field)


@pytest.mark.parametrize(
    ("field", "typed"),
    [("window_months", "0"), ("window_months", "x"), ("grace_days", "400")],
)
def test_a_window_that_is_none_is_refused(
    owner: Browser, field: str, typed: str
) -> None:
    answer = owner.send("/console/tiers", **LADDER | {field: typed})

    assert answer.status_code == 422
    assert error_of(answer, field)


def test_how_it_counts_changes_so_that_nobody_loses(
    ladder: Browser, make_card: Callable[..., CardState], give: Give
) -> None:
    ladder.send("/console/tiers/new", **SILVER)
    give(make_card(), 3)

    shorter = ladder.send("/console/tiers", **LADDER | {"window_months": "6"})
    other = ladder.send("/console/tiers", **LADDER | {"unit": "point"})
    longer = ladder.send("/console/tiers", **LADDER | {"window_months": "24"})

    assert "only become longer" in error_of(shorter, "window_months")
    assert "count something else" in error_of(other, "unit")
    assert longer.status_code == 302


def test_a_raised_bar_says_from_when_on(
    ladder: Browser, make_card: Callable[..., CardState], give: Give
) -> None:
    ladder.send("/console/tiers/new", **SILVER)
    give(make_card(), 3)
    path = f"/console/tiers/{id_of(ladder, 'Silver')}"

    looked = ladder.send(path, look="1", **SILVER | {"units": "8"})
    ladder.send(path, **SILVER | {"units": "8"})

    assert "More than before: it holds from" in seen(looked)
    assert "Silver 0 cards No tier 1 card" in seen(looked)
    assert re.search(r"From .+ \d{4}: 8 stamps", seen(ladder.get("/console/tiers")))


def test_a_tier_goes_when_it_is_said_where_its_people_go(
    ladder: Browser, tools: Tools, make_card: Callable[..., CardState], give: Give
) -> None:
    ladder.send("/console/tiers/new", **SILVER)
    silver = id_of(ladder, "Silver")
    gold = SILVER | {"name": "Gold", "units": "9", "above_id": silver}
    ladder.send("/console/tiers/new", **gold)
    give(make_card(), 3)
    page = f"/console/tiers/{silver}"

    refused = ladder.send(page, f"{page}/remove")
    moved = ladder.send(page, f"{page}/remove", to=id_of(ladder, "Gold"))
    rounds.look(tools)

    assert error_of(refused, "to") == "Say where its people go."
    assert moved.status_code == 302
    assert "1 of 1 cards have a tier" in seen(ladder.get("/console/tiers"))
    assert ladder.get(page).status_code == 404

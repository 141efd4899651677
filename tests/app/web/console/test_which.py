"""Where a shop has several cards, each page is about the one that was chosen."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from app.programme import shop, tiers
from app.programme.founding import Founded
from app.programme.plans import offering
from app.programme.sessions import ConsoleCaller
from app.tools import Tools
from tests.app.web.console.conftest import Browser, seen

LISTS = ["/console/tiers", "/console/plans", "/console/earning", "/console/rewards"]
PLAN = {
    "name": "Plus",
    "price": "45.00",
    "period_months": "12",
    "cashback": "2",
    "is_offered": "1",
}
LADDER = {"unit": "stamp", "window_months": "12", "grace_days": "14"}
TIER = {"name": "Silver", "colour": "#6f7680", "units": "3", "above_id": ""}


@pytest.fixture
def second(tools: Tools, founded: Founded) -> str:
    """Another card of the shop; its id."""
    made = shop.save_programme(
        tools,
        programme_id=None,
        name="Dogs",
        reward="Free bone",
        stamps_required=5,
        terms="",
        is_open=True,
        voucher_days=None,
        by=ConsoleCaller(founded.staff_id, "Owner", "owner"),
    )
    return str(made.programme_id)


@pytest.mark.parametrize("path", LISTS)
def test_a_shop_with_one_card_has_nothing_to_choose(owner: Browser, path: str):
    assert "which__one" not in owner.get(path).text


@pytest.mark.parametrize("path", LISTS)
def test_each_list_offers_every_card(owner: Browser, second: str, path: str):
    page = owner.get(f"{path}?programme={second}").text

    shown = re.search(r'aria-current="page"><bdi>(\w+)</bdi>', page)
    assert shown
    assert shown[1] == "Dogs"
    assert page.count("which__one") == 2


def test_a_plan_and_a_ladder_are_set_up_for_the_second_card(
    owner: Browser, tools: Tools, founded: Founded, second: str
):
    # given the pages of the second card, and the ways on from there
    asked = f"?programme={second}"
    assert f"/console/plans/new{asked}" in owner.get(f"/console/plans{asked}").text
    made = owner.send(f"/console/plans/new{asked}", **PLAN)
    assert made.location == f"/console/plans{asked}"
    owner.send(f"/console/tiers{asked}", **LADDER)
    assert "Of the card Dogs" in seen(owner.get(f"/console/tiers/new{asked}"))
    owner.send(f"/console/tiers/new{asked}", **TIER)

    # then the second has them and the first has none
    dogs = tiers.of_programme(tools, UUID(second))
    assert [one.name for one in dogs.tiers] == ["Silver"]
    assert tiers.of_programme(tools, founded.programme_id) is None
    assert offering.of_programme(tools, founded.programme_id) == []
    (plan,) = offering.of_programme(tools, UUID(second))
    page = owner.get(f"/console/plans/{plan.plan_id}{asked}")
    assert page.status_code == 200
    # asked without it, it is no plan of the first card
    assert owner.get(f"/console/plans/{plan.plan_id}").status_code == 404


def test_what_names_no_card_is_about_the_first(owner: Browser, second: str):
    for asked in ("", "?programme=", "?programme=x", f"?programme={'0' * 32}"):
        page = owner.get(f"/console/tiers{asked}").text
        assert re.search(r'aria-current="page"><bdi>(?!Dogs)', page)
    assert second

"""The first run: five pages, each of which can be sent wrong, right, or left."""

from __future__ import annotations

from app.programme import shop
from app.tools import Tools
from tests.app.web.console.conftest import Browser, seen


def test_a_new_shop_is_led_to_the_first_run(owner: Browser):
    assert "Set up the shop" in seen(owner.get("/console/"))
    assert owner.get("/console/setup").location == "/console/setup/shop"


def test_five_pages_make_a_shop(owner: Browser, tools: Tools):
    answer = owner.send(
        "/console/setup/shop",
        name="Kaffe & Te",
        place="Torvet",
        you="Sofie",
        timezone="Europe/Copenhagen",
    )
    assert answer.location == "/console/setup/card"
    answer = owner.send(
        "/console/setup/card", name="8 teas", stamps_required="8", reward="Free tea"
    )
    assert answer.location == "/console/setup/look"
    terms = shop.programmes(tools)[0].terms
    answer = owner.send("/console/setup/look", colour="#7a1f3d", stamp_shape="seal")
    assert answer.location == "/console/setup/till"
    answer = owner.send("/console/setup/till", name="Front")
    assert "/console/setup/till/" in answer.location
    assert "Scan this with the new till" in seen(owner.get(answer.location))
    answer = owner.send("/console/setup/barista", name="Mia", pin="4405")
    assert answer.location == "/console/setup/done"
    assert "Your shop is open" in seen(owner.get(answer.location))

    now = shop.shop(tools)
    assert (now.name, now.colour, now.stamp_shape) == ("Kaffe & Te", "#7a1f3d", "seal")
    assert [each.name for each in shop.locations(tools)] == ["Torvet"]
    programme = shop.programmes(tools)[0]
    assert (programme.name, programme.stamps_required) == ("8 teas", 8)
    # Nobody was asked about the terms, so they stay.
    assert (programme.terms, programme.terms_version) == (terms, 1)
    assert {each.name for each in shop.staff_members(tools)} == {"Mia", "Sofie"}


def test_what_is_wrong_is_said_beside_the_field(owner: Browser, tools: Tools):
    before = shop.shop(tools)
    wrong = (
        ("shop", {"name": "", "place": "", "timezone": "Mars"}),
        ("shop", {"name": "A", "place": "B", "timezone": "UTC", "you": "W" * 61}),
        ("card", {"name": "", "stamps_required": "1", "reward": ""}),
        ("look", {"colour": "green", "stamp_shape": "heart"}),
        ("till", {"name": ""}),
        ("barista", {"name": "", "pin": "1234"}),
    )
    for page, fields in wrong:
        answer = owner.send(f"/console/setup/{page}", **fields)
        assert answer.status_code == 422, page
        assert 'class="field__error"' in answer.text, page
    assert shop.shop(tools) == before


def test_a_code_belongs_to_the_browser_that_asked(owner: Browser):
    answer = owner.get("/console/setup/till/" + "0" * 18)

    assert answer.location == "/console/setup/till"

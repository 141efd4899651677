"""What a shop promised is kept: changes are announced, and a card may be for a few."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from app.programme import cards
from app.programme.founding import Founded
from app.tools import Tools
from app.translations import LANGUAGES
from tests.app.web.browser.conftest import DESK, Window, console_cookies
from tests.app.web.browser.stage import Stage
from tests.app.web.browser.walking import STILL, check
from tests.conftest import bring_forward

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Open = Callable[..., Window]


@pytest.fixture
def stage(own_tools: Tools, shop: Founded, open_window: Open) -> Stage:
    english = next(each for each in LANGUAGES if each.locale == "en")
    return Stage(own_tools, shop, english, None, open_window)  # type: ignore[arg-type]


@pytest.fixture
def console(own_tools: Tools, shop: Founded, open_window: Open) -> Page:
    cookies = console_cookies(own_tools, shop)
    page = open_window(
        "/console/programme", cookies=cookies, viewport=DESK, **STILL
    ).page
    page.on("dialog", lambda dialog: dialog.accept())
    return page


def tap(page: Page, name: str) -> None:
    """Tap a button that leads to another page."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def announce(console: Page, today: date) -> None:
    """Ask for more stamps than before, too soon at first."""
    console.get_by_label("Stamps for a reward").fill("12")
    tap(console, "Save")
    expect(console.get_by_role("heading", name="Announce the change")).to_be_visible()
    check(console)
    day = console.get_by_label("From which day on")
    day.fill((today + timedelta(days=1)).isoformat())
    tap(console, "Announce")
    expect(day).to_have_attribute("aria-invalid", "true")
    day.fill((today + timedelta(days=21)).isoformat())
    console.get_by_label("What members should know").fill("Coffee costs us more.")
    tap(console, "Announce")
    expect(console.get_by_text("Announced", exact=True)).to_be_visible()


def test_a_change_is_announced_and_what_a_card_was_promised_stays(
    console: Page, stage: Stage, own_tools: Tools
):
    anna = stage.card(4)
    phone = stage.phone(anna)
    announce(console, own_tools.now().date())

    phone.reload()
    told = phone.get_by_label("What will change")
    expect(told).to_contain_text("Coffee costs us more.")
    check(phone)

    bring_forward(own_tools)
    phone.reload()
    expect(told).to_have_count(0)
    expect(phone.get_by_text("4 of 10")).to_be_attached()
    stage.give(anna.card_id, 6)
    full = cards.card(own_tools, anna.card_id)
    assert (full.stamps, len(full.vouchers)) == (0, 1)
    phone.reload()
    expect(phone.get_by_text("0 of 12")).to_be_attached()
    # The page of versions tells both.
    console.goto("/console/programme")
    console.get_by_role("link", name="Terms and versions").click()
    expect(console.get_by_text("Version 2")).to_be_visible()
    check(console)


def make_a_group(console: Page) -> str:
    """Make a group and an invitation for one; gives its link."""
    console.goto("/console/groups")
    console.get_by_label("Name").fill("Neighbours")
    tap(console, "Add")
    console.get_by_label("What it is for").fill("Letter to the neighbours")
    console.get_by_label("How many may use it").fill("1")
    tap(console, "Make it")
    check(console)
    return console.locator("#invite-link").text_content() or ""


def test_a_card_for_a_group_is_had_by_invitation_once(console: Page, stage: Stage):
    lunch = stage.programme(programme_id=None, name="Lunch club", reward="Free soup")
    link = make_a_group(console)

    # Before any card is for the group, its invitation says so.
    early = stage.window(link)
    expect(early.get_by_role("heading", name="You are invited")).to_be_visible()
    expect(early.get_by_text("No card at the moment.")).to_be_visible()

    console.goto(f"/console/programmes/{lunch.programme_id}/eligibility")
    console.get_by_label("A group, or by invitation").check()
    console.get_by_label("Which group").select_option(label="Neighbours")
    tap(console, "Save")

    # Without the code it is not had, with it once.
    stranger = stage.window(f"/join/{lunch.programme_id}")
    tap(stranger, "Get my card")
    expect(stranger.get_by_role("alert")).to_be_visible()
    check(stranger)
    invited = stage.window(link)
    tap(invited, "Get my card")
    expect(invited.get_by_role("heading", name="Lunch club")).to_be_visible()
    friend = stage.window(link)
    expect(friend.get_by_text("This invitation was used")).to_be_visible()
    check(friend)

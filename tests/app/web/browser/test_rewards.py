"""Rewards by hand: put up in the console, chosen on the phone, used at the till."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from app.programme import cards, proofs, rewards
from app.programme.founding import Founded
from app.programme.members import Joined
from app.tools import Tools
from app.translations import LANGUAGES
from tests.app.web.browser.conftest import (
    DESK,
    TABLET,
    Window,
    console_cookies,
    till_cookies,
)
from tests.app.web.browser.stage import Stage
from tests.app.web.browser.walking import STILL, check
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Open = Callable[..., Window]


@pytest.fixture
def stage(own_tools: Tools, shop: Founded, open_window: Open) -> Stage:
    english = next(each for each in LANGUAGES if each.locale == "en")
    return Stage(own_tools, shop, english, None, open_window)  # type: ignore[arg-type]


@pytest.fixture
def console(own_tools: Tools, shop: Founded, open_window: Open) -> Page:
    cookies = console_cookies(own_tools, shop)
    return open_window("/console/rewards", cookies=cookies, viewport=DESK, **STILL).page


@pytest.fixture
def till(service: Service, own_tools: Tools, shop: Founded, open_window: Open) -> Page:
    cookies = till_cookies(service, own_tools, shop)
    page = open_window("/livez", cookies=cookies, viewport=TABLET, **STILL).page
    page.goto("/counter/")
    page.get_by_text("The camera is not allowed").wait_for()
    return page


def tap(page: Page, name: str | re.Pattern[str]) -> None:
    """Tap a button that leads to another page."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def put_up(console: Page, kind: str, name: str, price: str, **more: str) -> None:
    """Fill the form of a reward."""
    console.goto("/console/rewards/new")
    console.get_by_label("Kind").select_option(kind)
    for label, typed in ({"Name": name, "Price": price} | more).items():
        console.get_by_label(label, exact=True).fill(typed)
    tap(console, "Add the reward")


def set_up(console: Page) -> None:
    """Let members choose; a wrong figure is told at its field."""
    console.get_by_label("waits until its member chooses").check()
    tap(console, "Save")
    put_up(console, "money", "Five off", "3", **{"How much off": "0"})
    worth = console.get_by_label("How much off")
    expect(worth).to_have_attribute("aria-invalid", "true")
    check(console)
    worth.fill("5.00")
    tap(console, "Add the reward")
    cups = {"How many there are": "1"}
    put_up(console, "merchandise", "The blue cup", "2", **cups)
    begins = datetime.now(UTC) + timedelta(minutes=5)
    evening = {
        "Begins": begins.strftime("%Y-%m-%dT%H:%M"),
        "Ends": (begins + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"),
        "Where": "Upstairs",
        "How many there are": "2",
    }
    put_up(console, "event", "An evening of tasting", "1", **evening)
    console.goto("/console/rewards")
    for name in ("Five off", "The blue cup", "An evening of tasting"):
        expect(console.get_by_role("link", name=name)).to_be_visible()
    check(console)


def choose(phone: Page, joined: Joined, name: str) -> UUID:
    """Choose a reward on the phone; gives its voucher."""
    phone.goto(f"/card/{joined.card_id}")
    phone.get_by_role("link", name=re.compile("^Rewards")).click()
    phone.get_by_role("link", name=re.compile(f"^Choose ?: {name}$")).click()
    tap(phone, re.compile("^(Yes, for|Take a place)"))
    expect(phone.get_by_text("It is yours.")).to_be_visible()
    return UUID(phone.url.partition("/voucher/")[2].partition("?")[0])


def show(till: Page, tools: Tools, joined: Joined, voucher_id: UUID) -> None:
    """Let a hand scanner read the code of a voucher, as the phone shows it now."""
    code = rewards.voucher_code(tools, voucher_id, joined.member_id).code
    till.keyboard.type(code, delay=1)
    till.keyboard.press("Enter")


def done(till: Page) -> None:
    till.locator("#result [data-next]").click()
    expect(till.locator("#result")).to_be_hidden()


def test_rewards_are_put_up_chosen_and_used(
    console: Page, till: Page, stage: Stage, own_tools: Tools
):
    set_up(console)
    anna, bo = stage.card(9), stage.card(4, "Bo")
    phone = stage.phone(anna)
    result = till.locator("#result")

    # Money off is used in parts.
    money = choose(phone, anna, "Five off")
    show(till, own_tools, anna, money)
    pad = till.locator("#amount")
    expect(pad).to_be_visible()
    check(till)
    for digit in "320":
        pad.get_by_role("button", name=digit, exact=True).click()
    pad.get_by_role("button", name="Use it", exact=True).click()
    expect(result).to_contain_text(re.compile(r"1[.,]80"))
    done(till)
    phone.goto(f"/voucher/{money}")
    expect(phone.get_by_text(re.compile(r"1[.,]80")).first).to_be_visible()

    # Of the one cup there is none left for another.
    choose(phone, anna, "The blue cup")
    other = stage.phone(bo, f"/card/{bo.card_id}/rewards")
    expect(other.get_by_text("There is none left.")).to_be_visible()
    check(other)

    # A place is shown at the door, once.
    place = choose(phone, anna, "An evening of tasting")
    expect(phone.get_by_role("link", name="Show my code at the door")).to_be_visible()
    check(phone)
    spent = rewards.voucher_code(own_tools, place, anna.member_id).code
    for mood in ("given", "refused"):
        till.keyboard.type(spent, delay=1)
        till.keyboard.press("Enter")
        expect(till.locator(f"#result.result--{mood}")).to_be_visible()
        done(till)

    assert cards.card(own_tools, anna.card_id).stamps == 9 - 3 - 2 - 1
    assert proofs.prove(own_tools).findings == ()

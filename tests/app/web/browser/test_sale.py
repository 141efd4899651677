"""What was bought, from the first tap to what comes back, at a till as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.programme import cards, members, stamping
from app.programme import shop as shops
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.programme.shop import TypedItem
from app.tools import Tools
from tests.app.web.browser.conftest import Window, till_cookies
from tests.app.web.browser.walking import check
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE_UPRIGHT = {"width": 390, "height": 844}


@pytest.fixture
def page(
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
) -> Page:
    """A till with three tiles, and somebody at it."""
    by = ConsoleCaller(shop.staff_id, "Owner", "owner")
    for name, price, category in (
        ("Coffee", 350, "Drinks"),
        ("Tea", 300, "Drinks"),
        ("Cake", 400, "Bakery"),
    ):
        shops.add_item(own_tools, TypedItem(name, price, category), by=by)
    cookies = till_cookies(service, own_tools, shop)
    page = open_window("/livez", cookies=cookies, viewport=PHONE_UPRIGHT).page
    page.goto("/counter/")
    page.get_by_text("The camera is not allowed").wait_for()
    return page


def tap_what_was_bought(page: Page) -> None:
    """Two coffees and a cake, after a slip; a sum is typed, and taken back."""
    strip, drawer = page.locator("[data-sale]"), page.locator("#sale")
    strip.get_by_role("button", name="Coffee").click()
    strip.get_by_role("button", name="Coffee").click()
    strip.get_by_role("button", name="Tea").click()
    expect(strip.get_by_role("status")).to_have_text("3 items · €10.00")
    strip.locator("[data-edit]").click()
    drawer.get_by_role("button", name="One Tea less").click()
    drawer.locator("[data-tiles]").get_by_role("button", name="Cake").click()
    expect(drawer.locator("[data-sum]")).to_have_text("€11.00")
    check(page)

    drawer.get_by_text("Type the amount").click()
    for digit in ("1", "00"):
        drawer.locator(f"[data-digit='{digit}']").click()
    expect(drawer.locator("[data-sum]")).to_have_text("€1.00")
    for _ in range(3):
        drawer.get_by_role("button", name="Delete the last digit").click()
    expect(drawer.locator("[data-sum]")).to_have_text("€11.00")
    drawer.get_by_role("button", name="To the scan").click()


def take_back(page: Page, what: str) -> None:
    """Take back one line of the last purchase."""
    page.locator("[data-menu-open]").click()
    page.get_by_role("button", name="Take something back").click()
    refund = page.locator("#refund")
    refund.locator(".refund__row").first.click()
    for box in refund.get_by_role("checkbox").all():
        if box.is_enabled():
            box.uncheck()
    refund.get_by_role("checkbox", name=what).check()
    refund.get_by_text("Brought back").click()
    check(page)
    refund.get_by_role("button", name="Take back", exact=True).click()


def test_what_was_bought_is_tapped_scanned_and_taken_back(page: Page, own_tools: Tools):
    anna = members.join(own_tools, name="Anna")
    tap_what_was_bought(page)

    # scanned: the result says what was bought, and the next customer has nothing
    page.keyboard.type(stamping.card_code(own_tools, anna.card_id).code, delay=1)
    page.keyboard.press("Enter")
    result = page.locator("#result")
    expect(result).to_contain_text(re.compile("1 stamp for .*Anna"))
    expect(result).to_contain_text("€11.00")
    result.get_by_role("button", name="Next").click()
    expect(page.locator("[data-sale] [data-told]")).to_be_hidden()

    # taken back: the cake, then the rest
    for which, told in (("Cake", "Pay back €4.00"), ("Coffee", "Pay back €7.00")):
        take_back(page, which)
        expect(result).to_contain_text(told)
        result.get_by_role("button", name="Next").click()

    assert cards.card(own_tools, anna.card_id).stamps == 0


def test_in_training_nothing_of_a_sale_is_sent(page: Page, own_tools: Tools):
    anna = members.join(own_tools, name="Anna")
    page.locator("[data-menu-open]").click()
    page.get_by_role("button", name="Start training").click()
    page.locator("[data-sale]").get_by_role("button", name="Coffee").click()

    page.keyboard.type(stamping.card_code(own_tools, anna.card_id).code, delay=1)
    page.keyboard.press("Enter")

    expect(page.locator("#result")).to_contain_text("Practice: 1 stamp")
    expect(page.locator("[data-sale] [data-told]")).to_be_hidden()
    assert cards.card(own_tools, anna.card_id).version == 1

"""From a rule that an owner makes to what a customer reads, earns and gives back."""

from __future__ import annotations

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from app.programme import shop as shops
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.programme.shop import TypedItem
from app.tools import Tools
from tests.app.web.browser.conftest import (
    DESK,
    PHONE,
    Window,
    code_on,
    console_cookies,
    keep_picture,
    show_code,
    till_cookies,
)
from tests.app.web.browser.walking import check
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@pytest.fixture
def office(open_window: Callable[..., Window], own_tools: Tools, shop: Founded) -> Page:
    """The console, with its owner before it."""
    by = ConsoleCaller(shop.staff_id, "Owner", "owner")
    shops.add_item(own_tools, TypedItem("Coffee", 340, "Drinks"), by=by)
    cookies = console_cookies(own_tools, shop)
    return open_window("/console/earning", cookies=cookies, viewport=DESK).page


@pytest.fixture
def till(
    open_window: Callable[..., Window], service: Service, own_tools: Tools,
    shop: Founded, office: Page,
) -> Page:  # fmt: skip
    """A till with somebody at it, as it stands when there is something to sell."""
    cookies = till_cookies(service, own_tools, shop)
    return open_window("/livez", cookies=cookies, viewport=PHONE).page


def today_of(tools: Tools) -> str:
    """Name the shop's day."""
    zone = ZoneInfo(shops.shop(tools).timezone)
    return DAYS[tools.now().astimezone(zone).weekday()]


def make_rules(office: Page, today: str) -> None:
    """A stamp for every 5 euros; double on the day that it is."""
    office.get_by_role("link", name="What is paid").click()
    office.get_by_label("How much", exact=True).fill("1")
    office.get_by_label("For every sum of").fill("5.00")
    office.get_by_role("button", name="See what it does").click()
    expect(office.get_by_text("1 stamp for every €5.00").first).to_be_visible()
    expect(office.get_by_text("It would have given 0 stamps")).to_be_visible()
    keep_picture(office, "earning-1-rule")
    check(office)
    office.get_by_role("button", name="Save", exact=True).click()

    office.get_by_role("link", name="Double and more").click()
    office.get_by_label("Name", exact=True).fill("Double day")
    office.get_by_label("How many times").fill("2")
    office.get_by_label(today).check()
    office.get_by_role("button", name="See what it does").click()
    expect(office.get_by_text(f"Double stamps, on {today}").first).to_be_visible()
    # Ten euros: two stamps, and two more.
    expect(office.get_by_text("2 stamps: Double stamps")).to_be_visible()
    office.get_by_role("button", name="Save", exact=True).click()
    keep_picture(office, "earning-2-rules")
    check(office)


def pay(till: Page, digits: tuple[str, ...], code: str) -> None:
    """Type what was paid, and scan."""
    till.locator("[data-sale-open]").click()
    drawer = till.locator("#sale")
    drawer.get_by_text("Type the amount").click()
    for digit in digits:
        drawer.locator(f"[data-digit='{digit}']").click()
    drawer.get_by_role("button", name="To the scan").click()
    till.keyboard.type(code, delay=1)
    till.keyboard.press("Enter")


def read(page: Page, *sentences: str) -> None:
    """Open how the card earns, and come back to the card."""
    page.goto("/card")
    page.get_by_role("link", name="How you earn").click()
    for sentence in sentences:
        expect(page.get_by_text(sentence).first).to_be_visible()
    check(page)
    keep_picture(page, f"earning-{sentences[0][:6]}")
    page.get_by_role("link", name="Back to the card").click()


def take_back(till: Page) -> None:
    """Take the last purchase back, all of it."""
    till.locator("[data-menu-open]").click()
    till.get_by_role("button", name="Take something back").click()
    refund = till.locator("#refund")
    refund.locator(".refund__row").first.click()
    refund.get_by_text("Brought back").click()
    refund.get_by_role("button", name="Take back", exact=True).click()


def test_a_rule_is_made_read_earned_by_and_taken_back(
    office: Page, till: Page, phone: Page, own_tools: Tools
) -> None:
    make_rules(office, today_of(own_tools))
    read(phone, "1 stamp for every €5.00", "Double day")

    # 6.80 are paid: a stamp, one for the day, and what is missing to the next
    till.goto("/counter/")
    till.get_by_text("The camera is not allowed").wait_for()
    pay(till, ("6", "8", "0"), code_on(show_code(phone)))
    result = till.locator("#result")
    expect(result).to_contain_text(re.compile("2 stamps for .*Anna"))
    expect(result).to_contain_text("Double day")
    keep_picture(till, "earning-3-given")
    check(till)
    result.get_by_role("button", name="Next").click()
    # 13.60 by half are two stamps and 3.60.
    read(phone, "€1.40 more")
    expect(phone.locator(".latest")).to_contain_text("Double day")

    # what the rule would have given is seen now
    office.get_by_role("link", name="Change").first.click()
    office.get_by_role("button", name="See what it does").click()
    expect(office.get_by_text("It would have given 1 stamp, to 1 card")).to_be_visible()

    # and all of it goes back with the purchase
    take_back(till)
    expect(result).to_contain_text("Pay back €6.80")
    phone.goto("/card")
    expect(phone.locator(".card__count").first).to_contain_text("0 / 10")
    keep_picture(phone, "earning-5-taken-back")

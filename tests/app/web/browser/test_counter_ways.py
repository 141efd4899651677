"""The till beyond scanning: training, a dead phone, the lock, one hand."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from app.programme import by_hand, members, stamping
from app.programme import shop as shops
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.store.tables import LedgerEntry
from app.tools import Tools
from tests.app.web.browser.conftest import TABLET, Window, till_cookies
from tests.app.web.browser.walking import check
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE_UPRIGHT = {"width": 390, "height": 844}


@pytest.fixture
def open_till(
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
) -> Callable[..., Page]:
    def start(**options: object) -> Page:
        options.setdefault("viewport", TABLET)
        cookies = till_cookies(service, own_tools, shop)
        return open_window("/livez", cookies=cookies, **options).page

    return start


def at_work(page: Page) -> Page:
    page.goto("/counter/")
    page.get_by_text("The camera is not allowed").wait_for()
    return page


def scan(page: Page, code: str) -> None:
    page.keyboard.type(code, delay=1)
    page.keyboard.press("Enter")


def booked(tools: Tools) -> int:
    with tools.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(LedgerEntry)) or 0


def start_training(page: Page) -> None:
    page.get_by_role("button", name="Sofie").click()
    page.get_by_role("button", name="Start training").click()


def test_training_gives_nothing_and_says_so(
    open_till: Callable[..., Page], own_tools: Tools
):
    # given a till in training, watched for whatever it sends
    page = at_work(open_till(reduced_motion="reduce"))
    card_id = members.join(own_tools, name="Anna").card_id
    code = stamping.card_code(own_tools, card_id).code
    sent: list[str] = []
    page.on(
        "request",
        lambda asked: sent.append(asked.url) if asked.method != "GET" else None,
    )
    start_training(page)
    band = page.locator("[data-training]")
    expect(band).to_contain_text("TRAINING")
    expect(band).to_contain_text("No real stamps")
    check(page)

    # when codes are scanned and every other way is tried
    scan(page, code)
    result = page.get_by_role("dialog", name="Practice: 1 stamp")
    expect(result).to_be_visible()
    expect(result).to_contain_text("TRAINING")
    expect(result).not_to_have_class(re.compile("result--given"))
    check(page)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Show a stamp code").click()
    expect(page.locator("#show")).to_be_hidden()
    page.reload()
    expect(band).to_be_visible()
    scan(page, code)
    expect(result).to_be_visible()
    page.get_by_role("button", name="Next").click()

    # then nothing was sent, nothing is booked, and the code is still good
    assert sent == []
    assert booked(own_tools) == 0
    page.get_by_role("button", name="End training").click()
    expect(band).to_be_hidden()
    scan(page, code)
    expect(page.get_by_role("dialog", name="1 stamp for Anna")).to_be_visible()


def test_training_ends_by_itself_after_fifteen_minutes(open_till: Callable[..., Page]):
    page = open_till()
    page.clock.install()
    at_work(page)
    start_training(page)
    # Touched now and then, or the till would lock itself.
    for _ in range(2):
        page.clock.run_for(7 * 60_000)
        page.locator(".till__place").click()
    expect(page.locator("[data-training]")).to_contain_text("1 min left")

    page.clock.run_for(61_000)

    expect(page.locator("[data-training]")).to_be_hidden()
    expect(page.get_by_text("Training is over. Stamps are real again.")).to_be_visible()


def test_a_quiet_till_locks_itself_but_never_a_result(
    open_till: Callable[..., Page], own_tools: Tools, shop: Founded
):
    page = open_till()
    page.clock.install()
    at_work(page)
    # a collected code's result stays until it is tapped: nothing locks over it
    page.get_by_role("button", name="Show a stamp code").click()
    page.locator("#show [data-picture] svg").wait_for()
    page.keyboard.press("Escape")
    page.clock.run_for(9 * 60_000)
    expect(page.locator("#who")).to_be_hidden()

    page.clock.run_for(2 * 60_000)

    expect(page.get_by_text("The till is locked.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("The till is locked.")).to_be_visible()
    card_id = members.join(own_tools, name="Anna").card_id
    scan(page, stamping.card_code(own_tools, card_id).code)
    page.clock.run_for(3_000)
    assert booked(own_tools) == 0


def test_a_customer_with_a_dead_phone_is_found_and_stamped_by_hand(
    open_till: Callable[..., Page], own_tools: Tools, shop: Founded
):
    # given that no manager has allowed it, there is no such way
    members.join(own_tools, name="Anna Åkesson")
    page = at_work(open_till(reduced_motion="reduce"))
    page.get_by_role("button", name="Sofie").click()
    expect(page.get_by_role("button", name="Their phone is dead")).to_have_count(0)

    # when one has
    owner = ConsoleCaller(shop.staff_id, "Sofie", "owner")
    shops.allow_by_hand(own_tools, is_allowed=True, by=owner)
    at_work(page)
    page.get_by_text("2", exact=True).first.click()
    page.get_by_role("button", name="Sofie").click()
    page.get_by_role("button", name="Their phone is dead").click()
    page.get_by_label("Name or card number").fill("an")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Type three letters")).to_be_visible()
    page.get_by_label("Name or card number").fill("anna")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#find")).to_contain_text("Anna Åkesson")
    check(page)

    # then a few facts are shown, one tap gives, and Undo takes it back
    page.get_by_role("button", name="Give 2 stamps by hand").click()
    expect(page.get_by_role("dialog", name="2 stamps for Anna Åkesson")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("dialog", name="Undone")).to_be_visible()
    with own_tools.database.read() as tx:
        rules = list(tx.scalars(select(LedgerEntry.rule)))
    assert rules == ["by_hand", "undo"]
    assert by_hand.MOST_AN_HOUR == 10


#: Whatever can be tapped and is smaller than 56 px either way.
SMALL = """() => {
  const targets = ":is(main, dialog) :is(button, a, input:not(.sr-only))";
  return [...document.querySelectorAll(targets)]
    .filter((each) => each.checkVisibility())
    .map((each) => ({ each, box: each.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 1 && Math.min(box.width, box.height) < 55.5)
    .map(({ each, box }) => `${each.outerHTML.slice(0, 60)} ${box.height}`);
}"""


def test_every_target_is_large_enough_for_a_thumb(
    open_till: Callable[..., Page], own_tools: Tools, shop: Founded
):
    owner = ConsoleCaller(shop.staff_id, "Sofie", "owner")
    shops.allow_by_hand(own_tools, is_allowed=True, by=owner)
    page = at_work(open_till(viewport=PHONE_UPRIGHT))
    start_training(page)
    assert page.evaluate(SMALL) == []
    page.get_by_role("button", name="Sofie").click()
    assert page.evaluate(SMALL) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Type a code").click()
    assert page.evaluate(SMALL) == []

"""The till's ways on hard days: bad reception, a change of hands, a dead phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from app.programme.founding import Founded
from app.tools import Tools
from tests.app.web.browser.conftest import (
    DESK,
    Network,
    console_cookies,
    join_on,
    show_code,
    type_pin,
)
from tests.app.web.browser.whole_ways.conftest import (
    SHARP,
    Picture,
    Till,
    Tongue,
    Visit,
    booked,
    card_says,
    seen,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: A phone without a network for so long, in minutes.
AWAY = 12
AGE = "([minutes]) => new Intl.RelativeTimeFormat(document.documentElement.lang, "
AGE += "{ numeric: 'auto' }).format(-minutes, 'minute')"


@pytest.fixture
def phone(say: Tongue, visit: Visit, cafe: Founded) -> Page:
    """Anna's phone, with her card on it."""
    return join_on(visit("/", **SHARP), "Anna", say("Get my card"))


def test_bad_reception(
    say: Tongue,
    pictures_of: Callable[[str], Picture],
    at_work: Till,
    phone: Page,
    own_tools: Tools,
):
    picture = pictures_of("5-bad-reception")
    page, network = at_work.page, Network()
    page.route("**/api/v1/stamps", network)
    # given a scan whose answer is lost on its way back
    network.mode = "deaf"
    at_work.camera.hold(show_code(phone, say("Show my code")))
    waiting = at_work.says(say("Waiting for the network"))
    expect(waiting).to_have_class(re.compile("result--waiting"))
    picture(page, "amber")

    # when the page is loaded again, then the scan still waits
    at_work.camera.hold(None)
    page.reload()
    chip = page.locator("[data-queue-open]")
    one_waits = say.count("%(num)d waiting", "%(num)d waiting", 1)
    expect(chip).to_contain_text(one_waits)
    picture(page, "after-the-reload")
    chip.click()
    picture(page, "waiting")

    # and when the network is back, it is confirmed, and counted once
    network.mode = "good"
    at_work.tap("Try now")
    expect(page.get_by_text(say("Everything has its answer."))).to_be_visible()
    expect(page.locator("#toast")).to_contain_text(say("Confirmed:"))
    picture(page, "confirmed")
    assert len(set(network.heard)) == 1 < len(network.heard)
    assert booked(own_tools) == 1
    seen(phone, say)
    card_says(phone, 1)

    # when the whole network is gone, then a scan is amber until it has counted
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    at_work.camera.hold(show_code(phone, say("Show my code")))
    expect(waiting).to_be_visible()
    picture(page, "offline")
    page.context.set_offline(False)
    expect(at_work.stamps_for(1, "Anna")).to_be_visible(timeout=15_000)
    picture(page, "green")
    assert booked(own_tools) == 2

    # and a phone without a network shows its card, and how old that is
    seen(phone, say)
    card_says(phone, 2)
    phone.wait_for_function("navigator.serviceWorker.controller !== null")
    phone.context.set_offline(True)
    phone.clock.set_fixed_time(datetime.now(UTC) + timedelta(minutes=AWAY))
    phone.reload()
    expect(phone.locator("#last")).to_contain_text("2 / 10")
    age = phone.evaluate(AGE, [AWAY])
    expect(phone.locator("#last")).to_contain_text(say("As it was {age}", age=age))
    picture(phone, "phone-offline")


def test_hands_change(
    say: Tongue,
    pictures_of: Callable[[str], Picture],
    visit: Visit,
    at_work: Till,
    phone: Page,
    cafe: Founded,
    own_tools: Tools,
):
    picture = pictures_of("6-hands")
    page = at_work.page
    # given Mia, who hands the till over to Sofie
    page.locator("[data-menu-open]").click()
    picture(page, "menu")
    page.locator("#menu").get_by_role("button", name="Sofie").click()
    page.get_by_role("button", name=cafe.pin[0], exact=True).click()
    picture(page, "sofies-pin")
    type_pin(page, cafe.pin[1:], say("Sign in"))
    expect(page.locator("[data-menu-open]")).to_have_text("Sofie")

    # when Sofie locks it, then nobody gives anything without a PIN
    page.locator("[data-menu-open]").click()
    at_work.tap("Lock")
    expect(
        page.get_by_text(say("The till is locked. Your PIN, please."))
    ).to_be_visible()
    picture(page, "locked")
    type_pin(page, cafe.pin, say("Sign in"))
    expect(page.locator("#who")).to_be_hidden()

    # when she trains with Anna's phone, then nothing is given
    page.locator("[data-menu-open]").click()
    at_work.tap("Start training")
    expect(page.get_by_text(say("No real stamps"))).to_be_visible()
    picture(page, "training")
    at_work.camera.hold(show_code(phone, say("Show my code")))
    one, many = "Practice: %(num)d stamp", "Practice: %(num)d stamps"
    expect(at_work.says(say.count(one, many, 1))).to_be_visible()
    picture(page, "practised")
    at_work.next_customer()
    at_work.tap("End training")
    assert booked(own_tools) == 0

    # and when a manager has allowed it, a customer whose phone is dead is found
    _allow_stamps_by_hand(say, picture, visit, console_cookies(own_tools, cafe))
    page.reload()
    at_work.is_scanning()
    page.locator("[data-menu-open]").click()
    at_work.tap("Their phone is dead")
    page.get_by_label(say("Name or card number")).fill("anna")
    at_work.tap("Search")
    expect(page.locator("#find li")).to_contain_text("Anna")
    picture(page, "found")
    page.locator("#find li").get_by_role("button").click()
    expect(at_work.stamps_for(1, "Anna")).to_be_visible()
    picture(page, "given-by-hand")
    assert booked(own_tools) == 1


def _allow_stamps_by_hand(
    say: Tongue, picture: Picture, visit: Visit, cookies: dict[str, str]
) -> None:
    desk = visit("/console/terminals", viewport=DESK, cookies=cookies)
    desk.get_by_role("button", name=say("Allow stamps by hand")).click()
    expect(desk.get_by_text(say("Allowed now."))).to_be_visible()
    picture(desk, "allowed-by-hand", whole=True)

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
    keeps_its_shell,
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
#: How the phone says that, in the page's language.
AGE = """(minutes) => new Intl.RelativeTimeFormat(
  document.documentElement.lang, { numeric: "auto" },
).format(-minutes, "minute")"""


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
    picture, page = pictures_of("5-bad-reception"), at_work.page
    network = Network()
    page.route("**/api/v1/stamps", network)

    # given a scan whose answer was lost on its way back: booked, and not confirmed
    network.mode = "deaf"
    at_work.camera.hold(show_code(phone, say("Show my code")))
    _is_amber(at_work)
    picture(page, "amber")
    card_says(phone, 1)
    seen(phone, say)

    # when the page is loaded again, then the scan still waits
    _load_again(at_work, picture)

    # and when the network is back, it is confirmed, and counted once
    at_work.tap("Try now")
    network.mode = "good"
    everything = page.get_by_text(say("Everything has its answer."))
    expect(everything).to_be_visible(timeout=15_000)
    expect(page.locator("#toast")).to_contain_text(say("Confirmed:"))
    picture(page, "confirmed")
    assert len(set(network.heard)) == 1 < len(network.heard)
    assert booked(own_tools) == 1

    # when nothing goes out at all, then a scan is amber, and green only when it counts
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    at_work.camera.hold(show_code(phone, say("Show my code")))
    _is_amber(at_work)
    picture(page, "offline")
    assert booked(own_tools) == 1
    page.context.set_offline(False)
    expect(at_work.stamps_for(1, "Anna")).to_be_visible(timeout=15_000)
    picture(page, "green")
    assert booked(own_tools) == 2

    # and a phone without a network shows its card, and how old that is
    _look_offline(phone, say)
    picture(phone, "phone-offline")


def _is_amber(till: Till) -> None:
    waiting = till.says(till.say("Waiting for the network"))
    expect(waiting).to_have_class(re.compile("result--waiting"))


def _load_again(till: Till, picture: Picture) -> None:
    till.camera.hold(None)
    till.page.reload()
    chip = till.page.locator("[data-queue-open]")
    one_waits = till.say.count("%(num)d waiting", "%(num)d waiting", 1)
    expect(chip).to_contain_text(one_waits)
    till.is_scanning()
    picture(till.page, "after-the-reload")
    chip.click()
    picture(till.page, "waiting")


def _look_offline(phone: Page, say: Tongue) -> None:
    card_says(phone, 2)
    seen(phone, say)
    keeps_its_shell(phone)
    card = phone.url
    # From a page that asks for nothing: while its clock is replaced it stands at 1970,
    # and an answer that came then would be kept with that time.
    phone.goto("about:blank")
    phone.context.set_offline(True)
    # Half a minute more: an answer that was under way counts from when it is read.
    away = timedelta(minutes=AWAY, seconds=30)
    phone.clock.set_fixed_time(datetime.now(UTC) + away)
    phone.goto(card)
    last = phone.locator("#last")
    expect(last).to_contain_text("2 / 10")
    age = phone.evaluate(AGE, AWAY)
    expect(last).to_contain_text(say("As it was {age}", age=age))


def test_hands_change(
    say: Tongue,
    pictures_of: Callable[[str], Picture],
    visit: Visit,
    at_work: Till,
    phone: Page,
    cafe: Founded,
    own_tools: Tools,
):
    # given Mia, who hands the till over to Sofie by two taps and her PIN
    picture, page = pictures_of("6-hands"), at_work.page
    _open_the_menu(at_work)
    picture(page, "menu")
    page.locator("#menu").get_by_role("button", name="Sofie").click()
    page.get_by_role("button", name=cafe.pin[0], exact=True).click()
    picture(page, "sofies-pin")
    type_pin(page, cafe.pin[1:], say("Sign in"))
    expect(page.locator("[data-menu-open]")).to_have_text("Sofie")

    # when she locks it, then it asks for a PIN before anything else
    _open_the_menu(at_work)
    at_work.tap("Lock")
    locked = page.get_by_text(say("The till is locked. Your PIN, please."))
    expect(locked).to_be_visible()
    picture(page, "locked")
    type_pin(page, cafe.pin, say("Sign in"))
    expect(page.locator("#who")).to_be_hidden()

    # when she trains with Anna's phone, then nothing is given
    _train(at_work, phone, picture)
    assert booked(own_tools) == 0

    # when a manager has allowed it, then a customer whose phone is dead is found
    _allow_stamps_by_hand(say, picture, visit, console_cookies(own_tools, cafe))
    page.reload()
    _give_by_hand(at_work, picture)
    assert booked(own_tools) == 1


def _open_the_menu(till: Till) -> None:
    till.page.locator("[data-menu-open]").click()


def _train(till: Till, phone: Page, picture: Picture) -> None:
    _open_the_menu(till)
    till.tap("Start training")
    expect(till.page.get_by_text(till.say("No real stamps"))).to_be_visible()
    picture(till.page, "training")
    till.camera.hold(show_code(phone, till.say("Show my code")))
    one, many = "Practice: %(num)d stamp", "Practice: %(num)d stamps"
    expect(till.says(till.say.count(one, many, 1))).to_be_visible()
    picture(till.page, "practised")
    till.next_customer()
    till.tap("End training")


def _allow_stamps_by_hand(
    say: Tongue, picture: Picture, visit: Visit, cookies: dict[str, str]
) -> None:
    desk = visit("/console/terminals", viewport=DESK, cookies=cookies)
    desk.get_by_role("button", name=say("Allow stamps by hand")).click()
    expect(desk.get_by_text(say("Allowed now."))).to_be_visible()
    picture(desk, "allowed-by-hand", whole=True)


def _give_by_hand(till: Till, picture: Picture) -> None:
    till.is_scanning()
    _open_the_menu(till)
    till.tap("Their phone is dead")
    till.page.get_by_label(till.say("Name or card number")).fill("anna")
    till.tap("Search")
    found = till.page.locator("#find li")
    expect(found).to_contain_text("Anna")
    picture(till.page, "found")
    found.get_by_role("button").click()
    expect(till.stamps_for(1, "Anna")).to_be_visible()
    picture(till.page, "given-by-hand")

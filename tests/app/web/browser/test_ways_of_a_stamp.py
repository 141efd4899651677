"""The ways of a stamp as people go them: two windows, a real camera picture."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import func, select

from app.programme.founding import Founded
from app.store.tables import LedgerEntry, Voucher
from app.tools import Tools
from tests.app.web.browser.conftest import (
    TABLET,
    Window,
    join_on,
    show_code,
    till_cookies,
)
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Film = Callable[[Locator], Path]
Till = Callable[..., Page]


def booked(tools: Tools) -> int:
    with tools.database.read() as tx:
        return tx.scalar(select(func.sum(LedgerEntry.units))) or 0


def on_card(phone: Page) -> Locator:
    return phone.locator("#face [data-version]")


def test_the_barista_scans_the_phone(phone: Page, film_of: Film, make_till, own_tools):
    # given Anna's phone with her code on it
    film = film_of(show_code(phone))

    # when a till's camera looks at it
    till = make_till(film)

    # then the till says so in full-screen green
    result = till.get_by_role("dialog", name="1 stamp for Anna")
    expect(result).to_be_visible()
    expect(result).to_have_class(re.compile("result--given"))
    expect(result).to_contain_text("1 of 10")
    started = time.monotonic()

    # and the phone shows it within two seconds
    expect(phone.get_by_text("1 / 10").first).to_be_attached(timeout=2_000)
    assert time.monotonic() - started < 2
    assert booked(own_tools) == 1


def test_how_many_is_chosen_by_one_tap_and_one_tap_undoes(
    phone: Page, film_of: Film, make_till: Till, own_tools: Tools
):
    # given a till whose camera sees nothing yet, with three chosen
    till = make_till(None)
    till.get_by_text("3", exact=True).first.click()
    short = typed_code(phone)

    # when the code under the picture is typed
    type_code(till, short)

    # then three stamps are given, and Undo takes them back
    expect(till.get_by_role("dialog", name="3 stamps for Anna")).to_be_visible()
    till.get_by_role("button", name="Undo").click()
    expect(till.get_by_role("dialog", name="Undone")).to_be_visible()
    assert booked(own_tools) == 0


def typed_code(phone: Page) -> str:
    show_code(phone)
    short = phone.locator("#code [data-part=short]")
    expect(short).to_have_text(re.compile(r"[0-9A-Z]{4}.*[0-9A-Z]{3}"))
    return re.sub(r"[^0-9A-Z]", "", short.inner_text())


def type_code(till: Page, short: str) -> None:
    till.get_by_role("button", name="Type a code").click()
    till.get_by_label("Code", exact=True).fill(short.lower())
    till.get_by_role("button", name="Use this code").click()


def test_a_hand_scanner_works_as_well(phone: Page, make_till: Till, own_tools: Tools):
    till = make_till(None)
    with phone.expect_response("**/code?picture=svg") as answer:
        show_code(phone)
    url = answer.value.json()["url"]

    # a keyboard-wedge scanner types fast and ends with Enter
    till.keyboard.type(url, delay=1)
    till.keyboard.press("Enter")

    expect(till.get_by_role("dialog", name="1 stamp for Anna")).to_be_visible()
    assert booked(own_tools) == 1


def test_a_stranger_collects_a_tills_code_and_has_a_card(
    make_till: Till, open_window: Callable[..., Window], own_tools: Tools
):
    # given a till that shows a code for two stamps
    till = make_till(None)
    till.get_by_text("2", exact=True).first.click()
    with till.expect_response("**/stamp-codes?picture=svg") as answer:
        till.get_by_role("button", name="Show a stamp code").click()
    link = answer.value.json()["url"]

    # when a stranger's own camera opens the link, the stamps wait
    stranger = open_window(link).page
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("2 stamps")
    assert booked(own_tools) == 0

    # and one tap collects them on a new card
    stranger.get_by_role("button", name=re.compile("collect", re.IGNORECASE)).click()
    stranger.wait_for_url("**/card/*")
    expect(stranger.get_by_text("2 / 10").first).to_be_attached()
    assert booked(own_tools) == 2

    # and the till says at once that it went to somebody
    expect(till.get_by_role("dialog", name=re.compile("Collected"))).to_be_visible()
    expect(till.get_by_role("button", name="Undo")).to_be_visible()


def test_a_member_scans_the_till_in_the_page(
    make_till: Till,
    film_of: Film,
    launch: Callable[..., Browser],
    open_window: Callable[..., Window],
    own_tools: Tools,
):
    # given a till that shows a code
    till = make_till(None)
    till.get_by_role("button", name="Show a stamp code").click()
    picture = till.locator("#show [data-picture] svg")
    picture.wait_for()

    # when a member's phone scans it from within the card
    window = open_window("/join", browser=launch(film_of(picture)))
    member = join_on(window.page, "Bo")
    member.goto("/scan")

    # then the till says so, the stamp is on the card, and it is booked
    expect(till.get_by_role("dialog", name="Collected by Bo")).to_be_visible()
    member.wait_for_url("**/card/*")
    expect(member.get_by_text("1 / 10").first).to_be_attached()
    assert booked(own_tools) == 1


def test_a_full_card_gives_a_voucher_which_is_redeemed_once(
    phone: Page, film_of: Film, make_till: Till, own_tools: Tools
):
    # given a card that two scans of five have filled
    till = make_till(None)
    for _ in range(2):
        short = typed_code(phone)
        till.get_by_text("5", exact=True).first.click()
        type_code(till, short)
        result = till.get_by_role("dialog", name="5 stamps for Anna")
        expect(result).to_be_visible()
        till.get_by_role("button", name="Next").click()
        phone.goto(phone.url.partition("#")[0])

    # when the voucher's code is held to a till's camera
    use = phone.get_by_role("link", name="Use now")
    expect(use).to_be_visible()
    use.click()
    picture = phone.locator("#code [data-part=picture] svg")
    picture.wait_for()
    film = film_of(picture)
    second = make_till(film)

    # then the barista is told to hand it over, and the phone knows
    expect(second.get_by_role("dialog", name="Free coffee for Anna")).to_be_visible()
    expect(phone.get_by_role("link", name="Use now")).to_have_count(0, timeout=2_000)
    assert states(own_tools) == ["redeemed"]

    # and a screenshot of it is worth nothing
    third = make_till(film)
    expect(third.get_by_role("dialog", name="Already used")).to_be_visible()
    assert states(own_tools) == ["redeemed"]


def states(tools: Tools) -> list[str]:
    with tools.database.read() as tx:
        return list(tx.scalars(select(Voucher.state)))


def test_a_screenshot_of_a_spent_code_is_refused(
    phone: Page, film_of: Film, make_till: Till, own_tools: Tools
):
    film = film_of(show_code(phone))
    expect(
        make_till(film).get_by_role("dialog", name="1 stamp for Anna")
    ).to_be_visible()

    # when the same picture is held to another till
    refused = make_till(film).get_by_role("dialog", name="Already used")

    # then it is red, and says where it was used
    expect(refused).to_be_visible()
    expect(refused).to_have_class(re.compile("result--refused"))
    expect(refused).to_contain_text("Nyhavn")
    assert booked(own_tools) == 1


def test_two_tills_that_scan_one_code_at_once(
    phone: Page,
    film_of: Film,
    launch: Callable[..., Browser],
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
):
    # given two tills, open on a blank page, whose cameras will see the same code
    film = film_of(show_code(phone))
    tills = [
        open_window(
            "/livez",
            browser=launch(film),
            cookies=till_cookies(service, own_tools, shop),
            viewport=TABLET,
        ).page
        for _ in range(2)
    ]

    # when both start scanning at the same moment
    for till in tills:
        till.evaluate("location.assign('/counter/')")

    # then one gives the stamp, and the other says that it is used
    results = [till.locator("#result[open]") for till in tills]
    for result in results:
        expect(result).to_be_visible()
        expect(result).not_to_have_class(re.compile("result--waiting"))
    moods = sorted(
        "given"
        if "result--given" in (result.get_attribute("class") or "")
        else "refused"
        for result in results
    )
    assert moods == ["given", "refused"]
    assert booked(own_tools) == 1


def test_a_camera_that_is_not_allowed_is_told(open_window, service, own_tools, shop):
    till = open_window(
        "/counter/", cookies=till_cookies(service, own_tools, shop), viewport=TABLET
    ).page

    expect(till.get_by_text("The camera is not allowed")).to_be_visible()
    expect(till.get_by_role("button", name="Type a code")).to_be_visible()


def test_a_machine_without_a_camera_is_told(make_till: Till):
    till = make_till(None, has_camera=False)

    expect(till.get_by_text("No camera found")).to_be_visible()
    expect(till.get_by_role("button", name="Type a code")).to_be_visible()

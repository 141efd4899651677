"""Both ways from beginning to end without a pointer, and as they are read aloud.

Whatever is used here is reached by Tab and pressed by Enter or the space bar; what a
screen reader hears is looked for by role and name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from app.programme import members, staff, stamping
from app.programme.founding import Founded
from app.programme.sessions import StaffCaller
from app.tools import Tools
from tests.app.web.browser.conftest import PHONE, TABLET, Window, till_cookies
from tests.app.web.browser.walking import STILL
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: No page has more stops than this.
MOST_STOPS = 40


def tab_to(page: Page, place: Locator) -> None:
    """Go on with Tab until a control has the focus, and see that one sees it."""
    for _ in range(MOST_STOPS):
        if place.evaluate("(control) => control === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(place).to_be_focused()
    ring = """(control) => {
      const drawn = control.matches(".sr-only") ? control.nextElementSibling : control;
      const { outlineStyle, outlineWidth } = getComputedStyle(drawn);
      return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    }"""
    assert place.evaluate(ring), "the focus cannot be seen"


def stays_in_its_layer(page: Page) -> None:
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "() => document.activeElement === document.body"
            " || document.activeElement.closest('dialog') !== null"
        )


def press(page: Page, place: Locator, key: str = "Enter") -> None:
    tab_to(page, place)
    page.keyboard.press(key)


@pytest.fixture
def give(own_tools: Tools, shop: Founded) -> Callable[[UUID, int], None]:
    code = staff.enrolment_code(own_tools, shop.location_id).code
    terminal_id = staff.enrol(own_tools, code).terminal_id
    by = StaffCaller(
        shop.staff_id, "Sofie", "owner", terminal_id, shop.location_id, "Nyhavn"
    )

    def give(card_id: UUID, stamps: int) -> None:
        code = stamping.card_code(own_tools, card_id).code
        stamping.stamp(own_tools, code, stamps=stamps, request_id=code[:32], staff=by)

    return give


@pytest.fixture
def till(
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
) -> Page:
    """A till where nobody is signed in yet."""
    cookies = till_cookies(service, own_tools, shop)
    return open_window(
        "/counter/",
        cookies={"pp_terminal": cookies["pp_terminal"]},
        viewport=TABLET,
        **STILL,
    ).page


def signed_in(page: Page, pin: str) -> Page:
    press(page, page.get_by_role("button", name="Sofie"))
    expect(page.get_by_role("heading", name="PIN of Sofie")).to_be_visible()
    page.keyboard.type(pin)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="The camera is not allowed").wait_for()
    return page


def test_a_customer_joins_shows_the_code_and_closes_it(
    open_window: Callable[..., Window],
    give: Callable[[UUID, int], None],
):
    # given somebody who joins without a pointer
    page = open_window("/join", viewport=PHONE, **STILL).page
    skip = page.get_by_role("link", name="Skip to the page")
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    tab_to(page, page.get_by_role("textbox", name="What may we call you?"))
    page.keyboard.type("Anna")
    press(page, page.get_by_role("button", name="Get my card"))
    page.wait_for_url("**/card/*")

    # when the code is shown, then the focus is on its title, and stays in its layer
    show = page.get_by_role("link", name="Show my code")
    press(page, show)
    layer = page.get_by_role("dialog", name="Hold this to the scanner")
    expect(layer).to_be_visible()
    expect(layer.get_by_role("heading")).to_be_focused()
    expect(layer.get_by_role("img", name="QR code for the till")).to_be_visible()
    stays_in_its_layer(page)

    # and Escape closes it, back to where one was
    page.keyboard.press("Escape")
    expect(layer).to_be_hidden()
    expect(show).to_be_focused()

    # when a stamp falls while the code is shown
    page.keyboard.press("Enter")
    expect(layer).to_be_visible()
    give(UUID(page.url.rpartition("/")[2].partition("#")[0]), 2)

    # then it is announced with its count, and one key leads back
    news = page.get_by_role("alertdialog", name="2 stamps from Nyhavn")
    expect(news).to_be_visible()
    expect(news).to_have_accessible_description(re.compile("8 more stamps, then:"))
    expect(news.get_by_role("img", name="2 of 10")).to_be_visible()
    expect(news.get_by_role("button", name="Done")).to_be_focused()
    page.keyboard.press("Enter")
    expect(layer).to_be_hidden()
    expect(show).to_be_focused()


def test_a_card_is_read_aloud_in_order(
    open_window: Callable[..., Window],
    own_tools: Tools,
    give: Callable[[UUID, int], None],
):
    anna = members.join(own_tools, name="Anna")
    give(anna.card_id, 2)
    page = open_window("/card", cookies={"pp_member": anna.token}, **STILL).page

    card = page.get_by_role("region", name="10 coffees, 1 free")
    places = card.get_by_role("list", name="2 of 10 stamps")
    expect(places.get_by_role("listitem")).to_have_count(10)
    expect(places).to_match_aria_snapshot(
        """
        - list "2 of 10 stamps":
          - listitem:
            - 'img /Stamp 1: .*Nyhavn/'
          - listitem:
            - 'img /Stamp 2: .*Nyhavn/'
          - listitem: "3"
        """
    )
    gift = places.get_by_role("listitem").last.get_by_role("img")
    expect(gift).to_have_accessible_name(re.compile("Here comes: .*Free coffee"))
    # The count is said in words; its figures are for the eye.
    expect(card).to_match_aria_snapshot(
        """
        - region "10 coffees, 1 free":
          - heading "10 coffees, 1 free" [level=1]
          - paragraph: /8 more stamps, then:/
          - list "2 of 10 stamps"
          - paragraph: 2 of 10
        """
    )
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    latest = page.get_by_role("region", name="Latest")
    expect(latest.get_by_role("listitem")).to_contain_text(["Stamps at Nyhavn"])


def type_the_code(page: Page, short: str) -> None:
    press(page, page.get_by_role("button", name="Type a code"))
    expect(page.get_by_role("dialog", name=re.compile("Type the code"))).to_be_visible()
    expect(page.get_by_role("textbox", name="Code")).to_be_focused()
    page.keyboard.type(short)
    page.keyboard.press("Enter")


def test_a_barista_types_a_code_goes_on_and_takes_it_back(
    till: Page, own_tools: Tools, shop: Founded
):
    # given a barista who signs in by keyboard
    page = signed_in(till, shop.pin)
    joined = members.join(own_tools, name="Anna")
    short = stamping.card_code(own_tools, joined.card_id).short
    assert short

    # when two stamps are chosen and the code is typed
    page.get_by_role("radio", name="1").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="2").first).to_be_checked()
    type_the_code(page, short)

    # then the result is a dialog that says all of it, with Next under the finger
    result = page.get_by_role("dialog", name="2 stamps for Anna")
    expect(result).to_be_visible()
    expect(result).to_have_accessible_description(re.compile("2 of 10 — 8 more to go"))
    expect(result.get_by_role("img", name="2 of 10")).to_be_visible()
    expect(result.get_by_role("button", name="Next")).to_be_focused()
    assert page.locator("#result .result__words").get_attribute("aria-live") == (
        "assertive"
    )
    page.keyboard.press("Enter")
    expect(result).to_be_hidden()
    expect(page.get_by_role("button", name="Type a code")).to_be_focused()

    # and it is taken back from the list of the last five
    press(page, page.get_by_role("button", name="Last 5"))
    latest = page.get_by_role("dialog", name="Last 5 on this till")
    expect(latest.get_by_role("listitem")).to_have_count(1)
    press(
        page,
        latest.get_by_role("button", name=re.compile("^Undo: .?2 stamps for .?Anna")),
    )
    undone = page.get_by_role("dialog", name="Undone")
    expect(undone).to_be_visible()
    expect(undone).to_have_accessible_description(re.compile("off the card again"))
    page.keyboard.press("Enter")
    expect(undone).to_be_hidden()


def test_a_refusal_and_a_wrong_code_are_announced(
    till: Page, own_tools: Tools, shop: Founded
):
    page = signed_in(till, shop.pin)
    press(page, page.get_by_role("button", name="Type a code"))
    field = page.get_by_role("textbox", name="Code")
    field.fill("4KD")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("A code has 7 letters and digits.")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("A code has 7 letters and digits.")

    joined = members.join(own_tools, name="Anna")
    stale = stamping.card_code(own_tools, joined.card_id).short or ""
    for _ in range(2):
        field.fill(stale)
        page.keyboard.press("Enter")
        page.locator("#result[open]").wait_for()
        if page.locator("#result.result--refused").count():
            break
        page.keyboard.press("Enter")
        press(page, page.get_by_role("button", name="Type a code"))
    refused = page.get_by_role("dialog", name="Already used")
    expect(refused).to_be_visible()
    expect(refused).to_have_accessible_description(re.compile("Ask for a fresh code"))


@pytest.mark.parametrize(
    ("opener", "name"),
    [
        ("Show a stamp code", "Scan this with your phone"),
        ("Type a code", "Type the code under the picture"),
        ("Last 5", "Last 5 on this till"),
        ("Sofie", "Sofie"),
    ],
)
def test_every_layer_takes_the_focus_and_gives_it_back(
    till: Page, shop: Founded, opener: str, name: str
):
    page = signed_in(till, shop.pin)
    button = page.get_by_role("button", name=opener)

    press(page, button)
    layer = page.get_by_role("dialog", name=name)
    expect(layer).to_be_visible()
    assert layer.evaluate("(layer) => layer.contains(document.activeElement)")
    press(page, layer.get_by_role("button", name="Close"), " ")

    expect(layer).to_be_hidden()
    expect(button).to_be_focused()

"""Other languages in a real Chromium: chosen by the browser, changed by hand, whole.

Pictures of the pages are left for people to look at (``keep_picture``). What these
tests hold needs no fonts: no overflow in either direction, nothing for axe, icons that
point the right way.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from app import translations
from app.programme import members, sessions, stamping
from app.programme import staff as people
from app.programme.founding import Founded
from app.tools import Tools
from app.translations import LANGUAGES, Language
from tests.app.web.browser.conftest import (
    DESK,
    PHONE,
    TABLET,
    Window,
    console_cookies,
    keep_picture,
    till_cookies,
)
from tests.app.web.browser.walking import STILL, check
from tests.app.web.console.conftest import PAGES
from tests.running import Service

# Walks of many pages, each a minute or two where there is nothing else to do.
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]

NARROW = {"width": 320, "height": 640}
SIZES = {"phone": PHONE, "tablet": TABLET, "desk": DESK}
#: Hebrew in every state and size is in test_every_state and test_console_states.
LOOKED_AT = pytest.mark.parametrize(
    ("language", "size"),
    [
        pytest.param(
            each,
            size,
            id=f"{each.tag}-{size}",
            marks=pytest.mark.long if each.locale == "zh_Hant" else (),
        )
        for each in LANGUAGES
        for size in {"he": ["phone"], "zh_Hant": ["phone", "desk"]}.get(each.locale, [])
    ],
)


def said(language: Language, english: str) -> str:
    return translations.catalogue(language.locale).gettext(english)


@pytest.fixture
def look() -> Callable[[Page, str], None]:
    """Hold a page to what every page owes, and leave a picture of it."""

    def look_at(page: Page, name: str) -> None:
        keep_picture(page, name)
        check(page)
        wrong_way = page.evaluate(
            """() => [...document.querySelectorAll('.icon--flip')]
              .filter((icon) => icon.checkVisibility())
              .filter((icon) => new DOMMatrix(getComputedStyle(icon).transform).a
                !== (icon.matches(':dir(rtl)') ? -1 : 1)).length"""
        )
        assert wrong_way == 0

    return look_at


@LOOKED_AT
def test_a_customers_way(
    open_window: Callable[..., Window],
    own_tools: Tools,
    shop: Founded,
    look: Callable[[Page, str], None],
    language: Language,
    size: str,
):
    picture = f"{language.tag}-{size}"
    # given a phone whose browser asks for the language
    page = open_window("/join", locale=language.tag, viewport=SIZES[size], **STILL).page
    look(page, f"{picture}-join")
    page.get_by_role("textbox").fill("Anna")
    page.get_by_role("button", name=said(language, "Get my card")).click()
    page.wait_for_url("**/card/*")
    card_id = UUID(page.url.rpartition("/")[2])
    look(page, f"{picture}-new-card")

    # when stamps are given while the code is shown
    page.get_by_role("link", name=said(language, "Show my code")).click()
    page.locator("#code [data-part=picture] svg").wait_for()
    look(page, f"{picture}-code")
    _give(own_tools, shop, card_id, 3)

    # then the phone tells it in its language
    page.locator("#news .result__title").wait_for()
    look(page, f"{picture}-given")
    page.locator("#news button").click()
    page.goto(f"/card/{card_id}")
    look(page, f"{picture}-card")
    page.goto(f"/card/{card_id}/history")
    look(page, f"{picture}-history")
    for name, path in {
        "scan": "/scan",
        "offline": f"/offline?language={language.tag}",
        "landing": "/S/" + "A" * 128,
        "nowhere": "/nowhere",
    }.items():
        page.goto(path)
        look(page, f"{picture}-{name}")
        assert page.locator("html").get_attribute("lang") == language.tag


@LOOKED_AT
def test_a_baristas_way(
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
    look: Callable[[Page, str], None],
    language: Language,
    size: str,
):
    picture = f"{language.tag}-{size}"
    cookies = till_cookies(service, own_tools, shop)
    options = {"locale": language.tag, "viewport": SIZES[size]}
    page = open_window("/counter/", **options, **STILL).page
    look(page, f"{picture}-enrol")

    page = open_window(
        "/counter/", cookies={"pp_terminal": cookies["pp_terminal"]}, **options, **STILL
    ).page
    look(page, f"{picture}-who")
    page.get_by_role("button", name="Sofie").click()
    look(page, f"{picture}-pin")
    # the keys stay where fingers know them
    one, three = (
        page.get_by_role("button", name=digit, exact=True).bounding_box()
        for digit in ("1", "3")
    )
    assert one
    assert three
    assert one["x"] < three["x"]

    page = open_window("/counter/", cookies=cookies, **options, **STILL).page
    page.get_by_text(said(language, "The camera is not allowed")).wait_for()
    look(page, f"{picture}-till")
    for button, shown in (
        ("Show a stamp code", "#show svg"),
        ("Last 5", "#latest h2"),
        ("Type a code", "#typed-code"),
    ):
        page.get_by_role("button", name=said(language, button)).click()
        page.locator(shown).first.wait_for()
        look(page, f"{picture}-{shown[1:5].strip()}")
        if button != "Type a code":
            close = said(language, "Close")
            page.locator("dialog[open]").get_by_role("button", name=close).click()
    card_id = _card_of_a_new_member(own_tools)
    page.locator("#typed-code").fill(stamping.card_code(own_tools, card_id).short or "")
    page.locator("#typed-code").press("Enter")
    page.locator("#result[open] [data-title]").wait_for()
    look(page, f"{picture}-result")
    page.get_by_role("button", name=said(language, "Next")).click()
    page.locator("[data-menu-open]").click()
    look(page, f"{picture}-menu")


@LOOKED_AT
def test_an_owners_pages(
    open_window: Callable[..., Window],
    own_tools: Tools,
    shop: Founded,
    look: Callable[[Page, str], None],
    language: Language,
    size: str,
):
    picture = f"{language.tag}-{size}"
    _give(own_tools, shop, _card_of_a_new_member(own_tools), 4)
    options = {"locale": language.tag, "viewport": SIZES[size], **STILL}
    page = open_window("/console/sign-in", **options).page
    look(page, f"{picture}-console-door")
    cookies = console_cookies(own_tools, shop)
    page = open_window("/console/", cookies=cookies, **options).page
    for path in PAGES:
        page.goto(path)
        name = path.removeprefix("/console/").replace("/", "-") or "home"
        look(page, f"{picture}-console-{name}")


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.tag)
def test_every_language_fits_a_narrow_phone(
    open_window: Callable[..., Window],
    own_tools: Tools,
    shop: Founded,
    language: Language,
):
    cookies = console_cookies(own_tools, shop)
    page = open_window(
        "/join", cookies=cookies, locale=language.tag, viewport=NARROW, **STILL
    ).page
    page.get_by_role("textbox").fill("Anna")
    page.get_by_role("button", name=said(language, "Get my card")).click()
    page.wait_for_url("**/card/*")
    for path in (page.url, "/counter/", "/scan", *PAGES):
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth") - NARROW["width"]
        assert wide <= 0, f"{path} is {wide} px too wide"


def test_a_language_is_chosen_on_every_surface(
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
):
    # given one browser on which somebody is everybody
    cookies = {
        **till_cookies(service, own_tools, shop),
        **console_cookies(own_tools, shop),
    }
    page = open_window("/join", cookies=cookies, locale="en-GB", **STILL).page

    def choose(own_name: str) -> None:
        chooser = page.locator("details.tongues:visible")
        # by keyboard alone
        chooser.locator("summary").focus()
        page.keyboard.press("Enter")
        chooser.get_by_role("button", name=own_name).focus()
        page.keyboard.press("Enter")
        page.wait_for_load_state()

    # when another language is chosen, then the same page speaks it
    choose("Eesti")
    expect(page.locator("html")).to_have_attribute("lang", "et")
    expect(page).to_have_url("/join")
    page.goto("/console/staff")
    choose("Dansk")
    expect(page.locator("html")).to_have_attribute("lang", "da")
    expect(page).to_have_url("/console/staff")
    page.goto("/counter/")
    # Sofie is the owner too: the till speaks what she chose in the console
    expect(page.locator("html")).to_have_attribute("lang", "da")
    page.locator("[data-menu-open]").click()
    choose("עברית")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page).to_have_url("/counter/")
    page.goto("/console/staff")
    expect(page.locator("html")).to_have_attribute("lang", "he")


def _give(tools: Tools, shop: Founded, card_id: UUID, stamps: int) -> None:
    code = people.enrolment_code(tools, shop.location_id).code
    terminal_id = people.enrol(tools, code).terminal_id
    barista = sessions.StaffCaller(
        shop.staff_id, "Sofie", "owner", terminal_id, shop.location_id, "Nyhavn"
    )
    code = stamping.card_code(tools, card_id).code
    stamping.stamp(tools, code, stamps=stamps, request_id=card_id.hex, staff=barista)


def _card_of_a_new_member(tools: Tools) -> UUID:
    return members.join(tools, name="Bo").card_id

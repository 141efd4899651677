"""The console in a real browser: what changes by itself, and fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from app.programme import members, sessions, staff, stamping
from app.programme.founding import Founded
from app.programme.sessions import StaffCaller
from app.tools import Tools
from tests.app.web.browser.conftest import PHONE, Window
from tests.app.web.console.conftest import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK = {"width": 1280, "height": 800}


@pytest.fixture
def console(
    own_tools: Tools, shop: Founded, open_window: Callable[..., Window]
) -> Callable[..., Page]:
    """Open a page of the console, signed in as the owner."""
    with own_tools.database.begin() as tx:
        token = sessions.grant(tx, own_tools, "console", staff_id=shop.staff_id)

    def start(path: str = "/console/", **options: object) -> Page:
        given = {"viewport": DESK, **options}
        return open_window(path, cookies={"pp_console": token}, **given).page

    return start


@pytest.fixture
def sofie(own_tools: Tools, shop: Founded) -> StaffCaller:
    """The owner at a till."""
    code = staff.enrolment_code(own_tools, shop.location_id).code
    terminal_id = staff.enrol(own_tools, code).terminal_id
    return StaffCaller(
        shop.staff_id, "Sofie", "owner", terminal_id, shop.location_id, "Nyhavn"
    )


def _stamp(tools: Tools, sofie: StaffCaller, stamps: int) -> None:
    card_id = members.join(tools, name="Anna").card_id
    code = stamping.card_code(tools, card_id).code
    stamping.stamp(tools, code, stamps=stamps, request_id=uuid4().hex, staff=sofie)


def test_a_stamp_shows_by_itself(
    console: Callable[..., Page], own_tools: Tools, sofie: StaffCaller
) -> None:
    page = console()
    expect(page.get_by_role("heading", level=1)).to_have_text("0 stamps today")

    _stamp(own_tools, sofie, 2)

    expect(page.get_by_role("heading", level=1)).to_have_text(
        "2 stamps today", timeout=6_000
    )
    first = page.locator("#lines li").first
    expect(first).to_contain_text("2 stamps for")
    expect(first).to_contain_text("Anna")
    # The line that the page had comes once, however often the server sends it.
    page.wait_for_timeout(4_500)
    expect(page.locator("#lines li")).to_have_count(3)


def test_the_enrolment_page_turns_to_till_added(
    console: Callable[..., Page], own_tools: Tools
) -> None:
    page = console("/console/terminals/new")
    page.get_by_label("Name of the till").fill("Front counter")
    page.get_by_role("button", name="Show its code").click()
    expect(
        page.get_by_role("heading", name="Scan this with the new till")
    ).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^(10:00|9:5\d)$"))
    page.get_by_text("No camera? Copy the code").click()
    code = page.locator("#enrol-code").inner_text()

    staff.enrol(own_tools, code)

    expect(page.get_by_role("heading", name="Till added")).to_be_visible(timeout=6_000)
    expect(page.get_by_text("Front counter")).to_be_visible()
    page.get_by_role("link", name="See the tills").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 till")


def test_a_till_is_removed_only_after_a_question(
    console: Callable[..., Page], sofie: StaffCaller
) -> None:
    page = console("/console/terminals")
    remove = page.get_by_role("button", name=re.compile("^Remove Till"))
    remove.click()
    expect(page.get_by_role("dialog")).to_be_visible()

    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    remove.click()
    page.get_by_role("button", name="Remove the till").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("0 tills")
    expect(page.get_by_role("status")).to_have_text("Till removed.")


def test_a_refused_form_puts_the_cursor_in_the_field(
    console: Callable[..., Page],
) -> None:
    page = console("/console/locations")
    page.get_by_role("button", name="Add", exact=True).click()

    expect(page.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    expect(page.get_by_text("Please fill this in.")).to_be_visible()


def test_no_page_scrolls_sideways_in_either_direction(
    console: Callable[..., Page], own_tools: Tools, sofie: StaffCaller
) -> None:
    _stamp(own_tools, sofie, 2)
    page = console(viewport=PHONE)
    for path in PAGES:
        page.goto(path)
        for direction in ("ltr", "rtl"):
            page.evaluate("to => { document.documentElement.dir = to }", direction)
            for width in (320, 390, 820, 1280):
                page.set_viewport_size({"width": width, "height": 844})
                excess = page.evaluate(
                    "document.documentElement.scrollWidth - innerWidth"
                )
                assert excess <= 0, f"{path} at {width} {direction}: {excess} px"

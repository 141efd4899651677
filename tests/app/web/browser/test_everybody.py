"""Phone and till for everybody: axe finds nothing, nothing overflows.

The console's pages are in ``test_console``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.programme import staff
from app.programme.founding import Founded
from app.tools import Tools
from tests.app.web.browser.conftest import Window, join_on, till_cookies
from tests.app.web.browser.walking import STILL, check
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: By day, test_every_state looks at these and more.
THEMES = pytest.mark.parametrize(
    "theme", [pytest.param("light", marks=pytest.mark.long), "dark"]
)
LAYERS = {
    "/counter/": [
        ("Show a stamp code", "#show svg"),
        ("Type a code", "#typed-code"),
        ("Last 5", "#latest h2"),
    ]
}


@THEMES
def test_customer_pages(open_window: Callable[..., Window], theme: str):
    page = open_window("/join", color_scheme=theme, **STILL).page
    check(page)
    join_on(page, "Anna")
    check(page)
    page.get_by_role("link", name="Show my code").click()
    page.locator("#code [data-part=picture] svg").wait_for()
    check(page)
    for path in ("/scan", "/offline", "/S/" + "A" * 128, "/nowhere"):
        page.goto(path)
        check(page)


@THEMES
def test_counter_pages(
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
    theme: str,
):
    check(open_window("/counter/", color_scheme=theme, **STILL).page)
    cookies = till_cookies(service, own_tools, shop)
    terminal = {"pp_terminal": cookies["pp_terminal"]}
    page = open_window("/counter/", cookies=terminal, color_scheme=theme, **STILL).page
    check(page)
    page.get_by_role("button", name="Sofie").click()
    check(page)
    page = open_window("/counter/", cookies=cookies, color_scheme=theme, **STILL).page
    page.get_by_text("The camera is not allowed").wait_for()
    check(page)
    for button, shown in LAYERS["/counter/"]:
        page.get_by_role("button", name=button).click()
        page.locator(shown).first.wait_for()
        check(page)
        page.locator("dialog[open]").get_by_role("button", name="Close").click()


def test_an_enrolment_link_is_a_till_in_three_taps(
    open_window: Callable[..., Window], own_tools: Tools, shop: Founded
):
    # given the link of an enrolment code, opened by a device's own camera
    code = staff.enrolment_code(own_tools, shop.location_id)
    page = open_window(code.url).page

    # when it is made a till, and its first person signs in
    page.get_by_role("link", name="Make this device a till").click()
    page.get_by_role("button", name="Make this device a till").click()
    page.get_by_role("button", name="Sofie").click()
    for digit in shop.pin:
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name="Sign in").click()

    # then it scans
    page.get_by_role("button", name="Show a stamp code").wait_for()

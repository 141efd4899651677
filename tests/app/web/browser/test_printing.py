"""From the console to paper to a phone, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.programme.founding import Founded
from app.tools import Tools
from tests.app.web.browser.conftest import (
    PHONE,
    Window,
    codes_on_paper,
    console_cookies,
    sheets_of,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _must_be_fit(page: Page) -> None:
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    "scheme", ["light", pytest.param("dark", marks=pytest.mark.long)]
)
def test_a_batch_from_the_console_to_a_phone(
    own_tools: Tools,
    shop: Founded,
    open_window: Callable[..., Window],
    tmp_path: Path,
    scheme: str,
) -> None:
    cookies = console_cookies(own_tools, shop)
    page = open_window("/console/printing", cookies=cookies, color_scheme=scheme).page

    # given a batch of three, asked for on a phone
    page.get_by_role("link", name="Print").last.click()
    page.get_by_label("What they are for").fill("Spring market")
    page.get_by_label("How many").fill("3")
    page.get_by_label("Stamps on each").fill("2")
    _must_be_fit(page)
    page.get_by_role("button", name="Make the batch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("0 of 3 came back")
    _must_be_fit(page)

    # when its file is downloaded, and a phone opens what stands on it
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the PDF").click()
    download.value.save_as(tmp_path / "stamps.pdf")
    links = codes_on_paper(sheets_of(tmp_path / "stamps.pdf"))
    assert len(set(links)) == 3
    phone = open_window(links[0], viewport=PHONE, color_scheme=scheme).page
    phone.get_by_role("button", name="Get my card and collect").click()
    phone.wait_for_url("**/card/**")

    # then it came back; and after the batch is called back, nothing more does
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 of 3 came back")
    page.get_by_label("Why").fill("Lost on the way")
    page.get_by_role("button", name="Call the batch back").click()
    expect(page.get_by_text("Lost on the way")).to_be_visible()
    _must_be_fit(page)
    late = open_window(links[1], viewport=PHONE, color_scheme=scheme).page
    expect(late.get_by_role("heading", level=1)).to_have_text(
        "This printed stamp was called back"
    )

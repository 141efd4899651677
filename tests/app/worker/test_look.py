"""The mail's HTML in a real Chromium: light and dark, narrow and wide, every language.

With ``PUNCHPROOF_PICTURES`` naming a directory, pictures are left there to look at.
"""

from __future__ import annotations

import base64
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Playwright

from app.programme.shop import ShopView
from app.translations import LANGUAGES
from app.worker import envelopes, letters
from app.worker.envelopes import Look
from scripts.parts import browser as chromium
from tests.app.worker.test_envelopes import FACTS, MAIL, ORIGIN, SHOP, logo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = {"narrow": 320, "desk": 1000}
LONG = "Kaffebr\u00e6nderiet og Verdensbageriet ved Nyhavns Gamle Kajplads"[:60]
COLOURS = ("#0f5c4a", "#ffffff", "#000000", "#ffd54a", "#777777", "#c8102e")


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = playwright.chromium.launch(
        executable_path=chromium.find(), args=["--no-sandbox", "--disable-gpu"]
    )
    yield found
    found.close()


def html(locale: str, shop: ShopView, picture: bytes | None, **facts: object) -> str:
    """The HTML as a mail program would show it, with the logo in its place."""
    mail = dataclasses.replace(MAIL, locale=locale, facts=FACTS | facts)
    letter = letters.letter(mail, shop, ORIGIN)
    told = envelopes.html(letter, Look(shop, picture), "logo")
    inside = base64.b64encode(picture or b"").decode()
    return told.replace("cid:logo", f"data:image/png;base64,{inside}")


def look(browser: Browser, told: str, name: str, *, theme: str, width: int) -> str:
    """Hold the HTML to what every page owes; gives the colour of its paper."""
    page = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme=theme
    )
    try:
        page.set_content(told)
        if where := os.environ.get("PUNCHPROOF_PICTURES"):
            Path(where).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(where) / f"{name}.png", full_page=True)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "too wide"
        )
        paper: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return paper
    finally:
        page.close()


@pytest.mark.long
@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.tag)
def test_axe_finds_nothing_and_nothing_overflows(browser, language, size):
    told = html(language.tag, SHOP, logo(), name="W" * 40, terms="x" * 200)

    papers = {
        theme: look(
            browser,
            told,
            f"mail-{language.tag}-{size}-{theme}",
            theme=theme,
            width=WIDTHS[size],
        )
        for theme in ("light", "dark")
    }

    assert papers == {"light": "rgb(246, 242, 234)", "dark": "rgb(20, 18, 15)"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", COLOURS)
def test_any_colour_can_be_read(browser, colour, theme):
    shop = dataclasses.replace(SHOP, colour=colour, name=LONG)
    told = html("en", shop, None, stamps_required=30)

    look(browser, told, f"mail-{colour[1:]}-{theme}", theme=theme, width=390)

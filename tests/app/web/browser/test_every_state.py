"""Every page in every state: for axe, for narrow phones, for large letters.

With ``PUNCHPROOF_PICTURES`` naming a directory, a picture of each is left there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from app.programme.founding import Founded
from app.tools import Tools
from app.translations import LANGUAGES, Language
from tests.app.web.browser.conftest import PHONE, Window
from tests.app.web.browser.counter_states import COUNTER
from tests.app.web.browser.customer_states import CUSTOMER
from tests.app.web.browser.promise_states import PROMISES
from tests.app.web.browser.stage import Stage, States
from tests.app.web.browser.walking import faults, misfits

# Walks of many pages, each a minute or two where there is nothing else to do.
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]

#: One from left to right, one from right to left.
BOTH_WAYS = [each for each in LANGUAGES if each.locale in {"en", "he"}]
#: By day is the usual look; test_everybody looks at some by night.
LOOKED_AT = [
    pytest.param(BOTH_WAYS[0], "light", id="en-light"),
    pytest.param(BOTH_WAYS[0], "dark", id="en-dark", marks=pytest.mark.long),
    pytest.param(BOTH_WAYS[1], "dark", id="he-dark", marks=pytest.mark.long),
]
SURFACES: dict[str, States] = {
    "customer": CUSTOMER,
    "promises": PROMISES,
    "counter": COUNTER,
}
#: Name, width, height, and the reader's size of text. 640 by 400 is what a desk of
#: 1280 by 800 has left at 200 % zoom.
WINDOWS = (
    ("phone", 390, 844, "100%"),
    ("narrow", 320, 568, "100%"),
    ("zoomed", 640, 400, "100%"),
    ("large letters", 640, 900, "200%"),
)


@pytest.fixture
def make_stage(
    launch: Callable[..., Browser],
    open_window: Callable[..., Window],
    own_tools: Tools,
    shop: Founded,
) -> Callable[[Language], Stage]:
    return lambda language: Stage(own_tools, shop, language, launch(), open_window)


def _looked_at(page: Page, name: str, theme: str) -> Iterator[str]:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    yield from (f"{name}, {theme}: {each}" for each in faults(page))
    _leave_a_picture(page, f"{name}-{theme}")
    for window, width, height, letters in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(
            "(size) => { document.documentElement.style.fontSize = size; }", letters
        )
        yield from (f"{name}, {window}: {each}" for each in misfits(page))


def _leave_a_picture(page: Page, name: str) -> None:
    where = os.environ.get("PUNCHPROOF_PICTURES")
    if where:
        Path(where).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(where) / f"state-{name}.png")


def test_a_cut_word_and_a_wide_page_are_seen(
    make_stage: Callable[[Language], Stage],
):
    page = make_stage(BOTH_WAYS[0]).window("/join")
    assert misfits(page) == []

    page.locator("h1").evaluate(
        """(title) => Object.assign(title.style, {
          whiteSpace: "nowrap", overflow: "hidden", inlineSize: "60px" })"""
    )
    page.locator(".card").evaluate("(card) => { card.style.minInlineSize = '420px'; }")

    told = misfits(page)
    assert any(each.endswith("px too wide") for each in told)
    assert "cut: A stamp card on your phone" in told


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(("language", "theme"), LOOKED_AT)
def test_every_state_is_for_everybody(
    make_stage: Callable[[Language], Stage],
    language: Language,
    theme: str,
    surface: str,
):
    stage = make_stage(language)
    wrong: list[str] = []
    for name, reach in SURFACES[surface].items():
        stage.viewport = dict(PHONE)
        page = reach(stage)
        wrong += _looked_at(page, f"{language.tag}-{surface}-{name}", theme)
        page.context.close()
    assert wrong == [], "\n".join(wrong)

"""The console with a keyboard and nothing else: no pointer touches these pages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.programme import batches, sessions
from app.programme import shop as shops
from app.programme import staff as people
from app.programme.founding import Founded
from app.tools import Tools
from tests.app.web.browser.conftest import Window
from tests.app.web.browser.walking import STILL

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK = {"width": 1280, "height": 800}
#: More stops than any page of the console has.
_STOPS = 80
_NAME = """() => {
  const at = document.activeElement;
  const label = at.labels?.[0];
  const said = at.getAttribute('aria-label') ?? (label ?? at).textContent;
  return said.trim().replace(/\\s+/g, ' ');
}"""
#: A ring at the thing itself, round its label, or round the entry that it leads from.
_IS_SEEN = """async () => {
  const at = document.activeElement;
  const label = at.id && document.querySelector(`label.btn[for="${at.id}"]`);
  const parts = [[at], [at.closest('label')], [label], [at, '::after']];
  const isSeen = () => parts.filter(([part]) => part).some(([part, pseudo]) => {
    const drawn = getComputedStyle(part, pseudo);
    return drawn.outlineStyle !== 'none' && parseFloat(drawn.outlineWidth) >= 2;
  });
  for (let frames = 0; frames < 60 && !isSeen(); frames += 1)
    await new Promise(requestAnimationFrame);
  return isSeen();
}"""


class Keys:
    """A person's hands on a keyboard."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, name: str) -> None:
        """Go on by Tab to what has this name; each stop on the way can be seen."""
        passed = []
        # A page that is still on its way has no look yet.
        self.page.wait_for_load_state()
        for _ in range(_STOPS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement === document.body"):
                continue
            passed.append(self.page.evaluate(_NAME))
            assert self.page.evaluate(_IS_SEEN), f"no focus ring: {passed[-1]}"
            if re.match(rf"{re.escape(name)}\b", passed[-1]):
                return
        pytest.fail(f"{name} is not reached by Tab: {passed}")

    def press(self, name: str) -> None:
        """Go to a button or a link, and take it."""
        self.reach(name)
        self.page.keyboard.press("Enter")

    def type(self, name: str, text: str) -> None:
        """Go to a field, and write over what stands in it."""
        self.reach(name)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.type(text)


@pytest.fixture
def keys(own_tools: Tools, shop: Founded, open_window: Callable[..., Window]) -> Keys:
    """The owner at the console."""
    with own_tools.database.begin() as tx:
        token = sessions.grant(tx, own_tools, "console", staff_id=shop.staff_id)
    cookies = {"pp_console": token}
    window = open_window("/console/", cookies=cookies, viewport=DESK, **STILL)
    return Keys(window.page)


def _title(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1, name=words)).to_be_visible()


def test_the_shop_is_set_up(keys: Keys, own_tools: Tools) -> None:
    page = keys.page
    keys.press("Begin")
    _title(page, "What is your shop called?")
    keys.type("Name of the shop", "Kaffe & Te")
    keys.type("Name of the place", "Torvet")
    keys.press("Next")
    _title(page, "What does a full card give?")
    keys.type("Stamps for a reward", "8")
    keys.type("Reward", "Free tea")
    keys.press("Next")

    _title(page, "How shall it look?")
    keys.reach("Logo")
    keys.type("Colour", "#7a1f4d")
    keys.reach("Round")
    page.keyboard.press("ArrowRight")
    keys.press("Next")
    _title(page, "Which device is the first till?")
    keys.press("Show its code")
    _title(page, "Scan this with the new till")
    keys.press("No camera? Copy the code")
    people.enrol(own_tools, page.locator("#enrol-code").inner_text())
    expect(page.get_by_role("heading", name="Till added")).to_be_visible(timeout=8_000)
    keys.press("Next")

    _title(page, "Who gives the first stamp?")
    keys.type("Name", "Mia")
    keys.type("PIN for the till", "4405")
    keys.press("Add and finish")
    _title(page, "Your shop is open")
    now = shops.shop(own_tools)
    assert (now.name, now.colour, now.stamp_shape) == ("Kaffe & Te", "#7a1f4d", "seal")


def test_a_batch_is_made_printed_and_called_back(keys: Keys, own_tools: Tools) -> None:
    page = keys.page
    keys.press("Printing")
    _title(page, "0 printed stamps still out")
    keys.press("Print the first stamps")
    _title(page, "Print stamps")
    # refused first: the cursor is in the field that is missing
    keys.press("Make the batch")
    expect(page.get_by_label("What they are for")).to_be_focused()
    page.keyboard.type("Spring market")
    keys.type("How many", "3")
    keys.type("Stamps on each", "2")
    keys.reach("Paper")
    page.keyboard.press("End")
    keys.press("Make the batch")

    _title(page, "0 of 3 came back")
    with page.expect_download() as download:
        keys.press("Download the PDF")
    assert download.value.suggested_filename.endswith(".pdf")
    keys.type("Why", "Lost on the way")
    keys.press("Call the batch back")
    expect(page.get_by_text("Lost on the way")).to_be_visible()
    assert batches.batches(own_tools)[0].state == "revoked"

    # and from the list back to it: the whole entry is one stop
    keys.press("Printing")
    _title(page, "0 printed stamps still out")
    keys.press("Spring market")
    _title(page, "0 of 3 came back")


def test_a_till_is_removed(keys: Keys, own_tools: Tools, shop: Founded) -> None:
    people.enrol(own_tools, people.enrolment_code(own_tools, shop.location_id).code)
    page = keys.page
    keys.press("Tills")
    _title(page, "1 till")
    keys.press("Remove Till")
    # Enter once too often takes nothing away: what keeps the till has the focus.
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert "Remove Till" in page.evaluate(_NAME)

    page.keyboard.press("Enter")
    keys.press("Remove the till")
    _title(page, "0 tills")


def test_the_page_is_one_step_away(keys: Keys) -> None:
    keys.press("Skip to the page")
    keys.page.keyboard.press("Tab")
    assert keys.page.evaluate("document.activeElement.closest('main') !== null")


def test_the_language_is_changed(keys: Keys) -> None:
    keys.press("Language")
    keys.press("Svenska")
    expect(keys.page.locator("html")).to_have_attribute("lang", "sv")

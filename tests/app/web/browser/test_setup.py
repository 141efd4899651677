"""The first run, played from the console's door to the first stamp's code."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.programme import shop as shops
from app.programme.founding import Founded
from app.tools import Tools
from tests.app.web.browser.conftest import PHONE, Window, console_cookies
from tests.app.web.browser.walking import check

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK = {"width": 1280, "height": 800}
STILL = {"reduced_motion": "reduce"}
STEPS = ("shop", "card", "look", "till", "barista", "done")


@pytest.fixture
def console(
    own_tools: Tools, shop: Founded, open_window: Callable[..., Window]
) -> Callable[..., Page]:
    cookies = console_cookies(own_tools, shop)

    def start(path: str, **options: object) -> Page:
        given = {"viewport": DESK, **STILL, **options}
        return open_window(path, cookies=cookies, **given).page

    return start


def tell_the_shop(page: Page) -> None:
    """Play the first two pages."""
    page.get_by_label("Name of the shop").fill("Kaffe & Te")
    page.get_by_label("Name of the place").fill("Torvet")
    page.get_by_role("button", name="Next").click()

    page.get_by_label("Name of the card").fill("8 teas, 1 free")
    page.get_by_label("Stamps for a reward").fill("8")
    page.get_by_label("Reward", exact=True).fill("Free tea")
    page.get_by_role("button", name="Next").click()


def choose_the_look(page: Page, folder: Path) -> None:
    """Play the third page: a photograph for a logo, a bright colour, flowers."""
    # The card beside the choices changes before anything is saved.
    page.wait_for_load_state()
    outline = page.locator("#postmark-outline")
    before = outline.get_attribute("d")
    page.get_by_label("Flower").check()
    assert outline.get_attribute("d") != before
    # A photograph that is neither square nor a PNG is cut and turned here.
    photo = folder / "photo.jpg"
    Image.radial_gradient("L").resize((900, 600)).convert("RGB").save(photo, "JPEG")
    page.locator("#colour").fill("#f4d03f")
    page.get_by_label("Logo").set_input_files(photo)
    # It shows at once, and takes nothing away that was chosen before it.
    expect(page.locator(".looks .top__mark img")).to_be_visible()
    expect(page.locator("#colour")).to_have_value("#f4d03f")
    expect(page.get_by_label("Flower")).to_be_checked()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("The new logo is on every page.")).to_be_visible()


def make_the_till(page: Page, open_window: Callable[..., Window]) -> None:
    """Play the fourth page, with the device that becomes the till."""
    page.get_by_role("button", name="Show its code").click()
    wanted = page.get_by_role("heading", name="Scan this with the new till")
    expect(wanted).to_be_visible()
    check(page)
    code = page.locator("#enrol-code").text_content() or ""
    device = open_window(f"/S/{code}", **STILL).page
    device.get_by_role("link", name="Make this device a till").click()
    device.get_by_role("button", name="Make this device a till").click()
    expect(page.get_by_role("heading", name="Till added")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="Next").click()


def test_a_person_sets_the_shop_up(
    console: Callable[..., Page],
    open_window: Callable[..., Window],
    own_tools: Tools,
    tmp_path: Path,
):
    began = time.monotonic()
    page = console("/console/")
    page.get_by_role("link", name="Begin").click()
    tell_the_shop(page)
    choose_the_look(page, tmp_path)
    make_the_till(page, open_window)

    page.get_by_label("Name", exact=True).fill("Mia")
    page.get_by_label("PIN for the till").fill("4405")
    page.get_by_role("button", name="Add and finish").click()
    expect(page.get_by_role("heading", name="Your shop is open")).to_be_visible()

    # It is to take three minutes, with a person who reads and types.
    assert time.monotonic() - began < 180
    now = shops.shop(own_tools)
    assert (now.stamp_shape, now.colour) == ("flower", "#f4d03f")
    assert now.logo is not None
    stored = Image.open(BytesIO(shops.logo(own_tools, now.logo)))
    assert stored.size == (256, 256)
    phone = open_window("/join", **STILL).page
    expect(phone.get_by_text("8 teas, 1 free")).to_be_visible()
    expect(phone.locator(f"img[src='/logo/{now.logo}.png']")).to_be_visible()
    # A bright colour: the words on it are dark, and can be read.
    check(phone)
    page.goto("/console/")
    expect(page.get_by_role("link", name="Begin")).to_have_count(0)


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        pytest.param(DESK, "light", id="desk-light"),
        pytest.param(PHONE, "dark", id="phone-dark"),
        pytest.param(DESK, "dark", id="desk-dark", marks=pytest.mark.long),
        pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.long),
    ],
)
def test_axe_finds_nothing_in_the_first_run_and_on_the_page_of_all_parts(
    console: Callable[..., Page], theme: str, size: dict[str, int]
):
    page = console("/console/style", color_scheme=theme, viewport=size)
    check(page)
    for step in STEPS:
        page.goto(f"/console/setup/{step}")
        check(page)


def test_all_parts_follow_the_theme_that_is_chosen(console: Callable[..., Page]):
    page = console("/console/style")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(246, 242, 234)"

    page.get_by_label("Dark").check()
    assert page.evaluate(paper) == "rgb(20, 18, 15)"
    check(page)

    page.get_by_role("button", name="Open the drawer").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page)


def test_what_is_no_picture_is_said_before_it_is_sent(
    console: Callable[..., Page], tmp_path: Path
):
    page = console("/console/shop")
    words = tmp_path / "logo.png"
    words.write_text("not a picture")

    page.get_by_label("Logo").set_input_files(words)

    expect(page.get_by_text("This browser cannot read that picture.")).to_be_visible()

"""The till's camera, and everything that browsers and people do to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.programme import members, stamping
from app.programme.founding import Founded
from app.tools import Tools
from tests.app.web.browser import painted
from tests.app.web.browser.conftest import TABLET, Window, till_cookies
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def till(
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
) -> Page:
    """A till with a painted camera, not loaded yet."""
    page = open_window(
        "/livez", cookies=till_cookies(service, own_tools, shop), viewport=TABLET
    ).page
    painted.install(page)
    return page


def scanning(page: Page) -> None:
    expect(page.locator("#main[data-state=scanning]")).to_be_attached(timeout=15_000)


def begin_with(page: Page, name: str) -> None:
    """Let the camera of the next page fail from the start."""
    page.evaluate(
        "(name) => sessionStorage.setItem('camera-fails', JSON.stringify(name))", name
    )


def fails(page: Page, name: str | None) -> None:
    page.evaluate("(name) => { camera.fail = name; }", name)


def test_it_scans_at_once_with_the_back_lens_and_focuses_by_itself(
    till: Page, own_tools: Tools
):
    till.goto("/counter/")
    scanning(till)

    assert till.evaluate("camera.asked[0].facingMode") == "environment"
    assert {"focusMode": "continuous"} in till.evaluate("camera.wishes")
    joined = members.join(own_tools, name="Anna")
    painted.hold(till, stamping.card_code(own_tools, joined.card_id).url)
    expect(till.get_by_role("dialog", name="1 stamp for Anna")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "title", "way_on"),
    [
        ("NotAllowedError", "The camera is not allowed", "Allow the camera"),
        ("NotReadableError", "The camera is in use", "Try again"),
        ("NotFoundError", "No camera found", "Try again"),
    ],
)
def test_each_trouble_has_its_sentence_and_a_way_on(
    till: Page, name: str, title: str, way_on: str
):
    till.goto("/livez")
    begin_with(till, name)
    till.goto("/counter/")

    expect(till.get_by_role("heading", name=title)).to_be_visible()
    expect(till.get_by_role("button", name="Type a code")).to_be_visible()
    fails(till, None)
    till.get_by_role("button", name=way_on).click()
    scanning(till)


def test_a_lens_that_another_app_lets_go_of_is_used_without_a_tap(till: Page):
    till.goto("/counter/")
    scanning(till)
    fails(till, "NotReadableError")
    till.evaluate("camera.tracks.at(-1).dispatchEvent(new Event('ended'))")
    expect(till.get_by_role("heading", name="The camera stopped")).to_be_visible()
    expect(till.get_by_role("heading", name="The camera is in use")).to_be_visible(
        timeout=10_000
    )

    fails(till, None)

    scanning(till)


def test_a_camera_that_is_plugged_in_is_used_at_once(till: Page):
    till.goto("/livez")
    begin_with(till, "NotFoundError")
    till.goto("/counter/")
    expect(till.get_by_role("heading", name="No camera found")).to_be_visible()

    fails(till, None)
    till.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")

    expect(till.locator("#main[data-state=scanning]")).to_be_attached(timeout=2_000)


def test_the_chosen_lens_is_remembered_until_it_is_unplugged(till: Page):
    till.goto("/counter/")
    scanning(till)
    till.get_by_role("button", name="Other camera").click()
    scanning(till)
    assert till.evaluate("camera.asked.at(-1).deviceId") == {"exact": "front"}

    till.reload()
    scanning(till)
    assert till.evaluate("camera.asked[0].deviceId") == {"exact": "front"}

    # unplugged: the other one is taken, and scans
    till.evaluate("camera.lenses.pop()")
    till.evaluate("camera.tracks.at(-1).dispatchEvent(new Event('ended'))")
    till.get_by_role("button", name="Start the camera").click()
    scanning(till)
    assert till.evaluate("camera.asked.at(-1).facingMode") == "environment"
    expect(till.get_by_role("button", name="Other camera")).to_be_hidden()


def test_the_light_is_there_where_the_lens_has_one(till: Page):
    till.goto("/counter/")
    scanning(till)

    light = till.get_by_role("button", name="Light", exact=True)
    light.click()

    expect(light).to_have_attribute("aria-pressed", "true")
    assert {"torch": True} in till.evaluate("camera.wishes")


def test_a_locked_screen_lets_go_of_the_camera_and_comes_back(till: Page):
    till.goto("/counter/")
    scanning(till)
    hide = """(state) => {
      const seen = { value: state, configurable: true };
      Object.defineProperty(document, "visibilityState", seen);
      document.dispatchEvent(new Event("visibilitychange"));
    }"""

    till.evaluate(hide, "hidden")
    assert till.evaluate("camera.tracks.every((track) => track.readyState === 'ended')")

    till.evaluate(hide, "visible")
    # wait_for_function would evaluate a string in the page, which its policy forbids
    till.evaluate(
        """async () => {
          while (camera.tracks.at(-1).readyState !== "live")
            await new Promise(requestAnimationFrame);
        }"""
    )
    scanning(till)


def test_a_till_that_is_turned_keeps_scanning(till: Page, own_tools: Tools):
    till.goto("/counter/")
    scanning(till)

    till.set_viewport_size({"width": TABLET["height"], "height": TABLET["width"]})
    till.evaluate("window.dispatchEvent(new Event('orientationchange'))")

    joined = members.join(own_tools, name="Anna")
    painted.hold(till, stamping.card_code(own_tools, joined.card_id).url)
    expect(till.get_by_role("dialog", name="1 stamp for Anna")).to_be_visible()

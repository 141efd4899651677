"""Whole ways, from beginning to end: their language, their people, their pictures.

Each way is played in English and in Hebrew, which is written from right to left. What
is tapped and read is taken from the catalogues, so a way finds its buttons as a person
does who reads that language. Where a person would look up, a picture is left; a list of
a way's pictures tells its story: ``he/2-scan-05-given-phone.png``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Error, Locator, Page, expect
from sqlalchemy import func, select

from app import translations
from app.programme import shop as shops
from app.programme import staff
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.store.tables import LedgerEntry
from app.tools import Tools
from app.translations import LANGUAGES, Language
from tests.app.web.browser.conftest import (
    TABLET,
    Camera,
    Window,
    add_barista,
    keep_picture,
    pictures,
    type_pin,
)

#: Leaves the next picture: of a page or a sheet, by a name, perhaps down to its end.
Picture = Callable[..., None]
#: Opens a page by its path.
Visit = Callable[..., Page]
MIA_PIN = "440519"
#: The scanner takes no code before its picture was empty for 600 ms.
_STEP_UP_MS = 900
#: A phone's screen has more dots than its pages have pixels.
SHARP = {"device_scale_factor": 2}


@dataclass(frozen=True)
class Tongue:
    """A language, and how it says what the pages say in English."""

    language: Language

    def __call__(self, english: str, **values: object) -> str:
        return _filled(self._catalogue.gettext(english), values)

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        sentence = self._catalogue.ngettext(one, many, number)
        return _filled(sentence, {"num": number, **values})

    def name(self, name: str) -> str:
        """A Latin name, as it stands in a sentence that the server wrote."""
        is_turned = self.language.direction == "rtl"
        return f"\u2068{name}\u2069" if is_turned else name

    @property
    def reward(self) -> str:
        """What a full card gives, as it stands in a sentence that the server wrote."""
        return self.name(self("Free coffee"))

    @property
    def tag(self) -> str:
        """What a browser asks for."""
        return "en-GB" if self.language.locale == "en" else self.language.tag

    @property
    def _catalogue(self) -> translations.NullTranslations:
        return translations.catalogue(self.language.locale)


def _filled(sentence: str, values: dict[str, object]) -> str:
    for name, value in values.items():
        for mark in (f"%({name})s", f"%({name})d", f"{{{name}}}"):
            sentence = sentence.replace(mark, str(value))
    return sentence


@pytest.fixture(
    # Each surface is walked in Hebrew by test_languages too.
    params=[
        pytest.param(
            each, id=each.tag, marks=() if each.locale == "en" else pytest.mark.long
        )
        for each in LANGUAGES
        if each.locale in {"en", "he"}
    ],
)
def say(request: pytest.FixtureRequest) -> Tongue:
    return Tongue(request.param)


@pytest.fixture
def pictures_of(say: Tongue) -> Callable[[str], Picture]:
    """Leave pictures of a way, in a row; its pages must be in the way's language."""

    def begin(way: str) -> Picture:
        numbers = count(1)
        for old in (pictures() or Path()).glob(f"{say.language.tag}/{way}-*.png"):
            old.unlink()

        def take(shown: Page | Image.Image, name: str, *, whole: bool = False) -> None:
            path = f"{say.language.tag}/{way}-{next(numbers):02}-{name}"
            keep_picture(shown, path, whole=whole)
            if isinstance(shown, Page):
                spoken = shown.evaluate("[document.dir, document.documentElement.lang]")
                assert spoken == [say.language.direction, say.language.tag]

        return take

    return begin


@pytest.fixture
def visit(say: Tongue, open_window: Callable[..., Window]) -> Visit:
    """Open a page in a browser that asks for the language, with memory of its own."""

    def start(path: str, **options: object) -> Page:
        given = {"locale": say.tag, "reduced_motion": "reduce", **options}
        return open_window(path, **given).page

    return start


@pytest.fixture
def cafe(say: Tongue, own_tools: Tools, shop: Founded) -> Founded:
    """A shop whose card speaks the language, with Mia beside its owner Sofie."""
    add_barista(own_tools, "Mia", MIA_PIN)
    shops.save_programme(
        own_tools,
        programme_id=shop.programme_id,
        name=say("10 coffees, 1 free"),
        reward=say("Free coffee"),
        stamps_required=10,
        terms="",
        is_open=True,
        voucher_days=None,
        by=ConsoleCaller(shop.staff_id, "Sofie", "owner"),
    )
    return shop


@dataclass
class Till:
    """A till as the person at it has it: its page, and what its camera looks at."""

    page: Page
    camera: Camera
    say: Tongue

    def tap(self, button: str) -> None:
        self.page.get_by_role("button", name=self.say(button)).click()

    def sign_in(self, name: str, pin: str) -> None:
        self.page.get_by_role("button", name=name).click()
        type_pin(self.page, pin, self.say("Sign in"))
        self.is_scanning()

    def choose(self, stamps: int) -> None:
        self.page.locator("main").get_by_text(str(stamps), exact=True).click()

    def is_scanning(self) -> None:
        self.page.locator("#main[data-state=scanning]").wait_for()

    def next_customer(self) -> None:
        """The phone is taken away, the result too, and somebody else steps up."""
        self.camera.hold(None)
        self.go_on()
        self.page.wait_for_timeout(_STEP_UP_MS)

    def go_on(self) -> None:
        """Leave the result, which may have gone by itself; a key does for both."""
        self.page.keyboard.press("Escape")
        expect(self.result).to_have_count(0)

    @property
    def result(self) -> Locator:
        """What fills the screen."""
        return self.page.locator("#result[open]")

    def says(self, title: str) -> Locator:
        """What fills the screen, by its title."""
        heading = self.page.get_by_role("heading", name=title)
        return self.result.filter(has=heading)

    def stamps_for(self, number: int, name: str) -> Locator:
        one, many = "%(num)d stamp for {name}", "%(num)d stamps for {name}"
        return self.says(self.say.count(one, many, number, name=name))


@pytest.fixture
def make_till(
    say: Tongue,
    own_tools: Tools,
    shop: Founded,
    launch: Callable[..., Browser],
    visit: Visit,
    tmp_path: Path,
) -> Iterator[Callable[..., Till]]:
    """Set up a tablet with a camera: a till, or by ``path`` a device that is none."""
    numbers = count()

    def start(path: str = "/counter/", *, is_till: bool = True) -> Till:
        camera = Camera(tmp_path / f"till-{next(numbers)}.y4m")
        cookies = {}
        if is_till:
            code = staff.enrolment_code(own_tools, shop.location_id).code
            enrolled = staff.enrol(own_tools, code, name=say("Front counter"))
            cookies["pp_terminal"] = enrolled.token
        browser = launch(camera.film)
        page = visit(path, browser=browser, cookies=cookies, viewport=TABLET)
        return Till(page, camera, say)

    return start


@pytest.fixture
def at_work(make_till: Callable[..., Till], cafe: Founded) -> Till:
    """The till of the café, with Mia at it."""
    till = make_till()
    till.sign_in("Mia", MIA_PIN)
    return till


def news(phone: Page) -> Locator:
    """What fills the phone's screen when its card has changed."""
    shown = phone.locator("#news .result")
    shown.wait_for()
    return shown


def seen(phone: Page, say: Tongue) -> None:
    """Tap the news away that came; after a few seconds it goes by itself."""
    with suppress(Error):
        done = phone.locator("#news").get_by_role("button", name=say("Done"))
        done.click(timeout=1_000)
    phone.locator("#news").wait_for(state="hidden")


def card_says(phone: Page, stamps: int) -> None:
    """Wait until so many stamps are on the phone's card."""
    expect(phone.locator("#face .card__count [aria-hidden]")).to_have_text(
        f"{stamps} / 10"
    )


def booked(tools: Tools) -> int:
    """Sum up all that the books have given and taken."""
    with tools.database.read() as tx:
        return tx.scalar(select(func.sum(LedgerEntry.units))) or 0

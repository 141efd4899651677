"""The owner's ways: from an empty shop to the first stamp, and stamps on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from app.programme.founding import Founded, found
from app.tools import Tools
from tests.app.web.browser.conftest import (
    DESK,
    clear_the_books,
    code_on,
    codes_on_paper,
    console_cookies,
    join_on,
    sheets_of,
    show_code,
)
from tests.app.web.browser.whole_ways.conftest import (
    MIA_PIN,
    SHARP,
    Picture,
    Till,
    Tongue,
    Visit,
    booked,
    card_says,
    news,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@dataclass
class Owner:
    """The owner at her desk, and what she sees."""

    say: Tongue
    picture: Picture
    desk: Page

    def fill(self, label: str, words: str) -> None:
        self.desk.get_by_label(self.say(label), exact=True).fill(words)

    def tap(self, button: str) -> None:
        self.desk.get_by_role("button", name=self.say(button), exact=True).click()

    def follow(self, link: str) -> None:
        self.desk.get_by_role("link", name=self.say(link)).first.click()

    def reads(self, heading: str) -> None:
        wanted = self.desk.get_by_role("heading", level=1, name=self.say(heading))
        expect(wanted).to_be_visible()

    def come_in(self, shop: Founded) -> None:
        self.picture(self.desk, "door")
        self.fill("Email", shop.email)
        self.fill("Password", shop.password)
        self.tap("Sign in")
        expect(self.desk.get_by_role("link", name=self.say("Begin"))).to_be_visible()
        nothing = "Nothing has happened yet. The first stamp shows here by itself."
        expect(self.desk.get_by_text(self.say(nothing))).to_be_visible()
        self.picture(self.desk, "empty-shop", whole=True)

    def name_the_shop(self) -> None:
        self.follow("Begin")
        self.reads("What is your shop called?")
        self.fill("Name of the shop", "Kaffe & Brød")
        self.fill("Name of the place", "Nyhavn")
        self.fill("Your name", "Sofie")
        self.picture(self.desk, "shop")
        self.tap("Next")
        self.reads("What does a full card give?")
        self.fill("Name of the card", self.say("10 coffees, 1 free"))
        self.fill("Stamps for a reward", "10")
        self.fill("Reward", self.say("Free coffee"))
        self.picture(self.desk, "programme")
        self.tap("Next")

    def choose_the_look(self, logo: Path) -> None:
        self.reads("How shall it look?")
        self.desk.get_by_label(self.say("Logo")).set_input_files(logo)
        # The card beside the choices shows it at once.
        expect(self.desk.locator(".looks .top__mark img")).to_be_visible()
        self.desk.locator("#colour").fill("#8a3b12")
        self.desk.get_by_label(self.say("Flower")).check()
        self.picture(self.desk, "look", whole=True)
        self.tap("Next")

    def make_the_till(self, till: Till) -> None:
        self.reads("Which device is the first till?")
        self.picture(self.desk, "till")
        self.tap("Show its code")
        self.reads("Scan this with the new till")
        self.picture(self.desk, "till-code")
        till.page.goto(code_on(self.desk.locator("#enrolment figure svg")))
        self.picture(till.page, "device-asks")
        till.page.get_by_role("link", name=self.say("Make this device a till")).click()
        read = till.page.get_by_text(self.say("Code read. One tap to go."))
        expect(read).to_be_visible()
        self.picture(till.page, "device-enrols")
        till.tap("Make this device a till")
        till.page.get_by_role(
            "heading", name=self.say("Who is at the till?")
        ).wait_for()
        self.picture(till.page, "device-is-a-till")
        expect(
            self.desk.get_by_role("heading", name=self.say("Till added"))
        ).to_be_visible(timeout=10_000)
        self.picture(self.desk, "till-added")
        self.follow("Next")

    def add_the_barista(self) -> None:
        self.reads("Who gives the first stamp?")
        self.fill("Name", "Mia")
        self.fill("PIN for the till", MIA_PIN)
        self.picture(self.desk, "barista")
        self.tap("Add and finish")
        self.reads("Your shop is open")
        self.picture(self.desk, "done")

    def look_round(self) -> None:
        """Each empty page says what to do."""
        self.follow("To the console")
        expect(self.desk.locator("#lines li")).to_have_count(1)
        self.picture(self.desk, "today-before")
        self.follow("Printing")
        expect(
            self.desk.get_by_role("link", name=self.say("Print the first stamps"))
        ).to_be_visible()
        self.picture(self.desk, "printing-empty")
        self.desk.goto("/console/")


@pytest.fixture
def new_shop(own_tools: Tools, shop: Founded) -> Founded:
    """The shop as the very first start leaves it."""
    clear_the_books(own_tools)
    return found(own_tools)


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    """A loaf and its steam, as a photograph of a sign would show it."""
    sign = Image.new("RGB", (900, 700), "#f2e3c6")
    pen = ImageDraw.Draw(sign)
    pen.rounded_rectangle((230, 330, 670, 540), 100, fill="#8a3b12")
    for x in (330, 450, 570):
        pen.line((x - 25, 500, x + 25, 370), fill="#f2e3c6", width=22)
        pen.arc((x - 40, 160, x + 40, 300), 300, 60, fill="#8a3b12", width=20)
    path = tmp_path / "sign.jpg"
    sign.save(path, "JPEG")
    return path


def test_the_first_run(
    say: Tongue,
    pictures_of: Callable[[str], Picture],
    visit: Visit,
    make_till: Callable[..., Till],
    new_shop: Founded,
    logo: Path,
):
    # given a shop that was founded this minute, and its owner at the door
    till = make_till(is_till=False)
    desk = visit("/console/", viewport=DESK)
    owner = Owner(say, pictures_of("1-first-run"), desk)
    owner.come_in(new_shop)

    # when she goes through the first run
    owner.name_the_shop()
    owner.choose_the_look(logo)
    owner.make_the_till(till)
    owner.add_the_barista()

    # then the empty pages say what to do next
    owner.look_round()

    # and when the barista, whom the till knows by now, gives the first stamp
    expect(till.page.get_by_role("button", name="Mia")).to_be_visible(timeout=15_000)
    till.sign_in("Mia", MIA_PIN)
    phone = visit("/", **SHARP)
    owner.picture(phone, "customer-joins")
    join_on(phone, "Anna", say("Get my card"))
    till.camera.hold(show_code(phone, say("Show my code")))
    expect(till.stamps_for(1, "Anna")).to_be_visible()
    owner.picture(till.page, "first-stamp-till")
    news(phone)
    owner.picture(phone, "first-stamp-phone")

    # then Today shows it by itself
    first = say.count(
        "%(num)s stamp for %(name)s", "%(num)s stamps for %(name)s", 1,
        name="\u2068Anna\u2069",
    )  # fmt: skip
    expect(desk.locator("#lines li").first).to_contain_text(first, timeout=10_000)
    owner.picture(desk, "today")


@dataclass
class Paper:
    """A batch from the console to phones."""

    say: Tongue
    picture: Picture
    owner: Owner

    def make(self) -> None:
        self.owner.follow("Print the first stamps")
        self.owner.fill("What they are for", "Spring market")
        self.owner.fill("How many", "12")
        self.owner.fill("Stamps on each", "2")
        self.picture(self.owner.desk, "batch-asked-for", whole=True)
        self.owner.tap("Make the batch")
        self.came_back(0)
        self.picture(self.owner.desk, "batch", whole=True)

    def came_back(self, number: int) -> None:
        words = f"{number} {self.say('of %(count)s came back', count=12)}"
        expect(self.owner.desk.get_by_role("heading", level=1)).to_have_text(words)

    def download(self, path: Path) -> list[Image.Image]:
        with self.owner.desk.expect_download() as download:
            self.owner.tap("Download the PDF")
        download.value.save_as(path)
        return sheets_of(path)

    def call_back(self) -> None:
        self.owner.fill("Why", "Lost on the way")
        self.owner.tap("Call the batch back")
        expect(self.owner.desk.get_by_text("Lost on the way")).to_be_visible()
        self.picture(self.owner.desk, "batch-called-back", whole=True)


def test_stamps_on_paper(
    say: Tongue,
    pictures_of: Callable[[str], Picture],
    visit: Visit,
    cafe: Founded,
    own_tools: Tools,
    tmp_path: Path,
):
    # given a batch on paper, and nothing of it booked
    picture = pictures_of("4-paper")
    cookies = console_cookies(own_tools, cafe)
    desk = visit("/console/printing", viewport=DESK, cookies=cookies)
    paper = Paper(say, picture, Owner(say, picture, desk))
    paper.make()
    sheets = paper.download(tmp_path / "stamps.pdf")
    picture(sheets[0], "sheet")
    links = codes_on_paper(sheets)
    assert len(set(links)) == 12
    assert booked(own_tools) == 0

    # when a phone reads one of them, it gets a card with the stamps on it
    phone = visit(links[0], **SHARP)
    picture(phone, "waiting")
    join_on(phone, "Anna", say("Get my card and collect"))
    card_says(phone, 2)
    picture(phone, "card")

    # then the batch shows that it came back
    desk.reload()
    paper.came_back(1)
    picture(desk, "one-came-back")

    # and when the batch is called back, the next one gives nothing and says why
    paper.call_back()
    late = visit(links[1], **SHARP)
    called_back = say("This printed stamp was called back")
    expect(late.get_by_role("heading", level=1)).to_have_text(called_back)
    picture(late, "refused")
    assert booked(own_tools) == 2

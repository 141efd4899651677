"""The customer's ways: from first stamp to free coffee, and a stamp from the till."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from app.programme.founding import Founded
from app.tools import Tools
from tests.app.web.browser.conftest import code_on, join_on, show_code
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
    seen,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: What a phone says of stamps that come or wait.
FROM = ("A stamp from %(place)s", "%(num)s stamps from %(place)s")


@dataclass
class Meeting:
    """Anna's phone and Mia's till, and what each of them sees."""

    say: Tongue
    picture: Picture
    phone: Page
    till: Till

    def join(self) -> None:
        self.picture(self.phone, "join")
        join_on(self.phone, "Anna", self.say("Get my card"))
        card_says(self.phone, 0)
        self.picture(self.phone, "new-card")

    def sign_in(self) -> None:
        page = self.till.page
        self.picture(page, "who")
        page.get_by_role("button", name="Mia").click()
        page.get_by_role("button", name=MIA_PIN[0], exact=True).click()
        self.picture(page, "pin")
        page.reload()
        self.till.sign_in("Mia", MIA_PIN)
        self.picture(page, "till")

    def give(self, stamps: int) -> None:
        """Anna shows her code, Mia chooses how many, the camera does the rest."""
        if stamps > 1:
            self.till.choose(stamps)
        self.till.camera.hold(show_code(self.phone, self.say("Show my code")))
        expect(self.till.stamps_for(stamps, "Anna")).to_be_visible()

    def part(self) -> None:
        """Both have seen it."""
        self.till.next_customer()
        seen(self.phone, self.say)

    def first_stamp(self) -> None:
        code = show_code(self.phone, self.say("Show my code"))
        self.picture(self.phone, "code")
        self.till.camera.hold(code)
        expect(self.till.stamps_for(1, "Anna")).to_be_visible()
        self.picture(self.till.page, "given-till")
        told = self.say.count(*FROM, 1, place=self.say.name("Nyhavn"))
        expect(news(self.phone)).to_contain_text(told)
        self.picture(self.phone, "given-phone")
        self.part()
        card_says(self.phone, 1)
        self.picture(self.phone, "one-stamp")

    def fill_the_card(self) -> None:
        for stamps, count in ((5, 6), (3, 9)):
            self.give(stamps)
            card_says(self.phone, count)
            self.part()
        self.picture(self.phone, "nine-stamps")
        self.give(1)
        full = self.say("Card full: {reward}", reward=self.say("Free coffee"))
        expect(self.till.result.locator("[data-earned]")).to_have_text(full)
        self.picture(self.till.page, "full-till")
        told = self.say("The card is full. Yours: %(reward)s", reward=self.say.reward)
        expect(news(self.phone)).to_contain_text(told)
        self.picture(self.phone, "full-phone")
        self.part()

    def use_the_voucher(self) -> None:
        self.picture(self.phone, "voucher", whole=True)
        self.phone.get_by_role("link", name=self.say("Use now")).click()
        code = self.phone.locator("#code [data-part=picture] svg")
        code.wait_for()
        self.picture(self.phone, "voucher-code")
        self.till.camera.hold(code)
        coffee = self.say("Free coffee")
        handed = self.say("{reward} for {name}", reward=coffee, name="Anna")
        expect(self.till.says(handed)).to_contain_text(self.say("Hand it over."))
        self.picture(self.till.page, "handed-over")
        expect(news(self.phone)).to_contain_text(self.say("Voucher used"))
        self.picture(self.phone, "used-phone")
        self.part()

    def undo_the_last(self) -> None:
        page = self.till.page
        self.till.tap("Last 5")
        last = page.locator("#latest li").first
        expect(last).to_contain_text(self.say("Free coffee"))
        self.picture(page, "last-five")
        last.get_by_role("button").click()
        expect(self.till.says(self.say("Undone"))).to_contain_text(
            self.say("The reward is back on the card.")
        )
        self.picture(page, "undone")
        self.till.go_on()


def test_from_the_first_stamp_to_the_free_coffee(
    say: Tongue,
    pictures_of: Callable[[str], Picture],
    visit: Visit,
    make_till: Callable[..., Till],
    cafe: Founded,
    own_tools: Tools,
):
    # given Anna, who came by the poster and joined, and Mia, signed in at the till
    meeting = Meeting(say, pictures_of("2-scan"), visit("/", **SHARP), make_till())
    meeting.join()
    meeting.sign_in()

    # when the till's camera sees Anna's code, then both have it over their screen
    meeting.first_stamp()
    assert booked(own_tools) == 1

    # when the card is full, then there is a voucher, and it is worth a coffee
    meeting.fill_the_card()
    meeting.use_the_voucher()

    # when that is undone, then Anna has her voucher again
    meeting.undo_the_last()
    phone = meeting.phone
    phone.reload()
    expect(phone.get_by_role("link", name=say("Use now"))).to_be_visible()
    meeting.picture(phone, "voucher-back")

    # and reads what happened, line by line
    phone.get_by_role("link", name=say("Everything that happened")).click()
    expect(phone.locator("main .list li")).to_have_count(7)
    expect(phone.locator("main .list li").first).to_contain_text(
        say("%(reward)s is yours again", reward=say.reward)
    )
    meeting.picture(phone, "history", whole=True)
    assert booked(own_tools) == 0


def test_a_stranger_collects_what_the_till_shows(
    say: Tongue,
    pictures_of: Callable[[str], Picture],
    visit: Visit,
    at_work: Till,
    own_tools: Tools,
):
    # given a till that shows a code for two stamps
    picture = pictures_of("3-stranger")
    at_work.choose(2)
    at_work.tap("Show a stamp code")
    shown = at_work.page.locator("#show [data-picture] svg")
    shown.wait_for()
    picture(at_work.page, "till-shows")

    # when a stranger's own camera reads it and opens its link
    link = code_on(shown)
    stranger = visit(link, **SHARP)
    expect(stranger.get_by_role("heading", level=1)).to_have_text(
        say.count(*FROM, 2, place=say.name("Nyhavn"))
    )
    picture(stranger, "waiting")
    assert booked(own_tools) == 0

    # then one tap gives a card with the stamps on it, and the till knows whose it is
    join_on(stranger, "Bo", say("Get my card and collect"))
    expect(at_work.says(say("Collected by {name}", name="Bo"))).to_be_visible()
    picture(at_work.page, "collected")
    card_says(stranger, 2)
    picture(stranger, "card")
    assert booked(own_tools) == 2

    # and a second stranger, who had photographed it, comes too late
    late = visit(link, **SHARP)
    expect(late.get_by_role("heading", level=1)).to_have_text(say("Already collected"))
    picture(late, "too-late")

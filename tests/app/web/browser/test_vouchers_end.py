"""Vouchers that end, in the hand: soon, over midnight, without a network, at the till.

With ``PUNCHPROOF_PICTURES`` naming a directory, pictures are left there to look at.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import update

from app import translations
from app.programme import cards, members, rewards, stamping
from app.programme.founding import Founded
from app.programme.sessions import StaffCaller
from app.store.tables import Programme, Terminal, Voucher
from app.tools import Tools
from app.translations import LANGUAGES, Language
from tests.app.web.browser.conftest import PHONE, TABLET, Window, till_cookies
from tests.app.web.browser.walking import STILL, check
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK = {"width": 1280, "height": 800}
TONGUES = [each for each in LANGUAGES if each.tag in {"en", "he", "zh-Hant"}]
#: From left to right and from right to left, by day and by night.
OFTEN = {("en", "phone", "light"), ("he", "desk", "dark")}


def said(language: Language, english: str) -> str:
    return translations.catalogue(language.locale).gettext(english)


def look(page: Page, name: str) -> None:
    """Hold a page to what every page owes, and leave a picture of it."""
    where = os.environ.get("PUNCHPROOF_PICTURES")
    if where:
        Path(where).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(where) / f"{name}.png", full_page=True)
    check(page)


@pytest.fixture
def anna(own_tools: Tools) -> members.Joined:
    return members.join(own_tools, name="Anna")


@pytest.fixture
def earn(
    service: Service, own_tools: Tools, shop: Founded, anna: members.Joined
) -> Callable[..., UUID]:
    """Give Anna a voucher that is good for some days, some days ago."""
    till_cookies(service, own_tools, shop)
    with own_tools.database.read() as tx:
        terminal_id = tx.query(Terminal).one().terminal_id
    sofie = StaffCaller(
        shop.staff_id, "Sofie", "owner", terminal_id, shop.location_id, "Nyhavn"
    )

    def give(days: int | None, *, ago: int = 0) -> UUID:
        with own_tools.database.begin() as tx:
            tx.execute(update(Programme).values(voucher_days=days))
        earlier = own_tools.now() - timedelta(days=ago)
        then = dataclasses.replace(own_tools, now=lambda: earlier)
        for _ in range(2):
            code = stamping.card_code(then, anna.card_id).code
            stamping.stamp(then, code, stamps=5, request_id=uuid4().hex, staff=sofie)
        return cards.card(own_tools, anna.card_id).vouchers[0].voucher_id

    return give


@pytest.fixture
def end_in(own_tools: Tools) -> Callable[[UUID, timedelta], None]:
    """Let a voucher's end be as near as if the days had passed; no version moves."""

    def move(voucher_id: UUID, left: timedelta) -> None:
        with own_tools.database.begin() as tx:
            tx.execute(
                update(Voucher)
                .where(Voucher.voucher_id == voucher_id)
                .values(expires_at=own_tools.now().replace(microsecond=0) + left)
            )

    return move


@pytest.fixture
def phone(open_window: Callable[..., Window], anna: members.Joined):
    """Open Anna's card on a phone."""

    def start(**options: object) -> Page:
        cookies = {"pp_member": anna.token}
        return open_window("/card", cookies=cookies, **{**STILL, **options}).page

    return start


def warning(page: Page) -> Locator:
    return page.locator("#face a.notice")


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [
        pytest.param(
            language,
            {"phone": PHONE, "desk": DESK}[size],
            theme,
            id=f"{language.tag}-{size}-{theme}",
            marks=() if (language.tag, size, theme) in OFTEN else pytest.mark.long,
        )
        for language, size, theme in product(
            TONGUES, ["phone", "desk"], ["light", "dark"]
        )
    ],
)
def test_a_card_warns_of_a_voucher_that_ends_soon(
    phone: Callable[..., Page],
    earn: Callable[..., UUID],
    language: Language,
    size: dict[str, int],
    theme: str,
):
    # given one that ends tomorrow, one far away, one without an end and one over
    soon = earn(5, ago=4)
    earn(60)
    earn(None)
    earn(3, ago=9)

    page = phone(locale=language.tag, viewport=size, color_scheme=theme)

    tomorrow, over = said(language, "Ends tomorrow"), said(language, "Expired")
    expect(warning(page)).to_have_count(1)
    expect(warning(page)).to_contain_text(tomorrow)
    expect(warning(page)).to_have_attribute("href", f"#voucher-{soon}")
    vouchers = page.locator("#face .voucher")
    expect(vouchers).to_have_count(3)
    expect(vouchers.first).to_contain_text(tomorrow)
    expect(vouchers.first.get_by_text(over, exact=True)).to_be_hidden()
    words = said(language, "%(reward)s, expired").partition("%(reward)s")[2]
    expect(page.locator("#face .latest")).to_contain_text(words.strip())
    width = "phone" if size is PHONE else "desk"
    look(page, f"soon-{language.tag}-{width}-{theme}")

    # the warning leads to its code
    warning(page).click()
    page.locator("#code [data-part=picture] svg").wait_for()


def test_an_open_page_says_by_itself_that_a_voucher_has_ended(
    phone: Callable[..., Page],
    earn: Callable[..., UUID],
    end_in: Callable[[UUID, timedelta], None],
):
    voucher_id = earn(1)
    page = phone()
    expect(warning(page)).to_contain_text("Ends tomorrow")

    end_in(voucher_id, timedelta(hours=-1))

    expect(page.locator("#face .voucher")).to_have_count(0, timeout=12_000)
    expect(warning(page)).to_have_count(0)
    expect(page.locator("#face .latest")).to_contain_text("Free coffee, expired")
    check(page)


def test_a_code_that_is_open_says_that_its_voucher_has_ended(
    phone: Callable[..., Page],
    earn: Callable[..., UUID],
    end_in: Callable[[UUID, timedelta], None],
):
    voucher_id = earn(1)
    page = phone()
    # It has not heard of the end yet when the button is pressed, nor does an answer
    # come that was under way.
    with page.expect_response(lambda heard: heard.status == 304):
        page.route("**/api/v1/cards/*", lambda route: route.fulfill(status=304))
    end_in(voucher_id, timedelta(seconds=-1))

    page.get_by_role("link", name="Use now").click()

    expect(page.locator("#code [data-part=trouble-text]")).to_contain_text("Ended on")
    expect(page.locator("#code [data-part=next]")).to_be_hidden()


def test_without_a_network_no_voucher_is_promised_that_has_ended(
    phone: Callable[..., Page],
    earn: Callable[..., UUID],
    end_in: Callable[[UUID, timedelta], None],
):
    # given a page that has seen one voucher end soon and one without an end
    ending = earn(1)
    earn(None)
    end_in(ending, timedelta(seconds=12))
    page = phone()
    page.clock.install()
    page.reload(wait_until="networkidle")
    use = page.get_by_role("link", name="Use now")
    expect(use).to_have_count(2)

    # when the network goes, and the end comes
    page.context.set_offline(True)
    told = page.locator("#offline")
    for _ in range(20):
        # Each question fails in real time, and only then is the next one due.
        page.clock.run_for(10_000)
        page.wait_for_timeout(300)
        if told.is_visible():
            break
    page.clock.run_for(40_000)

    expect(told).to_be_visible()
    expect(page.get_by_text("Expired", exact=True)).to_be_visible()
    expect(use.locator("visible=true")).to_have_count(1)
    expect(warning(page)).to_be_hidden()

    # nor does the page for no network
    page.context.set_offline(False)
    page.goto("/offline")
    page.clock.run_for(60_000)
    expect(page.locator("#last [data-last=vouchers] li")).to_have_count(1)


@pytest.mark.parametrize(
    "language",
    [
        pytest.param(
            each, id=each.tag, marks=() if each.tag == "en" else pytest.mark.long
        )
        for each in TONGUES
    ],
)
def test_the_till_says_when_a_voucher_ended(
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
    anna: members.Joined,
    earn: Callable[..., UUID],
    end_in: Callable[[UUID, timedelta], None],
    language: Language,
):
    voucher_id = earn(1)
    cookies = till_cookies(service, own_tools, shop)
    page = open_window(
        "/counter/", cookies=cookies, viewport=TABLET, locale=language.tag, **STILL
    ).page
    shown = rewards.voucher_code(own_tools, voucher_id, anna.member_id)
    end_in(voucher_id, timedelta(seconds=-1))

    page.get_by_role("button", name=said(language, "Type a code")).click()
    page.keyboard.type(shown.short or "")
    page.keyboard.press("Enter")

    screen = page.locator(".result--refused")
    expect(screen).to_contain_text(said(language, "Expired"))
    ended = said(language, "Ended on %(day)s.").replace("%(day)s", "").strip(" .。־")
    expect(screen).to_contain_text(ended)
    look(page, f"till-{language.tag}")

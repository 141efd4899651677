"""Keys in real browsers: the console's pages of them, and a phone whose key is gone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from app.programme import cards, members, signals
from app.programme.founding import Founded
from app.store.tables import LedgerEntry
from app.tools import Tools
from signing import codes, keyfiles
from tests.app.web.browser.conftest import (
    PHONE,
    TABLET,
    Served,
    Window,
    console_cookies,
    serving,
    show_code,
)
from tests.app.web.browser.walking import STILL, check

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK = {"width": 1440, "height": 900}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with a ring that has a long life behind it; key 5 was stolen."""
    base, now = tmp_path_factory.mktemp("old-ring"), datetime.now(UTC)
    passphrase = base / "keys.passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(keyfiles.new_passphrase())
    opened = keyfiles.read_passphrase(passphrase)
    ring = keyfiles.create(base / "keys", opened, now=now - 700 * DAY)
    for key_id in range(2, 8):
        made = now - (730 - 100 * key_id) * DAY
        ring = ring.with_new_key(made).activated(key_id, made)
    for key_id in range(1, 5):
        ring = ring.retired(key_id, now - 20 * DAY)
    ring = ring.revoked(5, now - DAY, since=now - 30 * DAY).with_new_key(now)
    keyfiles.save(base / "keys", ring, opened)
    with serving(tmp_path_factory.mktemp("service"), base) as served:
        yield served


@pytest.fixture
def console(
    own_tools: Tools, shop: Founded, open_window: Callable[..., Window]
) -> Callable[..., Page]:
    """Open a page of the console, signed in as the owner."""
    cookies = console_cookies(own_tools, shop)

    def start(path: str, **options: object) -> Page:
        given = {"viewport": DESK, **STILL, **options}
        return open_window(path, cookies=cookies, **given).page

    return start


@pytest.fixture
def theft(own_tools: Tools, shop: Founded) -> None:
    """What key 5 made since, more than a page of it, and a code nobody issued."""
    card = cards.card(own_tools, members.join(own_tools, name="Anna").card_id)
    now = own_tools.now()
    with own_tools.database.begin() as tx:
        for number in range(60):
            nonce, entry_id = secrets.token_bytes(9), uuid4()
            entry = LedgerEntry(
                entry_id=entry_id,
                card_id=card.card_id,
                kind="EARN",
                units=number % 3 + 1,
                rule="card_code",
                at=now - DAY,
                nonce=nonce,
                proof=b"\x11\x00\x05" + bytes(4) + nonce + bytes(64),
                request_id=uuid4().hex,
                staff_id=shop.staff_id,
                location_id=shop.location_id,
            )
            tx.add(entry)
    signals.note(own_tools, "unissued_code", {"nonce": "ab", "key_id": 7})


@pytest.mark.usefixtures("theft")
@pytest.mark.parametrize(
    "theme", ["light", pytest.param("dark", marks=pytest.mark.long)]
)
def test_the_pages_of_keys_are_for_everybody(console: Callable[..., Page], theme: str):
    page = console("/console/keys", color_scheme=theme)
    for path in ("/console/keys", "/console/keys/5/review?page=2", "/console/"):
        page.goto(path)
        for details in page.locator("details").all():
            details.locator("summary").click()
        for direction in ("ltr", "rtl"):
            page.evaluate("to => { document.documentElement.dir = to }", direction)
            for size in ({"width": 320, "height": 640}, PHONE, TABLET, DESK):
                page.set_viewport_size(size)
                check(page)


@pytest.mark.usefixtures("theft")
def test_from_the_alarm_to_what_the_stolen_key_made(console: Callable[..., Page]):
    page = console("/console/", viewport=PHONE)

    page.get_by_role("link", name="See what to do").click()
    expect(page.get_by_text("The key may be stolen.")).to_be_visible()
    expect(page.get_by_text("scripts/keys.py revoke 7")).to_be_visible()
    page.get_by_role("link", name="What key 5 made").click()

    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("60 stamps and rewards made with key 5")
    # a header and fifty entries, cells and all, though it looks like a list here
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("link", name="Later").click()
    expect(page.get_by_role("row")).to_have_count(11)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    file = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert download.value.suggested_filename == "key-5-review.csv"
    assert len(file.splitlines()) == 61


def test_keys_are_one_tap_away_on_every_screen(console: Callable[..., Page]):
    page = console("/console/")
    for size in (PHONE, TABLET, DESK):
        page.set_viewport_size(size)
        page.goto("/console/")
        page.get_by_role("link", name="Keys", exact=True).click()
        expect(page.locator("[aria-current=page]:visible")).to_have_count(1)
        expect(page.get_by_text("Key 7 Signs now")).to_be_visible()


def test_an_alarm_comes_to_a_page_that_is_open(
    console: Callable[..., Page], own_tools: Tools
):
    page = console("/console/")
    alarm = page.locator("#alarms")
    expect(alarm).to_be_hidden()

    signals.note(own_tools, "unissued_code", {"nonce": "cd", "key_id": 7})

    expect(alarm).to_contain_text("The key may be stolen.", timeout=6_000)
    assert alarm.get_attribute("role") == "status"


def test_a_phone_shows_a_code_of_the_new_key_by_itself(phone: Page, own_tools: Tools):
    # given a phone that shows its code
    with phone.expect_response("**/code?*") as first:
        show_code(phone)
    settings = own_tools.settings
    passphrase = keyfiles.read_passphrase(settings.keys_passphrase_file)
    ring = keyfiles.load(settings.keys, passphrase)
    old, now = ring.active.key_id, own_tools.now()

    # when its key is called back
    ring = ring.with_new_key(now)
    new = ring.keys[-1].key_id
    ring = ring.activated(new, now).revoked(old, now, since=now)
    with phone.expect_response("**/code?*", timeout=25_000) as second:
        keyfiles.save(settings.keys, ring, passphrase)

    # then the phone has one of the new key at once, not when the old one grows stale,
    # and says nothing of it
    shown = [codes.named_key(each.value.json()["code"]) for each in (first, second)]
    assert shown == [old, new]
    expect(phone.locator("#code [data-part=picture] svg")).to_be_visible()
    words = phone.locator("body").inner_text().lower()
    for harsh in ("forg", "fake", "fraud", "stolen", "called back", "invalid"):
        assert harsh not in words

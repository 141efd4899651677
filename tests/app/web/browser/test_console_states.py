"""Every page of the console in every state: for everybody, on every screen, whole.

A shop in which something of each kind has happened, one in which nothing has, and forms
that were refused. Two walks go round all of it: one with axe, one with a ruler.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page

from app.programme import batches, cards, members, sessions, signals, stamping
from app.programme import shop as shops
from app.programme import staff as people
from app.programme.errors import CodeSpent
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import LedgerEntry, Programme
from app.tools import Tools
from signing import keyfiles
from tests.app.web.browser.conftest import PHONE, TABLET, Served, Window, serving
from tests.app.web.browser.walking import STILL, check
from tests.app.web.console.conftest import PAGES

# Walks of many pages, each a minute or two where there is nothing else to do.
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]

DESK: Final = {"width": 1280, "height": 800}
WIDE: Final = {"width": 1600, "height": 1000}
NARROW: Final = {"width": 320, "height": 640}
#: A desk's 1280 px at 200 %.
ZOOMED: Final = {"width": 640, "height": 400}
DAY: Final = timedelta(days=1)
#: Longer than most, and without a place to break.
LONG: Final = "Bartholomew Featherstonehaugh-Cholmondeley"

Way = tuple[str, Callable[[Page], object] | None]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with a ring whose first key was stolen three days ago."""
    base, now = tmp_path_factory.mktemp("ring"), datetime.now(UTC)
    passphrase = base / "keys.passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(keyfiles.new_passphrase())
    opened = keyfiles.read_passphrase(passphrase)
    ring = keyfiles.create(base / "keys", opened, now=now - 90 * DAY)
    ring = ring.with_new_key(now - DAY).activated(2, now - DAY)
    ring = ring.revoked(1, now - DAY, since=now - 3 * DAY)
    keyfiles.save(base / "keys", ring, opened)
    with serving(tmp_path_factory.mktemp("service"), base) as served:
        yield served


@pytest.fixture
def busy(own_tools: Tools, shop: Founded) -> dict[str, str]:
    """A shop where something of each kind has happened; its pages with an id."""
    by = ConsoleCaller(shop.staff_id, "Sofie", "owner")
    shops.add_location(own_tools, name="Kongens Nytorv ved metroen", by=by)
    lone = _hire(own_tools, by, LONG, "manager")
    _hire(own_tools, by, "Mia", "barista")
    off = _hire(own_tools, by, "Nora", "barista")
    shops.set_active(own_tools, off, is_active=False, by=by)
    open_, dead = (
        _print(own_tools, by, shop, f"Flyers {LONG[:40]}"),
        _print(own_tools, by, shop, "Lost in the post"),
    )
    batches.revoke(own_tools, dead, reason="The parcel never came", by=by)
    _work(own_tools, shop, by)
    _steal(own_tools, shop)
    return {
        "person": f"/console/staff/{lone}",
        "person-off": f"/console/staff/{off}",
        "batch": f"/console/printing/{open_}",
        "batch-back": f"/console/printing/{dead}",
    }


def _hire(tools: Tools, by: ConsoleCaller, name: str, role: str) -> UUID:
    leads = role != "barista"
    return shops.add_staff(
        tools,
        name=name,
        role=role,
        pin="8127",
        email="manager@example.com" if leads else "",
        password="long enough 1" if leads else "",
        by=by,
    )


def _print(tools: Tools, by: ConsoleCaller, shop: Founded, name: str) -> UUID:
    return batches.make(
        tools,
        name=name,
        programme_id=shop.programme_id,
        location_id=shop.location_id,
        stamps=2,
        count=40,
        last_day=(tools.now() + 60 * DAY).date(),
        by=by,
    )


def _work(tools: Tools, shop: Founded, by: ConsoleCaller) -> None:
    """Two tills, one removed; stamps, and a code that was shown twice."""
    for name in ("Front counter", "Old tablet"):
        issued = shops.enrolment(tools, location_id=shop.location_id, name=name, by=by)
        till = people.enrol(tools, issued.code)
        sofie = StaffCaller(
            shop.staff_id,
            "Sofie",
            "owner",
            till.terminal_id,
            shop.location_id,
            "Nyhavn",
        )
        card_id = members.join(tools, name=LONG).card_id
        code = stamping.card_code(tools, card_id).code
        for stamps in (2, 1):
            again = uuid4().hex
            try:
                stamping.stamp(
                    tools, code, stamps=stamps, request_id=again, staff=sofie
                )
            except CodeSpent:
                assert stamps == 1
    shops.revoke_terminal(tools, till.terminal_id, by=by)


def _steal(tools: Tools, shop: Founded) -> None:
    """What the stolen key made, and a code that nobody issued."""
    card = cards.card(tools, members.join(tools, name="Anna").card_id)
    with tools.database.begin() as tx:
        for number in range(60):
            nonce = secrets.token_bytes(9)
            entry = LedgerEntry(
                entry_id=uuid4(),
                card_id=card.card_id,
                kind="EARN",
                units=number % 3 + 1,
                rule="card_code",
                at=tools.now() - 2 * DAY,
                nonce=nonce,
                proof=b"\x11\x00\x01" + bytes(4) + nonce + bytes(64),
                request_id=uuid4().hex,
                staff_id=shop.staff_id,
                location_id=shop.location_id,
            )
            tx.add(entry)
    signals.note(tools, "unissued_code", {"nonce": "ab", "key_id": 1})


@pytest.fixture
def console(
    own_tools: Tools, shop: Founded, open_window: Callable[..., Window]
) -> Callable[..., Page]:
    """Open the console, signed in as the owner."""
    with own_tools.database.begin() as tx:
        token = sessions.grant(tx, own_tools, "console", staff_id=shop.staff_id)

    def start(path: str = "/console/", **options: object) -> Page:
        given = {"viewport": DESK, **STILL, **options}
        return open_window(path, cookies={"pp_console": token}, **given).page

    return start


def _send(index: int = 0, **typed: str) -> Callable[[Page], None]:
    """Fill the fields of a form, by name, and send it."""

    def act(page: Page) -> None:
        form = page.locator("main form:not(.tongues__list)").nth(index)
        for name, text in typed.items():
            form.locator(f"[name={name}]").fill(text)
        with page.expect_navigation():
            form.evaluate("form => form.requestSubmit()")

    return act


def _tap(selector: str) -> Callable[[Page], None]:
    return lambda page: page.locator(selector).first.click()


def _unfold(page: Page) -> None:
    folds = page.locator("main details")
    folds.evaluate_all("all => all.forEach((each) => { each.open = true })")


def _without_network(page: Page) -> None:
    """The live list says that it waits, which is a longer word."""
    page.route("**/console/feed*", lambda route: route.abort())
    page.locator(".live--away").wait_for()
    page.unroute("**/console/feed*")


def _states(ways: dict[str, str]) -> Iterator[Way]:
    """Every state of the pages of a busy shop."""
    for path in (*PAGES, *ways.values()):
        yield path, None
    yield "/console/keys/1/review?page=2", None
    yield "/console/nowhere", None
    yield from _opened(ways)
    yield from _refused(ways)
    yield "/console/shop", _send()


def _opened(ways: dict[str, str]) -> Iterator[Way]:
    """What unfolds, questions, and codes that a device may scan."""
    yield "/console/", _tap(".pick:nth-of-type(2)")
    yield "/console/", _tap(".tongues summary")
    for page in ("keys", "terminals", "staff", "locations"):
        yield f"/console/{page}", _unfold
    for path in ("/console/terminals", ways["person"], "/console/style"):
        yield path, _tap("[popovertarget]")
    yield "/console/style", _tap("[data-opens-drawer]")
    yield "/console/", _without_network
    shown = _send(name="Window")
    yield "/console/terminals/new", lambda page: (shown(page), _unfold(page))
    yield "/console/setup/till", shown


def _refused(ways: dict[str, str]) -> Iterator[Way]:
    """Each form, filled in wrongly."""
    yield "/console/programme", _send(name="", reward="", stamps_required="1")
    yield "/console/shop", _send(name="", colour="bluish")
    yield "/console/locations", _send(-1)
    yield "/console/locations", lambda page: (_unfold(page), _send(0, name="")(page))
    yield "/console/terminals/new", _send()
    yield "/console/staff/new", _send(email="mia@", password="short")
    yield ways["person"], _send(0, name="")
    yield ways["person"], _send(1, pin="1234")
    yield ways["person"], _send(2, email="mia@", password="short")
    yield "/console/printing/new", _send(count="9999", stamps="77", last_day="")
    yield ways["batch"], _send(1)
    yield "/console/setup/shop", _send(name="", place="")
    yield "/console/setup/card", _send(name="", reward="", stamps_required="99")
    yield "/console/setup/look", _send(colour="bluish")
    yield "/console/setup/till", _send(name="")
    yield "/console/setup/barista", _send()


def _empty_states() -> Iterator[Way]:
    """What a shop sees in which nothing has happened."""
    for page in ("", "terminals", "terminals/new", "staff", "printing", "keys"):
        yield f"/console/{page}", None


def _walk(page: Page, ways: Iterator[Way], look: Callable[[Page], None]) -> None:
    for path, act in ways:
        page.goto(path)
        if act:
            act(page)
        page.wait_for_load_state()  # a tapped link leads to a page without its sheets
        look(page)


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [
        pytest.param("en", DESK, "light", id="en-desk-light"),
        pytest.param("en", DESK, "dark", id="en-desk-dark", marks=pytest.mark.long),
        pytest.param("he", PHONE, "dark", id="he-phone-dark", marks=pytest.mark.long),
    ],
)
def test_axe_finds_nothing_in_any_state(
    console: Callable[..., Page],
    open_window: Callable[..., Window],
    busy: dict[str, str],
    theme: str,
    language: str,
    size: dict[str, int],
) -> None:
    asked = {"color_scheme": theme, "locale": language, "viewport": size}
    _walk(console(**asked), _states(busy), check)

    door = open_window("/console/sign-in", **asked, **STILL).page
    check(door)
    _send(email="sofie@example.com", password="not this one")(door)
    check(door)


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("he", "dark")])
def test_axe_finds_nothing_where_nothing_has_happened(
    console: Callable[..., Page], theme: str, language: str
) -> None:
    page = console(color_scheme=theme, locale=language, viewport=PHONE)
    _walk(page, _empty_states(), check)


#: Words that are wider than what they stand in, and what sticks out of the window.
_TOO_WIDE = """() => {
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over > 0) return [`the page, by ${over} px`];
  const kinds = 'h1, h2, h3, .btn, .chip, label, .field__error, .rail__link';
  const sticksOut = (each) => {
    const { left, right } = each.getBoundingClientRect();
    return left < -1 || right > innerWidth + 1;
  };
  return [...document.querySelectorAll(kinds)]
    .filter((each) => each.checkVisibility() && each.clientWidth > 1)
    .filter((each) => getComputedStyle(each).display !== 'inline')
    .filter((each) => each.scrollWidth > each.clientWidth + 1 || sticksOut(each))
    .map((each) => each.textContent.trim());
}"""


@pytest.mark.parametrize("language", [pytest.param("et", marks=pytest.mark.long), "he"])
def test_nothing_is_too_wide_on_any_screen(
    console: Callable[..., Page], busy: dict[str, str], language: str
) -> None:
    page = console(locale=language, device_scale_factor=2)
    found: list[str] = []

    def look(page: Page) -> None:
        for size in (NARROW, PHONE, ZOOMED, TABLET, DESK, WIDE):
            page.set_viewport_size(size)
            wide = page.evaluate(_TOO_WIDE)
            found.extend(f"{page.url} at {size['width']} px: {each}" for each in wide)

    _walk(page, _states(busy), look)
    _walk(page, _empty_states(), look)
    assert not found, "\n".join(dict.fromkeys(found))


def test_an_empty_page_leads_to_what_is_next(
    console: Callable[..., Page], own_tools: Tools
) -> None:
    page = console()
    for path, verb, leads_to in (
        ("/console/", "Begin", "/console/setup/shop"),
        ("/console/terminals", "Add the first till", "/console/terminals/new"),
        ("/console/printing", "Print the first stamps", "/console/printing/new"),
        ("/console/staff", "Add a person", "/console/staff/new"),
        ("/console/keys/1/review", "See all keys", "/console/keys"),
        ("/console/nowhere", "To the console", "/console/"),
    ):
        page.goto(path)
        page.get_by_role("link", name=verb).click()
        page.wait_for_url(f"**{leads_to}")

    with own_tools.database.begin() as tx:
        tx.query(Programme).one().is_open = False
    page.goto("/console/printing/new")
    page.get_by_role("link", name="Go to the programme").click()
    page.wait_for_url("**/console/programme")

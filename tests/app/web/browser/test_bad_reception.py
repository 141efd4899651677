"""Bad reception: a network that is cut, replies that are lost, pages loaded again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from app.programme import members, staff, stamping
from app.programme.founding import Founded
from app.programme.sessions import StaffCaller
from app.store.tables import LedgerEntry, Location, StaffMember
from app.tools import Tools
from tests.app.web.browser.conftest import (
    TABLET,
    Network,
    Window,
    add_barista,
    keeps_its_shell,
    till_cookies,
    type_pin,
)
from tests.app.web.browser.walking import check
from tests.running import Service
from tests.servers import wipe

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STAMPS = "**/api/v1/stamps"


@dataclass
class Till:
    """A till's page and its network."""

    page: Page
    network: Network

    def scan(self, code: str) -> None:
        """Scan with a hand scanner, which types."""
        self.page.keyboard.type(code, delay=1)
        self.page.keyboard.press("Enter")

    @property
    def result(self):
        return self.page.locator("#result[open]")

    @property
    def chip(self):
        return self.page.locator("[data-queue-open]")

    def serve_the_next(self) -> None:
        self.page.get_by_role("button", name="Serve the next").click()


@pytest.fixture
def till(
    open_window: Callable[..., Window],
    service: Service,
    own_tools: Tools,
    shop: Founded,
) -> Till:
    page = open_window(
        "/counter/",
        cookies=till_cookies(service, own_tools, shop),
        viewport=TABLET,
        reduced_motion="reduce",
    ).page
    # The decoder has come too: a load that is cut complains in the console.
    with page.expect_response("**/*.wasm"):
        page.reload()
    page.get_by_text("The camera is not allowed").wait_for()
    network = Network()
    page.route(STAMPS, network)
    return Till(page, network)


@pytest.fixture
def code(own_tools: Tools, shop: Founded) -> Callable[[], str]:
    """Show the code of a new member's card."""
    names = iter(["Anna", "Bo", "Cleo"])

    def show() -> str:
        joined = members.join(own_tools, name=next(names))
        return stamping.card_code(own_tools, joined.card_id).code

    return show


def booked(tools: Tools) -> int:
    with tools.database.read() as tx:
        return tx.scalar(select(func.sum(LedgerEntry.units))) or 0


def test_a_cut_network_is_amber_until_the_server_has_answered(
    till: Till, code: Callable[[], str], own_tools: Tools
):
    # given a till whose network is gone
    till.page.context.set_offline(True)

    # when a code is scanned
    till.scan(code())

    # then it is amber, and stays so
    expect(
        till.page.get_by_role("dialog", name="Waiting for the network")
    ).to_be_visible()
    expect(till.result).to_have_class(re.compile("result--waiting"))
    till.page.wait_for_timeout(2500)
    expect(till.result).to_have_class(re.compile("result--waiting"))
    assert booked(own_tools) == 0

    # and green only when the network is back and the server has counted
    till.page.context.set_offline(False)
    expect(till.page.get_by_role("dialog", name="1 stamp for Anna")).to_be_visible(
        timeout=15_000
    )
    assert booked(own_tools) == 1
    expect(till.chip).to_be_hidden()


def test_a_lost_reply_counts_once_by_one_request(
    till: Till, code: Callable[[], str], own_tools: Tools
):
    # given a network that carries the question and loses the answer
    till.network.mode = "deaf"
    till.scan(code())
    expect(till.result).to_have_class(re.compile("result--waiting"))
    till.page.wait_for_timeout(1500)
    assert booked(own_tools) == 1
    expect(till.result).to_have_class(re.compile("result--waiting"))

    # when it works again
    till.network.mode = "good"

    # then the first answer comes, to the same request
    expect(till.page.get_by_role("dialog", name="1 stamp for Anna")).to_be_visible(
        timeout=15_000
    )
    assert len(set(till.network.heard)) == 1 < len(till.network.heard)
    assert booked(own_tools) == 1


@pytest.mark.parametrize("mode", ["cut", "deaf"])
def test_scans_wait_behind_the_next_customer_and_survive_a_reload(
    till: Till, code: Callable[[], str], own_tools: Tools, mode: str
):
    # given two scans that nobody has answered, seen by one look
    till.network.mode = mode
    for _ in range(2):
        till.scan(code())
        till.serve_the_next()
        expect(till.result).to_have_count(0)
    expect(till.chip).to_contain_text("2 waiting")
    till.chip.click()
    expect(till.page.locator("#queue").get_by_text("1 stamp")).to_have_count(2)
    expect(
        till.page.locator("#queue").get_by_text("Waiting", exact=True)
    ).to_have_count(2)

    check(till.page)

    # when the page is loaded again
    till.page.reload()
    expect(till.chip).to_contain_text("2 waiting")

    # then they get their answers when the network does
    till.chip.click()
    till.page.get_by_role("button", name="Try now").click()
    till.network.mode = "good"
    expect(till.page.get_by_text("Everything has its answer.")).to_be_visible(
        timeout=15_000
    )
    assert booked(own_tools) == 2

    # and stand among the last five, each with its undo
    till.page.keyboard.press("Escape")
    till.page.get_by_role("button", name="Last 5").click()
    expect(till.page.get_by_role("button", name=re.compile("^Undo:"))).to_have_count(2)


def test_a_code_that_died_while_it_waited_is_told_plainly(
    till: Till, code: Callable[[], str], own_tools: Tools
):
    # given a scan that waits, and a nonce store that lost everything meanwhile
    till.network.mode = "cut"
    till.scan(code())
    till.serve_the_next()
    expect(till.chip).to_contain_text("1 waiting")
    wipe(own_tools.settings.redis_url)

    # when the network is back
    till.network.mode = "good"
    till.page.reload()

    # then it is red, says that nothing was counted, and stays in the list until seen
    died = till.page.get_by_role("dialog", name="The code died while waiting")
    expect(died).to_be_visible()
    expect(died).to_have_class(re.compile("result--refused"))
    expect(died).to_contain_text("Nothing was counted.")
    till.page.get_by_role("button", name="Next").click()
    expect(till.chip).to_contain_text("1 to look at")
    assert booked(own_tools) == 0
    till.chip.click()
    till.page.get_by_role("button", name="Seen, clear the rest").click()
    expect(till.chip).to_be_hidden()


def test_nobodys_scan_is_booked_in_the_next_persons_name(
    till: Till, code: Callable[[], str], own_tools: Tools, shop: Founded
):
    # given Sofie's scan that waits, and Bo who takes over in two taps and a PIN
    add_barista(own_tools, "Bo", "270419")
    till.page.reload()
    till.network.mode = "cut"
    till.scan(code())
    till.serve_the_next()
    till.page.get_by_role("button", name="Sofie").click()
    till.page.locator("#menu").get_by_role("button", name="Bo").click()
    type_pin(till.page, "270419")
    expect(till.page.locator("#who")).to_be_hidden()

    # when the network is back
    till.network.mode = "good"
    till.page.reload()

    # then the scan was not sent for Bo; it says that it is not confirmed
    expect(till.chip).to_contain_text("1 to look at")
    till.chip.click()
    expect(till.page.locator("#queue")).to_contain_text("it may have counted")
    assert till.network.heard == []
    assert booked(own_tools) == 0
    kept = till.page.evaluate("localStorage.getItem('punchproof-queue')")
    assert '"code":""' in kept


def test_a_locked_till_goes_on_with_its_queue_and_then_signs_out(
    till: Till, code: Callable[[], str], own_tools: Tools, shop: Founded
):
    # given a scan that waits behind the lock
    till.network.mode = "cut"
    till.scan(code())
    till.serve_the_next()
    till.page.get_by_role("button", name="Sofie").click()
    till.page.get_by_role("button", name="Lock").click()
    expect(till.page.get_by_text("The till is locked.")).to_be_visible()
    second = till.page.context.new_page()
    second.route(STAMPS, till.network)
    second.goto("/counter/")
    expect(second.get_by_text("The till is locked.")).to_be_visible()
    second.close()

    # when the page is loaded again with a network
    with till.page.expect_response("**/counter/sign-out"):
        till.network.mode = "good"
        till.page.reload()

    # then it is still locked, the scan has counted, and nobody is signed in
    expect(till.page.get_by_text("The till is locked.")).to_be_visible()
    assert booked(own_tools) == 1
    till.page.reload()
    till.page.get_by_role("button", name="Sofie").click()
    type_pin(till.page, shop.pin)
    expect(till.page.get_by_role("button", name="Type a code")).to_be_visible()
    expect(till.page.locator("#who")).to_be_hidden()


def test_the_phone_shows_its_card_with_its_age_while_the_page_is_open(phone: Page):
    phone.clock.install()
    phone.reload()
    phone.context.set_offline(True)

    for _ in range(10):
        phone.clock.run_for(10_000)
        phone.wait_for_timeout(200)  # the answers that fail are no timers

    note = phone.locator("#offline")
    expect(note).to_be_visible()
    expect(note).to_contain_text("1 minute ago")
    expect(phone.get_by_text("0 / 10").first).to_be_attached()


def test_the_phone_shows_its_last_card_with_its_age_when_opened_offline(
    phone: Page, own_tools: Tools
):
    # given a phone that has its shell, and three stamps that it was told of
    keeps_its_shell(phone)
    joined = phone.url.rsplit("/", 1)[1].partition("?")[0].partition("#")[0]
    give_three(own_tools, UUID(joined))
    phone.reload()
    expect(phone.get_by_text("3 / 10").first).to_be_attached()

    # when it is opened again without a network
    phone.context.set_offline(True)
    phone.reload()

    # then it shows them, and says how old they are
    expect(phone.get_by_role("heading", name="No connection")).to_be_visible()
    expect(phone.locator("#last")).to_contain_text("3 / 10")
    expect(phone.locator("#last")).to_contain_text("As it was this minute")

    # and the card itself comes back with the network
    phone.context.set_offline(False)
    expect(phone.get_by_role("link", name="Show my code")).to_be_visible(timeout=15_000)


def give_three(tools: Tools, card_id: UUID) -> None:
    with tools.database.read() as tx:
        person = tx.scalars(select(StaffMember)).one()
        location_id, place = tx.execute(
            select(Location.location_id, Location.name)
        ).one()
    terminal = staff.enrol(tools, staff.enrolment_code(tools, location_id).code)
    caller = StaffCaller(
        person.staff_id, person.name, person.role,
        terminal.terminal_id, location_id, place,
    )  # fmt: skip
    code = stamping.card_code(tools, card_id).code
    stamping.stamp(tools, code, stamps=3, request_id="three", staff=caller)

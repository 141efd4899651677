"""The card in the hand: several of them, its states, its sound, and how light it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect

from app.programme import cards, members, staff, stamping
from app.programme import shop as shops
from app.programme.cards import ProgrammeView
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import Programme
from app.tools import Tools
from tests.app.web.browser.conftest import Window
from tests.app.web.browser.walking import check
from tests.conftest import bring_forward

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STILL = {"reduced_motion": "reduce"}
#: Document, sheets and modules of the card's first load, compressed, in bytes.
MOST_BYTES = 60_000


@pytest.fixture
def owner(shop: Founded) -> ConsoleCaller:
    return ConsoleCaller(shop.staff_id, "Sofie", "owner")


@pytest.fixture
def sofie(own_tools: Tools, shop: Founded) -> StaffCaller:
    code = staff.enrolment_code(own_tools, shop.location_id).code
    terminal_id = staff.enrol(own_tools, code).terminal_id
    return StaffCaller(
        shop.staff_id, "Sofie", "owner", terminal_id, shop.location_id, "Nyhavn"
    )


def give(tools: Tools, card_id: UUID, stamps: int, by: StaffCaller) -> None:
    for part in [5] * (stamps // 5) + [stamps % 5] * bool(stamps % 5):
        code = stamping.card_code(tools, card_id).code
        stamping.stamp(tools, code, stamps=part, request_id=uuid4().hex, staff=by)


def save(tools: Tools, by: ConsoleCaller, **changed: object) -> ProgrammeView:
    now = shops.programmes(tools)[0]
    facts: dict[str, object] = {
        "programme_id": now.programme_id,
        "name": now.name,
        "reward": now.reward,
        "stamps_required": now.stamps_required,
        "terms": now.terms,
        "is_open": now.is_open,
        "voucher_days": now.voucher_days,
    }
    saved = shops.save_programme(tools, **{**facts, **changed}, by=by)  # type: ignore[arg-type]
    bring_forward(tools)
    return saved


@pytest.fixture
def anna(own_tools: Tools) -> members.Joined:
    return members.join(own_tools, name="Anna")


@pytest.fixture
def phone(open_window: Callable[..., Window], anna: members.Joined):
    """Open Anna's card on a phone."""

    def start(path: str = "/card", **options: object) -> Page:
        options = {**STILL, **options}
        return open_window(path, cookies={"pp_member": anna.token}, **options).page

    return start


def test_the_first_load_is_light_and_brings_no_decoder(
    counts: Callable[..., None],
    phone: Callable[..., Page],
    own_tools: Tools,
    anna: members.Joined,
    sofie: StaffCaller,
):
    give(own_tools, anna.card_id, 9, sofie)
    page = phone("/offline")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.setBypassServiceWorker", {"bypass": True})
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = {}
    paths: dict[str, str] = {}

    def told(event: dict) -> None:
        kinds[event["requestId"]] = event.get("type", "")
        paths[event["requestId"]] = event["response"]["url"]

    session.on("Network.responseReceived", told)
    session.on(
        "Network.loadingFinished",
        lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
    )
    page.goto("/card", wait_until="networkidle")

    counted = {
        kind: {paths[each]: sizes.get(each, 0) for each in kinds if kinds[each] == kind}
        for kind in ("Document", "Stylesheet", "Script")
    }
    total = sum(sum(files.values()) for files in counted.values())
    counts(
        first_load_bytes=total,
        promised_at_most=MOST_BYTES,
        **{kind.lower(): sum(files.values()) for kind, files in counted.items()},
    )
    assert len(counted["Script"]) > 5
    assert total <= MOST_BYTES, counted
    assert not [path for path in paths.values() if "zxing" in path or "decoder" in path]


def test_several_cards_are_tabs_and_a_swipe_apart(
    phone: Callable[..., Page],
    own_tools: Tools,
    anna: members.Joined,
    owner: ConsoleCaller,
):
    lunch = save(own_tools, owner, programme_id=None, name="Lunch club")
    with own_tools.database.begin() as tx:
        programme = tx.get_one(Programme, lunch.programme_id)
        other = cards.open_card(tx, own_tools, anna.member_id, programme)
    page = phone(f"/card/{anna.card_id}", has_touch=True)
    check(page)
    tabs = page.get_by_role("navigation", name="My cards").get_by_role("link")
    expect(tabs).to_have_count(2)
    expect(tabs.first).to_have_attribute("aria-current", "page")

    tabs.last.click()
    page.wait_for_url(f"**/card/{other}")
    expect(page.get_by_role("heading", name="Lunch club")).to_be_visible()

    # A finger to the right leads back; what feels it comes after the page.
    page.wait_for_load_state("networkidle")
    page.evaluate(
        """() => {
          const card = document.querySelector("[data-card-shown]");
          const at = (clientX) =>
            new Touch({ identifier: 1, target: card, clientX, clientY: 200 });
          const send = (kind, x, held) => card.dispatchEvent(new TouchEvent(kind, {
            bubbles: true, touches: held ? [at(x)] : [], changedTouches: [at(x)] }));
          send("touchstart", 100, true);
          send("touchend", 300, false);
        }"""
    )
    page.wait_for_url(f"**/card/{anna.card_id}")


def test_a_paused_card_says_so_and_takes_no_stamps(
    phone: Callable[..., Page], own_tools: Tools, owner: ConsoleCaller
):
    page = phone()
    expect(page.get_by_role("link", name="Show my code")).to_be_visible()

    save(own_tools, owner, is_open=False)

    expect(page.get_by_text("The shop has paused this card.")).to_be_visible(
        timeout=12_000
    )
    expect(page.get_by_role("link", name="Show my code")).to_have_count(0)
    check(page)


def test_a_full_card_says_where_the_stamps_went(
    phone: Callable[..., Page],
    own_tools: Tools,
    anna: members.Joined,
    sofie: StaffCaller,
):
    give(own_tools, anna.card_id, 10, sofie)
    page = phone()

    expect(page.get_by_text("Your card was full.")).to_be_visible()
    expect(page.get_by_role("link", name="Use now")).to_be_visible()
    check(page)


def test_new_terms_are_shown_until_they_are_agreed_to(
    phone: Callable[..., Page],
    own_tools: Tools,
    anna: members.Joined,
    owner: ConsoleCaller,
):
    save(own_tools, owner, terms="One stamp for each cup, tea too.")
    page = phone()
    heading = page.get_by_role("heading", name="The terms have changed")
    expect(heading).to_be_visible()
    check(page)

    page.get_by_text("Read them").click()
    expect(page.get_by_text("One stamp for each cup, tea too.").first).to_be_visible()
    page.get_by_role("button", name="I agree").click()

    expect(heading).to_have_count(0)
    assert cards.card(own_tools, anna.card_id).terms_version == 2


def test_without_a_network_the_card_tells_its_age(
    phone: Callable[..., Page],
    own_tools: Tools,
    anna: members.Joined,
    sofie: StaffCaller,
):
    give(own_tools, anna.card_id, 3, sofie)
    page = phone()
    expect(page.get_by_text("3 / 10")).to_be_visible()
    # Ten minutes ago, as far as this phone knows.
    page.evaluate(
        """() => {
          const kept = JSON.parse(localStorage.getItem("punchproof-card"));
          const older = { ...kept, at: Date.now() - 600000 };
          localStorage.setItem("punchproof-card", JSON.stringify(older));
          location.assign("/offline");
        }"""
    )
    page.wait_for_url("**/offline")

    expect(page.get_by_text("As it was 10 minutes ago")).to_be_visible()
    expect(page.get_by_text("3 / 10")).to_be_visible()
    check(page)


def test_the_sound_stays_as_it_was_switched(phone: Callable[..., Page]):
    page = phone()
    button = page.get_by_role("button", name="Sound on")
    expect(button).to_have_attribute("aria-pressed", "true")

    button.click()
    page.reload()

    off = page.get_by_role("button", name="Sound off")
    expect(off).to_have_attribute("aria-pressed", "false")


def test_the_join_link_is_shared_or_copied(phone: Callable[..., Page]):
    page = phone(permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.share = async (what) => { window.shared = what; }")
    page.get_by_role("button", name="Share").click()
    assert re.fullmatch(r"http://localhost:\d+/join", page.evaluate("shared.url"))

    page.evaluate("navigator.share = undefined")
    page.get_by_role("button", name="Share").click()

    expect(page.get_by_text("Link copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").endswith("/join")


def test_the_home_screen_is_offered_from_the_second_stamp_on(
    phone: Callable[..., Page],
    own_tools: Tools,
    anna: members.Joined,
    sofie: StaffCaller,
):
    agent = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
    )
    give(own_tools, anna.card_id, 1, sofie)
    page = phone(user_agent=agent)
    offer = page.get_by_role("heading", name="Keep the card at hand")
    expect(offer).to_be_hidden()

    give(own_tools, anna.card_id, 1, sofie)
    page.reload()
    expect(offer).to_be_visible()
    expect(page.get_by_text("Tap Share below")).to_be_visible()
    expect(page.get_by_text("Tap Share beside")).to_be_hidden()
    check(page)

    page.get_by_role("button", name="Not now").click()
    page.reload()
    expect(offer).to_be_hidden()

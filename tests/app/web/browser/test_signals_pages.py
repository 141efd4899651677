"""The pages of signals, cards, limits and hours: for everybody, on every screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect

from app.programme import cards, members, own_cards, sessions, staff, stamping
from app.programme import shop as shops
from app.programme.founding import Founded
from app.programme.hours import Hours
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.signals import Raised, desk, kinds, put
from app.tools import Tools
from tests.app.web.browser.conftest import (
    PHONE,
    Window,
    keep_picture,
    till_cookies,
)
from tests.app.web.browser.walking import STILL, check, misfits
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK = {"width": 1280, "height": 800}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def watched(own_tools: Tools, shop: Founded) -> dict[str, UUID]:
    """A shop in which each kind of signal was raised; its pages' ids."""
    tools = own_tools
    by = ConsoleCaller(shop.staff_id, "Sofie", "owner")
    mia_id = shops.add_staff(tools, name="Mia", role="barista", pin="8127", by=by)
    code = staff.enrolment_code(tools, shop.location_id, name="Front counter").code
    till = staff.enrol(tools, code)
    mia = StaffCaller(
        mia_id, "Mia", "barista", till.terminal_id, shop.location_id, "Nyhavn"
    )
    card_id = members.join(tools, name="Anna").card_id
    for stamps in (5, 5, 2):
        shown = stamping.card_code(tools, card_id).code
        entry = stamping.stamp(
            tools, shown, stamps=stamps, request_id=uuid4().hex, staff=mia
        ).answer["stamp_id"]
    own = members.join(tools, name="Mia").card_id
    own_cards.say_by_number(tools, mia_id, cards.card(tools, own).number, by=by)
    shops.save_hours(
        tools, shop.location_id, Hours(((450, 1050),) * 6 + (None,)), by=by
    )
    _raise_each(tools, card_id, mia, UUID(entry))
    favourite = desk.signals(tools, kind=kinds.FAVOURITE)[0].signal_id
    guesses = desk.signals(tools, kind=kinds.GUESSES)[0].signal_id
    return {
        "card": card_id,
        "mia": mia_id,
        "favourite": favourite,
        "guesses": guesses,
    }


def _raise_each(tools: Tools, card_id: UUID, mia: StaffCaller, entry: UUID) -> None:
    now = tools.now()
    span = {"first_at": (now - 9 * MINUTE).isoformat(), "last_at": now.isoformat()}
    places = {"place": "Nyhavn", "other_place": "Torvet", **span}
    evidence = {
        kinds.UNISSUED: {"key_id": 1},
        kinds.OWN_PHONE: {"way": "scanned"},
        kinds.OWN_CARD: {},
        kinds.FAVOURITE: {"stamps": 38, "usual": 4, "times": 19, **span},
        kinds.AFTER_HOURS: {"stamps": 6, "place": "Nyhavn", **span},
        kinds.PERSON_IN_TWO_PLACES: places,
        kinds.CARD_IN_TWO_PLACES: places,
        kinds.MANY_UNDOS: {"times": 9, "given": 31, **span},
        kinds.QUICK_REWARD: {"minutes": 34},
        kinds.JOIN_BURST: {"times": 7, "cards": [str(card_id)], **span},
        kinds.LIMIT_MET: {"limit": "stamps_per_card", "most": 20},
        kinds.GUESSES: {"limit": "pin", "most": 5, "minutes": 15, "is_known": True},
        kinds.SPENT: {},
        kinds.BY_HAND: {"stamps": 2},
    }
    with tools.database.begin() as tx:
        for number, (kind, facts) in enumerate(reversed(evidence.items())):
            # Who guesses has no card yet, and no entry.
            is_about_a_card = kind != kinds.GUESSES
            entries = {"entries": [str(entry)]} if is_about_a_card else {}
            put(
                tx,
                Raised(
                    kind,
                    now - (14 - number) * 7 * MINUTE,
                    {**facts, **entries},
                    card_id=card_id if is_about_a_card else None,
                    staff_id=None if kind == kinds.SPENT else mia.staff_id,
                    terminal_id=mia.terminal_id,
                    location_id=mia.location_id,
                    entry_id=entry if is_about_a_card else None,
                ),
            )


@pytest.fixture
def console(
    own_tools: Tools, shop: Founded, open_window: Callable[..., Window]
) -> Callable[..., Page]:
    with own_tools.database.begin() as tx:
        token = sessions.grant(tx, own_tools, "console", staff_id=shop.staff_id)

    def start(path: str, **options: object) -> Page:
        given = {"viewport": DESK, **STILL, **options}
        return open_window(path, cookies={"pp_console": token}, **given).page

    return start


def pages(watched: dict[str, UUID], shop: Founded) -> dict[str, str]:
    return {
        "signals": "/console/signals",
        "signals-any": "/console/signals?state=any",
        "signals-none": "/console/signals?state=confirmed",
        "signal": f"/console/signals/{watched['favourite']}",
        "signal-guesses": f"/console/signals/{watched['guesses']}",
        "cards": "/console/cards",
        "cards-none": "/console/cards?q=nobody",
        "cards-wrong": "/console/cards?q=a",
        "card": f"/console/cards/{watched['card']}",
        "person": f"/console/staff/{watched['mia']}",
        "limits": "/console/limits",
        "hours": f"/console/locations/{shop.location_id}/hours",
        "locations": "/console/locations",
    }


@pytest.mark.parametrize(
    ("language", "colours", "screen"),
    [
        ("en", "light", "desk"),
        ("he", "dark", "phone"),
        pytest.param("en", "dark", "phone", marks=pytest.mark.long),
        pytest.param("he", "light", "desk", marks=pytest.mark.long),
    ],
)
def test_every_page_is_for_everybody(
    console: Callable[..., Page],
    watched: dict[str, UUID],
    shop: Founded,
    language: str,
    colours: str,
    screen: str,
) -> None:
    size = {"desk": DESK, "phone": PHONE}[screen]
    page = console(
        "/console/signals", viewport=size, color_scheme=colours, locale=language
    )
    for name, path in pages(watched, shop).items():
        page.goto(path)
        check(page)
        keep_picture(page, f"signals/{name}-{language}-{colours}-{screen}", whole=True)


def test_nothing_is_cut_on_a_small_phone(
    console: Callable[..., Page], watched: dict[str, UUID], shop: Founded
) -> None:
    page = console("/console/signals", viewport={"width": 320, "height": 640})
    found = {}
    for name, path in pages(watched, shop).items():
        page.goto(path)
        found[name] = misfits(page)

    assert not any(found.values()), found


@pytest.mark.parametrize(
    ("language", "colours"),
    [("en", "light"), pytest.param("he", "dark", marks=pytest.mark.long)],
)
def test_whoever_is_at_the_till_names_their_own_card(
    service: Service,
    own_tools: Tools,
    shop: Founded,
    open_window: Callable[..., Window],
    language: str,
    colours: str,
) -> None:
    card_id = members.join(own_tools, name="Sofie").card_id
    page = open_window(
        "/counter/my-card",
        cookies=till_cookies(service, own_tools, shop),
        locale=language,
        color_scheme=colours,
        **STILL,
    ).page
    check(page)
    page.get_by_role("textbox").fill(stamping.card_code(own_tools, card_id).short or "")
    page.locator("form .btn--primary").click()

    expect(page.get_by_text(cards.card(own_tools, card_id).number[4:])).to_be_visible()
    check(page)
    keep_picture(page, f"signals/my-card-{language}-{colours}", whole=True)
    assert len(own_cards.of_person(own_tools, shop.staff_id)) == 1


def test_a_manager_looks_acts_and_judges(
    console: Callable[..., Page], own_tools: Tools, watched: dict[str, UUID]
) -> None:
    """From the count in the rail to a paused card and a verdict."""
    page = console("/console/")
    page.get_by_role("link", name="Signals 13 new signals").click()
    page.get_by_role("link", name="One card gets far more than others").click()
    expect(page.get_by_text("38 stamps from this person")).to_be_visible()

    page.get_by_role("button", name="Pause the card").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Pause the card").click()
    expect(page.get_by_text("The card is paused.")).to_be_visible()
    assert cards.card(own_tools, watched["card"]).paused_at is not None

    page.get_by_label("Note").fill("They are brother and sister")
    page.get_by_role("button", name="It was fraud").click()
    expect(page.get_by_text("They are brother and sister")).to_be_visible()
    assert desk.signal(own_tools, watched["favourite"]).state == "confirmed"

    page.get_by_role("link", name="N°").first.click()
    entry = page.locator(".entry").filter(has_text="2 stamps").first
    entry.get_by_label("Undo: 2 stamps").click()
    entry.get_by_label("Why").fill("Given without a sale")
    entry.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 stamps undone")).to_be_visible()
    page.get_by_role("button", name="Let it count again").click()
    expect(page.get_by_text("It counts again.")).to_be_visible()
    assert cards.card(own_tools, watched["card"]).stamps == 0

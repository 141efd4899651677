"""The programme at work: what rules give for a sale, and tiers and plans, hand to hand.

Played from beginning to end: the till, the customer's phone and the console, in one
language and window a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect

from app import translations
from app.programme import (
    cards,
    members,
    proofs,
    rewards,
    sessions,
    staff,
    stamping,
    tiers,
)
from app.programme import shop as shops
from app.programme.earning import desk
from app.programme.earning.rules import Figures, Rule, RuleKind
from app.programme.founding import Founded
from app.programme.members import Joined
from app.programme.purchases import Order
from app.programme.sessions import ConsoleCaller, TerminalCaller
from app.programme.shop import TypedItem
from app.programme.units import Unit
from app.tools import Tools
from app.translations import LANGUAGES
from tests.app.web.browser.conftest import (
    Window,
    console_cookies,
    keep_picture,
    till_cookies,
)
from tests.app.web.browser.walking import STILL, check
from tests.running import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
TABLET = {"width": 820, "height": 1180}
DESK = {"width": 1280, "height": 900}
Open = Callable[..., Page]


@pytest.fixture(
    params=[
        pytest.param(("en", "light", PHONE), id="en"),
        pytest.param(("he", "dark", TABLET), id="he", marks=pytest.mark.long),
        pytest.param(("en", "dark", DESK), id="en-desk", marks=pytest.mark.long),
        pytest.param(("zh-Hant", "light", PHONE), id="zh", marks=pytest.mark.long),
    ]
)
def eye(request: pytest.FixtureRequest) -> tuple[str, str, dict[str, int]]:
    """The language, the light and the window of who looks."""
    chosen: tuple[str, str, dict[str, int]] = request.param
    return chosen


@pytest.fixture
def said(eye: tuple[str, str, dict[str, int]]) -> Callable[[str], str]:
    """Translate a sentence, to find what stands on the page."""
    locale = next(each.locale for each in LANGUAGES if each.tag == eye[0])
    return lambda english: str(translations.catalogue(locale).gettext(english))


@pytest.fixture
def open_page(open_window: Callable[..., Window], eye: tuple[str, str, dict]) -> Open:
    """Open a window of the person's own."""
    language, scheme, viewport = eye

    def start(path: str, cookies: dict[str, str] | None = None) -> Page:
        return open_window(
            path,
            cookies=cookies,
            viewport=viewport,
            locale=language,
            color_scheme=scheme,
            **STILL,
        ).page

    return start


@pytest.fixture
def look(eye: tuple[str, str, dict]) -> Callable[[Page, str], None]:
    """Hold a page to what every page owes, and leave a picture of it."""
    language, scheme, viewport = eye

    def at(page: Page, name: str) -> None:
        wide = viewport["width"]
        keep_picture(page, f"walks/{name}-{language}-{scheme}-{wide}", whole=True)
        check(page)

    return at


@pytest.fixture
def owner(shop: Founded) -> ConsoleCaller:
    return ConsoleCaller(shop.staff_id, "Owner", "owner")


@pytest.fixture
def anna(own_tools: Tools) -> Joined:
    return members.join(own_tools, name="Anna")


def scan(page: Page, own_tools: Tools, anna: Joined) -> None:
    """Let a hand scanner read the code of a phone."""
    page.keyboard.type(stamping.card_code(own_tools, anna.card_id).code, delay=1)
    page.keyboard.press("Enter")


def take_back(till: Page, look: Callable[[Page, str], None]) -> None:
    """Take back the coffees of the last sale."""
    till.locator("[data-menu-open]").click()
    look(till, "counter-3-menu")
    till.locator("#menu [data-refund]").click()
    refund = till.locator("#refund")
    refund.locator(".refund__row").first.click()
    refund.get_by_role("checkbox", name="Cake").uncheck()
    refund.locator("[name='refund-reason']").first.check()
    look(till, "counter-4-refund")
    refund.locator("[type=submit]").click()


def promise(own_tools: Tools, shop: Founded, owner: ConsoleCaller) -> UUID:
    """A stamp for each coffee, a point for each euro; a mug for ten, whose id it is."""
    coffee = shops.add_item(own_tools, TypedItem("Coffee", 350), by=owner)
    shops.add_item(own_tools, TypedItem("Cake", 400), by=owner)
    for kind, unit, name, figures in (
        (RuleKind.ITEM, Unit.STAMP, "Coffees", Figures(units=1, items=(coffee,))),
        (RuleKind.AMOUNT, Unit.POINT, "Shopping", Figures(units=1, per=100)),
    ):
        rule = Rule(
            uuid4(), 0, uuid4(), shop.programme_id, kind, unit, figures, name=name
        )
        desk.save(own_tools, rule, by=owner)
    return rewards.save(
        own_tools, rewards.Plan("merchandise", "Mug", 10, unit="point", stock=5),
        programme_id=shop.programme_id, reward_id=None, by=owner,
    )  # fmt: skip


def code_of_mug(own_tools: Tools, anna: Joined, mug: UUID) -> str:
    """Choose the mug for points; the code that the phone shows for it."""
    told = rewards.choose(
        own_tools, anna.card_id, mug, member_id=anna.member_id,
        request_id=uuid4().hex, edition=1,
    ).answer  # fmt: skip
    voucher_id = UUID(told["voucher"]["voucher_id"])
    return rewards.voucher_code(own_tools, voucher_id, anna.member_id).code


def test_a_sale_is_told_by_its_rules_spent_and_taken_back(
    open_page: Open,
    look: Callable[[Page, str], None],
    said: Callable[[str], str],
    service: Service,
    own_tools: Tools,
    shop: Founded,
    owner: ConsoleCaller,
    anna: Joined,
):
    # given a stamp for each coffee, a point for each euro, and a mug for ten points
    mug = promise(own_tools, shop, owner)
    till = open_page("/livez", till_cookies(service, own_tools, shop))
    till.goto("/counter/")
    till.locator("[data-trouble]").wait_for()

    # when two coffees and a cake are tapped, and the phone is scanned
    strip, result = till.locator("[data-sale]"), till.locator("#result")
    for name in ("Coffee", "Coffee", "Cake"):
        strip.get_by_role("button", name=name).first.click()
    look(till, "counter-1-sale")
    scan(till, own_tools, anna)

    # then the till says what was earned, and by which rule
    expect(result).to_contain_text("Anna")
    expect(result).to_contain_text("Coffees")
    expect(result).to_contain_text("Shopping")
    look(till, "counter-2-earned")
    result.locator("[data-next]").click()
    card = cards.card(own_tools, anna.card_id)
    assert (card.balances[Unit.STAMP], card.balances[Unit.POINT]) == (2, 11)

    # when the points are spent, the voucher used, and a coffee is brought back
    till.keyboard.type(code_of_mug(own_tools, anna, mug), delay=1)
    till.keyboard.press("Enter")
    expect(result).to_contain_text("Mug")
    result.locator("[data-next]").click()
    take_back(till, look)

    # then the till says what to pay back, and the card's page what it is short of
    expect(result).to_contain_text(re.compile(r"7[.,]00"))
    look(till, "counter-5-back")
    phone = open_page(f"/card/{anna.card_id}", {"pp_member": anna.token})
    owed = said(
        "You owe %(what)s: the purchase that gave them came back after they were "
        "used. What you earn next pays for it."
    ).split("%(what)s")
    expect(phone.locator("#face")).to_contain_text(owed[1])
    look(phone, "counter-6-owes")
    assert cards.card(own_tools, anna.card_id).balances[Unit.POINT] == -6
    assert proofs.prove(own_tools).findings == ()


def buy(own_tools: Tools, shop: Founded, anna: Joined) -> None:
    """Buy for thirty euros, at a till that is not looked at."""
    code = staff.enrolment_code(own_tools, shop.location_id).code
    till = sessions.who(own_tools, staff.enrol(own_tools, code).token)
    assert isinstance(till, TerminalCaller)
    stamping.stamp(
        own_tools, stamping.card_code(own_tools, anna.card_id).code, stamps=1,
        request_id=uuid4().hex, staff=till, order=Order(amount=30_00),
    )  # fmt: skip


def set_up(
    console: Page, look: Callable[[Page, str], None], said: Callable[[str], str]
) -> None:
    """Type a ladder with one tier, and a plan, as an owner does."""
    save = console.get_by_role("button", name=said("Save"), exact=True)
    console.locator("[name=unit]").select_option("stamp")
    save.click()
    console.get_by_role("link", name=said("Add a tier")).click()
    for name, value in (("name", "Gold"), ("units", "3"), ("boost_percent", "100")):
        console.locator(f"[name={name}]").fill(value)
    save.click()
    expect(console.get_by_role("link", name="Gold")).to_be_visible()
    look(console, "tiers-1-ladder")
    console.goto("/console/plans/new")
    for name, value in (("name", "Plus"), ("price", "45.00"), ("cashback", "2")):
        console.locator(f"[name={name}]").fill(value)
    save.click()
    expect(console.get_by_role("link", name="Plus")).to_be_visible()
    look(console, "tiers-2-plans")


def pay_at(
    till: Page, code: str, look: Callable[[Page, str], None], said: Callable[[str], str]
) -> None:
    """Take the fee for the plan from whoever shows their code."""
    till.locator("[data-menu-open]").click()
    till.get_by_role("link", name=said("Membership"), exact=True).click()
    till.locator("[name=code]").fill(code)
    look(till, "tiers-4-whose")
    till.get_by_role("button", name=said("Show what they can take")).click()
    expect(till.locator(".paying__way").first).to_be_visible()
    sizes = [box.bounding_box() for box in till.locator(".paying__way").all()]
    assert all(size is not None and size["height"] >= 56 for size in sizes)
    look(till, "tiers-5-pay")
    till.locator(".paying__way").first.click()
    expect(till.get_by_role("status")).to_contain_text("Plus")
    look(till, "tiers-6-paid")


def test_a_ladder_is_set_climbed_and_a_plan_is_paid_at_the_till(
    open_page: Open,
    look: Callable[[Page, str], None],
    said: Callable[[str], str],
    service: Service,
    own_tools: Tools,
    shop: Founded,
    anna: Joined,
):
    # given a ladder with one tier, and a plan, typed in the console
    set_up(open_page("/console/tiers", console_cookies(own_tools, shop)), look, said)

    # then a customer of one day sees how far it is, and that nobody can say yet if
    # the plan would pay
    buy(own_tools, shop, anna)
    phone = open_page(f"/card/{anna.card_id}", {"pp_member": anna.token})
    expect(phone.get_by_text("Gold").first).to_be_visible()
    phone.get_by_text(said("Would it pay for me?")).click()
    expect(phone.locator(".plan__advice")).to_be_visible()
    look(phone, "tiers-3-progress")

    # when three stamps make them gold, and the plan is paid at the till
    till = open_page("/livez", till_cookies(service, own_tools, shop))
    till.goto("/counter/")
    till.locator("[data-trouble]").wait_for()
    till.locator("[data-controls] .quantity__choice").nth(1).click()
    scan(till, own_tools, anna)
    result = till.locator("#result")
    expect(result).to_contain_text("Anna")
    result.locator("[data-next]").click()
    pay_at(till, stamping.card_code(own_tools, anna.card_id).code, look, said)

    # then the card says so, double stamps come by the tier, and the books agree
    phone.reload()
    expect(phone.get_by_role("heading", name="Plus")).to_be_visible()
    look(phone, "tiers-7-gold")
    till.goto("/counter/")
    till.locator("[data-trouble]").wait_for()
    scan(till, own_tools, anna)
    expect(result).to_contain_text("Gold")
    look(till, "tiers-8-boost")
    found = tiers.of_card(own_tools, anna.card_id)
    assert found is not None
    assert found.tier is not None
    assert cards.card(own_tools, anna.card_id).stamps == 5
    assert proofs.prove(own_tools).findings == ()

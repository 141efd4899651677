"""What the till and the card's page say where rules decide, not the barista's count."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.programme import rewards, stamping
from app.programme.earning import desk
from app.programme.earning.rules import Figures, Rule, RuleKind
from app.programme.purchases import Order
from app.programme.sessions import ConsoleCaller
from app.programme.units import Unit
from tests.app.web.conftest import House


@pytest.fixture
def by_amount(house: House) -> None:
    """A point for each euro, and nothing else."""
    owner = ConsoleCaller(house.founded.staff_id, "Owner", "owner")
    rule = Rule(
        uuid4(), 0, uuid4(), house.founded.programme_id, RuleKind.AMOUNT,
        Unit.POINT, Figures(units=1, per=100),
    )  # fmt: skip
    desk.save(house.tools, rule, by=owner)


def the_till(house: House) -> str:
    client = house.app.test_client()
    client.set_cookie("pp_terminal", house.tokens["terminal"])
    client.set_cookie("pp_staff", house.tokens["staff"])
    return client.get("/counter/").text


def test_without_items_or_sums_a_till_asks_for_stamps_alone(house: House):
    assert "data-pad" not in the_till(house)


@pytest.mark.usefixtures("by_amount")
def test_where_a_rule_counts_sums_a_till_without_items_has_a_number_pad(house: House):
    page = the_till(house)

    assert 'id="sale"' in page
    assert "data-pad" in page
    assert '<details class="amount" open>' in page


@pytest.mark.usefixtures("by_amount")
def test_a_collected_code_tells_what_rules_gave(house: House):
    staff = house.api("staff")
    shown = staff.post("/stamp-codes", {"stamps": 3, "amount": 1250}).get_json()
    house.api("member").post(
        f"/cards/{house.joined.card_id}/stamps", {"code": shown["code"]}
    )

    told = staff.get(f"/stamp-codes/{shown['code_id']}").get_json()

    assert (told["state"], told["stamps_given"]) == ("collected", 0)
    assert (told["gained"], told["earned"]) == ("12 points", ["12 points"])
    assert told["holds"] == "12 points"


@pytest.mark.usefixtures("by_amount")
def test_an_answer_to_a_scan_tells_staff_and_no_customer_in_words(house: House):
    body = {"code": house.card_code(), "amount": 350, "request_id": "r1"}

    told = house.api("staff").post("/stamps", body).get_json()

    assert (told["gained"], told["holds"], told["owes"]) == ("3 points", "3 points", "")


def test_a_card_that_owes_says_so_at_the_till_and_on_its_page(house: House):
    # given a card whose stamps came of a sale and were spent
    sold = stamping.stamp(
        house.tools, house.card_code(), stamps=5, request_id="r1",
        staff=house.barista, order=Order(amount=500),
    ).answer  # fmt: skip
    house.give(5)
    voucher = house.card().vouchers[0]
    code = rewards.voucher_code(
        house.tools, voucher.voucher_id, house.joined.member_id
    ).code
    rewards.redeem(house.tools, code, request_id="r2", staff=house.barista)

    # when the sale comes back
    body = {"reason": "cold", "request_id": "r3"}
    path = f"/purchases/{sold['purchase']['purchase_id']}/refund"
    told = house.api("staff").post(path, body).get_json()

    # then both say what is owed, and no picture is below nought
    assert told["owes"] == "5 stamps"
    client = house.app.test_client()
    client.set_cookie("pp_member", house.tokens["member"])
    page = client.get(f"/card/{house.joined.card_id}").text
    assert "You owe 5 stamps" in page
    assert "<strong>0</strong> / 10" in page

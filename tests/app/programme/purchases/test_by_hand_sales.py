"""A sale by hand gives what rules say, comes back, and is known to the proofs."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from app.programme import by_hand, cards, proofs, purchases, shop, stamping
from app.programme.earning import desk
from app.programme.earning.rules import Figures, Rule, RuleKind
from app.programme.errors import LimitReached
from app.programme.plans import offering, paying
from app.programme.plans.offering import PlanDraft
from app.programme.purchases import Order
from app.programme.sessions import ConsoleCaller
from app.programme.units import Unit
from app.store.tables import Purchase
from tests.conftest import both_books


@pytest.fixture
def owner(founded):
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def points(tools, founded, owner):
    """A point for each euro, and 50 for joining."""
    for kind, figures in (
        (RuleKind.AMOUNT, Figures(units=1, per=100)),
        (RuleKind.SIGNUP, Figures(units=50)),
    ):
        rule = Rule(
            uuid4(), 0, uuid4(), founded.programme_id, kind, Unit.POINT, figures
        )
        desk.save(tools, rule, by=owner)


@pytest.fixture
def sell(tools, barista, owner):
    """Sell something to a card that nobody showed."""
    shop.allow_by_hand(tools, is_allowed=True, by=owner)

    def sold(card_id, amount, stamps=1, request_id=None):
        return by_hand.give(
            tools,
            card_id,
            stamps=stamps,
            request_id=request_id or uuid4().hex,
            staff=barista,
            order=Order(amount=amount),
        ).answer

    return sold


def held(tools, card):
    return {
        unit.value: left
        for unit, left in cards.card(tools, card.card_id).balances.items()
    }


@both_books
@pytest.mark.usefixtures("points")
def test_rules_give_what_they_give_for_any_visit_but_the_bonus_of_joining(
    tools, make_card, sell
):
    card = make_card()

    told = sell(card.card_id, 12_50, request_id="one")
    again = sell(card.card_id, 12_50, request_id="one")

    assert again == told
    assert held(tools, card) == {"stamp": 0, "point": 12}
    assert told["purchase"]["amount"] == 12_50
    # what is left over is kept too
    sell(card.card_id, 50)
    assert held(tools, card)["point"] == 13
    assert proofs.prove(tools).findings == ()


@pytest.mark.usefixtures("points")
def test_a_sale_that_earns_nothing_is_kept_all_the_same(tools, make_card, sell):
    card = make_card()

    told = sell(card.card_id, 20)

    assert (told["stamps_given"], told["given"]) == (0, [])
    assert held(tools, card) == {"stamp": 0}
    assert proofs.prove(tools).findings == ()


@both_books
@pytest.mark.usefixtures("points")
def test_it_comes_back_whole_and_by_undoing(tools, make_card, sell, barista):
    card = make_card()
    first, second = sell(card.card_id, 12_50), sell(card.card_id, 8_00)

    purchases.refund(
        tools, UUID(first["purchase"]["purchase_id"]), staff=barista, reason="cold"
    )
    stamping.reverse_stamp(tools, UUID(second["stamp_id"]), staff=barista, reason="no")

    assert held(tools, card).get("point", 0) == 0
    assert proofs.prove(tools).findings == ()


@pytest.mark.usefixtures("points")
def test_what_rules_give_counts_as_one_of_the_hour(tools, make_card, sell):
    card = make_card()
    for _ in range(by_hand.MOST_AN_HOUR):
        sell(card.card_id, 99_00, stamps=5)

    with pytest.raises(LimitReached):
        sell(card.card_id, 1_00)

    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(Purchase)) == 10


def test_a_till_asks_for_sums_where_something_counts_them(tools, founded, owner):
    assert not shop.asks_for_sums(tools)
    draft = PlanDraft("Plus", 2_00, 12, 150, None, "", is_offered=True)
    plan_id = offering.save_plan(tools, founded.programme_id, None, draft, by=owner)

    assert shop.asks_for_sums(tools)
    hidden = PlanDraft("Plus", 2_00, 12, 150, None, "", is_offered=False)
    offering.save_plan(tools, founded.programme_id, plan_id, hidden, by=owner)
    assert not shop.asks_for_sums(tools)


@both_books
def test_of_a_part_that_comes_back_the_rest_keeps_its_cashback(
    tools, founded, owner, make_card, barista
):
    # given a member with 2 % back, and a sale of two lines
    draft = PlanDraft("Plus", 2_00, 12, 200, None, "", is_offered=True)
    plan_id = offering.save_plan(tools, founded.programme_id, None, draft, by=owner)
    coffee = shop.add_item(tools, shop.TypedItem("Beans", 20_00), by=owner)
    card = make_card()
    paying.mark_paid(
        tools, card.card_id, plan_id, paid_how="cash", request_id="a" * 32, by=owner
    )
    code = stamping.card_code(tools, card.card_id).code
    sold = stamping.stamp(
        tools,
        code,
        stamps=1,
        request_id=uuid4().hex,
        staff=barista,
        order=Order(((coffee, 1),), 50_00),
    ).answer
    assert (held(tools, card)["cent"], sold["cashback"]) == (1_00, 1_00)

    # when one comes back, and then the other
    bought = UUID(sold["purchase"]["purchase_id"])
    for line, left in ((1, 60), (2, 0)):
        purchases.refund(tools, bought, lines=[line], staff=barista, reason="cold")
        assert held(tools, card).get("cent", 0) == left

    assert held(tools, card)["stamp"] == 0
    assert proofs.prove(tools).findings == ()

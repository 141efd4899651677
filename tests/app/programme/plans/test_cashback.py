"""Cashback comes with the purchase, carries its remainder, keeps the cap, goes back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from app.programme import plans, proofs, purchases, stamping
from app.programme.cards import CardState
from app.programme.founding import Founded
from app.programme.plans import offering, paying
from app.programme.plans.offering import PlanDraft
from app.programme.purchases import Order
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.tools import Tools

Buy = Callable[[CardState, int], str]


@pytest.fixture
def member(
    tools: Tools, founded: Founded, make_card: Callable[..., CardState]
) -> CardState:
    owner = ConsoleCaller(founded.staff_id, "Owner", "owner")
    draft = PlanDraft("Plus", 2_00, 12, 150, 5_00, "", is_offered=True)
    plan_id = offering.save_plan(tools, founded.programme_id, None, draft, by=owner)
    card = make_card()
    paying.mark_paid(
        tools, card.card_id, plan_id, paid_how="cash", request_id="a" * 32, by=owner
    )
    return card


@pytest.fixture
def buy(tools: Tools, barista: StaffCaller) -> Buy:
    def pay(card: CardState, amount: int) -> str:
        code = stamping.card_code(tools, card.card_id).code
        given = stamping.stamp(
            tools,
            code,
            stamps=1,
            request_id=uuid4().hex,
            staff=barista,
            order=Order(amount=amount),
        )
        return str(given.answer["purchase"]["purchase_id"])

    return pay


def given(tools: Tools, card: CardState) -> int:
    return plans.of_card(tools, card.card_id)[0].given


def test_remainders_are_carried_over(tools: Tools, member: CardState, buy: Buy) -> None:
    for _ in range(10):
        buy(member, 50)

    # 1.5 % of 5.00 is 7.5 cents, however it was paid.
    assert given(tools, member) == 7
    buy(member, 50)
    assert given(tools, member) == 8
    assert proofs.prove(tools).findings == ()


def test_a_year_gives_no_more_than_its_cap(
    tools: Tools, member: CardState, buy: Buy
) -> None:
    buy(member, 300_00)
    assert given(tools, member) == 4_50

    buy(member, 300_00)

    assert given(tools, member) == 5_00
    assert plans.of_card(tools, member.card_id)[0].left == 0


def test_what_comes_back_takes_its_cashback_with_it(
    tools: Tools, member: CardState, buy: Buy, barista: StaffCaller
) -> None:
    buy(member, 100_00)
    bought = buy(member, 200_00)
    assert given(tools, member) == 4_50

    purchases.refund(
        tools, UUID(bought), reason="Broken", request_id=uuid4().hex, staff=barista
    )

    assert given(tools, member) == 1_50
    assert proofs.prove(tools).findings == ()


def test_without_a_membership_nothing_comes_back(
    tools: Tools, member: CardState, buy: Buy, make_card: Callable[..., CardState]
) -> None:
    other = make_card("Bo")

    buy(other, 300_00)

    assert plans.of_card(tools, other.card_id) == []
    assert given(tools, member) == 0

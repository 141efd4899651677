"""A membership is marked as paid once, follows the one before, ends, is paid back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from app.programme import cards, members, own_cards, plans, proofs, shop
from app.programme.cards import CardState
from app.programme.errors import (
    CardClosed,
    Forbidden,
    InvalidRequest,
    NotEligible,
)
from app.programme.founding import Founded
from app.programme.plans import offering, paying, rounds
from app.programme.plans.offering import PlanDraft
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import Membership, Outgoing
from app.tools import Tools
from tests.conftest import Clock, both_books

PLUS = PlanDraft(
    name="Plus",
    price=45_00,
    period_months=12,
    cashback=200,
    cap=500_00,
    benefits="",
    is_offered=True,
)


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def plus(tools: Tools, founded: Founded, owner: ConsoleCaller) -> UUID:
    return offering.save_plan(tools, founded.programme_id, None, PLUS, by=owner)


def pay(
    tools: Tools,
    card: CardState,
    plan_id: UUID,
    by: ConsoleCaller | StaffCaller,
    request_id: str | None = None,
) -> object:
    return paying.mark_paid(
        tools,
        card.card_id,
        plan_id,
        paid_how="cash",
        request_id=request_id or uuid4().hex,
        by=by,
    )


def test_it_is_good_for_a_year_from_the_moment_it_is_paid(
    tools: Tools,
    plus: UUID,
    owner: ConsoleCaller,
    clock: Clock,
    make_card: Callable[..., CardState],
) -> None:
    card = make_card()

    pay(tools, card, plus, owner)

    (found,) = plans.of_card(tools, card.card_id)
    assert found.is_good(tools.now())
    assert timedelta(days=364) < found.until_at - found.from_at <= timedelta(days=366)
    assert (found.given, found.left) == (0, 500_00)
    clock.forward(timedelta(days=367))
    assert not found.is_good(tools.now())
    assert proofs.prove(tools).findings == ()


def test_the_same_request_gets_the_first_answer(
    tools: Tools,
    plus: UUID,
    barista: StaffCaller,
    make_card: Callable[..., CardState],
) -> None:
    card, request = make_card(), uuid4().hex

    first = pay(tools, card, plus, barista, request)

    assert pay(tools, card, plus, barista, request) == first
    with pytest.raises(InvalidRequest) as refusal:
        pay(tools, make_card("Bo"), plus, barista, request)
    assert refusal.value.fields == {"request_id": "used_before"}


def test_paid_twice_is_told_at_once(
    tools: Tools,
    plus: UUID,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
) -> None:
    card = make_card()
    pay(tools, card, plus, owner)

    with pytest.raises(InvalidRequest) as refusal:
        pay(tools, card, plus, owner)

    assert refusal.value.fields == {"plan_id": "paid_already"}


@both_books
def test_of_many_who_mark_it_paid_at_once_one_does(
    tools: Tools,
    plus: UUID,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
    counts: Callable[..., None],
) -> None:
    card, same = make_card(), uuid4().hex

    def one(request_id: str) -> str:
        try:
            pay(tools, card, plus, owner, request_id)
        except InvalidRequest:
            return "refused"
        return "paid"

    with ThreadPoolExecutor(8) as many:
        said = list(many.map(one, [same] * 4 + [uuid4().hex for _ in range(8)]))

    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(Membership)) == 1
    # All four of the one request heard yes, or none; of the others one or none did.
    assert said.count("paid") in {1, 4}
    assert proofs.prove(tools).findings == ()
    counts(tries=len(said), periods=1)


def test_the_next_period_follows_and_nobody_is_reminded(
    tools: Tools,
    plus: UUID,
    owner: ConsoleCaller,
    clock: Clock,
    founded: Founded,
) -> None:
    joined = members.join(tools, name="Anna", email="anna@example.com")
    card = cards.card(tools, joined.card_id)
    pay(tools, card, plus, owner)
    clock.forward(timedelta(days=340))

    pay(tools, card, plus, owner)
    rounds.look(tools)

    second, first = plans.of_card(tools, card.card_id)
    assert second.from_at - first.until_at == timedelta(seconds=1)
    assert first.is_renewed
    assert mails(tools) == []


def test_it_is_reminded_of_once_and_ends_by_itself(
    tools: Tools,
    plus: UUID,
    owner: ConsoleCaller,
    clock: Clock,
    founded: Founded,
) -> None:
    joined = members.join(tools, name="Anna", email="anna@example.com")
    card = cards.card(tools, joined.card_id)
    pay(tools, card, plus, owner)
    version = cards.card(tools, card.card_id).version

    clock.forward(timedelta(days=340))
    rounds.look(tools)
    rounds.look(tools)
    assert mails(tools) == ["membership_ends"]
    clock.forward(timedelta(days=30))
    rounds.look(tools)
    rounds.look(tools)

    assert mails(tools) == ["membership_ends", "membership_ended"]
    assert cards.card(tools, card.card_id).version == version + 1
    assert proofs.prove(tools).findings == ()
    pay(tools, card, plus, owner)
    assert plans.of_card(tools, card.card_id)[0].is_good(tools.now())


def test_a_fee_that_is_paid_back_ends_it_at_once(
    tools: Tools,
    plus: UUID,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
) -> None:
    card = make_card()
    pay(tools, card, plus, owner)
    (found,) = plans.of_card(tools, card.card_id)

    paying.refund(tools, found.membership_id, "Changed her mind", by=owner)

    (ended,) = plans.of_card(tools, card.card_id)
    assert not ended.is_good(tools.now())
    with pytest.raises(InvalidRequest) as refusal:
        paying.refund(tools, found.membership_id, "Again", by=owner)
    assert refusal.value.fields == {"reason": "ended"}
    pay(tools, card, plus, owner)
    assert proofs.prove(tools).findings == ()


def test_what_is_paid_keeps_its_terms(
    tools: Tools,
    plus: UUID,
    owner: ConsoleCaller,
    founded: Founded,
    make_card: Callable[..., CardState],
) -> None:
    card = make_card()
    pay(tools, card, plus, owner)
    less = PlanDraft("Plus", 60_00, 12, 100, 100_00, "", is_offered=False)

    offering.save_plan(tools, founded.programme_id, plus, less, by=owner)

    (found,) = plans.of_card(tools, card.card_id)
    assert (found.terms.price, found.terms.cashback) == (45_00, 200)
    with pytest.raises(InvalidRequest) as refusal:
        pay(tools, make_card("Bo"), plus, owner)
    assert refusal.value.fields == {"plan_id": "missing"}


def test_nobody_marks_their_own_card(
    tools: Tools,
    plus: UUID,
    owner: ConsoleCaller,
    founded: Founded,
    make_card: Callable[..., CardState],
) -> None:
    card = make_card()
    own_cards.say_by_number(tools, founded.staff_id, card.number, by=owner)

    with pytest.raises(NotEligible):
        pay(tools, card, plus, owner)


def test_a_barista_has_no_say_in_the_console(
    tools: Tools,
    plus: UUID,
    founded: Founded,
    make_card: Callable[..., CardState],
) -> None:
    with pytest.raises(Forbidden):
        pay(tools, make_card(), plus, ConsoleCaller(founded.staff_id, "Bo", "barista"))


def test_a_paused_card_takes_no_membership(
    tools: Tools,
    plus: UUID,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
) -> None:
    card = make_card()
    shop.pause_card(tools, card.card_id, is_paused=True, by=owner)

    with pytest.raises(CardClosed):
        pay(tools, card, plus, owner)


def mails(tools: Tools) -> list[str]:
    with tools.database.read() as tx:
        return list(
            tx.scalars(
                select(Outgoing.kind)
                .where(Outgoing.kind != "welcome")
                .order_by(Outgoing.created_at)
            )
        )

"""Whose own card it is: said once, held at every door, taken back by managers alone."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from app.programme import by_hand, cards, members, own_cards, rewards, shop, stamping
from app.programme.errors import (
    CodeUnknown,
    CodeWrongKind,
    Forbidden,
    InvalidRequest,
    NotEligible,
    NotFound,
)
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import AuditEntry, LedgerEntry, Signal
from app.tools import Tools
from tests.conftest import Clock, both_books


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Sofie", "owner")


@pytest.fixture
def colleague(tools: Tools, barista: StaffCaller, owner: ConsoleCaller) -> StaffCaller:
    """Somebody else at the same till."""
    staff_id = shop.add_staff(tools, name="Mia", role="barista", pin="2580", by=owner)
    return StaffCaller(
        staff_id,
        "Mia",
        "barista",
        barista.terminal_id,
        barista.location_id,
        barista.location_name,
    )


@pytest.fixture
def mine(tools: Tools, barista: StaffCaller, make_card) -> cards.CardState:
    """The own card of the barista, who has said so at the till."""
    card = make_card("Sofie")
    code = stamping.card_code(tools, card.card_id)
    own_cards.say_so(tools, code.short or code.code, staff=barista)
    return card


def stamp(tools: Tools, card: cards.CardState, staff: StaffCaller) -> None:
    code = stamping.card_code(tools, card.card_id).code
    stamping.stamp(tools, code, stamps=1, request_id=uuid4().hex, staff=staff)


def audited(tools: Tools, action: str) -> list[AuditEntry]:
    with tools.database.read() as tx:
        return list(tx.scalars(select(AuditEntry).where(AuditEntry.action == action)))


@both_books
def test_nobody_stamps_their_own_card_and_a_colleague_does(
    tools: Tools, mine, barista: StaffCaller, colleague: StaffCaller
):
    code = stamping.card_code(tools, mine.card_id).code
    with pytest.raises(NotEligible) as refused:
        stamping.stamp(tools, code, stamps=1, request_id=uuid4().hex, staff=barista)
    assert refused.value.why == "own_card"

    # The code was not used up: a colleague scans the same.
    stamping.stamp(tools, code, stamps=1, request_id=uuid4().hex, staff=colleague)

    assert cards.card(tools, mine.card_id).stamps == 1


def test_nobody_collects_on_their_own_card_what_they_show_themselves(
    tools: Tools, mine, barista: StaffCaller, colleague: StaffCaller
):
    own = stamping.stamp_code(tools, barista, 1).code
    with pytest.raises(NotEligible):
        stamping.collect(tools, own, card_id=mine.card_id)

    others = stamping.stamp_code(tools, colleague, 1).code
    stamping.collect(tools, others, card_id=mine.card_id)

    assert cards.card(tools, mine.card_id).stamps == 1


def test_nobody_stamps_their_own_card_by_hand(
    tools: Tools, mine, barista: StaffCaller, owner: ConsoleCaller
):
    shop.allow_by_hand(tools, is_allowed=True, by=owner)

    with pytest.raises(NotEligible):
        by_hand.give(
            tools, mine.card_id, stamps=1, request_id=uuid4().hex, staff=barista
        )


def test_a_try_is_kept_as_a_signal_once_a_day(tools: Tools, mine, barista: StaffCaller):
    for _ in range(3):
        with pytest.raises(NotEligible):
            stamp(tools, mine, barista)

    with tools.database.read() as tx:
        signal = tx.scalars(select(Signal)).one()
        assert tx.scalars(select(LedgerEntry)).all() == []
    assert (signal.kind, signal.card_id) == ("own_card", mine.card_id)
    assert signal.staff_id == barista.staff_id


def test_every_card_of_the_same_person_is_their_own(
    tools: Tools, mine, barista: StaffCaller, owner: ConsoleCaller
):
    other = members.join(tools, name="Sofie again").card_id
    number = cards.card(tools, other).number
    own_cards.say_by_number(
        tools, barista.staff_id, f"N° {number[:4]} {number[4:]}", by=owner
    )

    found = own_cards.of_person(tools, barista.staff_id)

    assert [one.card_id for one in found] == [mine.card_id, other]
    with pytest.raises(NotEligible):
        stamp(tools, cards.card(tools, other), barista)


def test_saying_so_uses_no_code_up_and_is_written_down_once(
    tools: Tools, make_card, barista: StaffCaller, colleague: StaffCaller
):
    card = make_card()
    code = stamping.card_code(tools, card.card_id).code
    own_cards.say_so(tools, code, staff=barista)
    own_cards.say_so(tools, code, staff=barista)

    stamping.stamp(tools, code, stamps=1, request_id=uuid4().hex, staff=colleague)

    [line] = audited(tools, "own_card.noted")
    assert line.staff_id == barista.staff_id
    assert line.detail == {"card": str(card.card_id)}


def test_a_colleagues_card_is_not_taken_over(
    tools: Tools, mine, colleague: StaffCaller, owner: ConsoleCaller
):
    code = stamping.card_code(tools, mine.card_id).code

    with pytest.raises(InvalidRequest) as refused:
        own_cards.say_so(tools, code, staff=colleague)
    assert refused.value.fields == {"code": "taken"}
    with pytest.raises(InvalidRequest) as refused:
        own_cards.say_by_number(tools, colleague.staff_id, mine.number, by=owner)
    assert refused.value.fields == {"number": "taken"}


def test_only_a_card_that_is_shown_now_can_be_named_at_the_till(
    tools: Tools, make_card, give, barista: StaffCaller, clock: Clock
):
    card = give(make_card(), 10)
    voucher = rewards.voucher_code(tools, card.vouchers[0].voucher_id, card.member_id)
    with pytest.raises(CodeWrongKind):
        own_cards.say_so(tools, voucher.code, staff=barista)
    code = stamping.card_code(tools, card.card_id).code
    clock.forward(stamping.codes.LIFETIME[stamping.codes.Kind.CARD] * 2)

    with pytest.raises(CodeUnknown):
        own_cards.say_so(tools, code, staff=barista)


@pytest.mark.parametrize("number", ["", "1234", "99999999", "x" * 50])
def test_a_number_that_is_no_cards_is_refused(
    tools: Tools, barista: StaffCaller, owner: ConsoleCaller, number: str
):
    with pytest.raises(InvalidRequest) as refused:
        own_cards.say_by_number(tools, barista.staff_id, number, by=owner)

    assert refused.value.fields == {"number": "not_a_card"}


def test_a_manager_takes_it_back_but_never_for_themselves(
    tools: Tools, mine, barista: StaffCaller, owner: ConsoleCaller, colleague
):
    manager_id = shop.add_staff(
        tools, name="Jonas", role="manager", pin="2581", by=owner
    )
    manager = ConsoleCaller(manager_id, "Jonas", "manager")
    card = cards.card(tools, members.join(tools, name="Jonas").card_id)
    own_cards.say_by_number(tools, manager_id, card.number, by=manager)
    with pytest.raises(Forbidden):
        own_cards.take_back(tools, manager_id, card.card_id, by=manager)
    with pytest.raises(Forbidden):
        own_cards.take_back(
            tools,
            manager_id,
            card.card_id,
            by=ConsoleCaller(colleague.staff_id, "Mia", "barista"),
        )

    own_cards.take_back(tools, manager_id, card.card_id, by=owner)

    assert own_cards.of_person(tools, manager_id) == []
    assert len(audited(tools, "own_card.taken_back")) == 1
    with pytest.raises(NotFound):
        own_cards.take_back(tools, manager_id, card.card_id, by=owner)
    with pytest.raises(NotFound):
        own_cards.say_by_number(tools, uuid4(), card.number, by=owner)

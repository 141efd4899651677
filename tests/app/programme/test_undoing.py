"""Undoing from the console: later, anywhere, with a reason and a line in the log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.programme import card_file, cards, proofs, rewards, shop, stamping
from app.programme.errors import Forbidden, InvalidRequest, NotFound, VoucherSpent
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import AuditEntry, LedgerEntry
from app.tools import Tools
from tests.conftest import Clock, both_books


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Sofie", "owner")


def stamp(tools: Tools, card_id: UUID, staff: StaffCaller, stamps: int = 1) -> UUID:
    code = stamping.card_code(tools, card_id).code
    spent = stamping.stamp(
        tools, code, stamps=stamps, request_id=uuid4().hex, staff=staff
    )
    return UUID(spent.answer["stamp_id"])


def redeem(tools: Tools, card: cards.CardState, staff: StaffCaller) -> UUID:
    voucher = next(each for each in card.vouchers if each.state == "issued")
    code = rewards.voucher_code(tools, voucher.voucher_id, card.member_id).code
    spent = rewards.redeem(tools, code, request_id=uuid4().hex, staff=staff)
    return UUID(spent.answer["redemption_id"])


@both_books
def test_a_manager_undoes_a_stamp_weeks_later_with_a_reason(
    tools: Tools, make_card, barista: StaffCaller, owner, clock: Clock
):
    card = make_card()
    given = stamp(tools, card.card_id, barista, 3)
    clock.forward(timedelta(days=40))

    spent = shop.undo_entry(tools, given, reason=" A friend, no sale ", by=owner)

    assert (spent.is_repeat, spent.answer["card"]["stamps"]) == (False, 0)
    with tools.database.read() as tx:
        entry = tx.scalars(
            select(LedgerEntry).where(LedgerEntry.reverses_id == given)
        ).one()
        line = tx.scalars(
            select(AuditEntry).where(AuditEntry.action == "entry.undone")
        ).one()
    assert (entry.reason, entry.staff_id) == ("A friend, no sale", owner.staff_id)
    # It happened at no till.
    assert (entry.terminal_id, entry.location_id) == (None, None)
    assert (line.subject, line.staff_id) == (str(given), owner.staff_id)
    assert proofs.prove(tools).findings == ()


def test_undoing_again_is_the_first_answer_and_one_line(
    tools: Tools, make_card, barista: StaffCaller, owner
):
    given = stamp(tools, make_card().card_id, barista)
    first = shop.undo_entry(tools, given, reason="Wrong", by=owner)
    again = shop.undo_entry(tools, given, reason="Wrong", by=owner)

    assert again.is_repeat
    assert again.answer == first.answer
    with tools.database.read() as tx:
        lines = tx.scalars(
            select(AuditEntry).where(AuditEntry.action == "entry.undone")
        ).all()
    assert len(lines) == 1


@both_books
def test_stamps_that_paid_for_a_used_voucher_wait_for_its_redemption(
    tools: Tools, make_card, give, barista: StaffCaller, owner
):
    """The reward was handed out: first that is undone, then what paid for it."""
    card = give(make_card(), 9)
    last = stamp(tools, card.card_id, barista)
    redemption = redeem(tools, cards.card(tools, card.card_id), barista)
    with pytest.raises(VoucherSpent):
        shop.undo_entry(tools, last, reason="No sale", by=owner)
    assert cards.card(tools, card.card_id).stamps == 0

    back = shop.undo_entry(tools, redemption, reason="Not handed out", by=owner)
    assert back.answer["voucher"]["state"] == "issued"
    spent = shop.undo_entry(tools, last, reason="No sale", by=owner)

    state = cards.card(tools, card.card_id)
    assert (spent.answer["card"]["stamps"], state.stamps) == (9, 9)
    assert [each.state for each in state.vouchers] == ["voided"]
    assert proofs.prove(tools).findings == ()


def test_of_two_vouchers_the_unused_one_goes_back(
    tools: Tools, make_card, give, barista: StaffCaller, owner
):
    card = give(make_card(), 19)
    redeem(tools, card, barista)
    last = stamp(tools, card.card_id, barista, 1)

    shop.undo_entry(tools, last, reason="No sale", by=owner)

    state = cards.card(tools, card.card_id)
    assert sorted(each.state for each in state.vouchers) == ["redeemed", "voided"]
    assert state.stamps == 9


@both_books
def test_of_many_who_undo_at_once_one_does(
    tools: Tools, make_card, barista: StaffCaller, owner, counts
):
    card = make_card()
    given = stamp(tools, card.card_id, barista, 2)
    start = Barrier(8)

    def undo(_number: int) -> bool:
        start.wait()
        return shop.undo_entry(tools, given, reason="Wrong", by=owner).is_repeat

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(undo, range(8)))

    assert came.count(False) == 1
    assert cards.card(tools, card.card_id).stamps == 0
    counts(tried=8, accepted=1, doubled=0)


def test_what_goes_back_only_with_another_is_not_found(
    tools: Tools, make_card, give, owner
):
    card = give(make_card(), 10)
    file = card_file.of(tools, card.card_id)
    earned = next(one for one in file.entries if one.what == "earned")
    assert not earned.can_undo

    with pytest.raises(NotFound):
        shop.undo_entry(tools, earned.entry_id, reason="Wrong", by=owner)
    with pytest.raises(NotFound):
        shop.undo_entry(tools, uuid4(), reason="Wrong", by=owner)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_without_a_reason_nothing_is_undone(
    tools: Tools, make_card, barista: StaffCaller, owner, reason: str
):
    given = stamp(tools, make_card().card_id, barista)

    with pytest.raises(InvalidRequest):
        shop.undo_entry(tools, given, reason=reason, by=owner)


def test_a_barista_undoes_nothing_from_the_console(
    tools: Tools, make_card, barista: StaffCaller, founded: Founded
):
    given = stamp(tools, make_card().card_id, barista)
    someone = ConsoleCaller(founded.staff_id, "Bo", "barista")

    with pytest.raises(Forbidden):
        shop.undo_entry(tools, given, reason="Wrong", by=someone)


def test_a_card_is_filed_with_who_and_where(
    tools: Tools, make_card, barista: StaffCaller, owner
):
    card = make_card()
    given = stamp(tools, card.card_id, barista, 2)
    shop.undo_entry(tools, given, reason="Wrong", by=owner)

    file = card_file.of(tools, card.card_id)

    undone, first = file.entries
    assert (undone.what, undone.reason, undone.place) == ("undone", "Wrong", None)
    assert (first.what, first.units, first.place) == ("given", 2, "Nyhavn")
    assert (first.is_undone, first.can_undo) == (True, False)
    assert card_file.card_of(tools, given) == card.card_id
    with pytest.raises(NotFound):
        card_file.of(tools, uuid4())
    with pytest.raises(NotFound):
        card_file.card_of(tools, uuid4())


def test_cards_are_found_by_number_and_name_and_the_newest_without(
    tools: Tools, make_card
):
    anna, bo = make_card("Anna"), make_card("Bodil")

    assert [one.card_id for one in card_file.find(tools, "bod")] == [bo.card_id]
    assert [one.card_id for one in card_file.find(tools, anna.number)] == [anna.card_id]
    assert {one.card_id for one in card_file.find(tools, " ")} == {
        anna.card_id,
        bo.card_id,
    }
    with pytest.raises(InvalidRequest):
        card_file.find(tools, "a")

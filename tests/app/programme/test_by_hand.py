"""Stamps by hand: off by default, few, signalled, and known to the proofs."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from app.programme import (
    by_hand,
    cards,
    feed,
    members,
    proofs,
    shop,
    stamping,
)
from app.programme.errors import (
    CardClosed,
    Forbidden,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import AuditEntry, Card, LedgerEntry, Signal
from app.tools import Tools
from tests.conftest import Clock, both_books
from tests.servers import wipe


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Sofie", "owner")


@pytest.fixture
def allowed(tools: Tools, owner: ConsoleCaller) -> None:
    shop.allow_by_hand(tools, is_allowed=True, by=owner)


@pytest.fixture
def anna(tools: Tools, founded: Founded) -> UUID:
    return members.join(tools, name="Anna Åkesson").card_id


def give(
    tools: Tools, card_id: UUID, staff: StaffCaller, stamps: int = 1, **more: Any
) -> by_hand.Spent:
    request_id = more.get("request_id") or uuid4().hex
    return by_hand.give(
        tools, card_id, stamps=stamps, request_id=request_id, staff=staff
    )


def test_nobody_may_before_a_manager_allows_it(
    tools: Tools, barista: StaffCaller, anna: UUID
):
    assert not shop.allows_by_hand(tools)
    with pytest.raises(Forbidden):
        by_hand.find(tools, "Anna", staff=barista)
    with pytest.raises(Forbidden):
        give(tools, anna, barista)

    assert cards.card(tools, anna).stamps == 0


def test_a_manager_allows_and_forbids_and_it_is_written_down(
    tools: Tools, owner: ConsoleCaller, barista: StaffCaller, anna: UUID
):
    shop.allow_by_hand(tools, is_allowed=True, by=owner)
    give(tools, anna, barista)
    shop.allow_by_hand(tools, is_allowed=False, by=owner)
    with pytest.raises(Forbidden):
        give(tools, anna, barista)

    with tools.database.read() as tx:
        actions = list(tx.scalars(select(AuditEntry.action)))
    assert actions[-2:] == ["by_hand.allowed", "by_hand.forbidden"]


def test_a_barista_does_not_allow_it(tools: Tools, founded: Founded):
    someone = ConsoleCaller(founded.staff_id, "Bo", "barista")

    with pytest.raises(Forbidden):
        shop.allow_by_hand(tools, is_allowed=True, by=someone)


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("words", ["anna", "ANNA", "åke", "Åke", "nna å"])
def test_a_card_is_found_by_three_letters(
    tools: Tools, barista: StaffCaller, anna: UUID, words: str
):
    number = cards.card(tools, anna).number

    assert by_hand.find(tools, words, staff=barista) == [
        by_hand.FoundCard(anna, "Anna Åkesson", number[-4:])
    ]


@pytest.mark.usefixtures("allowed")
def test_a_card_is_found_by_its_whole_number_only(
    tools: Tools, barista: StaffCaller, anna: UUID
):
    number = cards.card(tools, anna).number

    spaced = f"{number[:4]} {number[4:]}"
    assert [one.card_id for one in by_hand.find(tools, spaced, staff=barista)] == [anna]
    with pytest.raises(InvalidRequest):
        by_hand.find(tools, number[:4], staff=barista)


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("an", "too_short"),
        ("  ", "too_short"),
        ("%%%", "too_short"),
        ("a" * 61, "too_long"),
        ("ann\x00a", "bad_characters"),
    ],
)
def test_a_search_that_would_list_everybody_is_refused(
    tools: Tools, barista: StaffCaller, words: str, why: str
):
    with pytest.raises(InvalidRequest) as refused:
        by_hand.find(tools, words, staff=barista)

    assert refused.value.fields == {"q": why}


@pytest.mark.usefixtures("allowed")
def test_a_name_of_two_ideographs_is_long_enough(tools: Tools, barista: StaffCaller):
    card_id = members.join(tools, name="王小明").card_id

    assert [one.card_id for one in by_hand.find(tools, "小明", staff=barista)] == [
        card_id
    ]


@pytest.mark.usefixtures("allowed")
def test_a_search_tells_five_cards_and_is_limited(tools: Tools, barista: StaffCaller):
    for number in range(7):
        members.join(tools, name=f"Anna {number}")

    assert len(by_hand.find(tools, "anna", staff=barista)) == by_hand.MOST_FOUND
    for _ in range(29):
        by_hand.find(tools, "anna", staff=barista)
    with pytest.raises(LimitReached) as refused:
        by_hand.find(tools, "anna", staff=barista)
    assert refused.value.limit == "search"


@pytest.mark.usefixtures("allowed")
def test_a_closed_card_is_neither_found_nor_stamped(
    tools: Tools, barista: StaffCaller, anna: UUID
):
    with tools.database.begin() as tx:
        tx.get_one(Card, anna).closed_at = tools.now()

    assert by_hand.find(tools, "anna", staff=barista) == []
    with pytest.raises(CardClosed):
        give(tools, anna, barista)
    with pytest.raises(NotFound):
        give(tools, uuid4(), barista)


@both_books
@pytest.mark.usefixtures("allowed")
def test_a_stamp_by_hand_is_its_own_rule_with_a_receipt_and_a_signal(
    tools: Tools, barista: StaffCaller, anna: UUID
):
    answer = give(tools, anna, barista, 2).answer

    with tools.database.read() as tx:
        entry = tx.scalars(select(LedgerEntry)).one()
        signal = tx.scalars(select(Signal)).one()
    assert (entry.kind, entry.rule, entry.units) == ("ADJUST", "by_hand", 2)
    assert (entry.nonce, entry.proof) == (None, None)
    assert entry.receipt is not None
    assert str(entry.entry_id) == answer["stamp_id"]
    assert (signal.kind, signal.staff_id) == ("by_hand", barista.staff_id)
    assert signal.card_id == anna
    assert cards.card(tools, anna).stamps == len(cards.card(tools, anna).marks) == 2


@both_books
@pytest.mark.usefixtures("allowed")
def test_the_same_request_counts_once(tools: Tools, barista: StaffCaller, anna: UUID):
    first = give(tools, anna, barista, request_id="one")
    again = give(tools, anna, barista, request_id="one")

    assert (again.is_repeat, again.answer) == (True, first.answer)
    assert cards.card(tools, anna).stamps == 1


@both_books
@pytest.mark.usefixtures("allowed")
def test_ten_stamps_an_hour_a_person_whoever_they_are_for(
    tools: Tools, barista: StaffCaller, clock: Clock, anna: UUID
):
    given = UUID(give(tools, anna, barista, 5).answer["stamp_id"])
    # what was undone counts too
    stamping.reverse_stamp(tools, given, staff=barista, reason="Wrong")
    clock.forward(timedelta(minutes=20))
    give(tools, members.join(tools, name="Bo").card_id, barista, 5)

    with pytest.raises(LimitReached) as refused:
        give(tools, anna, barista)

    assert refused.value.limit == "by_hand"
    assert timedelta(minutes=39) < refused.value.retry_after < timedelta(minutes=41)
    clock.forward(refused.value.retry_after)
    give(tools, anna, barista, 5)
    assert cards.card(tools, anna).stamps == 5


@both_books
@pytest.mark.usefixtures("allowed")
def test_two_tills_at_once_do_not_pass_the_limit(
    tools: Tools, barista: StaffCaller, anna: UUID
):
    give(tools, anna, barista, 5)
    together = Barrier(4)

    def one(_: int) -> bool:
        together.wait()
        try:
            give(tools, anna, barista, 3)
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == 1


@both_books
@pytest.mark.usefixtures("allowed")
def test_one_request_sent_by_many_at_once_counts_once_and_is_told_alike(
    tools: Tools, barista: StaffCaller, anna: UUID, counts: Callable[..., None]
):
    # given an hour that has room for this request and no other
    give(tools, anna, barista, 5)
    together = Barrier(32)

    def one(_: int) -> by_hand.Spent:
        together.wait()
        return give(tools, anna, barista, 5, request_id="storm")

    with ThreadPoolExecutor(32) as pool:
        told = list(pool.map(one, range(32)))

    booked = balance(tools, anna) - 5
    counts(tried=len(told), booked=booked // 5, lost=0, doubled=booked // 5 - 1)
    assert booked == 5
    assert sum(not spent.is_repeat for spent in told) == 1
    assert len({json.dumps(spent.answer, sort_keys=True) for spent in told}) == 1


def balance(tools: Tools, card_id: UUID) -> int:
    """Everything that was ever given to a card, vouchers or not."""
    with tools.database.read() as tx:
        given = select(func.sum(LedgerEntry.units)).where(
            LedgerEntry.card_id == card_id, LedgerEntry.kind == "ADJUST"
        )
        return int(tx.scalar(given) or 0)


@pytest.mark.usefixtures("allowed")
def test_the_limit_holds_without_redis(
    make_tools: Callable[..., Tools], tools: Tools, barista: StaffCaller, anna: UUID
):
    deaf = make_tools(redis_url="redis://127.0.0.1:9")
    for _ in range(2):
        give(deaf, anna, barista, 5)

    with pytest.raises(LimitReached):
        give(deaf, anna, barista)


@both_books
@pytest.mark.usefixtures("allowed")
def test_the_proofs_know_it_as_it_is(tools: Tools, barista: StaffCaller, anna: UUID):
    # given a card filled by hand, and one stamp by hand that was undone
    give(tools, anna, barista, 5)
    code = stamping.card_code(tools, anna).code
    stamping.stamp(tools, code, stamps=4, request_id="scan", staff=barista)
    give(tools, anna, barista, 3)
    undone = UUID(give(tools, anna, barista, 1).answer["stamp_id"])
    stamping.reverse_stamp(tools, undone, staff=barista, reason="Wrong")

    assert proofs.prove(tools).findings == ()
    assert cards.card(tools, anna).stamps == 2
    assert [voucher.state for voucher in cards.card(tools, anna).vouchers] == ["issued"]


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("staff_id = NULL", "hand_missing"),
        ("request_id = 'ab:cd'", "request_other"),
        ("units = 4", "answer"),
        ("rule = 'stamp', kind = 'ADJUST'", "rule_unknown"),
    ],
)
def test_the_proofs_find_one_that_was_changed(
    tools: Tools, barista: StaffCaller, anna: UUID, change: str, found: str
):
    give(tools, anna, barista)
    with tools.database.begin() as tx:
        tx.execute(text(f"UPDATE ledger_entry SET {change}"))  # noqa: S608

    codes = {finding.code for finding in proofs.prove(tools).findings}
    assert {found, "receipt_forged"} <= codes


@pytest.mark.usefixtures("allowed")
def test_the_shops_list_tells_it_apart(tools: Tools, barista: StaffCaller, anna: UUID):
    give(tools, anna, barista, 2)

    lines = [line for line in feed.feed(tools) if line.kind in {"by_hand", "signal"}]
    assert [(line.kind, line.units, line.staff_name) for line in lines] == [
        ("by_hand", 2, barista.name)
    ]
    assert feed.figures(tools).stamps == 2


def test_a_short_code_that_has_ended_still_tells_its_first_answer(
    tools: Tools, barista: StaffCaller, clock: Clock, anna: UUID
):
    # given a short code that counted, whose reply was lost
    short = stamping.card_code(tools, anna).short
    assert short is not None
    first = stamping.stamp(tools, short, stamps=1, request_id="r", staff=barista)
    wipe(tools.settings.redis_url)
    clock.forward(timedelta(hours=3))

    # when the till asks again, long after
    again = stamping.stamp(tools, short, stamps=1, request_id="r", staff=barista)

    assert (again.is_repeat, again.answer) == (True, first.answer)

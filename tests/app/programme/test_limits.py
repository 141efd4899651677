"""Limits: what an hour has room for, exactly, whoever asks at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from app.programme import (
    batches,
    by_hand,
    cards,
    codes,
    limits,
    printing,
    shop,
    stamping,
)
from app.programme.cards import CardState
from app.programme.errors import Forbidden, InvalidRequest, LimitReached, NotFound
from app.programme.founding import Founded
from app.programme.limits import Limits
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import AuditEntry, LedgerEntry, Programme
from app.tools import Tools
from tests.conftest import Clock, both_books

HOUR = timedelta(hours=1)


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Sofie", "owner")


@pytest.fixture
def hold(tools: Tools, founded: Founded, owner: ConsoleCaller) -> Callable[..., None]:
    """Set some limits; there are no others."""

    def to(**wanted: int | None) -> None:
        changed = dataclasses.replace(limits.NONE, **wanted)
        shop.save_limits(tools, founded.programme_id, changed, by=owner)

    return to


def stamp(
    tools: Tools, card: CardState, staff: StaffCaller, stamps: int = 1, code: str = ""
) -> codes.Spent:
    code = code or stamping.card_code(tools, card.card_id).code
    return stamping.stamp(
        tools, code, stamps=stamps, request_id=uuid4().hex, staff=staff
    )


def given(tools: Tools) -> int:
    with tools.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(LedgerEntry)) or 0


@pytest.mark.parametrize(
    "limit", ["per_card", "per_staff_member", "per_terminal", "per_location"]
)
def test_what_an_hour_has_no_room_for_is_refused_by_name(
    tools: Tools, hold, make_card, barista: StaffCaller, clock: Clock, limit: str
):
    hold(**{limit: 4})
    card = make_card()
    stamp(tools, card, barista, 2)
    clock.forward(timedelta(minutes=20))
    stamp(tools, card, barista, 2)
    code = stamping.card_code(tools, card.card_id).code

    with pytest.raises(LimitReached) as refused:
        stamp(tools, card, barista, 2, code=code)

    assert (refused.value.limit, refused.value.most) == (f"stamps_{limit}", 4)
    left = refused.value.retry_after
    assert left is not None
    assert timedelta(minutes=39) < left <= timedelta(minutes=40)
    assert cards.card(tools, card.card_id).stamps == 4


@pytest.mark.parametrize(
    "limit", ["per_card", "per_staff_member", "per_terminal", "per_location"]
)
def test_waiting_as_long_as_told_helps(
    tools: Tools, hold, make_card, barista: StaffCaller, clock: Clock, limit: str
):
    hold(**{limit: 3})
    card = make_card()
    for _ in range(3):
        stamp(tools, card, barista)
        clock.forward(timedelta(minutes=5))
    with pytest.raises(LimitReached) as refused:
        stamp(tools, card, barista, 2)

    clock.forward(refused.value.retry_after + timedelta(seconds=1))

    assert stamp(tools, card, barista, 2).answer["card"]["stamps"] == 5


def test_a_code_refused_by_a_limit_is_not_spent(
    tools: Tools, hold, make_card, barista: StaffCaller
):
    hold(per_card=1)
    card = make_card()
    stamp(tools, card, barista)
    code = stamping.card_code(tools, card.card_id).code
    with pytest.raises(LimitReached):
        stamp(tools, card, barista, code=code)

    hold(per_card=2)

    assert stamp(tools, card, barista, code=code).answer["card"]["stamps"] == 2


def test_a_refused_stamp_leaves_nothing_behind(
    tools: Tools, hold, make_card, barista: StaffCaller
):
    hold(per_card=9)
    card = make_card()
    stamp(tools, card, barista, 5)
    before = given(tools), cards.card(tools, card.card_id)

    with pytest.raises(LimitReached):
        stamp(tools, card, barista, 5)

    assert (given(tools), cards.card(tools, card.card_id)) == before


def test_more_than_a_scan_may_give_is_refused_and_waiting_does_not_help(
    tools: Tools, hold, make_card, barista: StaffCaller
):
    hold(per_scan=2)
    card = make_card()
    for refused_stamp in (
        lambda: stamp(tools, card, barista, 3),
        lambda: stamping.stamp_code(tools, barista, 3),
    ):
        with pytest.raises(LimitReached) as refused:
            refused_stamp()
        assert (refused.value.limit, refused.value.most) == ("stamps_per_scan", 2)
        assert refused.value.retry_after is None

    assert stamp(tools, card, barista, 2).answer["card"]["stamps"] == 2


def test_more_than_the_whole_limit_is_never_given_however_long_one_waits(
    tools: Tools, hold, make_card, barista: StaffCaller
):
    hold(per_card=2)

    with pytest.raises(LimitReached) as refused:
        stamp(tools, make_card(), barista, 3)

    assert refused.value.retry_after is None


def test_what_was_undone_counts_as_given(
    tools: Tools, hold, make_card, barista: StaffCaller
):
    hold(per_staff_member=2)
    card = make_card()
    answer = stamp(tools, card, barista, 2).answer
    stamping.reverse_stamp(
        tools, UUID(answer["stamp_id"]), staff=barista, reason="Wrong"
    )

    with pytest.raises(LimitReached):
        stamp(tools, card, barista)


def test_stamps_that_come_back_with_an_undone_voucher_are_not_counted_as_given(
    tools: Tools, hold, make_card, barista: StaffCaller, give
):
    card = give(make_card(), 9)
    last = stamp(tools, card, barista).answer
    stamping.reverse_stamp(tools, UUID(last["stamp_id"]), staff=barista, reason="Wrong")
    hold(per_card=11)

    assert stamp(tools, card, barista).answer["card"]["vouchers"]


def test_collecting_is_held_to_the_same_limits(
    tools: Tools, hold, make_card, barista: StaffCaller
):
    hold(per_staff_member=2)
    card = make_card()
    collected = stamping.stamp_code(tools, barista, 2).code
    stamping.collect(tools, collected, card_id=card.card_id)
    code = stamping.stamp_code(tools, barista, 1).code

    with pytest.raises(LimitReached) as refused:
        stamping.collect(tools, code, card_id=card.card_id)

    assert refused.value.limit == "stamps_per_staff_member"
    # its first answer is still given to who asks again
    assert stamping.collect(tools, collected, card_id=card.card_id).is_repeat


def test_stamps_by_hand_are_held_to_the_same_limits(
    tools: Tools, hold, make_card, barista: StaffCaller, owner: ConsoleCaller
):
    shop.allow_by_hand(tools, is_allowed=True, by=owner)
    hold(per_card=3)
    card = make_card()
    stamp(tools, card, barista, 2)

    with pytest.raises(LimitReached) as refused:
        by_hand.give(
            tools, card.card_id, stamps=2, request_id=uuid4().hex, staff=barista
        )

    assert refused.value.limit == "stamps_per_card"


def test_printed_stamps_count_for_their_card(
    tools: Tools, hold, make_card, founded: Founded, owner: ConsoleCaller
):
    hold(per_card=2)
    card = make_card()
    batch_id = batches.make(
        tools,
        name="Market",
        programme_id=founded.programme_id,
        location_id=founded.location_id,
        stamps=1,
        count=3,
        last_day=tools.now().date() + timedelta(days=9),
        by=owner,
    )
    urls: list[str] = []

    def draw(printed: Iterable[Any]) -> bytes:
        urls.extend(each.url for each in printed)
        return b"%PDF"

    printing.put_on_paper(tools, batch_id, layout="a4", by=owner, draw=draw)
    for url in urls[:2]:
        stamping.collect(tools, url, card_id=card.card_id)

    with pytest.raises(LimitReached) as refused:
        stamping.collect(tools, urls[2], card_id=card.card_id)

    assert refused.value.limit == "stamps_per_card"


def test_a_new_shop_has_the_safe_limits(tools: Tools, founded: Founded):
    with tools.database.begin() as tx:
        row = Programme(
            name="New",
            reward="Tea",
            stamps_required=5,
            terms="",
            created_at=tools.now(),
        )
        tx.add(row)
        tx.flush()
        tx.refresh(row)

        assert limits.of(row) == limits.SAFE == Limits(5, 20, 400, 400, 2000)


def test_a_change_of_limits_is_written_down_once(
    tools: Tools, hold, founded: Founded, owner: ConsoleCaller
):
    hold(per_card=7)
    hold(per_card=7)

    with tools.database.read() as tx:
        rows = list(
            tx.scalars(select(AuditEntry).where(AuditEntry.action == "limits.changed"))
        )
    assert [row.detail["now"]["most_per_card"] for row in rows] == [7]
    assert rows[0].staff_id == owner.staff_id


@pytest.mark.parametrize(
    ("wanted", "wrong"),
    [
        ({"per_scan": 0}, "most_per_scan"),
        ({"per_scan": 6}, "most_per_scan"),
        ({"per_scan": None}, "most_per_scan"),
        ({"per_card": 0}, "most_per_card"),
        ({"per_location": 10_000}, "most_per_location"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(
    hold, wanted: dict[str, Any], wrong: str
):
    with pytest.raises(InvalidRequest) as refused:
        hold(**wanted)

    assert refused.value.fields == {wrong: "out_of_range"}


def test_a_barista_sets_no_limits(tools: Tools, founded: Founded):
    someone = ConsoleCaller(founded.staff_id, "Bo", "barista")

    with pytest.raises(Forbidden):
        shop.save_limits(tools, founded.programme_id, limits.SAFE, by=someone)


def test_a_programme_that_is_not_there_has_no_limits(
    tools: Tools, owner: ConsoleCaller
):
    with pytest.raises(NotFound):
        shop.save_limits(tools, uuid4(), limits.SAFE, by=owner)


@both_books
@pytest.mark.parametrize(
    "limit", ["per_card", "per_staff_member", "per_terminal", "per_location"]
)
def test_of_many_tills_at_once_none_passes_a_limit(
    tools: Tools, hold, make_card, make_staff, counts, limit: str
):
    """Tills, people and cards are as few as the limit lets them be."""
    at_once, most = 12, 5
    hold(**{limit: most})
    tills = [make_staff() for _ in range(3)]
    if limit == "per_terminal":
        tills = tills[:1]
    people = [make_card() for _ in range(1 if limit == "per_card" else 4)]
    jobs = [
        (person.card_id, tills[number % len(tills)])
        for number in range(at_once)
        for person in [people[number % len(people)]]
    ]
    texts = [stamping.card_code(tools, card_id).code for card_id, _ in jobs]
    start = Barrier(at_once)

    def one(number: int) -> str:
        start.wait()
        try:
            stamping.stamp(
                tools,
                texts[number],
                stamps=1,
                request_id=uuid4().hex,
                staff=jobs[number][1],
            )
        except LimitReached as refused:
            return refused.limit
        return "given"

    with ThreadPoolExecutor(at_once) as pool:
        came = list(pool.map(one, range(at_once)))

    assert came.count("given") == most
    assert came.count(f"stamps_{limit}") == at_once - most
    assert sum(cards.card(tools, one.card_id).stamps for one in people) == most
    counts(tried=at_once, accepted=most, refused=at_once - most, doubled=0)


@both_books
def test_what_is_renamed_and_stopped_under_load_stops_no_stamp(
    tools: Tools, hold, make_card, make_staff, owner: ConsoleCaller, founded, counts
):
    """Whoever changes a location or a person waits for no stamp that waits for them."""
    hold(per_card=50, per_staff_member=900, per_terminal=900, per_location=900)
    tills = [make_staff() for _ in range(4)]
    people = [make_card() for _ in range(4)]
    start = Barrier(5)

    def give(number: int) -> int:
        start.wait()
        for _ in range(8):
            stamp(tools, people[number], tills[number])
        return 8

    def change() -> None:
        start.wait()
        for number in range(8):
            shop.rename_location(
                tools, founded.location_id, name=f"Nyhavn {number}", by=owner
            )
            shop.rename_staff(tools, founded.staff_id, name=f"Sofie {number}", by=owner)

    with ThreadPoolExecutor(5) as pool:
        changing = pool.submit(change)
        given = sum(pool.map(give, range(4)))
        changing.result()

    assert [cards.card(tools, one.card_id).stamps for one in people] == [8] * 4
    counts(tried=32, accepted=given, lost=0, doubled=0)

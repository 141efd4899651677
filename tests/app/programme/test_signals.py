"""Signals: what is raised, once, with what evidence, and what is said of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from app.programme import (
    cards,
    founding,
    hours,
    limits,
    members,
    rewards,
    shop,
    signals,
    stamping,
)
from app.programme.errors import (
    CardClosed,
    CodeSpent,
    Forbidden,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from app.programme.founding import Founded
from app.programme.hours import Hours
from app.programme.limits import Limits
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.signals import Raised, desk, watch
from app.store.tables import AuditEntry, LedgerEntry, Member, Signal
from app.tools import Tools
from tests.conftest import Clock, both_books

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Sofie", "owner")


@pytest.fixture
def noon(clock: Clock) -> None:
    """Let it be ten in the morning at the shop: a day holds what a test does."""
    local = clock().astimezone(COPENHAGEN)
    morning = local.replace(hour=10, minute=0, second=0, microsecond=0)
    clock.forward(morning + DAY - local)


@pytest.fixture
def elsewhere(
    tools: Tools, owner: ConsoleCaller, make_terminal, barista: StaffCaller
) -> StaffCaller:
    """The same barista at another location."""
    place = shop.add_location(tools, name="Torvet", by=owner)
    till = make_terminal(place)
    return dataclasses.replace(
        barista, terminal_id=till.terminal_id, location_id=place, location_name="Torvet"
    )


def stamp(
    tools: Tools, card_id: UUID, staff: StaffCaller, stamps: int = 1
) -> dict[str, Any]:
    code = stamping.card_code(tools, card_id).code
    spent = stamping.stamp(
        tools, code, stamps=stamps, request_id=uuid4().hex, staff=staff
    )
    return dict(spent.answer)


def raised(tools: Tools, kind: str | None = None) -> list[Signal]:
    with tools.database.read() as tx:
        rows = tx.scalars(select(Signal).order_by(Signal.at)).all()
    return [row for row in rows if kind in (None, row.kind)]


pytestmark = pytest.mark.usefixtures("noon")


@both_books
def test_stamps_outside_opening_hours_are_one_signal_for_person_and_day(
    tools: Tools, make_card, barista: StaffCaller, owner, founded, clock: Clock
):
    shop.save_hours(
        tools, founded.location_id, Hours(((8 * 60, 17 * 60),) * 7), by=owner
    )
    card = make_card()
    stamp(tools, card.card_id, barista)
    watch.look(tools)
    assert raised(tools) == []

    clock.forward(9 * HOUR)
    for _ in range(3):
        stamp(tools, card.card_id, barista, 2)
        clock.forward(MINUTE)
        watch.look(tools)

    [signal] = raised(tools)
    assert (signal.kind, signal.staff_id) == ("after_hours", barista.staff_id)
    assert (signal.card_id, signal.location_id) == (card.card_id, founded.location_id)
    assert (signal.evidence["stamps"], signal.evidence["times"]) == (6, 3)
    assert len(signal.evidence["entries"]) == 3


def test_whoever_opens_or_closes_has_half_an_hour(
    tools: Tools, make_card, barista: StaffCaller, owner, founded, clock: Clock
):
    now = clock().astimezone(COPENHAGEN)
    opens = now.hour * 60 + now.minute + 25
    soon = Hours(((opens, opens + 60),) * 7)
    shop.save_hours(tools, founded.location_id, soon, by=owner)
    stamp(tools, make_card().card_id, barista)

    watch.look(tools)

    assert raised(tools) == []


def test_without_opening_hours_no_hour_is_odd(
    tools: Tools, make_card, barista: StaffCaller, clock: Clock
):
    clock.forward(15 * HOUR)
    stamp(tools, make_card().card_id, barista)

    watch.look(tools)

    assert raised(tools) == []


@both_books
def test_one_card_at_two_places_within_minutes(
    tools: Tools, make_card, barista: StaffCaller, elsewhere, clock: Clock
):
    card = make_card()
    first = stamp(tools, card.card_id, barista)
    clock.forward(5 * MINUTE)
    second = stamp(tools, card.card_id, elsewhere)
    watch.look(tools)

    [signal] = raised(tools, "card_in_two_places")
    assert signal.card_id == card.card_id
    assert signal.evidence["entries"] == [first["stamp_id"], second["stamp_id"]]
    assert (signal.evidence["place"], signal.evidence["other_place"]) == (
        "Nyhavn",
        "Torvet",
    )
    # The same person cannot be at both either.
    assert len(raised(tools, "person_in_two_places")) == 1


def test_who_takes_a_walk_between_two_places_is_not_odd(
    tools: Tools, make_card, barista: StaffCaller, elsewhere, clock: Clock
):
    card = make_card()
    stamp(tools, card.card_id, barista)
    clock.forward(15 * MINUTE)
    stamp(tools, card.card_id, elsewhere)

    watch.look(tools)

    assert raised(tools) == []


def test_a_favourite_stands_out_from_the_other_cards_of_a_person(
    tools: Tools, make_card, barista: StaffCaller, clock: Clock
):
    others = [make_card(f"Guest {number}").card_id for number in range(12)]
    friend = make_card("Friend").card_id
    for day in range(8):
        for card_id in others if day % 4 == 0 else ():
            stamp(tools, card_id, barista)
        stamp(tools, friend, barista, 3)
        clock.forward(DAY)
        watch.look(tools)

    [signal] = raised(tools, "favourite")
    assert (signal.card_id, signal.staff_id) == (friend, barista.staff_id)
    assert signal.evidence["usual"] <= 3
    # Brought up to date day by day, until somebody looks at it.
    assert signal.evidence["stamps"] == 24


def test_many_cards_of_one_device_are_one_signal(
    tools: Tools, founded: Founded, clock: Clock
):
    for _ in range(7):
        members.join(tools, device="203.0.113.9", browser="Phone 1")
        clock.forward(MINUTE)
    for number in range(7):
        # A coffee shop's guests share an address, and are no burst.
        members.join(tools, device="203.0.113.7", browser=f"Phone {number}")
    members.join(tools, device="127.0.0.1", browser="Phone 1")

    watch.look(tools)
    watch.look(tools)

    [signal] = raised(tools)
    assert (signal.kind, signal.evidence["times"]) == ("join_burst", 7)
    assert len(signal.evidence["cards"]) == 7


def test_the_device_that_joined_is_a_hash_and_is_forgotten(
    tools: Tools, founded: Founded, clock: Clock
):
    joined = members.join(tools, device="203.0.113.9", browser="Phone 1")

    def known() -> str | None:
        with tools.database.read() as tx:
            return tx.get_one(Member, joined.member_id).joined_from

    before = known()
    assert before is not None
    assert "203" not in before[:3]
    assert len(before) == 32
    watch.look(tools)
    assert known() == before

    clock.forward(31 * DAY)
    watch.look(tools)

    assert known() is None


def test_a_reward_soon_after_joining(
    tools: Tools, make_card, give, barista: StaffCaller, clock: Clock
):
    card = give(make_card(), 10)
    clock.forward(2 * HOUR)
    redeem(tools, card, barista)

    watch.look(tools)
    watch.look(tools)

    [signal] = raised(tools, "quick_reward")
    assert (signal.card_id, signal.staff_id) == (card.card_id, barista.staff_id)
    assert signal.evidence["minutes"] == 120


def test_a_reward_after_days_is_none(
    tools: Tools, make_card, give, barista: StaffCaller, clock: Clock
):
    card = give(make_card(), 10)
    clock.forward(2 * DAY)
    redeem(tools, card, barista)

    watch.look(tools)

    assert raised(tools) == []


def redeem(tools: Tools, card: cards.CardState, staff: StaffCaller) -> UUID:
    voucher = next(each for each in card.vouchers if each.state == "issued")
    code = rewards.voucher_code(tools, voucher.voucher_id, card.member_id).code
    spent = rewards.redeem(tools, code, request_id=uuid4().hex, staff=staff)
    return UUID(spent.answer["redemption_id"])


def test_many_undos_of_one_person_on_one_day(
    tools: Tools, make_card, barista: StaffCaller
):
    card = make_card()
    for _ in range(6):
        given = stamp(tools, card.card_id, barista)
        stamping.reverse_stamp(
            tools, UUID(given["stamp_id"]), staff=barista, reason="Wrong"
        )

    watch.look(tools)

    [signal] = raised(tools, "many_undos")
    assert (signal.evidence["times"], signal.evidence["given"]) == (6, 6)


def test_a_few_undos_among_many_stamps_are_nothing(
    tools: Tools, make_card, barista: StaffCaller
):
    for number in range(20):
        given = stamp(tools, make_card().card_id, barista)
        if number < 4:
            stamping.reverse_stamp(
                tools, UUID(given["stamp_id"]), staff=barista, reason="Wrong"
            )

    watch.look(tools)

    assert raised(tools) == []


def test_rewards_taken_back_again_and_again(
    tools: Tools, make_card, give, barista: StaffCaller, clock: Clock
):
    card = give(make_card(), 10)
    clock.forward(3 * DAY)
    for _ in range(3):
        redemption = redeem(tools, cards.card(tools, card.card_id), barista)
        rewards.reverse_redemption(
            tools, redemption, staff=barista, reason="Not wanted"
        )
        clock.forward(HOUR)

    watch.look(tools)

    [signal] = raised(tools, "many_undos")
    assert signal.evidence["rewards"] is True
    assert signal.card_id == card.card_id


def test_a_limit_that_is_met_is_a_signal_once_an_hour(
    tools: Tools, make_card, barista: StaffCaller, owner, founded: Founded
):
    wanted = dataclasses.replace(limits.NONE, per_card=2)
    shop.save_limits(tools, founded.programme_id, wanted, by=owner)
    card = make_card()
    stamp(tools, card.card_id, barista, 2)
    for _ in range(4):
        with pytest.raises(LimitReached):
            stamp(tools, card.card_id, barista)

    [signal] = raised(tools)
    assert (signal.kind, signal.card_id) == ("limit_met", card.card_id)
    assert signal.evidence == {"limit": "stamps_per_card", "most": 2}


def test_looking_changes_no_entry_and_no_card(
    tools: Tools, make_card, give, barista: StaffCaller
):
    card = give(make_card(), 12)
    with tools.database.read() as tx:
        before = tx.scalar(select(func.count()).select_from(LedgerEntry))
    version = cards.card(tools, card.card_id).version

    watch.look(tools)

    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(LedgerEntry)) == before
    assert cards.card(tools, card.card_id).version == version


def test_a_watch_that_was_away_makes_up_for_it(
    tools: Tools, make_card, barista: StaffCaller, elsewhere, clock: Clock
):
    watch.look(tools)
    clock.forward(DAY)
    card = make_card()
    stamp(tools, card.card_id, barista)
    clock.forward(MINUTE)
    stamp(tools, card.card_id, elsewhere)
    clock.forward(5 * DAY)

    watch.look(tools)

    assert len(raised(tools, "card_in_two_places")) == 1


@both_books
def test_of_many_looks_at_once_each_thing_is_told_once(
    make_tools: Callable[..., Tools],
    tools: Tools,
    make_card,
    barista: StaffCaller,
    elsewhere,
    counts,
):
    card = make_card()
    stamp(tools, card.card_id, barista)
    stamp(tools, card.card_id, elsewhere)
    at_once = 6
    workers = [make_tools() for _ in range(at_once)]
    start = Barrier(at_once)

    def look(mine: Tools) -> int:
        start.wait()
        return watch.look(mine)

    with ThreadPoolExecutor(at_once) as pool:
        found = list(pool.map(look, workers))

    assert found == [2] * at_once
    assert sorted(row.kind for row in raised(tools)) == [
        "card_in_two_places",
        "person_in_two_places",
    ]
    counts(tried=sum(found), accepted=2, lost=0, doubled=0)


@both_books
def test_what_was_looked_at_keeps_its_evidence(tools: Tools, founded, owner):
    def put(times: int) -> None:
        with tools.database.begin() as tx:
            signals.put(
                tx,
                Raised("favourite", tools.now(), {"times": times}, once="one"),
            )

    put(1)
    put(2)
    [signal] = raised(tools)
    assert signal.evidence == {"times": 2}

    desk.judge(tools, signal.signal_id, state="looked_at", by=owner)
    put(3)

    [signal] = raised(tools)
    assert (signal.evidence, signal.state) == ({"times": 2}, "looked_at")


def test_a_verdict_has_a_person_a_moment_a_note_and_a_line(
    tools: Tools, founded: Founded, owner: ConsoleCaller
):
    with tools.database.begin() as tx:
        signals.put(tx, Raised("spent_code", tools.now(), {}))
    [row] = raised(tools)
    assert desk.count_new(tools) == 1

    desk.judge(tools, row.signal_id, state="confirmed", note=" A screenshot ", by=owner)
    desk.judge(tools, row.signal_id, state="dismissed", by=owner)

    seen = desk.signal(tools, row.signal_id)
    assert (seen.state, seen.note) == ("dismissed", "A screenshot")
    assert seen.judged_at is not None
    assert desk.count_new(tools) == 0
    assert desk.counts(tools)["dismissed"] == 1
    with tools.database.read() as tx:
        lines = tx.scalars(
            select(AuditEntry).where(AuditEntry.action == "signal.judged")
        ).all()
    assert [(line.detail["was"], line.detail["now"]) for line in lines] == [
        ("new", "confirmed"),
        ("confirmed", "dismissed"),
    ]


def test_a_verdict_that_makes_no_sense_is_refused(
    tools: Tools, founded: Founded, owner: ConsoleCaller
):
    with tools.database.begin() as tx:
        signals.put(tx, Raised("spent_code", tools.now(), {}))
    [row] = raised(tools)

    with pytest.raises(InvalidRequest):
        desk.judge(tools, row.signal_id, state="guilty", by=owner)
    with pytest.raises(InvalidRequest):
        desk.judge(tools, row.signal_id, state="new", note="x" * 501, by=owner)
    with pytest.raises(NotFound):
        desk.judge(tools, uuid4(), state="new", by=owner)
    someone = ConsoleCaller(founded.staff_id, "Bo", "barista")
    with pytest.raises(Forbidden):
        desk.judge(tools, row.signal_id, state="new", by=someone)


def test_stamps_by_hand_are_kept_quietly(tools: Tools, founded: Founded):
    with tools.database.begin() as tx:
        signals.put(tx, Raised("by_hand", tools.now(), {"stamps": 1}))
        signals.put(tx, Raised("spent_code", tools.now(), {}))

    assert desk.count_new(tools) == 1
    assert [one.kind for one in desk.signals(tools)] == ["spent_code"]
    assert [one.kind for one in desk.signals(tools, kind="by_hand")] == ["by_hand"]


def test_a_paused_card_takes_nothing_and_gives_nothing_until_it_goes_on(
    tools: Tools, make_card, give, barista: StaffCaller, owner: ConsoleCaller
):
    card = give(make_card(), 11)
    shown = stamping.card_code(tools, card.card_id).code
    voucher_id = card.vouchers[0].voucher_id
    voucher = rewards.voucher_code(tools, voucher_id, card.member_id).code
    collected = stamping.stamp_code(tools, barista, 1).code
    shop.pause_card(tools, card.card_id, is_paused=True, by=owner)
    doors = (
        lambda: stamping.card_code(tools, card.card_id),
        lambda: rewards.voucher_code(tools, voucher_id, card.member_id),
        lambda: stamping.stamp(
            tools, shown, stamps=1, request_id=uuid4().hex, staff=barista
        ),
        lambda: rewards.redeem(tools, voucher, request_id=uuid4().hex, staff=barista),
        lambda: stamping.collect(tools, collected, card_id=card.card_id),
    )
    for door in doors:
        with pytest.raises(CardClosed) as refused:
            door()
        assert refused.value.is_paused

    shop.pause_card(tools, card.card_id, is_paused=False, by=owner)

    # No code was used up.
    stamping.stamp(tools, shown, stamps=1, request_id=uuid4().hex, staff=barista)
    stamping.collect(tools, collected, card_id=card.card_id)
    rewards.redeem(tools, voucher, request_id=uuid4().hex, staff=barista)
    assert cards.card(tools, card.card_id).stamps == 3
    with tools.database.read() as tx:
        actions = list(tx.scalars(select(AuditEntry.action)))
    assert actions[-2:] == ["card.paused", "card.resumed"]


def test_a_phone_hears_of_a_pause_by_its_tag(tools: Tools, make_card, owner):
    card = make_card()
    shop.pause_card(tools, card.card_id, is_paused=True, by=owner)

    assert cards.tag(tools, card.card_id)[0] != card.tag
    assert cards.card(tools, card.card_id).paused_at is not None
    with pytest.raises(NotFound):
        shop.pause_card(tools, uuid4(), is_paused=True, by=owner)


def test_signing_out_everywhere_ends_every_session_of_a_person(
    tools: Tools, make_staff, owner: ConsoleCaller, founded: Founded
):
    from app.programme import sessions, staff  # noqa: PLC0415

    caller = make_staff()
    with tools.database.begin() as tx:
        tokens = [
            sessions.grant(
                tx,
                tools,
                "staff",
                terminal_id=caller.terminal_id,
                staff_id=caller.staff_id,
            ),
            sessions.grant(tx, tools, "console", staff_id=caller.staff_id),
        ]

    shop.sign_out_everywhere(tools, caller.staff_id, by=owner)

    for token in tokens:
        with pytest.raises(sessions.Unauthenticated):
            sessions.who(tools, token)
    terminal = sessions.TerminalCaller(
        caller.terminal_id, "Till", caller.location_id, "Nyhavn"
    )
    # The PIN stays good.
    assert staff.sign_in(tools, terminal, founded.staff_id, founded.pin).token


@pytest.mark.parametrize(
    ("days", "at", "is_open"),
    [
        (((480, 1020),) * 7, "2026-03-02T09:00", True),
        (((480, 1020),) * 7, "2026-03-02T07:31", True),
        (((480, 1020),) * 7, "2026-03-02T07:29", False),
        (((480, 1020),) * 7, "2026-03-02T17:31", False),
        (((480, 1020),) * 6 + (None,), "2026-03-01T12:00", False),
        # Until one o'clock of the next day.
        (((1080, 1500),) * 7, "2026-03-03T00:59", True),
        (((1080, 1500),) * 7, "2026-03-03T01:31", False),
        # The early bird of a place that opens at midnight.
        ((None,) * 6 + ((0, 600),), "2026-02-28T23:45", True),
    ],
)
def test_opening_hours_are_those_of_the_place(
    days: tuple[Any, ...], at: str, is_open: bool
):
    moment = datetime.fromisoformat(at).replace(tzinfo=COPENHAGEN).astimezone(UTC)

    assert Hours(days).is_open(moment, COPENHAGEN) is is_open


def test_hours_are_read_as_people_type_them():
    wrong: dict[str, str] = {}
    day = [("7:30", "18.00")] + [("", "")] * 5 + [("18:00", "1:00")]

    found = hours.typed(day, wrong)

    assert wrong == {}
    assert found == Hours(((450, 1080), *(None,) * 5, (1080, 1500)))
    assert hours.read(hours.kept(found)) == found
    assert hours.typed([("", "")] * 7, wrong) is None
    for pair in (("7", "9"), ("7:30", ""), ("25:00", "26:00"), ("8:00", "8:00")):
        wrong = {}
        assert hours.typed([pair] + [("", "")] * 6, wrong) is None
        assert wrong == {"hours_0": "not_a_time"}


def test_a_used_code_is_told_by_whom_it_counted(
    tools: Tools, make_card, barista: StaffCaller
):
    card = make_card()
    code = stamping.card_code(tools, card.card_id).code
    stamping.stamp(tools, code, stamps=1, request_id="one", staff=barista)
    with pytest.raises(CodeSpent):
        stamping.stamp(tools, code, stamps=1, request_id="two", staff=barista)

    [seen] = desk.signals(tools)

    assert (seen.kind, seen.card_number) == ("spent_code", card.number)


def test_a_shop_is_founded_with_the_limits_of_its_charter(tools: Tools):
    founded = founding.found(tools)

    with tools.database.read() as tx:
        row = tx.get_one(founding.Programme, founded.programme_id)
        assert limits.of(row) == Limits(5, 20, 400, 400, 2000)

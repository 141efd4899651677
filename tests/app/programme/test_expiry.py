"""Vouchers end when they were said to: not earlier, not later, not for anybody."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import func, select

from app.programme import cards, expiry, history, proofs, rewards, shop, stamping
from app.programme.cards import CardState
from app.programme.errors import Refused, VoucherExpired, VoucherSpent
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import LedgerEntry
from app.tools import Tools
from tests.conftest import both_books

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
TILLS = 12


def at(tools: Tools, moment: datetime) -> Tools:
    """The same shop at a moment that stands still."""
    return dataclasses.replace(tools, now=lambda: moment)


def redeem(tools: Tools, code: str, staff: StaffCaller, request_id: str | None = None):
    return rewards.redeem(
        tools, code, request_id=request_id or uuid4().hex, staff=staff
    )


def shown(tools: Tools, card: CardState) -> str:
    voucher_id = card.vouchers[0].voucher_id
    return rewards.voucher_code(tools, voucher_id, card.member_id).code


def end_of(card: CardState) -> datetime:
    end = card.vouchers[0].expires_at
    assert end is not None
    return end


@pytest.fixture
def ending(tools, good_for, make_card, give) -> CardState:
    """A card with a voucher that ends tomorrow night."""
    good_for(1)
    return give(make_card(), 10)


# When an end is


@pytest.mark.parametrize(
    ("issued", "days", "zone", "end"),
    [
        # an ordinary day, in winter and in summer
        ("2026-01-12T09:00", 1, "Europe/Copenhagen", "2026-01-13T22:59:59"),
        ("2026-07-06T09:00", 3, "Europe/Copenhagen", "2026-07-09T21:59:59"),
        # late in the evening, when it is tomorrow elsewhere already
        ("2026-01-12T22:30", 1, "Europe/Copenhagen", "2026-01-13T22:59:59"),
        ("2026-01-12T23:30", 1, "Europe/Copenhagen", "2026-01-14T22:59:59"),
        # clocks go forward, and back: a day of 23 hours, and one of 25
        ("2026-03-28T09:00", 1, "Europe/Copenhagen", "2026-03-29T21:59:59"),
        ("2026-10-24T09:00", 1, "Europe/Copenhagen", "2026-10-25T22:59:59"),
        # midnight is skipped; it comes twice; the hour before it comes twice
        ("2026-04-22T09:00", 1, "Africa/Cairo", "2026-04-23T21:59:59"),
        ("2026-10-30T12:00", 1, "America/Havana", "2026-11-01T03:59:59"),
        ("2026-10-28T09:00", 1, "Africa/Cairo", "2026-10-29T21:59:59"),
        # ten years
        ("2026-01-12T09:00", 3650, "UTC", "2036-01-10T23:59:59"),
    ],
)
def test_an_end_is_the_last_second_of_a_day_of_the_shop(issued, days, zone, end):
    issued_at = datetime.fromisoformat(issued).replace(tzinfo=UTC)

    told = expiry.end_of(issued_at, days, ZoneInfo(zone))

    assert told == datetime.fromisoformat(end).replace(tzinfo=UTC)


@given(
    issued_at=some.datetimes(
        datetime(2024, 1, 1),  # noqa: DTZ001 -- the strategy adds the zone
        datetime(2036, 1, 1),  # noqa: DTZ001
        timezones=some.just(UTC),
    ),
    days=some.integers(1, 3650),
    name=some.sampled_from(
        ["Europe/Copenhagen", "America/Havana", "Africa/Cairo", "Asia/Kathmandu",
         "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]
    ),
)  # fmt: skip
def test_whatever_the_zone_the_day_is_whole_and_no_longer(issued_at, days, name):
    zone = ZoneInfo(name)

    end = expiry.end_of(issued_at, days, zone)

    last_day = issued_at.astimezone(zone).date() + timedelta(days=days)
    assert end.astimezone(zone).date() == last_day
    after = (end + timedelta(seconds=1)).astimezone(zone).date()
    assert after == last_day + timedelta(days=1)
    assert expiry.days_left(end, issued_at, zone) == days


def test_a_shop_without_days_promises_no_end(tools, make_card, give, barista):
    card = give(make_card(), 10)
    later = at(tools, tools.now() + timedelta(days=4000))

    assert card.vouchers[0].expires_at is None
    assert cards.card(later, card.card_id).vouchers[0].state == "issued"
    assert redeem(later, shown(later, card), barista).answer["redemption_id"]


def test_a_voucher_keeps_the_end_that_it_was_promised(
    tools, founded, good_for, make_card, give
):
    owner = ConsoleCaller(founded.staff_id, "Owner", "owner")
    good_for(30)
    card = give(make_card(), 10)
    promised = end_of(card)

    # when the programme promises less, and the shop moves
    good_for(2)
    shop.update_shop(
        tools, name="Kaffe", colour="#0f5c4a", timezone="Asia/Tokyo", by=owner
    )
    card = give(card, 10)

    new, old = card.vouchers
    assert old.expires_at == promised
    tokyo = ZoneInfo("Asia/Tokyo")
    assert new.expires_at == expiry.end_of(new.issued_at, 2, tokyo)


# What ends with it


@both_books
def test_to_the_last_second_it_is_good_and_then_it_is_not(
    tools, good_for, make_card, give, barista
):
    good_for(1)
    one, other = give(make_card(), 10), give(make_card(), 10)
    end = end_of(one)
    in_time, late = at(tools, end), at(tools, end + timedelta(microseconds=1))
    codes = [shown(in_time, one), shown(in_time, other)]

    redeemed = redeem(in_time, codes[0], barista)
    with pytest.raises(VoucherExpired) as refused:
        redeem(late, codes[1], barista)

    assert redeemed.answer["voucher"]["state"] == "redeemed"
    assert redeemed.answer["voucher"]["expires_at"] == end.isoformat()
    assert refused.value.ended_at == end
    assert cards.card(late, other.card_id).vouchers[0].state == "expired"


def test_a_refusal_leaves_nothing_behind(tools, ending, barista):
    end = end_of(ending)
    code = shown(at(tools, end), ending)

    with pytest.raises(VoucherExpired):
        redeem(at(tools, end + timedelta(seconds=1)), code, barista)

    with tools.database.read() as tx:
        used = LedgerEntry.rule == cards.RULE_VOUCHER_USED
        assert tx.scalar(select(func.count()).where(used)) == 0
    # the code was not spent: by a clock that is behind it would be good
    assert redeem(at(tools, end), code, barista).answer["redemption_id"]


def test_no_code_is_issued_for_an_expired_voucher(tools, ending):
    late = at(tools, end_of(ending) + timedelta(seconds=1))

    with pytest.raises(VoucherExpired):
        shown(late, ending)


@both_books
def test_of_many_tills_around_the_last_second_one_in_time_counts(
    tools, make_tools, good_for, make_card, give, barista, counts
):
    """One voucher, many codes, half of the tills a moment too late."""
    good_for(1)
    card = give(make_card(), 10)
    end = end_of(card)
    moments = [end, end + timedelta(microseconds=1)] * (TILLS // 2)
    scans = [
        (at(make_tools(), moment), shown(at(tools, end), card)) for moment in moments
    ]

    def at_till(scan: tuple[Tools, str]) -> str:
        try:
            redeem(*scan, barista)
        except Refused as refusal:
            return refusal.code
        return "redeemed"

    with ThreadPoolExecutor(TILLS) as pool:
        answers = list(pool.map(at_till, scans))

    in_time, late = answers[::2], answers[1::2]
    assert in_time.count("redeemed") == 1
    assert in_time.count("voucher_spent") == len(in_time) - 1
    assert set(late) <= {"voucher_expired", "voucher_spent"}
    assert cards.card(tools, card.card_id).vouchers[0].redeemed_at == end
    assert proofs.prove(at(tools, end)).findings == ()
    counts(tills=TILLS, in_time=len(in_time), redeemed=answers.count("redeemed"))


def test_a_retry_after_the_end_gets_its_first_answer(tools, ending, barista):
    end = end_of(ending)
    code = shown(at(tools, end), ending)
    first = redeem(at(tools, end), code, barista, "one")

    again = redeem(at(tools, end + timedelta(days=2)), code, barista, "one")

    assert again.is_repeat
    assert again.answer == first.answer


def test_what_is_given_back_after_its_end_is_given_back_expired(tools, ending, barista):
    end = end_of(ending)
    used = redeem(at(tools, end), shown(at(tools, end), ending), barista)
    late = at(tools, end + timedelta(hours=9))

    back = rewards.reverse_redemption(
        late, UUID(used.answer["redemption_id"]), staff=barista, reason="slip"
    )

    assert back.answer["voucher"]["state"] == "expired"
    assert back.answer["voucher"]["expires_at"] == end.isoformat()
    with pytest.raises(VoucherExpired):
        shown(late, ending)
    assert proofs.prove(late).findings == ()


def test_the_stamps_of_an_expired_voucher_go_back_with_it(
    tools, good_for, make_card, give, barista
):
    good_for(1)
    card = give(make_card(), 9)
    code = stamping.card_code(tools, card.card_id).code
    last = stamping.stamp(tools, code, stamps=1, request_id="last", staff=barista)
    late = at(tools, end_of(cards.card(tools, card.card_id)) + timedelta(days=9))

    # somebody who leads: nobody else undoes so late
    stamping.reverse_stamp(
        late, UUID(last.answer["stamp_id"]), staff=barista, reason="slip"
    )

    after = cards.card(late, card.card_id)
    assert (after.stamps, after.vouchers[0].state) == (9, "voided")
    assert proofs.prove(late).findings == ()


def test_a_used_voucher_is_told_as_used_for_ever(tools, ending, barista):
    redeem(tools, shown(tools, ending), barista)
    late = at(tools, end_of(ending) + timedelta(days=9))

    assert cards.card(late, ending.card_id).vouchers[0].state == "redeemed"
    with pytest.raises(VoucherSpent):
        shown(late, ending)


# How people hear of it


@both_books
def test_the_tag_changes_whenever_other_words_are_told(
    tools, good_for, make_card, give
):
    good_for(12)
    card = give(make_card(), 10)
    end = end_of(card)
    local = end.astimezone(COPENHAGEN)

    def tag(days: int, hour: int) -> str:
        """The tag so many days before the last one, by the clock in the shop."""
        moment = (local - timedelta(days=days)).replace(hour=hour)
        there = at(tools, moment.astimezone(UTC))
        told, _ = cards.tag(there, card.card_id)
        assert told == cards.card(there, card.card_id).tag
        return told

    far = [tag(days, hour) for days in (11, 9, 8) for hour in (1, 22)]
    near = [tag(days, hour) for days in range(7, -1, -1) for hour in (1, 22)]
    over, _ = cards.tag(at(tools, end + timedelta(seconds=1)), card.card_id)

    assert len(set(far)) == 1
    assert near[::2] == near[1::2]
    assert len({*far, *near, over}) == 1 + 8 + 1
    assert {told.partition("-")[0] for told in (*far, over)} == {str(card.version)}


def test_soon_is_seven_days(tools, good_for, make_card, give):
    good_for(8)
    card = give(make_card(), 10)
    tomorrow = at(tools, tools.now() + timedelta(days=1))

    assert (card.vouchers[0].days_left, card.vouchers[0].is_soon) == (8, False)
    after = cards.card(tomorrow, card.card_id).vouchers[0]
    assert (after.days_left, after.is_soon) == (7, True)


def test_an_end_stands_in_the_history_where_it_came(
    tools, good_for, make_card, give, clock
):
    good_for(1)
    card = give(make_card(), 11)
    end = end_of(card)
    clock.forward(timedelta(days=3))
    give(card, 1)

    lines = history.of_card(tools, card.card_id)

    assert [line.kind for line in lines[:3]] == ["EARN", "EXPIRE", "EARN"]
    assert (lines[1].at, lines[1].entry_id) == (end, None)
    assert lines[1].voucher_reward == "Free coffee"
    # a short list is the beginning of the long one
    assert history.of_card(tools, card.card_id, limit=2) == lines[:2]

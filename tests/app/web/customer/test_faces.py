from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.programme import cards, codes, history, rewards, stamping
from app.web.customer import faces

pytestmark = pytest.mark.usefixtures("in_request")


@pytest.fixture
def look(tools):
    """A card's state and its history."""

    def at(card):
        return cards.card(tools, card.card_id), history.of_card(tools, card.card_id)

    return at


def test_a_card_has_a_place_for_each_stamp_and_the_reward_last(tools, make_card, give):
    card = give(make_card(), 3)

    face = faces.face(
        card, history.of_card(tools, card.card_id), now=tools.now(), new=1
    )

    assert len(face.places) == 10
    assert [bool(place.postmark) for place in face.places] == [True] * 3 + [False] * 7
    assert [place.is_new for place in face.places[:3]] == [False, False, True]


def test_a_stamp_without_a_mark_still_fills_its_place(make_card, give, tools):
    card = dataclasses.replace(give(make_card(), 2), stamps=4)

    face = faces.face(card, [], now=tools.now())

    assert sum(bool(place.postmark) for place in face.places) == 4


def test_the_list_is_short_and_says_that_there_is_more(tools, make_card, give):
    card = make_card()
    for _ in range(7):
        give(card, 1)
    state = cards.card(tools, card.card_id)

    face = faces.face(state, history.of_card(tools, card.card_id), now=tools.now())

    assert len(face.lines) == faces.SHOWN_LINES
    assert face.has_more


def test_a_new_stamp_is_news_with_its_place(make_card, give, look):
    card = make_card()

    state, happened = look(give(card, 2))
    news = faces.news_since("none", state, happened)

    assert news.kind == "given"
    assert news.title == "2 stamps from Nyhavn"
    assert news.text == "8 more stamps, then: Free coffee"
    assert len(news.postmarks) == 2


def test_only_what_came_since_the_last_look_is_news(make_card, give, look):
    card = make_card()
    _, before = look(give(card, 4))

    state, happened = look(give(card, 1))
    news = faces.news_since(str(before[0].entry_id), state, happened)

    assert news.title == "A stamp from Nyhavn"


def test_nothing_new_is_no_news(make_card, give, look):
    state, happened = look(give(make_card(), 1))

    assert faces.news_since(str(happened[0].entry_id), state, happened) is None


@pytest.mark.parametrize("entry", ["", str(UUID(int=7)), "<script>"])
def test_a_page_too_old_to_be_told_gets_no_news(make_card, give, look, entry):
    state, happened = look(give(make_card(), 1))

    assert faces.news_since(entry, state, happened) is None


def test_a_full_card_is_told_though_its_stamps_are_gone(make_card, give, look):
    card = make_card()
    give(card, 9)
    _, before = look(card)

    state, happened = look(give(card, 1))
    news = faces.news_since(str(before[0].entry_id), state, happened)

    assert state.stamps == 0
    assert news.title == "A stamp from Nyhavn"
    assert news.text == "The card is full. Yours: Free coffee"
    assert news.postmarks == ()


def test_a_used_voucher_is_news(tools, make_card, give, barista, look):
    card = give(make_card(), 10)
    voucher = card.vouchers[0]
    _, before = look(card)
    code = rewards.voucher_code(tools, voucher.voucher_id, card.member_id).code
    rewards.redeem(tools, code, request_id=uuid4().hex, staff=barista)

    state, happened = look(card)
    news = faces.news_since(str(before[0].entry_id), state, happened)

    assert (news.kind, news.title, news.text) == ("used", "Voucher used", "Free coffee")


def test_a_stamp_taken_back_is_news_with_its_reason(
    tools, make_card, give, barista, look
):
    card = give(make_card(), 2)
    _, before = look(card)
    stamping.reverse_stamp(
        tools, before[0].entry_id, staff=barista, reason="Wrong card"
    )

    state, happened = look(card)
    news = faces.news_since(str(before[0].entry_id), state, happened)

    assert news.kind == "taken"
    assert news.title == "2 stamps were taken back"
    assert news.text == "Wrong card"


def test_a_voucher_given_back_is_good_news(tools, make_card, give, barista, look):
    card = give(make_card(), 10)
    code = rewards.voucher_code(tools, card.vouchers[0].voucher_id, card.member_id).code
    rewards.redeem(tools, code, request_id=uuid4().hex, staff=barista)
    _, before = look(card)
    rewards.reverse_redemption(
        tools, before[0].entry_id, staff=barista, reason="By mistake"
    )

    state, happened = look(card)
    news = faces.news_since(str(before[0].entry_id), state, happened)

    assert (news.kind, news.title) == ("given", "Your voucher is back")


@pytest.fixture
def days_before(tools):
    """The same shop, so many days before the end of a card's voucher."""

    def at(card, days):
        end = card.vouchers[0].expires_at
        return dataclasses.replace(tools, now=lambda: end - timedelta(days=days))

    return at


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (8, r"Good until \d+ \w+( \d{4})?"),
        (7, "Ends in 7 days"),
        (2, "Ends in 2 days"),
        (1, "Ends tomorrow"),
        (0, "Ends today"),
    ],
)
def test_a_voucher_says_until_when(make_card, give, good_for, days_before, days, words):
    good_for(20)
    card = give(make_card(), 10)
    then = days_before(card, days)

    face = faces.face(cards.card(then, card.card_id), [], now=then.now())

    (held,) = face.waiting
    assert re.fullmatch(words, held.ends)
    assert held.is_soon == (days <= 7)
    assert re.fullmatch(r"Good until \d+ \w+( \d{4})?", held.until)
    assert held.until_at == card.vouchers[0].expires_at.isoformat()


def test_the_voucher_that_ends_first_is_the_first(make_card, give, good_for, tools):
    card = make_card()
    for days in (30, None, 3):
        good_for(days)
        card = give(card, 10)

    face = faces.face(card, [], now=tools.now())

    assert [held.ends[:4] for held in face.waiting] == ["Ends", "Good", ""]


def test_an_expired_voucher_is_history_and_no_news(
    tools, make_card, give, good_for, clock, look
):
    good_for(1)
    card = give(make_card(), 10)
    _, before = look(card)
    clock.forward(timedelta(days=3))

    state, happened = look(card)
    face = faces.face(state, happened, now=tools.now())

    assert (face.waiting, face.state) == ((), "")
    assert face.lines[0].words == "Free coffee, expired"
    assert face.entry == str(before[0].entry_id)
    assert faces.news_since(face.entry, state, happened) is None
    # and what comes after it is told
    news = faces.news_since(face.entry, *look(give(card, 1)))
    assert news.title == "A stamp from Nyhavn"


def test_a_voucher_given_back_too_late_says_when_it_ended(
    tools, make_card, give, good_for, barista, clock, look
):
    good_for(1)
    card = give(make_card(), 10)
    code = rewards.voucher_code(tools, card.vouchers[0].voucher_id, card.member_id).code
    rewards.redeem(tools, code, request_id=uuid4().hex, staff=barista)
    _, before = look(card)
    clock.forward(timedelta(days=3))
    rewards.reverse_redemption(
        tools, before[0].entry_id, staff=barista, reason="By mistake"
    )

    news = faces.news_since(str(before[0].entry_id), *look(card))

    assert news.title == "Your voucher is back"
    assert news.text.startswith("Ended on ")


def test_the_last_row_of_places_is_never_left_with_one():
    rows = {required: faces.across(required) for required in range(4, 61)}

    assert [n for n, row in rows.items() if n % row == 1] == []
    assert rows[10] == 5


def test_stamps_that_wait_are_drawn_one_by_one(tools, barista):
    seen = codes.peek(tools, stamping.stamp_code(tools, barista, 3).code)

    drawn = faces.waiting_marks(3, "Nyhavn", seen.code.nonce.hex(), tools.now())

    assert len(set(drawn)) == 3
    assert all("NYHAVN" in picture for picture in drawn)

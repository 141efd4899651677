from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import redis

from app.programme import cards, codes, members, rewards, staff, stamping
from app.programme.errors import CodeSpent, Refused, StoreDown
from app.store.errors import DatabaseDown
from app.web.customer import landings


def every(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(every(child) for child in kind.__subclasses__()))


def test_a_waiting_stamp_says_how_many_and_from_where(phone, tools, barista):
    code = stamping.stamp_code(tools, barista, 2)

    page = phone.get(f"/S/{code.code}")

    assert page.status_code == 200
    assert "2 stamps from Nyhavn" in page.text
    assert "Get my card and collect" in page.text
    assert "Already have a card?" in page.text


@pytest.mark.parametrize("times", [1, 20])
def test_looking_spends_nothing(phone, tools, barista, times):
    code = stamping.stamp_code(tools, barista, 2).code

    for _ in range(times):
        phone.get(f"/S/{code}")
        phone.client.head(f"/S/{code}")
        phone.get(f"/s/{code.lower()}")

    assert codes.peek(tools, code).state == "waiting"
    assert members_count(phone) == 0


def members_count(phone) -> int:
    return int(phone.client.get_cookie("pp_member") is not None)


def test_a_stranger_joins_and_collects_with_one_button(phone, tools, barista):
    code = stamping.stamp_code(tools, barista, 2).code

    answer = phone.submit(f"/S/{code}", "/collect", code=code, name="Bo")
    page = phone.get(answer.location)

    assert answer.status_code == 303
    assert "<strong>2</strong> / 10" in page.text
    assert "Bo" in page.text
    assert "place--new" in page.text


def test_a_member_collects_on_the_card_there_is(anna, tools, barista):
    phone, card_id = anna
    code = stamping.stamp_code(tools, barista, 1).code

    answer = phone.submit(f"/S/{code}", "/collect", code=code)

    assert answer.location.startswith(f"/card/{card_id}")
    assert cards.card(tools, card_id).stamps == 1


def test_a_double_tap_counts_once_and_ends_on_the_card(phone, tools, barista):
    code = stamping.stamp_code(tools, barista, 2).code

    first = phone.submit(f"/S/{code}", "/collect", code=code)
    second = phone.submit("/card", "/collect", code=code)

    assert second.status_code == 303
    assert second.location == first.location
    assert cards.card(tools, card_of(first.location)).stamps == 2


def card_of(location: str):
    return UUID(location.removeprefix("/card/").split("?", maxsplit=1)[0])


def test_somebody_elses_card_is_never_collected_on(anna, make_card, tools, barista):
    phone, card_id = anna
    other = make_card("Bo")
    code = stamping.stamp_code(tools, barista, 1).code

    phone.submit(f"/S/{code}", "/collect", code=code, card_id=str(other.card_id))

    assert cards.card(tools, other.card_id).stamps == 0
    assert cards.card(tools, card_id).stamps == 1


def test_collecting_without_the_forms_token_is_refused(phone, tools, barista):
    code = stamping.stamp_code(tools, barista, 1).code

    answer = phone.client.post("/collect", data={"code": code})

    assert answer.status_code == 403
    assert codes.peek(tools, code).state == "waiting"


def test_a_collected_stamp_says_so(make_phone, tools, barista):
    code = stamping.stamp_code(tools, barista, 1).code
    make_phone().submit(f"/S/{code}", "/collect", code=code)

    page = make_phone().get(f"/S/{code}")

    assert page.status_code == 409
    assert "Already collected" in page.text


def test_a_stranger_who_comes_late_is_not_left_with_an_empty_card(
    make_phone, tools, barista
):
    code = stamping.stamp_code(tools, barista, 1).code
    late = make_phone()
    late.get(f"/S/{code}")
    make_phone().submit(f"/S/{code}", "/collect", code=code)

    answer = late.submit("/join", "/collect", code=code)

    assert answer.status_code == 409
    assert late.client.get_cookie("pp_member") is None


def test_an_expired_stamp_asks_for_a_new_one(phone, tools, barista, clock):
    code = stamping.stamp_code(tools, barista, 1).code
    clock.forward(timedelta(minutes=3))

    page = phone.get(f"/S/{code}")

    assert page.status_code == 410
    assert "This code is too old" in page.text
    assert "Collect" not in page.text


def test_a_stamp_that_the_store_forgot_asks_for_a_fresh_one(
    phone, tools, barista, redis_url
):
    code = stamping.stamp_code(tools, barista, 1).code
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()

    page = phone.get(f"/S/{code}")

    assert page.status_code == 410
    assert "does not work any more" in page.text


def test_a_cards_code_says_that_it_is_for_the_till(phone, tools, make_card):
    code = stamping.card_code(tools, make_card().card_id).code

    page = phone.get(f"/S/{code}")

    assert "somebody&#39;s card" in page.text
    assert 'action="/collect"' not in page.text


def test_a_vouchers_code_says_that_it_is_for_the_till(phone, tools, make_card, give):
    card = give(make_card(), 10)
    voucher = card.vouchers[0].voucher_id
    code = rewards.voucher_code(tools, voucher, card.member_id).code

    page = phone.get(f"/S/{code}")

    assert "This is a voucher" in page.text


def test_an_enrolment_leads_to_the_till_with_the_code_in_the_fragment(
    phone, tools, founded
):
    code = staff.enrolment_code(tools, founded.location_id).code

    page = phone.get(f"/S/{code}")

    assert f'href="/counter/enrol#enrol={code}"' in page.text


@pytest.mark.parametrize("text", ["HELLO", "A" * 128, "%3Cscript%3E", "é" * 128])
def test_nonsense_is_met_calmly(phone, text):
    page = phone.get(f"/S/{text}")

    assert page.status_code == 400
    assert "not one of our codes" in page.text
    assert "<script>" not in page.text


def test_a_page_about_a_code_is_kept_nowhere(phone, tools, barista):
    code = stamping.stamp_code(tools, barista, 1).code

    page = phone.get(f"/S/{code}")

    assert page.headers["Cache-Control"] == "no-store"


def test_with_two_cards_the_page_asks_which(anna, tools, barista, monkeypatch):
    phone, card_id = anna
    first = cards.card(tools, card_id)
    monkeypatch.setattr(cards, "cards_of", lambda *_: [first, first])
    code = stamping.stamp_code(tools, barista, 1).code

    page = phone.get(f"/S/{code}")

    assert "On which card?" in page.text


@pytest.mark.usefixtures("in_request")
@pytest.mark.parametrize(
    "refusal", sorted(every(Refused) | every(StoreDown), key=lambda kind: kind.__name__)
)
def test_each_refusal_has_words_and_a_way_on(refusal):
    said = landings.of_refusal(refusal.__new__(refusal), has_card=True)

    assert said.title
    assert said.text
    assert said.next_url == "/card"
    assert 400 <= said.status < 600


@pytest.mark.usefixtures("in_request")
def test_a_store_that_is_down_is_not_called_a_bad_code():
    said = landings.of_refusal(DatabaseDown(), has_card=False)

    assert said.status == 503
    assert "Nothing was counted" in said.text


@pytest.mark.usefixtures("in_request")
def test_a_phone_without_a_card_is_led_to_one():
    said = landings.of_refusal(CodeSpent(), has_card=False)

    assert said.next_url == "/join"


def test_members_join_in_the_language_of_the_page(phone, tools, barista):
    code = stamping.stamp_code(tools, barista, 1).code
    answer = phone.submit(f"/S/{code}", "/collect", code=code)

    card = cards.card(tools, card_of(answer.location))

    assert members.member(tools, card.member_id).locale == "en"

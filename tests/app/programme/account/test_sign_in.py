"""Signing in by mail: once, for ten minutes, and nobody learns who has an address."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from app.programme import members, sessions
from app.programme.account import details, sign_in, tidying
from app.programme.errors import InvalidRequest, LimitReached
from app.programme.sessions import MemberCaller
from app.store.tables import MailCode
from tests.app.programme.account.conftest import ANNA
from tests.conftest import both_books

CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile"
MANY = 12


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_code_signs_in_and_proves_the_address(tools, anna, mails):
    asked = sign_in.ask(tools, " anna@example.ORG ", device="192.0.2.7")
    (mail,) = mails("sign_in")

    token = sign_in.by_code(tools, asked, f" {mail.facts['code']} ", browser=CHROME)

    assert sessions.who(tools, token) == MemberCaller(anna.member_id)
    assert (mail.address, mail.locale) == (ANNA, "sv")
    assert details.details(tools, anna.member_id).email_confirmed_at is not None


def test_the_link_signs_in_and_the_code_is_spent_with_it(tools, anna, mails):
    asked = sign_in.ask(tools, ANNA)
    facts = mails("sign_in")[0].facts
    assert sign_in.link_works(tools, facts["link"])

    sign_in.by_link(tools, facts["link"])

    assert not sign_in.link_works(tools, facts["link"])
    for again in (
        lambda: sign_in.by_link(tools, facts["link"]),
        lambda: sign_in.by_code(tools, asked, facts["code"]),
    ):
        with pytest.raises(InvalidRequest) as refusal:
            again()
        assert refusal.value.fields == {"code": "dead_code"}


def test_an_address_that_nobody_has_gets_the_same_answer_and_a_mail_that_says_so(
    tools, anna, mails
):
    asked = sign_in.ask(tools, "nobody@example.org", locale="da")

    (mail,) = mails("sign_in_unknown")
    assert (mail.address, mail.facts, mail.locale) == ("nobody@example.org", {}, "da")
    with pytest.raises(InvalidRequest) as refusal:
        sign_in.by_code(tools, asked, "123456")
    assert refusal.value.fields == {"code": "wrong_code"}


def test_the_books_hold_no_code(tools, anna, mails):
    sign_in.ask(tools, ANNA)
    code = mails("sign_in")[0].facts["code"]

    with tools.database.read() as tx:
        row = tx.scalars(select(MailCode)).one()
    assert len(row.code_hash) == 32
    assert code.encode() not in row.code_hash


def test_after_five_wrong_guesses_the_right_one_is_worth_nothing(tools, anna, mails):
    asked = sign_in.ask(tools, ANNA)
    code = mails("sign_in")[0].facts["code"]
    for _ in range(5):
        with pytest.raises(InvalidRequest) as refusal:
            sign_in.by_code(tools, asked, other_than(code))
        assert refusal.value.fields == {"code": "wrong_code"}

    with pytest.raises(InvalidRequest) as refusal:
        sign_in.by_code(tools, asked, code)

    assert refusal.value.fields == {"code": "dead_code"}


def test_after_ten_minutes_code_and_link_are_dead(tools, anna, mails, clock):
    asked = sign_in.ask(tools, ANNA)
    facts = mails("sign_in")[0].facts
    clock.forward(timedelta(minutes=10, seconds=2))

    with pytest.raises(InvalidRequest):
        sign_in.by_code(tools, asked, facts["code"])
    with pytest.raises(InvalidRequest):
        sign_in.by_link(tools, facts["link"])


@pytest.mark.parametrize("digits", ["", "12345", "1234567", "\u0661" * 6, "x" * 5000])
def test_what_is_no_code_is_a_wrong_one(tools, anna, digits):
    asked = sign_in.ask(tools, ANNA)

    with pytest.raises(InvalidRequest) as refusal:
        sign_in.by_code(tools, asked, digits)

    assert refusal.value.fields == {"code": "wrong_code"}


def test_an_address_gets_five_mails_an_hour(tools, anna, mails):
    for _ in range(5):
        sign_in.ask(tools, ANNA)

    with pytest.raises(LimitReached):
        sign_in.ask(tools, ANNA)

    assert len(mails("sign_in")) == 5


def test_without_limits_the_books_count(make_tools, founded, mails):
    tools = make_tools(redis_url="redis://localhost:1")
    members.join(tools, email=ANNA)

    for _ in range(8):
        sign_in.ask(tools, ANNA)

    assert len(mails("sign_in")) == 5


def test_who_proved_an_address_comes_before_who_joined_with_it_first(
    tools, anna, mails
):
    other = members.join(tools, name="Other", email=ANNA)
    first = sign_in.ask(tools, ANNA)
    sign_in.by_code(tools, first, mails("sign_in")[0].facts["code"])

    again = sign_in.ask(tools, ANNA)
    token = sign_in.by_code(tools, again, mails("sign_in")[1].facts["code"])

    assert sessions.who(tools, token) == MemberCaller(anna.member_id)
    assert details.details(tools, other.member_id).email_confirmed_at is None


@both_books
def test_of_many_who_have_the_code_at_once_one_gets_in(tools, anna, mails, counts):
    asked = sign_in.ask(tools, ANNA)
    facts = mails("sign_in")[0].facts
    start = Barrier(4)

    def enter(number: int) -> bool:
        start.wait()
        try:
            if number % 2:
                sign_in.by_link(tools, facts["link"])
            else:
                sign_in.by_code(tools, asked, facts["code"])
        except InvalidRequest:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        got_in = sum(pool.map(enter, range(4)))

    assert got_in == 1
    counts(tried=4, got_in=got_in)


@both_books
def test_of_many_guesses_at_once_five_are_heard(tools, anna, mails, counts):
    asked = sign_in.ask(tools, ANNA)
    wrong = other_than(mails("sign_in")[0].facts["code"])
    start = Barrier(MANY)

    def try_it(_number: int) -> str:
        start.wait()
        with pytest.raises(InvalidRequest) as refusal:
            sign_in.by_code(tools, asked, wrong)
        return refusal.value.fields["code"]

    with ThreadPoolExecutor(MANY) as pool:
        said = list(pool.map(try_it, range(MANY)))

    assert said.count("wrong_code") == 5
    counts(guessed=MANY, heard=5)


def test_what_is_over_is_swept_away_after_a_day(tools, anna, clock):
    sign_in.ask(tools, ANNA)
    assert tidying.tidy(tools) == 0

    clock.forward(timedelta(days=1, minutes=11))

    assert tidying.tidy(tools) == 1

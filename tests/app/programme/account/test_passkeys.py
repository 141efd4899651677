"""Passkeys: what is answered counts once, and a copied key is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app.programme import members, sessions
from app.programme.account import passkeys
from app.programme.errors import InvalidRequest, LimitReached, NotFound
from app.programme.sessions import MemberCaller
from tests.app.programme.account.authenticator import Authenticator
from tests.conftest import ORIGIN, both_books

HOST = "localhost"


@pytest.fixture
def key() -> Authenticator:
    return Authenticator(ORIGIN, HOST)


@pytest.fixture
def add(tools, anna):
    def register(key: Authenticator, member_id=anna.member_id):
        offer = passkeys.offer_registration(tools, member_id)
        answer = key.create(offer.options)
        return passkeys.register(tools, member_id, answer, offer.seal)

    return register


def enter(tools, key: Authenticator) -> str:
    offer = passkeys.offer_sign_in(tools)
    return passkeys.sign_in(tools, key.get(offer.options), offer.seal)


def refused(call) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        call()
    assert refusal.value.fields == {"passkey": "not_accepted"}


def test_a_passkey_is_added_signs_in_and_is_removed(tools, anna, key, add):
    made = add(key)
    assert [one.credential_id for one in passkeys.passkeys(tools, anna.member_id)] == [
        made.credential_id
    ]

    token = enter(tools, key)
    assert sessions.who(tools, token) == MemberCaller(anna.member_id)
    assert passkeys.passkeys(tools, anna.member_id)[0].used_at is not None

    passkeys.remove(tools, anna.member_id, made.credential_id)
    refused(lambda: enter(tools, key))


def test_a_counter_that_goes_back_is_a_copy(tools, key, add):
    add(key)
    key.count = 5
    enter(tools, key)

    key.count = 5
    refused(lambda: enter(tools, key))
    key.count = 0
    refused(lambda: enter(tools, key))

    key.count = 6
    enter(tools, key)


@pytest.mark.parametrize(
    "bend",
    [
        lambda key: setattr(key, "origin", "https://evil.example"),
        lambda key: setattr(key, "host", "evil.example"),
        lambda key: setattr(key, "flags", 0x01),
        lambda key: setattr(key, "key", Authenticator(ORIGIN, HOST).key),
        lambda key: setattr(key, "credential_id", b"another"),
    ],
    ids=["origin", "host", "nobody verified", "key", "unknown"],
)
def test_what_does_not_answer_the_offer_is_refused(tools, key, add, bend):
    add(key)
    bend(key)

    refused(lambda: enter(tools, key))


def test_an_answer_is_for_one_challenge_one_use_and_one_member(tools, anna, key, add):
    add(key)
    one, other = (passkeys.offer_sign_in(tools) for _ in range(2))
    stranger = members.join(tools)
    wish = passkeys.offer_registration(tools, anna.member_id)
    made = Authenticator(ORIGIN, HOST).create(wish.options)

    refused(lambda: passkeys.sign_in(tools, key.get(one.options), other.seal))
    refused(lambda: passkeys.sign_in(tools, key.get(wish.options), wish.seal))
    refused(lambda: passkeys.sign_in(tools, key.get(one.options), "x"))
    refused(lambda: passkeys.register(tools, stranger.member_id, made, wish.seal))


def test_a_challenge_lives_five_minutes(tools, key, add, clock):
    add(key)
    offer = passkeys.offer_sign_in(tools)
    answer = key.get(offer.options)
    clock.forward(timedelta(minutes=5, seconds=2))

    refused(lambda: passkeys.sign_in(tools, answer, offer.seal))


@pytest.mark.parametrize(
    "answer", [{}, {"id": "x"}, {"id": 5}, {"id": "\u00e9"}, {"id": "x", "response": 1}]
)
def test_what_is_no_answer_is_refused(tools, anna, answer):
    offer = passkeys.offer_sign_in(tools)
    refused(lambda: passkeys.sign_in(tools, answer, offer.seal))
    wish = passkeys.offer_registration(tools, anna.member_id)
    refused(lambda: passkeys.register(tools, anna.member_id, answer, wish.seal))


def test_a_member_has_ten_at_most(tools, anna, add):
    for _ in range(passkeys.MOST):
        add(Authenticator(ORIGIN, HOST))

    with pytest.raises(InvalidRequest) as refusal:
        passkeys.offer_registration(tools, anna.member_id)

    assert refusal.value.fields == {"passkey": "too_many_passkeys"}


def test_nobody_removes_a_strangers_passkey(tools, key, add):
    made = add(key)
    stranger = members.join(tools)

    for named in (made.credential_id, "x", "\u00e9"):
        with pytest.raises(NotFound):
            passkeys.remove(tools, stranger.member_id, named)


def test_a_network_tries_sixty_times_an_hour(tools, founded):
    offer = passkeys.offer_sign_in(tools)
    for _ in range(60):
        with pytest.raises(InvalidRequest):
            passkeys.sign_in(tools, {}, offer.seal, device="192.0.2.7")

    with pytest.raises(LimitReached):
        passkeys.sign_in(tools, {}, offer.seal, device="192.0.2.7")


@both_books
def test_of_many_with_one_answer_one_gets_in(tools, key, add, counts):
    add(key)
    offer = passkeys.offer_sign_in(tools)
    answer = key.get(offer.options)
    start = Barrier(6)

    def play(_number: int) -> bool:
        start.wait()
        try:
            passkeys.sign_in(tools, answer, offer.seal)
        except InvalidRequest:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        got_in = sum(pool.map(play, range(6)))

    assert got_in == 1
    counts(played=6, got_in=got_in)


@both_books
def test_a_passkey_is_registered_once(tools, anna, key, counts):
    offer = passkeys.offer_registration(tools, anna.member_id)
    answer = key.create(offer.options)
    start = Barrier(6)

    def play(_number: int) -> bool:
        start.wait()
        try:
            passkeys.register(tools, anna.member_id, answer, offer.seal)
        except InvalidRequest:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        kept = sum(pool.map(play, range(6)))

    assert kept == 1
    assert len(passkeys.passkeys(tools, anna.member_id)) == 1
    counts(played=6, kept=kept)

"""Joining: what a member may say of themselves, and that one tap makes one card."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from app.programme import cards, members, sessions
from app.programme.errors import CardClosed, InvalidRequest, LimitReached, NotFound
from app.programme.sessions import MemberCaller
from app.store.tables import Card, Member, Programme
from app.tools import Tools
from tests.conftest import both_books

pytestmark = pytest.mark.usefixtures("founded")


def count(tools: Tools, table: type) -> int:
    with tools.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


def test_a_member_needs_to_say_nothing(tools):
    joined = members.join(tools)

    found = members.member(tools, joined.member_id)
    assert (found.name, found.email, found.locale) == (None, None, None)
    assert cards.card(tools, joined.card_id).stamps == 0


def test_the_token_is_the_key_to_the_card(tools):
    joined = members.join(tools)

    assert sessions.who(tools, joined.token) == MemberCaller(joined.member_id)
    assert [card.card_id for card in cards.cards_of(tools, joined.member_id)] == [
        joined.card_id
    ]


def test_what_a_member_says_is_kept_tidied(tools):
    joined = members.join(
        tools,
        # "é" as a letter and an accent
        name="  Rene\u0301   Dupont ",
        email=" rene@example.org ",
        locale="fr-FR",
        invite="FRIEND",
    )

    found = members.member(tools, joined.member_id)
    assert found.name == "Ren\u00e9 Dupont"
    assert found.email == "rene@example.org"
    assert found.locale == "fr-FR"


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_is_nothing(tools, blank):
    joined = members.join(tools, name=blank, email=blank, locale="", invite="")

    found = members.member(tools, joined.member_id)
    assert (found.name, found.email, found.locale) == (None, None, None)


@pytest.mark.parametrize(
    "name", ["Żółć", "王小明", "O'Neil-Łuczak", "محمد", "x" * 60, "Bo 🍵"]
)
def test_names_are_of_any_language(tools, name):
    joined = members.join(tools, name=name)

    assert members.member(tools, joined.member_id).name == name


@both_books
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": "x" * 61}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a\u200bb"}, "name"),
        ({"email": "rene"}, "email"),
        ({"email": "rene@example"}, "email"),
        ({"email": "a b@example.org"}, "email"),
        ({"email": "a@b@example.org"}, "email"),
        ({"email": "a,b@example.org"}, "email"),
        ({"email": "Rene <rene@example.org>"}, "email"),
        ({"email": "rene\x00@example.org"}, "email"),
        ({"email": "rene@exa\x7fmple.org"}, "email"),
        ({"email": "a\nb@example.org"}, "email"),
        ({"email": "a@example.org\nBcc: b@example.org"}, "email"),
        ({"email": ".a@example.org"}, "email"),
        ({"email": "a..b@example.org"}, "email"),
        ({"email": "a@example..org"}, "email"),
        ({"email": "a@-\u200eexample.org"}, "email"),
        ({"email": "a:b@example.org"}, "email"),
        ({"email": "a\\b@example.org"}, "email"),
        ({"email": "x" * 65 + "@example.org"}, "email"),
        ({"email": "x@" + "y" * 250 + ".org"}, "email"),
        ({"locale": "french"}, "locale"),
        ({"locale": "../etc"}, "locale"),
        ({"invite": "a\x00b"}, "invite"),
        ({"invite": "a\x1bb"}, "invite"),
        ({"terms_version": 0}, "terms_version"),
        ({"terms_version": 2}, "terms_version"),
        ({"terms_version": 10**30}, "terms_version"),
    ],
)
def test_what_makes_no_sense_is_named_and_nobody_joins(tools, said, field):
    with pytest.raises(InvalidRequest) as refusal:
        members.join(tools, **said)

    assert refusal.value.fields.keys() == {field}
    assert count(tools, Member) == count(tools, Card) == 0


def test_every_slip_is_named_at_once(tools):
    with pytest.raises(InvalidRequest) as refusal:
        members.join(tools, name="x" * 61, email="x", locale="?", invite="\0")

    assert refusal.value.fields.keys() == {"name", "email", "locale", "invite"}


def test_an_unknown_programme_is_not_found(tools):
    with pytest.raises(NotFound):
        members.join(tools, programme_id=uuid4())


def test_nobody_joins_a_closed_programme(tools, founded):
    with tools.database.begin() as tx:
        tx.execute(update(Programme).values(is_open=False))

    for programme_id in (None, founded.programme_id):
        with pytest.raises(CardClosed):
            members.join(tools, programme_id=programme_id)

    assert count(tools, Member) == 0


def test_a_stranger_is_offered_the_oldest_open_programme(tools, clock):
    first = members.default_programme(tools)
    clock.forward(timedelta(days=1))
    with tools.database.begin() as tx:
        tx.execute(update(Programme).values(is_open=False))
        newer = Programme(
            name="Tea",
            reward="Free tea",
            stamps_required=8,
            terms="",
            created_at=tools.now(),
        )
        tx.add(newer)

    assert members.default_programme(tools).name == "Tea"
    assert first.name != "Tea"


def test_cards_have_numbers_of_their_own(tools):
    numbers = [cards.card(tools, members.join(tools).card_id).number for _ in range(20)]

    assert len(set(numbers)) == 20
    assert all(len(number) == 8 and number.isdigit() for number in numbers)


def test_one_tap_that_is_heard_twice_makes_one_member(tools):
    first = members.join(tools, name="Bo", join_id="tap")
    again = members.join(tools, name="Bo", join_id="tap")

    assert (again.member_id, again.card_id) == (first.member_id, first.card_id)
    assert count(tools, Member) == count(tools, Card) == 1
    # either token opens the card: the phone has one of the two
    for token in (first.token, again.token):
        assert sessions.who(tools, token) == MemberCaller(first.member_id)


@both_books
def test_one_tap_that_is_heard_eight_times_at_once_makes_one_member(tools):
    with ThreadPoolExecutor(8) as pool:
        joined = list(pool.map(lambda _: members.join(tools, join_id="tap"), range(8)))

    assert len({each.card_id for each in joined}) == 1
    assert count(tools, Member) == count(tools, Card) == 1


def test_a_tap_of_long_ago_is_not_answered_again(tools, clock):
    """Else its secret would open the card for ever."""
    members.join(tools, join_id="tap")
    clock.forward(members.JOIN_RETRY + timedelta(seconds=1))

    with pytest.raises(InvalidRequest) as refusal:
        members.join(tools, join_id="tap")

    assert refusal.value.fields.keys() == {"join_id"}


def test_who_brings_no_tap_is_somebody_new(tools):
    first, second = members.join(tools), members.join(tools)

    assert first.member_id != second.member_id


def test_an_address_joins_so_many_times_an_hour(tools):
    for number in range(120):
        # a subscriber of IPv6 has as many addresses as anyone could wish
        members.may_join(tools, f"2001:db8::{number:x}")

    with pytest.raises(LimitReached) as refusal:
        members.may_join(tools, "2001:db8::ffff")

    assert refusal.value.limit == "join"
    assert timedelta() < refusal.value.retry_after <= timedelta(hours=1)
    members.may_join(tools, "2001:db8:0:1::1")
    members.may_join(tools, "192.0.2.1")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_machine_itself_joins_at_will(tools, address):
    for _ in range(130):
        members.may_join(tools, address)


def test_what_is_no_address_is_limited_all_the_same(tools):
    for _ in range(120):
        members.may_join(tools, "unknown")

    with pytest.raises(LimitReached):
        members.may_join(tools, "unknown")


def test_nobody_is_no_member(tools):
    with pytest.raises(NotFound):
        members.member(tools, uuid4())

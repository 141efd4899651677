"""The welcome mail: who gets one, and that nobody can be made to get many."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from app.programme import cards, members, welcome
from app.programme.errors import InvalidRequest
from app.programme.networks import network_of
from app.store.tables import Outgoing
from tests.conftest import both_books

ANNA = "anna@example.org"
CAFE = "192.0.2.7"

pytestmark = pytest.mark.usefixtures("founded")


def waiting(tools) -> list[Outgoing]:
    with tools.database.read() as tx:
        return list(tx.scalars(select(Outgoing).order_by(Outgoing.created_at)))


def test_who_leaves_an_address_gets_one_mail(tools):
    joined = members.join(tools, name="Anna", email=ANNA, locale="sv", device=CAFE)

    (mail,) = waiting(tools)
    assert (mail.kind, mail.address, mail.locale) == ("welcome", ANNA, "sv")
    assert mail.member_id == joined.member_id
    card = cards.card(tools, joined.card_id)
    assert mail.facts["number"] == card.number
    assert mail.facts["stamps_required"] == card.programme.stamps_required
    assert "token" not in str(mail.facts)
    assert joined.token not in str(mail.facts)


def test_who_leaves_none_gets_none(tools):
    members.join(tools, name="Anna", device=CAFE)

    assert waiting(tools) == []


def test_who_does_not_join_gets_none(tools):
    with pytest.raises(InvalidRequest):
        members.join(tools, email=ANNA, terms_version=99, device=CAFE)

    assert waiting(tools) == []


@both_books
def test_a_double_tap_gets_one(tools):
    def tap(_number: int) -> members.Joined:
        return members.join(tools, email=ANNA, join_id="a" * 32, device=CAFE)

    with ThreadPoolExecutor(3) as pool:
        joined = list(pool.map(tap, range(3)))

    assert len({each.card_id for each in joined}) == 1
    assert len(waiting(tools)) == 1


def test_one_address_gets_three_a_day_however_it_is_written(tools):
    written = [ANNA, "Anna@Example.org", " anna@EXAMPLE.org ", ANNA, "ANNA@example.org"]

    joined = [
        members.join(tools, email=each, device=f"192.0.2.{number}")
        for number, each in enumerate(written)
    ]

    # everybody has a card, and whoever asked cannot tell
    assert len({each.card_id for each in joined}) == len(written)
    assert len(waiting(tools)) == 3


def test_one_network_sends_forty_an_hour(tools):
    for number in range(45):
        members.join(tools, email=f"guest{number}@example.org", device=CAFE)
    members.join(tools, email="other@example.org", device="192.0.2.8")

    assert len(waiting(tools)) == 41


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff", "2001:db8::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("unknown", "unknown"),
    ],
)
def test_a_subscriber_is_one_network(address, network):
    assert network_of(address) == network


@pytest.mark.parametrize(
    "name",
    [
        "Win at casino.example",
        "https://evil.example",
        "www.evil",
        "evil.example/win",
        "anna@evil.example",
        "call tel:123",
    ],
)
def test_a_name_that_would_become_a_link_is_not_repeated(tools, name):
    members.join(tools, name=name, email=ANNA, device=CAFE)

    assert waiting(tools)[0].facts["name"] is None


@pytest.mark.parametrize(
    "name", ["Anna", "J. R. Smith", "Anna-Lena O'Neill", "\u738b\u5c0f\u660e", "\u05d0"]
)
def test_other_names_are(name):
    assert welcome.greeting_name(name) == name


def test_what_is_no_address_is_counted_as_it_stands():
    for odd in ("::/1", "203.0.113.7/8", "unknown", "", "::1/64/64"):
        assert network_of(odd) == odd

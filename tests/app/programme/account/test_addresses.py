"""A change of address: both mailboxes say yes, and each step happens once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app.programme import members
from app.programme.account import addresses, details, sign_in
from app.programme.errors import InvalidRequest
from tests.app.programme.account.conftest import ANNA
from tests.conftest import both_books

NEW = "anna.new@example.org"


@pytest.fixture
def proved(tools, anna, mails):
    """Anna, whose address is confirmed."""
    asked = sign_in.ask(tools, ANNA)
    sign_in.by_code(tools, asked, mails("sign_in")[0].facts["code"])
    return anna


def email_of(tools, member):
    found = details.details(tools, member.member_id)
    return found.email, found.email_confirmed_at is not None


def test_an_address_that_was_never_confirmed_has_no_say_and_gets_no_mail(
    tools, anna, mails
):
    addresses.ask(tools, anna.member_id, NEW)
    assert mails("email_old") == []

    done = addresses.by_code(tools, anna.member_id, mails("email_new")[0].facts["code"])

    assert done.is_done
    assert email_of(tools, anna) == (NEW, True)


def test_the_address_there_is_can_be_confirmed(tools, anna, mails):
    addresses.ask(tools, anna.member_id, ANNA)
    addresses.say_yes(tools, mails("email_new")[0].facts["link"], "new")

    assert email_of(tools, anna) == (ANNA, True)
    with pytest.raises(InvalidRequest) as refusal:
        addresses.ask(tools, anna.member_id, ANNA)
    assert refusal.value.fields == {"email": "same_email"}


@pytest.mark.parametrize("first", ["new", "old"])
def test_a_confirmed_address_has_to_say_yes_too(tools, proved, mails, first):
    addresses.ask(tools, proved.member_id, NEW)
    links = {side: mails(f"email_{side}")[0].facts["link"] for side in ("new", "old")}
    second = "old" if first == "new" else "new"
    assert mails("email_old")[0].address == ANNA

    assert not addresses.say_yes(tools, links[first], first).is_done
    assert email_of(tools, proved) == (ANNA, True)
    assert addresses.say_yes(tools, links[second], second).is_done

    assert email_of(tools, proved) == (NEW, True)
    assert addresses.look(tools, links["old"], "old") is None


def test_the_old_mailbox_stops_it(tools, proved, mails):
    addresses.ask(tools, proved.member_id, NEW)
    new, old = (mails(f"email_{side}")[0].facts["link"] for side in ("new", "old"))

    addresses.say_no(tools, old, "old")

    for link, side in ((new, "new"), (old, "old")):
        with pytest.raises(InvalidRequest):
            addresses.say_yes(tools, link, side)
    assert email_of(tools, proved) == (ANNA, True)


def test_a_link_of_one_mailbox_is_nothing_for_the_other(tools, proved, mails):
    addresses.ask(tools, proved.member_id, NEW)

    with pytest.raises(InvalidRequest):
        addresses.say_yes(tools, mails("email_new")[0].facts["link"], "old")


def test_after_three_days_nobody_can_say_yes(tools, proved, mails, clock):
    addresses.ask(tools, proved.member_id, NEW)
    clock.forward(timedelta(hours=72, seconds=2))

    with pytest.raises(InvalidRequest):
        addresses.say_yes(tools, mails("email_old")[0].facts["link"], "old")
    assert addresses.under_way(tools, proved.member_id) is None
    addresses.ask(tools, proved.member_id, NEW)


def test_another_change_takes_the_place_of_the_first(tools, proved, mails):
    addresses.ask(tools, proved.member_id, NEW)
    addresses.ask(tools, proved.member_id, "other@example.org")

    with pytest.raises(InvalidRequest):
        addresses.say_yes(tools, mails("email_new")[0].facts["link"], "new")
    assert addresses.under_way(tools, proved.member_id).new_email == "other@example.org"


def test_a_confirmed_address_is_one_members(tools, proved, mails):
    other = members.join(tools, name="Other")
    addresses.ask(tools, other.member_id, ANNA.lower())

    with pytest.raises(InvalidRequest) as refusal:
        addresses.say_yes(tools, mails("email_new")[0].facts["link"], "new")

    assert refusal.value.fields == {"email": "taken"}
    assert email_of(tools, other) == (None, False)


def test_with_the_address_older_codes_die(tools, proved, mails):
    asked = sign_in.ask(tools, ANNA)
    addresses.ask(tools, proved.member_id, NEW)
    for side in ("old", "new"):
        addresses.say_yes(tools, mails(f"email_{side}")[0].facts["link"], side)

    with pytest.raises(InvalidRequest):
        sign_in.by_code(tools, asked, mails("sign_in")[1].facts["code"])


@both_books
def test_of_many_who_say_yes_and_no_at_once_each_counts_once(
    tools, proved, mails, counts
):
    addresses.ask(tools, proved.member_id, NEW)
    new, old = (mails(f"email_{side}")[0].facts["link"] for side in ("new", "old"))
    ways = [(addresses.say_yes, new, "new"), (addresses.say_yes, old, "old")] * 4
    start = Barrier(len(ways))

    def say(way) -> str | None:
        verb, link, side = way
        start.wait()
        try:
            verb(tools, link, side)
        except InvalidRequest:
            return None
        return side

    with ThreadPoolExecutor(len(ways)) as pool:
        heard = [side for side in pool.map(say, ways) if side]

    assert sorted(heard) == ["new", "old"]
    assert email_of(tools, proved) == (NEW, True)
    counts(said=len(ways), heard=len(heard))


@both_books
def test_of_two_members_who_confirm_one_address_at_once_one_gets_it(
    tools, founded, mails
):
    two = [members.join(tools, name=name) for name in ("One", "Two")]
    for each in two:
        addresses.ask(tools, each.member_id, NEW)
    start = Barrier(2)

    def say(mail) -> bool:
        start.wait()
        try:
            addresses.say_yes(tools, mail.facts["link"], "new")
        except InvalidRequest:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = sum(pool.map(say, mails("email_new")))

    assert done == 1
    found = [email_of(tools, each) for each in two]
    assert sorted(one for one in found if one[0]) == [(NEW, True)]

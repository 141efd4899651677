"""Consent: asked, noted with its words, taken back, asked again before sending."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from app.programme import consents, members
from app.programme.consents import KINDS, Choice, Wording
from app.programme.errors import InvalidRequest, NotFound
from app.programme.founding import Founded
from app.store.tables import Consent
from app.tools import Tools
from app.worker import letters
from tests.app.programme.test_privacy import no, yes
from tests.conftest import Clock, both_books

NEWS = Wording("Kaffe & Brød må skrive til mig: nyheder.", "da", 3)


@pytest.fixture
def member_id(tools: Tools, founded: Founded) -> UUID:
    assert founded.staff_id
    return members.join(tools, name="Anna", email="anna@example.org").member_id


def may_send(tools: Tools, member_id: UUID, kind: str) -> bool:
    with tools.database.read() as tx:
        return consents.may_send(tx, member_id, kind)


def test_nobody_has_agreed_before_they_said_so(tools: Tools, member_id: UUID) -> None:
    assert not any(may_send(tools, member_id, kind) for kind in KINDS)
    assert consents.given(tools, member_id) == frozenset()


def test_what_was_said_is_kept_with_its_words_and_the_newest_counts(
    tools: Tools, member_id: UUID, clock: Clock
) -> None:
    given = Choice("news", is_given=True, wording=NEWS)
    consents.choose(tools, member_id, [given, no("offers")], channel="join")
    clock.forward(timedelta(days=3))
    assert may_send(tools, member_id, "news")

    assert consents.choose(tools, member_id, [no()], channel="mail") == ("news",)

    assert not may_send(tools, member_id, "news")
    newer, older = consents.history(tools, member_id)
    assert (older.wording, older.channel, older.is_given) == (NEWS, "join", True)
    assert (newer.channel, newer.is_given) == ("mail", False)
    assert newer.at - older.at >= timedelta(days=3)


def test_saying_again_what_is_so_writes_nothing(tools: Tools, member_id: UUID) -> None:
    assert consents.choose(tools, member_id, [yes()], channel="account") == ("news",)
    assert consents.choose(tools, member_id, [yes()], channel="account") == ()
    assert consents.choose(tools, member_id, [no("offers")], channel="mail") == ()

    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(Consent)) == 1


def test_kinds_that_there_are_not_are_refused(tools: Tools, member_id: UUID) -> None:
    with pytest.raises(InvalidRequest):
        consents.choose(tools, member_id, [yes("spam")], channel="account")
    with pytest.raises(ValueError, match="spam"):
        may_send(tools, member_id, "spam")


def test_of_every_mail_it_is_decided_which_consent_it_needs() -> None:
    assert set(consents.NEEDS) == set(letters.KINDS)
    assert set(filter(None, consents.NEEDS.values())) <= set(KINDS)


def test_a_link_names_whose_and_what_for_two_years(
    tools: Tools, member_id: UUID, clock: Clock
) -> None:
    text = consents.link(tools, member_id, "offers").rpartition("/")[2]

    assert consents.opened(tools, text) == consents.Link(member_id, "offers")

    clock.forward(timedelta(days=801))
    with pytest.raises(NotFound):
        consents.opened(tools, text)


def test_a_forged_link_opens_nothing(tools: Tools, member_id: UUID) -> None:
    text = consents.link(tools, member_id, "offers").rpartition("/")[2]
    stranger = consents.link(tools, uuid4(), "news").rpartition("/")[2]

    for forged in (text[:-1], "x" + text, "", "é", stranger, text.swapcase()):
        with pytest.raises(NotFound):
            consents.opened(tools, forged)


@both_books
def test_who_says_it_twice_at_once_has_said_it_once(
    make_tools: Callable[..., Tools], tools: Tools, member_id: UUID
) -> None:
    rivals = [make_tools() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda each: consents.choose(
                    each, member_id, [yes()], channel="account"
                ),
                rivals,
            )
        )

    assert sorted(answers) == [(), (), (), ("news",)]
    assert len(consents.history(tools, member_id)) == 1

"""Erasing a person in the console, on their behalf."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from app.programme import cards, privacy
from app.programme.cards import CardState
from app.store.tables import AuditEntry
from app.tools import Tools
from tests.app.web.console.conftest import Browser


def test_a_person_is_erased_with_a_reason_that_the_audit_log_keeps(
    owner: Browser,
    tools: Tools,
    make_card: Callable[..., CardState],
    give: Callable[..., CardState],
) -> None:
    card = give(make_card("Anna"), 3)
    page = f"/console/cards/{card.card_id}"
    assert f"{page}/erase" in owner.get(page).text
    assert "3 stamps on" in owner.get(f"{page}/erase").text

    refused = owner.send(f"{page}/erase", digits="x", reason="")
    assert refused.status_code == 422
    assert "Please fill this in." in refused.text

    digits = privacy.loss(tools, card.member_id).digits
    done = owner.send(f"{page}/erase", digits=digits, reason="by letter")

    assert done.status_code == 302
    after = owner.get(page).text
    assert "The person is erased." in after
    assert "Erased</span>" in after
    assert f"{page}/erase" not in after
    assert "Anna" not in after
    with tools.database.read() as tx:
        log = select(AuditEntry).where(AuditEntry.action == "member.erased")
        entry = tx.scalars(log).one()
    assert (entry.subject, entry.detail["reason"]) == (str(card.member_id), "by letter")
    assert cards.card(tools, card.card_id).is_closed


def test_a_second_time_says_that_it_is_done(
    owner: Browser, tools: Tools, make_card: Callable[..., CardState]
) -> None:
    card = make_card("Anna")
    digits = privacy.loss(tools, card.member_id).digits
    page = f"/console/cards/{card.card_id}/erase"
    owner.send(page, digits=digits, reason="by letter")

    again = owner.send(page, digits=digits, reason="by letter")

    assert again.status_code == 410
    assert "Nothing is kept of this person any more." in again.text


def test_two_cards_of_one_person_become_one(
    owner: Browser,
    tools: Tools,
    make_card: Callable[..., CardState],
    give: Callable[..., CardState],
) -> None:
    old, new = give(make_card("Anna"), 13), make_card("Anna B")
    page = f"/console/cards/{new.card_id}"
    assert f"{page}/merge" in owner.get(page).text
    refused = owner.send(f"{page}/merge", number="1", reason="")
    assert refused.status_code == 422
    assert "There is no card with this number." in refused.text

    done = owner.send(f"{page}/merge", number=old.number, reason="shown both")

    assert done.status_code == 302
    after = owner.get(page).text
    assert "The cards are one now." in after
    assert "3 stamps, from another card" in after
    assert "Free coffee" in after
    gone = owner.get(f"/console/cards/{old.card_id}").text
    assert "Put to another card" in gone
    assert page in gone

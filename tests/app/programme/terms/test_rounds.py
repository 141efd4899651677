"""What a card was promised stays promised: its round, its voucher, its undoing."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.programme import cards, members, proofs, shop, stamping, terms
from app.programme.cards import CardState
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import LedgerEntry
from app.tools import Tools
from tests.conftest import Clock, both_books


@pytest.fixture
def change(tools: Tools, founded: Founded, clock: Clock) -> Callable[..., None]:
    """Change what is promised, and wait until it is in force."""
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")

    def until(**changed: object) -> None:
        now = members.programme(tools, founded.programme_id)
        facts = {
            "programme_id": founded.programme_id,
            "name": now.name,
            "reward": now.reward,
            "stamps_required": now.stamps_required,
            "terms": now.terms,
            "is_open": True,
            "voucher_days": now.voucher_days,
            "by": by,
        }
        shop.save_programme(tools, **{**facts, **changed})  # type: ignore[arg-type]
        clock.forward(timedelta(days=15))

    return until


def asked(tools: Tools, card: CardState) -> tuple[int, int, str]:
    now = cards.card(tools, card.card_id)
    return now.stamps, now.programme.stamps_required, now.programme.reward


@both_books
def test_a_round_that_has_begun_keeps_its_promise_and_the_next_does_not(
    tools: Tools,
    make_card: Callable[..., CardState],
    give: Callable[..., CardState],
    change: Callable[..., None],
) -> None:
    begun, empty = make_card(), make_card("Bo")
    give(begun, 9)

    change(stamps_required=12, reward="Small coffee")

    assert asked(tools, begun) == (9, 10, "Free coffee")
    assert asked(tools, empty) == (0, 12, "Small coffee")
    following = cards.card(tools, begun.card_id).next_round
    assert following is not None
    assert following.stamps_required == 12
    full = give(begun, 3)
    # ten were exchanged, as promised; two lie on the next card, which asks for twelve
    assert [voucher.reward for voucher in full.vouchers] == ["Free coffee"]
    assert asked(tools, begun) == (2, 12, "Small coffee")
    assert cards.card(tools, begun.card_id).next_round is None
    assert give(empty, 11).vouchers == ()
    assert give(empty, 1).vouchers[0].reward == "Small coffee"
    terms.take_effect(tools)
    assert proofs.prove(tools).findings == ()


def test_what_gains_holds_for_a_round_that_has_begun(
    tools: Tools,
    make_card: Callable[..., CardState],
    give: Callable[..., CardState],
    change: Callable[..., None],
) -> None:
    card = make_card()
    give(card, 7)

    change(stamps_required=8)
    change(stamps_required=12)

    # the gain came first, so it is kept when the loss comes
    assert asked(tools, card) == (7, 8, "Free coffee")
    assert len(give(card, 1).vouchers) == 1
    assert asked(tools, card) == (0, 12, "Free coffee")


def test_an_undone_round_runs_again_by_its_own_promise(
    tools: Tools,
    barista: StaffCaller,
    make_card: Callable[..., CardState],
    give: Callable[..., CardState],
    change: Callable[..., None],
) -> None:
    card = make_card()
    give(card, 9)
    change(stamps_required=12)
    give(card, 1)
    assert asked(tools, card) == (0, 12, "Free coffee")
    with tools.database.read() as tx:
        last = tx.scalars(
            select(LedgerEntry.entry_id)
            .where(LedgerEntry.kind == "EARN")
            .order_by(LedgerEntry.entry_no.desc())
        ).first()

    stamping.reverse_stamp(tools, last, staff=barista, reason="slip")

    assert asked(tools, card) == (9, 10, "Free coffee")
    terms.take_effect(tools)
    assert proofs.prove(tools).findings == ()


@both_books
def test_random_histories_give_what_was_promised(
    tools: Tools,
    make_card: Callable[..., CardState],
    give: Callable[..., CardState],
    change: Callable[..., None],
) -> None:
    chance = random.Random(11)
    people = [make_card(uuid4().hex[:6]) for _ in range(3)]
    for _ in range(40):
        card = chance.choice(people)
        if chance.random() < 0.2:
            change(
                stamps_required=chance.randint(6, 14),
                voucher_days=chance.choice([None, 90, 900]),
            )
            continue
        stamps, required, _ = asked(tools, card)
        before = len(cards.card(tools, card.card_id).vouchers)
        new = chance.randint(1, 5)
        after = give(card, new)
        # a round is full at the number that the phone had shown, and at no other
        assert (len(after.vouchers) > before) == (stamps + new >= required)
    terms.take_effect(tools)

    assert proofs.prove(tools).findings == ()

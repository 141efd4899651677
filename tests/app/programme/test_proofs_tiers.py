"""The audit finds tiers and memberships that somebody wrote into the books."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import insert, update

from app.programme import proofs
from app.programme.cards import CardState
from app.programme.founding import Founded
from app.programme.plans import offering, paying
from app.programme.plans.offering import PlanDraft
from app.programme.sessions import ConsoleCaller
from app.programme.tiers import inviting, setting
from app.programme.tiers.setting import TierDraft
from app.store.tables import Membership, Tier, TierHeld, TierInvitation
from app.tools import Tools


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def gold(tools: Tools, founded: Founded, owner: ConsoleCaller) -> object:
    setting.save_ladder(
        tools,
        founded.programme_id,
        unit="stamp",
        window_months=12,
        grace_days=0,
        by=owner,
    )
    draft = TierDraft("Gold", "#a37a00", 9, True, None, 50, "", 0)
    return setting.save_tier(tools, founded.programme_id, None, draft, by=owner)


def found(tools: Tools) -> set[str]:
    return {one.code for one in proofs.prove(tools).findings}


def test_a_tier_without_the_units_is_found(
    tools: Tools, gold: object, make_card: Callable[..., CardState]
) -> None:
    card = make_card()
    assert found(tools) == set()

    with tools.database.begin() as tx:
        tx.execute(
            insert(TierHeld).values(
                held_id=uuid4(),
                card_id=card.card_id,
                tier_id=gold,
                why="earned",
                since_at=tools.now(),
                at=tools.now(),
            )
        )

    assert found(tools) == {"tier_unearned"}


def test_an_invitation_that_nobody_wrote_is_no_way_in(
    tools: Tools,
    gold: object,
    founded: Founded,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
) -> None:
    honest, forged = make_card("Anna"), make_card("Bo")
    inviting.invite(tools, honest.card_id, gold, None, by=owner)  # type: ignore[arg-type]
    assert found(tools) == set()

    with tools.database.begin() as tx:
        tx.execute(
            update(TierInvitation)
            .where(TierInvitation.card_id == honest.card_id)
            .values(card_id=forged.card_id)
        )

    assert found(tools) == {"tier_unearned"}


def test_a_bar_that_was_lowered_behind_the_log_is_found(
    tools: Tools, gold: object
) -> None:
    with tools.database.begin() as tx:
        tx.execute(update(Tier).values(units=1))

    assert found(tools) == {"ladder_changed"}


def test_a_membership_that_was_made_longer_or_moved_is_found(
    tools: Tools,
    founded: Founded,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
) -> None:
    card, other = make_card("Anna"), make_card("Bo")
    draft = PlanDraft("Plus", 45_00, 12, 200, None, "", is_offered=True)
    plan_id = offering.save_plan(tools, founded.programme_id, None, draft, by=owner)
    paying.mark_paid(
        tools, card.card_id, plan_id, paid_how="cash", request_id="a" * 32, by=owner
    )
    assert found(tools) == set()

    with tools.database.begin() as tx:
        tx.execute(update(Membership).values(cashback=5000))
    assert found(tools) == {"membership_changed"}
    with tools.database.begin() as tx:
        tx.execute(update(Membership).values(card_id=other.card_id))

    assert found(tools) == {"membership_unpaid"}

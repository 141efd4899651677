"""What is for members of a tier is had with it, from above it, and no more after it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.programme import cards, proofs, rewards, stamping, tiers
from app.programme.errors import InvalidRequest, RewardUnavailable
from app.programme.rewards import Plan
from app.programme.sessions import ConsoleCaller
from app.programme.tiers import setting
from app.programme.tiers.setting import TierDraft
from tests.conftest import both_books


@pytest.fixture
def owner(founded):
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def gold(tools, founded, owner):
    """Half as many stamps again from 4 in a month on, without grace."""
    programme_id = founded.programme_id
    setting.save_ladder(
        tools, programme_id, unit="stamp", window_months=1, grace_days=0, by=owner
    )
    rewards.set_exchanges(tools, programme_id, "by_choice", by=owner)
    draft = TierDraft("Gold", "#a37a00", 4, False, None, 50, "", 0)
    return setting.save_tier(tools, programme_id, None, draft, by=owner)


@pytest.fixture
def table(tools, founded, owner, gold):
    """A reward for gold alone."""
    plan = Plan("vip", "The table at the window", 1, needs_tier_id=gold)
    return rewards.save(
        tools, plan, programme_id=founded.programme_id, reward_id=None, by=owner
    )


def choose(tools, card, reward_id):
    edition = rewards.reward(tools, reward_id).edition
    return rewards.choose(
        tools, card.card_id, reward_id, member_id=card.member_id,
        request_id=uuid4().hex, edition=edition,
    )  # fmt: skip


def why_not(tools, card, reward_id):
    offer = rewards.offer(tools, cards.card(tools, card.card_id), reward_id)
    return offer and (offer.why_not, offer.tier)


@both_books
def test_it_is_had_with_the_tier_and_not_without(tools, table, make_card, give):
    card = give(make_card(), 3)
    with pytest.raises(RewardUnavailable) as refused:
        choose(tools, card, table)
    assert (refused.value.why, refused.value.tier) == ("tier", "Gold")
    assert why_not(tools, card, table) == ("tier", "Gold")
    assert cards.card(tools, card.card_id).stamps == 3

    give(card, 1)

    assert why_not(tools, card, table) == (None, "Gold")
    choose(tools, card, table)
    assert cards.card(tools, card.card_id).stamps == 3
    assert proofs.prove(tools).findings == ()


def test_a_tier_that_has_ended_gives_nothing_before_the_worker_comes_by(
    tools, table, make_card, give, clock
):
    # given a card that was gold, and chose once
    card = give(make_card(), 4)
    choose(tools, card, table)

    # when its month is over, and no worker has looked
    clock.forward(timedelta(days=40))

    # then it chooses no more, stamps are not more, and what it chose stays good
    with pytest.raises(RewardUnavailable):
        choose(tools, card, table)
    assert give(card, 2).stamps == 5
    assert [one.state for one in cards.card(tools, card.card_id).vouchers] == ["issued"]


def test_it_is_lost_with_the_stamps_that_made_it(
    tools, table, make_card, give, barista
):
    card = give(make_card(), 3)
    code = stamping.card_code(tools, card.card_id).code
    last = stamping.stamp(
        tools, code, stamps=1, request_id=uuid4().hex, staff=barista
    ).answer
    stamping.reverse_stamp(tools, UUID(last["stamp_id"]), staff=barista, reason="no")

    with pytest.raises(RewardUnavailable):
        choose(tools, card, table)


def test_a_tier_that_is_gone_is_nobodys(tools, founded, owner, gold, table, make_card):
    card = make_card()
    setting.remove_tier(tools, gold, None, by=owner)

    assert tiers.of_card(tools, card.card_id) is None
    assert why_not(tools, card, table) == ("tier", "Gold")
    plan = Plan("vip", "Another", 1, needs_tier_id=gold)
    with pytest.raises(InvalidRequest) as refused:
        rewards.save(
            tools, plan, programme_id=founded.programme_id, reward_id=None, by=owner
        )
    assert refused.value.fields == {"needs_tier_id": "not_an_id"}

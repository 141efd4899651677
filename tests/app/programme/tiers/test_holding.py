"""What tier a card comes to have, keeps, is warned about and loses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from app.programme import cards, members, own_cards, proofs, stamping, tiers
from app.programme.cards import CardState
from app.programme.errors import Forbidden, InvalidRequest, NotEligible
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.tiers import TierView, inviting, rounds, setting
from app.programme.tiers.setting import TierDraft
from app.store.tables import Outgoing, TierHeld
from app.tools import Tools
from tests.conftest import Clock

Give = Callable[[CardState, int], CardState]
Make = Callable[..., TierView]


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def tier(tools: Tools, founded: Founded, owner: ConsoleCaller) -> Make:
    """Add a tier on top of the ladder; the first call says how it counts."""

    def add(name: str, units: int | None, **more: object) -> TierView:
        programme_id = founded.programme_id
        if tiers.of_programme(tools, programme_id) is None:
            setting.save_ladder(
                tools,
                programme_id,
                unit="stamp",
                window_months=12,
                grace_days=14,
                by=owner,
            )
        rules = tiers.of_programme(tools, programme_id)
        assert rules
        draft = TierDraft(
            name=name,
            colour="#8a5000",
            units=units,
            by_invitation=bool(more.pop("by_invitation", units is None)),
            above_id=rules.tiers[-1].tier_id if rules.tiers else None,
            boost_percent=int(str(more.pop("boost_percent", 0))),
            benefits=str(more.pop("benefits", "")),
            birthday_units=0,
        )
        tier_id = setting.save_tier(tools, programme_id, None, draft, by=owner)
        rules = tiers.of_programme(tools, programme_id)
        assert rules
        found = rules.tier(tier_id)
        assert found
        return found

    return add


def name_of(tools: Tools, card: CardState) -> str | None:
    found = tiers.of_card(tools, card.card_id)
    return found.tier.name if found and found.tier else None


def rows(tools: Tools, card: CardState) -> list[str]:
    with tools.database.read() as tx:
        return list(
            tx.scalars(
                select(TierHeld.why)
                .where(TierHeld.card_id == card.card_id)
                .order_by(TierHeld.at)
            )
        )


def mails(tools: Tools) -> list[str]:
    with tools.database.read() as tx:
        return list(
            tx.scalars(
                select(Outgoing.kind)
                .where(Outgoing.kind != "welcome")
                .order_by(Outgoing.created_at)
            )
        )


def sound(tools: Tools) -> None:
    assert proofs.prove(tools).findings == ()


def test_a_card_rises_with_the_stamp_that_reaches_it(
    tools: Tools, tier: Make, make_card: Callable[..., CardState], give: Give
) -> None:
    tier("Silver", 3)
    card = make_card()

    give(card, 2)
    assert name_of(tools, card) is None
    give(card, 1)

    assert name_of(tools, card) == "Silver"
    assert rows(tools, card) == ["earned"]
    sound(tools)


def test_a_full_card_that_is_exchanged_lowers_nothing(
    tools: Tools, tier: Make, make_card: Callable[..., CardState], give: Give
) -> None:
    tier("Gold", 10)
    card = make_card()

    state = give(card, 10)

    assert (state.stamps, len(state.vouchers)) == (0, 1)
    assert name_of(tools, card) == "Gold"
    sound(tools)


def test_a_tier_goes_with_the_stamps_that_it_stood_on(
    tools: Tools,
    tier: Make,
    barista: StaffCaller,
    make_card: Callable[..., CardState],
) -> None:
    tier("Silver", 3)
    card = make_card()
    code = stamping.card_code(tools, card.card_id).code
    given = stamping.stamp(
        tools, code, stamps=5, request_id="a" * 16, staff=barista
    ).answer
    assert name_of(tools, card) == "Silver"

    stamping.reverse_stamp(
        tools, UUID(given["stamp_id"]), staff=barista, reason="A mistake"
    )

    assert name_of(tools, card) is None
    assert rows(tools, card) == ["earned", "undone"]
    sound(tools)


def test_it_is_warned_of_kept_for_its_grace_and_lost(
    tools: Tools, tier: Make, clock: Clock, founded: Founded, give: Give
) -> None:
    tier("Silver", 3)
    joined = members.join(tools, name="Anna", email="anna@example.com")
    card = give(cards.card(tools, joined.card_id), 4)
    assert mails(tools) == ["tier_changed"]

    rounds.look(tools)
    clock.forward(timedelta(days=336))
    rounds.look(tools)
    rounds.look(tools)
    assert mails(tools) == ["tier_changed", "tier_ends"]

    clock.forward(timedelta(days=35))
    rounds.look(tools)
    found = tiers.of_card(tools, card.card_id)
    assert found
    assert found.tier
    assert found.standing.in_grace
    assert found.standing.keep == 3

    clock.forward(timedelta(days=14))
    rounds.look(tools)
    assert name_of(tools, card) is None
    assert rows(tools, card) == ["earned", "lost"]
    assert mails(tools)[2:] == ["tier_changed"]
    assert cards.card(tools, card.card_id).version > card.version
    sound(tools)


def test_what_is_earned_meanwhile_keeps_it(
    tools: Tools,
    tier: Make,
    clock: Clock,
    make_card: Callable[..., CardState],
    give: Give,
) -> None:
    tier("Silver", 3)
    card = give(make_card(), 3)
    clock.forward(timedelta(days=200))
    give(card, 3)
    clock.forward(timedelta(days=190))

    rounds.look(tools)

    assert name_of(tools, card) == "Silver"
    assert rows(tools, card) == ["earned", "kept"]
    sound(tools)


def test_a_lowered_bar_lifts_who_reaches_it_and_a_raised_one_waits(
    tools: Tools,
    tier: Make,
    founded: Founded,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
    give: Give,
) -> None:
    silver = tier("Silver", 5)
    card, other = give(make_card("Anna"), 3), give(make_card("Bo"), 5)

    def bar(units: int) -> None:
        draft = TierDraft("Silver", "#8a5000", units, False, None, 0, "", 0)
        setting.save_tier(tools, founded.programme_id, silver.tier_id, draft, by=owner)
        rounds.look(tools)

    bar(3)
    assert name_of(tools, card) == "Silver"
    bar(9)

    assert name_of(tools, card) == name_of(tools, other) == "Silver"
    rules = tiers.of_programme(tools, founded.programme_id)
    assert rules
    assert (rules.tiers[0].units, rules.tiers[0].next_units) == (3, 9)
    assert rules.tiers[0].next_from == rules.ladder.next_period(
        tools.now().astimezone(ZoneInfo("Europe/Copenhagen")).date()
    )
    assert rows(tools, card) == ["ladder"]
    sound(tools)


def test_a_tier_with_people_goes_when_it_is_said_where_they_go(
    tools: Tools,
    tier: Make,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
    give: Give,
) -> None:
    tier("Bronze", 1)
    silver = tier("Silver", 3)
    gold = tier("Gold", 9)
    card = give(make_card(), 3)

    with pytest.raises(InvalidRequest) as refusal:
        setting.remove_tier(tools, silver.tier_id, None, by=owner)
    assert refusal.value.fields == {"to": "missing"}
    setting.remove_tier(tools, silver.tier_id, str(gold.tier_id), by=owner)
    rounds.look(tools)

    assert name_of(tools, card) == "Gold"
    setting.remove_tier(tools, gold.tier_id, "units", by=owner)
    rounds.look(tools)
    assert name_of(tools, card) == "Bronze"
    sound(tools)


def test_a_manager_lets_in_and_takes_back(
    tools: Tools,
    tier: Make,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
) -> None:
    silver = tier("Silver", 3)
    club = tier("Club", None)
    card = make_card()

    with pytest.raises(InvalidRequest) as refusal:
        inviting.invite(tools, card.card_id, silver.tier_id, None, by=owner)
    assert refusal.value.fields == {"tier_id": "not_by_invitation"}
    inviting.invite(tools, card.card_id, club.tier_id, None, by=owner)
    assert name_of(tools, card) == "Club"
    inviting.withdraw(tools, card.card_id, by=owner)

    assert name_of(tools, card) is None
    assert rows(tools, card) == ["invited", "withdrawn"]
    sound(tools)


def test_nobody_lets_themselves_in(
    tools: Tools,
    tier: Make,
    owner: ConsoleCaller,
    founded: Founded,
    make_card: Callable[..., CardState],
) -> None:
    club = tier("Club", None)
    card = make_card()
    own_cards.say_by_number(tools, founded.staff_id, card.number, by=owner)

    with pytest.raises(NotEligible):
        inviting.invite(tools, card.card_id, club.tier_id, None, by=owner)
    barista = ConsoleCaller(founded.staff_id, "Bo", "barista")
    with pytest.raises(Forbidden):
        inviting.invite(tools, card.card_id, club.tier_id, None, by=barista)


def test_a_card_has_one_tier_at_a_time(
    tools: Tools, tier: Make, make_card: Callable[..., CardState], give: Give
) -> None:
    for name, units in (("Bronze", 1), ("Silver", 2), ("Gold", 3)):
        tier(name, units)
    card = give(make_card(), 5)

    with tools.database.read() as tx:
        current = tx.scalar(
            select(func.count()).where(
                TierHeld.card_id == card.card_id, TierHeld.ended_at.is_(None)
            )
        )
    assert current == 1
    assert name_of(tools, card) == "Gold"

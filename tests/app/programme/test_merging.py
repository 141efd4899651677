"""Two cards of one person become one: nothing appears, nothing vanishes, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from app.programme import (
    cards,
    expiry,
    ledger,
    members,
    merging,
    plans,
    privacy,
    proofs,
    rewards,
    sessions,
    shop,
    stamping,
    tiers,
    units,
)
from app.programme.cards import CardState
from app.programme.earning import desk
from app.programme.earning.rules import Caps, Figures, Rule, RuleKind
from app.programme.errors import (
    CardClosed,
    ErasedBefore,
    Forbidden,
    InvalidRequest,
    NotFound,
    Refused,
)
from app.programme.founding import Founded
from app.programme.history import of_card
from app.programme.plans import offering, paying
from app.programme.sessions import ConsoleCaller, MemberCaller
from app.programme.tiers import rules as tier_rules
from app.programme.tiers import setting
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import CardMerge, LedgerEntry
from app.tools import Tools
from tests.conftest import Clock, both_books


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Ida", "owner")


@pytest.fixture
def two(tools: Tools, founded: Founded) -> tuple[members.Joined, members.Joined]:
    """The card that goes, and the one that goes on."""
    assert founded.staff_id
    return members.join(tools, name="Anna", email="anna@example.org"), members.join(
        tools, name="Anna B"
    )


def give_all(tools: Tools, old: members.Joined, new: members.Joined) -> None:
    text = merging.link(tools, new.member_id).rpartition("/")[2]
    merging.give(tools, text, giver_id=old.member_id)


@both_books
def test_units_and_vouchers_come_to_the_other_card_and_the_books_stay_true(
    tools: Tools,
    two: tuple[members.Joined, members.Joined],
    give: Callable[..., CardState],
) -> None:
    old, new = two
    give(cards.card(tools, old.card_id), 14)
    give(cards.card(tools, new.card_id), 7)

    give_all(tools, old, new)

    mine, gone = cards.card(tools, new.card_id), cards.card(tools, old.card_id)
    assert (mine.stamps, len(mine.vouchers)) == (1, 2)
    assert {voucher.state for voucher in mine.vouchers} == {"issued"}
    assert (gone.stamps, gone.vouchers, gone.is_closed) == (0, (), True)
    assert len(mine.marks) == 1
    assert proofs.prove(tools).findings == ()
    assert sessions.who(tools, old.token) == MemberCaller(new.member_id)
    assert members.member(tools, old.member_id).email is None
    with tools.database.read() as tx:
        assert cards.goes_on(tx, old.card_id) == new.card_id
    assert "moved_in" in {line.rule for line in of_card(tools, new.card_id)}
    give(mine, 2)
    assert proofs.prove(tools).findings == ()


def test_a_moved_voucher_is_used_and_given_back_on_the_other_card(
    tools: Tools,
    two: tuple[members.Joined, members.Joined],
    give: Callable[..., CardState],
    barista: sessions.StaffCaller,
) -> None:
    old, new = two
    give(cards.card(tools, old.card_id), 10)
    give_all(tools, old, new)
    (voucher,) = cards.card(tools, new.card_id).vouchers

    code = rewards.voucher_code(tools, voucher.voucher_id, member_id=new.member_id).code
    rewards.redeem(tools, code, request_id=uuid4().hex, staff=barista)

    assert cards.card(tools, new.card_id).vouchers[0].state == "redeemed"
    assert proofs.prove(tools).findings == ()


@both_books
def test_what_is_undone_later_follows_to_the_card_that_goes_on(
    tools: Tools,
    two: tuple[members.Joined, members.Joined],
    give: Callable[..., CardState],
    barista: sessions.StaffCaller,
) -> None:
    old, new = two
    give(cards.card(tools, old.card_id), 4)
    given = of_card(tools, old.card_id)[0].entry_id
    give(cards.card(tools, new.card_id), 3)
    third = members.join(tools, name="Anna's tablet")
    give_all(tools, old, new)
    give_all(tools, new, third)
    assert cards.card(tools, third.card_id).stamps == 7

    for _ in range(2):
        stamping.reverse_stamp(tools, given, staff=barista, reason="The wrong card")

    left = [cards.card(tools, each.card_id).stamps for each in (old, new, third)]
    assert left == [0, 0, 3]
    assert proofs.prove(tools).findings == ()


def test_what_was_spent_there_meanwhile_is_owed_there(
    tools: Tools,
    two: tuple[members.Joined, members.Joined],
    give: Callable[..., CardState],
    barista: sessions.StaffCaller,
) -> None:
    old, new = two
    give(cards.card(tools, old.card_id), 10)
    given = of_card(tools, old.card_id)[-1].entry_id
    give_all(tools, old, new)

    stamping.reverse_stamp(tools, given, staff=barista, reason="The wrong card")

    assert cards.card(tools, old.card_id).stamps == 0
    assert cards.card(tools, new.card_id).stamps < 0
    assert proofs.prove(tools).findings == ()


@both_books
def test_what_both_had_earned_counts_for_the_tier(
    tools: Tools,
    founded: Founded,
    two: tuple[members.Joined, members.Joined],
    give: Callable[..., CardState],
    barista: sessions.StaffCaller,
    owner: ConsoleCaller,
) -> None:
    setting.save_ladder(
        tools, founded.programme_id, unit="stamp", window_months=12, grace_days=0,
        by=owner,
    )  # fmt: skip
    draft = setting.TierDraft("Regular", "#8a5000", 6, False, None, 0, "", 0)
    setting.save_tier(tools, founded.programme_id, None, draft, by=owner)
    old, new = two
    give(cards.card(tools, old.card_id), 4)
    given = of_card(tools, old.card_id)[0].entry_id
    give(cards.card(tools, new.card_id), 3)

    def tier() -> str | None:
        found = tiers.of_card(tools, new.card_id)
        return found.tier.name if found and found.tier else None

    assert tier() is None
    give_all(tools, old, new)
    assert tier() == "Regular"
    day = tools.now().date()
    with tools.database.read() as tx:
        rules = tier_rules.of_card(tx, new.card_id)
        assert rules
        counted = tier_rules.counted_now(tx, rules, day, expiry.zone_of(tx))
    assert [sum(one.units for one in counted[new.card_id])] == [7]

    # And not any more what is taken back of it.
    stamping.reverse_stamp(tools, given, staff=barista, reason="The wrong card")
    assert tier() is None
    assert proofs.prove(tools).findings == ()


def test_a_card_with_a_paid_membership_does_not_go(
    tools: Tools,
    founded: Founded,
    two: tuple[members.Joined, members.Joined],
    owner: ConsoleCaller,
) -> None:
    draft = offering.PlanDraft("Plus", 45_00, 12, 200, None, "", is_offered=True)
    plan = offering.save_plan(tools, founded.programme_id, None, draft, by=owner)
    old, new = two
    paying.mark_paid(
        tools, old.card_id, plan, paid_how="cash", request_id=uuid4().hex, by=owner
    )

    with pytest.raises(InvalidRequest) as refused:
        give_all(tools, old, new)
    assert refused.value.fields == {"number": "has_membership"}

    # The other way round nothing is lost.
    give_all(tools, new, old)
    assert plans.of_card(tools, old.card_id)[0].is_good(tools.now())


def test_a_bound_for_one_person_is_not_had_twice_by_two_cards(
    tools: Tools,
    founded: Founded,
    two: tuple[members.Joined, members.Joined],
    give: Callable[..., CardState],
    owner: ConsoleCaller,
) -> None:
    figures = Figures(units=1, each=True)
    rule = Rule(
        uuid4(), 0, uuid4(), founded.programme_id, RuleKind.VISIT, Unit.STAMP, figures,
        caps=Caps(day=4),
    )  # fmt: skip
    desk.save(tools, rule, by=owner)
    old, new = two
    give(cards.card(tools, old.card_id), 4)
    give_all(tools, old, new)

    give(cards.card(tools, new.card_id), 3)

    assert cards.card(tools, new.card_id).stamps == 4


@both_books
def test_of_many_at_once_one_puts_them_together(
    make_tools: Callable[..., Tools],
    tools: Tools,
    two: tuple[members.Joined, members.Joined],
    give: Callable[..., CardState],
) -> None:
    old, new = two
    give(cards.card(tools, old.card_id), 3)
    give(cards.card(tools, new.card_id), 4)
    rivals = [make_tools() for _ in range(6)]

    def merge(at: int) -> Refused | None:
        # Half of them the other way round.
        pair = (old, new) if at % 2 else (new, old)
        try:
            give_all(rivals[at], *pair)
        except Refused as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(merge, range(6)))

    assert answers.count(None) == 1, answers
    left = [cards.card(tools, each.card_id) for each in two]
    assert sorted(each.stamps for each in left) == [0, 7]
    assert sum(each.is_closed for each in left) == 1
    assert proofs.prove(tools).findings == ()


def test_a_link_that_is_not_ours_or_old_or_ones_own_gives_nothing(
    tools: Tools, two: tuple[members.Joined, members.Joined], clock: Clock
) -> None:
    old, new = two
    text = merging.link(tools, new.member_id).rpartition("/")[2]
    for forged in (text[:-1], "x", "", "é"):
        with pytest.raises(NotFound):
            merging.give(tools, forged, giver_id=old.member_id)
    with pytest.raises(InvalidRequest):
        merging.give(tools, text, giver_id=new.member_id)
    clock.forward(timedelta(minutes=16))
    with pytest.raises(NotFound):
        merging.looked(tools, text, giver_id=old.member_id)
    assert not cards.card(tools, old.card_id).is_closed


def test_paused_and_closed_cards_stay_where_they_are(
    tools: Tools, two: tuple[members.Joined, members.Joined], owner: ConsoleCaller
) -> None:
    old, new = two
    shop.pause_card(tools, old.card_id, is_paused=True, by=owner)
    with pytest.raises(CardClosed):
        give_all(tools, old, new)
    shop.pause_card(tools, old.card_id, is_paused=False, by=owner)
    privacy.erase(
        tools, old.member_id, digits=privacy.loss(tools, old.member_id).digits
    )
    with pytest.raises(ErasedBefore):
        give_all(tools, old, new)
    with pytest.raises(NotFound):
        give_all(tools, new, old)


def test_a_manager_puts_two_together_by_number_with_a_reason(
    tools: Tools,
    two: tuple[members.Joined, members.Joined],
    owner: ConsoleCaller,
    give: Callable[..., CardState],
) -> None:
    old, new = two
    number = give(cards.card(tools, old.card_id), 3).number
    own = cards.card(tools, new.card_id).number

    for typed, why in (("123", "not_a_card"), (own, "same_person")):
        with pytest.raises(InvalidRequest) as refusal:
            merging.put_together(tools, new.card_id, typed, reason="r", by=owner)
        assert refusal.value.fields == {"number": why}
    barista = ConsoleCaller(owner.staff_id, "Mia", "barista")
    with pytest.raises(Forbidden):
        merging.put_together(tools, new.card_id, number, reason="r", by=barista)

    typed = f"{number[:4]} {number[4:]}"
    merging.put_together(tools, new.card_id, typed, reason="lost phone", by=owner)

    assert cards.card(tools, new.card_id).stamps == 3
    with tools.database.read() as tx:
        assert tx.get_one(CardMerge, old.card_id).staff_id == owner.staff_id
    assert proofs.prove(tools).findings == ()


#: What a card got: of which unit, how many, and after how many days it ends.
_GIFTS = some.lists(
    some.tuples(
        some.sampled_from(list(Unit)),
        some.integers(1, 9),
        some.none() | some.integers(-3, 40),
    ),
    max_size=6,
)
#: What left it, of which unit.
_SPENT = some.lists(
    some.tuples(some.sampled_from(list(Unit)), some.integers(1, 6)), max_size=4
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(gifts=some.tuples(_GIFTS, _GIFTS), spent=some.tuples(_SPENT, _SPENT))
def test_no_unit_appears_or_vanishes_and_ends_stay(
    tools: Tools,
    founded: Founded,
    gifts: tuple[list[tuple[Unit, int, int | None]], ...],
    spent: tuple[list[tuple[Unit, int]], ...],
) -> None:
    assert founded.staff_id
    old, new = members.join(tools), members.join(tools)
    now = tools.now()
    with tools.database.begin() as tx:
        for joined, got, left in zip((old, new), gifts, spent, strict=True):
            _live(tx, tools, joined.card_id, got, left, now)
    with tools.database.read() as tx:
        ends = _ends(tx, (old.card_id, new.card_id), now)
        before = Counter[Unit]()
        owed = 0
        for card_id in (old.card_id, new.card_id):
            before.update(cards.balances(tx, card_id, now))
            owed += sum(cards.lots_of(tx, card_id).owed(unit) for unit in Unit)

    with tools.database.begin() as tx:
        merging.merge_cards(tx, tools, old.card_id, new.card_id, None)

    with tools.database.read() as tx:
        rest = cards.balances(tx, old.card_id, tools.now())
        after = Counter(cards.balances(tx, new.card_id, tools.now()))
        vouchers = len(cards.card(tools, new.card_id).vouchers)
        lots = _ends(tx, (new.card_id,), tools.now())
    after[Unit.STAMP] += 10 * vouchers
    assert not any(rest.values())
    assert +after == +before
    assert -after == -before
    if not owed and not vouchers:
        assert lots == ends


def _live(
    tx: Tx,
    tools: Tools,
    card_id: UUID,
    gifts: list[tuple[Unit, int, int | None]],
    spent: list[tuple[Unit, int]],
    now: datetime,
) -> None:
    for unit, count, days in gifts:
        entry = _entry(card_id, "BONUS", count, now, unit)
        if days is not None:
            entry.expires_at = now + timedelta(days=days, hours=1)
        ledger.write(tx, tools, entry)
        cards.touch(tx, card_id, entry.expires_at)
    for unit, count in spent:
        ledger.write(tx, tools, _entry(card_id, "ADJUST", -count, now, unit))
        cards.touch(tx, card_id)


def _entry(
    card_id: UUID, kind: str, count: int, now: datetime, unit: Unit
) -> LedgerEntry:
    return LedgerEntry(
        entry_id=uuid4(),
        card_id=card_id,
        kind=kind,
        units=count,
        unit=units.kept(unit),
        rule="drawn",
        at=now,
    )


def _ends(
    tx: Tx, card_ids: tuple[UUID, ...], now: datetime
) -> Counter[tuple[Unit, datetime | None]]:
    """Count what can be spent by its end."""
    told: Counter[tuple[Unit, datetime | None]] = Counter()
    for card_id in card_ids:
        for lot in cards.lots_of(tx, card_id):
            if not lot.is_over(now):
                told[lot.unit, lot.expires_at] += lot.left
    return told

"""What visits earn, in the books: entries, caps, remainders, and what goes back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from app.programme import cards, ends, members, proofs, stamping
from app.programme.earning import (
    acts,
    birthdays,
    booking,
    desk,
    referrals,
    taking_back,
)
from app.programme.earning.booking import Basket
from app.programme.earning.rules import Act, Caps, RuleKind
from app.programme.earning.taking_back import Refunding
from app.programme.earning.windows import Window
from app.programme.errors import NotEligible, NotFound
from app.programme.tiers import setting
from app.programme.tiers.setting import TierDraft
from app.programme.units import Unit
from app.store.tables import (
    EarningPart,
    LedgerEntry,
    Member,
    Referral,
    StaffMember,
    Voucher,
)
from tests.conftest import both_books

TUESDAY = 1


def entries(tools, card):
    with tools.database.read() as tx:
        return tx.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.card_id == card.card_id)
            .order_by(LedgerEntry.entry_no)
        ).all()


def balances(tools, card):
    state = cards.card(tools, card.card_id)
    return {unit.value: left for unit, left in state.balances.items() if left}


def sell(tools, barista, card, amount, stamps=1):
    """A purchase as the till books it: the amount comes with the visit."""
    occasion_of = booking.occasion_of

    def with_amount(tx, at, **more):
        return occasion_of(tx, at, **{**more, "basket": Basket(amount=amount)})

    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.setattr(booking, "occasion_of", with_amount)
        code = stamping.card_code(tools, card.card_id).code
        spent = stamping.stamp(
            tools, code, stamps=stamps, request_id=uuid4().hex, staff=barista
        )
    return spent.answer


def give_back(tools, answer, rest=None):
    with tools.database.begin() as tx:
        first = tx.scalars(
            select(LedgerEntry).where(LedgerEntry.entry_id == UUID(answer["stamp_id"]))
        ).one()
        by = Refunding(tools.now(), "came back")
        return taking_back.refund(tx, tools, first, rest=rest, by=by)


def healthy(tools):
    return proofs.prove(tools).findings == ()


def test_without_rules_a_visit_is_what_the_barista_counted(
    tools, make_card, visit
) -> None:
    card = make_card()

    answer = visit(card, 3)

    assert answer["stamps_given"] == 3
    assert [row["kind"] for row in answer["given"]] == ["stamp"]
    [entry] = entries(tools, card)
    assert (entry.kind, entry.units, entry.rule) == ("EARN", 3, "stamp")
    assert healthy(tools)


def test_double_tuesday_is_an_entry_of_its_own(
    tools, make_card, make_rule, visit, to_weekday
) -> None:
    card = make_card()
    rule = make_rule(
        RuleKind.TIMES,
        percent=200,
        name="Double Tuesday",
        windows=(Window("FREQ=WEEKLY;BYDAY=TU"),),
    )

    to_weekday(TUESDAY)
    answer = visit(card, 2)

    assert answer["stamps_given"] == 4
    first, more = entries(tools, card)
    assert (first.kind, first.units) == ("EARN", 2)
    assert (more.kind, more.units, more.caused_by_id) == ("BONUS", 2, first.entry_id)
    assert more.rule_version_id == rule.version_id
    to_weekday(TUESDAY + 1)
    assert visit(card)["stamps_given"] == 1
    assert healthy(tools)


def test_a_change_holds_for_what_is_earned_after_it(
    tools, make_card, make_rule, visit, owner
) -> None:
    card = make_card()
    rule = make_rule(RuleKind.VISIT, units=1)
    visit(card)

    new = replace(rule, figures=replace(rule.figures, units=3))
    changed = desk.save(tools, new, by=owner, rule_id=rule.rule_id)
    visit(card)
    desk.switch(tools, rule.rule_id, is_on=False, by=owner)
    visit(card, 2)

    assert changed.version == 2
    assert [entry.units for entry in entries(tools, card)] == [1, 3, 2]
    assert [entry.rule_version_id for entry in entries(tools, card)] == [
        rule.version_id,
        changed.version_id,
        None,
    ]
    [view] = desk.rules(tools, rule.programme_id)
    assert (view.given, view.is_on, view.rule.version) == (4, False, 3)


def test_points_of_amounts_carry_over_and_a_visit_below_one_spends_its_code(
    tools, make_card, make_rule, barista
) -> None:
    card = make_card()
    make_rule(RuleKind.AMOUNT, Unit.POINT, units=1, per=100)

    first = sell(tools, barista, card, 60)
    assert first["given"] == []
    assert first["stamps_given"] == 0
    sell(tools, barista, card, 60)

    assert balances(tools, card) == {"point": 1}
    assert [(one.kind, one.units) for one in entries(tools, card)] == [
        ("BONUS", 0),
        ("EARN", 1),
    ]
    assert healthy(tools)


def test_stamps_and_points_of_one_sale_are_entries_of_one_act(
    tools, make_card, make_rule, barista
) -> None:
    card = make_card()
    make_rule(RuleKind.AMOUNT, Unit.POINT, units=2, per=100)
    make_rule(RuleKind.VISIT, Unit.STAMP, units=1)
    make_rule(RuleKind.AMOUNT, Unit.CENT, units=2, per=100)

    sell(tools, barista, card, 1250)

    assert balances(tools, card) == {"stamp": 1, "point": 25, "cent": 25}
    assert [(one.kind, one.unit) for one in entries(tools, card)] == [
        ("EARN", None),
        ("BONUS", "point"),
        ("BONUS", "cent"),
    ]
    assert healthy(tools)


def test_caps_and_budgets_are_counted_from_the_books(
    tools, make_card, make_rule, barista, clock
) -> None:
    card, other = make_card(), make_card("Bo")
    make_rule(RuleKind.AMOUNT, Unit.POINT, units=1, per=100, caps=Caps(day=5), budget=8)

    assert sell(tools, barista, card, 400)["given"][0]["units"] == 4
    cut = sell(tools, barista, card, 400)["given"][0]
    assert (cut["units"], cut["cut"]) == (1, "day")
    # Of eight in all three are left.
    spent = sell(tools, barista, other, 400)["given"][0]
    assert (spent["units"], spent["cut"]) == (3, "budget")

    assert balances(tools, card) == {"point": 5}
    assert healthy(tools)


@both_books
def test_a_budget_is_not_passed_by_any_number_of_tills(
    tools, make_tools, make_card, make_rule, barista
) -> None:
    make_rule(RuleKind.VISIT, Unit.POINT, units=3, budget=10)
    several = [make_card(f"Guest {number}") for number in range(8)]
    codes = [stamping.card_code(tools, card.card_id).code for card in several]
    doors = [make_tools() for _ in range(4)]

    def scan(number: int):
        return stamping.stamp(
            doors[number % 4],
            codes[number],
            stamps=1,
            request_id=uuid4().hex,
            staff=barista,
        ).answer

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(scan, range(8)))

    assert sum(balances(tools, card).get("point", 0) for card in several) == 10
    assert healthy(tools)


def test_an_undoing_takes_back_all_that_came_with_the_visit(
    tools, make_card, make_rule, barista, visit, to_weekday
) -> None:
    card = make_card()
    make_rule(RuleKind.TIMES, percent=150, name="Half as much again")
    make_rule(RuleKind.SIGNUP, units=2)

    answer = visit(card)
    assert answer["stamps_given"] == 3
    visit(card)
    assert balances(tools, card) == {"stamp": 5}
    stamping.reverse_stamp(
        tools, UUID(answer["stamp_id"]), staff=barista, reason="wrong card"
    )

    # One and a half of the visit that stays: the half is left over.
    assert balances(tools, card) == {"stamp": 1}
    with tools.database.read() as tx:
        left = tx.scalars(
            select(EarningPart.carried).order_by(EarningPart.part_no.desc())
        ).first()
    assert left == 50
    assert healthy(tools)


def test_a_refund_takes_back_exactly_what_the_sale_gave(
    tools, make_card, make_rule, barista
) -> None:
    card = make_card()
    make_rule(RuleKind.AMOUNT, Unit.POINT, units=1, per=100)

    one = sell(tools, barista, card, 360)
    two = sell(tools, barista, card, 1040)
    assert balances(tools, card) == {"point": 14}
    told = give_back(tools, one)
    assert told["changed"] == {"point": -4}
    assert balances(tools, card) == {"point": 10}
    # Half of the other comes back, then the rest.
    give_back(tools, two, Basket(amount=520))
    assert balances(tools, card) == {"point": 5}
    give_back(tools, two)

    assert balances(tools, card) == {}
    assert healthy(tools)


def test_a_refund_of_what_was_spent_leaves_a_debt(
    tools, make_card, make_rule, barista, visit
) -> None:
    card = make_card()
    make_rule(RuleKind.VISIT, units=6)
    visit(card)
    full = visit(card)
    assert full["card"]["stamps"] == 2
    with tools.database.begin() as tx:
        tx.execute(update(Voucher).values(state="redeemed"))

    told = give_back(tools, full)

    assert told["card"]["stamps"] == -4
    assert visit(card)["card"]["stamps"] == 2


def test_units_live_for_their_days(tools, make_card, make_rule, visit, clock) -> None:
    card = make_card()
    make_rule(RuleKind.VISIT, Unit.POINT, units=5, life_days=30)
    visit(card)
    [ending] = cards.card(tools, card.card_id).ending
    assert (ending.units, ending.days_left) == (5, 30)

    clock.forward(timedelta(days=31))
    ends.sweep(tools)

    assert balances(tools, card) == {}
    assert healthy(tools)


# Sign-up bonus


def test_joining_pays_with_the_first_visit_and_once(
    tools, make_card, make_rule, visit
) -> None:
    make_rule(RuleKind.SIGNUP, units=2, name="Welcome")
    card = make_card()
    assert entries(tools, card) == []

    assert visit(card)["stamps_given"] == 3
    assert visit(card)["stamps_given"] == 1

    assert [one.rule for one in entries(tools, card)] == ["stamp", "signup", "stamp"]
    assert healthy(tools)


def test_one_device_gets_the_bonus_for_three_members(
    tools, make_rule, visit, founded
) -> None:
    make_rule(RuleKind.SIGNUP, units=2)
    given = []
    for number in range(5):
        joined = members.join(
            tools, name=f"Farm {number}", device="203.0.113.9", browser="Phone"
        )
        given.append(visit(cards.card(tools, joined.card_id))["stamps_given"])

    assert given == [3, 3, 3, 1, 1]
    assert founded


@both_books
def test_two_tills_at_once_pay_the_bonus_for_joining_once(
    tools, make_tools, make_card, make_rule, barista
) -> None:
    make_rule(RuleKind.SIGNUP, units=2)
    card = make_card()
    codes = [stamping.card_code(tools, card.card_id).code for _ in range(4)]
    doors = [make_tools() for _ in codes]

    def scan(pair):
        door, code = pair
        return stamping.stamp(
            door, code, stamps=1, request_id=uuid4().hex, staff=barista
        ).answer["stamps_given"]

    with ThreadPoolExecutor(4) as pool:
        given = sorted(pool.map(scan, zip(doors, codes, strict=True)))

    assert given == [1, 1, 1, 3]
    assert healthy(tools)


# Acts


def test_an_act_is_thanked_for_once_and_only_after_a_visit(
    tools, make_card, make_rule, visit
) -> None:
    make_rule(RuleKind.ACT, Unit.POINT, units=20, act=Act.REVIEW)
    card = make_card()

    with pytest.raises(NotEligible) as refused:
        acts.tell(tools, card.card_id, Act.REVIEW)
    assert refused.value.why == "no_visit"
    visit(card)
    assert acts.tell(tools, card.card_id, Act.REVIEW).units == 20
    again = acts.tell(tools, card.card_id, Act.REVIEW)
    assert (again.units, again.is_repeat) == (0, True)
    with pytest.raises(NotFound):
        acts.tell(tools, card.card_id, Act.SOCIAL)

    assert balances(tools, card) == {"stamp": 1, "point": 20}
    assert [done for _, done in acts.open_to(tools, card.card_id)] == [True]
    assert healthy(tools)


@both_books
def test_an_act_told_from_many_taps_at_once_counts_once(
    tools, make_tools, make_card, make_rule, visit
) -> None:
    make_rule(RuleKind.ACT, units=2, act=Act.SOCIAL)
    card = make_card()
    visit(card)
    doors = [make_tools() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        given = pool.map(
            lambda door: acts.tell(door, card.card_id, Act.SOCIAL).units, doors
        )

    assert sorted(given) == [0, 0, 0, 2]
    assert healthy(tools)


# Birthdays


def born(tools, card, day: date) -> None:
    with tools.database.begin() as tx:
        tx.execute(
            update(Member)
            .where(Member.member_id == card.member_id)
            .values(birthday=day, birthday_set_at=tools.now())
        )


def born_today(tools, card, clock) -> None:
    today = clock().date()
    born(tools, card, today.replace(year=1990, day=min(today.day, 28)))


def test_a_birthday_gives_once_a_year_also_when_it_is_changed(
    tools, make_card, make_rule, visit, clock
) -> None:
    make_rule(RuleKind.BIRTHDAY, units=2)
    card, without_visit = make_card(), make_card("Bo")
    visit(card)
    born_today(tools, card, clock)
    born_today(tools, without_visit, clock)

    assert birthdays.sweep(tools) == 1
    assert birthdays.sweep(tools) == 0
    clock.forward(timedelta(days=40))
    born_today(tools, card, clock)
    assert birthdays.sweep(tools) == 0
    clock.forward(timedelta(days=330))
    born_today(tools, card, clock)
    assert birthdays.sweep(tools) == 1

    assert balances(tools, card) == {"stamp": 5}
    assert entries(tools, without_visit) == []
    assert healthy(tools)


def test_a_tier_gives_more_on_a_birthday_also_without_a_rule(
    tools, founded, owner, make_card, make_rule, visit, clock
) -> None:
    setting.save_ladder(
        tools, founded.programme_id, unit="stamp", window_months=12, grace_days=14,
        by=owner,
    )  # fmt: skip
    draft = TierDraft("Gold", "#8a5000", 1, False, None, 0, "", 3)
    setting.save_tier(tools, founded.programme_id, None, draft, by=owner)
    card, other = make_card(), make_card("Bo")
    visit(card)
    born_today(tools, card, clock)
    born_today(tools, other, clock)

    assert (birthdays.sweep(tools), birthdays.sweep(tools)) == (1, 0)
    assert balances(tools, card) == {"stamp": 4}
    clock.forward(timedelta(days=365))
    make_rule(RuleKind.BIRTHDAY, units=2)
    visit(card)
    born_today(tools, card, clock)
    assert birthdays.sweep(tools) == 1
    assert balances(tools, card) == {}
    assert len(cards.card(tools, card.card_id).vouchers) == 1
    assert healthy(tools)


@both_books
def test_two_workers_give_one_birthday_gift(
    tools, make_tools, make_card, make_rule, visit, clock
) -> None:
    make_rule(RuleKind.BIRTHDAY, units=2)
    card = make_card()
    visit(card)
    born_today(tools, card, clock)
    doors = [make_tools() for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        given = sum(pool.map(birthdays.sweep, doors))

    assert given == 1
    assert healthy(tools)


# Referrals


def friend_of(tools, giver, name="Bo", **where):
    word = referrals.of_card(tools, giver.card_id).word
    joined = members.join(tools, name=name, invite=word, **where)
    return cards.card(tools, joined.card_id)


def test_both_are_thanked_after_the_friends_second_day(
    tools, make_card, make_rule, visit, clock
) -> None:
    make_rule(RuleKind.REFERRAL, units=3, friend_units=2)
    giver = make_card()
    visit(giver)
    friend = friend_of(tools, giver)

    visit(friend)
    visit(friend)
    assert referrals.sweep(tools) == 0
    clock.forward(timedelta(days=1))
    visit(friend)
    assert referrals.sweep(tools) == 1
    assert referrals.sweep(tools) == 0

    assert balances(tools, giver) == {"stamp": 4}
    assert balances(tools, friend) == {"stamp": 5}
    told = referrals.of_card(tools, giver.card_id)
    assert (told.joined, told.paid) == (1, 1)
    assert healthy(tools)


@pytest.mark.parametrize("reason", ["same_device", "staff"])
def test_nobody_invites_themselves_or_from_the_till(
    tools, make_rule, visit, clock, reason, founded
) -> None:
    make_rule(RuleKind.REFERRAL, units=3, friend_units=2)
    here = {"device": "203.0.113.7", "browser": "Phone"}
    joined = members.join(tools, name="Anna", **here)
    giver = cards.card(tools, joined.card_id)
    friend = friend_of(tools, giver, **(here if reason == "same_device" else {}))
    if reason == "staff":
        with tools.database.begin() as tx:
            tx.execute(
                update(Member)
                .where(Member.member_id == giver.member_id)
                .values(staff_id=tx.scalar(select(StaffMember.staff_id).limit(1)))
            )
    visit(friend)
    clock.forward(timedelta(days=1))
    visit(friend)

    assert referrals.sweep(tools) == 0
    with tools.database.read() as tx:
        assert tx.execute(select(Referral.state, Referral.reason)).all() == [
            ("refused", reason)
        ]
    assert balances(tools, giver) == {}


@both_books
def test_many_workers_pay_for_a_friend_once(
    tools, make_tools, make_card, make_rule, visit, clock
) -> None:
    make_rule(RuleKind.REFERRAL, units=3, friend_units=2)
    giver = make_card()
    friend = friend_of(tools, giver)
    visit(friend)
    clock.forward(timedelta(days=1))
    visit(friend)
    doors = [make_tools() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(referrals.sweep, doors)) == 1

    assert balances(tools, giver) == {"stamp": 3}
    assert balances(tools, friend) == {"stamp": 4}
    with tools.database.read() as tx:
        names = select(func.count()).where(LedgerEntry.once.like("referral:%"))
        assert tx.scalar(names) == 2
    assert healthy(tools)

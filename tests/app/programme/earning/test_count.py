from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.programme.earning.count import SCALE, awards, refunded
from app.programme.earning.rules import (
    Act,
    Award,
    Boost,
    Bought,
    Caps,
    Counts,
    Cut,
    Figures,
    Occasion,
    Rule,
    RuleKind,
    Used,
)
from app.programme.earning.windows import Window
from app.programme.units import Unit

BERLIN = ZoneInfo("Europe/Berlin")
#: A Tuesday.
NOON = datetime(2026, 5, 5, 10, 0, tzinfo=UTC)
COFFEE = UUID(int=7)


def a_rule(kind: RuleKind, unit: Unit = Unit.POINT, **more: Any) -> Rule:
    figures = Figures(
        **{name: more.pop(name) for name in Figures.__slots__ if name in more}
    )
    return Rule(uuid4(), 1, uuid4(), UUID(int=1), kind, unit, figures, **more)


def a_sale(amount: int | None = None, **more: Any) -> Occasion:
    return Occasion(RuleKind.VISIT, more.pop("at", NOON), BERLIN, amount=amount, **more)


POINT_A_EURO = a_rule(RuleKind.AMOUNT, units=1, per=100)
DOUBLE_TUESDAY = a_rule(
    RuleKind.TIMES,
    percent=200,
    name="Double Tuesday",
    windows=(Window("FREQ=WEEKLY;BYDAY=TU"),),
)


def units(found: tuple[Award, ...]) -> list[int]:
    return [award.units for award in found]


def test_without_rules_the_barista_counts() -> None:
    (award,) = awards([], a_sale(stamps=3))

    assert (award.unit, award.units, award.rule) == (Unit.STAMP, 3, None)


def test_a_multiplier_alone_multiplies_what_the_barista_counts() -> None:
    double = replace(DOUBLE_TUESDAY, unit=Unit.STAMP)

    assert units(awards([double], a_sale(stamps=2))) == [2, 2]
    wednesday = a_sale(stamps=2, at=NOON + timedelta(days=1))
    assert units(awards([double], wednesday)) == [2]


def test_a_visit_gives_once_or_for_each_that_is_counted() -> None:
    once = a_rule(RuleKind.VISIT, Unit.STAMP, units=2)
    each = a_rule(RuleKind.VISIT, Unit.STAMP, units=2, each=True)

    assert units(awards([once, each], a_sale(stamps=3))) == [2, 6]


def test_items_and_categories_count_pieces() -> None:
    rule = a_rule(
        RuleKind.ITEM,
        Unit.STAMP,
        units=1,
        items=frozenset({COFFEE}),
        categories=frozenset({"bread"}),
    )
    sale = a_sale(
        lines=(
            Bought(2, 320, item_id=COFFEE, category="drinks"),
            Bought(1, 450, item_id=uuid4(), category="bread"),
            Bought(4, 100, item_id=uuid4(), category="sweets"),
        )
    )

    assert units(awards([rule], sale)) == [3]


def test_what_makes_no_point_yet_is_carried_over() -> None:
    (first,) = awards([POINT_A_EURO], a_sale(360))
    assert first.tally is not None
    assert (first.units, first.tally.carried) == (3, 60 * SCALE)

    counts = Counts(carried={POINT_A_EURO.rule_id: first.tally.carried})
    (second,) = awards([POINT_A_EURO], a_sale(40), counts=counts)
    assert second.tally is not None
    assert (second.units, second.tally.carried) == (1, 0)


def test_the_best_multiplier_counts_and_they_do_not_stack() -> None:
    gold = Boost("Gold", 150, Unit.POINT)
    silver = Boost("Silver", 120)

    base, more = awards([POINT_A_EURO, DOUBLE_TUESDAY], a_sale(1000), [gold, silver])
    assert (base.units, more.units, more.rule) == (10, 10, DOUBLE_TUESDAY)

    wednesday = a_sale(1000, at=NOON + timedelta(days=1))
    base, more = awards([POINT_A_EURO, DOUBLE_TUESDAY], wednesday, [gold, silver])
    assert (base.units, more.units, more.boost) == (10, 5, gold)


def test_a_multiplier_of_another_unit_is_not_asked() -> None:
    rules = [POINT_A_EURO, replace(DOUBLE_TUESDAY, unit=Unit.CENT)]

    assert units(awards(rules, a_sale(1000), [Boost("Gold", 150, Unit.STAMP)])) == [10]


def test_double_of_half_a_point_is_one() -> None:
    base, more = awards([POINT_A_EURO, DOUBLE_TUESDAY], a_sale(50))

    assert base.tally is not None
    assert (base.units, more.units, base.tally.carried) == (0, 1, 0)


@pytest.mark.parametrize(
    ("caps", "budget", "used", "given", "cut"),
    [
        (Caps(sale=4), None, Used(), 4, Cut.SALE),
        (Caps(day=5), None, Used(day=3), 2, Cut.DAY),
        (Caps(month=5), None, Used(month=5), 0, Cut.MONTH),
        (Caps(year=9), None, Used(year=3), 6, Cut.YEAR),
        (Caps(member=9), None, Used(member=20), 0, Cut.MEMBER),
        (Caps(), 100, Used(total=97), 3, Cut.BUDGET),
        (Caps(sale=10, day=100), 1000, Used(), 10, None),
    ],
)
def test_caps_cut_and_say_which_it_was(
    caps: Caps, budget: int | None, used: Used, given: int, cut: Cut | None
) -> None:
    rule = replace(POINT_A_EURO, caps=caps, budget=budget)

    (award,) = awards([rule], a_sale(1090), counts=Counts({rule.rule_id: used}))

    assert (award.units, award.cut) == (given, cut)
    assert award.tally is not None
    assert award.tally.carried == (90 * SCALE if cut is None else 0)


def test_a_cap_that_is_reached_leaves_what_was_left_over() -> None:
    rule = replace(POINT_A_EURO, caps=Caps(day=5))
    counts = Counts({rule.rule_id: Used(day=5)}, {rule.rule_id: 60 * SCALE})

    (award,) = awards([rule], a_sale(1090), counts=counts)

    assert award.tally is not None
    assert (award.units, award.tally.carried, award.tally.parts) == (0, 60 * SCALE, 0)


def test_the_cap_of_a_multiplier_is_for_what_it_adds() -> None:
    double = replace(DOUBLE_TUESDAY, caps=Caps(day=4))

    base, more = awards([POINT_A_EURO, double], a_sale(1000))

    assert (base.units, more.units, more.cut) == (10, 4, Cut.DAY)


def test_nothing_below_the_least_amount() -> None:
    rule = a_rule(RuleKind.VISIT, Unit.STAMP, units=1, least=500)

    assert units(awards([rule], a_sale(499))) == [0]
    assert units(awards([rule], a_sale(500))) == [1]


def test_a_rule_holds_at_its_places_and_on_its_days() -> None:
    here, there = uuid4(), uuid4()
    rule = replace(
        POINT_A_EURO,
        places=frozenset({here}),
        first_day=NOON.date(),
        last_day=NOON.date(),
    )

    assert units(awards([rule], a_sale(100, location_id=here))) == [1]
    assert awards([rule], a_sale(100, location_id=there)) == ()
    late = a_sale(100, location_id=here, at=NOON + timedelta(days=1))
    assert awards([rule], late) == ()


def test_units_live_until_the_end_of_a_local_day() -> None:
    (award,) = awards([replace(POINT_A_EURO, life_days=365)], a_sale(100))

    assert award.expires_at == datetime(2027, 5, 5, 21, 59, 59, tzinfo=UTC)


def test_acts_and_days_look_at_their_own_rules() -> None:
    review = a_rule(RuleKind.ACT, units=20, act=Act.REVIEW)
    social = a_rule(RuleKind.ACT, units=10, act=Act.SOCIAL)
    invited = a_rule(RuleKind.REFERRAL, units=5, friend_units=3)
    rules = [POINT_A_EURO, review, social, invited]

    acted = Occasion(RuleKind.ACT, NOON, BERLIN, act=Act.REVIEW)
    assert units(awards(rules, acted)) == [20]
    giver = Occasion(RuleKind.REFERRAL, NOON, BERLIN)
    assert units(awards(rules, giver)) == [5]
    assert units(awards(rules, replace(giver, is_friend=True))) == [3]


@dataclass
class Book:
    """A card's life under some rules, as the books would have it."""

    rules: list[Rule]
    units: int = 0
    carried: dict[UUID | None, int] = field(default_factory=dict)

    def sell(self, occasion: Occasion, boosts: list[Boost]) -> tuple[Award, ...]:
        counts = Counts(carried=dict(self.carried))
        found = awards(self.rules, occasion, boosts, counts)
        for award in found:
            self.units += award.units
            if award.tally:
                self.carried[award.tally.rule_id] = award.tally.carried
        return found

    def refund(self, found: tuple[Award, ...]) -> None:
        """Reverse all entries of a sale, and settle what is left over."""
        given: dict[UUID | None, int] = {}
        of = None
        for award in found:
            of = award.tally or of
            assert of is not None
            given[of.rule_id] = given.get(of.rule_id, 0) + award.units
            self.units -= award.units
        for tally in (award.tally for award in found if award.tally):
            carried = self.carried[tally.rule_id]
            done = refunded(carried, tally.parts, given[tally.rule_id], tally.whole)
            assert -1 <= done.units <= 1
            self.units += done.units
            self.carried[tally.rule_id] = done.carried


prices = st.lists(st.integers(1, 5000), min_size=1, max_size=12)


@settings(max_examples=300)
@given(
    kept=prices,
    returned=prices,
    figures=st.tuples(st.integers(1, 7), st.integers(1, 700)),
    percent=st.sampled_from([100, 125, 150, 200, 333]),
    order=st.randoms(use_true_random=False),
)
def test_sales_split_and_refunded_in_any_order_earn_what_the_whole_earns(
    kept: list[int],
    returned: list[int],
    figures: tuple[int, int],
    percent: int,
    order: Any,
) -> None:
    rule = a_rule(RuleKind.AMOUNT, units=figures[0], per=figures[1])
    boosts = [Boost("Gold", percent)]
    book, whole = Book([rule]), Book([rule])

    todo = [(price, False) for price in kept] + [(price, True) for price in returned]
    order.shuffle(todo)
    open_refunds = []
    for price, goes_back in todo:
        found = book.sell(a_sale(price), boosts)
        if goes_back:
            open_refunds.append(found)
        if open_refunds and order.random() < 0.5:
            book.refund(open_refunds.pop(order.randrange(len(open_refunds))))
    order.shuffle(open_refunds)
    for found in open_refunds:
        book.refund(found)

    # A multiplier counts hundredths of each sale, rounded down to a part: with whole
    # percents nothing is ever rounded.
    whole.sell(a_sale(sum(kept)), boosts)
    assert (book.units, book.carried) == (whole.units, whole.carried)


@given(prices, st.integers(1, 50))
def test_what_goes_back_entirely_leaves_nothing(sold: list[int], cap: int) -> None:
    book = Book([replace(POINT_A_EURO, caps=Caps(sale=cap)), DOUBLE_TUESDAY])

    found = [book.sell(a_sale(price), []) for price in sold]
    for sale in reversed(found):
        book.refund(sale)

    assert book.units == 0
    assert not any(book.carried.values())

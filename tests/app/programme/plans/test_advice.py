"""Whether a plan would have paid: the printed example, and any history."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.programme.plans.advice import LEAST_DAYS, Advice, Terms, advice

TODAY = date(2026, 11, 23)
LONG_AGO = date(2024, 1, 1)
#: 45 a year, 2 % back, 500 a year at most.
CLUB = Terms(price=45_00, period_months=12, cashback=200, cap=500_00)


def told(*spent: int, terms: Terms = CLUB, since: date = LONG_AGO) -> Advice:
    bought = [(TODAY - timedelta(days=20 * at), sum_) for at, sum_ in enumerate(spent)]
    return advice(bought, terms, today=TODAY, since=since)


def test_it_says_honestly_that_it_would_not_have_paid() -> None:
    found = told(1_000_00, 240_00)

    assert (found.spent, found.given, found.price) == (1_240_00, 24_80, 45_00)
    assert (found.pays, found.gain) == (False, -20_20)
    assert found.break_even == 2_250_00


def test_it_pays_from_its_break_even_on() -> None:
    assert not told(2_250_00).pays
    assert told(2_250_50).gain == 1
    assert told(2_250_50).pays


def test_a_cap_holds_down_what_it_gives() -> None:
    found = told(30_000_00)

    assert (found.given, found.is_capped) == (500_00, True)
    assert not told(25_000_00).is_capped


def test_a_cap_below_the_price_never_pays() -> None:
    found = told(90_000_00, terms=Terms(45_00, 12, 200, cap=45_00 - 1))

    assert found.break_even is None
    assert not found.pays


def test_a_monthly_price_is_set_against_a_whole_year() -> None:
    assert told(1_000_00, terms=Terms(5_00, 1, 500)).price == 60_00


def test_a_short_history_is_drawn_out_and_says_so() -> None:
    since = TODAY - timedelta(days=73)

    found = told(500_00, since=since)

    assert found.is_drawn_out
    assert (found.days, found.spent, found.spent_a_year) == (73, 500_00, 2_500_00)
    assert found.given == 50_00


def test_too_short_a_history_tells_nothing() -> None:
    found = told(900_00, since=TODAY - timedelta(days=LEAST_DAYS - 1))

    assert found.is_early
    assert not found.pays
    assert not found.is_drawn_out


@given(
    st.lists(st.tuples(st.integers(0, 800), st.integers(0, 10**7)), max_size=20),
    st.integers(0, 900),
    st.builds(
        Terms,
        st.integers(0, 10**5),
        st.sampled_from([1, 12]),
        st.integers(0, 5000),
        st.none() | st.integers(0, 10**5),
    ),
)
def test_it_never_promises_more_than_the_plan_gives(
    drawn: list[tuple[int, int]], known: int, terms: Terms
) -> None:
    bought = [(TODAY - timedelta(days=back), amount) for back, amount in drawn]

    found = advice(bought, terms, today=TODAY, since=TODAY - timedelta(days=known))

    assert found.given <= found.spent_a_year * terms.cashback / 10_000
    assert terms.cap is None or found.given <= terms.cap
    if found.pays and found.break_even is not None:
        assert found.spent_a_year >= found.break_even
    if found.break_even is not None:
        assert terms.given_for(found.break_even) >= terms.price_a_year
        assert terms.given_for(max(found.break_even - 1, 0)) <= terms.price_a_year

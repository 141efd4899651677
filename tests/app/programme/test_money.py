"""Sums of money as people type them become whole minor units, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.programme import money


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("3,50", "EUR", 350),
        ("3.5", "EUR", 350),
        (" 12 ", "DKK", 1200),
        ("1 250,00", "SEK", 125_000),
        ("1'250", "CHF", 125_000),
        ("250", "JPY", 250),
        ("0", "EUR", 0),
        ("2.5", "JPY", None),
        ("2.505", "EUR", None),
        ("-1", "EUR", None),
        ("1,000,000.00", "EUR", None),
        ("1000000.01", "EUR", None),
        ("", "EUR", None),
        ("three", "EUR", None),
        ("٣", "EUR", None),
    ],
)
def test_a_sum_is_read_as_it_is_typed(typed, currency, minor):
    assert money.parse(typed, currency) == minor


@given(
    minor=some.integers(0, money.MOST),
    currency=some.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_what_is_spelled_is_read_again(minor, currency):
    assert money.parse(money.spelled(minor, currency), currency) == minor


@given(typed=some.text(max_size=20))
def test_whatever_is_typed_is_a_sum_or_nothing(typed):
    read = money.parse(typed, "EUR")

    assert read is None or 0 <= read <= money.MOST

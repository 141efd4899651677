"""What a visit earned, said aloud."""

from __future__ import annotations

import pytest

from app.translations import LANGUAGES, Language
from app.web.shared import earned, lists
from tests.app.web.conftest import House

PLAIN = {"unit": "stamp", "units": 1, "kind": "stamp", "rule": ""}


def test_each_rule_is_named_with_what_it_gave(house: House):
    given = [
        PLAIN,
        {"unit": "stamp", "units": 2, "kind": "times", "rule": "Double Tuesday"},
        {"unit": "point", "units": 35, "kind": "amount", "rule": ""},
        {"unit": "cent", "units": 120, "kind": "amount", "rule": "Gold"},
        {"unit": "point", "units": 0, "kind": "amount", "rule": "x", "cut": "day"},
    ]
    with house.app.test_request_context("/"):
        assert earned.told(given, "EUR") == [
            "1 stamp",
            "2 stamps: Double Tuesday",
            "35 points",
            "€1.20 back: Gold",
        ]


def test_what_the_barista_counted_needs_no_words(house: House):
    with house.app.test_request_context("/"):
        assert earned.told([PLAIN], "EUR") == []


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.tag)
def test_several_things_are_put_in_a_row_in_every_language(
    house: House, language: Language
):
    given = [{"unit": unit, "units": 2} for unit in ("stamp", "point", "cent")]
    asked = {"Accept-Language": language.tag}
    with house.app.test_request_context("/", headers=asked):
        told = earned.gained({"given": given, "cashback": 30}, "EUR")
        owed = earned.owes({"stamps": -1, "balances": {"point": -2}}, "EUR")
        bought = lists.of_things(["2 Coffee", "Cake", "Tea"])

    assert told.count("2") >= 2
    assert "2" in owed
    assert all(name in bought for name in ("Coffee", "Cake", "Tea"))

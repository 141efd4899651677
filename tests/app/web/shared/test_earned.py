"""What a visit earned, said aloud."""

from __future__ import annotations

from app.web.shared import earned
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

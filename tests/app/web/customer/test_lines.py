from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.programme.history import HistoryLine
from app.programme.units import Unit
from app.web.customer.lines import line_of, stamps_from, when

pytestmark = pytest.mark.usefixtures("in_request")
MINUS = "\N{MINUS SIGN}"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def happened(kind: str, units: int = 0, **facts: object) -> HistoryLine:
    line = {
        "entry_id": uuid4(),
        "at": NOW,
        "kind": kind,
        "rule": "",
        "units": units,
        "unit": Unit.STAMP,
        "place": None,
        "voucher_reward": None,
        "voucher_expires_at": None,
        "reversed": False,
        "reason": None,
    }
    return HistoryLine(**{**line, **facts})


@pytest.mark.parametrize(
    ("entry", "mark", "icon", "words"),
    [
        (happened("EARN", 1, place="Nyhavn"), "+1", "", "Stamp at Nyhavn"),
        (happened("EARN", 2, place="Nyhavn"), "+2", "", "Stamps at Nyhavn"),
        (happened("EARN", 1), "+1", "", "Stamp"),
        (happened("BONUS", 2), "+2", "", "Extra stamps"),
        (
            happened("REDEEM", -10, voucher_reward="Free coffee"),
            "",
            "gift",
            "Full card, yours: Free coffee",
        ),
        (
            happened("REDEEM", voucher_reward="Free coffee", place="Torvet"),
            "",
            "check",
            "Free coffee, used at Torvet",
        ),
        (happened("REVERSE", -2), f"{MINUS}2", "", "Stamps taken back"),
        (
            happened("REVERSE", 10, voucher_reward="Free coffee"),
            "",
            "undo",
            "Free coffee turned back into stamps",
        ),
        (
            happened("EXPIRE", voucher_reward="Free coffee", entry_id=None),
            "",
            "time",
            "Free coffee, expired",
        ),
        (
            happened(
                "REVERSE",
                voucher_reward="Free coffee",
                voucher_expires_at=NOW - timedelta(hours=1),
            ),
            "",
            "undo",
            "Free coffee given back, but expired",
        ),
        (
            happened("REVERSE", 0, voucher_reward="Free coffee"),
            "",
            "undo",
            "Free coffee is yours again",
        ),
        (happened("EXPIRE", -3), f"{MINUS}3", "", "Stamps that were not used in time"),
        (happened("MERGE", 4), "+4", "", "From your other card"),
        (happened("ADJUST", 1), "+1", "", "Changed by the shop"),
        (happened("NEWER", 1), "+1", "", "Changed by the shop"),
    ],
)
def test_an_entry_is_told_in_a_customers_words(entry, mark, icon, words):
    line = line_of(entry, NOW)

    assert (line.mark, line.icon, line.words) == (mark, icon, words)


def test_the_reason_of_an_undo_stands_beside_it():
    line = line_of(happened("REVERSE", -1, reason="Wrong card"), NOW)

    assert line.note == "Wrong card"


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(hours=2), "today"),
        (timedelta(days=1), "yesterday"),
        (timedelta(days=4), "18 Nov"),
        (timedelta(days=400), "18 Oct 2025"),
    ],
)
def test_a_moment_is_told_as_people_do(before, words):
    assert when(NOW - before, NOW).startswith(words)


def test_stamps_are_counted_in_words():
    assert stamps_from(1, "Nyhavn") == "A stamp from Nyhavn"
    assert stamps_from(3, "Nyhavn") == "3 stamps from Nyhavn"
    assert stamps_from(2, None) == "2 stamps"

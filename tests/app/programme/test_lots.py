"""No unit appears or vanishes, whatever happens in whatever order."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.programme.lots import Lot, Lots, Movement
from app.programme.units import Unit

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HISTORIES = 10_000


def at(days: int) -> datetime:
    return START + timedelta(days=days)


class Book:
    """Movements of one card, numbered as they come."""

    def __init__(self) -> None:
        self.moves: list[Movement] = []
        self.lots = Lots()

    def add(
        self, kind: str, units: int, day: int, *, unit: Unit = Unit.POINT,
        ends: int | None = None, caused_by: Movement | None = None,
        reverses: Movement | None = None,
    ) -> Movement:  # fmt: skip
        move = Movement(
            UUID(int=len(self.moves) + 1), kind, unit, units, at(day),
            None if ends is None else at(ends),
            caused_by.entry_id if caused_by else None,
            reverses.entry_id if reverses else None,
        )  # fmt: skip
        self.moves.append(move)
        self.lots.add(move)
        return move

    def left(self) -> list[tuple[int, int]]:
        """Of each lot that has something left: which entry, how much."""
        return [(lot.entry_id.int, lot.left) for lot in self.lots]


@pytest.fixture
def book() -> Book:
    return Book()


def test_the_soonest_end_is_spent_first_and_none_last(book: Book):
    book.add("EARN", 5, 0)
    book.add("EARN", 5, 1, ends=90)
    book.add("EARN", 5, 2, ends=30)

    book.add("REDEEM", -7, 3)

    assert book.left() == [(2, 3), (1, 5)]


def test_of_the_same_end_the_older_is_spent_first(book: Book):
    book.add("EARN", 5, 0, ends=30)
    book.add("EARN", 5, 1, ends=30)

    book.add("REDEEM", -6, 2)

    assert book.left() == [(2, 4)]


def test_what_is_over_is_not_spent_though_nobody_wrote_its_end_yet(book: Book):
    book.add("EARN", 5, 0, ends=10)
    book.add("EARN", 5, 1)

    book.add("REDEEM", -3, 11)

    assert book.left() == [(1, 5), (2, 2)]
    assert book.lots.usable(Unit.POINT, at(11)) == 2
    assert [lot.left for lot in book.lots.over(at(11))] == [5]


def test_a_refund_takes_its_own_lot_first(book: Book):
    book.add("EARN", 5, 0, ends=10)
    sale = book.add("EARN", 5, 1)

    book.add("REVERSE", -5, 2, reverses=sale)

    assert book.left() == [(1, 5)]


def test_what_was_spent_meanwhile_is_taken_of_the_others_and_then_owed(book: Book):
    sale = book.add("EARN", 8, 0)
    book.add("REDEEM", -8, 1)
    book.add("EARN", 3, 2)

    book.add("REVERSE", -8, 3, reverses=sale)

    assert book.left() == []
    assert book.lots.usable(Unit.POINT, at(3)) == -5
    assert book.lots.owed(Unit.POINT) == 5

    book.add("EARN", 7, 4)

    assert book.left() == [(5, 2)]
    assert book.lots.owed(Unit.POINT) == 0


def test_what_comes_back_has_the_ends_that_it_had(book: Book):
    book.add("EARN", 2, 0, ends=30)
    book.add("EARN", 5, 0, ends=60)
    spent = book.add("REDEEM", -4, 1)

    book.add("REVERSE", 4, 2, reverses=spent)

    assert book.left() == [(1, 2), (2, 5)]


def test_units_do_not_mix(book: Book):
    book.add("EARN", 5, 0, unit=Unit.STAMP)
    book.add("EARN", 9, 0, unit=Unit.CENT)

    book.add("REDEEM", -9, 1, unit=Unit.CENT)

    assert book.lots.usable(Unit.STAMP, at(1)) == 5
    assert book.lots.usable(Unit.CENT, at(1)) == 0


def test_an_end_takes_the_lot_that_it_names(book: Book):
    book.add("EARN", 5, 0, ends=40)
    named = book.add("EARN", 5, 0, ends=50)

    book.add("EXPIRE", -5, 51, caused_by=named)

    assert book.left() == [(1, 5)]


def _gives(book: Book, chance: random.Random, day: int) -> Movement:
    ends = chance.choice([None, day, day + chance.randint(0, 20)])
    kind = chance.choice(["EARN", "BONUS", "ADJUST", "MERGE"])
    unit = chance.choice(list(Unit))
    return book.add(kind, chance.randint(1, 9), day, unit=unit, ends=ends)


def _spends(book: Book, chance: random.Random, day: int) -> list[Movement]:
    unit = chance.choice(list(Unit))
    there = book.lots.usable(unit, at(day))
    if there <= 0:
        return []
    return [book.add("REDEEM", -chance.randint(1, there), day, unit=unit)]


def _name(book: Book, lots: list[Lot], kind: str, day: int) -> None:
    """Let lots end, or leave the card."""
    for lot in lots:
        named = book.moves[lot.entry_id.int - 1]
        book.add(kind, -lot.left, day, unit=lot.unit, caused_by=named)


def _one_history(chance: random.Random) -> Book:
    """A random life of a card: giving, spending, ending, leaving and undoing."""
    book = Book()
    undoable: list[Movement] = []
    for day in range(chance.randint(3, 25)):
        what = chance.random()
        if what < 0.45:
            undoable.append(_gives(book, chance, day))
        elif what < 0.65:
            undoable += _spends(book, chance, day)
        elif what < 0.8 and undoable:
            undone = undoable.pop(chance.randrange(len(undoable)))
            book.add("REVERSE", -undone.units, day, unit=undone.unit, reverses=undone)
        elif what < 0.9:
            left = list(book.lots)
            _name(book, chance.sample(left, len(left) // 2), "MERGE", day)
        else:
            _name(book, book.lots.over(at(day)), "EXPIRE", day)
    return book


def test_in_ten_thousand_histories_no_unit_appears_or_vanishes(counts):
    moved = 0
    for seed in range(HISTORIES):
        book = _one_history(random.Random(seed))
        moved += len(book.moves)
        sums = dict.fromkeys(Unit, 0)
        replayed = Lots()
        for move in book.moves:
            replayed.add(move)
            sums[move.unit] += move.units
            for unit in Unit:
                left = [lot.left for lot in replayed if lot.unit is unit]
                owed = replayed.owed(unit)
                assert sum(left) - owed == sums[unit], (seed, move)
                assert min(left, default=1) > 0 <= owed, (seed, move)
                # Nobody owes while they have something to spend.
                assert not (replayed.usable(unit, move.at) > 0 and owed), (seed, move)
    assert moved > HISTORIES * 5
    counts(histories=HISTORIES, entries=moved, appeared=0, vanished=0)

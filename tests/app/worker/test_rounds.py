"""What the worker does besides mail: it looks for signals, and no fault ends it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.programme import cards, shop, stamping
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.signals import desk
from app.store.database import Database
from app.store.tables import Watched
from app.tools import Tools
from app.worker import loop
from app.worker.rounds import EVERY_S, Rounds
from tests.conftest import Clock


@pytest.fixture
def odd(
    tools: Tools, founded: Founded, make_card: Callable[..., cards.CardState],
    make_terminal, barista: StaffCaller, clock: Clock,
) -> None:  # fmt: skip
    """One card at two places within a minute."""
    by = ConsoleCaller(founded.staff_id, "Sofie", "owner")
    till = make_terminal(shop.add_location(tools, name="Torvet", by=by))
    there = dataclasses.replace(
        barista, terminal_id=till.terminal_id, location_id=till.location_id
    )
    card_id = make_card().card_id
    # Not over a midnight, which would be two days.
    clock.forward(timedelta(seconds=1))
    for staff in (barista, there):
        code = stamping.card_code(tools, card_id).code
        stamping.stamp(tools, code, stamps=1, request_id=uuid4().hex, staff=staff)


@pytest.mark.usefixtures("odd")
def test_a_round_looks_and_the_next_waits_a_minute(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
):
    began = time.monotonic()
    monkeypatch.setattr("app.worker.rounds.time.monotonic", lambda: began)
    rounds = Rounds(tools)
    rounds()
    kinds = {one.kind for one in desk.signals(tools)}
    assert kinds == {"card_in_two_places", "person_in_two_places"}
    with tools.database.read() as tx:
        first = tx.scalars(select(Watched.until)).all()

    rounds()
    with tools.database.read() as tx:
        assert tx.scalars(select(Watched.until)).all() == first
    began += EVERY_S
    rounds()

    with tools.database.read() as tx:
        assert tx.scalars(select(Watched.until)).all() > first


def test_books_that_are_away_stop_no_round(tools: Tools, tmp_path: Path):
    away = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'books.sqlite3'}")
    with capture_logs() as said:
        Rounds(dataclasses.replace(tools, database=away))()

    assert {line["event"] for line in said} == {"store_down"}


def test_a_fault_is_told_without_its_words_and_stops_no_round(tools: Tools):
    def broken() -> None:
        raise ValueError("Anna, anna@example.com")

    with capture_logs() as said:
        Rounds(dataclasses.replace(tools, now=broken))()  # type: ignore[arg-type]

    assert {(line["event"], line["error"]) for line in said} == {
        ("watch_fault", "ValueError")
    }
    assert "example.com" not in str(said)


def test_the_loop_does_it_between_two_mails(tools: Tools):
    stop, done = loop.Stop(), []

    def beside() -> None:
        done.append(1)
        stop.is_asked = True

    loop.run(tools, None, stop, beside=beside)  # type: ignore[arg-type]

    assert done == [1]

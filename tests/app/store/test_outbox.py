"""The outbox: written with its cause, handed to one worker at a time."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.store import outbox
from app.store.database import Database
from app.store.tables import Outgoing
from tests.conftest import both_books

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WORKERS = 8

pytestmark = both_books


@pytest.fixture
def books(tools) -> Database:
    return tools.database


def put(books: Database, *, now: datetime = NOW, address: str = "anna@example.org"):
    with books.begin() as tx:
        return outbox.put(tx, "welcome", address, {"a": 1}, now=now, locale="da")


def take(books: Database, now: datetime = NOW):
    with books.begin() as tx:
        return outbox.take(tx, now)


def row(books: Database, outgoing_id) -> Outgoing:
    with books.read() as tx:
        return tx.get_one(Outgoing, outgoing_id)


def test_a_mail_is_taken_as_it_was_put(books):
    outgoing_id = put(books)

    mail = take(books)

    assert mail == outbox.Waiting(
        outgoing_id, "welcome", None, "anna@example.org", "da", {"a": 1}, NOW, 1
    )


def test_without_its_cause_there_is_no_mail(books):
    def cause_that_fails():
        with books.begin() as tx:
            outbox.put(tx, "welcome", "anna@example.org", {}, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cause_that_fails()

    assert take(books) is None


def test_who_waits_longest_goes_first(books):
    late, early = put(books), put(books, now=NOW - timedelta(minutes=1))

    assert [take(books).outgoing_id, take(books).outgoing_id] == [early, late]


def test_a_mail_that_is_taken_is_nobody_elses_until_the_lease_ends(books):
    put(books)
    first = take(books)

    assert take(books, NOW + outbox.LEASE - timedelta(seconds=1)) is None
    second = take(books, NOW + outbox.LEASE)

    assert second.outgoing_id == first.outgoing_id
    assert second.attempt == 2


def test_what_was_sent_goes_nowhere_and_keeps_nothing(books):
    outgoing_id = put(books)
    mail = take(books)

    with books.begin() as tx:
        outbox.sent(tx, mail, NOW)

    assert take(books, NOW + timedelta(days=9)) is None
    kept = row(books, outgoing_id)
    assert kept.sent_at == NOW
    assert (kept.address, kept.locale, kept.facts) == (None, None, {})


def test_what_was_given_up_goes_nowhere_and_keeps_nothing(books):
    outgoing_id = put(books)
    mail = take(books)

    with books.begin() as tx:
        outbox.given_up(tx, mail, NOW, "recipient_550")

    assert take(books, NOW + timedelta(days=9)) is None
    kept = row(books, outgoing_id)
    assert (kept.failed_at, kept.problem) == (NOW, "recipient_550")
    assert (kept.address, kept.locale, kept.facts) == (None, None, {})


def test_a_mail_that_is_put_back_waits_for_its_moment(books):
    put(books)
    due_at = NOW + timedelta(hours=1)
    mail = take(books)

    with books.begin() as tx:
        outbox.later(tx, mail, due_at, "timeout")

    assert take(books, due_at - timedelta(seconds=1)) is None
    assert take(books, due_at).attempt == 2


def test_who_lost_the_lease_changes_nothing(books):
    """A worker that slept through its lease has no say in the next one's taking."""
    outgoing_id = put(books)
    slow, now = take(books), NOW + outbox.LEASE
    quick = take(books, now)

    with books.begin() as tx:
        outbox.given_up(tx, slow, now, "timeout")
        outbox.later(tx, slow, now, "timeout")

    kept = row(books, outgoing_id)
    assert (kept.failed_at, kept.problem) == (None, None)
    assert kept.due_at == now + outbox.LEASE
    # but that the mail has gone is so, whoever says it
    with books.begin() as tx:
        outbox.sent(tx, slow, now)
        outbox.later(tx, quick, now, "timeout")
    assert take(books, NOW + timedelta(days=1)) is None


def test_of_many_workers_at_once_one_gets_each_mail(make_tools, books, counts):
    # given workers with connections of their own, and mails that are all due
    workers = [make_tools().database for _ in range(WORKERS)]
    wanted = {put(books) for _ in range(40)}
    together = threading.Barrier(WORKERS)

    def work(mine: Database) -> list:
        together.wait()
        got, misses = [], 0
        while misses < 3:
            with mine.begin() as tx:
                mail = outbox.take(tx, NOW)
            if mail is None:
                misses += 1
                continue
            got.append(mail.outgoing_id)
            with mine.begin() as tx:
                outbox.sent(tx, mail, NOW)
        return got

    # when they all take what they get
    with ThreadPoolExecutor(WORKERS) as pool:
        taken = Counter(each for got in pool.map(work, workers) for each in got)

    # then each mail was handed to one
    assert taken == Counter(wanted)
    with books.read() as tx:
        rows = tx.scalars(select(Outgoing)).all()
    assert all(each.sent_at == NOW and each.attempts == 1 for each in rows)
    counts(workers=WORKERS, mails=len(wanted), handed_over=taken.total())

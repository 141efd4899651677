"""What is broken, each a small function: it breaks a thing, and mends it.

Each stands for lines of the failure table in README.md. A new one is a function with
``fault`` above it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from scripts.disorder.stores import REDIS
from scripts.disorder.tunnel import Tunnel
from scripts.disorder.world import POSTGRESQL, SQLITE, World

#: How long a thing stays broken, in seconds: longer than a request, shorter than a
#: customer's patience.
_A_WHILE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong."""

    #: In a sentence, for the table.
    story: str
    act: Callable[[World], None]
    #: The one kind of books, or of store, that it is done to; empty: any.
    only: str = ""


CATALOGUE: list[Fault] = []


def fault(*, only: str = "") -> Callable[[Callable[[World], None]], None]:
    """Put a function into the catalogue; its docstring is what people read.

    Args:
        only: the one kind of books, or of store, that it is done to; empty: any.
    """

    def enter(act: Callable[[World], None]) -> None:
        CATALOGUE.append(Fault((act.__doc__ or "").rstrip("."), act, only))

    return enter


def of(books: str, store: str) -> list[Fault]:
    """List the faults that a shop with these books and this nonce store can have."""
    return [each for each in CATALOGUE if each.only in {"", books, store}]


def _line(world: World) -> Tunnel:
    assert world.store.line  # noqa: S101 -- its faults are of stores that have one
    return world.store.line


@fault()
def web_process_killed(world: World) -> None:
    """SIGKILL for one web process."""
    world.kill_web_worker()


@fault()
def web_server_killed(world: World) -> None:
    """SIGKILL for the web server and all its processes."""
    world.kill_web()


@fault()
def mail_worker_killed(world: World) -> None:
    """SIGKILL for the mail worker."""
    world.kill_mail()


@fault()
def redis_killed(world: World) -> None:
    """SIGKILL for Redis, away for a moment."""
    world.store.kill(_A_WHILE)


@fault()
def redis_wiped(world: World) -> None:
    """Redis loses everything."""
    world.store.wipe()


@fault()
def redis_stale(world: World) -> None:
    """Redis is replaced by a copy that lags."""
    world.store.fall_back()


@fault(only=REDIS)
def redis_cut(world: World) -> None:
    """Every connection to Redis is cut."""
    _line(world).cut()


@fault(only=REDIS)
def redis_away(world: World) -> None:
    """Redis cannot be reached for a moment."""
    _line(world).shut()
    time.sleep(_A_WHILE)
    _line(world).open()


@fault(only=REDIS)
def redis_slow(world: World) -> None:
    """Replies of Redis are late by 50 ms."""
    _line(world).slow(0.05)
    time.sleep(_A_WHILE)
    _line(world).open()


@fault(only=REDIS)
def redis_reply_lost(world: World) -> None:
    """A command reaches Redis, its reply is lost; four in a row."""
    _line(world).lose_replies(4)
    time.sleep(_A_WHILE)
    _line(world).open()


@fault()
def answer_lost(world: World) -> None:
    """A request reaches the web server, its answer is lost; four in a row."""
    world.web_line.lose_replies(4)
    time.sleep(_A_WHILE)
    world.web_line.open()


@fault()
def clients_cut(world: World) -> None:
    """Every connection of tills and phones is cut."""
    world.web_line.cut()


@fault(only=POSTGRESQL)
def postgresql_killed(world: World) -> None:
    """SIGKILL for PostgreSQL, away for a moment."""
    world.kill_postgres(away_s=_A_WHILE)


@fault(only=POSTGRESQL)
def postgresql_cut(world: World) -> None:
    """Every connection to PostgreSQL is cut."""
    if world.books_line:
        world.books_line.cut()


@fault(only=POSTGRESQL)
def postgresql_reply_lost(world: World) -> None:
    """PostgreSQL does a statement, its reply is lost; twice."""
    if world.books_line:
        world.books_line.lose_replies(2)
        time.sleep(_A_WHILE)
        world.books_line.open()


@fault(only=SQLITE)
def disk_full(world: World) -> None:
    """The disk of the books is full."""
    world.fill_disk()
    time.sleep(_A_WHILE)
    world.empty_disk()


@fault()
def clock_ahead(world: World) -> None:
    """The clock is five minutes ahead for a moment."""
    world.shift_clock(timedelta(minutes=5))
    time.sleep(_A_WHILE)
    world.shift_clock(timedelta())


@fault()
def clock_behind(world: World) -> None:
    """The clock is five minutes behind for a moment."""
    world.shift_clock(timedelta(minutes=-5))
    time.sleep(_A_WHILE)
    world.shift_clock(timedelta())

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
    #: Books that it is done to; empty: all.
    only: str = ""


CATALOGUE: list[Fault] = []


def fault(*, only: str = "") -> Callable[[Callable[[World], None]], None]:
    """Put a function into the catalogue; its docstring is what people read.

    Args:
        only: the books that it is done to; empty: all.
    """

    def enter(act: Callable[[World], None]) -> None:
        CATALOGUE.append(Fault((act.__doc__ or "").rstrip("."), act, only))

    return enter


def of(books: str) -> list[Fault]:
    """List the faults that these books can have."""
    return [each for each in CATALOGUE if each.only in {"", books}]


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
    world.kill_redis(away_s=_A_WHILE)


@fault()
def redis_wiped(world: World) -> None:
    """Redis loses everything."""
    world.wipe_redis()


@fault()
def redis_stale(world: World) -> None:
    """Redis is replaced by a copy that lags."""
    world.copy_redis()
    time.sleep(_A_WHILE)
    world.promote_stale_redis()


@fault()
def redis_cut(world: World) -> None:
    """Every connection to Redis is cut."""
    world.redis_line.cut()


@fault()
def redis_away(world: World) -> None:
    """Redis cannot be reached for a moment."""
    world.redis_line.shut()
    time.sleep(_A_WHILE)
    world.redis_line.open()


@fault()
def redis_slow(world: World) -> None:
    """Replies of Redis are late by 50 ms."""
    world.redis_line.slow(0.05)
    time.sleep(_A_WHILE)
    world.redis_line.open()


@fault()
def redis_reply_lost(world: World) -> None:
    """A command reaches Redis, its reply is lost; four in a row."""
    world.redis_line.lose_replies(4)
    time.sleep(_A_WHILE)
    world.redis_line.open()


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

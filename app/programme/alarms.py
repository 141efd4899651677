"""Alarms: what is wrong with the keys right now, in one place.

``look`` asks what all processes share (the books, the nonce store, and what each web
worker said of its ring a moment ago), so that every worker gives the same answer.
Nothing is kept: an alarm stands as long as its cause does.

============== ======== ===========================================================
code           severity stands while
============== ======== ===========================================================
no_active_key  critical no key signs: no code can be made
unissued_code  critical within 24 hours a code of good signature was shown that we
                        never issued: the key may be stolen; until it is revoked
ring_refused   critical a worker keeps its old ring, for the one on its disk is torn
worker_behind  warning  a worker works with another ring than the newest that any
                        has, for longer than 10 seconds
key_age        warning  a key signs for longer than ``Settings.key_age_alarm``
============== ======== ===========================================================

The newest ring is the one whose last step is the latest, so a stale copy on one
machine does not make the others look stale.

``Voice`` writes a log line when an alarm begins and when it ends. All workers see the
same alarms and the one whose id comes first speaks for all. It asks no books, so it
leaves ``unissued_code`` to ``signals``, which knows at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app import logs
from app.programme import signals
from app.programme.errors import StoreDown
from app.programme.signals import Unissued
from app.store.limits import LimitHit
from app.store.workers import Held, Worker
from app.tools import Tools, held_in

#: A worker reads a new ring within 4 seconds.
MAY_BE_BEHIND: Final = timedelta(seconds=10)
#: How long a code that was never issued stays an alarm.
UNISSUED_FOR: Final = timedelta(hours=24)
#: Every code and its severity, the gravest first.
SEVERITY: Final[Mapping[str, str]] = {
    "no_active_key": "critical",
    signals.UNISSUED: "critical",
    "ring_refused": "critical",
    "worker_behind": "warning",
    "key_age": "warning",
}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that somebody should do something about."""

    #: A stable word, of ``SEVERITY``.
    code: str
    #: What it is about; with ``code`` it tells this alarm from others.
    subject: str
    #: For the person who looks after the machine, with full stops.
    sentence: str
    #: When it began.
    since: datetime
    #: What the sentence says, for sentences in other languages.
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> str:
        """``critical`` or ``warning``."""
        return SEVERITY[self.code]


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen at one look."""

    #: Live web workers; None if the nonce store gave no answer.
    workers: tuple[Worker, ...] | None
    #: Those of them that do not have the newest ring.
    behind: tuple[Worker, ...]
    #: What is in the newest ring that anybody has.
    held: tuple[Held, ...]
    #: By key, of the last ``UNISSUED_FOR``; None if the books gave no answer.
    unissued: tuple[Unissued, ...] | None
    #: The gravest first.
    alarms: tuple[Alarm, ...]


def look(tools: Tools) -> Watch:
    """Look at everything now. A store that is away leaves a gap and no error."""
    now = tools.now()
    try:
        found = tuple(signals.unissued(tools, since=now - UNISSUED_FOR))
    except StoreDown:
        return _look(tools, None)
    return _look(tools, found)


class Voice:
    """Says in the log when an alarm of the keys begins, and when it ends."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._said: dict[tuple[str, str], Alarm] = {}

    def look(self, worker_id: str) -> None:
        """Look, and say what is new if it is for this worker to speak."""
        watch = _look(self._tools, None)
        standing = {(alarm.code, alarm.subject): alarm for alarm in watch.alarms}
        ids = [worker.worker_id for worker in watch.workers or ()]
        if watch.workers is None:
            # Nothing is known of the others; what was wrong with them is not over.
            standing = {
                which: alarm
                for which, alarm in self._said.items()
                if alarm.code == "worker_behind"
            } | standing
        before, self._said = self._said, standing
        if ids and worker_id != min(ids):
            return
        for which in standing.keys() - before.keys():
            self._say(standing[which], is_over=False)
        for which in before.keys() - standing.keys():
            self._say(before[which], is_over=True)

    def _say(self, alarm: Alarm, *, is_over: bool) -> None:
        """Write the line, unless a worker that started a moment ago did."""
        with contextlib.suppress(LimitHit):
            which = (alarm.code, alarm.subject, str(is_over))
            self._tools.limits.hit("alarm", *which, limit="1/minute")
            logs.alarm(alarm.code, alarm.sentence, is_over=is_over)


def _look(tools: Tools, unissued: tuple[Unissued, ...] | None) -> Watch:
    now = tools.now()
    workers: tuple[Worker, ...] | None
    try:
        workers = tuple(tools.workers.live())
    except StoreDown:
        workers = None
    newest = max(workers or (), key=_newness, default=None)
    held = newest.held if newest and newest.held else held_in(tools.keys.ring)
    behind = _behind(workers or (), newest, now)
    found = [
        *_of_keys(held, now, tools.settings.key_age_alarm),
        *_of_codes(unissued or (), held),
        *_of_refusals(workers or (), now),
        *_of_stragglers(workers or (), behind, newest),
    ]
    if workers is None and tools.keys.problem is not None:
        found.append(_refused(tools.keys.problem, tools.keys.since or now, 1, 1))
    ranks = list(SEVERITY)
    found.sort(key=lambda alarm: ranks.index(alarm.code))
    return Watch(workers, behind, held, unissued, tuple(found))


def _newness(worker: Worker) -> tuple[datetime, datetime, str]:
    """What makes a worker's ring newer than another's."""
    last = max((held.since for held in worker.held), default=_LONG_AGO)
    return last, worker.ring_at, worker.ring


def _behind(
    workers: Sequence[Worker], newest: Worker | None, now: datetime
) -> tuple[Worker, ...]:
    """Those without the newest ring, though it has been about for a while."""
    if newest is None:
        return ()
    return tuple(
        worker
        for worker in workers
        if worker.ring != newest.ring
        and now - _behind_since(worker, workers, newest) > MAY_BE_BEHIND
    )


def _behind_since(
    worker: Worker, workers: Sequence[Worker], newest: Worker
) -> datetime:
    first = min(each.ring_at for each in workers if each.ring == newest.ring)
    return max(first, worker.ring_at)


def _of_keys(held: Sequence[Held], now: datetime, limit: timedelta) -> Iterator[Alarm]:
    keys = [each for each in held if each.kind == "key"]
    active = [key for key in keys if key.state == "active"]
    if not active:
        yield Alarm(
            "no_active_key",
            "",
            "No key signs, so no code can be made. "
            "Make one and let it sign: scripts/rotate_keys.py --apply",
            max((key.since for key in keys), default=now),
        )
    for key in active:
        if now - key.since > limit:
            yield Alarm(
                "key_age",
                str(key.number),
                f"Key {key.number} has signed for {(now - key.since).days} days, "
                f"longer than {limit.days}. "
                "Put a new one in charge: scripts/rotate_keys.py --apply",
                key.since + limit,
                {
                    "key_id": key.number,
                    "days": (now - key.since).days,
                    "limit": limit.days,
                },
            )


def _of_codes(unissued: Sequence[Unissued], held: Sequence[Held]) -> Iterator[Alarm]:
    revoked = {
        each.number for each in held if (each.kind, each.state) == ("key", "revoked")
    }
    for each in unissued:
        if each.key_id in revoked:
            continue
        yield Alarm(
            signals.UNISSUED,
            str(each.key_id),
            f"{each.count} codes that we never issued were shown with the good "
            f"signature of key {each.key_id}, the first at {_utc(each.first_at)}, the "
            f"last at {_utc(each.last_at)}: the key may be stolen. "
            f"Call it back: scripts/keys.py revoke {each.key_id} --since … --reason …",
            each.first_at,
            {
                "key_id": each.key_id,
                "count": each.count,
                "first_at": each.first_at,
                "last_at": each.last_at,
            },
        )


def _of_refusals(workers: Sequence[Worker], now: datetime) -> Iterator[Alarm]:
    """One for each reason: the workers of one machine have the same."""
    problems = sorted({each.problem for each in workers if each.problem is not None})
    for problem in problems:
        those = [worker for worker in workers if worker.problem == problem]
        since = min(worker.since or worker.at for worker in those)
        yield _refused(problem, min(since, now), len(those), len(workers))


def _refused(problem: str, since: datetime, count: int, of: int) -> Alarm:
    return Alarm(
        "ring_refused",
        problem,
        f"{count} of {of} web workers cannot read the key ring and go on with the one "
        f"before: {problem}. See scripts/keys.py check",
        since,
        {"count": count, "of": of, "problem": problem},
    )


def _of_stragglers(
    workers: Sequence[Worker], behind: Sequence[Worker], newest: Worker | None
) -> Iterator[Alarm]:
    those = [worker for worker in behind if worker.problem is None]
    if newest is not None and those:
        names = ", ".join(worker.worker_id for worker in those)
        yield Alarm(
            "worker_behind",
            "",
            f"{len(those)} of {len(workers)} web workers have another key ring than "
            f"the newest: {names}. Compare their keys directories.",
            min(_behind_since(worker, workers, newest) for worker in those),
            {"count": len(those), "of": len(workers), "workers": names},
        )


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

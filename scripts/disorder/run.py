"""A run: the load works, faults come when so much has got through, then the reckoning.

Faults come by how much was given, not by the clock: a slow machine gets as many.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from scripts.disorder import faults
from scripts.disorder.faults import Fault
from scripts.disorder.load import Job, Told
from scripts.disorder.reckoning import Reckoning, reckon
from scripts.disorder.world import World
from scripts.parts.environment import ROOT

_LOOK_S: Final = 0.02
# What a card comes to, as a good customer's does in a year.
_STAMPS_EACH: Final = 60


class LoadFailed(Exception):
    """A process of the load gave up; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything."""

    books: str
    store: str
    #: Codes to be spent, at least.
    spends: int
    #: Things to be broken.
    faults: int
    #: Processes of the load, and tills in each.
    processes: int = 2
    tills: int = 6
    #: Web processes.
    workers: int = 3
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    plan: Plan
    reckoning: Reckoning
    #: How often each fault came.
    broken: dict[str, int]
    connections_cut: int
    replies_lost: int
    seconds: float


@dataclass
class _Load:
    """The processes that make the load, and what they have told so far."""

    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    ears: list[threading.Thread] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    given: int = 0

    def start(self, job: Job) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.disorder.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin  # noqa: S101 -- a pipe was asked for
        process.stdin.write(json.dumps(asdict(job)))
        process.stdin.close()
        self.processes.append(process)
        self.ears.append(threading.Thread(target=self._hear, args=[process]))
        self.ears[-1].start()

    def _hear(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout  # noqa: S101 -- a pipe was asked for
        with process.stdout as lines:
            for line in lines:
                told = Told(**json.loads(line))
                self.told.append(told)
                self.given += told.is_given

    def is_over(self) -> bool:
        """Tell whether all that there will be has been heard."""
        return not any(ear.is_alive() for ear in self.ears)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        for ear in self.ears:
            ear.join()

    def must_have_done_all(self) -> None:
        failed = [one for one in self.processes if one.wait() != 0]
        if failed:
            raise LoadFailed(f"{len(failed)} of {len(self.processes)} gave up")


def run(plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Make a world, load it, break it, and reckon.

    Args:
        plan: how much.
        tell: told of each fault, for who watches.

    Raises:
        ServerError: something did not start, or not again.
        LoadFailed: somebody waited longer than anybody would.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pp-chaos-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o711)
        world = World(
            directory,
            books=plan.books,
            store=plan.store,
            workers=plan.workers,
            seed=plan.seed,
        )
        load = _Load()
        try:
            broken = _disturb(plan, world, load, tell)
            load.must_have_done_all()
            return Outcome(
                plan,
                reckon(world.tools, load.told),
                broken,
                *_lines(world),
                time.monotonic() - began,
            )
        finally:
            load.end()
            world.close()


def _disturb(
    plan: Plan, world: World, load: _Load, tell: Callable[[str], None]
) -> dict[str, int]:
    """Start the load and break things until it is done."""
    each = -(-plan.spends // (plan.processes * plan.tills))
    phones = max(2, each // _STAMPS_EACH)
    for number in range(plan.processes):
        first = number * plan.tills
        desks = tuple(world.desk(first + till, phones) for till in range(plan.tills))
        load.start(Job(world.url, desks, each, plan.seed + 1000 * number))
    chance = random.Random(plan.seed)  # noqa: S311 -- a plan that can be run again
    broken: Counter[str] = Counter()
    left: list[Fault] = []
    for number in range(plan.faults):
        if not _wait_for(load, (number + 1) * plan.spends // (plan.faults + 1)):
            break
        # Each once before any comes again.
        if not left:
            left = chance.sample(found := faults.of(plan.books, plan.store), len(found))
        chosen = left.pop()
        tell(f"{load.given:>6} given, {number + 1}: {chosen.story}")
        chosen.act(world)
        broken[chosen.story] += 1
    while not load.is_over():
        time.sleep(_LOOK_S)
    return dict(broken)


def _wait_for(load: _Load, given: int) -> bool:
    """Wait until so many got through, on any machine; False if the load has ended."""
    while load.given < given:
        if load.is_over():
            return False
        time.sleep(_LOOK_S)
    return True


def _lines(world: World) -> tuple[int, int]:
    known = world.lines()
    return sum(line.cuts for line in known), sum(line.lost for line in known)

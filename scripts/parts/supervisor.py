"""Programs that one command keeps going, watches and stops.

They are stopped in order, politely and with time to finish what they are at: the one
that needs the others is added first and stopped first. One that ends by itself is a
fault, told with the end of its log; but for those that the others can do without, which
are started again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from scripts.parts import children

_WATCH_EVERY_S = 0.2
#: Between two starts of a program that does not stay up.
_START_AGAIN_S = 5.0
_PATIENCE_TO_END = timedelta(seconds=10)


class StopAsked(Exception):
    """A signal asked for the end: how a good run ends."""


class ChildDied(Exception):
    """A program that should have gone on has ended; the sentence holds its log."""


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop: Callable[[], None]


class _Kept:
    """A program that is started again when it ends."""

    def __init__(
        self,
        start: Callable[[], subprocess.Popen[bytes]],
        told: Callable[[str], object],
    ) -> None:
        self._start = start
        self._told = told
        self.process = start()
        self._started = time.monotonic()

    def look(self) -> None:
        status = self.process.poll()
        if status is None or time.monotonic() - self._started < _START_AGAIN_S:
            return
        self._told(_how(status))
        self.process = self._start()
        self._started = time.monotonic()


class Supervisor:
    """The programs of one command, in the order in which they shall stop."""

    def __init__(self) -> None:
        self._children: list[_Child] = []
        self._kept: list[_Kept] = []
        self._is_asked_to_stop = False

    def stop_on(self, *signals: signal.Signals) -> None:
        """From now on a signal is answered at the next ``check``.

        Not at once: an exception out of a signal's handler may land inside an import,
        or where it is swallowed.
        """
        for number in signals:
            signal.signal(number, self._ask_to_stop)

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        self._is_asked_to_stop = True

    def add(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        *,
        log: Path,
        stop: Callable[[], None],
    ) -> None:
        """Take charge of a running program.

        Args:
            name: what to call it in a message.
            process: the program.
            log: where its output goes.
            stop: ends it and waits until it has ended.
        """
        self._children.append(_Child(name, process, log, stop))

    def keep(
        self,
        name: str,
        start: Callable[[], subprocess.Popen[bytes]],
        *,
        tell: Callable[[str], object],
    ) -> None:
        """Start a program that the others can do without, and again when it ends.

        Args:
            name: what to call it in a message.
            start: starts it.
            tell: hears when it ended by itself.
        """
        self._kept.append(
            _Kept(start, lambda how: tell(f"{name} {how}, and is started again"))
        )

    def check(self) -> None:
        """Look at every program.

        Raises:
            StopAsked: a signal came.
            ChildDied: one of them has ended.
        """
        if self._is_asked_to_stop:
            raise StopAsked
        for child in self._children:
            status = child.process.poll()
            if status is not None:
                raise ChildDied(
                    f"{child.name} {_how(status)}. The end of {child.log}:\n"
                    f"{children.tail(child.log)}"
                )
        for kept in self._kept:
            kept.look()

    def watch(self, *at_each_look: Callable[[], object]) -> None:
        """Go on until a signal comes or a program dies.

        Raises:
            StopAsked: a signal came.
            ChildDied: one of them has ended.
        """
        while True:
            self.check()
            for look in at_each_look:
                look()
            time.sleep(_WATCH_EVERY_S)

    def stop(self) -> None:
        """Stop every program, the first added first; return when all are gone."""
        for kept in self._kept:
            # All at once: none of them waits for another.
            kept.process.terminate()
        while self._children:
            self._children.pop(0).stop()
        while self._kept:
            end_with_family(self._kept.pop(0).process, patience=_PATIENCE_TO_END)


def end_with_family(process: subprocess.Popen[bytes], *, patience: timedelta) -> None:
    """End a program that leads a session, and whatever it leaves behind there."""
    children.end(process, signal.SIGTERM, patience=patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _how(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended by itself, exit status {status}"

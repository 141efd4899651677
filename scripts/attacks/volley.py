"""A volley: what one attack throws, many at a time, and what came of each try.

A try is refused by a code, or accepted. Which refusals are right is said with the
throw: a try that was turned away for another reason shows nothing about the attack,
and is reported as *odd*. A fault of the server (5xx, but for "try again") is a finding
too, whatever was written.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Final, TypeVar

from scripts.attacks.wire import Answer

_T = TypeVar("_T")

Try = Callable[[], Answer]
#: Says why an answer is a refusal; None: the attack was accepted.
Verdict = Callable[[Answer], str | None]

#: Tries under way at a time, where nothing else is said.
LANES: Final = 8
_TRY_AGAIN, _FAULT = 503, 500
#: A limit may come before whatever else would refuse.
_ALWAYS: Final = frozenset({"limit_reached"})


def refusal(answer: Answer) -> str | None:
    """Take every answer under 400 for an acceptance."""
    is_refused = answer.status == 0 or answer.status >= 400  # noqa: PLR2004
    return answer.code if is_refused else None


class Volley:
    """Counts the tries of one attack.

    Args:
        size: how many tries an attack makes that could make any number.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.tried = 0
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        #: Refused, but not for the reason that was to be shown.
        self.odd: Counter[str] = Counter()
        self.faults = 0
        #: What was accepted, in words, the first of them.
        self.told: list[str] = []
        self._lock = threading.Lock()

    def share(self, of: Sequence[_T]) -> Iterator[_T]:
        """Go round ``of``, each at least once, until the volley has its size."""
        return islice(cycle(of), max(self.size, len(of)))

    def throw(
        self,
        tries: Iterable[Try],
        *,
        by: Collection[str],
        verdict: Verdict = refusal,
        lanes: int = LANES,
    ) -> list[Answer]:
        """Make tries, several at a time, and count them.

        Args:
            tries: each sends something and gives the answer.
            by: the refusals that are right.
            verdict: what an answer means.
            lanes: how many at a time.

        Returns:
            The answers, in no order.
        """
        answers: list[Answer] = []
        waiting = iter(tries)
        turn = threading.Lock()

        def work(_lane: int) -> None:
            while True:
                with turn:
                    one = next(waiting, None)
                if one is None:
                    return
                answer = one()
                self._count(answer, verdict(answer), by)
                with turn:
                    answers.append(answer)

        self._work(work, lanes)
        return answers

    def at_once(
        self, tries: Sequence[Try], *, by: Collection[str], wins: int = 1
    ) -> list[Answer]:
        """Make all tries in the same moment, of which so many may be heard.

        Args:
            tries: each sends something and gives the answer.
            by: the refusals of all others that are right.
            wins: how many successes are no acceptance: the honest one, as a rule.

        Returns:
            The answers.
        """
        start = threading.Barrier(len(tries))

        def one(number: int) -> Answer:
            start.wait()
            return tries[number]()

        with ThreadPoolExecutor(len(tries)) as pool:
            answers = list(pool.map(one, range(len(tries))))
        left = wins
        for answer in answers:
            why = refusal(answer)
            if why is None and left:
                left -= 1
                self.note(None, "heard")
            else:
                self._count(answer, why, by)
        return answers

    def note(self, accepted: str | None, refused: str = "") -> None:
        """Count a try that was no request, or was judged by more than its answer.

        Args:
            accepted: what got through, in words; None: nothing did.
            refused: by what, then.
        """
        with self._lock:
            self.tried += 1
            if accepted is None:
                self.refused[refused] += 1
            else:
                self._accept(accepted)

    def accept(self, what: str, times: int = 1) -> None:
        """Say that something got through that the answers did not show."""
        with self._lock:
            self._accept(what, times)

    def _accept(self, what: str, times: int = 1) -> None:
        self.accepted += times
        if what not in self.told:
            self.told.append(what)

    def _count(self, answer: Answer, why: str | None, by: Collection[str]) -> None:
        with self._lock:
            self.tried += 1
            if answer.status >= _FAULT and answer.status != _TRY_AGAIN:
                self.faults += 1
            if why is None:
                self._accept(f"answered {answer.status}")
                return
            self.refused[why] += 1
            if why not in by and why not in _ALWAYS:
                self.odd[why] += 1

    @staticmethod
    def _work(work: Callable[[int], None], lanes: int) -> None:
        with ThreadPoolExecutor(lanes) as pool:
            for _ in pool.map(work, range(lanes)):
                pass

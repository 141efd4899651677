"""Phones and tills with known truth: a process of many threads, told in lines of JSON.

Each device behaves as ours do: what got no answer, or one that says "try again", is
sent again with the same request id until there is a final one, and each final answer
is written down before anything else is done. A code that is refused because it aged,
or because the nonce store forgot it, is replaced by a fresh one, as a phone does.

    python -m scripts.disorder.load < JOB     (a Job as JSON; tells on standard output)
"""

from __future__ import annotations

import json
import math
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import uuid4

from scripts.attacks.parts import API
from scripts.attacks.wire import Answer, Wire

#: A final answer has come by then, or the run has failed; s.
PATIENCE_S: Final = 180.0
#: Between two tries, growing; s.
_WAITS: Final = (0.02, 0.05, 0.1, 0.25, 0.5)
_UNANSWERED: Final = 500
#: For so long a try that nobody answered may still be at work, s.
_LEASE_S: Final = 15.0
#: The ways in which a code is spent, as often as they are here.
_WAYS: Final = ("scan",) * 4 + ("race",) * 2 + ("collect",) * 2 + ("sell",) * 4
#: What a sale comes to, in minor units; and how often one comes back, or its points
#: become a reward.
_SUM: Final = 350
_COMES_BACK: Final = 0.4
_CHOOSES: Final = 0.3


@dataclass(frozen=True, slots=True)
class Desk:
    """One till and the customers who come to it."""

    staff: str
    #: Card id and token of each.
    phones: tuple[tuple[str, str], ...]
    #: What is chosen for points; "": nothing.
    reward_id: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What one process of the load does."""

    url: str
    desks: tuple[Desk, ...]
    #: Codes that each desk spends.
    spends: int
    seed: int


@dataclass(frozen=True, slots=True)
class Told:
    """The final answer to one request that counts once."""

    #: ``scan``, ``race``, ``collect``, ``sell`` or ``redeem``, which spend a code;
    #: ``refund`` or ``choose``.
    way: str
    #: Of a refund the purchase, of a choice its request.
    code: str
    card_id: str
    #: Whether it counted; else ``refusal`` names why.
    is_given: bool
    entry_id: str = ""
    refusal: str = ""
    #: Sent again, because there was no answer or none that was final.
    again: int = 0


class NoAnswer(Exception):
    """Nobody gave a final answer for longer than anybody would wait."""


def main() -> int:
    """Do the job that standard input describes."""
    job = _job(json.load(sys.stdin))
    wire, lock = Wire(job.url), threading.Lock()

    def tell(told: Told) -> None:
        with lock:
            print(json.dumps(asdict(told)), flush=True)

    failed: list[BaseException] = []

    def work(number: int, desk: Desk) -> None:
        try:
            _Counter(wire, desk, random.Random(job.seed + number), tell).serve(  # noqa: S311
                job.spends
            )
        except BaseException as error:
            failed.append(error)
            raise

    threads = [
        threading.Thread(target=work, args=place) for place in enumerate(job.desks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1 if failed else 0


def _job(facts: dict[str, Any]) -> Job:
    desks = tuple(
        Desk(
            one["staff"],
            tuple((card, token) for card, token in one["phones"]),
            one["reward_id"],
        )
        for one in facts.pop("desks")
    )
    return Job(desks=desks, **facts)


class _Counter:
    """One till at work, its customers one after the other."""

    def __init__(
        self,
        wire: Wire,
        desk: Desk,
        chance: random.Random,
        tell: Callable[[Told], None],
    ) -> None:
        self._wire, self._desk, self._chance = wire, desk, chance
        self._tell = tell

    def serve(self, spends: int) -> None:
        """Spend so many codes: those that count are counted."""
        given = 0
        while given < spends:
            way = self._chance.choice(_WAYS)
            phone = self._chance.choice(self._desk.phones)
            verb = {
                "scan": self._scan,
                "race": self._race,
                "collect": self._collect,
                "sell": self._sell,
            }
            given += verb[way](*phone)

    def _scan(self, card_id: str, token: str) -> int:
        code = self._fresh(f"{API}/cards/{card_id}/code", token, {})
        told = self._spend("scan", code, card_id)
        self._tell(told)
        return told.is_given + self._reward(card_id, token)

    def _race(self, card_id: str, token: str) -> int:
        """Two requests spend one code at once, as two tills would."""
        code = self._fresh(f"{API}/cards/{card_id}/code", token, {})
        return self._twice(lambda: self._spend("race", code, card_id))

    def _twice(self, ask: Callable[[], Told]) -> int:
        """Ask twice at once, and tell both answers."""
        both: list[Told] = []
        threads = [threading.Thread(target=lambda: both.append(ask())) for _ in "12"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for told in both:
            self._tell(told)
        if len(both) < len(threads):
            raise NoAnswer
        return sum(told.is_given for told in both)

    def _sell(self, card_id: str, token: str) -> int:
        """Sell something that rules count; now and then it comes back, or buys one."""
        code = self._fresh(f"{API}/cards/{card_id}/code", token, {})
        body = {
            "code": code,
            "stamps": 1,
            "amount": _SUM,
            "request_id": uuid4().hex,
        }
        answer, again = self._persist(f"{API}/stamps", body, self._desk.staff)
        told = _told("sell", code, card_id, answer, "stamp_id", again)
        self._tell(told)
        if told.is_given and self._chance.random() < _CHOOSES:
            self._choose(card_id, token)
        if told.is_given and self._chance.random() < _COMES_BACK:
            purchase_id = answer.json["purchase"]["purchase_id"]
            self._twice(lambda: self._refund(purchase_id, card_id))
        return told.is_given

    def _refund(self, purchase_id: str, card_id: str) -> Told:
        """Take a purchase back; of two requests at once one does."""
        body = {"reason": "cold", "request_id": uuid4().hex}
        path = f"{API}/purchases/{purchase_id}/refund"
        answer, again = self._persist(path, body, self._desk.staff)
        return _told("refund", purchase_id, card_id, answer, "reversal_id", again)

    def _choose(self, card_id: str, token: str) -> None:
        """Choose a reward for points; twice by one request, which counts once."""
        if not self._desk.reward_id:
            return
        request = uuid4().hex
        body = {
            "reward_id": self._desk.reward_id,
            "edition": 1,
            "request_id": request,
        }

        def ask() -> Told:
            path = f"{API}/cards/{card_id}/exchanges"
            answer, again = self._persist(path, body, token)
            return _told("choose", request, card_id, answer, "exchange_id", again)

        self._twice(ask)

    def _collect(self, card_id: str, token: str) -> int:
        code = self._fresh(f"{API}/stamp-codes", self._desk.staff, {"stamps": 1})
        path = f"{API}/cards/{card_id}/stamps"
        answer, again = self._persist(path, {"code": code}, token)
        told = _told("collect", code, card_id, answer, "stamp_id", again)
        self._tell(told)
        return told.is_given

    def _spend(self, way: str, code: str, card_id: str) -> Told:
        body = {"code": code, "stamps": 1, "request_id": uuid4().hex}
        answer, again = self._persist(f"{API}/stamps", body, self._desk.staff)
        return _told(way, code, card_id, answer, "stamp_id", again)

    def _reward(self, card_id: str, token: str) -> int:
        """Use a voucher if the card has one now and then."""
        if self._chance.random() > 0.1:  # noqa: PLR2004 -- about once a full card
            return 0
        card = self._answer("GET", f"{API}/cards/{card_id}", None, token)
        usable = [v for v in card["vouchers"] if v["state"] == "issued"]
        if not usable:
            return 0
        path = f"{API}/vouchers/{usable[-1]['voucher_id']}/code"
        answer, _ = self._persist(path, {}, token)
        if not answer.is_success:  # somebody else's hand had it meanwhile
            return 0
        body = {"code": answer.json["code"], "request_id": uuid4().hex}
        answer, again = self._persist(f"{API}/redemptions", body, self._desk.staff)
        told = _told("redeem", body["code"], card_id, answer, "redemption_id", again)
        self._tell(told)
        return told.is_given

    def _fresh(self, path: str, token: str, body: object) -> str:
        code: str = self._answer("POST", path, body, token)["code"]
        return code

    def _answer(self, method: str, path: str, body: object, token: str) -> Any:
        answer, _ = self._persist(path, body, token, method)
        if not answer.is_success:
            raise NoAnswer(f"{path}: {answer.code}")
        return answer.json

    def _persist(
        self, path: str, body: object, token: str, method: str = "POST"
    ) -> tuple[Answer, int]:
        """Ask until the answer is final; tells how often it was asked again."""
        last = time.monotonic() + PATIENCE_S
        unanswered_at = -math.inf
        for again in range(sys.maxsize):
            answer = self._wire.ask(method, path, body, token=token)
            if answer.status == 0:
                unanswered_at = time.monotonic()
            may_count = time.monotonic() - unanswered_at < _LEASE_S
            if not _comes_back(answer) and not (may_count and _is_overtaking(answer)):
                return answer, again
            if time.monotonic() > last:
                raise NoAnswer(f"{path}: {answer.code}")
            time.sleep(_WAITS[min(again, len(_WAITS) - 1)])
        raise NoAnswer


def _is_overtaking(answer: Answer) -> bool:
    """Tell whether an answer may have overtaken an earlier try of its request.

    As ``app/web/shared/static/api.js`` does: it stands once that cannot be any more.
    """
    return answer.code in {"code_unknown", "code_expired"}


def _comes_back(answer: Answer) -> bool:
    if answer.status == 0 or answer.status >= _UNANSWERED:
        # What is not ours to answer is a dying server's; ours says "try again".
        return True
    return answer.code == "code_in_use"


def _told(
    way: str, code: str, card_id: str, answer: Answer, named: str, again: int
) -> Told:
    told = Told(way, code, card_id, is_given=answer.is_success, again=again)
    if answer.is_success:
        return replace(told, entry_id=answer.json[named])
    return replace(told, refusal=answer.code)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Measure what a phone costs while it shows a code and asks whether its stamp came.

Makes a shop of its own in a temporary directory, lets its members join, and asks for
each of their cards in turn as their phones do, with the ETag that they have. Beside
it, in the same rounds, the floor: a bare Flask view over the same books, which finds
the member by the token and the version of the card, in one statement of plain SQL.

    python scripts/bench/live.py
    python scripts/bench/live.py --phones 200 --rounds 3 --json

CPU time is counted, not the clock on the wall: other programs do not change it much.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from scripts.parts import environment

    environment.enter(environment.RUNTIME)

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response as AnyResponse

from app import create_app, logs
from app.programme import members
from scripts.parts import preparing, redis_server

if TYPE_CHECKING:
    from app.tools import Tools

#: How often a phone asks while it shows a code, in s: QUICK_MS in customer/card.js.
EVERY_S = 1.2
_ORIGIN = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone that shows a code."""

    card_id: str
    token: str


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--phones", type=int, default=1000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    options = parser.parse_args(argv)
    # As in a shop, where no line is written of what is only read.
    logs.set_up("info")
    with tempfile.TemporaryDirectory(prefix="punchproof-bench-") as folder:
        found = _measure(Path(folder), options.phones, options.rounds)
    if options.json:
        print(json.dumps(found))
        return 0
    print(
        f"{options.phones} phones, each asking every {EVERY_S} s\n"
        f"  one question   {found['ours_ms']:.3f} ms of CPU, "
        f"floor {found['floor_ms']:.3f} ms, {found['times_floor']:.1f} times\n"
        f"  all of them    {found['cores']:.2f} cores, "
        f"floor {found['floor_cores']:.2f} cores"
    )
    return 0


def _measure(folder: Path, count: int, rounds: int) -> dict[str, float]:
    """Return milliseconds of CPU a question, and cores for all phones together."""
    environ = {"PUNCHPROOF_DATA": str(folder), "PUNCHPROOF_ORIGIN": _ORIGIN}
    preparing.open_ring(environ)
    with redis_server.start(folder / "redis") as redis:
        tools = preparing.open_tools(environ | {"REDIS_URL": redis.url})
        try:
            preparing.first_shop(tools, is_demo=False)
            phones = [_phone(tools) for _ in range(count)]
            ours, floor = create_app(tools), _floor(folder / "punchproof.sqlite3")
            times: dict[str, list[float]] = {"ours": [], "floor": []}
            for _ in range(rounds + 1):
                times["ours"].append(_ask_all(ours, phones))
                times["floor"].append(_ask_all(floor, phones))
        finally:
            tools.close()
    # The first round of each warms up.
    ours_s, floor_s = (statistics.median(times[name][1:]) for name in ("ours", "floor"))
    return {
        "ours_ms": round(1000 * ours_s, 3),
        "floor_ms": round(1000 * floor_s, 3),
        "times_floor": round(ours_s / floor_s, 2),
        "cores": round(count / EVERY_S * ours_s, 3),
        "floor_cores": round(count / EVERY_S * floor_s, 3),
    }


def _phone(tools: Tools) -> Phone:
    joined = members.join(tools)
    return Phone(str(joined.card_id), joined.token)


def _floor(books: Path) -> Flask:
    """Make the barest service that answers the same question truthfully."""
    bare = Flask("bare", static_folder=None)
    connection = sqlite3.connect(books, check_same_thread=False)

    @bare.get("/api/v1/cards/<card_id>")
    def card(card_id: str) -> AnyResponse:
        token = request.headers["Authorization"].removeprefix("Bearer ").encode()
        (version,) = connection.execute(
            "SELECT card.version FROM card JOIN access_token USING (member_id)"
            " WHERE card_id = ? AND token_hash = ? AND ended_at IS NULL",
            (card_id.replace("-", ""), sha256(token).digest()),
        ).fetchone()
        answer = Response()
        answer.set_etag(str(version))
        return answer.make_conditional(request)

    return bare


def _ask_all(app: Flask, phones: Sequence[Phone]) -> float:
    """Ask for each phone's card once; return seconds of CPU a question."""
    asked = [_environ(phone) for phone in phones]
    began = time.process_time()
    for environ in asked:
        _answer(app, environ)
    return (time.process_time() - began) / len(asked)


def _environ(phone: Phone) -> dict[str, Any]:
    headers = Headers(
        {"Authorization": f"Bearer {phone.token}", "If-None-Match": '"1"'}
    )
    path = f"/api/v1/cards/{phone.card_id}"
    return EnvironBuilder(path, base_url=_ORIGIN, headers=headers).get_environ()


def _answer(app: Callable[..., Iterable[bytes]], environ: Mapping[str, Any]) -> None:
    statuses: list[str] = []
    body = app(environ, lambda status, _headers, _error=None: statuses.append(status))
    b"".join(body)
    if not statuses[0].startswith("304"):
        message = f"expected 304 of a card that did not change, not {statuses[0]}"
        raise AssertionError(message)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Measure how good signals are, on a simulated year of a shop with known cheats.

Makes a shop of its own in a temporary directory: three locations, nine baristas,
customers who come as customers do, with all that looks odd and is not, and people who
cheat in eleven ways. Plays it through the real rooms with a moved clock, lets the watch
look each night, and compares what it raised with what was done.

    python scripts/simulate.py                   # a year, minutes
    python scripts/simulate.py --days 40 --members 120 --each 3    # seconds
    python scripts/simulate.py --seed 7 --json

Thresholds in ``app/programme/signals/kinds.py`` were set with seeds 1 to 9; the figures
in the README are of another. Exit status: 0.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter(environment.RUNTIME)

from scripts.parts import preparing, redis_server
from scripts.simulation import cheats, honest, play, score, shop
from scripts.simulation.plan import Plan
from scripts.simulation.play import Played
from scripts.simulation.score import Score

_ORIGIN: Final = "http://localhost:8000"


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--days", type=int, default=365, metavar="N", help="30 or more")
    parser.add_argument("--members", type=int, default=1500, metavar="N")
    parser.add_argument(
        "--each", type=int, default=9, metavar="N", help="of each cheat"
    )
    parser.add_argument("--seed", type=int, default=2027, metavar="N")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    options = parser.parse_args(argv)
    if options.days < 30:  # noqa: PLR2004 -- a cheat goes on for three weeks
        parser.error("--days must be 30 or more")

    def tell(sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    began = time.monotonic()
    played, found = simulate(
        days=options.days,
        members=options.members,
        each=options.each,
        seed=options.seed,
        tell=tell,
    )
    if options.json:
        print(json.dumps([_figures(each) for each in found]))
        return 0
    print(
        f"seed {options.seed}: {options.days} days, {len(played.cards)} cards, "
        f"{played.given} stampings in {time.monotonic() - began:.0f} s; "
        f"limits refused {played.refused_honest} honest and "
        f"{played.refused_cheats} cheating scans\n"
    )
    print("| signal | raised | right | precision | cheats | found | recall |")
    print("|---|---|---|---|---|---|---|")
    for each in found:
        print(
            f"| `{each.kind}` | {each.raised} | {each.right} | "
            f"{_share(each.precision)} | {each.cheats} | {each.found} | "
            f"{_share(each.recall)} |"
        )
    return 0


def simulate(
    *, days: int, members: int, each: int, seed: int, tell: Callable[[str], None]
) -> tuple[Played, list[Score]]:
    """Simulate a shop.

    Args:
        days: how long, 30 or more.
        members: honest customers; festivals and cheats bring more.
        each: how often each kind of cheat is tried.
        seed: of all chance but keys and codes.
        tell: hears how far it is.

    Returns:
        What came of it, and how good each kind of signal was.
    """
    chance = random.Random(seed)  # noqa: S311 -- habits, not secrets
    plan = Plan()
    honest.customers(plan, chance, days=days, members=members)
    honest.trouble(plan, chance, days=days)
    cheats.commit(plan, chance, days=days, each=each)
    with tempfile.TemporaryDirectory(prefix="punchproof-year-") as folder:
        environ = {"PUNCHPROOF_DATA": folder, "PUNCHPROOF_ORIGIN": _ORIGIN}
        preparing.open_ring(environ)
        with redis_server.start(Path(folder) / "redis") as redis:
            tools = preparing.open_tools(environ | {"REDIS_URL": redis.url})
            try:
                own = shop.found(tools, seed)
                played = play.play(own, plan, tell=tell)
                return played, score.scores(own, plan, played)
            finally:
                tools.close()


def _figures(each: Score) -> dict[str, object]:
    return {
        "kind": each.kind,
        "raised": each.raised,
        "right": each.right,
        "cheats": each.cheats,
        "found": each.found,
        "precision": each.precision,
        "recall": each.recall,
    }


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.2f}"


if __name__ == "__main__":
    sys.exit(main())

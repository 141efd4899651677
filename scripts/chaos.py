#!/usr/bin/env python3
"""Break a shop of its own again and again under load, and hold the books to the truth.

Starts a shop with real stores, gives and redeems stamps from many processes, and
meanwhile kills, cuts, wipes, fills and shifts whatever it stands on. At the end what
every till and phone was told is compared with the books.

    python scripts/chaos.py
    python scripts/chaos.py --books postgresql --store sentinel
    python scripts/chaos.py --spends 50000 --faults 250

Exit status: 0 nothing lost, doubled or untrue, 1 it could not be run to its end, 2
something was; or wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from scripts.disorder import telling
from scripts.disorder.run import LoadFailed, Plan, run
from scripts.disorder.stores import CLUSTER, REDIS, SENTINEL
from scripts.disorder.world import POSTGRESQL, SQLITE
from scripts.parts.children import ServerError


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, run, tell."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    say = parser.add_argument
    say("--books", choices=[SQLITE, POSTGRESQL], default=SQLITE)
    say("--store", choices=[REDIS, SENTINEL, CLUSTER], default=REDIS)
    say("--spends", type=int, default=2_000, help="codes to be spent; default 2000")
    say("--faults", type=int, default=40, help="things to be broken; default 40")
    say("--processes", type=int, default=2, help="of the load; default 2")
    say("--tills", type=int, default=6, help="in each of them; default 6")
    say("--workers", type=int, default=3, help="web processes; default 3")
    say("--seed", type=int, default=1, help="another one, another order of faults")
    say("--json", action="store_true", help="tell it as JSON")
    options = vars(parser.parse_args(argv))
    is_json = options.pop("json")
    try:
        outcome = run(Plan(**options), lambda line: print(line, file=sys.stderr))
    except (LoadFailed, ServerError) as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 1
    told = json.dumps(asdict(outcome), indent=2) if is_json else telling.table(outcome)
    print(told)
    return 0 if outcome.reckoning.is_good else 2


if __name__ == "__main__":
    sys.exit(main())

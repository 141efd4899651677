#!/usr/bin/env python3
"""Attack an installation of one's own in every way that we know, and tell what got in.

Without more words it starts an installation, attacks it from outside and inside, and
leaves nothing of it:

    python scripts/attack.py
    python scripts/attack.py --tries 2500

The demo that runs on a data directory, or whatever stands at an address, with what its
operator says (a file like demo.json):

    python scripts/attack.py --data .data
    python scripts/attack.py --url https://stamps.example --people FILE --i-own-it

It makes members, stamps and tills there: take a demo. "Accepted" is judged by the books
where they can be read, and else by the cards that the API shows.

Exit status: 0 nothing got in and every signal came, 1 there was nothing to attack, 2
something got in or is not as it must be; or wrong arguments, or an address that is not
this machine's.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from app.store.errors import StoreDown
from scripts.attacks import ground, run, telling
from scripts.attacks.catalogue import Attack
from scripts.attacks.ground import NoGround
from scripts.attacks.parts import CannotSetUp
from scripts.attacks.run import Result
from scripts.attacks.shop import Shop
from scripts.attacks.wire import NotOurs

#: Tries of an attack that could make any number, in the short form.
_TRIES = 25


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, attack, tell."""
    options = _options(argv)
    attacks = _chosen(options.only)
    if options.list:
        print(telling.stories(attacks))
        return 0
    began = time.monotonic()
    results: list[Result] = []
    try:
        with _ground(options) as shop:
            for result in run.throw_all(shop, attacks, size=options.tries):
                results.append(result)
                _say(result)
    except NotOurs as error:
        return _fail(2, str(error))
    except (NoGround, CannotSetUp) as error:
        return _fail(1, str(error))
    except StoreDown as error:
        return _fail(1, f"the books give no answer: {error.__cause__ or error}")
    _tell(results, time.monotonic() - began, is_json=options.json)
    return 0 if all(result.is_good for result in results) else 2


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    say = parser.add_argument
    what = parser.add_mutually_exclusive_group()
    pick = what.add_argument
    pick("--own", action="store_true", help="start one and attack that; the default")
    pick("--data", metavar="DIR", type=Path, help="the demo that runs on a directory")
    pick("--url", help="what stands at an address; needs --people")
    say("--people", metavar="FILE", type=Path, help="who can sign in, like demo.json")
    say(
        "--enrolment",
        metavar="CODE",
        action="append",
        default=[],
        help="a code for a till, if FILE has no console; ten or so are needed",
    )
    say(
        "--i-own-it",
        action="store_true",
        help="attack an address that is not this machine: it is yours",
    )
    say(
        "--tries",
        metavar="N",
        type=int,
        default=_TRIES,
        help=f"of an attack that could make any number; default {_TRIES}",
    )
    say("--only", metavar="NAME", action="append", default=[], help="one attack")
    say("--list", action="store_true", help="tell of each attack, and throw none")
    say("--json", action="store_true", help="tell it as JSON")
    options = parser.parse_args(argv)
    if options.url and not options.people:
        parser.error("--url needs --people: who can sign in there")
    if options.tries < 1:
        parser.error("--tries is 1 or more")
    unknown = set(options.only) - {one.name for one in run.catalogue()}
    if unknown:
        parser.error(f"no such attack: {', '.join(sorted(unknown))}; see --list")
    return options


def _chosen(names: Sequence[str]) -> list[Attack]:
    return [one for one in run.catalogue() if not names or one.name in names]


def _ground(options: argparse.Namespace) -> AbstractContextManager[Shop]:
    elsewhere = options.i_own_it
    if options.url:
        return ground.of_address(
            options.url,
            options.people,
            options.enrolment,
            may_be_elsewhere=elsewhere,
        )
    if options.data:
        data = options.data.expanduser().absolute()
        return ground.of_directory(data, may_be_elsewhere=elsewhere)
    return ground.own()


def _say(result: Result) -> None:
    """Tell at once how far it is; the table comes at the end."""
    verdict = "ok" if result.is_good else "FOUND"
    if result.left_out:
        verdict = "left out"
    print(
        f"  {result.attack.name} … {verdict}, {result.seconds:.1f} s",
        file=sys.stderr,
        flush=True,
    )


def _tell(results: Sequence[Result], seconds: float, *, is_json: bool) -> None:
    if is_json:
        print(json.dumps(telling.as_json(results, seconds=seconds), indent=2))
        return
    print(f"\n{telling.table(results)}\n\n{seconds:.0f} s")


def _fail(status: int, sentence: str) -> int:
    print(f"attack: {sentence}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())

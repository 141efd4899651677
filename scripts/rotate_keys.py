#!/usr/bin/env python3
"""Put a new signing key in charge, with no restart and no honest customer refused.

Makes a key that every worker verifies with and none signs with; waits until each live
worker has reported that it has read it, for at most 30 s; then lets it sign. The key
before it only verifies from then on, so codes that are about stay good until they end.
Shows what it would do; does it with ``--apply``. Cut short, it is taken up again by
the next run.

    python scripts/rotate_keys.py --apply
    python scripts/rotate_keys.py --apply --if-older-than 30d

Exit status: 0 done or shown, 1 the ring or a store cannot be used, 2 a guard refused
(a worker does not report the new key, or somebody else changed the ring): nothing was
lost, look and start again (or wrong arguments), 3 the active key is younger than
``--if-older-than`` says.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from app.programme import ceremonies
from app.programme.ceremonies import Done
from scripts.parts import keyroom

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def main(
    argv: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Read the arguments, rotate, report."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--data", metavar="DIR", help="data directory; default .data")
    parser.add_argument("--apply", action="store_true", help="do it")
    parser.add_argument("--json", action="store_true", help="tell it as JSON")
    parser.add_argument(
        "--if-older-than",
        type=_age,
        metavar="AGE",
        help="only if the active key has signed for so long: 30d, 12h, 45m",
    )
    options = parser.parse_args(argv)

    def work() -> int:
        with keyroom.entered(environ, options.data) as room:
            done = ceremonies.rotate(
                room,
                is_applied=options.apply,
                wait=wait,
                if_older_than=options.if_older_than,
            )
        print(_as_json(done) if options.json else _as_sentence(done))
        return keyroom.DONE

    return keyroom.ended("rotate_keys", work)


def _age(text: str) -> timedelta:
    """Read an age such as ``30d``."""
    found = re.fullmatch(r"([0-9]{1,5})([dhm])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"not an age such as 30d or 12h: {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _verifying(done: Done) -> int:
    return sum(key.state.verifies for key in done.ring.keys)


def _as_json(done: Done) -> str:
    return json.dumps(
        {
            "applied": done.is_applied,
            "key_id": done.key_id,
            "before": done.before,
            "verifying": _verifying(done),
            "workers": done.workers,
        }
    )


def _as_sentence(done: Done) -> str:
    verb = "signs now" if done.is_applied else "would sign"
    told = f"key {done.key_id} {verb}"
    if done.before is not None:
        told += f"; key {done.before} only verifies, so codes that are about live on"
    if not done.is_applied:
        return f"{told}. Do it with --apply"
    if not done.workers:
        return f"{told}. No web worker is alive: none was asked"
    return f"{told}. Web workers that had it before: {done.workers}"


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Put a new signing key in charge, with no restart and no honest customer refused.

Makes a key that every worker verifies with and none signs with, and a secret likewise;
waits until each live worker has reported that it has read them, for at most 30 s; then
lets the key sign and the secret seal. The key before it only verifies from then on and
the secret before it only opens, so what is about stays good until it ends.
Shows what it would do; does it with ``--apply``. Cut short, it is taken up again by
the next run. With ``--retire`` it first retires every key whose last code is dead, and
drops the secrets likewise, whether or not a rotation is due.

    python scripts/rotate_keys.py --apply
    python scripts/rotate_keys.py --retire --if-older-than 30d --apply

Exit status: 0 done or shown, 1 the ring or a store cannot be used, 2 a guard refused
(a worker does not report the new key, or somebody else changed the ring): nothing was
lost, look and start again (or wrong arguments), 3 there was nothing to do: the active
key is younger than ``--if-older-than`` says, and no key is to be retired.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from app.programme import ceremonies
from app.programme.ceremonies import AlreadySo, Done, KeyRoom
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
    parser.add_argument(
        "--retire",
        action="store_true",
        help="also retire every key whose last code is dead",
    )
    options = parser.parse_args(argv)

    def work() -> int:
        with keyroom.entered(environ, options.data) as room:
            away = _put_away(room, options) if options.retire else None
            done = _rotated(room, options, wait, is_enough=away is not None)
        if options.json:
            print(json.dumps(_facts(done, away, is_applied=options.apply)))
        else:
            print("\n".join(_sentences(done, away, is_applied=options.apply)))
        is_left = any(one and one.left_in_token for one in (done, away))
        return keyroom.FAILED if is_left else keyroom.DONE

    return keyroom.ended("rotate_keys", work)


def _put_away(room: KeyRoom, options: argparse.Namespace) -> Done | None:
    """Retire what is dead; None if nothing is."""
    try:
        return ceremonies.retire_dead(room, is_applied=options.apply)
    except AlreadySo:
        return None


def _rotated(
    room: KeyRoom,
    options: argparse.Namespace,
    wait: Callable[[float], None],
    *,
    is_enough: bool,
) -> Done | None:
    """Rotate; None if the key is too young and enough was done without it."""
    try:
        return ceremonies.rotate(
            room,
            is_applied=options.apply,
            wait=wait,
            if_older_than=options.if_older_than,
        )
    except AlreadySo:
        if not is_enough:
            raise
        return None


def _age(text: str) -> timedelta:
    """Read an age such as ``30d``."""
    found = re.fullmatch(r"([0-9]{1,5})([dhm])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"not an age such as 30d or 12h: {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _facts(
    done: Done | None, away: Done | None, *, is_applied: bool
) -> dict[str, object]:
    """Return what came of it as JSON values; of a rotation that was not due, nulls."""
    last = done or away
    keys = last.ring.keys if last else ()
    return {
        "applied": is_applied,
        "key_id": done.key_id if done else None,
        "before": done.before if done else None,
        "secret_id": done.secret_id if done else None,
        "verifying": sum(key.state.verifies for key in keys),
        "workers": done.workers if done else 0,
        "retired": list(away.retired) if away else [],
        "secrets_dropped": list(away.dropped) if away else [],
    }


def _sentences(
    done: Done | None, away: Done | None, *, is_applied: bool
) -> Iterator[str]:
    would = "" if is_applied else "would: "
    if away and away.retired:
        yield f"{would}retired: {', '.join(f'key {each}' for each in away.retired)}"
    if away and away.dropped:
        yield f"{would}dropped: {', '.join(f'secret {each}' for each in away.dropped)}"
    for one in (away, done):
        if one and one.left_in_token:
            left = ", ".join(f"key {each}" for each in one.left_in_token)
            yield f"the token gave no answer: {left} is still in it, and unused"
    if done is not None:
        yield _rotation(done)
    elif not is_applied:
        yield "Do it with --apply"


def _rotation(done: Done) -> str:
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

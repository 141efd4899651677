#!/usr/bin/env python3
"""Look after the signing keys: list, create, activate, retire, revoke, check.

A key is pending (all verify, none signs), then active (it signs; there is one), then
verify-only, then retired; any of them can be revoked. A routine rotation is
`scripts/rotate_keys.py`; the same by hand:

    scripts/keys.py create --apply
    scripts/keys.py activate 2 --apply
    scripts/keys.py retire 1 --apply          (a quarter of an hour later)

A stolen key:

    scripts/keys.py revoke 1 --since 2026-03-01T08:00 --reason "laptop stolen" --apply

Each command but list and check shows what it would do, and does it with --apply. No
secret is ever printed.

Exit status: 0 done or shown, 1 it failed, 2 a guard refused and nothing was changed
(or wrong arguments), 3 it is so already.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from app.programme import ceremonies
from app.programme.ceremonies import AlreadySo, Done, KeyRoom, Made
from app.store.errors import StoreDown
from app.store.workers import Worker
from scripts.parts import keyroom
from signing.keyring import KeyRing, SigningKey, moment_text

_STEPS = {"create": ceremonies.create}
_STEPS_OF_A_KEY = {"activate": ceremonies.activate, "retire": ceremonies.retire}
# As many lines of the review list as fit a screen; the file has all.
_MOST_SHOWN = 20


def main(
    argv: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Read the arguments, do it, report."""
    options = _parser().parse_args(argv)

    def work() -> int:
        with keyroom.entered(environ, options.data) as room:
            if options.command == "list":
                return _list(room, options)
            if options.command == "check":
                return _check(room, options)
            if options.command == "revoke":
                return _revoke(room, options, wait)
            return _step(room, options)

    return keyroom.ended("keys", work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    # Words that every command takes, after its name.
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--data", metavar="DIR", help="data directory; default .data")
    every.add_argument("--json", action="store_true", help="tell it as JSON")
    change = argparse.ArgumentParser(add_help=False, parents=[every])
    change.add_argument("--apply", action="store_true", help="do it")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = partial(commands.add_parser)
    add("list", parents=[every], help="every key, and who works with which ring")
    add("check", parents=[every], help="whether the keys are in order")
    add("create", parents=[change], help="make a key that all verify with")
    for name, told in (
        ("activate", "let a pending key sign"),
        ("retire", "destroy the private part of a key whose last code is dead"),
        ("revoke", "trust a key no more; if it signs, a new one does at once"),
    ):
        one = add(name, parents=[change], help=told)
        one.add_argument("key_id", type=int, metavar="KEY", help="its number")
    one.add_argument(
        "--since",
        type=_moment,
        required=True,
        metavar="MOMENT",
        help="when it may have been stolen, 2026-03-01T08:00 (UTC unless it says)",
    )
    one.add_argument("--reason", required=True, help="for the audit log")
    one.add_argument("--csv", type=Path, metavar="FILE", help="write the review list")
    return parser


def _moment(text: str) -> datetime:
    """Read a moment; UTC where it names no zone."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# Looking


def _list(room: KeyRoom, options: argparse.Namespace) -> int:
    ring, workers = room.ring(), _live(room)
    if options.json:
        print(json.dumps({"ring": ring.digest, **_facts(room, ring, workers)}))
        return keyroom.DONE
    now = room.tools.now()
    for key in ring.keys:
        print(_key_line(key, now))
    print(f"ring {ring.digest[:16]}, in {room.directory}")
    if workers is None:
        print("workers: the nonce store gives no answer, so nobody knows")
    elif not workers:
        print("workers: none is alive")
    for worker in workers or ():
        state = "has this ring" if worker.ring == ring.digest else "HAS ANOTHER RING"
        trouble = f": {worker.problem}" if worker.problem else ""
        print(f"worker {worker.worker_id} {state}{trouble}")
    return keyroom.DONE


def _check(room: KeyRoom, options: argparse.Namespace) -> int:
    ring, workers = room.ring(), _live(room)
    found = ceremonies.problems(room, ring, workers or ())
    if workers is None:
        found.append("the nonce store gives no answer: who works with which ring?")
    if options.json:
        print(json.dumps({"problems": found}))
    elif found:
        print("\n".join(found))
    else:
        print(f"the keys are in order; {len(workers or ())} workers have this ring")
    return keyroom.FAILED if found else keyroom.DONE


def _live(room: KeyRoom) -> list[Worker] | None:
    """The live workers; None if nobody knows."""
    try:
        return room.live()
    except StoreDown:
        return None


def _facts(
    room: KeyRoom, ring: KeyRing, workers: Sequence[Worker] | None
) -> dict[str, Any]:
    now = room.tools.now()
    return {
        "keys": [
            {
                "key_id": key.key_id,
                "state": key.state.value,
                "age_days": (now - key.created_at).days,
                "created_at": moment_text(key.created_at),
                "activated_at": moment_text(key.activated_at),
                "verify_only_at": moment_text(key.verify_only_at),
                "retired_at": moment_text(key.retired_at),
                "revoked_at": moment_text(key.revoked_at),
                "retire_from": moment_text(ceremonies.dead_from(key)),
            }
            for key in ring.keys
        ],
        "workers": None
        if workers is None
        else [
            {
                "worker_id": worker.worker_id,
                "has_this_ring": worker.ring == ring.digest,
                "problem": worker.problem,
                "at": moment_text(worker.at),
            }
            for worker in workers
        ],
    }


def _key_line(key: SigningKey, now: datetime) -> str:
    moments = {
        "made": key.created_at,
        "active": key.activated_at,
        "verify-only": key.verify_only_at,
        "retired": key.retired_at,
        "revoked": key.revoked_at,
    }
    told = ", ".join(
        f"{word} {moment:%Y-%m-%d %H:%M}" for word, moment in moments.items() if moment
    )
    days = (now - key.created_at).days
    return f"key {key.key_id:<5} {key.state:<12} {days:>4} days old  {told}"


# Changing


def _step(room: KeyRoom, options: argparse.Namespace) -> int:
    step = _STEPS.get(options.command)
    done = (
        step(room, is_applied=options.apply)
        if step
        else _STEPS_OF_A_KEY[options.command](
            room, options.key_id, is_applied=options.apply
        )
    )
    print(json.dumps(_done(options, done)) if options.json else _told(options, done))
    return keyroom.DONE


def _revoke(
    room: KeyRoom, options: argparse.Namespace, wait: Callable[[float], None]
) -> int:
    try:
        done = ceremonies.revoke(
            room,
            options.key_id,
            since=options.since,
            reason=options.reason,
            is_applied=options.apply,
        )
    except AlreadySo:
        _review_again(room, options)
        raise
    wrong = _write_csv(options.csv, done.review or ()) if options.csv else None
    if options.json:
        review = None if done.review is None else [_row(one) for one in done.review]
        print(json.dumps({**_done(options, done), "review": review}))
    else:
        print(_told(options, done))
        _print_review(options, done.review)
    wrongs = [wrong] if wrong else []
    if options.apply:
        wrongs += _after_revocation(room, done, wait)
    for sentence in wrongs:
        print(f"keys: {sentence}", file=sys.stderr)
    return keyroom.FAILED if wrongs else keyroom.DONE


def _review_again(room: KeyRoom, options: argparse.Namespace) -> None:
    """Give the list of a key that was revoked before."""
    review = ceremonies.review(room, options.key_id, options.since)
    wrong = _write_csv(options.csv, review or ()) if options.csv else None
    if options.json:
        rows = None if review is None else [_row(one) for one in review]
        print(json.dumps({"command": "revoke", "applied": False, "review": rows}))
    else:
        _print_review(options, review)
    if wrong:
        print(f"keys: {wrong}", file=sys.stderr)


def _after_revocation(
    room: KeyRoom, done: Done, wait: Callable[[float], None]
) -> list[str]:
    """See that every worker heard of it; say what could not be done."""
    revoked = f"key {done.key_id} is revoked, but"
    wrong = []
    try:
        behind = ceremonies.await_workers(room, done.ring, wait=wait)
        wrong += [
            f"{revoked} worker {worker.worker_id} has not read the ring: restart it"
            for worker in behind
        ]
    except StoreDown:
        wrong.append(f"{revoked} the nonce store cannot tell which workers know")
    if not done.is_audited:
        wrong.append(f"{revoked} the books give no answer: the audit log has no line")
    if done.review is None:
        wrong.append(f"{revoked} the books give no answer: there is no review list")
    return wrong


def _done(options: argparse.Namespace, done: Done) -> dict[str, Any]:
    """What came of it, as JSON values."""
    signing = [key.key_id for key in done.ring.keys if key.state == "active"]
    return {
        "command": options.command,
        "applied": done.is_applied,
        "key_id": done.key_id,
        "before": done.before,
        "active": signing[0] if signing else None,
        "workers": done.workers,
        "audited": done.is_audited and done.is_applied,
        "ring": done.ring.digest,
    }


def _told(options: argparse.Namespace, done: Done) -> str:
    """What came of it, and what comes next."""
    key, facts = done.key_id, _done(options, done)
    would = "" if done.is_applied else "would: "
    nobody = "" if done.workers else " (no web worker is alive: none was asked)"
    sentences = {
        "create": f"key {key} is pending: all verify with it, none signs",
        "activate": f"key {key} signs now{nobody}; key {done.before} only verifies",
        "retire": f"key {key} is retired, its private part destroyed",
        "revoke": f"key {key} is revoked; key {facts['active']} signs. Who shows a "
        "code of the old one is asked for a fresh one",
    }
    after = {
        "create": f"Next: scripts/keys.py activate {key}",
        "activate": f"Next, in a quarter of an hour: scripts/keys.py retire "
        f"{done.before}",
        "retire": "Nothing is left to do.",
        "revoke": "Next: go through the review list, find out how the key got away, "
        "and change the passphrase's place if it may be known.",
    }
    last = after[options.command] if done.is_applied else "Do it with --apply"
    return f"{would}{sentences[options.command]}\n{last}"


# The review list


def _row(made: Made) -> dict[str, Any]:
    return asdict(made) | {"entry_id": str(made.entry_id), "at": moment_text(made.at)}


def _write_csv(path: Path, review: Sequence[Made]) -> str | None:
    """Write the list; what went wrong, if anything did."""
    try:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, [field.name for field in fields(Made)])
            writer.writeheader()
            writer.writerows(_row(made) for made in review)
    except OSError as error:
        return f"the review list could not be written: {path}: {error.strerror}"
    return None


def _print_review(options: argparse.Namespace, review: Sequence[Made] | None) -> None:
    if review is None:
        return
    since = moment_text(options.since)
    print(
        f"Made with key {options.key_id} since {since}: {len(review)} entries. "
        "None was removed; a wrong one is reversed by staff."
    )
    for made in review[:_MOST_SHOWN]:
        state = " (reversed already)" if made.is_reversed else ""
        print(
            f"  {made.at:%Y-%m-%d %H:%M:%S} {made.kind:<6} {made.units:>2}  "
            f"card {made.card_number}  {made.place or '-'}  "
            f"{made.staff_name or '-'}{state}"
        )
    if len(review) > _MOST_SHOWN:
        print(f"  … and {len(review) - _MOST_SHOWN} more: --csv FILE has all")
    if options.csv:
        print(f"All of it is in {options.csv}")


if __name__ == "__main__":
    sys.exit(main())

"""The steps of a key's life, as commands: create, activate, retire, revoke."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from app.programme import ceremonies
from app.programme.batches import Hit
from app.programme.ceremonies import AlreadySo, Done, KeyRoom
from app.programme.key_history import Made
from app.store.errors import StoreDown
from scripts.parts import keyroom
from scripts.parts.keys_told import (
    batch_row,
    facts,
    print_batches,
    print_review,
    review_row,
    sentences,
    write_csv,
)


def step(room: KeyRoom, options: argparse.Namespace) -> int:
    """Create, activate or retire a key."""
    done = _do(room, options)
    if options.json:
        print(json.dumps(facts(options.command, done)))
    else:
        print(sentences(options.command, done))
    for sentence in _left(done):
        print(f"keys: {sentence}", file=sys.stderr)
    return keyroom.FAILED if done.left_in_token else keyroom.DONE


def _do(room: KeyRoom, options: argparse.Namespace) -> Done:
    if options.command == "create":
        # Where the key that signs is, unless one of the two is asked for.
        return ceremonies.create(
            room, is_applied=options.apply, in_token=options.in_token
        )
    verb = {"activate": ceremonies.activate, "retire": ceremonies.retire}
    return verb[options.command](room, options.key_id, is_applied=options.apply)


def revoke(
    room: KeyRoom, options: argparse.Namespace, wait: Callable[[float], None]
) -> int:
    """Revoke a key, and see that every worker heard of it."""
    try:
        done = ceremonies.revoke(
            room,
            options.key_id,
            since=options.since,
            reason=options.reason,
            is_hard=options.hard,
            is_applied=options.apply,
        )
    except AlreadySo:
        _review_again(room, options)
        raise
    wrong = _write(options, done.review, done.batches)
    if options.json:
        lists = _lists(done.review, done.batches)
        print(json.dumps({**facts("revoke", done), "hard": options.hard, **lists}))
    else:
        print(sentences("revoke", done))
        print_review(options, done.review)
        print_batches(options, done.batches)
    wrongs = [wrong] if wrong else []
    if options.apply:
        wrongs += _after_revocation(room, done, wait)
    for sentence in wrongs:
        print(f"keys: {sentence}", file=sys.stderr)
    return keyroom.FAILED if wrongs else keyroom.DONE


def _review_again(room: KeyRoom, options: argparse.Namespace) -> None:
    """Give the list of a key that was revoked before."""
    review = ceremonies.review(room, options.key_id, options.since)
    # What the ring says stands: it was hard then, or it was not.
    since = room.ring(asks_token=False).key(options.key_id).revoked_since
    batches = ceremonies.batches_hit(
        room, options.key_id, since or options.since, is_hard=since is None
    )
    wrong = _write(options, review, batches)
    if options.json:
        lists = _lists(review, batches)
        print(json.dumps({"command": "revoke", "applied": False, **lists}))
    else:
        print_review(options, review)
        print_batches(options, batches)
    if wrong:
        print(f"keys: {wrong}", file=sys.stderr)


def _write(
    options: argparse.Namespace,
    review: Sequence[Made] | None,
    batches: Sequence[Hit] | None,
) -> str | None:
    """Write the lists to the file asked for; say what went wrong."""
    if not options.csv:
        return None
    return write_csv(options.csv, review or (), batches or ())


def _lists(
    review: Sequence[Made] | None, batches: Sequence[Hit] | None
) -> dict[str, object]:
    """Give the lists as JSON values; None where the books gave no answer."""
    return {
        "review": None if review is None else list(map(review_row, review)),
        "batches": None if batches is None else list(map(batch_row, batches)),
    }


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
        wrong.append(
            f"{revoked} the books give no answer: the audit log has no line. Give the "
            "same command again when they are back"
        )
    if done.review is None:
        wrong.append(f"{revoked} the books give no answer: there is no review list")
    return wrong + _left(done)


def _left(done: Done) -> list[str]:
    """Say which private parts are still in the token."""
    return [
        f"the token gave no answer, so the private part of key {key_id} is still in "
        "it, where nobody uses it; the next command that changes the ring asks again"
        for key_id in done.left_in_token
    ]

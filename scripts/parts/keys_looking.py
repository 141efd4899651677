"""Looking at the keys: list and check. Neither asks a token for more than it must."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from app.programme import ceremonies
from app.programme.ceremonies import KeyRoom
from app.store.errors import StoreDown
from app.store.workers import Worker
from scripts.parts import keyroom
from signing.keyring import KeyRing, LinkSecret, SigningKey, moment_text
from signing.signers import IN_FILE

# A worker looks every two seconds and reports every two. Who checks right after a
# rotation shall not read that something is wrong.
_READ_WITHIN = timedelta(seconds=6)


def show(room: KeyRoom, options: argparse.Namespace) -> int:
    """List keys, secrets and workers."""
    ring, workers = room.ring(asks_token=False), _live(room)
    if options.json:
        print(json.dumps({"ring": ring.digest, **_facts(room, ring, workers)}))
        return keyroom.DONE
    now = room.tools.now()
    for key in ring.keys:
        print(_key_line(key, now))
    for secret in ring.link_secrets:
        print(_secret_line(secret, ring, now))
    print(f"ring {ring.digest[:16]}, in {room.directory}")
    if workers is None:
        print("workers: the nonce store gives no answer, so nobody knows")
    elif not workers:
        print("workers: none is alive")
    for worker in workers or ():
        print(_worker_line(worker, ring, now))
    return keyroom.DONE


def check(
    room: KeyRoom, options: argparse.Namespace, wait: Callable[[float], None]
) -> int:
    """Say whether the keys are in order."""
    ring = room.ring(asks_token=False)
    with suppress(StoreDown):
        ceremonies.await_workers(room, ring, wait=wait, patience=_READ_WITHIN)
    workers = _live(room)
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
        "keys": [_key_facts(key, now) for key in ring.keys],
        "secrets": [
            {
                "secret_id": secret.secret_id,
                "state": state_of(secret, ring),
                "age_days": (now - secret.created_at).days,
                "created_at": moment_text(secret.created_at),
                "activated_at": moment_text(secret.activated_at),
            }
            for secret in ring.link_secrets
        ],
        "workers": None
        if workers is None
        else [
            {
                "worker_id": worker.worker_id,
                "has_this_ring": worker.ring == ring.digest,
                "ring_age_s": _seconds(now - worker.ring_at),
                "problem": worker.problem,
                "rejected": worker.rejected,
                "at": moment_text(worker.at),
                "report_age_s": _seconds(now - worker.at),
            }
            for worker in workers
        ],
    }


def _key_facts(key: SigningKey, now: datetime) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "state": key.state.value,
        "age_days": (now - key.created_at).days,
        "holder": key.holder,
        "created_at": moment_text(key.created_at),
        "activated_at": moment_text(key.activated_at),
        "verify_only_at": moment_text(key.verify_only_at),
        "retired_at": moment_text(key.retired_at),
        "revoked_at": moment_text(key.revoked_at),
        "revoked_since": moment_text(key.revoked_since),
        "retire_from": moment_text(ceremonies.dead_from(key)),
    }


def state_of(secret: LinkSecret, ring: KeyRing) -> str:
    """Return ``pending``, ``sealing`` or ``opening``."""
    if secret.activated_at is None:
        return "pending"
    return "sealing" if secret is ring.sealing else "opening"


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
    held = "" if key.holder == IN_FILE else f", in {key.holder}"
    return f"key {key.key_id:<5} {key.state:<12} {days:>4} days old  {told}{held}"


def _secret_line(secret: LinkSecret, ring: KeyRing, now: datetime) -> str:
    days = (now - secret.created_at).days
    sealed = secret.activated_at
    told = f", sealed from {sealed:%Y-%m-%d %H:%M}" if sealed else ""
    state = state_of(secret, ring)
    return (
        f"secret {secret.secret_id:<2} {state:<12} {days:>4} days old  "
        f"made {secret.created_at:%Y-%m-%d %H:%M}{told}"
    )


def _worker_line(worker: Worker, ring: KeyRing, now: datetime) -> str:
    state = "has this ring" if worker.ring == ring.digest else "HAS ANOTHER RING"
    trouble = f": {worker.problem}" if worker.problem else ""
    refused = f", {worker.rejected} refused" if worker.rejected else ""
    return (
        f"worker {worker.worker_id} {state}, for {_seconds(now - worker.ring_at)} s; "
        f"reported {_seconds(now - worker.at)} s ago{refused}{trouble}"
    )


def _seconds(age: timedelta) -> int:
    return max(0, round(age.total_seconds()))

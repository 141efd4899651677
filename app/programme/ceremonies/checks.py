"""What is wrong with the keys in use, for whoever looks after the machine.

Compares three places that nobody writes in together: the ring on the disk, the audit
log in the books, and what each web worker said of its ring a moment ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from app.programme.ceremonies import log
from app.programme.ceremonies.room import KeyRoom, behind_of, newest, pending_secret
from app.programme.ceremonies.steps import dead_from
from app.programme.errors import StoreDown
from app.store.workers import Worker
from signing import keyfiles
from signing.errors import KeyRingError
from signing.keyring import KeyRing, KeyState
from signing.signers import IN_FILE

#: A rotation takes seconds; a key that is pending for longer was forgotten.
PENDING_FOR: Final = timedelta(days=1)
# What a token is asked to sign, to see whether it answers. No code begins like this.
_TRIAL: Final = b"punchproof/check\0"
_ASKED = frozenset({KeyState.PENDING, KeyState.ACTIVE})


def problems(room: KeyRoom, ring: KeyRing, workers: Sequence[Worker]) -> list[str]:
    """Say what is wrong with the keys in use, in sentences; empty when all is well.

    Args:
        room: where.
        ring: as it is on the disk.
        workers: that are alive.
    """
    return [
        *_of_workers(ring, workers),
        *_of_ring(room, ring),
        *_of_token(room, ring),
        *_of_log(room, ring),
    ]


def _of_workers(ring: KeyRing, workers: Sequence[Worker]) -> list[str]:
    found = []
    for worker in workers:
        if worker.problem is not None:
            begun = f" since {worker.since:%Y-%m-%d %H:%M} UTC" if worker.since else ""
            found.append(
                f"worker {worker.worker_id} cannot read the ring{begun}: "
                f"{worker.problem}"
            )
    found += [
        f"worker {worker.worker_id} works with another ring than the one on the disk"
        for worker in behind_of(workers, ring)
        if worker.problem is None
    ]
    return found


def _of_ring(room: KeyRoom, ring: KeyRing) -> list[str]:
    now, alarm = room.tools.now(), room.tools.settings.key_age_alarm
    found = []
    active = newest(ring, KeyState.ACTIVE)
    since = None if active is None else ring.key(active).activated_at
    if active is None:
        found.append("no key is active: no code can be made")
    elif since is not None and now - since > alarm:
        found.append(
            f"key {active} signs for {(now - since).days} days, and {alarm.days} are "
            "the most: scripts/rotate_keys.py --apply"
        )
    for key in ring.keys:
        dead = dead_from(key)
        if key.state is KeyState.PENDING and now - key.created_at > PENDING_FOR:
            found.append(
                f"key {key.key_id} is pending since {_day(key.created_at)}: "
                "scripts/rotate_keys.py --apply lets it sign"
            )
        if key.state is KeyState.VERIFY_ONLY and dead is not None and now >= dead:
            found.append(f"key {key.key_id} can be retired: its last code is dead")
    waits = pending_secret(ring)
    has_pending_key = newest(ring, KeyState.PENDING) is not None
    if waits and not has_pending_key and now - waits.created_at > PENDING_FOR:
        found.append(
            f"secret {waits.secret_id} is pending since {_day(waits.created_at)}: "
            "scripts/rotate_keys.py --apply lets it seal"
        )
    return found


def _of_token(room: KeyRoom, ring: KeyRing) -> list[str]:
    """Ask the token to sign with each of its keys that may have to."""
    found = []
    for key in ring.keys:
        if key.holder == IN_FILE or key.state not in _ASKED:
            continue
        holder = room.tools.holder
        if holder is None:
            found.append(f"key {key.key_id} is in a token, and none is set up here")
            continue
        try:
            signer = holder.open(key.holder)
            signer.sign(_TRIAL)
            is_its = signer.public_key() == key.public
        except KeyRingError as error:
            found.append(f"key {key.key_id} cannot sign: {error}")
        else:
            if not is_its:
                found.append(f"the token has another key than key {key.key_id}")
    return found


def _of_log(room: KeyRoom, ring: KeyRing) -> list[str]:
    """Compare the ring on the disk with the last ceremony in the audit log."""
    try:
        if not log.has_books(room.tools.database):
            return []
        known = log.lines(room.tools.database)
        # As the file says it: a newer release would put the same otherwise.
        digest = keyfiles.untrusted_ring(room.directory).digest
    except StoreDown:
        return ["the books give no answer: is this the ring of the last ceremony?"]
    except KeyRingError as error:
        return [str(error)]
    if not known or known[-1].ring in {digest, ring.digest}:
        return []
    lacks = log.lacking(known, ring)
    told = f": it lacks {', '.join(line.told for line in lacks)}" if lacks else ""
    return [
        "the ring on the disk is not the one of the last ceremony, "
        f"{known[-1].told}{told}; an older copy may have been put back, or a ceremony "
        "was done while the books were away"
    ]


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"

#!/usr/bin/env python3
"""Put a new signing key in charge, with no restart and no honest customer refused.

Makes a key that every worker verifies with and none signs with; waits until each has
read it; then lets it sign. The key before it only verifies from then on, so codes
that are about stay good until they end. Shows what it would do; does it with
``--apply``. Cut short, it is taken up again by the next run.

    python scripts/rotate_keys.py --apply

Exit status: 0 done or shown, 1 the ring cannot be used, 2 wrong arguments, 3 somebody
else changed the ring meanwhile: nothing was lost, look and start again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from scripts.parts import first_key, installation
from signing import keyfiles
from signing.errors import KeyGuard, KeyRingError
from signing.keyring import KeyRing, KeyState

# Workers look at the ring every two seconds; twice that, and some for a slow disk.
WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was done, or would be: key ids, no key material."""

    applied: bool
    key_id: int
    #: The key that signed before; None if there was none.
    before: int | None
    #: How many keys verify from now on, the new one among them.
    verifying: int


def main(
    argv: Sequence[str] | None = None, *, wait: Callable[[float], None] = time.sleep
) -> int:
    """Read the arguments, rotate, report."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--data", metavar="DIR", help="data directory; default .data")
    parser.add_argument("--apply", action="store_true", help="do it")
    parser.add_argument("--json", action="store_true", help="tell it as JSON")
    options = parser.parse_args(argv)
    data = installation.data_directory(os.environ, options.data)
    keys, passphrase_file = first_key.places(os.environ, data)
    try:
        passphrase = keyfiles.read_passphrase(passphrase_file)
        rotation = rotate(keys, passphrase, is_applied=options.apply, wait=wait)
    except KeyGuard as error:
        print(f"rotate_keys: {error}", file=sys.stderr)
        return 3
    except KeyRingError as error:
        print(f"rotate_keys: {error}", file=sys.stderr)
        return 1
    print(_as_json(rotation) if options.json else _as_sentence(rotation))
    return 0


def rotate(
    keys: Path,
    passphrase: bytes,
    *,
    is_applied: bool,
    wait: Callable[[float], None],
) -> Rotation:
    """Put a new key in charge.

    Args:
        keys: the ring's directory.
        passphrase: what opens it.
        is_applied: whether to write; else only what would come of it is returned.
        wait: told the seconds to wait between the two steps.

    Raises:
        KeyGuard: another command changed the ring meanwhile.
        KeyRingError: the ring cannot be read or written.
    """
    ring = keyfiles.load(keys, passphrase)
    before = _in_state(ring, KeyState.ACTIVE)
    pending = _in_state(ring, KeyState.PENDING)
    if pending is None:
        ring = ring.with_new_key(_now())
        pending = ring.keys[-1].key_id
        if is_applied:
            keyfiles.save(keys, ring, passphrase)
    if is_applied:
        wait(WAIT_S)
        ring = keyfiles.load(keys, passphrase)
    ring = ring.activated(pending, _now())
    if is_applied:
        keyfiles.save(keys, ring, passphrase)
    verifying = sum(key.state.verifies for key in ring.keys)
    return Rotation(is_applied, pending, before, verifying)


def _in_state(ring: KeyRing, state: KeyState) -> int | None:
    """The newest key in this state."""
    found = [key.key_id for key in ring.keys if key.state is state]
    return found[-1] if found else None


def _now() -> datetime:
    return datetime.now(UTC)


def _as_json(rotation: Rotation) -> str:
    return json.dumps(
        {
            "applied": rotation.applied,
            "key_id": rotation.key_id,
            "before": rotation.before,
            "verifying": rotation.verifying,
        }
    )


def _as_sentence(rotation: Rotation) -> str:
    verb = "signs now" if rotation.applied else "would sign"
    told = f"key {rotation.key_id} {verb}"
    if rotation.before is not None:
        told += (
            f"; key {rotation.before} only verifies, so codes that are about live on"
        )
    return told if rotation.applied else f"{told}. Do it with --apply"


if __name__ == "__main__":
    sys.exit(main())

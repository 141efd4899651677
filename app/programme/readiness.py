"""Whether this process can give a stamp now: each thing that it needs, with a word.

=============== ===================================================================
check           words, the first of which is well
=============== ===================================================================
books           ``ok`` · ``down``: no answer
schema          ``ok`` · ``behind``: not at the newest revision · ``unknown``
nonce_store     ``ok`` · ``down``: no answer
nonces_kept     ``ok`` · ``at_risk``: without append-only file, on a full disk, or with
                keys dropped for want of memory · ``unknown``
key             ``ok`` · ``none``: no key signs
ring            ``ok`` · ``refused``: the one on the disk cannot be read; the one that
                was read before goes on
=============== ===================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.store.database import NO_ANSWER as BOOKS_AWAY
from app.store.nonces import NO_ANSWER as STORE_AWAY
from app.tools import Tools
from signing.errors import KeyRingError

_RING_REFUSED = (
    "The key ring on the disk cannot be read, and the one that was read before goes "
    "on: scripts/keys.py check says why."
)
_NO_KEY = "No key is active, so no code can be made: scripts/keys.py list."


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found at one look."""

    #: A word for each check, as above.
    checks: Mapping[str, str]
    #: For a person, one sentence each; nothing secret, no path and no address.
    problems: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether stamps can be given."""
        return not self.problems


def look(tools: Tools) -> Readiness:
    """Look at everything that a stamp needs."""
    books, kept = tools.database.problems(), tools.nonces.problems()
    is_up = BOOKS_AWAY not in books
    is_there = not any(STORE_AWAY in each for each in kept)
    problems = [*books, *kept]
    checks = {
        "books": "ok" if is_up else "down",
        "schema": ("behind" if books else "ok") if is_up else "unknown",
        "nonce_store": "ok" if is_there else "down",
        "nonces_kept": ("at_risk" if kept else "ok") if is_there else "unknown",
        "key": "ok",
        "ring": "ok",
    }
    if tools.keys.problem is not None:
        checks["ring"] = "refused"
        problems.append(_RING_REFUSED)
    try:
        _ = tools.keys.ring.active
    except KeyRingError:
        checks["key"] = "none"
        problems.append(_NO_KEY)
    return Readiness(checks, tuple(problems))

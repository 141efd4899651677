"""Key ceremonies: making keys, putting them in charge, calling them back.

What a step does to the ring is told in ``signing.keyring``; here is *when* it is wise:

* a key signs only when every live web worker verifies with it (``activate``);
* a key is retired only when its last code is dead (``retire``);
* a stolen key is called back at once, whatever else is wrong, and another signs in
  the same moment (``revoke``). What it made since the theft is listed for people to
  judge, and never removed.

A secret goes with each key, by the same steps; a revocation drops all the older ones.

Each step is one line in the audit log. The line is written first, in a transaction
that ends when the ring is on the disk: books that cannot be written stop the step.
A revocation alone goes on without them, and says so; asked for again, it writes the
line. ``problems`` compares the ring with the log.

Copies of the ring, and another passphrase for it, are ceremonies too (``copies``,
``passphrases``). They work where no ring can be opened and no books are.

No ceremony belongs to a web request: commands run them, on a keys directory.
"""

from __future__ import annotations

from app.programme.ceremonies.checks import PENDING_FOR, problems
from app.programme.ceremonies.copies import (
    Copied,
    bring_back,
    export,
    export_public,
)
from app.programme.ceremonies.passphrases import Renewed, Resealed, renew, reseal
from app.programme.ceremonies.revocation import batches_hit, review, revoke
from app.programme.ceremonies.room import (
    WORKERS_PATIENCE,
    AlreadySo,
    CeremonyRefused,
    Done,
    KeyRoom,
    await_workers,
)
from app.programme.ceremonies.rotation import rotate
from app.programme.ceremonies.steps import (
    LAST_CODE_DEAD,
    SECRET_KEPT,
    activate,
    create,
    dead_from,
    retire,
    retire_dead,
)

__all__ = [
    "LAST_CODE_DEAD",
    "PENDING_FOR",
    "SECRET_KEPT",
    "WORKERS_PATIENCE",
    "AlreadySo",
    "CeremonyRefused",
    "Copied",
    "Done",
    "KeyRoom",
    "Renewed",
    "Resealed",
    "activate",
    "await_workers",
    "batches_hit",
    "bring_back",
    "create",
    "dead_from",
    "export",
    "export_public",
    "problems",
    "renew",
    "reseal",
    "retire",
    "retire_dead",
    "review",
    "revoke",
    "rotate",
]

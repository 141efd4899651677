"""What is left of a ring whose passphrase is lost: public keys, states and dates.

``ring.json`` is not encrypted, but only the passphrase tells whether it was changed.
Without it the file is worth as much as its digest, compared with one from a place that
whoever wrote the file could not write: the audit log.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from signing.keyfiles.book import RING_FILE, open_document, parse_book
from signing.keyfiles.files import check_directory, read
from signing.keyfiles.reading import last_key_id
from signing.keyring import KeyRing, canonical_json


@dataclass(frozen=True)
class UntrustedRing:
    """What a ``ring.json`` says whose seal nobody looked at."""

    #: No key has its private part, and there are no secrets. Do not verify codes with
    #: it before ``digest`` was compared; ``ring.renewed(...)`` goes on from it.
    ring: KeyRing
    #: As ``KeyRing.digest`` was when the file was written, secrets included: 64 hex
    #: digits. The same as in the audit log: so is the ring.
    digest: str


def untrusted_ring(directory: Path) -> UntrustedRing:
    """Read ``ring.json`` without a passphrase. ITS SEAL IS NOT VERIFIED.

    For the one ceremony after the passphrase was lost. Whoever can write in the
    directory can have written all of this: compare ``digest`` first.

    Args:
        directory: of the ring that nobody can open.

    Raises:
        RingUnreadable: missing, torn, readable by others, or no ring.
    """
    check_directory(directory)
    path = directory / RING_FILE
    document, _ = open_document(str(path), read(path))
    book = parse_book(str(path), document)
    # As it was written, not as this version would write it: the log has that digest.
    public_state = {part: document[part] for part in ("keys", "secrets")}
    ring = KeyRing(
        keys=book.keys,
        link_secrets=(),
        last_key_id=last_key_id(directory, book),
        last_secret_id=max([0, *(entry.secret_id for entry in book.secrets)]),
    )
    return UntrustedRing(ring, hashlib.sha256(canonical_json(public_state)).hexdigest())

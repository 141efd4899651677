"""The ring on disk: sealed, written whole or not at all, watched.

A ring is a directory (mode 0700) of files (mode 0600):

``ring.json``
    the public state of every key that ever was, and a seal over it: HMAC-SHA256 under
    the passphrase. Who can write the directory but has no passphrase can neither add a
    key nor bring a revoked one back. Putting an *older* ``ring.json`` back is not
    noticed here; the audit log and the ring's digest show it.
``key-00001.pem``
    one private key, PKCS#8, encrypted with the passphrase. Gone when the key is
    retired or revoked. A key in a token has no file but its address in ``ring.json``.
``secret-00001.sealed``
    one symmetric secret: 12 bytes nonce, then AES-256-GCM under a key derived from the
    passphrase, with the file's name as associated data.
``ring.lock``
    empty; whoever writes holds ``flock`` on it.

The passphrase is 256 random bits: PKCS#8 stretches it 2048 times only, too little for
one that a person made up. It lives in a file elsewhere, so that a copy of this
directory alone is worth nothing. Two words stand in it while it is being changed
(``reseal``): the first seals, both open.

A copy of the whole ring is one sealed bundle under a passphrase of its own (``pack``,
``unpack``). What can be read without any passphrase is ``untrusted_ring``.

Key files are written first and ``ring.json`` last, each to a temporary name, synced and
renamed. So a crash leaves the old ring, perhaps beside key files that no ring names:
their ids are passed over, and they are never overwritten. Nothing here makes a key
because one is missing: a ring that cannot be read is an error.
"""

from __future__ import annotations

from signing.keyfiles.book import RING_FILE
from signing.keyfiles.bundle import pack, unpack
from signing.keyfiles.passphrase import Passphrase, new_passphrase, read_passphrase
from signing.keyfiles.reading import content_digest, load, load_files
from signing.keyfiles.resealing import reseal
from signing.keyfiles.untrusted import UntrustedRing, untrusted_ring
from signing.keyfiles.watched import WatchedRing
from signing.keyfiles.writing import create, save

__all__ = [
    "RING_FILE",
    "Passphrase",
    "UntrustedRing",
    "WatchedRing",
    "content_digest",
    "create",
    "load",
    "load_files",
    "new_passphrase",
    "pack",
    "read_passphrase",
    "reseal",
    "save",
    "unpack",
    "untrusted_ring",
]

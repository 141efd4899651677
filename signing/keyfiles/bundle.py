r"""A whole ring as one sealed piece of bytes, to be kept elsewhere and brought back.

=====  ==================================================================
bytes  field
=====  ==================================================================
20     header: ``b"punchproof-bundle/1\n"``, sealed in as associated data
12     nonce, from the system's random source
rest   AES-256-GCM, under a key derived from the bundle's own passphrase,
       over JSON: the public state, the private keys, the secrets
=====  ==================================================================

A key in a token travels as its address only: it is back when the token is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signing.errors import KeyGuard, RingUnreadable
from signing.keyfiles.book import SecretEntry, document_of, parse_book
from signing.keyfiles.passphrase import Passphrase, check_passphrase
from signing.keyfiles.reading import load_files
from signing.keyfiles.seals import open_bundle, seal_bundle
from signing.keyring import KeyRing, LinkSecret, SigningKey, canonical_json
from signing.signers import IN_FILE

_HEADER: Final = b"punchproof-bundle/1\n"
_NAME: Final = "the bundle"


def pack(directory: Path, passphrase: Passphrase, *, sealed_with: Passphrase) -> bytes:
    """Return the ring in a directory as one sealed bundle.

    The bundle is one ring, whole, even if another is written meanwhile. Nothing in the
    directory is changed or locked, so that it may be mounted read-only; no token is
    asked.

    Args:
        directory: where the ring is.
        passphrase: of the directory.
        sealed_with: its first word seals the bundle. One of its own: who gets at the
            passphrase of the server has not the copies too.

    Raises:
        KeyGuard: the passphrase of the bundle is too short.
        RingUnreadable: as for ``load``.
    """
    check_passphrase(sealed_with)
    ring = load_files(directory, passphrase)
    content = {
        "ring": document_of(ring),
        "keys": {
            str(key.key_id): _text(key.signer.private_bytes_raw())
            for key in ring.keys
            if isinstance(key.signer, Ed25519PrivateKey)
        },
        "secrets": {str(s.secret_id): _text(s.value) for s in ring.link_secrets},
    }
    return _HEADER + seal_bundle(_HEADER, canonical_json(content), sealed_with)


def unpack(data: bytes, passphrase: Passphrase) -> KeyRing:
    """Return the ring in a bundle; ``save`` puts it in a directory.

    Args:
        data: not trusted.
        passphrase: of the bundle; every word is tried.

    Returns:
        The ring as it was packed. Keys of a token have no signer: ``load`` opens them
        once the ring is saved.

    Raises:
        RingUnreadable: no bundle, torn, changed, or sealed with another passphrase.
    """
    if not data.startswith(_HEADER):
        raise RingUnreadable(f"{_NAME} is torn, or no bundle of this version")
    opened = open_bundle(_HEADER, data[len(_HEADER) :], passphrase)
    if opened is None:
        raise RingUnreadable(
            f"{_NAME} does not open: torn, or sealed with another passphrase"
        )
    # Whoever sealed this had the passphrase; what is wrong now is a mistake, not a lie.
    try:
        content = json.loads(opened)
        book = parse_book(_NAME, content["ring"])
        return KeyRing(
            keys=tuple(_key(key, content["keys"]) for key in book.keys),
            link_secrets=tuple(_secret(s, content["secrets"]) for s in book.secrets),
            last_key_id=book.last_key_id,
        )
    except (
        ArithmeticError,
        AttributeError,
        KeyGuard,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise RingUnreadable(f"{_NAME} contradicts itself") from error


def _key(key: SigningKey, private_parts: Mapping[str, Any]) -> SigningKey:
    if key.holder != IN_FILE or not key.state.verifies:
        return key
    raw = base64.b64decode(private_parts[str(key.key_id)], validate=True)
    private = Ed25519PrivateKey.from_private_bytes(raw)
    if private.public_key() != key.public:
        raise RingUnreadable(f"{_NAME} has another private part for key {key.key_id}")
    return replace(key, signer=private)


def _secret(entry: SecretEntry, values: Mapping[str, Any]) -> LinkSecret:
    value = base64.b64decode(values[str(entry.secret_id)], validate=True)
    return entry.secret(f"secret {entry.secret_id} of {_NAME}", value)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

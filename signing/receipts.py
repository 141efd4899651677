r"""The receipt: a signature over what was written down, by the key that signs codes.

=====  ==================================================================
bytes  field (big-endian)
=====  ==================================================================
2      key id
64     Ed25519 signature over ``b"punchproof/receipt/1\0"``, the origin,
       ``b"\0"``, the two bytes above and what was written
=====  ==================================================================

A code is signed by the same key over ``b"punchproof/1\0"`` and more. The two begin
differently, in their twelfth byte, so that no choice of origin, nonce or written words
makes one of the other: a code is no receipt, and who may ask for codes gets none.

The origin is signed, as in a code: a receipt of one installation is nothing in another,
such as one that was set up from its copy.

A receipt says that the holder of the key wrote this. It does not say that it is still
there, nor that it was written once: that is for the books and their audit.
"""

from __future__ import annotations

import struct
from typing import Final

from cryptography.exceptions import InvalidSignature

from signing.codes import canonical_origin
from signing.errors import SigningError
from signing.keyring import KeyRing, SigningKey

_DOMAIN: Final = b"punchproof/receipt/1\0"
_KEY_ID = struct.Struct(">H")
RECEIPT_BYTES: Final = _KEY_ID.size + 64


class ReceiptForged(SigningError):
    """No key of this ring signed this for this origin."""


def sign(data: bytes, ring: KeyRing, *, origin: str) -> bytes:
    """Make the receipt of what was written, with the ring's active key.

    Args:
        data: what was written, in one spelling.
        ring: its active key signs.
        origin: of this installation, as in the settings.

    Returns:
        66 bytes.

    Raises:
        NoActiveKey: no key may sign.
        SignerDown: the holder of the key gives no answer.
        ValueError: no origin.
    """
    key = ring.active
    if key.signer is None:  # ``active`` looked already; this is for the type checker
        raise ValueError("the active key has no private part")
    named = _KEY_ID.pack(key.key_id)
    return named + key.signer.sign(_message(named, data, origin))


def verify(receipt: bytes, data: bytes, ring: KeyRing, *, origin: str) -> SigningKey:
    """Check a receipt against what is written, and return the key that signed it.

    The key may be in any state: what a retired key signed stays good, and whether a
    revoked one signed it too late is for the caller, who knows when it was written.

    Args:
        receipt: not trusted.
        data: what is written, in the spelling in which it was signed.
        ring: the keys of all time.
        origin: that the installation had when it was signed.

    Raises:
        ReceiptForged: not 66 bytes, of no key of the ring, or not signed by it.
        ValueError: ``origin`` is not one.
    """
    if len(receipt) != RECEIPT_BYTES:
        raise ReceiptForged(f"not {RECEIPT_BYTES} bytes")
    named, signature = receipt[: _KEY_ID.size], receipt[_KEY_ID.size :]
    key = ring.find(_KEY_ID.unpack(named)[0])
    if key is None:
        raise ReceiptForged("unknown key")
    try:
        key.public.verify(signature, _message(named, data, origin))
    except InvalidSignature as error:
        raise ReceiptForged("bad signature") from error
    return key


def _message(named: bytes, data: bytes, origin: str) -> bytes:
    """What is signed. No part can run into the next: an origin holds no NUL."""
    return _DOMAIN + canonical_origin(origin).encode("ascii") + b"\0" + named + data

"""What signs: a private key that may be anywhere.

A ring asks no more of a private key than this, so a key can be a file that the ring
seals (``signing.keyfiles``), or stay for ever inside a token that signs for us.
"""

from __future__ import annotations

from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

#: The holder of a key whose private part is a sealed file of the ring's directory.
IN_FILE: Final = "file"


class Signer(Protocol):
    """One Ed25519 private key that can be used. ``Ed25519PrivateKey`` is one."""

    def sign(self, data: bytes, /) -> bytes:
        """Sign; 64 bytes as in RFC 8032. Safe from several threads at once.

        Raises:
            SignerDown: the holder of the key gives no answer.
        """
        ...

    def public_key(self) -> Ed25519PublicKey:
        """Return the public part."""
        ...


class Holder(Protocol):
    """What makes and keeps private keys outside the ring's directory, as a token does.

    An address says where in the holder a key is. It is kept in the open, in
    ``ring.json``, so there is no secret in it; and it is never ``IN_FILE``.
    """

    def make(self, key_id: int) -> tuple[Signer, str]:
        """Make a key pair whose private part never leaves; return it and its address.

        Args:
            key_id: what the key will be in the ring, for the holder's label.

        Raises:
            SignerDown: the holder gives no answer.
        """
        ...

    def open(self, address: str) -> Signer:
        """Return what signs with the key at this address.

        Raises:
            RingUnreadable: there is no such key.
            SignerDown: the holder gives no answer.
        """
        ...

    def destroy(self, address: str) -> None:
        """Destroy the private part at this address; nothing if there is none.

        Raises:
            SignerDown: the holder gives no answer.
        """
        ...

    def close(self) -> None:
        """Let go of what is held open; the next call opens it again."""
        ...

"""What the passphrase seals: private keys, secrets and the public state.

Each use has its own key, derived from the passphrase, so that no seal can stand in
for another.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as system_random
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from signing.errors import KeyGuard, RingUnreadable
from signing.keyfiles.files import read
from signing.keyring import canonical_json

_SEALED_PEM = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_PASSPHRASE = re.compile(r"[0-9a-fA-F]{64}")
_PASSPHRASE_LEAST = 32
_GCM_NONCE = 12


def new_passphrase() -> str:
    """Return 64 hex digits: 256 random bits, to be kept in a file of mode 0600."""
    return system_random.token_hex(32)


def read_passphrase(path: Path) -> bytes:
    """Read the passphrase as ``new_passphrase`` made it.

    Args:
        path: a file that only its owner can read. The one exception is mode 0440 of
            owner and group root: so systemd shows a credential (``LoadCredential=``)
            that an access list opens to the service's user alone.

    Returns:
        64 ASCII bytes.

    Raises:
        RingUnreadable: no such file, too open, or not 64 hex digits.
    """
    data = read(path, may_be_credential=True)
    text = data.decode("ascii", errors="replace").strip()
    if not _PASSPHRASE.fullmatch(text):
        raise RingUnreadable(f"{path} does not hold a passphrase of 64 hex digits")
    return text.encode("ascii")


def check_passphrase(passphrase: bytes) -> None:
    """Refuse to seal with a passphrase that may have been made up."""
    if len(passphrase) < _PASSPHRASE_LEAST:
        raise KeyGuard(
            "the passphrase is too short to seal keys: make one with new_passphrase()"
        )


def seal_key(private: Ed25519PrivateKey, passphrase: bytes) -> bytes:
    """Return the key as encrypted PKCS#8 in PEM."""
    return private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    )


def open_key(path: Path, passphrase: bytes) -> Ed25519PrivateKey:
    """Read a key's file.

    Raises:
        RingUnreadable: torn, not sealed, sealed otherwise, or no Ed25519 key.
    """
    data = read(path)
    if not data.lstrip().startswith(_SEALED_PEM):
        raise RingUnreadable(f"{path} is torn, or a private key without its seal")
    try:
        private = load_pem_private_key(data, password=passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RingUnreadable(
            f"{path} does not open: torn, or sealed with another passphrase"
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise RingUnreadable(f"{path} is not an Ed25519 key")
    return private


def seal_secret(name: str, value: bytes, passphrase: bytes) -> bytes:
    """Return the content of the file ``name``: nonce and ciphertext."""
    nonce = system_random.token_bytes(_GCM_NONCE)
    cipher = AESGCM(_derived(passphrase, b"secret"))
    return nonce + cipher.encrypt(nonce, value, name.encode())


def open_secret(path: Path, passphrase: bytes) -> bytes:
    """Read a secret's file.

    Raises:
        RingUnreadable: torn, renamed, or sealed with another passphrase.
    """
    data = read(path)
    nonce, sealed = data[:_GCM_NONCE], data[_GCM_NONCE:]
    cipher = AESGCM(_derived(passphrase, b"secret"))
    try:
        return cipher.decrypt(nonce, sealed, path.name.encode())
    except (InvalidTag, ValueError) as error:
        raise RingUnreadable(
            f"{path} does not open: torn, renamed, or sealed with another passphrase"
        ) from error


def seal_document(document: Mapping[str, object], passphrase: bytes) -> str:
    """Return 64 hex digits: HMAC-SHA256 over the document's canonical JSON."""
    key = _derived(passphrase, b"ring")
    return hmac.new(key, canonical_json(document), hashlib.sha256).hexdigest()


def _derived(passphrase: bytes, use: bytes) -> bytes:
    """Return 32 bytes for one use. No salt: the passphrase is random already."""
    info = b"punchproof/1\0" + use
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(passphrase)

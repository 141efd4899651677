"""What the passphrase seals: private keys, secrets, the public state, bundles.

Each use has its own key, derived from the passphrase, so that no seal can stand in
for another. What seals takes the first word of the passphrase, what opens tries all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as system_random
from collections.abc import Mapping

from cryptography.exceptions import InternalError, InvalidTag, UnsupportedAlgorithm
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

from signing.errors import RingUnreadable
from signing.keyfiles.passphrase import Passphrase
from signing.keyring import canonical_json

_SEALED_PEM = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_GCM_NONCE = 12


def seal_key(private: Ed25519PrivateKey, passphrase: Passphrase) -> bytes:
    """Return the key as encrypted PKCS#8 in PEM."""
    sealed = BestAvailableEncryption(passphrase.sealing)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)


def open_key(name: str, data: bytes, passphrase: Passphrase) -> Ed25519PrivateKey:
    """Open the content of a key's file.

    Args:
        name: the file's, for the sentence.
        data: its content; not trusted.
        passphrase: every word is tried.

    Raises:
        RingUnreadable: torn, not sealed, sealed otherwise, or no Ed25519 key.
    """
    if not data.lstrip().startswith(_SEALED_PEM):
        raise RingUnreadable(f"{name} is torn, or a private key without its seal")
    for word in passphrase.words:
        try:
            private = load_pem_private_key(data, password=word)
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
            # The last is an answer of OpenSSL's that the library has no word for.
            continue
        if isinstance(private, Ed25519PrivateKey):
            return private
        raise RingUnreadable(f"{name} is not an Ed25519 key")
    raise RingUnreadable(
        f"{name} does not open: torn, or sealed with another passphrase"
    )


def seal_secret(label: str, value: bytes, passphrase: Passphrase) -> bytes:
    """Return the content of a secret's file: nonce and ciphertext.

    Args:
        label: the file's bare name, which is sealed in.
        value: the secret.
        passphrase: its first word seals.
    """
    return _encrypted(value, passphrase.sealing, b"secret", label.encode())


def open_secret(name: str, label: str, data: bytes, passphrase: Passphrase) -> bytes:
    """Open the content of a secret's file.

    Args:
        name: the file's, for the sentence.
        label: the file's bare name, as it was sealed.
        data: its content; not trusted.
        passphrase: every word is tried.

    Raises:
        RingUnreadable: torn, renamed, or sealed with another passphrase.
    """
    value = _decrypted(data, passphrase, b"secret", label.encode())
    if value is None:
        raise RingUnreadable(
            f"{name} does not open: torn, renamed, or sealed with another passphrase"
        )
    return value


def seal_bundle(header: bytes, content: bytes, passphrase: Passphrase) -> bytes:
    """Return nonce and ciphertext of a bundle's content, with the header sealed in."""
    return _encrypted(content, passphrase.sealing, b"bundle", header)


def open_bundle(header: bytes, data: bytes, passphrase: Passphrase) -> bytes | None:
    """Return a bundle's content; None if torn or sealed with another passphrase."""
    return _decrypted(data, passphrase, b"bundle", header)


def seal_document(
    document: Mapping[str, object], passphrase: Passphrase, use: bytes = b"ring"
) -> str:
    """Return 64 hex digits: HMAC-SHA256 over the document's canonical JSON.

    Args:
        document: JSON values.
        passphrase: its first word seals.
        use: what the document is; a seal of one use is none of another.
    """
    return _document_seal(document, passphrase.sealing, use)


def is_sealed(
    document: Mapping[str, object],
    seal: object,
    passphrase: Passphrase,
    use: bytes = b"ring",
) -> bool:
    """Tell whether a word of the passphrase made this seal over this document."""
    if not isinstance(seal, str):
        return False
    given = seal.encode("utf-8", "replace")
    right = (_document_seal(document, word, use).encode() for word in passphrase.words)
    return any(hmac.compare_digest(given, seal) for seal in right)


def _document_seal(document: Mapping[str, object], word: bytes, use: bytes) -> str:
    key = _derived(word, use)
    return hmac.new(key, canonical_json(document), hashlib.sha256).hexdigest()


def _encrypted(value: bytes, word: bytes, use: bytes, context: bytes) -> bytes:
    nonce = system_random.token_bytes(_GCM_NONCE)
    return nonce + AESGCM(_derived(word, use)).encrypt(nonce, value, context)


def _decrypted(
    data: bytes, passphrase: Passphrase, use: bytes, context: bytes
) -> bytes | None:
    nonce, sealed = data[:_GCM_NONCE], data[_GCM_NONCE:]
    for word in passphrase.words:
        try:
            return AESGCM(_derived(word, use)).decrypt(nonce, sealed, context)
        except (InvalidTag, ValueError):
            continue
    return None


def _derived(word: bytes, use: bytes) -> bytes:
    """Return 32 bytes for one use. No salt: the passphrase is random already."""
    info = b"punchproof/1\0" + use
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(word)

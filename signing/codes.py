r"""The code: 80 bytes that say who made it and until when it may be spent.

=====  ==================================================================
bytes  field (big-endian)
=====  ==================================================================
1      format 1 in the high four bits, ``Kind`` in the low four
2      key id
4      not-after, whole seconds since 2026-01-01T00:00:00Z
9      nonce, from the system's random source
64     Ed25519 signature over ``b"punchproof/1\0"``, the origin, ``b"\0"`` and
       the 16 bytes above
=====  ==================================================================

As text it is RFC 4648 base32: exactly 128 characters with no bit left over, so that
80 bytes have one spelling in upper case. There is no length field and no algorithm
field: the format fixes everything, and a new format is a new number.

The origin is signed but not sent: a code of one installation is nothing in another.

A code is no proof that it was not spent, nor that we ever showed it to anyone: that
is the single-use rule, in ``app.programme.codes``. Two texts are the same code if and
only if their ``nonce`` is the same; never compare the texts.
"""

from __future__ import annotations

import base64
import re
import secrets as system_random
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature

from signing.errors import CodeForged, CodeKeyRevoked, CodeMalformed
from signing.keyring import KeyRing, KeyState

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
#: The last moment that four bytes can say, in February 2162.
LAST_NOT_AFTER = EPOCH + timedelta(seconds=0xFFFFFFFF)
TEXT_LENGTH = 128
NONCE_BYTES = 9

_FORMAT = 1
_HEAD = struct.Struct(">BHI9s")
_SIGNATURE_BYTES = 64
_DATA_BYTES = _HEAD.size + _SIGNATURE_BYTES
_DOMAIN = b"punchproof/1\0"

# Letters are listed in both cases: re.IGNORECASE would let the long s (U+017F) and the
# Kelvin sign (U+212A) pass, and str.upper() would then make ASCII of them.
_TEXT = re.compile(
    r"(?:[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9.\-:\[\]]{1,260}/[Ss]/)?"
    r"([A-Za-z2-7]{128})"
)
_ORIGIN = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.\-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])"
    r"(?::[0-9]{1,5})?"
)


class Kind(IntEnum):
    """What a code is for."""

    CARD = 1
    STAMP = 2
    VOUCHER = 3
    PRINTED_STAMP = 4
    ENROLMENT = 5


@dataclass(frozen=True, slots=True)
class Code:
    """A code that ``sign`` made or ``verify`` accepted."""

    kind: Kind
    key_id: int
    #: The last moment it may be spent: aware, UTC, whole seconds.
    not_after: datetime
    #: 9 bytes, unique; a code is known by it everywhere.
    nonce: bytes
    #: The 80 bytes as signed. Whoever has them can spend them, so no repr.
    data: bytes = field(repr=False)

    def is_expired(self, now: datetime) -> bool:
        """Tell whether ``now`` is later than ``not_after``."""
        return now > self.not_after

    @property
    def text(self) -> str:
        """The 128 upper-case characters."""
        return base64.b32encode(self.data).decode("ascii")

    def url(self, origin: str) -> str:
        """Return ``https://HOST/S/<128>``, as it stands in the QR code.

        All but the scheme is upper case, which QR codes hold in 5.5 bits a character;
        some scanners take ``HTTPS://`` for a search.

        Raises:
            ValueError: ``origin`` is not one.
        """
        scheme, rest = canonical_origin(origin).split("://")
        return f"{scheme}://{rest.upper()}/S/{self.text}"


def new_nonce() -> bytes:
    """Return 9 bytes from the system's random source.

    Not a serial number: those tell rivals how much was sold.
    """
    return system_random.token_bytes(NONCE_BYTES)


@lru_cache(maxsize=64)
def canonical_origin(origin: str) -> str:
    """Return the origin as it is signed: lower case, no slash at the end.

    Args:
        origin: from the settings, such as ``https://stamps.example:8443``. Ports are
            kept as written: an origin has one spelling, the one of the settings.

    Raises:
        ValueError: no scheme of http or https, a path, or a host not in ASCII.

    Source:
        RFC 6454, section 6.2, without its default ports.
    """
    if origin.isascii():
        lowered = origin.lower().removesuffix("/")
        if _ORIGIN.fullmatch(lowered):
            return lowered
    raise ValueError(f"not an origin (https://host or https://host:port): {origin!r}")


def sign(
    kind: Kind,
    ring: KeyRing,
    *,
    origin: str,
    not_after: datetime,
    nonce: bytes,
) -> Code:
    """Make a code with the ring's active key.

    Args:
        kind: what it is for.
        ring: its active key signs.
        origin: of this installation, as in the settings.
        not_after: aware; cut to the whole second.
        nonce: 9 bytes from ``new_nonce``, never signed before.

    Raises:
        NoActiveKey: no key may sign.
        ValueError: a nonce of another length, a moment without a time zone or outside
            the years 2026 to 2162, or no origin.
    """
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce is {NONCE_BYTES} bytes")
    if not_after.tzinfo is None:
        raise ValueError("not_after has no time zone")
    if not EPOCH <= not_after <= LAST_NOT_AFTER:
        raise ValueError("not_after is outside what a code can say")
    key = ring.active
    if key.signer is None:  # ``active`` looked already; this is for the type checker
        raise ValueError("the active key has no private part")
    seconds = (not_after - EPOCH) // timedelta(seconds=1)
    head = _HEAD.pack(_FORMAT << 4 | Kind(kind), key.key_id, seconds, nonce)
    return _code(head + key.signer.sign(_message(head, origin)))


def read_text(text: str) -> bytes:
    """Read what a scanner or a link gave.

    Args:
        text: not trusted. The 128 characters in either case, or a whole URL of any
            host that ends in ``/S/`` or ``/s/`` and these.

    Returns:
        80 bytes, of which nothing is known yet. All spellings of a code give the same.

    Raises:
        CodeMalformed: anything else, a space at the end too.
    """
    try:
        match = _TEXT.fullmatch(text)
    except TypeError as error:
        raise CodeMalformed("not a text") from error
    if match is None:
        raise CodeMalformed("not 128 characters of base32")
    return base64.b32decode(match[1].upper())


def named_key(text: str) -> int:
    """Return the key id that a text claims: an unverified hint.

    For ``WatchedRing.ring_knowing``, which looks for a key that is newer than the ring.

    Raises:
        CodeMalformed: the text is not a code.
    """
    return _code(read_text(text)).key_id


def verify(text: str, ring: KeyRing, *, origin: str) -> Code:
    """Check a scanned text and return the code in it.

    The steps, in this order, so that nothing unsigned is ever acted on:

    1. **Shape**: 128 base32 characters, format 1, a known kind.
    2. **Signature**: the key named made it for this origin, and its state lets it
       verify.

    Which kinds this door takes, whether the code was spent and whether it is too old
    is judged by the caller, in that order: a late retry of one's own is no refusal.

    Args:
        text: what a scanner read or a link held; not trusted.
        ring: the keys of this installation.
        origin: of this installation, as in the settings.

    Raises:
        CodeMalformed: step 1 failed.
        CodeForged: step 2: no such key, or it did not sign this for this origin.
        CodeKeyRevoked: step 2: the signature is good, but its key is revoked or
            retired. The error holds the code.
        ValueError: ``origin`` is not one.
    """
    # 1. Shape.
    code = _code(read_text(text))
    # 2. Signature, and only then the key's state: a forger who names a revoked key
    # must not be told that a fresh code will do.
    state = _check_signature(code, ring, origin)
    if not state.verifies:
        raise CodeKeyRevoked(code, state)
    return code


def verify_data(data: bytes, ring: KeyRing, *, origin: str) -> Code:
    """Check 80 bytes that were kept in the books.

    As ``verify``, but a retired key is accepted: it did not lose anyone's trust.

    Args:
        data: 80 bytes; not trusted, for the books may have been changed.
        ring: the keys of this installation, retired ones too.
        origin: that the installation had when the code was signed.

    Raises:
        CodeMalformed: not 80 bytes, not format 1 or of no known kind.
        CodeForged: no such key, or it did not sign this for this origin.
        CodeKeyRevoked: the signature is good, but its key was revoked since.
        ValueError: ``origin`` is not one.
    """
    code = _code(data)
    state = _check_signature(code, ring, origin)
    if not (state.verifies or state is KeyState.RETIRED):
        raise CodeKeyRevoked(code, state)
    return code


def _code(data: bytes) -> Code:
    """Take 80 bytes apart; nothing is verified."""
    if len(data) != _DATA_BYTES:
        raise CodeMalformed(f"not {_DATA_BYTES} bytes")
    first, key_id, seconds, nonce = _HEAD.unpack_from(data)
    if first >> 4 != _FORMAT:
        raise CodeMalformed("unknown format")
    try:
        kind = Kind(first & 0x0F)
    except ValueError as error:
        raise CodeMalformed("unknown kind") from error
    not_after = EPOCH + timedelta(seconds=seconds)
    return Code(kind, key_id, not_after, nonce, bytes(data))


def _check_signature(code: Code, ring: KeyRing, origin: str) -> KeyState:
    """Return the state of the key that made the code, or raise ``CodeForged``."""
    key = ring.find(code.key_id)
    if key is None:
        raise CodeForged("unknown key")
    head, signature = code.data[: _HEAD.size], code.data[_HEAD.size :]
    try:
        key.public.verify(signature, _message(head, origin))
    except InvalidSignature as error:
        raise CodeForged("bad signature") from error
    return key.state


def _message(head: bytes, origin: str) -> bytes:
    """What is signed. No part can run into the next: an origin holds no NUL."""
    return _DOMAIN + canonical_origin(origin).encode("ascii") + b"\0" + head

"""Keys in a token: made, found, proved, used and destroyed in an open session.

All calls are made under ``libraries.lock``; any may raise ``pkcs11.PKCS11Error``.
"""

from __future__ import annotations

import secrets as system_random
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_to_bytes

import pkcs11
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass

from signing.errors import RingUnreadable, SignerDown

_ID_BYTES = 8
_POINT_BYTES = 32
_OCTET_STRING = b"\x04\x20"
# Tokens write either: the object identifier 1.3.101.112 (RFC 8410), or the name.
_OID = bytes.fromhex("06032b6570")
_CURVE_NAMES = frozenset({_OID, b"\x13\x0cedwards25519"})
_STAYS_INSIDE = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
# Begins like no code does, so that what signs it can never have signed a code.
_PROBE = b"punchproof/token-check/1\0"


@dataclass(frozen=True)
class Place:
    """Where a key is: what an address says."""

    token: str
    label: str
    object_id: bytes

    @classmethod
    def at(cls, address: str) -> Place:
        """Read an address; only the one spelling that ``address`` writes.

        Args:
            address: from ``ring.json``.

        Raises:
            RingUnreadable: it is something else.
        """
        pieces = address.removeprefix("pkcs11:").split(";")
        parts = dict(piece.partition("=")[::2] for piece in pieces)
        try:
            place = cls(
                unquote(parts["token"], errors="strict"),
                unquote(parts["object"], errors="strict"),
                unquote_to_bytes(parts["id"]),
            )
            is_one = place.address == address
        except (KeyError, ValueError) as error:
            # Half characters too, which nothing here can be written with.
            raise RingUnreadable(f"not the address of a key: {address}") from error
        if not is_one:
            raise RingUnreadable(f"not the address of a key: {address}")
        return place

    @property
    def address(self) -> str:
        """As a URI.

        Source:
            RFC 7512, section 2.3.
        """
        object_id = "".join(f"%{byte:02X}" for byte in self.object_id)
        token, label = quote(self.token, safe=""), quote(self.label, safe="")
        return f"pkcs11:token={token};object={label};id={object_id};type=private"


@dataclass
class Connection:
    """A session that is signed in, and the private keys already found in it."""

    session: pkcs11.Session
    #: The ``Library.start`` that it belongs to.
    start: int
    found: dict[Place, pkcs11.SignMixin] = field(default_factory=dict)


def make(connection: Connection, key_id: int) -> Place:
    """Make an Ed25519 pair that stays.

    Raises:
        SignerDown: the token would let the private part be read out.
    """
    token = connection.session.token
    object_id = system_random.token_bytes(_ID_BYTES)
    place = Place(token.label, f"punchproof-{key_id:05d}", object_id)
    with token.open(rw=True) as session:
        curve = session.create_domain_parameters(
            KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _OID}, local=True
        )
        public, private = curve.generate_keypair(
            id=place.object_id,
            label=place.label,
            store=True,
            capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            private_template=_STAYS_INSIDE,
        )
        # Asked for is not done.
        if not private[Attribute.SENSITIVE] or private[Attribute.EXTRACTABLE]:
            private.destroy()
            public.destroy()
            raise SignerDown(
                f"the token {token.label!r} would let a private key be read out"
            )
    return place


def destroy(connection: Connection, place: Place) -> None:
    """Destroy both halves; nothing if there are none."""
    with connection.session.token.open(rw=True) as session:
        for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            for half in _objects(session, place, kind):
                half.destroy()


def sign(connection: Connection, place: Place, data: bytes) -> bytes:
    """Sign with the private half.

    Raises:
        RingUnreadable: there is none, or it may not sign.
    """
    private = connection.found.get(place)
    if private is None:
        half = _only(connection.session, place, ObjectClass.PRIVATE_KEY)
        if not isinstance(half, pkcs11.SignMixin):
            raise RingUnreadable(
                f"the token has a key that may not sign: {place.address}"
            )
        private = connection.found[place] = half
    return private.sign(data, mechanism=Mechanism.EDDSA)


def proved(connection: Connection, place: Place) -> Ed25519PublicKey:
    """Return the public half, once the private half has signed for it.

    Raises:
        RingUnreadable: a half is missing, it is not Ed25519, or they do not belong
            together.
    """
    half = _only(connection.session, place, ObjectClass.PUBLIC_KEY)
    public = decoded_point(half[Attribute.EC_PARAMS], half[Attribute.EC_POINT])
    probe = _PROBE + system_random.token_bytes(32)
    try:
        public.verify(sign(connection, place, probe), probe)
    except InvalidSignature as error:
        raise RingUnreadable(
            f"the token has two halves of different keys: {place.address}"
        ) from error
    return public


def decoded_point(curve: bytes, point: bytes) -> Ed25519PublicKey:
    """Return the public key that a token describes.

    Args:
        curve: CKA_EC_PARAMS, DER.
        point: CKA_EC_POINT: 32 bytes as in RFC 8032, bare as the standard has it now,
            or in a DER OCTET STRING as most tokens do.

    Raises:
        RingUnreadable: it is not an Ed25519 key.

    Source:
        PKCS #11 3.1, section 6.3.5,
        https://docs.oasis-open.org/pkcs11/pkcs11-spec/v3.1/os/
    """
    raw = point.removeprefix(_OCTET_STRING) if len(point) > _POINT_BYTES else point
    if curve not in _CURVE_NAMES or len(raw) != _POINT_BYTES:
        raise RingUnreadable("the key in the token is not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(raw)


def _only(session: pkcs11.Session, place: Place, kind: ObjectClass) -> pkcs11.Object:
    found = _objects(session, place, kind)
    if len(found) != 1:
        raise RingUnreadable(
            f"the token has {len(found)} objects, not one, at {place.address}"
        )
    return found[0]


def _objects(
    session: pkcs11.Session, place: Place, kind: ObjectClass
) -> list[pkcs11.Object]:
    wanted = {
        Attribute.CLASS: kind,
        Attribute.LABEL: place.label,
        Attribute.ID: place.object_id,
    }
    return list(session.get_objects(wanted))

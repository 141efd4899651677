"""What ``ring.json`` says, and the names of the files beside it.

The book is the public state of the ring and no more: keys without their private parts,
of secrets only what tells them apart. ``read_book`` believes what the passphrase
sealed; ``parse_book`` believes anything and is for who has checked it otherwise.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from signing.errors import KeyGuard, RingUnreadable
from signing.keyfiles.passphrase import Passphrase
from signing.keyfiles.seals import is_sealed, seal_document
from signing.keyring import KeyRing, KeyState, LinkSecret, SigningKey
from signing.signers import IN_FILE

RING_FILE: Final = "ring.json"
KEY_FILE: Final = re.compile(r"key-([0-9]{5})\.pem")
SECRET_FILE: Final = re.compile(r"secret-([0-9]{5})\.sealed")

_FORMAT = "punchproof-ring/1"


def key_name(key_id: int) -> str:
    """Return the name of a private key's file."""
    return f"key-{key_id:05d}.pem"


def secret_name(secret_id: int) -> str:
    """Return the name of a secret's file."""
    return f"secret-{secret_id:05d}.sealed"


@dataclass(frozen=True)
class SecretEntry:
    """What the book says of a secret."""

    secret_id: int
    created_at: datetime
    activated_at: datetime | None
    check: str

    def secret(self, name: str, value: bytes) -> LinkSecret:
        """Return the secret itself.

        Args:
            name: where the value is from, for the sentence.
            value: not trusted.

        Raises:
            RingUnreadable: it is another secret's.
        """
        found = LinkSecret(self.secret_id, value, self.created_at, self.activated_at)
        if found.check != self.check:
            raise RingUnreadable(f"{name} is not the secret that {RING_FILE} names")
        return found


@dataclass(frozen=True)
class Book:
    """The keys that ever were, without private parts, and what secrets there are."""

    keys: tuple[SigningKey, ...]
    secrets: tuple[SecretEntry, ...]
    last_key_id: int

    def __post_init__(self) -> None:
        """Refuse what no ring can be."""
        KeyRing(keys=self.keys, link_secrets=())
        secret_ids = [entry.secret_id for entry in self.secrets]
        if secret_ids != sorted(set(secret_ids)):
            raise KeyGuard("ids of secrets must rise, and none may appear twice")

    def check_goes_on(self, ring: KeyRing) -> None:
        """Refuse a ring that would undo what another writer wrote in this book.

        Raises:
            KeyGuard: the ring lacks a key, a step or a secret that is in the book, or
                tells the same step otherwise.
        """
        for old in self.keys:
            if not _goes_on(old, ring.find(old.key_id)):
                raise KeyGuard(
                    f"key {old.key_id} on disk is {old.state}, which this ring does "
                    "not know: the ring was changed meanwhile, read it again"
                )
        on_disk = {entry.secret_id: entry for entry in self.secrets}
        newest = max(on_disk, default=0)
        ours = {secret.secret_id: secret for secret in ring.link_secrets}
        if max(ours, default=0) < newest or any(
            not _is_kept(on_disk.get(secret_id), secret)
            for secret_id, secret in ours.items()
            if secret_id <= newest
        ):
            raise KeyGuard("the secrets were changed meanwhile: read the ring again")


def _goes_on(old: SigningKey, ours: SigningKey | None) -> bool:
    """Tell whether a key is as in the book, or further in its life."""
    if ours is None or ours.public != old.public:
        return False
    if ours.state is old.state:
        return ours == old
    return ours.state.rank > old.state.rank


def _is_kept(old: SecretEntry | None, ours: LinkSecret) -> bool:
    """Tell whether a secret is the one of the book, at the same step or further."""
    if old is None or old.check != ours.check:
        return False
    return old.activated_at in {None, ours.activated_at}


def document_of(ring: KeyRing) -> dict[str, object]:
    """Return what ``ring.json`` says of a ring, without the seal."""
    return {
        "format": _FORMAT,
        "last_key_id": max([ring.last_key_id, *(key.key_id for key in ring.keys)]),
        **ring.public_state(),
    }


def sealed_text(document: Mapping[str, object], passphrase: Passphrase) -> bytes:
    """Return the content of ``ring.json``: the document and its seal."""
    sealed = {**document, "seal": seal_document(document, passphrase)}
    return (json.dumps(sealed, indent=1) + "\n").encode("ascii")


def read_book(name: str, data: bytes, passphrase: Passphrase) -> Book:
    """Read ``ring.json``.

    Args:
        name: the file's, for the sentence.
        data: its content; not trusted.
        passphrase: any of its words may have made the seal.

    Raises:
        RingUnreadable: empty, torn, or not sealed with this passphrase.
    """
    document, seal = open_document(name, data)
    if not is_sealed(document, seal, passphrase):
        raise RingUnreadable(
            f"{name} is not sealed with this passphrase: "
            "the passphrase is another ring's, or the file was changed by hand"
        )
    return parse_book(name, document)


def open_document(name: str, data: bytes) -> tuple[dict[str, Any], object]:
    """Take ``ring.json`` apart: what it says, and its seal, which nobody looked at.

    Raises:
        RingUnreadable: empty, torn, or of another version.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RingUnreadable(f"{name} is empty or torn: it is not JSON") from error
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise RingUnreadable(f"{name} is not a key ring of this version")
    if not _is_flat(document):
        raise RingUnreadable(f"{name} contradicts itself: a value in a value")
    return document, document.pop("seal", None)


def _is_flat(document: Mapping[str, Any]) -> bool:
    """Tell whether nothing is nested deeper than a key's values.

    Whoever wrote this has shown no passphrase yet, and hashing goes down by recursion.
    """
    lists = [value for value in document.values() if isinstance(value, list)]
    entries = [entry for values in lists for entry in values]
    values = [v for v in document.values() if not isinstance(v, list)]
    for entry in entries:
        values.extend(entry.values() if isinstance(entry, dict) else [entry])
    return not any(isinstance(value, (list, dict)) for value in values)


def parse_book(name: str, document: Mapping[str, Any]) -> Book:
    """Read what a document says, whoever wrote it.

    Raises:
        RingUnreadable: something is missing, malformed, or makes no ring.
    """
    try:
        book = Book(
            keys=tuple(_parse_key(entry) for entry in document["keys"]),
            secrets=tuple(_parse_secret(entry) for entry in document["secrets"]),
            last_key_id=int(document["last_key_id"]),
        )
    except (LookupError, TypeError, ValueError, ArithmeticError, KeyGuard) as error:
        raise RingUnreadable(f"{name} contradicts itself: {error}") from error
    return book


def _parse_key(entry: Mapping[str, str | int]) -> SigningKey:
    public = base64.urlsafe_b64decode(f"{entry['public']}=")
    return SigningKey(
        key_id=int(entry["key_id"]),
        state=KeyState(str(entry["state"])),
        public=Ed25519PublicKey.from_public_bytes(public),
        signer=None,
        created_at=_parse_moment(entry["created_at"]),
        activated_at=_parse_moment_or_none(entry["activated_at"]),
        verify_only_at=_parse_moment_or_none(entry["verify_only_at"]),
        retired_at=_parse_moment_or_none(entry["retired_at"]),
        revoked_at=_parse_moment_or_none(entry["revoked_at"]),
        # A ring of an older version does not have these.
        revoked_since=_parse_moment_or_none(entry.get("revoked_since")),
        holder=str(entry.get("holder", IN_FILE)),
    )


def _parse_secret(entry: Mapping[str, str | int]) -> SecretEntry:
    return SecretEntry(
        secret_id=int(entry["secret_id"]),
        created_at=_parse_moment(entry["created_at"]),
        # In a ring of an older version every secret seals from its making.
        activated_at=_parse_moment_or_none(
            entry.get("activated_at", entry["created_at"])
        ),
        check=str(entry["check"]),
    )


def _parse_moment(value: object) -> datetime:
    moment = datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007
    return moment.replace(tzinfo=UTC)


def _parse_moment_or_none(value: object) -> datetime | None:
    return None if value is None else _parse_moment(value)

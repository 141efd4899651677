"""The keys of one installation, as a value.

A key goes one way only::

    pending -> active -> verify-only -> retired
    any of these -> revoked

*pending*: every worker verifies with it, none signs. *active*: signs; there is at most
one. *verify-only*: its codes are still about. *retired*: its last code is dead and the
private part destroyed. *revoked*: not trusted any more. No key ever leaves the ring, so
that no id is given twice and old books can be audited.

Beside the keys the ring holds symmetric secrets for sessions, mail links and issue
records (``signing.links``). They too are pending until every worker has them: all
open, the newest that is not pending seals.

Nothing here touches a disk (see ``signing.keyfiles``) or a clock, and a ring never
changes: each step returns a new one. When a step is *wise* (does every worker know the
pending key? is the last code dead?) is for the caller to know.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets as system_random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from signing.errors import KeyGuard, KeyUnknown, NoActiveKey
from signing.signers import IN_FILE, Signer

MAX_KEY_ID = 0xFFFF
SECRET_BYTES = 32


class KeyState(StrEnum):
    """Where a key stands in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    VERIFY_ONLY = "verify-only"
    RETIRED = "retired"
    REVOKED = "revoked"

    @property
    def verifies(self) -> bool:
        """Whether codes of such a key are accepted at the counter."""
        return self in {KeyState.PENDING, KeyState.ACTIVE, KeyState.VERIFY_ONLY}

    @property
    def rank(self) -> int:
        """Position in a key's life; it never goes down."""
        return list(KeyState).index(self)


@dataclass(frozen=True)
class SigningKey:
    """One key: its id, its state and what it was when. Moments are whole seconds."""

    key_id: int
    state: KeyState
    public: Ed25519PublicKey
    #: What signs with its private part; None where that is destroyed or not here.
    signer: Signer | None = field(repr=False, compare=False)
    created_at: datetime
    activated_at: datetime | None = None
    verify_only_at: datetime | None = None
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    #: Of a revoked key: what was issued on paper before this stays good; None: nothing.
    revoked_since: datetime | None = None
    #: Where the private part is: ``signers.IN_FILE`` or a token's address.
    holder: str = IN_FILE

    @property
    def public_bytes(self) -> bytes:
        """The public key, 32 bytes as in RFC 8032."""
        return self.public.public_bytes_raw()


@dataclass(frozen=True)
class LinkSecret:
    """One symmetric secret of 32 random bytes."""

    secret_id: int
    value: bytes = field(repr=False)
    created_at: datetime
    #: None while it is pending: it opens and does not seal.
    activated_at: datetime | None = None

    @property
    def check(self) -> str:
        """32 hex digits that tell two secrets apart and give neither away.

        The secret is 256 random bits, so its hash cannot be searched back.
        """
        data = b"punchproof/secret-check/1\0" + self.value
        return hashlib.sha256(data).hexdigest()[:32]


@dataclass(frozen=True)
class KeyRing:
    """All keys and secrets of an installation, oldest first."""

    keys: tuple[SigningKey, ...]
    link_secrets: tuple[LinkSecret, ...] = field(repr=False)
    #: The highest key id ever given, known from files even if from no key.
    last_key_id: int = field(default=0, compare=False)
    #: The highest secret id known to be given, where that secret is not here.
    last_secret_id: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Refuse what no sequence of steps can lead to."""
        key_ids = [key.key_id for key in self.keys]
        secret_ids = [secret.secret_id for secret in self.link_secrets]
        if key_ids != sorted(set(key_ids)) or secret_ids != sorted(set(secret_ids)):
            raise KeyGuard("ids in a ring must rise, and none may appear twice")
        if not all(0 < key_id <= MAX_KEY_ID for key_id in key_ids):
            raise KeyGuard(f"key ids go from 1 to {MAX_KEY_ID}")
        if sum(key.state is KeyState.ACTIVE for key in self.keys) > 1:
            raise KeyGuard("two keys are active")

    @classmethod
    def new(
        cls, now: datetime, signer: Signer | None = None, holder: str = IN_FILE
    ) -> KeyRing:
        """Make a ring with one active key and one secret, in memory.

        Args:
            now: aware.
            signer: as for ``with_new_key``.
            holder: as for ``with_new_key``.
        """
        return cls(keys=(), link_secrets=()).renewed(now, signer, holder)

    # Asking

    @cached_property
    def _by_id(self) -> Mapping[int, SigningKey]:
        return MappingProxyType({key.key_id: key for key in self.keys})

    @property
    def sealing(self) -> LinkSecret | None:
        """The secret that seals: the newest that is not pending; None without one."""
        active = [secret for secret in self.link_secrets if secret.activated_at]
        return active[-1] if active else None

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """The symmetric secrets, 32 bytes each: all open, the last one seals.

        Empty where every one is pending.
        """
        sealing = self.sealing
        if sealing is None:
            return ()
        others = (s.value for s in self.link_secrets if s is not sealing)
        return (*others, sealing.value)

    @property
    def active(self) -> SigningKey:
        """The key that signs.

        Raises:
            NoActiveKey: there is none, or its private part is not here.
        """
        for key in self.keys:
            if key.state is KeyState.ACTIVE and key.signer is not None:
                return key
        raise NoActiveKey("the ring has no active key: make and activate one")

    def find(self, key_id: int) -> SigningKey | None:
        """Return the key of this id, whatever its state, or None."""
        return self._by_id.get(key_id)

    def key(self, key_id: int) -> SigningKey:
        """Return the key of this id, whatever its state.

        Raises:
            KeyUnknown: the ring never had it.
        """
        key = self.find(key_id)
        if key is None:
            raise KeyUnknown(f"the ring has no key {key_id}")
        return key

    def verifier(self, key_id: int) -> Ed25519PublicKey:
        """Return the public key of this id, if its state lets it verify.

        Raises:
            KeyUnknown: the ring never had it.
            KeyGuard: it is retired or revoked.
        """
        key = self.key(key_id)
        if not key.state.verifies:
            raise KeyGuard(f"key {key_id} is {key.state} and verifies nothing")
        return key.public

    @cached_property
    def digest(self) -> str:
        """64 hex digits: SHA-256 of ``public_state()``.

        Two workers with one digest sign and verify alike.
        """
        return hashlib.sha256(canonical_json(self.public_state())).hexdigest()

    def public_state(self) -> dict[str, object]:
        """Everything about the ring that is no secret, as JSON values."""
        return {
            "keys": [_public_key_state(key) for key in self.keys],
            "secrets": [
                {
                    "secret_id": secret.secret_id,
                    "created_at": moment_text(secret.created_at),
                    "activated_at": moment_text(secret.activated_at),
                    "check": secret.check,
                }
                for secret in self.link_secrets
            ],
        }

    # Steps. Each returns a new ring.

    @property
    def next_key_id(self) -> int:
        """The id of the next key to be made.

        Raises:
            KeyGuard: all 65535 are used up.
        """
        key_id = max([self.last_key_id, *self._by_id]) + 1
        if key_id > MAX_KEY_ID:
            raise KeyGuard(
                "every key id is used up: this installation needs a new ring"
            )
        return key_id

    def with_new_key(
        self, now: datetime, signer: Signer | None = None, holder: str = IN_FILE
    ) -> KeyRing:
        """Add a pending key; it is the last of ``keys``.

        Args:
            now: aware.
            signer: of a key pair that was made elsewhere, for ``next_key_id``; None
                makes one in memory.
            holder: where its private part is.

        Raises:
            KeyGuard: all 65535 ids are used up.
        """
        key_id = self.next_key_id
        signer = signer or Ed25519PrivateKey.generate()
        key = SigningKey(
            key_id=key_id,
            state=KeyState.PENDING,
            public=signer.public_key(),
            signer=signer,
            created_at=_whole(now),
            holder=holder,
        )
        return replace(self, keys=(*self.keys, key), last_key_id=key_id)

    def activated(self, key_id: int, now: datetime) -> KeyRing:
        """Let a pending key sign; the one that signed before only verifies.

        Raises:
            KeyUnknown: no such key.
            KeyGuard: it is not pending, or its private part is not here.
        """
        key = self.key(key_id)
        if key.state is not KeyState.PENDING:
            raise KeyGuard(f"key {key_id} is {key.state}; only a pending key activates")
        if key.signer is None:
            raise KeyGuard(f"the private part of key {key_id} is not here")
        ring = self
        for old in self.keys:
            if old.state is KeyState.ACTIVE:
                state = KeyState.VERIFY_ONLY
                ring = ring._with(replace(old, state=state, verify_only_at=_whole(now)))
        return ring._with(replace(key, state=KeyState.ACTIVE, activated_at=_whole(now)))

    def retired(self, key_id: int, now: datetime) -> KeyRing:
        """Destroy the private part of a verify-only key.

        The caller has made sure that its last code is dead.

        Raises:
            KeyUnknown: no such key.
            KeyGuard: it is not verify-only.
        """
        key = self.key(key_id)
        if key.state is not KeyState.VERIFY_ONLY:
            raise KeyGuard(f"key {key_id} is {key.state}; only verify-only retires")
        state = KeyState.RETIRED
        return self._with(
            replace(key, state=state, signer=None, retired_at=_whole(now))
        )

    def revoked(
        self, key_id: int, now: datetime, *, since: datetime | None = None
    ) -> KeyRing:
        """Trust a key no more, whatever its state, and destroy its private part.

        Revoking the active key leaves a ring that cannot sign: activate another first.

        Args:
            key_id: of the key.
            now: aware.
            since: what was issued on paper before this stays good; None: nothing does.

        Raises:
            KeyUnknown: no such key.
            KeyGuard: it is revoked already.
        """
        key = self.key(key_id)
        if key.state is KeyState.REVOKED:
            raise KeyGuard(f"key {key_id} is revoked already")
        changed = replace(
            key,
            state=KeyState.REVOKED,
            signer=None,
            revoked_at=_whole(now),
            revoked_since=_whole(since) if since else None,
        )
        return self._with(changed)

    def with_new_secret(self, now: datetime) -> KeyRing:
        """Add a pending secret, which opens only; it is the last of them."""
        last = [self.last_secret_id, *(s.secret_id for s in self.link_secrets)]
        secret = LinkSecret(
            secret_id=max(last) + 1,
            value=system_random.token_bytes(SECRET_BYTES),
            created_at=_whole(now),
        )
        return replace(self, link_secrets=(*self.link_secrets, secret))

    def secret_activated(self, secret_id: int, now: datetime) -> KeyRing:
        """Let a pending secret seal; those before it only open from now on.

        Raises:
            KeyUnknown: no such secret.
            KeyGuard: it is not pending, or a newer one seals.
        """
        secret = self._secret(secret_id)
        sealing = self.sealing
        if secret.activated_at is not None:
            raise KeyGuard(f"secret {secret_id} is not pending")
        if sealing is not None and sealing.secret_id > secret_id:
            raise KeyGuard(f"secret {sealing.secret_id} is newer and seals already")
        changed = replace(secret, activated_at=_whole(now))
        left = tuple(changed if s is secret else s for s in self.link_secrets)
        return replace(self, link_secrets=left)

    def without_secret(self, secret_id: int) -> KeyRing:
        """Drop an old secret; whatever it sealed opens no more.

        Raises:
            KeyUnknown: no such secret.
            KeyGuard: it is the one that seals, or the newest, whose id must not be
                given again.
        """
        secret = self._secret(secret_id)
        if secret is self.sealing or secret is self.link_secrets[-1]:
            raise KeyGuard(f"secret {secret_id} is in use: let a newer one seal first")
        left = tuple(s for s in self.link_secrets if s is not secret)
        return replace(self, link_secrets=left)

    def renewed(
        self,
        now: datetime,
        signer: Signer | None = None,
        holder: str = IN_FILE,
        *,
        since: datetime | None = None,
    ) -> KeyRing:
        """Begin anew on the same line: trust no key and no secret of before.

        Every key that is pending, active or verify-only is revoked, every secret
        dropped; a new key and a new secret, with ids never given, are in use at once.
        Retired keys stay, for old books.

        Args:
            now: aware.
            signer: as for ``with_new_key``.
            holder: as for ``with_new_key``.
            since: as for ``revoked``, for every key that this revokes.

        Raises:
            KeyGuard: all 65535 key ids are used up.
        """
        ring = self.with_new_key(now, signer, holder).with_new_secret(now)
        for key in self.keys:
            if key.state.verifies:
                ring = ring.revoked(key.key_id, now, since=since)
        ring = replace(ring, link_secrets=ring.link_secrets[-1:])
        ring = ring.secret_activated(ring.link_secrets[-1].secret_id, now)
        return ring.activated(ring.keys[-1].key_id, now)

    def passed_over(self, key_id: int) -> KeyRing:
        """Never give this id or a lower one to a new key.

        For a ring from an old copy, when it is known that later keys were made.

        Raises:
            KeyGuard: no key can have this id.
        """
        if not 0 < key_id <= MAX_KEY_ID:
            raise KeyGuard(f"key ids go from 1 to {MAX_KEY_ID}")
        return replace(self, last_key_id=max(self.last_key_id, key_id))

    def _secret(self, secret_id: int) -> LinkSecret:
        for secret in self.link_secrets:
            if secret.secret_id == secret_id:
                return secret
        raise KeyUnknown(f"the ring has no secret {secret_id}")

    def _with(self, changed: SigningKey) -> KeyRing:
        keys = tuple(changed if k.key_id == changed.key_id else k for k in self.keys)
        return replace(self, keys=keys)


def canonical_json(value: object) -> bytes:
    """Write JSON values in one way only, for hashing."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def moment_text(moment: datetime | None) -> str | None:
    """Write a moment as ``2026-03-01T12:00:00Z``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _public_key_state(key: SigningKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "state": key.state.value,
        "public": base64.urlsafe_b64encode(key.public_bytes).decode().rstrip("="),
        "created_at": moment_text(key.created_at),
        "activated_at": moment_text(key.activated_at),
        "verify_only_at": moment_text(key.verify_only_at),
        "retired_at": moment_text(key.retired_at),
        "revoked_at": moment_text(key.revoked_at),
        "revoked_since": moment_text(key.revoked_since),
        "holder": key.holder,
    }


def _whole(now: datetime) -> datetime:
    """Return the moment in UTC, cut to the second as ``ring.json`` keeps it."""
    if now.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return now.astimezone(UTC).replace(microsecond=0)

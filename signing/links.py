"""Links in mails and sign-in tokens: a few facts under a seal.

The newest secret of the ring that is not pending seals, all of them open, so that
rotation spoils no link that is still young. Each use has its own ``purpose``: a token
sealed for one opens for no other. The content is signed, not hidden.

A link is not single-use by itself: whoever needs that keeps the id in the books.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from itsdangerous import (
    BadData,
    SignatureExpired,
    TimestampSigner,
    URLSafeTimedSerializer,
    want_bytes,
)

from signing.errors import LinkExpired, LinkForged
from signing.keyring import KeyRing

_SALT = b"punchproof/link/1\0"
_TOKEN_MOST = 4096


class _Signer(TimestampSigner):
    """HMAC-SHA256 at a time that is told, not asked."""

    def __init__(
        self,
        secret_key: list[bytes],
        salt: bytes | None = None,
        now: datetime | None = None,
    ) -> None:
        super().__init__(
            secret_key, salt, key_derivation="hmac", digest_method=hashlib.sha256
        )
        self._now = now or datetime.now(UTC)

    def get_timestamp(self) -> int:
        return int(self._now.timestamp())


def seal(
    payload: Mapping[str, str],
    ring: KeyRing,
    *,
    purpose: str,
    now: datetime | None = None,
) -> str:
    """Seal a few facts.

    Args:
        payload: small; anyone who holds the token can read it.
        ring: its newest secret that is not pending seals.
        purpose: a constant of the caller's, such as ``"confirm-email"``.
        now: aware; None for the system's clock.

    Returns:
        Text for a URL: ``A-Z a-z 0-9 - _ .`` only.

    Raises:
        ValueError: the ring has no secret.
    """
    token = _serializer(ring, purpose, now).dumps(dict(payload))
    return want_bytes(token).decode("ascii")


def open_(
    token: str,
    ring: KeyRing,
    *,
    purpose: str,
    max_age: timedelta,
    now: datetime | None = None,
) -> dict[str, str]:
    """Return what was sealed.

    Args:
        token: from a link; not trusted.
        ring: every secret in it opens.
        purpose: as when sealed.
        max_age: counted in whole seconds; a token from the future is refused too.
        now: aware; None for the system's clock.

    Raises:
        LinkForged: not sealed by this ring for this purpose.
        LinkExpired: older than ``max_age``.
        ValueError: the ring has no secret.
    """
    if not token.isascii() or len(token) > _TOKEN_MOST:
        raise LinkForged("not a token")
    serializer = _serializer(ring, purpose, now)
    try:
        payload = serializer.loads(token, max_age=int(max_age.total_seconds()))
    except SignatureExpired as error:
        raise LinkExpired(error.date_signed) from error
    except BadData as error:
        raise LinkForged("not sealed by this ring for this purpose") from error
    return {str(name): str(value) for name, value in payload.items()}


def _serializer(
    ring: KeyRing, purpose: str, now: datetime | None
) -> URLSafeTimedSerializer:
    if not ring.secrets:
        raise ValueError("the ring has no secret to seal links with")
    return URLSafeTimedSerializer(
        list(ring.secrets),
        salt=_SALT + purpose.encode(),
        signer=_Signer,
        signer_kwargs={"now": now},
    )

"""The tools that every verb of the programme works with, made once a process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from app.settings import Settings, SettingsError, TokenSettings
from app.store.database import Database
from app.store.errors import StoreDown
from app.store.limits import Limits
from app.store.nonces import Nonces
from app.store.workers import Held, Report, Workers
from signing.keyfiles import WatchedRing, read_passphrase
from signing.keyring import KeyRing, KeyState, LinkSecret
from signing.signers import Holder


def utc_now() -> datetime:
    """Tell the time, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a verb needs: first parameter ``tools``, so nothing is global."""

    settings: Settings
    keys: WatchedRing
    database: Database
    nonces: Nonces
    limits: Limits
    #: Who serves beside this process; on the nonce store's Redis.
    workers: Workers
    now: Callable[[], datetime] = utc_now
    #: Makes and keeps private keys outside the ring's directory; None: there is none.
    holder: Holder | None = None

    def report(self, then: Callable[[str], object] = lambda _: None) -> None:
        """Let the others know, from now on, that this process serves, and its ring.

        At each report the nonce store's memory is looked after too.

        Args:
            then: called after each report, with this worker's id.
        """

        def afterwards(worker_id: str) -> None:
            # A store that is away is looked after the next time.
            with contextlib.suppress(StoreDown):
                self.nonces.watch()
            then(worker_id)

        self.workers.start(lambda: _report(self.keys), afterwards)

    def close(self) -> None:
        """Let go of every connection and thread."""
        self.workers.close()
        self.keys.close()
        self.database.close()
        self.nonces.close()
        self.limits.close()
        if self.holder is not None:
            self.holder.close()


def held_in(ring: KeyRing) -> tuple[Held, ...]:
    """Tell what is in a ring, as workers tell it to each other."""
    keys = [
        Held(
            "key",
            key.key_id,
            key.state.value,
            key.created_at,
            {
                KeyState.PENDING: None,
                KeyState.ACTIVE: key.activated_at,
                KeyState.VERIFY_ONLY: key.verify_only_at,
                KeyState.RETIRED: key.retired_at,
                KeyState.REVOKED: key.revoked_at,
            }[key.state]
            or key.created_at,
        )
        for key in ring.keys
    ]
    secrets = [
        Held(
            "secret",
            secret.secret_id,
            _state_of(secret, ring),
            secret.created_at,
            secret.activated_at or secret.created_at,
        )
        for secret in ring.link_secrets
    ]
    return (*keys, *secrets)


def _state_of(secret: LinkSecret, ring: KeyRing) -> str:
    if secret.activated_at is None:
        return "pending"
    return "sealing" if secret is ring.sealing else "opening"


def _report(keys: WatchedRing) -> Report:
    ring = keys.ring
    return Report(
        ring.digest, keys.problem, keys.rejected, keys.since, held=held_in(ring)
    )


def open_tools(settings: Settings) -> Tools:
    """Open everything that ``settings`` name; connects to nothing yet but keys.

    Raises:
        SettingsError: the nonce store's address makes no sense.
        KeyRingError: there is no key ring, or it cannot be read. A ring is never
            made here: a missing one is a mistake to be told, not to be papered over.
    """
    holder = open_holder(settings.token)
    return Tools(
        settings=settings,
        keys=WatchedRing(
            settings.keys,
            partial(read_passphrase, settings.keys_passphrase_file),
            holder=holder,
        ),
        database=Database(settings.database_url),
        nonces=Nonces.open(settings.redis_url),
        limits=Limits.open(settings.redis_url),
        workers=Workers.open(settings.redis_url),
        holder=holder,
    )


def open_holder(token: TokenSettings | None) -> Holder | None:
    """Return the token that keeps signing keys; nothing of it is opened yet.

    Raises:
        SettingsError: there is one, but not the package that speaks to it.
    """
    if token is None:
        return None
    try:
        # Loads the binding, which an installation without a token does without.
        from signing.tokens import Token  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"a token needs the package python-pkcs11: {error}"
        ) from error
    return Token(token.module, token.label, token.pin_file)

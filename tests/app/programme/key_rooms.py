"""A key room of a test's own, and what tests ask of it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from sqlalchemy import select

from app.programme.ceremonies import KeyRoom
from app.store.tables import AuditEntry
from signing import keyfiles


def own_ring(settings, directory):
    """Settings with a ring that the test may change."""
    passphrase = directory / "own.passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(keyfiles.new_passphrase())
    keys = directory / "own-keys"
    # A clock that a test sets back must not go behind it.
    opened = keyfiles.read_passphrase(passphrase)
    keyfiles.create(keys, opened, now=datetime.now(UTC))
    return dataclasses.replace(settings, keys=keys, keys_passphrase_file=passphrase)


def room_of(tools, **options):
    settings = tools.settings
    passphrase = keyfiles.read_passphrase(settings.keys_passphrase_file)
    return KeyRoom(settings.keys, passphrase, tools, **options)


def states(room):
    return [key.state.value for key in room.ring().keys]


def secrets_of(room):
    """The ring's secrets: id and whether each seals, opens or is pending."""
    ring = room.ring()

    def state(secret):
        if secret.activated_at is None:
            return "pending"
        return "seals" if secret is ring.sealing else "opens"

    return {secret.secret_id: state(secret) for secret in ring.link_secrets}


def log(room):
    """Every line about keys: action, subject, detail."""
    with room.tools.database.read() as tx:
        rows = tx.scalars(select(AuditEntry).order_by(AuditEntry.audit_no))
        return [
            (row.action, row.subject, row.detail)
            for row in rows
            if row.action.startswith("key.")
        ]


def actions(room):
    return [(action, subject) for action, subject, _ in log(room)]


def patient(_seconds):
    pass


class CutShortError(Exception):
    """The process died here."""


def dies(*_args, **_options):
    raise CutShortError

"""Rings, origins and moments for the tests of the signing room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from signing import codes, keyfiles
from signing.keyring import KeyRing

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def origin():
    return "https://stamps.example"


@pytest.fixture(scope="session")
def ring():
    return KeyRing.new(NOW)


@pytest.fixture
def make_code(ring, origin):
    """A function that signs a code; every field may be given."""

    def make(**given):
        facts = {
            "kind": codes.Kind.STAMP,
            "ring": ring,
            "origin": origin,
            "not_after": NOW + timedelta(seconds=120),
            "nonce": codes.new_nonce(),
            **given,
        }
        return codes.sign(facts.pop("kind"), facts.pop("ring"), **facts)

    return make


@pytest.fixture(scope="session")
def passphrase():
    return keyfiles.new_passphrase().encode()


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def kept(directory, passphrase):
    """A ring that was made on disk."""
    return keyfiles.create(directory, passphrase, now=NOW)

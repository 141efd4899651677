"""Rings, origins and moments for the tests of the signing room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signing import codes, keyfiles
from signing.errors import RingUnreadable, SignerDown
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


def new_passphrase(*older):
    """A passphrase of a new word, with the words that it replaces after it."""
    words = [word for passphrase in older for word in passphrase.words]
    return keyfiles.Passphrase((keyfiles.new_passphrase().encode(), *words))


@pytest.fixture(scope="session")
def passphrase():
    return new_passphrase()


@pytest.fixture(scope="session")
def make_passphrase():
    return new_passphrase


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "keys"


class Box:
    """A holder as a token is one: keys come and go, and it may be away."""

    def __init__(self):
        self.keys = {}
        self.is_away = False

    def make(self, key_id):
        self._answer()
        address = f"box:{key_id}-{len(self.keys)}"
        self.keys[address] = Ed25519PrivateKey.generate()
        return Signed(self.keys[address]), address

    def open(self, address):
        self._answer()
        if address not in self.keys:
            raise RingUnreadable(f"the box has no {address}")
        return Signed(self.keys[address])

    def destroy(self, address):
        self._answer()
        self.keys.pop(address, None)

    def _answer(self):
        if self.is_away:
            raise SignerDown("the box is away")


class Signed:
    """A signer that gives its private key to nobody."""

    def __init__(self, private):
        self.sign = private.sign
        self.public_key = private.public_key


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def kept(directory, passphrase):
    """A ring that was made on disk."""
    return keyfiles.create(directory, passphrase, now=NOW)

"""Keys in a token: made there, used there, destroyed there."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.programme import ceremonies
from app.programme.ceremonies import CeremonyRefused
from signing.errors import KeyGuard, RingUnreadable, SignerDown
from tests.app.programme.key_rooms import log, own_ring, patient, room_of, states


class Drawer:
    """Keeps private keys in memory and can be shut."""

    def __init__(self):
        self.keys = {}
        self.made = 0
        self.is_shut = False

    def make(self, key_id):
        self.ask()
        self.made += 1
        address = f"pkcs11:object=punchproof-{key_id};id=%{self.made:02x}"
        self.keys[address] = Ed25519PrivateKey.generate()
        return self.keys[address], address

    def open(self, address):
        self.ask()
        if address not in self.keys:
            raise RingUnreadable("no such key")
        return self.keys[address]

    def destroy(self, address):
        self.ask()
        self.keys.pop(address, None)

    def ask(self):
        if self.is_shut:
            raise SignerDown("the token gives no answer")


@pytest.fixture
def settings(settings, tmp_path):
    return own_ring(settings, tmp_path)


@pytest.fixture
def drawer():
    return Drawer()


@pytest.fixture
def room(tools, drawer):
    return room_of(dataclasses.replace(tools, holder=drawer))


@pytest.fixture
def rotated(room):
    """Key 2 signs, and is in the token."""
    ceremonies.create(room, is_applied=True, in_token=True)
    ceremonies.activate(room, 2, is_applied=True)


def revoke(room, key_id):
    now = room.tools.now()
    return ceremonies.revoke(room, key_id, since=now, reason="stolen", is_applied=True)


def found(room):
    return ceremonies.problems(room, room.ring(asks_token=False), ())


def test_a_key_can_be_made_in_the_token(room, drawer):
    ceremonies.create(room, is_applied=False, in_token=True)
    assert drawer.keys == {}

    ceremonies.create(room, is_applied=True, in_token=True)

    (address,) = drawer.keys
    assert room.ring().key(2).holder == address
    assert not (room.directory / "key-00002.pem").exists()
    assert log(room)[0][2]["holder"] == address


def test_the_next_key_is_made_where_the_one_that_signs_is(room, rotated, drawer):
    ceremonies.rotate(room, is_applied=True, wait=patient)

    assert room.ring().active.holder in drawer.keys
    assert len(drawer.keys) == 2


def test_a_rotation_stays_with_files_where_the_keys_are_files(room, drawer):
    ceremonies.rotate(room, is_applied=True, wait=patient)

    assert drawer.keys == {}


def test_without_a_token_none_is_made_in_one(tools):
    with pytest.raises(CeremonyRefused, match="no token is set up"):
        ceremonies.create(room_of(tools), is_applied=True, in_token=True)


def test_a_key_that_came_into_no_ring_is_destroyed(room, drawer, monkeypatch):
    def refuse(*_args, **_options):
        raise KeyGuard("somebody else changed the ring")

    monkeypatch.setattr("signing.keyfiles.save", refuse)

    with pytest.raises(KeyGuard):
        ceremonies.create(room, is_applied=True, in_token=True)
    assert drawer.keys == {}
    assert drawer.made == 1


def test_a_revoked_key_is_destroyed_in_the_token(room, rotated, drawer):
    stolen = room.ring().key(2).holder

    revoke(room, 2)

    assert stolen not in drawer.keys
    assert room.ring().active.holder in drawer.keys


def test_a_token_that_is_away_stops_no_revocation(room, rotated, drawer):
    drawer.is_shut = True

    done = revoke(room, 2)

    # a file is better than no key at all
    assert states(room) == ["verify-only", "revoked", "active"]
    assert room.ring().active.holder == "file"
    assert done.left_in_token == (2,)
    assert len(drawer.keys) == 1

    drawer.is_shut = False
    ceremonies.create(room, is_applied=True)
    assert drawer.keys == {}


def test_a_retired_key_is_destroyed_in_the_token(room, rotated, drawer, clock):
    ceremonies.rotate(room, is_applied=True, wait=patient)
    clock.forward(ceremonies.LAST_CODE_DEAD)

    ceremonies.retire(room, 2, is_applied=True)

    assert set(drawer.keys) == {room.ring().active.holder}


def test_a_token_that_does_not_answer_is_told(room, rotated, drawer):
    assert found(room) == []

    drawer.is_shut = True
    assert found(room) == ["key 2 cannot sign: the token gives no answer"]

    drawer.is_shut = False
    drawer.keys[room.ring().active.holder] = Ed25519PrivateKey.generate()
    assert found(room) == ["the token has another key than key 2"]


def test_a_key_in_a_token_where_none_is_set_up_is_told(room, rotated, tools):
    (told,) = found(room_of(tools))

    assert told == "key 2 is in a token, and none is set up here"


def test_after_a_loss_the_new_key_is_in_the_token_too(room, rotated, drawer):
    old = room.ring().key(2).holder
    room.tools.settings.keys_passphrase_file.unlink()

    ceremonies.renew(room.tools, reason="fire", takes_unproven=False, is_applied=True)

    fresh = room_of(room.tools)
    assert set(drawer.keys) == {fresh.ring().active.holder}
    assert old not in drawer.keys

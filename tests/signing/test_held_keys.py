"""Keys whose private part is in a token: opened through it, destroyed in it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signing import codes, keyfiles
from signing.errors import KeyGuard, RingUnreadable, SignerDown
from signing.keyring import KeyRing


@pytest.fixture
def held(directory, passphrase, kept, now, box):
    """A ring on disk whose active key, the second, is in the box."""
    ring = kept.with_new_key(now, *box.make(kept.next_key_id)).activated(2, now)
    keyfiles.save(directory, ring, passphrase, holder=box)
    return keyfiles.load(directory, passphrase, holder=box)


def test_a_key_in_a_token_signs_and_has_no_file(
    directory, held, box, make_code, origin
):
    code = make_code(ring=held)

    assert codes.verify(code.text, held, origin=origin).key_id == 2
    assert held.active.holder in box.keys
    assert held.active.holder in (directory / "ring.json").read_text()
    assert [path.name for path in directory.glob("key-*")] == ["key-00001.pem"]


def test_a_ring_can_begin_with_a_key_in_a_token(tmp_path, passphrase, now, box):
    ring = keyfiles.create(tmp_path / "keys", passphrase, now=now, holder=box)

    assert ring.active.holder in box.keys
    assert not list((tmp_path / "keys").glob("key-*"))
    assert keyfiles.load(tmp_path / "keys", passphrase, holder=box) == ring


def test_without_a_token_it_is_told_what_to_do(directory, passphrase, held):
    with pytest.raises(RingUnreadable, match="no token is set up here") as refusal:
        keyfiles.load(directory, passphrase)

    assert "key 2 " in str(refusal.value)
    assert held.active.holder in str(refusal.value)


def test_a_token_without_the_key_is_an_error(directory, passphrase, held, box):
    box.keys.clear()

    with pytest.raises(RingUnreadable, match="the box has no"):
        keyfiles.load(directory, passphrase, holder=box)


def test_a_token_with_another_key_at_the_address_is_an_error(
    directory, passphrase, held, box
):
    box.keys[held.active.holder] = Ed25519PrivateKey.generate()

    with pytest.raises(RingUnreadable, match="another key"):
        keyfiles.load(directory, passphrase, holder=box)


def test_a_token_that_is_away_is_down_and_not_unreadable(
    directory, passphrase, held, box
):
    box.is_away = True

    with pytest.raises(SignerDown):
        keyfiles.load(directory, passphrase, holder=box)


def test_a_key_that_only_verifies_needs_no_token(
    directory, passphrase, held, now, box, make_code, origin
):
    # given a code of a key in a token, and the next key in a file
    code = make_code(ring=held)
    ring = held.with_new_key(now).activated(3, now)
    keyfiles.save(directory, ring, passphrase, holder=box)

    # when no token is there
    found = keyfiles.load(directory, passphrase)

    assert codes.verify(code.text, found, origin=origin) == code
    assert found.active.key_id == 3


@pytest.mark.parametrize("step", ["retired", "revoked"])
def test_the_private_part_is_destroyed_when_the_ring_says_so(
    directory, passphrase, held, now, box, step
):
    ring = held.with_new_key(now).activated(3, now)
    keyfiles.save(directory, ring, passphrase, holder=box)
    assert box.keys

    left = keyfiles.save(directory, getattr(ring, step)(2, now), passphrase, holder=box)

    assert (left, box.keys) == ((), {})


def test_a_token_that_is_away_stops_no_revocation_and_is_asked_again(
    directory, passphrase, held, now, box
):
    # given a key that must go at once, and a token that gives no answer
    ring = held.with_new_key(now).activated(3, now).revoked(2, now)
    box.is_away = True

    # when it is revoked, then it is, and it is told what is left
    assert keyfiles.save(directory, ring, passphrase, holder=box) == (2,)
    assert keyfiles.load(directory, passphrase).digest == ring.digest

    # and when the token is back, the next save destroys it, whatever it is for
    box.is_away = False
    assert keyfiles.save(directory, ring, passphrase) == ()
    assert box.keys
    assert keyfiles.save(directory, ring, passphrase, holder=box) == ()
    assert not box.keys


def test_a_key_in_a_token_is_not_destroyed_before_the_ring_says_so(
    directory, passphrase, held, now, box
):
    # given a token that looks at the ring when it is told to destroy
    told = []
    destroy = box.destroy

    def looks_first(address):
        told.append(keyfiles.untrusted_ring(directory).ring.key(2).state.value)
        destroy(address)

    box.destroy = looks_first

    # and an operator who has gone on
    keyfiles.save(directory, held.with_new_key(now), passphrase, holder=box)

    # when another revokes the key in a ring of before, then it is still there
    with pytest.raises(KeyGuard, match="meanwhile"):
        keyfiles.save(directory, held.revoked(2, now), passphrase, holder=box)
    assert (bool(box.keys), told) == (True, [])

    # and when the right ring is saved, then it went only after ring.json
    found = keyfiles.load(directory, passphrase, holder=box)
    keyfiles.save(directory, found.revoked(2, now), passphrase, holder=box)
    assert (box.keys, told) == ({}, ["revoked"])


def test_a_running_server_keeps_its_ring_while_the_token_is_away(
    directory, passphrase, held, now, box
):
    watched = keyfiles.WatchedRing(
        directory, lambda: passphrase, every=3600, holder=box
    )
    before = watched.ring
    keyfiles.save(directory, held.with_new_key(now), passphrase, holder=box)

    box.is_away = True
    assert watched.refresh() is False
    assert watched.problem == "the box is away"
    assert watched.ring is before

    box.is_away = False
    assert watched.refresh() is True
    assert watched.problem is None
    assert watched.ring.active.signer
    watched.close()


def test_no_repr_shows_a_signer(held):
    assert "Signed" not in repr(held)
    assert isinstance(held, KeyRing)

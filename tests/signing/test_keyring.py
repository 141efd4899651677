"""The keys as a value: one way through life, and no secret in a repr."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from signing.errors import KeyGuard, KeyUnknown, NoActiveKey
from signing.keyring import MAX_KEY_ID, KeyRing, KeyState


def states(ring):
    return [key.state.value for key in ring.keys]


def test_a_new_ring_has_one_active_key_and_one_secret(now):
    ring = KeyRing.new(now)

    assert states(ring) == ["active"]
    assert ring.active.key_id == 1
    assert [len(secret) for secret in ring.secrets] == [32]


def test_a_key_goes_its_way(now):
    day = timedelta(days=1)

    ring = KeyRing.new(now).with_new_key(now + day)
    assert states(ring) == ["active", "pending"]
    assert ring.active.key_id == 1

    ring = ring.activated(2, now + 2 * day)
    assert states(ring) == ["verify-only", "active"]
    assert ring.active.key_id == 2

    ring = ring.retired(1, now + 3 * day)
    assert states(ring) == ["retired", "active"]

    ring = ring.revoked(1, now + 4 * day)
    assert states(ring) == ["revoked", "active"]

    old = ring.key(1)
    assert old.created_at == old.activated_at == now
    assert old.verify_only_at == now + 2 * day
    assert old.retired_at == now + 3 * day
    assert old.revoked_at == now + 4 * day


def test_a_step_changes_no_ring_but_makes_one(now):
    ring = KeyRing.new(now)
    before = (ring.keys, ring.secrets, ring.digest)

    ring.with_new_key(now).activated(2, now).revoked(1, now)
    ring.with_new_secret(now).secret_activated(2, now).without_secret(1)
    ring.renewed(now)
    ring.passed_over(7)

    assert (ring.keys, ring.secrets, ring.digest) == before


@pytest.mark.parametrize(
    ("step", "key_id"),
    [
        ("activated", 1),  # retired
        ("activated", 2),  # verify-only
        ("activated", 3),  # active already
        ("activated", 5),  # revoked
        ("retired", 1),
        ("retired", 3),
        ("retired", 4),  # pending
        ("retired", 5),
        ("revoked", 5),
    ],
)
def test_there_is_no_way_back(now, step, key_id):
    # given a ring with a key in each state, 1 to 5
    ring = KeyRing.new(now).with_new_key(now).activated(2, now).retired(1, now)
    ring = ring.with_new_key(now).activated(3, now)
    ring = ring.with_new_key(now).with_new_key(now).revoked(5, now)
    assert states(ring) == ["retired", "verify-only", "active", "pending", "revoked"]

    with pytest.raises(KeyGuard):
        getattr(ring, step)(key_id, now)


@pytest.mark.parametrize("step", ["activated", "retired", "revoked"])
def test_no_step_is_done_to_an_unknown_key(now, step):
    with pytest.raises(KeyUnknown):
        getattr(KeyRing.new(now), step)(7, now)


def test_private_parts_end_with_retirement_and_revocation(now):
    ring = KeyRing.new(now).with_new_key(now).activated(2, now)
    assert ring.key(1).signer is not None

    assert ring.retired(1, now).key(1).signer is None
    assert ring.revoked(2, now).key(2).signer is None


def test_revoking_the_active_key_leaves_none(now):
    with pytest.raises(NoActiveKey):
        _ = KeyRing.new(now).revoked(1, now).active


def test_no_id_is_given_twice(now):
    # given a ring whose second key was revoked, and one that knows of a lost file
    ring = KeyRing.new(now).with_new_key(now).revoked(2, now)

    assert ring.with_new_key(now).keys[-1].key_id == 3
    assert replace(ring, last_key_id=7).with_new_key(now).keys[-1].key_id == 8


def test_when_ids_are_used_up_no_key_is_made(now):
    ring = replace(KeyRing.new(now), last_key_id=MAX_KEY_ID)

    with pytest.raises(KeyGuard):
        ring.with_new_key(now)


def test_only_keys_that_are_trusted_verify(now):
    ring = KeyRing.new(now).with_new_key(now).activated(2, now).retired(1, now)

    assert ring.verifier(2) == ring.key(2).public
    with pytest.raises(KeyGuard):
        ring.verifier(1)
    with pytest.raises(KeyUnknown):
        ring.verifier(3)
    assert ring.find(3) is None


def test_the_digest_tells_rings_apart(now):
    ring = KeyRing.new(now)
    pending = ring.with_new_key(now)
    with_secret = ring.with_new_secret(now)
    rings = [
        ring,
        KeyRing.new(now),
        pending,
        pending.activated(2, now),
        pending.revoked(2, now),
        with_secret,
        with_secret.secret_activated(2, now),
        with_secret.secret_activated(2, now).without_secret(1),
        ring.renewed(now),
    ]

    assert len({ring.digest for ring in rings}) == len(rings)
    assert replace(ring, last_key_id=9, last_secret_id=9).digest == ring.digest
    assert len(ring.digest) == 64


def test_a_new_secret_opens_and_does_not_seal_until_it_is_activated(now):
    # given a ring with a secret that every worker has
    ring = KeyRing.new(now)
    old = ring.sealing

    # when a new one is made, then the old one seals, and both open
    both = ring.with_new_secret(now)
    new = both.link_secrets[-1]
    assert new.activated_at is None
    assert both.sealing == old
    assert both.secrets == (new.value, old.value)

    # and when it is activated, it seals
    active = both.secret_activated(2, now + timedelta(days=1))
    assert active.sealing.secret_id == 2
    assert active.sealing.activated_at == now + timedelta(days=1)
    assert active.secrets == (old.value, new.value)


def test_of_many_secrets_the_one_that_seals_is_last(now):
    # given secrets that opened before, that seals, and that will seal
    ring = KeyRing.new(now).with_new_secret(now).secret_activated(2, now)
    ring = ring.with_new_secret(now).with_new_secret(now)

    # when two are pending, then the newest of the others seals
    values = {secret.secret_id: secret.value for secret in ring.link_secrets}
    assert ring.sealing.secret_id == 2
    assert ring.secrets == tuple(values[i] for i in (1, 3, 4, 2))

    # and a pending one may be passed over
    passed = ring.secret_activated(4, now)
    assert passed.sealing.secret_id == 4
    with pytest.raises(KeyGuard, match="newer"):
        passed.secret_activated(3, now)


def test_a_ring_of_pending_secrets_seals_nothing(now):
    ring = KeyRing(keys=(), link_secrets=()).with_new_secret(now)

    assert ring.sealing is None
    assert ring.secrets == ()


def test_a_secret_is_activated_once(now):
    ring = KeyRing.new(now)

    with pytest.raises(KeyGuard, match="not pending"):
        ring.secret_activated(1, now)
    with pytest.raises(KeyUnknown):
        ring.secret_activated(2, now)


def test_the_secret_that_seals_and_the_newest_stay(now):
    ring = KeyRing.new(now).with_new_secret(now)

    for secret_id in (1, 2):
        with pytest.raises(KeyGuard):
            ring.without_secret(secret_id)
    with pytest.raises(KeyUnknown):
        ring.without_secret(3)

    active = ring.secret_activated(2, now)
    dropped = active.without_secret(1)
    assert dropped.secrets == active.secrets[1:]
    assert dropped.with_new_secret(now).link_secrets[-1].secret_id == 3


def test_a_ring_renewed_trusts_no_key_and_no_secret_of_before(now):
    # given a ring with a key in each state, 1 to 5
    ring = KeyRing.new(now).with_new_key(now).activated(2, now).retired(1, now)
    ring = ring.with_new_key(now).activated(3, now)
    ring = ring.with_new_key(now).with_new_key(now).revoked(5, now)
    ring = ring.with_new_secret(now)
    day, paper = now + timedelta(days=1), now - timedelta(days=1)

    # when all begins anew
    renewed = ring.renewed(day, since=paper)

    # then one new key signs, one new secret seals, and the old ones are gone
    assert states(renewed) == [
        *["retired", "revoked", "revoked", "revoked", "revoked"],
        "active",
    ]
    assert [key.revoked_since for key in renewed.keys[1:4]] == [paper] * 3
    assert renewed.keys[4] == ring.keys[4]
    assert renewed.active.key_id == 6
    assert renewed.active.activated_at == day
    assert [secret.secret_id for secret in renewed.link_secrets] == [3]
    assert renewed.secrets == (renewed.sealing.value,)
    assert not set(renewed.secrets) & set(ring.secrets)
    assert [key.signer is None for key in renewed.keys] == [True] * 5 + [False]


def test_ids_that_are_known_from_elsewhere_are_passed_over(now):
    ring = KeyRing.new(now)

    assert ring.passed_over(7).next_key_id == 8
    assert ring.passed_over(7).passed_over(3).with_new_key(now).keys[-1].key_id == 8
    assert replace(ring, last_secret_id=7).renewed(now).sealing.secret_id == 8
    for key_id in (0, MAX_KEY_ID + 1):
        with pytest.raises(KeyGuard):
            ring.passed_over(key_id)


def test_a_ring_that_no_steps_lead_to_is_refused(now):
    ring = KeyRing.new(now)
    key = ring.keys[0]
    pair = ring.with_new_key(now).keys

    for keys in (
        (key, key),
        pair[::-1],
        (key, replace(pair[1], state=KeyState.ACTIVE)),
        (replace(key, key_id=0),),
        (replace(key, key_id=MAX_KEY_ID + 1),),
    ):
        with pytest.raises(KeyGuard):
            KeyRing(keys=keys, link_secrets=())


def test_a_moment_without_a_time_zone_is_a_mistake():
    with pytest.raises(ValueError, match="time zone"):
        KeyRing.new(datetime(2026, 3, 1))  # noqa: DTZ001


def test_no_repr_shows_private_parts_or_secrets(now):
    ring = KeyRing.new(now)
    private = ring.active.signer
    secret = ring.link_secrets[0]

    shown = " ".join(map(repr, (ring, ring.active, secret)))

    for hidden in (private.private_bytes_raw(), secret.value):
        assert hidden.hex() not in shown
        assert repr(hidden) not in shown
    assert "rivate" not in shown
    assert ring.public_state().keys() == {"keys", "secrets"}
    assert secret.value.hex() not in str(ring.public_state())

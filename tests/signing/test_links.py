"""Mail links: sealed by the newest secret, opened by all, for one purpose."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from itsdangerous import URLSafeTimedSerializer

from signing import links
from signing.errors import LinkExpired, LinkForged
from signing.keyring import KeyRing

HOUR = timedelta(hours=1)


def opened(token, ring, now, purpose="confirm"):
    return links.open_(token, ring, purpose=purpose, max_age=HOUR, now=now)


def test_what_was_sealed_comes_back(ring, now):
    payload = {"member_id": "17", "email": "anna@example.org", "name": "Ånna 日本"}

    token = links.seal(payload, ring, purpose="confirm", now=now)

    assert opened(token, ring, now) == payload
    assert set(token) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )


def test_a_token_lives_until_its_age_and_no_second_longer(ring, now):
    token = links.seal({}, ring, purpose="confirm", now=now)

    assert opened(token, ring, now + HOUR) == {}
    with pytest.raises(LinkExpired) as refusal:
        opened(token, ring, now + HOUR + timedelta(seconds=1))
    assert refusal.value.sealed_at == now


def test_a_token_from_the_future_is_refused(ring, now):
    token = links.seal({}, ring, purpose="confirm", now=now + timedelta(seconds=5))

    with pytest.raises(LinkExpired):
        opened(token, ring, now)


def test_the_clock_is_the_systems_if_none_is_told(ring):
    token = links.seal({"a": "b"}, ring, purpose="confirm")

    assert links.open_(token, ring, purpose="confirm", max_age=HOUR) == {"a": "b"}


def test_a_token_of_another_purpose_is_forged(ring, now):
    token = links.seal({}, ring, purpose="unsubscribe", now=now)

    with pytest.raises(LinkForged):
        opened(token, ring, now)


def test_the_newest_secret_seals_and_older_ones_open(ring, now):
    # given a ring that got a new secret
    rotated = ring.with_new_secret(now).secret_activated(2, now)
    old = links.seal({"a": "old"}, ring, purpose="confirm", now=now)
    new = links.seal({"a": "new"}, rotated, purpose="confirm", now=now)

    # then it opens both, and the ring before it not the new one
    assert opened(old, rotated, now) == {"a": "old"}
    assert opened(new, rotated, now) == {"a": "new"}
    with pytest.raises(LinkForged):
        opened(new, ring, now)

    # when the old secret is dropped, then what it sealed is nothing
    with pytest.raises(LinkForged):
        opened(old, rotated.without_secret(1), now)


def test_a_token_of_another_ring_is_forged(ring, now):
    with pytest.raises(LinkForged):
        opened(links.seal({}, KeyRing.new(now), purpose="confirm", now=now), ring, now)


def test_sha_1_seals_are_not_taken(ring, now):
    # given a token sealed as ours are, but with the library's default hash
    token = URLSafeTimedSerializer(
        list(ring.secrets),
        salt=b"punchproof/link/1\0confirm",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    ).dumps({})

    with pytest.raises(LinkForged):
        opened(token, ring, now)


def test_every_changed_character_spoils_a_token(ring, now):
    token = links.seal({"a": "b"}, ring, purpose="confirm", now=now)

    # The last character of base64 may hold spare bits: it is left out.
    for place in range(len(token) - 1):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises((LinkForged, LinkExpired)):
            opened(token[:place] + other + token[place + 1 :], ring, now)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "\0", "ü.ü.ü", "\ud800", ".x" * 50, "A" * 100_000]
)
def test_garbage_is_forged_and_nothing_worse(ring, now, token):
    with pytest.raises(LinkForged):
        opened(token, ring, now)


def test_without_a_secret_nothing_is_sealed(ring, now):
    with pytest.raises(ValueError, match="no secret"):
        links.seal({}, replace(ring, link_secrets=()), purpose="confirm", now=now)

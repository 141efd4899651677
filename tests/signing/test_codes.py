"""The 80 bytes: what passes, and every way to be refused."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import codes
from signing.codes import Kind
from signing.errors import CodeForged, CodeKeyRevoked, CodeMalformed, NoActiveKey
from signing.keyring import KeyRing, KeyState, SigningKey

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ORIGIN = "https://stamps.example"
RING = KeyRing.new(NOW)
VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())
# The order of the group, RFC 8032 section 5.1.
ORDER = 2**252 + 27742317777372353535851937790883648493


def ring_of(seed: bytes, key_id: int = 1) -> KeyRing:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = SigningKey(
        key_id=key_id,
        state=KeyState.ACTIVE,
        public=private.public_key(),
        signer=private,
        created_at=NOW,
        activated_at=NOW,
    )
    return KeyRing(keys=(key,), link_secrets=())


# What a code is


@pytest.mark.parametrize(
    ("seed", "public", "message", "signature"),
    [
        (v["seed"], v["public"], v["message"], v["signature"])
        for v in VECTORS["rfc8032"]
    ],
)
def test_the_ring_signs_and_verifies_as_rfc_8032_does(seed, public, message, signature):
    # given the vectors of RFC 8032 section 7.1, as a key of a ring
    ring = ring_of(bytes.fromhex(seed))
    message, signature = bytes.fromhex(message), bytes.fromhex(signature)

    # then public key and signature are those of the RFC
    assert ring.active.public_bytes.hex() == public
    assert ring.active.signer.sign(message) == signature
    ring.verifier(1).verify(signature, message)


@pytest.mark.parametrize("vector", VECTORS["codes"], ids=lambda v: v["kind"])
def test_the_format_has_not_changed(vector):
    # given a code as version 1 writes it
    ring = ring_of(bytes.fromhex(vector["seed"]), vector["key_id"])
    facts = {
        "origin": vector["origin"],
        "not_after": datetime.fromisoformat(vector["not_after"]),
        "nonce": bytes.fromhex(vector["nonce"]),
    }

    # when it is signed and read today
    code = codes.sign(Kind[vector["kind"]], ring, **facts)
    read = codes.verify(vector["text"], ring, origin=vector["origin"])

    # then both are the same, to the bit
    assert code == read
    assert code.text == vector["text"]
    assert code.url(vector["origin"]) == vector["url"]


def test_the_bytes_lie_as_the_design_says():
    nonce = bytes(range(9))
    ring = ring_of(bytes(32), key_id=0x0102)
    not_after = datetime(2026, 1, 1, 0, 1, 1, 999_999, tzinfo=UTC)

    data = codes.sign(
        Kind.VOUCHER, ring, origin=ORIGIN, not_after=not_after, nonce=nonce
    ).data

    assert data[:16] == b"\x13" + b"\x01\x02" + b"\x00\x00\x00\x3d" + nonce
    signed = b"punchproof/1\0https://stamps.example\0" + data[:16]
    ring.verifier(0x0102).verify(data[16:], signed)


@given(
    kind=st.sampled_from(Kind),
    key_id=st.integers(1, 0xFFFF),
    seconds=st.integers(0, 0xFFFFFFFF),
    nonce=st.binary(min_size=9, max_size=9),
    seed=st.binary(min_size=32, max_size=32),
)
def test_every_field_comes_back(kind, key_id, seconds, nonce, seed):
    ring = ring_of(seed, key_id)
    not_after = codes.EPOCH + timedelta(seconds=seconds)

    code = codes.sign(kind, ring, origin=ORIGIN, not_after=not_after, nonce=nonce)
    read = codes.verify(code.text, ring, origin=ORIGIN)

    assert len(code.text) == 128
    assert len(code.data) == 80
    assert read == code
    assert (read.kind, read.key_id) == (kind, key_id)
    assert (read.not_after, read.nonce) == (not_after, nonce)
    assert codes.verify_data(code.data, ring, origin=ORIGIN) == code
    assert codes.named_key(code.text) == key_id


def test_a_code_expires_after_its_last_second(make_code, now):
    code = make_code(not_after=now)

    assert not code.is_expired(now)
    assert code.is_expired(now + timedelta(microseconds=1))


def test_the_moment_may_be_told_in_another_time_zone(make_code, now):
    there = now.astimezone(timezone(timedelta(hours=9)))

    assert make_code(not_after=there).not_after == now


def test_nonces_are_nine_bytes_that_do_not_repeat():
    drawn = {codes.new_nonce() for _ in range(2000)}

    assert len(drawn) == 2000
    assert {len(nonce) for nonce in drawn} == {9}


# One code, many spellings


def spellings(text: str) -> list[str]:
    mixed = "".join(c.lower() if i % 2 else c for i, c in enumerate(text))
    return [
        text,
        text.lower(),
        mixed,
        f"https://STAMPS.EXAMPLE/S/{text}",
        f"https://stamps.example/s/{text.lower()}",
        f"HTTPS://STAMPS.EXAMPLE/S/{text}",
        f"http://127.0.0.1:8000/s/{text}",
        f"https://[::1]:8443/S/{text}",
        # A shop that moved: who asks judges the origin by the signature alone.
        f"https://another.example/S/{text}",
    ]


def test_every_spelling_of_a_code_is_the_same_code(make_code, ring, origin):
    code = make_code()

    for spelling in spellings(code.text):
        assert codes.verify(spelling, ring, origin=origin) == code


def test_nothing_else_is_a_spelling_of_a_code(make_code, ring, origin):
    text = make_code().text
    others = [
        "",
        text[:-1],
        text + "A",
        text[:-1] + "=",
        text + "======",
        text + "\n",
        " " + text,
        text[:64] + " " + text[64:],
        text[:64] + "\n" + text[64:],
        text[:64] + "\0" + text[65:],
        text[:-1] + "1",
        text[:-1] + "0",
        text[:-1] + "8",
        text[:-1] + "-",
        # Letters and digits that upper(), int() or a Unicode class take for ASCII.
        text[:-1] + "\u017f",
        text[:-1] + "\u0131",
        text[:-1] + "\N{KELVIN SIGN}",
        text[:-1] + "\N{FULLWIDTH LATIN CAPITAL LETTER A}",
        text[:-1] + "\N{ARABIC-INDIC DIGIT TWO}",
        text[:-1] + "\ud800",
        f"https://stamps.example/{text}",
        f"https://stamps.example/S/{text}/",
        f"https://stamps.example/S/{text}?x=1",
        f"https://stamps.example/S/{text}#x",
        f"https://stamps.example/S//{text}",
        f"https://stamps.example/x/S/{text}",
        f"https://stamps.example/\u017f/{text}",
        f"http\u017f://stamps.example/S/{text}",
        f"https:///S/{text}",
        f"https://a b/S/{text}",
        f"https://user@stamps.example/S/{text}",
        f"https://{'a' * 261}/S/{text}",
        f"//stamps.example/S/{text}",
        f"ftp://stamps.example/S/{text}",
        f"x https://stamps.example/S/{text}",
        base64.b64encode(secrets.token_bytes(96)).decode(),
        base64.b32hexencode(b"\xff" * 80).decode(),
        secrets.token_hex(64),
        "A" * 10_000_000,
        None,
        b"A" * 128,
        17,
    ]

    for other in others:
        with pytest.raises(CodeMalformed):
            codes.verify(other, ring, origin=origin)


@given(text=st.text(max_size=300))
def test_random_text_is_malformed_and_nothing_worse(text):
    with pytest.raises(CodeMalformed):
        codes.read_text(text)


@given(
    text=st.text(
        alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=128, max_size=128
    )
)
def test_random_base32_is_refused(text):
    with pytest.raises((CodeMalformed, CodeForged)):
        codes.verify(text, RING, origin=ORIGIN)


@given(data=st.binary(min_size=80, max_size=80))
def test_eighty_bytes_have_one_spelling_in_upper_case(data):
    text = base64.b32encode(data).decode()

    assert codes.read_text(text) == codes.read_text(text.lower()) == data
    assert base64.b32encode(codes.read_text(text)).decode() == text


@settings(max_examples=30)
@given(length=st.integers(0, 200).filter(lambda length: length != 80))
def test_stored_data_of_another_length_is_malformed(length):
    with pytest.raises(CodeMalformed):
        codes.verify_data(bytes([0x12]) * length, RING, origin=ORIGIN)


# Forged


def test_a_code_with_any_single_bit_flipped_is_refused(make_code, ring, origin):
    code = make_code()

    for bit in range(640):
        data = bytearray(code.data)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises((CodeMalformed, CodeForged)):
            codes.verify_data(bytes(data), ring, origin=origin)


def test_a_code_with_any_character_changed_is_refused(make_code, ring, origin):
    text = make_code().text

    for place, character in enumerate(text):
        other = "A" if character != "A" else "B"
        with pytest.raises((CodeMalformed, CodeForged)):
            codes.verify(text[:place] + other + text[place + 1 :], ring, origin=origin)


@pytest.mark.parametrize(
    "first",
    [
        f << 4 | k
        for f in range(16)
        for k in range(16)
        if f != 1 or k not in range(1, 6)
    ],
)
def test_another_format_or_kind_is_malformed_even_if_we_signed_it(first):
    # given 16 bytes of a format or kind that is not ours, with our own signature
    head = bytes([first]) + b"\0\1" + bytes(13)
    message = b"punchproof/1\0" + ORIGIN.encode() + b"\0" + head
    data = head + RING.active.signer.sign(message)

    with pytest.raises(CodeMalformed):
        codes.verify_data(data, RING, origin=ORIGIN)


@pytest.mark.parametrize(
    "other",
    [
        "http://stamps.example",
        "https://stamps.example:8443",
        "https://stamps.exampl",
        "https://stamps.example.com",
        "https://staging.stamps.example",
    ],
)
def test_a_code_of_another_origin_is_forged(make_code, ring, other):
    with pytest.raises(CodeForged):
        codes.verify(make_code().text, ring, origin=other)


def test_an_origin_has_one_spelling(make_code, ring):
    code = make_code(origin="https://Stamps.Example/")

    assert codes.verify(code.text, ring, origin="https://stamps.example") == code


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "stamps.example",
        "ftp://stamps.example",
        "https://",
        "https://stamps.example/shop",
        "https://stamps.example//",
        "https://stamps.example\0",
        "https://stamps.example\n",
        "https://user@stamps.example",
        "https://\u017ftamps.example",
        "https://stamps.example?x",
        "https://stamps.example:",
    ],
)
def test_what_is_no_origin_is_a_mistake_of_the_caller(make_code, ring, origin):
    with pytest.raises(ValueError, match="not an origin"):
        make_code(origin=origin)
    with pytest.raises(ValueError, match="not an origin"):
        codes.verify(make_code().text, ring, origin=origin)


def test_a_code_of_another_ring_is_forged(make_code, origin, now):
    # given two installations that both call their key 1
    other = KeyRing.new(now)

    with pytest.raises(CodeForged):
        codes.verify(make_code().text, other, origin=origin)


def test_a_code_of_an_unknown_key_is_forged(make_code, origin):
    with pytest.raises(CodeForged):
        codes.verify(make_code().text, ring_of(bytes(32), key_id=9), origin=origin)


def test_a_signature_with_the_group_order_added_is_forged(make_code, ring, origin):
    # given the same signature written with S + L, which names the same point
    data = make_code().data
    scalar = int.from_bytes(data[48:], "little") + ORDER

    malleated = data[:48] + scalar.to_bytes(32, "little")

    with pytest.raises(CodeForged):
        codes.verify_data(malleated, ring, origin=origin)


@pytest.mark.parametrize(
    "point", ["01" + "00" * 31, "00" * 32, "ec" + "ff" * 30 + "7f"]
)
def test_a_signature_of_small_order_is_forged(make_code, ring, origin, point):
    data = make_code().data

    with pytest.raises(CodeForged):
        codes.verify_data(
            data[:16] + bytes.fromhex(point) + bytes(32), ring, origin=origin
        )


def test_the_signature_of_one_code_does_not_fit_another(make_code, ring, origin):
    first, second = make_code(), make_code()

    with pytest.raises(CodeForged):
        codes.verify_data(first.data[:16] + second.data[16:], ring, origin=origin)


# The state of the key


def test_a_pending_key_does_not_sign_but_verifies(ring, make_code, origin, now):
    # given a ring that just made its next key, and a worker that signs with it already
    ahead = ring.with_new_key(now)
    new = ahead.keys[-1].key_id

    # when both sign
    before = make_code(ring=ahead)
    after = make_code(ring=ahead.activated(new, now))

    # then the old key signs where the new one is pending, and both verify both
    assert before.key_id != new
    assert after.key_id == new
    assert codes.verify(after.text, ahead, origin=origin) == after
    assert codes.verify(before.text, ahead.activated(new, now), origin=origin) == before


def test_without_an_active_key_nothing_is_signed(ring, make_code, now):
    with pytest.raises(NoActiveKey):
        make_code(ring=ring.revoked(1, now))


def test_a_code_of_a_revoked_key_is_told_as_such(ring, make_code, origin, now):
    code = make_code()
    revoked = ring.revoked(1, now)

    for check in (
        lambda: codes.verify(code.text, revoked, origin=origin),
        lambda: codes.verify_data(code.data, revoked, origin=origin),
    ):
        with pytest.raises(CodeKeyRevoked) as refusal:
            check()

        # then what was signed is at hand, for the issue row may still vouch for it
        assert refusal.value.code == code
        assert refusal.value.state is KeyState.REVOKED
        assert code.text not in str(refusal.value)


def test_a_forger_who_names_a_revoked_key_is_a_forger(ring, make_code, origin, now):
    forged = bytearray(make_code().data)
    forged[-1] ^= 1
    text = base64.b32encode(forged).decode()

    with pytest.raises(CodeForged):
        codes.verify(text, ring.revoked(1, now), origin=origin)


def test_a_retired_key_serves_audits_only(ring, make_code, origin, now):
    code = make_code()
    later = ring.with_new_key(now).activated(2, now).retired(1, now)

    assert codes.verify_data(code.data, later, origin=origin) == code
    with pytest.raises(CodeKeyRevoked) as refusal:
        codes.verify(code.text, later, origin=origin)
    assert refusal.value.state is KeyState.RETIRED


# Misuse


@pytest.mark.parametrize("nonce", [b"", bytes(8), bytes(10)])
def test_a_nonce_of_another_length_is_a_mistake(make_code, nonce):
    with pytest.raises(ValueError, match="9 bytes"):
        make_code(nonce=nonce)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1),  # noqa: DTZ001
        datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
        codes.LAST_NOT_AFTER + timedelta(seconds=1),
    ],
)
def test_a_moment_that_a_code_cannot_say_is_a_mistake(make_code, moment):
    with pytest.raises(ValueError, match="not_after"):
        make_code(not_after=moment)


def test_no_repr_shows_what_can_be_spent(make_code):
    code = make_code()

    assert code.text not in repr(code)
    assert repr(code.data) not in repr(code)

"""The receipt: every bit counts, and it is never mistaken for a code."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from signing import codes, receipts
from signing.codes import Kind
from signing.errors import CodeForged, NoActiveKey, SignerDown
from signing.keyring import KeyRing, KeyState
from signing.receipts import RECEIPT_BYTES, ReceiptForged

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORIGIN, OTHER = "https://stamps.example", "https://other.example"
DATA = b'{"units":1}'
RING = KeyRing.new(NOW)
RECEIPT = receipts.sign(DATA, RING, origin=ORIGIN)


class Recorder:
    """A key that tells what it was asked to sign."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.signed: list[bytes] = []

    def sign(self, data: bytes) -> bytes:
        self.signed.append(data)
        return self.key.sign(data)

    def public_key(self) -> object:
        return self.key.public_key()


class Away:
    """A token that gives no answer."""

    def sign(self, _data: bytes) -> bytes:
        raise SignerDown("no answer")


def with_signer(signer: object) -> KeyRing:
    return dataclasses.replace(
        RING, keys=(dataclasses.replace(RING.active, signer=signer),)
    )


def recording(recorder: Recorder) -> KeyRing:
    ring = KeyRing.new(NOW).with_new_key(NOW, recorder)
    return ring.activated(ring.keys[-1].key_id, NOW)


def test_it_is_66_bytes_that_name_the_key():
    assert len(RECEIPT) == RECEIPT_BYTES == 66
    assert int.from_bytes(RECEIPT[:2], "big") == RING.active.key_id
    assert receipts.verify(RECEIPT, DATA, RING, origin=ORIGIN) is RING.active


def test_one_text_has_one_receipt():
    assert receipts.sign(DATA, RING, origin=ORIGIN + "/") == RECEIPT


def test_a_receipt_with_any_single_bit_flipped_is_refused():
    for bit in range(RECEIPT_BYTES * 8):
        flipped = bytearray(RECEIPT)
        flipped[bit // 8] ^= 1 << bit % 8

        with pytest.raises(ReceiptForged):
            receipts.verify(bytes(flipped), DATA, RING, origin=ORIGIN)


@given(st.binary(max_size=40))
def test_it_is_good_for_one_text(data: bytes):
    if data != DATA:
        with pytest.raises(ReceiptForged):
            receipts.verify(RECEIPT, data, RING, origin=ORIGIN)


@given(st.binary(max_size=200))
def test_other_bytes_are_no_receipt(data: bytes):
    with pytest.raises(ReceiptForged):
        receipts.verify(data, DATA, RING, origin=ORIGIN)


def test_another_origin_signed_nothing_here():
    with pytest.raises(ReceiptForged):
        receipts.verify(RECEIPT, DATA, RING, origin=OTHER)


def test_another_ring_signed_nothing_here():
    with pytest.raises(ReceiptForged):
        receipts.verify(RECEIPT, DATA, KeyRing.new(NOW), origin=ORIGIN)


def test_a_receipt_that_names_another_key_is_refused():
    """Even one whose public part is the same: the name is signed."""
    ring = RING.with_new_key(NOW, RING.active.signer)
    named = ring.keys[-1].key_id.to_bytes(2, "big")

    with pytest.raises(ReceiptForged):
        receipts.verify(named + RECEIPT[2:], DATA, ring, origin=ORIGIN)


@pytest.mark.parametrize(
    "step", [KeyState.VERIFY_ONLY, KeyState.RETIRED, KeyState.REVOKED]
)
def test_it_stays_good_whatever_becomes_of_the_key(step: KeyState):
    later = NOW + timedelta(days=1)
    ring = RING.with_new_key(later)
    ring = ring.activated(ring.keys[-1].key_id, later)
    if step is KeyState.RETIRED:
        ring = ring.retired(1, later)
    if step is KeyState.REVOKED:
        ring = ring.revoked(1, later)

    key = receipts.verify(RECEIPT, DATA, ring, origin=ORIGIN)

    assert (key.key_id, key.state) == (1, step)


def test_without_a_key_nothing_is_signed():
    with pytest.raises(NoActiveKey):
        receipts.sign(DATA, RING.revoked(1, NOW), origin=ORIGIN)


def test_a_holder_that_gives_no_answer_is_told_of():
    with pytest.raises(SignerDown):
        receipts.sign(DATA, with_signer(Away()), origin=ORIGIN)


@pytest.mark.parametrize("origin", ["", "stamps.example", "https://a\0b"])
def test_what_is_no_origin_signs_nothing(origin: str):
    with pytest.raises(ValueError, match="not an origin"):
        receipts.sign(DATA, RING, origin=origin)


def code(ring: KeyRing, kind: Kind = Kind.CARD, nonce: bytes = b"n" * 9) -> codes.Code:
    return codes.sign(kind, ring, origin=ORIGIN, not_after=NOW, nonce=nonce)


@given(
    data=st.binary(max_size=200),
    kind=st.sampled_from(Kind),
    nonce=st.binary(min_size=9, max_size=9),
)
def test_what_is_signed_for_the_one_is_never_signed_for_the_other(
    data: bytes, kind: Kind, nonce: bytes
):
    recorder = Recorder()
    ring = recording(recorder)

    receipts.sign(data, ring, origin=ORIGIN)
    code(ring, kind, nonce)

    receipt_message, code_message = recorder.signed
    assert receipt_message[:12] == b"punchproof/r"
    assert code_message[:12] == b"punchproof/1"


def crossings() -> dict[str, Callable[[KeyRing, bytes], object]]:
    """Ways to hand a code's signature in as a receipt."""
    return {
        "over what a code signs": lambda ring, data: receipts.verify(
            data[1:3] + data[16:],
            b"punchproof/1\0" + ORIGIN.encode() + b"\0" + data[:16],
            ring,
            origin=ORIGIN,
        ),
        "over the code's head": lambda ring, data: receipts.verify(
            data[1:3] + data[16:], data[:16], ring, origin=ORIGIN
        ),
        "over the rest of its head": lambda ring, data: receipts.verify(
            data[1:3] + data[16:], data[3:16], ring, origin=ORIGIN
        ),
    }


@pytest.mark.parametrize("way", crossings())
def test_a_codes_signature_is_no_receipt(way: str):
    made = code(RING)

    with pytest.raises(ReceiptForged):
        crossings()[way](RING, made.data)


def test_a_receipts_signature_is_no_code():
    """Not even over what a code would sign."""
    made = code(RING)
    head = made.data[:16]
    message = b"punchproof/1\0" + ORIGIN.encode() + b"\0" + head
    for data in (message, head, head[3:]):
        receipt = receipts.sign(data, RING, origin=ORIGIN)

        with pytest.raises(CodeForged):
            codes.verify_data(head + receipt[2:], RING, origin=ORIGIN)

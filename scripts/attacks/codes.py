"""Codes that nobody signed, or not so: guessed, cut, bent, spelled otherwise."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scripts.attacks.catalogue import attack
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from signing import codes as signed
from signing.codes import Kind
from signing.keyring import KeyRing, KeyState, SigningKey

#: The kinds that are shown on screens, each with a door of its own.
SHOWN: Final = (Kind.CARD, Kind.STAMP, Kind.VOUCHER, Kind.ENROLMENT)
_BYTES, _HEAD, _BITS = 80, 16, 640
#: The order of Ed25519's group: S and S + L sign alike where S is not checked.
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_NO_CODE: Final = frozenset({"code_invalid"})


def text_of(data: bytes) -> str:
    """Spell 80 bytes as a code."""
    return base64.b32encode(data).decode()


def _head(kind: Kind, key_id: int = 1) -> bytes:
    """The first 16 bytes of a code that looks right in everything."""
    end = int((datetime.now(UTC) - signed.EPOCH).total_seconds()) + 60
    head = bytes([0x10 | kind]) + key_id.to_bytes(2, "big") + end.to_bytes(4, "big")
    return head + secrets.token_bytes(9)


def other_ring(key_id: int = 1) -> KeyRing:
    """Make the ring of another installation, whose key has the same number as ours."""
    now = datetime.now(UTC)
    private = Ed25519PrivateKey.generate()
    key = SigningKey(
        key_id, KeyState.ACTIVE, private.public_key(), private, now, activated_at=now
    )
    return KeyRing((key,), ())


@attack()
def random_codes(shop: Shop, volley: Volley) -> None:
    """Has nothing and guesses all 128 characters; there is no such signature."""
    volley.throw(
        (
            partial(shop.knock, kind, text_of(secrets.token_bytes(_BYTES)))
            for kind in volley.share(SHOWN)
        ),
        by=_NO_CODE,
    )


@attack()
def random_signatures(shop: Shop, volley: Volley) -> None:
    """Knows how a code is made, and guesses the signature; it has 64 bytes."""
    volley.throw(
        (
            partial(shop.knock, kind, text_of(_head(kind) + secrets.token_bytes(64)))
            for kind in volley.share(SHOWN)
        ),
        by=_NO_CODE,
    )


@attack()
def signatures_that_fit_anything(shop: Shop, volley: Volley) -> None:
    """Knows the holes that Ed25519 had; nulls, points of small order, and S + L."""
    real = base64.b32decode(shop.fresh(Kind.CARD))
    scalar = int.from_bytes(real[48:], "little")
    games = [
        real[:16] + bytes(64),
        real[:16] + b"\x01" + bytes(63),
        real[:16] + b"\xff" * 64,
        real[:16] + real[16:48] + bytes(32),
        real[:16] + bytes(32) + real[48:],
        real[:48] + (scalar + _ORDER).to_bytes(32, "little"),
    ]
    volley.throw(
        (partial(shop.knock, Kind.CARD, text_of(game)) for game in games), by=_NO_CODE
    )


@attack()
def truncated_codes(shop: Shop, volley: Volley) -> None:
    """Has a part of a real code, or more than all of it; only the whole is one."""
    real = {kind: shop.fresh(kind) for kind in SHOWN}
    cut = [
        (kind, real[kind][:length]) for length in (127, 64, 1, 0) for kind in SHOWN
    ] + [(kind, real[kind] + more) for more in ("A", "=", "=" * 8) for kind in SHOWN]
    some = [(kind, text[secrets.randbelow(127) + 1 :]) for kind, text in real.items()]
    volley.throw(
        (partial(shop.knock, *one) for one in volley.share(cut + some)),
        # Seven characters that happen to be left could be a short code, typed.
        by=_NO_CODE | {"invalid_request", "code_unknown"},
    )


@attack()
def bit_flips_in_every_position(shop: Shop, volley: Volley) -> None:
    """Has a living code and changes one bit of it; every one of the 640 is signed."""
    rounds = max(1, volley.size // (_BITS * len(SHOWN)))
    kinds = SHOWN if volley.size >= _BITS else (Kind.CARD,)
    for _ in range(rounds):
        for kind in kinds:
            real = base64.b32decode(shop.fresh(kind))
            volley.throw(
                (partial(shop.knock, kind, text_of(bent)) for bent in _flipped(real)),
                by=_NO_CODE,
            )


def _flipped(real: bytes) -> Iterator[bytes]:
    for position in range(_BITS):
        bent = bytearray(real)
        bent[position // 8] ^= 1 << position % 8
        yield bytes(bent)


@attack(signal="spent_code")
def other_spellings_of_a_spent_code(shop: Shop, volley: Volley) -> None:
    """Writes a spent code otherwise; what reads the same is the same code."""
    for spent in (shop.spend(Kind.CARD), shop.spend(Kind.STAMP)):
        volley.throw(
            (partial(shop.knock, spent.kind, text) for text in _spellings(spent.code)),
            by={"code_invalid", "code_spent", "invalid_request"},
        )


def _spellings(code: str) -> list[str]:
    alike = {
        "I": "\u0131",
        "S": "\u017f",
        "K": "\u212a",
        "O": "0",
        "B": "8",
        "A": "\u0410",
    }
    return [
        code.lower(),
        code.swapcase(),
        code[:64].lower() + code[64:],
        *(code.replace(letter, other) for letter, other in alike.items()),
        f" {code}",
        f"{code} ",
        f"{code}\n",
        f"\ufeff{code}",
        f"{code}\u200b",
        f"{code}\0",
        f"{code}======",
        "-".join(code[at : at + 8] for at in range(0, 128, 8)),
        "".join(f"%{ord(letter):02x}" for letter in code),
        f"https://elsewhere.example/S/{code}",
        f"http://elsewhere.example/s/{code.lower()}",
        f"https://elsewhere.example/S/{code}?again=1",
        f"https://elsewhere.example/S/{code}#2",
        f"https://elsewhere.example/S/{code}/",
        f"https://elsewhere.example//S/{code}",
        f"javascript:/S/{code}",
    ]


@attack()
def another_installations_key(shop: Shop, volley: Volley) -> None:
    """Runs a shop of their own, with a key of the same number; it is not our key."""
    ring = other_ring()
    volley.throw(
        (
            partial(shop.knock, kind, _signed(shop, ring, kind))
            for kind in volley.share(SHOWN)
        ),
        by=_NO_CODE,
    )


@attack()
def keys_that_never_were(shop: Shop, volley: Volley) -> None:
    """Signs with numbers of keys that the ring never had; a key is never assumed."""
    ids = [0, 2, 3, 255, 256, 0x7FFF, 0xFFFF]
    volley.throw(
        (
            partial(
                shop.knock,
                kind,
                text_of(_head(kind, key_id) + secrets.token_bytes(64)),
            )
            for kind in SHOWN
            for key_id in volley.share(ids)
        ),
        by=_NO_CODE,
    )


def _signed(shop: Shop, ring: KeyRing, kind: Kind) -> str:
    return signed.sign(
        kind,
        ring,
        origin=shop.origin,
        not_after=datetime.now(UTC) + timedelta(minutes=1),
        nonce=signed.new_nonce(),
    ).text


@attack()
def formats_and_kinds_that_are_none(shop: Shop, volley: Volley) -> None:
    """Asks for another format, or a kind of no meaning; there is one format."""
    real = base64.b32decode(shop.fresh(Kind.CARD))
    heads = [first for first in range(256) if first != real[0]]
    volley.throw(
        (
            partial(shop.knock, Kind.CARD, text_of(bytes([first]) + real[1:]))
            for first in heads
        ),
        by=_NO_CODE,
    )

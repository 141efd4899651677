"""Inputs that nobody guides: seeds bent a little, the same ones each time.

They come before what is guided, and stand alone where that cannot be had. Long runs of
one thing and numbers at the edge are put in here, since a guide that goes by coverage
meets them late: depth and length show no new line.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

#: What readers stumble over.
EDGES: Final = (
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\xc5\xbf",
    b"\xe2\x84\xaa",
    b"\r\n",
    b"=?utf-8?q?=0ABcc=3A_x?=",
    b"%00",
    b"%ED%A0%80",
    b"-1",
    b"1e999",
    b"NaN",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b'""',
    b"\\ud800",
    b"\xd9\xa3",
    b"99999999999999999999",
    b"0001-01-01T00:00:00+14:00",
    b"9999-12-31T23:59:59-14:00",
    b"../",
    b"..",
    b"'",
    b"[::",
)
#: The same at a length that only programs write.
_LONG: Final = (
    b"9" * 5000,
    b"[" * 3000,
    b'{"a":' * 3000,
    b"A" * 6000,
    b"." * 5000,
    b"=" * 3000,
    b"%" * 3000,
    b";" * 3000,
)
_SEPARATORS: Final = (b'"', b",", b":", b"=", b"&", b"/", b" ", b"\n", b"\0", b".")


def bent(name: str, seeds: Sequence[bytes], count: int) -> Iterator[bytes]:
    """Yield the seeds, then so many of them bent.

    Args:
        name: the target's; two targets get other inputs.
        seeds: real valid inputs, one at least.
        count: how many beyond the seeds.
    """
    yield from seeds
    yield b""
    chance = random.Random(zlib.crc32(name.encode()))  # noqa: S311
    for _ in range(count):
        data = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            data = chance.choice(_WAYS)(data, chance, seeds)
        yield data


def _flip(data: bytes, chance: random.Random, _seeds: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random, _seeds: Sequence[bytes]) -> bytes:
    begin, end = _stretch(data, chance)
    return data[:begin] + data[end:]


def _twice(data: bytes, chance: random.Random, _seeds: Sequence[bytes]) -> bytes:
    begin, end = _stretch(data, chance)
    return data[:end] + data[begin:]


def _joined(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    other = chance.choice(seeds)
    end, begin = _stretch(data, chance)[0], _stretch(other, chance)[0]
    return data[:end] + other[begin:]


def _edge(data: bytes, chance: random.Random, _seeds: Sequence[bytes]) -> bytes:
    """Put something odd in, or in the place of a piece between two separators."""
    odd = chance.choice(_LONG if chance.random() < 0.2 else EDGES)  # noqa: PLR2004
    separator = chance.choice([each for each in _SEPARATORS if each in data] or [b""])
    if not separator or chance.random() < 0.3:  # noqa: PLR2004
        at = _stretch(data, chance)[0]
        return data[:at] + odd + data[at:]
    pieces = data.split(separator)
    pieces[chance.randrange(len(pieces))] = odd
    return separator.join(pieces)


def _stretch(data: bytes, chance: random.Random) -> tuple[int, int]:
    begin = chance.randrange(len(data) + 1)
    return begin, min(len(data), begin + chance.choice((1, 2, 4, 16, 64)))


_WAYS: Final = (_flip, _cut, _twice, _joined, _edge, _edge)

"""A picture from outside, taken apart and written anew.

Only PNG is read here: its format is small enough to be checked whole. Every chunk's sum
is checked, the pixels are unpacked within a bound that the header sets, and what comes
out holds nothing but size, palette and pixels: no text, no profile, no second picture
hidden behind the end. The console's page turns other kinds of pictures into PNG in the
owner's browser before it sends them.

Source:
    W3C PNG, third edition: 5 (datastream), 11 (chunks), 9 (filters).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_SMALLEST, _LARGEST = 48, 512
_MOST_CHUNKS: Final = 4096
_MOST_FILTER: Final = 4
#: Bits that one sample may have, and samples in a pixel, by colour type.
_DEPTHS: Final = {
    0: ((1, 2, 4, 8, 16), 1),
    2: ((8, 16), 3),
    3: ((1, 2, 4, 8), 1),
    4: ((8, 16), 2),
    6: ((8, 16), 4),
}
_INDEXED: Final = 3


class BadPicture(ValueError):
    """``reason``: ``not_a_png``, ``not_square`` or ``wrong_size``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Picture:
    """A square picture. ``size`` in pixels, ``png`` safe to serve."""

    size: int
    png: bytes


def read_png(data: bytes) -> Picture:
    """Check a square PNG of 48 to 512 pixels and write it anew.

    Args:
        data: as it was sent; the caller bounds its length.

    Raises:
        BadPicture: it is none, or another size.
    """
    chunks = list(_chunks(data))
    kind, header = chunks[0]
    if kind != b"IHDR" or len(header) != 13:  # noqa: PLR2004 -- as the source has it
        raise BadPicture("not_a_png")
    width, height, depth, colour, packing, filtering, weaving = struct.unpack(
        ">IIBBBBB", header
    )
    depths, samples = _DEPTHS.get(colour, ((), 0))
    if depth not in depths or packing or filtering or weaving:
        raise BadPicture("not_a_png")
    if width != height:
        raise BadPicture("not_square")
    if not _SMALLEST <= width <= _LARGEST:
        raise BadPicture("wrong_size")
    pixels = b"".join(content for name, content in chunks if name == b"IDAT")
    rows = _unpacked(pixels, height, 1 + (width * depth * samples + 7) // 8)
    kept = [(b"IHDR", header), *_colours(chunks, colour)]
    kept += [(b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return Picture(width, _SIGNATURE + b"".join(_chunk(*each) for each in kept))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Take the file apart; nothing may be missing, broken or left over."""
    if not data.startswith(_SIGNATURE):
        raise BadPicture("not_a_png")
    at = len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if at + 12 > len(data):
            break
        length = int.from_bytes(data[at : at + 4], "big")
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        check = data[at + 8 + length : at + 12 + length]
        if check != zlib.crc32(name + content).to_bytes(4, "big"):
            break
        yield name, content
        at += 12 + length
        if name == b"IEND":
            if at == len(data):
                return
            break
    raise BadPicture("not_a_png")


def _unpacked(pixels: bytes, rows: int, row: int) -> bytes:
    """Unpack the pixels: exactly as many bytes as the size asks for, none more."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(pixels, rows * row + 1)
    except zlib.error as error:
        raise BadPicture("not_a_png") from error
    whole = len(plain) == rows * row and unpacker.eof and not unpacker.unused_data
    if not whole or any(plain[at] > _MOST_FILTER for at in range(0, len(plain), row)):
        raise BadPicture("not_a_png")
    return plain


def _colours(
    chunks: list[tuple[bytes, bytes]], colour: int
) -> list[tuple[bytes, bytes]]:
    """Return palette and transparency, the first of each."""
    first: dict[bytes, bytes] = {}
    for name, content in chunks:
        first.setdefault(name, content)
    palette, clear = first.get(b"PLTE", b""), first.get(b"tRNS", b"")
    kept = []
    if colour == _INDEXED:
        if not 0 < len(palette) <= 768 or len(palette) % 3:  # noqa: PLR2004
            raise BadPicture("not_a_png")
        kept.append((b"PLTE", palette))
        if 0 < len(clear) <= len(palette) // 3:
            kept.append((b"tRNS", clear))
    return kept


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + check

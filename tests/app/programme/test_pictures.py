"""A picture from outside: taken whole or not at all, and written anew."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from app.programme.pictures import BadPicture, read_png

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(size: tuple[int, int] = (64, 64), mode: str = "RGBA", **more: object) -> bytes:
    out = BytesIO()
    Image.radial_gradient("L").resize(size).convert(mode).save(out, "PNG", **more)
    return out.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + check


def header(side: int = 64, colour: int = 0, weaving: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, colour, 0, 0, weaving))


def made(pixels: bytes, head: bytes = b"") -> bytes:
    body = chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return SIGNATURE + (head or header()) + body


PLAIN = (b"\0" + b"\x80" * 64) * 64


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L", "LA", "P", "1"])
def test_pictures_look_as_before(mode: str):
    sent = png(mode=mode)

    read = read_png(sent)

    assert read.size == 64
    before, after = Image.open(BytesIO(sent)), Image.open(BytesIO(read.png))
    assert before.convert("RGBA").tobytes() == after.convert("RGBA").tobytes()


def test_nothing_else_comes_along():
    words = chunk(b"tEXt", b"Comment\0<script>") + chunk(b"eXIf", b"where it was")
    sent = SIGNATURE + header() + words + made(PLAIN)[8 + 25 :]

    kept = read_png(sent).png

    assert b"tEXt" not in kept
    assert b"eXIf" not in kept
    assert b"script" not in kept


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "not_a_png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_png"),
        (b"GIF89a" + bytes(100), "not_a_png"),
        (png() + b"PK\3\4 and an archive", "not_a_png"),
        (png()[:-5], "not_a_png"),
        (png().replace(b"IDAT", b"IDAX"), "not_a_png"),
        (SIGNATURE + chunk(b"IEND", b""), "not_a_png"),
        (made(PLAIN[:-1]), "not_a_png"),
        (made(PLAIN + b"\0"), "not_a_png"),
        (made(b"\5" + PLAIN[1:]), "not_a_png"),
        (made(PLAIN, header(weaving=1)), "not_a_png"),
        (made(PLAIN, header(colour=7)), "not_a_png"),
        (made(PLAIN, header(colour=3)), "not_a_png"),
        (png((64, 48)), "not_square"),
        (png((16, 16)), "wrong_size"),
        (png((600, 600)), "wrong_size"),
    ],
)
def test_anything_else_is_refused(sent: bytes, reason: str):
    with pytest.raises(BadPicture) as refusal:
        read_png(sent)

    assert refusal.value.reason == reason


def test_a_small_file_cannot_grow_large():
    bomb = made(bytes(64_000_000))

    with pytest.raises(BadPicture):
        read_png(bomb)


def test_every_cut_and_every_changed_byte_is_seen():
    sent = png((48, 48), "L")
    for at in range(0, len(sent), 7):
        changed = sent[:at] + bytes([sent[at] ^ 1]) + sent[at + 1 :]
        with pytest.raises(BadPicture):
            read_png(changed)
        with pytest.raises(BadPicture):
            read_png(sent[:at])

"""A code as a picture: SVG, PNG and terminal text.

Always black on white with its quiet zone, in dark mode too: most scanners do not read
an inverted symbol. Level M; the scheme in a byte segment, the rest in alphanumeric
mode. For the URL of a code that gives

=============================  =======  =======
host with its port, ``https``  version  modules
=============================  =======  =======
1 to 9 characters              6        41
10 to 33                       7        45
34 to 76                       8        49
=============================  =======  =======

(``http`` leaves room for one or two more: 11, 34, 78.) Longer hosts give larger
symbols, which read from less far.

The mask is fixed: trying all eight takes five times as long as the rest, and signed
data is as good as random under any of them.

No picture library: an SVG is text, and a one-bit PNG is three chunks.
"""

from __future__ import annotations

import re
import struct
import zlib
from html import escape
from itertools import groupby

import qrcode
from qrcode import util
from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError

#: White modules on each side.
#: Source: ISO/IEC 18004, by way of https://www.qrcode.com/en/howto/code.html
QUIET_ZONE = 4

# The least average penalty over random codes of versions 6, 7 and 8.
_MASK = 2
_URL = re.compile(r"(https?://)([^/?#]+)(.*)", re.DOTALL)
_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]+")
# 16 and 231 of the 256 colours: black and white that no terminal theme changes.
_ANSI = "\x1b[38;5;16;48;5;231m"
_ANSI_END = "\x1b[0m"
_HALF_BLOCKS = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def svg(url: str, *, border: int = QUIET_ZONE, title: str | None = None) -> str:
    """Draw as an SVG element to be put into a page or a file.

    Args:
        url: ASCII.
        border: white modules on each side; scanners want 4.
        title: what it is, for who cannot see it. Without one the picture is hidden
            from screen readers: then the text beside it has to say it.

    Returns:
        One ``<svg>`` of a white rectangle and one path, one unit a module, with no
        size of its own and no style attribute.

    Raises:
        ValueError: not ASCII, or longer than a QR code holds.
    """
    rows = modules(url)
    side = len(rows) + 2 * border
    path = "".join(
        f"M{x + border} {y + border}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for x, length in _dark_runs(row)
    )
    role = 'role="img"' if title else 'aria-hidden="true"'
    label = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges" {role}>{label}'
        f'<rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path d="{path}" fill="#000"/></svg>'
    )


def png(url: str, *, module_px: int = 8) -> bytes:
    """Draw as a PNG file: one bit a pixel, with the quiet zone.

    Args:
        url: ASCII.
        module_px: pixels on the side of a module.

    Raises:
        ValueError: not ASCII, longer than a QR code holds, or no pixels.

    Source:
        W3C PNG, https://www.w3.org/TR/2003/REC-PNG-20031110/ sections 5.3 and 11.2.
    """
    if module_px < 1:
        raise ValueError("a module is at least one pixel")
    rows = _framed(modules(url))
    side = len(rows) * module_px
    lines = []
    for row in rows:
        bits = "".join("0" * module_px if dark else "1" * module_px for dark in row)
        bits += "0" * (-side % 8)
        # The leading 0 is the line's filter: none.
        lines.append((b"\0" + int(bits, 2).to_bytes(len(bits) // 8)) * module_px)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        # The usual level: the highest takes twice as long here and gains nothing.
        + _chunk(b"IDAT", zlib.compress(b"".join(lines)))
        + _chunk(b"IEND", b"")
    )


def terminal(url: str) -> str:
    """Draw for a terminal of any colours, two modules a character in height.

    Returns:
        Lines that each end in a newline; they set and reset their own colours.

    Raises:
        ValueError: not ASCII, or longer than a QR code holds.
    """
    rows = _framed(modules(url))
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        blocks = "".join(_HALF_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        lines.append(f"{_ANSI}{blocks}{_ANSI_END}\n")
    return "".join(lines)


def size(url: str) -> int:
    """Return the QR version, 1 to 40; it has ``17 + 4 * version`` modules a side.

    Raises:
        ValueError: not ASCII, or longer than a QR code holds.
    """
    return (len(modules(url)) - 17) // 4


def modules(url: str) -> list[list[bool]]:
    """Return the symbol without its quiet zone, row by row; True is dark.

    Raises:
        ValueError: not ASCII, or longer than a QR code holds.
    """
    symbol = qrcode.QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=_MASK)
    for data, mode in _segments(url):
        symbol.add_data(util.QRData(data, mode, check_data=False))
    try:
        symbol.make()
    except (DataOverflowError, ValueError) as error:
        # From version 41 on the library says it in either way.
        raise ValueError("the text is too long for a QR code") from error
    return [[bool(module) for module in row] for row in symbol.modules]


def _segments(url: str) -> list[tuple[bytes, int]]:
    """Cut into data and mode. The host may be written in upper case, a path not."""
    if not url or not url.isascii():
        raise ValueError("a QR code is made of ASCII text: encode the rest")
    scheme, rest = "", url
    if match := _URL.fullmatch(url):
        scheme, rest = match[1], match[2].upper() + match[3]
    if _ALPHANUMERIC.fullmatch(rest):
        parts = [(scheme, util.MODE_8BIT_BYTE), (rest, util.MODE_ALPHA_NUM)]
    else:
        parts = [(url, util.MODE_8BIT_BYTE)]
    return [(text.encode("ascii"), mode) for text, mode in parts if text]


def _dark_runs(row: list[bool]) -> list[tuple[int, int]]:
    """Return start and length of each run of dark modules."""
    runs, start = [], 0
    for dark, group in groupby(row):
        length = len(list(group))
        if dark:
            runs.append((start, length))
        start += length
    return runs


def _framed(rows: list[list[bool]]) -> list[list[bool]]:
    """Add the quiet zone."""
    side = len(rows) + 2 * QUIET_ZONE
    above = [[False] * side for _ in range(QUIET_ZONE)]
    below = [[False] * side for _ in range(QUIET_ZONE)]
    sides = [False] * QUIET_ZONE
    return [*above, *([*sides, *row, *sides] for row in rows), *below]


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

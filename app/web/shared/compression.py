"""Answers go out compressed, whoever serves them.

The HTTP server compresses nothing, and a proxy need not stand before it. Files are
compressed once and kept; pages each time. The length of a page's answer is blurred by
a file name of random length in the gzip header, so that a secret on the page (its form
token) cannot be guessed by putting guesses beside it and watching the length.

Source:
    RFC 1952 for the header; "Heal the Breach", Palacios, Fariña-Carrera, Luaces, 2022.
"""

from __future__ import annotations

import secrets
import struct
import threading
import time
import zlib
from typing import Final

from flask import Flask, Response, request

_TEXTS: Final = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/manifest+json",
        "application/wasm",
        "image/svg+xml",
        "text/css",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)
#: Shorter ones grow or save next to nothing, in bytes.
_SHORTEST: Final = 700
_MOST_NAME: Final = 96
_OK: Final = 200
_PAGE_LEVEL, _FILE_LEVEL = 5, 9
#: Files kept compressed; there are about sixty, and a new release is a new process.
_MOST_KEPT: Final = 256


class _Kept:
    """Compressed files by address and ETag. Safe among threads."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()

    def get(self, path: str, etag: str, plain: bytes) -> bytes:
        with self._lock:
            found = self._files.get((path, etag))
        if found is not None:
            return found
        made = gzipped(plain, level=_FILE_LEVEL)
        with self._lock:
            if len(self._files) >= _MOST_KEPT:
                self._files.clear()
            self._files[path, etag] = made
        return made


def register(app: Flask) -> None:
    """Compress the answers of ``app``."""
    kept = _Kept()

    def compress(response: Response) -> Response:
        return _compress(response, kept)

    app.after_request(compress)


def gzipped(plain: bytes, *, level: int, name: bytes = b"") -> bytes:
    """Compress, with ``name`` in the header.

    Args:
        plain: what to compress.
        level: 1 to 9.
        name: printable ASCII; "" leaves the field out.
    """
    squeezer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = squeezer.compress(plain) + squeezer.flush()
    flags = 8 if name else 0
    moment = int(time.time()) if name else 0
    header = struct.pack("<BBBBIBB", 0x1F, 0x8B, 8, flags, moment, 0, 255)
    ending = struct.pack("<II", zlib.crc32(plain), len(plain) & 0xFFFFFFFF)
    return header + (name + b"\0" if name else b"") + body + ending


def _compress(response: Response, kept: _Kept) -> Response:
    if response.mimetype not in _TEXTS or response.status_code != _OK:
        return response
    is_file = request.path.startswith("/static/")
    etag, _ = response.get_etag()
    # The API's ETags are versions that callers compare to the letter.
    if (etag is not None) != is_file or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0 or request.method != "GET":
        return response
    response.direct_passthrough = False
    plain = response.get_data()
    if len(plain) < _SHORTEST:
        return response
    if is_file:
        response.set_data(kept.get(request.path, etag or "", plain))
        # The same file, other bytes.
        response.set_etag(etag or "", weak=True)
    else:
        blur = b"p" * (1 + secrets.randbelow(_MOST_NAME))
        response.set_data(gzipped(plain, level=_PAGE_LEVEL, name=blur))
    response.headers["Content-Encoding"] = "gzip"
    return response

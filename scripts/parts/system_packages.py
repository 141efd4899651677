"""Programs that come from the system and not from Python: asked for with apt-get.

Only where that needs no password: as root, or where sudo asks none. Everywhere else
the caller says which command the person should run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path


@cache
def _prefix() -> list[str] | None:
    """The words before ``apt-get``, or None where it cannot be used."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if asked.returncode == 0 else None


def can_install() -> bool:
    """Whether ``install`` could do anything on this machine."""
    return _prefix() is not None


def install(*packages: str) -> bool:
    """Install Debian packages; True when apt-get said that it did."""
    wanted = ("install", "-y", "--no-install-recommends", *packages)
    # The lists are fetched only if need be: they are slow, and may be missing
    # altogether in a container.
    return _apt_get(*wanted) or (_apt_get("update") and _apt_get(*wanted))


def unpack(package: str, into: Path) -> bool:
    """Fetch a Debian package and unpack it, installing and starting nothing.

    Args:
        package: its name; what it depends on must be there.
        into: a directory, made if missing; gets ``usr/…``.

    Returns:
        Whether it worked.
    """
    if not (can_install() and shutil.which("dpkg-deb")):
        return False
    with tempfile.TemporaryDirectory() as there:
        fetch = ["apt-get", "-qq", "download", package]
        if not _runs(fetch, there) and not (_apt_get("update") and _runs(fetch, there)):
            return False
        into.mkdir(parents=True, exist_ok=True)
        files = [str(path) for path in Path(there).glob("*.deb")]
        return bool(files) and all(
            _runs(["dpkg-deb", "--extract", path, str(into)], there) for path in files
        )


def _runs(command: list[str], where: str) -> bool:
    done = subprocess.run(
        command, cwd=where, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode == 0


def _apt_get(*words: str) -> bool:
    """Run apt-get without a question; True when it succeeded."""
    prefix = _prefix()
    if prefix is None:
        return False
    command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *words]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode == 0

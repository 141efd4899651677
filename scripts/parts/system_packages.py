"""Programs that come from the system and not from Python: asked for with apt-get.

Only where that needs no password: as root, or where sudo asks none. Everywhere else
the caller says which command the person should run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache


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

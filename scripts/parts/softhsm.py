"""SoftHSM, a PKCS#11 token in software: what the tests keep signing keys in."""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.parts import system_packages
from scripts.parts.progress import step

#: Where Debian, Fedora and Homebrew put the library, relative to these.
_ROOTS = ("/usr", "/usr/local", "/opt/homebrew")
_PLACES = ("lib", "lib64", "lib64/pkcs11", "lib/*")


def find() -> Path | None:
    """The PKCS#11 module's path; None without it or without ``softhsm2-util``."""
    if shutil.which("softhsm2-util") is None:
        return None
    for root in _ROOTS:
        for place in _PLACES:
            for name in ("softhsm/libsofthsm2.so", "libsofthsm2.so"):
                for path in sorted(Path(root).glob(f"{place}/{name}")):
                    return path
    return None


def fetch() -> Path | None:
    """Find SoftHSM, or install it; None where neither is possible."""
    if find() is None and system_packages.can_install():
        with step("softhsm2 from the system's packages"):
            system_packages.install("softhsm2")
    return find()

"""nginx and Caddy, which the tests put before the server with the samples' settings.

The system's own where it has them. Else Debian's packages, unpacked and not installed:
an installed one would listen on port 80 from then on.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from scripts.parts import system_packages
from scripts.parts.progress import step

NAMES: Final = ("nginx", "caddy")
_UNPACKED = Path(sys.prefix) / "share" / "punchproof-proxies"
# nginx is where the paths of people who are not root do not lead.
_PLACES = (_UNPACKED / "usr" / "bin", _UNPACKED / "usr" / "sbin", "/usr/sbin")


def find(name: str) -> Path | None:
    """The program's path; None without it."""
    places = os.pathsep.join([os.environ.get("PATH", ""), *map(str, _PLACES)])
    found = shutil.which(name, path=places)
    return Path(found) if found else None


def fetch() -> list[str]:
    """Find both, or fetch them; names what is missing then."""
    missing = [name for name in NAMES if find(name) is None]
    if missing and system_packages.can_install():
        with step(f"{' and '.join(missing)} from the system's packages"):
            for name in missing:
                system_packages.unpack(name, _UNPACKED)
    return [name for name in NAMES if find(name) is None]

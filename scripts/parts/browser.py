"""The Chromium that the browser tests drive: the system's, or Playwright's own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from scripts.parts import system_packages
from scripts.parts.progress import step

#: Best without what is around its pages: the same engine for two thirds of the work.
_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
)


@cache
def find() -> str | None:
    """The program's path, for Playwright's ``executable_path``; None without one."""
    for name in _NAMES:
        path = shutil.which(name)
        if path:
            return path
    # Only Playwright knows where it keeps the one that belongs to its version.
    ask = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    told = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=False
    )
    path = told.stdout.strip()
    return path if path and Path(path).exists() else None


def fetch() -> str | None:
    """Find a Chromium, or install one; None where neither is possible."""
    if find() is None and system_packages.can_install():
        with step("chromium from the system's packages"):
            any(map(system_packages.install, _NAMES[:2]))
        find.cache_clear()
    if find() is None:
        with step("chromium from Playwright"):
            command = [sys.executable, "-m", "playwright", "install", "chromium"]
            subprocess.run(command, capture_output=True, check=False)
        find.cache_clear()
    return find()

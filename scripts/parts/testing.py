"""Every check and every test, with the programs they need fetched first.

pytest runs last, so that its closing lines are the last thing on the screen. Browser
tests leave pictures of the pages, for people to look at: in ``.pictures/``, or where
``PUNCHPROOF_PICTURES`` says; nowhere if that is empty.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.parts import browser, checking, proxies, softhsm, system_packages
from scripts.parts.environment import ROOT
from scripts.parts.progress import step, warn

FAST = "not browser and not slow and not long"
#: What a person waits for, and what besides: the same over every page, language and
#: size, the runbook played, long loads.
USUAL, LONG = "not long", "long"
#: The variable that names the directory of pictures.
PICTURES = "PUNCHPROOF_PICTURES"
# Tests wait as long as they work, for servers that start and die: three keep two
# processors busy. Each process has stores of its own, and a file's tests stay together,
# for they share servers.
_PROCESSES, _LEAST_PROCESSORS = 3, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch what is missing, check, test; exit status 0 only if all of it passed."""
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Run every check and the tests. Other arguments go to pytest.",
    )
    shares = parser.add_mutually_exclusive_group()
    shares.add_argument(
        "--fast", action="store_true", help="leave out tests marked browser or slow"
    )
    shares.add_argument(
        "--long", action="store_true", help="only the tests marked long, and no checks"
    )
    options, pytest_words = parser.parse_known_args(argv)
    began, began_at = time.monotonic(), time.time()
    pictures = _picture_directory()
    has_all = _find_node() and _find_softhsm()
    if not (has_all and (options.fast or (_find_chromium() and _find_proxies()))):
        return 1
    checks = 0 if options.long else checking.main([])
    words = [
        *share_of(options.fast, options.long, pytest_words),
        *_side_by_side(),
        *pytest_words,
    ]
    print("\npytest " + " ".join(words), flush=True)
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=ROOT,
        env=_environment(pictures),
        check=False,
    ).returncode
    if pictures and (taken := pictures_since(pictures, began_at)):
        print(f"test: {taken} pictures of the pages in {pictures}")
    looked = "" if options.long else f"checks {_verdict(checks)}, "
    print(
        f"test: {looked}pytest {_verdict(tests)}, "
        f"{time.monotonic() - began:.0f} s in all"
    )
    return 1 if checks or tests else 0


def share_of(is_fast: bool, is_long: bool, pytest_words: Sequence[str]) -> list[str]:
    """Choose tests for pytest by their marks.

    Args:
        is_fast: the share without browsers and slow tests was asked for.
        is_long: the share of what takes long was; neither: what is usual.
        pytest_words: who names tests gets those, whatever their marks.
    """
    if is_fast:
        return ["-m", FAST]
    if is_long:
        return ["-m", LONG]
    return [] if pytest_words else ["-m", USUAL]


def _environment(pictures: Path | None) -> dict[str, str]:
    """What the tests, and the hundreds of programs that they start, are to know."""
    # Each would translate what it imports anew: half the time that it takes to start.
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, PICTURES: str(pictures or "")}


def _picture_directory() -> Path | None:
    """Say where pictures go; None where nobody wants any."""
    where = os.environ.get(PICTURES)
    if where is None:
        return ROOT / ".pictures"
    return Path(where).absolute() if where else None


def pictures_since(directory: Path, moment: float) -> int:
    """Count the pictures that a run has left.

    Args:
        directory: where they lie; it need not be there.
        moment: when the run began, seconds since the epoch.
    """
    return sum(path.stat().st_mtime >= moment for path in directory.rglob("*.png"))


def _side_by_side() -> list[str]:
    """Words that let pytest use two processors, where there are two."""
    if (os.cpu_count() or 1) < _LEAST_PROCESSORS:
        return []
    order = "--no-loadscope-reorder"  # as tests/conftest.py deals the files
    return ["-n", str(_PROCESSES), "--dist", "loadfile", order]


def _verdict(status: int) -> str:
    return "failed" if status else "passed"


def _find_node() -> bool:
    """See to a node for the JavaScript tests."""
    if shutil.which("node"):
        return True
    with step("nodejs from the system's packages"):
        system_packages.install("nodejs")
    if shutil.which("node"):
        return True
    warn("test: node is missing. On Debian or Ubuntu: sudo apt-get install nodejs")
    return False


def _find_softhsm() -> bool:
    """See to a SoftHSM for the tests of keys in a token."""
    if softhsm.fetch():
        return True
    warn("test: SoftHSM is missing. On Debian or Ubuntu: sudo apt-get install softhsm2")
    return False


def _find_proxies() -> bool:
    """See to the proxies for the tests of the samples."""
    missing = proxies.fetch()
    if missing:
        names = " ".join(missing)
        warn(
            f"test: missing: {names}. On Debian or Ubuntu: sudo apt-get install "
            f"{names}; or leave them out: scripts/test --fast"
        )
    return not missing


def _find_chromium() -> bool:
    """See to a Chromium for the browser tests."""
    if browser.fetch():
        return True
    warn(
        "test: Chromium is missing. On Debian or Ubuntu: sudo apt-get install "
        "chromium; or leave the browser out: scripts/test --fast"
    )
    return False

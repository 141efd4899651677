"""Renew requirements.txt and tests/requirements.txt from pyproject.toml.

Both are locks: every package, its one version and the hashes of its files, for every
system at once. The development lock is made under the runtime lock, so it holds all
of it. Keeps the versions that still fit, or takes the newest with ``--upgrade``.
Shows the changes; writes them with ``--apply``. Needs ``uv`` and a network.

    python scripts/lock.py --upgrade --apply

Exit status: 0 done or shown, 1 uv is missing or found no solution.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = ROOT / "requirements.txt"
DEVELOPMENT = ROOT / "tests" / "requirements.txt"
RUNTIME_EXTRAS = ("embedded", "postgresql", "lan", "token")


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, make both locks beside, show or place them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take newest versions")
    parser.add_argument("--apply", action="store_true", help="write the locks")
    options = parser.parse_args(argv)
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        print("lock: needs uv; install it with: pip install uv", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as made:
        runtime, development = Path(made, "runtime.txt"), Path(made, "development.txt")
        if not options.upgrade:
            # uv keeps the versions it finds in the file that it is to write.
            _copy(RUNTIME, runtime)
            _copy(DEVELOPMENT, development)
        try:
            _compile(uv, runtime, RUNTIME_EXTRAS)
            _compile(uv, development, _extras(), "--constraints", str(runtime))
        except subprocess.CalledProcessError as error:
            print(f"lock: {error.stderr.strip()}", file=sys.stderr)
            return 1
        for old, new in ((RUNTIME, runtime), (DEVELOPMENT, development)):
            _show(old, new)
            if options.apply:
                _copy(new, old)
    return 0


def _copy(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copyfile(source, target)


def _extras() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return list(project["optional-dependencies"])


def _compile(uv: str, lock: Path, extras: Sequence[str], *more: str) -> None:
    """Let uv solve pyproject.toml with these extras into ``lock``."""
    command = [uv, "pip", "compile", "pyproject.toml", "--output-file", str(lock)]
    for extra in extras:
        command += ["--extra", extra]
    form = "--universal --python-version 3.11 --generate-hashes --quiet"
    plain = "--no-header --no-annotate --no-emit-index-url"
    subprocess.run(
        [*command, *form.split(), *plain.split(), *more],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )


def _show(old: Path, new: Path) -> None:
    """Print the packages that came, went or changed."""
    before, after = _pins(old), _pins(new)
    print(f"{old.relative_to(ROOT)}: {len(after)} packages")
    for pin in sorted(before ^ after):
        print(f"  {'+' if pin in after else '-'} {pin}")


def _pins(lock: Path) -> set[str]:
    if not lock.exists():
        return set()
    lines = lock.read_text().splitlines()
    return {line.rstrip("\\ ") for line in lines if "==" in line}


if __name__ == "__main__":
    sys.exit(main())

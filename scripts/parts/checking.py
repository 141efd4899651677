"""The checks that need no running program, one line each; all of them are run.

What they hold: style and types (ruff, mypy), the directions between the rooms
(import-linter), the JavaScript modules (node --test), the locks, and the law of the
tree: the top level has room for the names in TOP_LEVEL and no other.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.parts.environment import DEVELOPMENT, ROOT, RUNTIME

RUNTIME_EXTRAS = ("embedded", "postgresql", "lan", "token")
TOP_LEVEL = {
    "README.md",
    "app",
    "pyproject.toml",
    "requirements.txt",
    "scripts",
    "signing",
    "tests",
}

# One node for all modules: starting it takes longer than parsing them.
_PARSE = """
const { readFileSync } = require("node:fs");
const { SourceTextModule } = require("node:vm");
for (const file of process.argv.slice(1)) {
  try {
    new SourceTextModule(readFileSync(file, "utf8"), { identifier: file });
  } catch (error) {
    console.log(`${file}: ${error.message}`);
    process.exitCode = 1;
  }
}
"""

# A check gives the lines that tell what is wrong; none means that all is well.
Check = Callable[[], list[str]]


def main(argv: Sequence[str] | None = None) -> int:
    """Run all checks and print one line for each."""
    parser = argparse.ArgumentParser(
        prog="scripts/check",
        description="Run every static check. Exit status: 0 all well, 1 not.",
    )
    parser.parse_args(argv)
    failed = [name for name, check in CHECKS.items() if not _passes(name, check)]
    if failed:
        print(f"check: {len(failed)} of {len(CHECKS)} failed: {', '.join(failed)}")
    else:
        print(f"check: all {len(CHECKS)} passed")
    return 1 if failed else 0


def _passes(name: str, check: Check) -> bool:
    began = time.monotonic()
    wrong = check()
    verdict = "failed" if wrong else "ok"
    print(f"{verdict:<7}{name:<28}{time.monotonic() - began:6.1f} s", flush=True)
    for line in wrong:
        print(f"       {line}")
    return not wrong


def _runs(*command: str) -> list[str]:
    """Run a program; its output is what is wrong, unless it ends well."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    told = done.stdout.strip().splitlines()
    return [] if done.returncode == 0 else told or [f"exit status {done.returncode}"]


def _tool(name: str) -> str:
    """A program that was installed beside this Python."""
    return str(Path(sys.executable).parent / name)


def _commands() -> list[str]:
    """The commands without a suffix, which the tools would not find by themselves."""
    return sorted(
        str(file.relative_to(ROOT))
        for file in (ROOT / "scripts").iterdir()
        if file.is_file() and not file.suffix
    )


def _style() -> list[str]:
    return _runs(_tool("ruff"), "check", "--quiet", ".", *_commands())


def _format() -> list[str]:
    return _runs(_tool("ruff"), "format", "--check", "--quiet", ".", *_commands())


def _types() -> list[str]:
    rooms = ("-p", "app", "-p", "signing", "-p", "scripts")
    return _runs(sys.executable, "-m", "mypy", "--no-error-summary", *rooms)


def _directions() -> list[str]:
    return _runs(_tool("lint-imports"))


def javascript() -> list[str]:
    """Run the JavaScript tests; there must be a node for them, and some tests."""
    node = shutil.which("node")
    if node is None:
        return ["node is missing; on Debian or Ubuntu: sudo apt-get install nodejs"]
    tests = sorted(map(str, (ROOT / "tests").rglob("*.test.mjs")))
    return _runs(node, "--test", *tests) if tests else ["no tests/**/*.test.mjs"]


def _syntax_of_javascript() -> list[str]:
    """Parse every module of ours: not each is met by a test."""
    node = shutil.which("node") or "node"
    modules = [
        module
        for module in sorted((ROOT / "app").rglob("*.js"))
        if "vendor" not in module.parts
    ]
    wrong = [
        f"{module.relative_to(ROOT)}: begin with // @ts-check"
        for module in modules
        if not module.read_text().startswith("// @ts-check\n")
    ]
    flags = ("--no-warnings", "--experimental-vm-modules", "--input-type=commonjs")
    return wrong + _runs(node, *flags, "--eval", _PARSE, "--", *map(str, modules))


def _tree() -> list[str]:
    """Compare the top level with its law; hidden names are for tools, and free."""
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    names.discard("__pycache__")
    wrong = [f"{name}: has no place at the top level" for name in names - TOP_LEVEL]
    wrong += [f"{name}: is missing" for name in TOP_LEVEL - names]
    return sorted(wrong)


def _locks() -> list[str]:
    """Hold both locks to pyproject.toml, without asking any index."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    base = project["dependencies"]
    runtime = base + [line for extra in RUNTIME_EXTRAS for line in extras[extra]]
    everything = base + [line for lines in extras.values() for line in lines]
    wrong = lock_problems(RUNTIME, ROOT / RUNTIME, runtime)
    wrong += lock_problems(DEVELOPMENT, ROOT / DEVELOPMENT, everything)
    missing = set(pins(ROOT / RUNTIME)) - set(pins(ROOT / DEVELOPMENT))
    wrong += [f"{DEVELOPMENT}: lacks the runtime's {pin}" for pin in sorted(missing)]
    return wrong + (["renew with: python scripts/lock.py --apply"] if wrong else [])


def pins(lock: Path) -> list[str]:
    """The lines ``name==version; marker`` of a lock, without their hashes."""
    lines = lock.read_text().splitlines()
    return [line.rstrip("\\ ") for line in lines if "==" in line]


def lock_problems(name: str, lock: Path, wanted: Sequence[str]) -> list[str]:
    """What keeps a lock from being the lock of these requirements.

    Args:
        name: what to call the lock.
        lock: its file, as ``scripts/lock.py`` writes it.
        wanted: requirements as in pyproject.toml, each of which must be pinned to a
            version inside its bounds.
    """
    text = lock.read_text()
    wrong = [f"{name}: holds an address"] if "://" in text else []
    entries = [Requirement(pin) for pin in pins(lock)]
    wrong += [
        f"{name}: {entry} has no hash"
        for entry, block in zip(entries, _blocks(text), strict=True)
        if "--hash=sha256:" not in block
    ]
    for line in wanted:
        need = Requirement(line)
        found = [
            entry
            for entry in entries
            if canonicalize_name(entry.name) == canonicalize_name(need.name)
        ]
        if not found:
            wrong.append(f"{name}: lacks {line}")
        for entry in found:
            version = next(iter(entry.specifier)).version
            if version not in need.specifier:
                wrong.append(f"{name}: {entry} is outside of {line}")
    return wrong


def _blocks(text: str) -> list[str]:
    """The lock cut into one piece for each package."""
    pieces: list[str] = []
    for line in text.splitlines(keepends=True):
        if line[:1].strip() and not line.startswith("#"):
            pieces.append(line)
        elif pieces:
            pieces[-1] += line
    return pieces


CHECKS: dict[str, Check] = {
    "ruff check": _style,
    "ruff format": _format,
    "mypy": _types,
    "import directions": _directions,
    "JavaScript syntax": _syntax_of_javascript,
    "JavaScript tests": javascript,
    "top level of the tree": _tree,
    "locks": _locks,
}

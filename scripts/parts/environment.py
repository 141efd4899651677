"""The project's own Python environment, made, healed and entered before all else.

A command begins with ``enter()``. The first time this makes ``.venv`` and installs
what the lock names, each file checked against its hash; afterwards it compares one
small stamp and goes on at once. The stamp says "making" from before the first byte
until after the last: an environment whose making was cut short is thrown away and
made again, because pip believes half-written packages.

Settings: ``PUNCHPROOF_VENV`` names another directory, or ``none`` where the Python
that starts the command has everything installed already (a container). pip's own
settings are obeyed, a mirror of the package index for instance.

Standard library only, by need.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path

from scripts.parts import system_packages
from scripts.parts.progress import step, warn

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = "requirements.txt"
# Not at the top level, which has room for one lock.
DEVELOPMENT = "tests/requirements.txt"

# The development lock holds the whole of the runtime lock (see scripts/check), so
# what tests can serve too.
_INSTALLS = {DEVELOPMENT: (RUNTIME, DEVELOPMENT)}
_STAMP = "punchproof.json"
# Holds this process's id after the change of interpreter; see enter().
_ENTERED = "PUNCHPROOF_ENTERED"


class SetupError(Exception):
    """The environment could not be made; the sentence says what to do."""


def enter(lock: str = RUNTIME) -> None:
    """Go on under the project's own Python; return only once it runs this process.

    Args:
        lock: the lock that must be installed; its path from the project's root.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal without UTF-8 gets a question mark, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    home = directory()
    if home is None or (_is_inside(home) and _is_ready(home, lock)):
        return
    if os.environ.get(_ENTERED) == str(os.getpid()):
        sys.exit(f"setup: {home} does not work as a Python environment; remove it")
    try:
        # What a command itself answers may be read by a program.
        with redirect_stdout(sys.stderr):
            prepare(home, lock)
    except SetupError as error:
        sys.exit(f"setup: {error}")
    except KeyboardInterrupt:
        warn("\nsetup: stopped; the next start begins it again")
        sys.exit(130)
    os.environ[_ENTERED] = str(os.getpid())
    python = str(_python(home))
    os.execv(python, [python, *sys.argv])  # noqa: S606


def directory() -> Path | None:
    """Where the environment is or shall be; None when there is to be none."""
    chosen = os.environ.get("PUNCHPROOF_VENV") or str(ROOT / ".venv")
    return None if chosen == "none" else Path(chosen).expanduser().absolute()


def prepare(home: Path, lock: str) -> None:
    """Make or mend the environment; do nothing if the stamp fits.

    Raises:
        SetupError: no environment, or not what the lock names.
    """
    with _alone(ROOT / lock) as held:
        if _is_ready(home, lock):
            return
        print("Setting up (this start only)", flush=True)
        _make(home)
        _stamp(home, "making", ())
        _install(home, lock, held)
        _stamp(home, "ready", _INSTALLS.get(lock, (lock,)))


def _is_inside(home: Path) -> bool:
    return Path(sys.prefix).resolve() == home.resolve()


def _is_ready(home: Path, lock: str) -> bool:
    """Whether the stamp in ``home`` says that this lock is installed, whole."""
    stamp = _read_stamp(home)
    return (
        stamp.get("state") == "ready"
        and stamp.get("locks", {}).get(lock) == _digest(lock)
        and _python(home).exists()
        # A system's upgrade can put a newer Python under an old environment.
        and (not _is_inside(home) or stamp.get("python") == _version())
    )


def _read_stamp(home: Path) -> dict:  # type: ignore[type-arg]
    try:
        stamp = json.loads((home / _STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _stamp(home: Path, state: str, locks: tuple[str, ...]) -> None:
    stamp = {
        "state": state,
        "python": _version(),
        "locks": {lock: _digest(lock) for lock in locks},
    }
    fresh = home / f"{_STAMP}.new"
    fresh.write_text(json.dumps(stamp))
    fresh.replace(home / _STAMP)


def _digest(lock: str) -> str:
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _python(home: Path) -> Path:
    return home / "bin" / "python"


def _base() -> str:
    """The Python outside of any environment, to make environments with."""
    return getattr(sys, "_base_executable", None) or sys.executable


@contextmanager
def _alone(lock: Path) -> Iterator[int]:
    """Keep out a second set-up, and the installer that a killed one left running."""
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            warn("setup: waiting for another set-up to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _make(home: Path) -> None:
    """See to it that ``home`` is an environment with a Python that starts."""
    stamp = _read_stamp(home)
    is_ours = bool(stamp) or (home / "pyvenv.cfg").exists()
    if home.exists() and any(home.iterdir()) and not is_ours:
        raise SetupError(f"{home} exists and is no Python environment; name another")
    if is_ours and stamp.get("state") != "making" and _runs(home):
        return
    with step(f"Python {_version()} environment in {_short(home)}"):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        _stamp(home, "making", ())
        # Without pip: on Debian the parts to put it there are a package of their own.
        _run([_base(), "-m", "venv", "--without-pip", str(home)], home / "venv.log")


def _runs(home: Path) -> bool:
    """Whether the environment's Python starts and is of this version."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    command = [str(_python(home)), "-c", ask]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return bool(told.stdout.strip() == _version())


def _install(home: Path, lock: str, held: int) -> None:
    """Install exactly what the lock names, from files with the hashes it names."""
    count = sum(1 for line in (ROOT / lock).read_text().splitlines() if "==" in line)
    pip = _pip(home)
    with step(f"{count} packages, each checked against its hash"):
        words = "install --require-hashes --no-deps --no-user --no-input --quiet"
        quiet = "--disable-pip-version-check --progress-bar off --requirement"
        command = [*pip, *words.split(), *quiet.split(), str(ROOT / lock)]
        _run(command, home / "pip.log", held)


def _pip(home: Path) -> list[str]:
    """The words that run a pip which installs into ``home``; fetches one if need be."""
    inside = [str(_python(home)), "-m", "pip"]
    if _succeeds([*inside, "--version"]):
        return inside
    if find_spec("ensurepip") is None:
        # Debian keeps ensurepip in a package of its own. Another pip will do, if
        # it is of 22.3 or newer.
        outside = [_base(), "-m", "pip", "--python", str(_python(home))]
        if _succeeds([*outside, "--version"]):
            return outside
        _add_ensurepip()
    with step("pip"):
        make = [str(_python(home)), "-m", "ensurepip", "--default-pip"]
        _run(make, home / "pip.log")
    return inside


def _add_ensurepip() -> None:
    package = f"python{_version()}-venv"
    if system_packages.can_install():
        with step(f"{package} from the system's packages"):
            system_packages.install(package)
    if not _succeeds([_base(), "-c", "import ensurepip"]):
        raise SetupError(
            f"this Python ({_base()}) can make no environment. On Debian or Ubuntu "
            f"run: sudo apt-get install {package}"
        )


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(command: list[str], log: Path, held: int | None = None) -> None:
    """Run one step of the set-up with its output in ``log``.

    The program keeps ``held`` open: should this process be killed, the lock on it
    lasts until the program has ended too.
    """
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=() if held is None else (held,),
            check=False,
        )
    if done.returncode != 0:
        told = log.read_text(errors="replace").strip().splitlines()[-12:]
        warn("\n".join(told))
        raise SetupError(
            f"{' '.join(command[1:4])} failed; its last lines are above. Without a "
            "network nothing can be installed; a mirror is named by PIP_INDEX_URL."
        )


def _short(path: Path) -> str:
    """The path as a person here would write it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)

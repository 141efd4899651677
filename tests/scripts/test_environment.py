"""The project's own environment: made once, healed, and never half believed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.parts import checking, environment
from scripts.parts.environment import SetupError

ROOT = Path(__file__).resolve().parents[2]
PINNED = "flask==3.1.3 \\\n    --hash=sha256:00\n"


@pytest.fixture
def empty_lock(tmp_path):
    """A lock that names nothing, so that no index is asked."""
    lock = tmp_path / "requirements.txt"
    lock.write_text("# nothing\n")
    return str(lock)


def stamp_in(home):
    return json.loads((home / "punchproof.json").read_text())


@pytest.mark.slow
def test_an_environment_is_made_once(tmp_path, empty_lock, capsys):
    home = tmp_path / "venv"
    environment.prepare(home, empty_lock)
    assert "packages" in capsys.readouterr().out

    environment.prepare(home, empty_lock)

    assert capsys.readouterr().out == ""
    assert stamp_in(home)["state"] == "ready"


@pytest.mark.slow
def test_one_that_was_cut_short_is_made_again(tmp_path, empty_lock):
    # given what a kill in the middle of it leaves behind
    home = tmp_path / "venv"
    (home / "lib").mkdir(parents=True)
    (home / "lib" / "half-a-package").touch()
    (home / "punchproof.json").write_text('{"state": "making"}')

    environment.prepare(home, empty_lock)

    assert not (home / "lib" / "half-a-package").exists()
    python = home / "bin" / "python"
    assert subprocess.run([python, "-c", "import pip"], check=False).returncode == 0


@pytest.mark.slow
def test_a_failed_installation_is_told_and_not_believed(tmp_path, capsys):
    home, lock = tmp_path / "venv", tmp_path / "requirements.txt"
    lock.write_text("./there-is-no-such-package==1.0 --hash=sha256:00\n")

    with pytest.raises(SetupError, match="pip install failed"):
        environment.prepare(home, str(lock))

    assert stamp_in(home)["state"] == "making"


def test_another_lock_is_not_taken_for_the_one_installed(tmp_path, empty_lock):
    home = tmp_path / "venv"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(sys.executable)
    environment._stamp(home, "ready", (empty_lock,))
    assert environment._is_ready(home, empty_lock)

    Path(empty_lock).write_text("# something else\n")

    assert not environment._is_ready(home, empty_lock)


def test_a_directory_with_other_things_is_left_alone(tmp_path, empty_lock):
    home = tmp_path / "letters"
    home.mkdir()
    (home / "to-anna.txt").write_text("Dear Anna")

    with pytest.raises(SetupError, match="no Python environment"):
        environment.prepare(home, empty_lock)

    assert (home / "to-anna.txt").read_text() == "Dear Anna"


def test_none_is_wanted_where_everything_is_installed(monkeypatch):
    monkeypatch.setenv("PUNCHPROOF_VENV", "none")

    environment.enter()

    assert environment.directory() is None


def test_an_old_python_is_told_what_is_needed(tmp_path):
    pretend = "import sys; sys.version_info = (3, 9, 2, 'final', 0); import scripts"

    told = subprocess.run(
        [sys.executable, "-c", pretend],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 1
    assert "needs Python 3.11 or newer" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_locks_are_those_of_pyproject():
    assert checking.CHECKS["locks"]() == []


@pytest.mark.parametrize(
    ("lock", "wanted", "problem"),
    [
        (PINNED, "flask>=3.2", "is outside of flask>=3.2"),
        (PINNED, "redis>=8", "lacks redis>=8"),
        ("flask==3.1.3\n", "flask", "has no hash"),
        (f"{PINNED}# https://index.example\n", "flask", "holds an address"),
    ],
)
def test_a_lock_that_differs_is_found(tmp_path, lock, wanted, problem):
    file = tmp_path / "lock.txt"
    file.write_text(lock)

    (told,) = checking.lock_problems("lock", file, [wanted])

    assert problem in told

"""scripts/fuzz.py: what is bent, what it finds, and that it finds nothing of ours."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 280
#: Where the lock has what guides (pyproject.toml): it must be there, and work.
HAS_GUIDE = sys.platform == "linux" and platform.machine() == "x86_64"
WAY = [] if HAS_GUIDE and sys.version_info < (3, 15) else ["--unguided"]
#: Readers with faults, that say of themselves what they are allowed.
FAULTY = """
import os, sys
from pathlib import Path
from scripts.fuzzing.catalogue import Found, Target
from scripts.fuzzing.run import Plan, read_all

def stumbles(data):
    if b"9" in data:
        raise KeyError("nine")
    raise ValueError("allowed")

def dies(data):
    if b"9" in data:
        os._exit(7)

def believes(data):
    if data == b"seed":
        raise Found("that is not right")

for read in (stumbles, dies, believes):
    target = Target(read.__name__, "", "", read, lambda: [b"seed"], (ValueError,))
    for result in read_all([target], Plan(False, runs=200), Path(sys.argv[1])):
        for finding in result.findings:
            print(read.__name__, finding.what, repr(finding.data), sep="|")
"""


def python(*words: object) -> subprocess.CompletedProcess[str]:
    """Run this very Python as somebody who has set nothing."""
    ours = ("PUNCHPROOF_", "REDIS_", "DATABASE_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=ROOT,
        env={**kept, "PUNCHPROOF_VENV": "none", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.slow
def test_no_reader_of_text_from_outside_stumbles(counts):
    # when each gets its seeds, the same ones bent, and what the guide makes of them
    told = python("scripts/fuzz.py", *WAY, "--runs", 200, "--json")

    # then it raises what it documents, and nothing else
    assert told.stdout, told.stderr
    results = json.loads(told.stdout)
    counts(
        targets=len(results),
        executions=sum(one["executions"] for one in results),
        edges=sum(one["edges"] or 0 for one in results),
        findings=sum(len(one["findings"]) for one in results),
        seconds=round(sum(one["seconds"] for one in results)),
    )
    found = {one["target"]: one["findings"] for one in results if one["findings"]}
    assert found == {}
    assert told.returncode == 0
    assert min(one["executions"] for one in results) > 5
    if not WAY:
        # what guides has really seen code of ours
        assert min(one["edges"] for one in results) > 0


def test_what_is_not_documented_is_found_with_an_input_that_does_it(tmp_path: Path):
    told = python("-c", FAULTY, tmp_path)

    found = [line.split("|") for line in told.stdout.splitlines()]
    assert [(name, what.partition(":")[0]) for name, what, _ in found] == [
        ("stumbles", "KeyError"),
        ("dies", "ended with 7"),
        ("believes", "Found"),
    ], told.stderr
    assert "9" in found[0][2]
    assert found[2][2] == "b'seed'"


def test_a_target_that_is_not_there_is_a_slip():
    told = python("scripts/fuzz.py", "--unguided", "--only", "nothing")

    assert told.returncode == 2
    assert "no such target: nothing" in told.stderr

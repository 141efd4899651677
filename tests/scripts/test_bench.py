"""The benchmarks run, and their figures are about the same work."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from scripts.bench import live, stamp
from tests.running import ROOT

pytestmark = pytest.mark.slow


def test_what_a_phone_costs_is_told_beside_its_floor():
    words = ["scripts/bench/live.py", "--phones", "20", "--rounds", "2", "--json"]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )

    found = json.loads(done.stdout)
    assert found["ours_ms"] > found["floor_ms"] > 0
    assert found["cores"] == pytest.approx(
        20 / live.EVERY_S * found["ours_ms"] / 1000, abs=0.001
    )


def test_what_a_stamp_costs_is_told_by_its_parts_beside_its_floor(
    capsys: pytest.CaptureFixture[str],
):
    words = ["--books", "sqlite", "--stamps", "20", "--rounds", "1"]
    assert stamp.main([*words, "--json"]) == 0

    found = json.loads(capsys.readouterr().out)["sqlite"]
    assert found["stamp"]["web"] == pytest.approx(
        found["shown"]["web"] + found["scanned"]["web"]
    )
    # CPU is counted by hundredths of a second, which few stamps do not fill
    assert found["stamp"]["all"] > found["floor"]["all"] >= 0
    assert set(found["floor"]) == {"web", "nonces", "all"}

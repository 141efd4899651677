"""The benchmarks run, and their figures are about the same work."""

from __future__ import annotations

import json

import pytest

from scripts.bench import live

pytestmark = pytest.mark.slow


def test_what_a_phone_costs_is_told_beside_its_floor(
    capsys: pytest.CaptureFixture[str],
):
    assert live.main(["--phones", "20", "--rounds", "2", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["ours_ms"] > found["floor_ms"] > 0
    assert found["cores"] == pytest.approx(
        20 / live.EVERY_S * found["ours_ms"] / 1000, abs=0.001
    )

"""Which tests scripts/test runs, and what it says at its end."""

from __future__ import annotations

import os

import pytest

from scripts.parts.testing import FAST, LONG, USUAL, pictures_since, share_of


def test_the_pictures_of_this_run_are_counted(tmp_path):
    # given pictures of a run before, and of this one, in their languages
    (tmp_path / "en").mkdir()
    for name in ("en/1-door.png", "en/2-shop.png", "he.png", "notes.txt"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "he.png", (1_000, 1_000))

    # then those of this run are counted
    assert pictures_since(tmp_path, 2_000) == 2
    assert pictures_since(tmp_path / "nowhere", 0) == 0


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ((False, False, []), ["-m", USUAL]),
        ((True, False, []), ["-m", FAST]),
        ((False, True, []), ["-m", LONG]),
        # who names a test gets it, however long it takes
        ((False, False, ["tests/scripts/test_runbook.py"]), []),
        ((False, True, ["-x"]), ["-m", LONG]),
    ],
)
def test_a_share_is_chosen_by_marks(words, chosen):
    assert share_of(*words) == chosen


def test_every_test_is_usual_or_long():
    # The continuous run takes both shares, one after the other: none falls between.
    assert f"not {LONG}" == USUAL
    assert FAST.endswith(f"and {USUAL}")

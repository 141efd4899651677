"""What scripts/test says at its end."""

from __future__ import annotations

import os

from scripts.parts.testing import pictures_since


def test_the_pictures_of_this_run_are_counted(tmp_path):
    # given pictures of a run before, and of this one, in their languages
    (tmp_path / "en").mkdir()
    for name in ("en/1-door.png", "en/2-shop.png", "he.png", "notes.txt"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "he.png", (1_000, 1_000))

    # then those of this run are counted
    assert pictures_since(tmp_path, 2_000) == 2
    assert pictures_since(tmp_path / "nowhere", 0) == 0

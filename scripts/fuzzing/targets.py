"""Every target, put in the catalogue by being imported."""

from __future__ import annotations

from scripts.fuzzing import doors, kept, settings, signed, typed
from scripts.fuzzing.catalogue import CATALOGUE

__all__ = ["doors", "kept", "settings", "signed", "typed"]


def must_be_there() -> None:
    """Hold the catalogue to its modules: a name twice would hide a target."""
    names = [one.name for one in CATALOGUE]
    if len(set(names)) != len(names):
        raise RuntimeError("two targets have one name")

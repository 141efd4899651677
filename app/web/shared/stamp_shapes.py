"""The outlines that a shop's stamps may have, as path data round the middle.

Each leaves the circle free in which date and place run (radius 44), so that the words
stand alike on all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final


def outline(shape: str) -> str:
    """Return the path of a shape, some 98 units wide, centred on nought.

    Args:
        shape: a key of ``DRAWN``; anything else is drawn round.
    """
    return DRAWN.get(shape, _round)()


def _round() -> str:
    return "M-49.5 0a49.5 49.5 0 0 1 99 0a49.5 49.5 0 0 1-99 0z"


def _seal() -> str:
    """Twenty small waves, as on a notary's seal."""
    return _bows(points=20, radius=47.4, bow=8.4)


def _flower() -> str:
    """Eight petals."""
    return _bows(points=8, radius=47.4, bow=29)


def _octagon() -> str:
    corners = [_at(51.4, math.tau * (place + 0.5) / 8) for place in range(8)]
    return "M" + "L".join(corners) + "z"


def _square() -> str:
    """A square with soft corners, as of a letter stamp."""
    return (
        "M-34-48H34A14 14 0 0 1 48-34V34A14 14 0 0 1 34 48H-34A14 14 0 0 1-48 34"
        "V-34A14 14 0 0 1-34-48z"
    )


def _bows(*, points: int, radius: float, bow: float) -> str:
    """Join points on a circle by arcs that stand out from it."""
    corners = [_at(radius, math.tau * place / points) for place in range(points)]
    arcs = "".join(
        f"A{bow:g} {bow:g} 0 0 1 {corner}" for corner in [*corners[1:], corners[0]]
    )
    return f"M{corners[0]}{arcs}z"


def _at(radius: float, angle: float) -> str:
    return f"{radius * math.cos(angle):.1f} {radius * math.sin(angle):.1f}"


DRAWN: Final[Mapping[str, Callable[[], str]]] = {
    "round": _round,
    "seal": _seal,
    "flower": _flower,
    "octagon": _octagon,
    "square": _square,
}

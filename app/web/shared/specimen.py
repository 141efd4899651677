"""A card that nobody has: for previews, and for the page of all parts.

Drawn by the same hands as a real one, so that what an owner chooses is what a customer
gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.web.shared import guilloche
from app.web.shared.stamp_shapes import DRAWN, outline

#: Stamps that the specimen has, with days that look like a month of visits.
_DAYS = (3, 7, 8, 14, 15, 21, 22)


@dataclass(frozen=True, slots=True)
class Specimen:
    """What ``shared/card.html`` draws."""

    #: SVG that the stamps lean on.
    parts: str
    #: SVG of the rosette.
    back: str
    marks: tuple[str, ...]
    empty: tuple[int, ...]
    stamps: int
    required: int
    number: str


def specimen(
    shape: str,
    *,
    month: str,
    place: str,
    label: str,
    stamps: int = 7,
    required: int = 10,
) -> Specimen:
    """Lay out a card.

    Args:
        shape: of the stamps.
        month: short, in the reader's language, "Nov".
        place: what stands under each stamp's date.
        label: what a screen reader says for a stamp.
        stamps: how many have fallen, up to 7.
        required: how many it takes.
    """
    full = min(stamps, required - 1, len(_DAYS))
    marks = tuple(
        guilloche.postmark(
            f"specimen-{day}", date=f"{day} {month}", place=place, label=label
        )
        for day in _DAYS[:full]
    )
    return Specimen(
        parts=guilloche.postmark_parts(guilloche.CUP, shape),
        back=guilloche.card_back("44172093"),
        marks=marks,
        empty=tuple(range(full + 1, required + 1)),
        stamps=full,
        required=required,
        number="4417 2093",
    )


def outlines(shapes: Sequence[str] = tuple(DRAWN)) -> dict[str, str]:
    """Return each shape's path, for pictures to choose from."""
    return {shape: outline(shape) for shape in shapes}

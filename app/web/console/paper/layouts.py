"""Where things stand on paper, in millimetres from the top left corner.

A module of a code is a whole number of dots of a 203 dpi printer, and its picture
begins on a whole dot: such a printer, which labels and receipts come from, has no
greys, and draws half a dot as one or none. Three dots are the least (0.375 mm): cameras
want 0.33 mm and more. Finer printers have dots enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

#: One dot at 203 dpi, in mm.
DOT: Final = 25.4 / 203
LEAST_DOTS: Final = 3
#: White modules on each side of a code.
QUIET: Final = 4


class CodeTooLarge(Exception):
    """The address of the shop is so long that its codes do not fit this paper."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of paper: pages of equal cells, each of them one stamp."""

    key: str
    #: Of the page.
    width: float
    height: float
    columns: int
    rows: int
    #: Of the first cell.
    left: float
    top: float
    cell_width: float
    cell_height: float
    #: From one cell to the next.
    pitch_x: float
    pitch_y: float
    #: Room for the picture of the code, white border and all.
    code_width: float
    code_height: float
    #: Dots on the side of a module, at most.
    most_dots: int
    #: Lines to cut along, in the margin.
    has_marks: bool = False
    #: The code stands under the words; else beside them.
    is_slip: bool = False

    @property
    def on_page(self) -> int:
        """How many stamps a page has."""
        return self.columns * self.rows

    def corners(self) -> Iterator[tuple[float, float]]:
        """Give the top left corner of each cell of a page, row by row."""
        for row in range(self.rows):
            for column in range(self.columns):
                yield (
                    self.left + column * self.pitch_x,
                    self.top + row * self.pitch_y,
                )

    def dots(self, modules: int) -> int:
        """Choose how many dots the side of a module has.

        Args:
            modules: on the side of the symbol, without its border.

        Raises:
            CodeTooLarge: not even ``LEAST_DOTS`` fit.
        """
        side = min(self.code_width, self.code_height)
        # A millionth more, for what floats leave out.
        dots = int((side + 1e-6) / DOT / (modules + 2 * QUIET))
        if dots < LEAST_DOTS:
            raise CodeTooLarge(self.key)
        return min(dots, self.most_dots)


def on_dot(place: float) -> float:
    """Move a place to the nearest whole dot, in mm."""
    return round(place / DOT) * DOT


def _grid(
    key: str,
    page: tuple[float, float],
    cells: tuple[int, int],
    cell: tuple[float, float],
) -> Layout:
    """Put cells to cut apart in the middle of a page."""
    (width, height), (columns, rows) = page, cells
    return Layout(
        key=key,
        width=width,
        height=height,
        columns=columns,
        rows=rows,
        left=(width - columns * cell[0]) / 2,
        top=(height - rows * cell[1]) / 2,
        cell_width=cell[0],
        cell_height=cell[1],
        pitch_x=cell[0],
        pitch_y=cell[1],
        code_width=33,
        code_height=cell[1] - 9,
        most_dots=4,
        has_marks=True,
    )


def _slip(key: str, width: float, printed: float) -> Layout:
    """Put one stamp on a piece of a receipt printer's roll.

    Args:
        key: of the layout.
        width: of the roll.
        printed: how much of it the printer's head covers.
    """
    height = on_dot(printed + 52)
    return Layout(
        key=key,
        width=width,
        height=height,
        columns=1,
        rows=1,
        left=(width - printed) / 2,
        top=3,
        cell_width=printed,
        cell_height=height - 6,
        pitch_x=printed,
        pitch_y=height,
        code_width=min(printed, 60),
        code_height=60,
        most_dots=6,
        is_slip=True,
    )


_A4: Final = (210.0, 297.0)
_LETTER: Final = (215.9, 279.4)

LAYOUTS: Final[Mapping[str, Layout]] = {
    layout.key: layout
    for layout in (
        _grid("a4", _A4, (3, 6), (62.0, 45.0)),
        _grid("letter", _LETTER, (3, 6), (62.0, 42.0)),
        # Avery L7160 and its like: 21 labels of 63.5 by 38.1 mm.
        Layout(
            key="labels-a4",
            width=210.0,
            height=297.0,
            columns=3,
            rows=7,
            left=7.25,
            top=15.15,
            cell_width=63.5,
            cell_height=38.1,
            pitch_x=66.0,
            pitch_y=38.1,
            code_width=32,
            code_height=30.5,
            most_dots=4,
        ),
        # Avery 5163 and its like: 10 labels of 4 by 2 inches.
        Layout(
            key="labels-letter",
            width=215.9,
            height=279.4,
            columns=2,
            rows=5,
            left=3.97,
            top=12.7,
            cell_width=101.6,
            cell_height=50.8,
            pitch_x=106.36,
            pitch_y=50.8,
            code_width=42,
            code_height=42,
            most_dots=5,
        ),
        _slip("slip-58", 58.0, 48.0),
        _slip("slip-80", 80.0, 72.0),
    )
}

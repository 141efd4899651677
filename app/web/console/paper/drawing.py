"""Stamps drawn as PDF, in the shop's name and colour.

The code is black on white with its border, whatever the colour. Its picture has eight
pixels a module and one bit a pixel: smaller than lines would be, sharp at any size, and
where a reader smooths what it enlarges the smear is an eighth of a module.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fpdf import FPDF

from app.web.console.paper.fonts import FOLDERS, set_font_for
from app.web.console.paper.layouts import DOT, QUIET, Layout, on_dot
from signing import qr

_PIXELS: Final = 8
#: In points: from one size that is tried to the next.
_STEP: Final = 0.5
#: Points to millimetres, and a line's height for its letters' size.
_MM: Final = 25.4 / 72
_LEADING: Final = 1.22
_INK, _SOFT, _HAIR = (29, 26, 22), (90, 84, 74), (170, 163, 150)
_BAND_MM: Final = 7.0
_PAD_MM: Final = 2.5
#: A logo's tile in the band, and the white around the logo.
_LOGO_MM: Final = 4.6
_LOGO_EDGE_MM: Final = 0.3
#: Length of a cut mark, and how far it stays away from what is cut.
_MARK_MM, _AWAY_MM = 5.0, 1.5


@dataclass(frozen=True, slots=True)
class Look:
    """The shop's own."""

    name: str
    #: ``#rrggbb``, and what is read on it.
    colour: str
    ink: str
    #: A square PNG.
    logo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What all the stamps of a file say, in the language of who prints them."""

    look: Look
    #: "2 stamps"
    worth: str
    #: "10 stamps: a coffee"
    reward: str
    #: "Scan this with your phone's camera"
    how: str
    #: "Good until 24 February 2027"
    until: str
    is_rtl: bool
    #: Title and language of the file.
    title: str
    language: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """One stamp of it."""

    #: "12-0007", for people.
    number: str
    url: str


def draw(
    sheet: Sheet,
    layout: Layout,
    stamps: Sequence[Drawn],
    *,
    folders: Sequence[Path] = FOLDERS,
) -> bytes:
    """Draw a file of stamps.

    Args:
        sheet: what all of them say.
        layout: the paper.
        stamps: in the order in which they are cut apart.
        folders: where fonts are.

    Returns:
        The PDF. It holds living codes.

    Raises:
        CodeTooLarge: the codes do not fit the paper.
        FontMissing: no font here has all the letters.
    """
    pdf = FPDF(unit="mm", format=(layout.width, layout.height))
    pdf.set_auto_page_break(auto=False)
    pdf.set_margin(0)
    pdf.c_margin = 0
    pdf.set_title(sheet.title)
    pdf.set_lang(sheet.language)
    pdf.set_creator("Punchproof")
    of_all = (sheet.look.name, sheet.worth, sheet.reward, sheet.how, sheet.until, "…")
    said = "".join((*of_all, *(stamp.number for stamp in stamps)))
    pen = _Pen(pdf, set_font_for(pdf, said, folders), is_rtl=sheet.is_rtl)
    # All links are of one length, and so all codes of one size.
    modules = len(qr.modules(stamps[0].url)) if stamps else 0
    side = layout.dots(modules) * (modules + 2 * QUIET) * DOT
    for at in range(0, len(stamps), layout.on_page):
        pdf.add_page()
        if layout.has_marks:
            _draw_marks(pdf, layout)
        for corner, stamp in zip(layout.corners(), stamps[at:], strict=False):
            if layout.is_slip:
                _draw_slip(pen, sheet, (layout, side), corner, stamp)
            else:
                _draw_cell(pen, sheet, (layout, side), corner, stamp)
    return bytes(pdf.output())


@dataclass(frozen=True, slots=True)
class _How:
    """How words are written: as large as they fit, in points."""

    size: float
    least: float
    ink: tuple[int, int, int] = _INK
    is_bold: bool = False
    #: At most; what is longer still is cut short.
    lines: int = 1
    #: In the middle of its box, else at its start.
    is_centred: bool = False


class _Pen:
    """Writes lines of words into boxes."""

    def __init__(self, pdf: FPDF, family: str, *, is_rtl: bool) -> None:
        self.pdf = pdf
        self._family = family
        self.is_rtl = is_rtl
        # A file says the same on each of its stamps.
        self._fitted: dict[tuple[str, float, _How], tuple[float, list[str]]] = {}

    def write(self, text: str, box: tuple[float, float, float], how: _How) -> float:
        """Write a text, and give the place under it.

        Args:
            text: what.
            box: left, top and width, in mm.
            how: the look of it.
        """
        left, top, width = box
        key = (text, round(width, 3), how)
        if key not in self._fitted:
            self._fitted[key] = self._fit(text, width, how)
        size, lines = self._fitted[key]
        self.pdf.set_font(self._family, "B" if how.is_bold else "", size)
        self.pdf.set_text_color(*how.ink)
        height = size * _MM * _LEADING
        align = "C" if how.is_centred else "R" if self.is_rtl else "L"
        for number, line in enumerate(lines):
            self.pdf.set_xy(left, top + number * height)
            self.pdf.cell(width, height, line, align=align)
        return top + len(lines) * height

    def _fit(self, text: str, width: float, how: _How) -> tuple[float, list[str]]:
        """Find the largest size at which a text fits, and break it there."""
        size = how.size
        while True:
            self.pdf.set_font(self._family, "B" if how.is_bold else "", size)
            broken = self._break(text, width)
            if len(broken) <= how.lines:
                return size, broken
            if size - _STEP < how.least:
                last = self._cut(" ".join(broken[how.lines - 1 :]), width)
                return size, [*broken[: how.lines - 1], last]
            size -= _STEP

    def _break(self, text: str, width: float) -> list[str]:
        """Break into lines between words, and within what has no spaces."""
        lines = [""]
        for word in text.split():
            joined = f"{lines[-1]} {word}".lstrip()
            if self.pdf.get_string_width(joined) <= width:
                lines[-1] = joined
                continue
            if lines[-1]:
                lines.append("")
            for letter in word:
                if self.pdf.get_string_width(lines[-1] + letter) > width:
                    lines.append("")
                lines[-1] += letter
        return lines

    def _cut(self, line: str, width: float) -> str:
        """Shorten a line so that it ends in an ellipsis within its box."""
        while self.pdf.get_string_width(f"{line}…") > width and line:
            line = line[:-1].rstrip()
        return f"{line}…"


_HOW_WORTH: Final = _How(15, 9, is_bold=True)
_HOW_REWARD: Final = _How(8.5, 6, lines=3)
_HOW_HOW: Final = _How(7, 5.5, ink=_SOFT, lines=3)
_HOW_FOOT: Final = _How(7, 4.5)
#: On slips, in points.
_BOLD_FROM: Final = 12


def _draw_cell(
    pen: _Pen,
    sheet: Sheet,
    paper: tuple[Layout, float],
    corner: tuple[float, float],
    stamp: Drawn,
) -> None:
    """Draw a stamp that lies: a band with the name, the code, the words beside it."""
    (layout, side), (x, y) = paper, corner
    width = layout.cell_width
    look = sheet.look
    # On labels, which are printed a little off, the band stays within.
    inset = 0.0 if layout.has_marks else 1.5
    pen.pdf.set_fill_color(*_rgb(look.colour))
    pen.pdf.rect(x + inset, y + inset, width - 2 * inset, _BAND_MM - inset, style="F")
    start, room_width = x + inset + _PAD_MM, width - 2 * (inset + _PAD_MM)
    if look.logo:
        taken = _LOGO_MM + _PAD_MM
        logo_x = start + room_width - _LOGO_MM if pen.is_rtl else start
        _draw_logo(pen.pdf, look.logo, logo_x, y + inset + (_BAND_MM - inset) / 2)
        start, room_width = start + (0 if pen.is_rtl else taken), room_width - taken
    room = (start, y + inset + 0.9, room_width)
    pen.write(look.name, room, _How(11, 7, ink=_rgb(look.ink), is_bold=True))
    code_x = x + width - side - 0.8 if pen.is_rtl else x + 0.8
    code_y = y + _BAND_MM + (layout.cell_height - _BAND_MM - side) / 2
    _draw_code(pen.pdf, stamp.url, on_dot(code_x), on_dot(code_y), side)
    # The code's own white border is room enough between it and the words.
    start = x + _PAD_MM + inset if pen.is_rtl else on_dot(code_x) + side
    room_width = width - side - 0.8 - _PAD_MM - inset
    top = y + _BAND_MM + 2.6
    top = pen.write(sheet.worth, (start, top, room_width), _HOW_WORTH)
    top = pen.write(sheet.reward, (start, top + 0.6, room_width), _HOW_REWARD)
    pen.write(sheet.how, (start, top + 1.2, room_width), _HOW_HOW)
    foot = y + layout.cell_height - 2.2 - inset - 2 * _HOW_FOOT.size * _MM * _LEADING
    foot = pen.write(sheet.until, (start, foot, room_width), _HOW_FOOT)
    pen.write(stamp.number, (start, foot, room_width), _HOW_FOOT)


def _draw_slip(
    pen: _Pen,
    sheet: Sheet,
    paper: tuple[Layout, float],
    corner: tuple[float, float],
    stamp: Drawn,
) -> None:
    """Draw a stamp that stands, in black alone: receipt printers have no other."""
    (layout, side), (x, y) = paper, corner
    black, width = (0, 0, 0), layout.cell_width

    def line(text: str, top: float, size: float, lines: int = 2) -> float:
        how = _How(
            size,
            size * 0.6,
            ink=black,
            is_bold=size > _BOLD_FROM,
            lines=lines,
            is_centred=True,
        )
        return pen.write(text, (x, top, width), how)

    top = line(sheet.look.name, y, 15)
    top = line(sheet.worth, top + 1.5, 20, lines=1)
    place = on_dot(x + (width - side) / 2), on_dot(top)
    _draw_code(pen.pdf, stamp.url, *place, side)
    top = line(sheet.how, on_dot(top) + side, 10)
    top = line(sheet.reward, top + 1, 10)
    top = line(sheet.until, top + 1.5, 9)
    line(stamp.number, top + 0.5, 9)


def _draw_logo(pdf: FPDF, logo: bytes, x: float, middle: float) -> None:
    """Draw it on white: a logo may be of the band's own colour."""
    y = middle - _LOGO_MM / 2
    pdf.set_fill_color(255, 255, 255)
    pdf.rect(x, y, _LOGO_MM, _LOGO_MM, style="F", round_corners=True, corner_radius=0.8)
    side, x, y = _LOGO_MM - 2 * _LOGO_EDGE_MM, x + _LOGO_EDGE_MM, y + _LOGO_EDGE_MM
    pdf.image(io.BytesIO(logo), x=x, y=y, w=side, h=side)


def _draw_code(pdf: FPDF, url: str, x: float, y: float, side: float) -> None:
    picture = io.BytesIO(qr.png(url, module_px=_PIXELS))
    pdf.image(picture, x=x, y=y, w=side, h=side)


def _draw_marks(pdf: FPDF, layout: Layout) -> None:
    """Draw where to cut: in the margins, and never into a stamp."""
    pdf.set_draw_color(*_HAIR)
    pdf.set_line_width(0.15)
    right = layout.left + layout.columns * layout.pitch_x
    bottom = layout.top + layout.rows * layout.pitch_y
    for column in range(layout.columns + 1):
        x = layout.left + column * layout.pitch_x
        pdf.line(x, layout.top - _AWAY_MM, x, layout.top - _AWAY_MM - _MARK_MM)
        pdf.line(x, bottom + _AWAY_MM, x, bottom + _AWAY_MM + _MARK_MM)
    for row in range(layout.rows + 1):
        y = layout.top + row * layout.pitch_y
        pdf.line(layout.left - _AWAY_MM, y, layout.left - _AWAY_MM - _MARK_MM, y)
        pdf.line(right + _AWAY_MM, y, right + _AWAY_MM + _MARK_MM, y)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue

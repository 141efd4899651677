"""Which font a sheet is set in.

Latin words (all that Windows-1252 can write, Danish, Estonian and Swedish too) are set
in Helvetica, which every PDF reader has: nothing has to be installed. Other scripts
need a font that is on this machine; what is used of it goes into the file. Fonts that
are free are looked for by name where Debian and macOS keep theirs:

* Hebrew, Greek, Cyrillic: DejaVu Sans (``fonts-dejavu-core``) or Noto Sans
  (``fonts-noto-core``)
* Chinese, Japanese, Korean: Noto Sans CJK (``fonts-noto-cjk``), of which the forms of
  Taiwan are taken, WenQuanYi or Droid Sans Fallback

A sheet with letters that no font has is not drawn: an empty box helps nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont
from fpdf import FPDF

#: Where fonts are, in the order in which they are looked through.
FOLDERS: Final = (
    Path("~/.local/share/fonts").expanduser(),
    Path("/usr/local/share/fonts"),
    Path("/usr/share/fonts"),
    Path("~/Library/Fonts").expanduser(),
    Path("/Library/Fonts"),
    Path("/System/Library/Fonts"),
)
#: File, its number in a collection, and the file of its bold face; the best first.
_KNOWN: Final = (
    ("NotoSans-Regular.ttf", 0, "NotoSans-Bold.ttf"),
    ("DejaVuSans.ttf", 0, "DejaVuSans-Bold.ttf"),
    ("NotoSansHebrew-Regular.ttf", 0, "NotoSansHebrew-Bold.ttf"),
    ("NotoSansTC-Regular.ttf", 0, "NotoSansTC-Bold.ttf"),
    ("NotoSansCJK-Regular.ttc", 3, "NotoSansCJK-Bold.ttc"),
    ("wqy-microhei.ttc", 0, None),
    ("DroidSansFallbackFull.ttf", 0, None),
    ("Arial Unicode.ttf", 0, None),
)
_LATIN: Final = "windows-1252"


class FontMissing(Exception):
    """No font here has some of the letters; ``letters`` are they."""

    def __init__(self, letters: str) -> None:
        super().__init__(letters)
        self.letters = letters


@dataclass(frozen=True, slots=True)
class Face:
    """A font on this machine."""

    path: Path
    number: int
    bold: Path | None
    letters: frozenset[int]


def set_font_for(pdf: FPDF, text: str, folders: Sequence[Path] = FOLDERS) -> str:
    """Make the fonts that a text needs known to a PDF.

    Args:
        pdf: the file.
        text: all that will be written in it.
        folders: where fonts are.

    Returns:
        The family to set it in, with the styles "" and "B".

    Raises:
        FontMissing: no font has all of it.
    """
    pdf.core_fonts_encoding = _LATIN
    if _is_latin(text):
        return "Helvetica"
    wanted = {ord(letter) for letter in text if not letter.isspace()}
    names: list[str] = []
    for face in _faces(tuple(folders)):
        if not wanted & face.letters:
            continue
        name = f"face{len(names)}"
        wanted -= face.letters
        names.append(name)
        bold = face.bold or face.path
        pdf.add_font(name, "", face.path, collection_font_number=face.number)
        pdf.add_font(name, "B", bold, collection_font_number=face.number)
    if wanted:
        raise FontMissing("".join(map(chr, sorted(wanted))))
    pdf.set_fallback_fonts(names[1:])
    pdf.set_text_shaping(use_shaping_engine=True)
    return names[0]


def _is_latin(text: str) -> bool:
    try:
        text.encode(_LATIN)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=8)
def _faces(folders: tuple[Path, ...]) -> tuple[Face, ...]:
    """Find the fonts that we know, the best first."""
    there: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.tt[fc]")):
            there.setdefault(path.name, path)
    return tuple(
        Face(there[name], number, there.get(bold or ""), _letters(there[name], number))
        for name, number, bold in _KNOWN
        if name in there
    )


def _letters(path: Path, number: int) -> frozenset[int]:
    with TTFont(path, fontNumber=number, lazy=True) as font:
        return frozenset(font.getBestCmap())

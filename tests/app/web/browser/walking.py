"""What every page owes, in every state: looked for in the page as it is drawn."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_LAWS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}

_CUT = Path(__file__).with_name("cut-words.js").read_text(encoding="utf-8")

#: Sideways scrolling of the page, or of the layer over it, in px.
_WIDE = """() => Math.max(
  document.documentElement.scrollWidth - document.documentElement.clientWidth,
  ...[...document.querySelectorAll("dialog[open]")]
    .map((box) => box.scrollWidth - box.clientWidth),
)"""


def faults(page: Page) -> list[str]:
    """Name what axe finds."""
    found = Axe().run(page, options=_LAWS)
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}"
        for each in found.response["violations"]
    ]


def misfits(page: Page) -> list[str]:
    """Name what does not fit the window: sideways scrolling, cut words."""
    wide = page.evaluate(_WIDE)
    told = [f"{wide} px too wide"] if wide > 0 else []
    return told + [f"cut: {words}" for words in page.evaluate(_CUT)]

"""What every page owes, in every state: looked for in the page as it is drawn."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

#: axe measures contrast: not while a page fades in.
STILL = {"reduced_motion": "reduce"}
#: What axe tells besides what is wrong, it need not gather.
_LAWS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}

_CUT = Path(__file__).with_name("cut-words.js").read_text(encoding="utf-8")

#: Sideways scrolling of the page, or of the layer over it, in px.
_WIDE = """() => Math.max(
  document.documentElement.scrollWidth - document.documentElement.clientWidth,
  ...[...document.querySelectorAll("dialog[open]")]
    .map((box) => box.scrollWidth - box.clientWidth),
)"""


def faults(page: Page) -> list[str]:
    """Name what axe finds; it comes into a page once, for it is half a megabyte."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("async (laws) => (await axe.run(laws)).violations", _LAWS)
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]


def check(page: Page) -> None:
    """Hold a page to axe, and to its window's width."""
    found = faults(page)
    assert found == [], f"{page.url}: {found}"
    wide = page.evaluate(_WIDE)
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def misfits(page: Page) -> list[str]:
    """Name what does not fit the window: sideways scrolling, cut words."""
    page.wait_for_load_state()
    wide = page.evaluate(_WIDE)
    told = [f"{wide} px too wide"] if wide > 0 else []
    return told + [f"cut: {words}" for words in page.evaluate(_CUT)]

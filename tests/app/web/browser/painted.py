"""A camera that a test paints on: what it sees, and what goes wrong with it.

Chromium's own false camera shows one film for ever. This one stands in for
``getUserMedia`` in the page, so that a test can hold one code after another before it,
take the lens away, or look at what the page asked of it. From the picture on, all is
the product's own: video, worker, decoder.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from signing import qr

_SCRIPT: Final = Path(__file__).with_name("painted-camera.js")


def install(page: Page) -> None:
    """Give a page that is not loaded yet a camera of paint."""
    page.add_init_script(path=_SCRIPT)


def hold(page: Page, url: str | None) -> None:
    """Hold a code before the camera; None takes it away."""
    picture = None
    if url:
        encoded = base64.b64encode(qr.png(url)).decode("ascii")
        picture = f"data:image/png;base64,{encoded}"
    page.evaluate("(url) => camera.show(url)", picture)

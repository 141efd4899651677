"""All parts of the pages in all their states, in the shop's look."""

from __future__ import annotations

from typing import Final

from flask import render_template
from flask_babel import gettext

from app.programme import shop
from app.web.console.look import SHAPE_NAMES, shown_card
from app.web.console.room import bp
from app.web.shared import access
from app.web.shared.stamp_shapes import outline

#: Values of tokens.css that are colours, in the order of their use.
_COLOURS: Final = [
    "paper",
    "sheet",
    "ink",
    "soft",
    "line",
    "edge",
    "shop",
    "on-shop",
    "shop-ink",
    "shop-wash",
    "given",
    "refused",
    "waiting",
    "given-ink",
    "refused-ink",
    "waiting-ink",
]
_TEXTS: Final = [
    "text-small",
    "text",
    "text-large",
    "title",
    "title-large",
    "result-title",
]
_SPACES: Final = ["space-1", "space-2", "space-3", "space-4", "space-5", "space-6"]
_ROUNDS: Final = ["round-small", "round-field", "round-button", "round", "round-card"]
#: Heights of the sample chart, of 48.
_BARS: Final = (12, 20, 9, 30, 24, 40, 18, 33, 22, 44, 28, 36, 15, 26)


@bp.get("/console/style")
def style() -> str:
    """Show the design's values and parts."""
    now = shop.shop(access.tools())
    return render_template(
        "console/style.html",
        colours=_COLOURS,
        texts=_TEXTS,
        spaces=_SPACES,
        rounds=_ROUNDS,
        bars=_BARS,
        card=shown_card(now.stamp_shape),
        shapes=[(SHAPE_NAMES[key], outline(key)) for key in shop.STAMP_SHAPES],
        sample={"name": "Nyhavn", "wrong": "", "off": gettext("Cannot be changed")},
    )

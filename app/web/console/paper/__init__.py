"""Stamps on paper: sheets, labels and slips as PDF."""

from __future__ import annotations

from app.web.console.paper.drawing import Drawn, Look, Sheet, draw
from app.web.console.paper.fonts import FontMissing
from app.web.console.paper.layouts import LAYOUTS, CodeTooLarge, Layout

__all__ = [
    "LAYOUTS",
    "CodeTooLarge",
    "Drawn",
    "FontMissing",
    "Layout",
    "Look",
    "Sheet",
    "draw",
]

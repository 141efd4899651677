"""The till: what a barista holds.

A device is enrolled once, a person signs in with a PIN, and from then on the scanner
is the page. The pages only wire; what a code is worth is decided behind ``/api/v1``.
"""

from __future__ import annotations

from app.web.counter import membership as membership
from app.web.counter.views import bp

__all__ = ["bp"]

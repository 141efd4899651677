"""The JSON API under ``/api/v1``, described by ``/api/v1/openapi.json``."""

from __future__ import annotations

from flask import Flask

from app.web.api import purchases
from app.web.api.views import bp


def register(app: Flask) -> None:
    """Mount the API and its description."""
    app.register_blueprint(bp)


__all__ = ["purchases", "register"]

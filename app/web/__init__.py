"""The surfaces: who is mounted where. Views read, call one verb, answer."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, g, request

from app.programme import shop
from app.programme.errors import NotFound, StoreDown
from app.web import api, console, counter, customer
from app.web.shared import (
    access,
    compression,
    errors,
    headers,
    hosts,
    languages,
    metrics,
    names,
    patience,
    request_log,
    views,
)

#: ``metrics`` has its page on the blueprint of ``views``.
__all__ = ["metrics", "register"]


def register(app: Flask) -> None:
    """Mount every surface on ``app``."""
    request_log.register(app)
    hosts.register(app)
    access.register(app)
    languages.register(app, timezone=_timezone)
    app.add_template_filter(names.isolated)
    # First to be named, last to act: it takes the answer as the others left it.
    compression.register(app)
    headers.register(app)
    errors.register(app)
    app.register_blueprint(views.bp)
    for surface in (customer, counter, console):
        app.register_blueprint(surface.bp)
    patience.register(app)
    app.before_request(_check_page_posts)
    app.context_processor(_page_facts)
    api.register(app)


def _timezone() -> str:
    """Dates and hours are the shop's."""
    return _shop().timezone


#: Posts that mail programs send, which have no page: their link is the right to them.
_WITHOUT_PAGE: Final = frozenset({"customer.unsubscribed"})


def _check_page_posts() -> None:
    """Ask each post of a page for its CSRF token; ``access`` asks those of the API."""
    is_free = request.path.startswith("/api/") or request.endpoint in _WITHOUT_PAGE
    if not is_free and request.method not in {"GET", "HEAD", "OPTIONS"}:
        access.must_carry_form_token()


def _page_facts() -> dict[str, Any]:
    """What every page says: whose shop, which language."""
    language = languages.spoken()
    return {
        "shop": _shop(),
        "language": language,
        "languages": languages.LANGUAGES,
        "language_next": languages.here(),
    }


def _shop() -> shop.ShopView:
    """Read the shop once a request; pages show something when it can't be read."""
    if "shop" not in g:
        try:
            g.shop = shop.shop(access.tools())
        except (NotFound, StoreDown):
            g.shop = shop.UNKNOWN_SHOP
    found: shop.ShopView = g.shop
    return found

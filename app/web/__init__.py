"""The surfaces: who is mounted where. Views read, call one verb, answer."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from flask_babel import Babel, get_locale

from app.programme import shop
from app.programme.errors import NotFound, StoreDown
from app.web import api, console, counter, customer
from app.web.shared import access, errors, headers, views

#: Languages that the pages speak; the first is the fallback.
LANGUAGES = ("en",)


def register(app: Flask) -> None:
    """Mount every surface on ``app``."""
    access.csrf.init_app(app)
    Babel(
        app, locale_selector=_language, default_translation_directories="translations"
    )
    headers.register(app)
    errors.register(app)
    app.register_blueprint(views.bp)
    for surface in (customer, counter, console):
        app.register_blueprint(surface.bp)
    app.before_request(_check_page_posts)
    app.context_processor(_page_facts)
    api.register(app)


def _language() -> str:
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _check_page_posts() -> None:
    """Ask each post of a page for its CSRF token; ``access`` asks those of the API."""
    is_api = request.path.startswith("/api/")
    if not is_api and request.method not in {"GET", "HEAD", "OPTIONS"}:
        access.csrf.protect()


def _page_facts() -> dict[str, Any]:
    """What every page says: whose shop, which language."""
    try:
        the_shop = shop.shop(access.tools())
    except (NotFound, StoreDown):
        the_shop = shop.UNKNOWN_SHOP
    locale = get_locale()
    return {
        "shop": the_shop,
        "locale": str(locale or "en"),
        "direction": locale.text_direction if locale else "ltr",
    }

"""Names and rewards within sentences: shops and people write in any direction."""

from __future__ import annotations

from flask_babel import get_locale

from app.translations import speech


def isolated(name: object) -> str:
    """Keep a name from turning the sentence round it, in this page's direction.

    Args:
        name: as a person wrote it; not trusted.

    Returns:
        The name between marks that cannot be seen; bare where it could turn nothing,
        that is when all is written from left to right.
    """
    page = get_locale()
    return speech.isolated(name, "ltr" if page is None else page.text_direction)

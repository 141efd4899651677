"""The shop's logo.

It is kept in the books: all machines of a shop read the same ones, and a backup has it.
"""

from __future__ import annotations

import hashlib
import re

from sqlalchemy import delete

from app.programme import audit
from app.programme.errors import InvalidRequest, NotFound
from app.programme.pictures import BadPicture, read_png
from app.programme.sessions import ConsoleCaller
from app.programme.shop.card import ShopView, shop_view
from app.programme.shop.permission import must_lead
from app.store.tables import Logo, Shop
from app.tools import Tools

#: The longest logo, in bytes; with its form it stays below ``app.MOST_BODY``.
LOGO_BYTES = 56 * 1024
#: A logo's name: a hash of what it shows, and its width in pixels.
_NAME = re.compile(r"[0-9a-f]{16}-[0-9]{2,3}")


def logo(tools: Tools, name: str) -> bytes:
    """Read a logo.

    Raises:
        NotFound: the shop has another, or none.
    """
    if not _NAME.fullmatch(name):
        raise NotFound
    with tools.database.read() as tx:
        row = tx.get(Logo, name)
    if row is None:
        raise NotFound
    return row.png


def set_logo(tools: Tools, data: bytes, *, by: ConsoleCaller) -> ShopView:
    """Give the shop a logo.

    Args:
        tools: the books.
        data: a square PNG of 48 to 512 pixels, up to ``LOGO_BYTES``; not trusted, it
            is written anew.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``logo`` is no such picture.
        NotFound: the shop was never founded.
    """
    must_lead(by)
    if not data:
        raise InvalidRequest({"logo": "missing"})
    if len(data) > LOGO_BYTES:
        raise InvalidRequest({"logo": "too_large"})
    try:
        picture = read_png(data)
    except BadPicture as error:
        raise InvalidRequest({"logo": error.reason}) from error
    digest = hashlib.blake2b(picture.png, digest_size=8).hexdigest()
    return _put(tools, Logo(name=f"{digest}-{picture.size}", png=picture.png), by)


def remove_logo(tools: Tools, *, by: ConsoleCaller) -> ShopView:
    """Go back to the plain mark.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: the shop was never founded.
    """
    must_lead(by)
    return _put(tools, None, by)


def _put(tools: Tools, picture: Logo | None, by: ConsoleCaller) -> ShopView:
    with tools.database.begin() as tx:
        row = tx.get(Shop, 1, with_for_update=True)
        if row is None:
            raise NotFound
        tx.execute(delete(Logo))
        if picture is not None:
            tx.add(picture)
        row.logo = picture.name if picture else None
        audit.record(tx, tools, "shop.logo", "shop", by=by.staff_id, logo=row.logo)
        return shop_view(row)

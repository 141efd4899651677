"""The customer's own account: a page with a row for each thing that can be set.

A row is an ``Entry`` in ``menu.ENTRIES``, and leads to a page of its own whose template
extends ``customer/account/page.html``.
"""

from __future__ import annotations

from app.web.customer.account import (
    consents,
    details,
    devices,
    email,
    menu,
    own_data,
    passkeys,
    sign_in,
    together,
)

__all__ = [
    "consents",
    "details",
    "devices",
    "email",
    "menu",
    "own_data",
    "passkeys",
    "sign_in",
    "together",
]

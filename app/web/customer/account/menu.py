"""The account's first page: what there is, and what each says at a glance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask import render_template
from flask_babel import lazy_gettext

from app.programme.account import details as contacts
from app.web.customer.account import (
    consents,
    details,
    devices,
    email,
    own_data,
    passkeys,
)
from app.web.customer.room import bp
from app.web.shared import access


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the account's page."""

    endpoint: str
    icon: str
    title: Any
    #: What the row says below its title, for a member; "" for nothing.
    summary: Callable[[UUID], str]


#: In the order of the page. Each part of the account adds its own.
ENTRIES: Final[tuple[Entry, ...]] = (
    Entry("customer.details", "person", lazy_gettext("My details"), details.summary),
    Entry("customer.email", "mail", lazy_gettext("My e-mail"), email.summary),
    Entry("customer.devices", "phone", lazy_gettext("My phones"), devices.summary),
    Entry("customer.passkeys", "key", lazy_gettext("My passkeys"), passkeys.summary),
    Entry(
        "customer.offers",
        "cup",
        lazy_gettext("Cards of this shop"),
        lambda _member_id: "",
    ),
    Entry(
        "customer.consents_page",
        "mail",
        lazy_gettext("What I get by mail"),
        consents.summary,
    ),
    Entry(
        "customer.merge_link",
        "phone",
        lazy_gettext("Put two cards together"),
        lambda _member_id: "",
    ),
    Entry(
        "customer.own_data",
        "lock",
        lazy_gettext("My data"),
        lambda _member_id: own_data.summary(),
    ),
)


@bp.get("/account")
def account() -> str:
    """Show what a customer may look at and change."""
    caller = access.member()
    return render_template(
        "customer/account/menu.html",
        member=contacts.details(access.tools(), caller.member_id),
        rows=[(entry, entry.summary(caller.member_id)) for entry in ENTRIES],
    )

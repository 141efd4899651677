"""The shop as its owner keeps it: programme, locations, terminals, staff.

Every verb that changes something names who asks (``by``), checks that this person
may, and writes one line of the audit log in the same transaction. A manager may do
everything but touch an owner; nobody switches themselves off, so that an active
owner always remains. Whoever is turned away at a verb is turned away in the page
too, but the verb is where it holds.

Names that must be unique are written first and asked after: the constraint decides
between two people who add the same one at the same moment.
"""

from __future__ import annotations

from app.programme.shop.at_the_till import (
    allow_by_hand,
    allows_by_hand,
    asks_for_sums,
)
from app.programme.shop.card import (
    DEFAULT_COLOUR,
    STAMP_SHAPES,
    UNKNOWN_SHOP,
    ShopView,
    ink_of,
    ink_on,
    mixed,
    shop,
    timezones,
    update_shop,
)
from app.programme.shop.goods import (
    ItemView,
    TypedItem,
    add_item,
    change_item,
    currency,
    items,
    move_item,
    on_sale,
    set_on_sale,
)
from app.programme.shop.limiting import save_limits
from app.programme.shop.look import LOGO_BYTES, logo, remove_logo, set_logo
from app.programme.shop.pausing import pause_card, sign_out_everywhere
from app.programme.shop.permission import may_change
from app.programme.shop.premises import (
    EnrolmentState,
    LocationView,
    TerminalView,
    add_location,
    enrolment,
    enrolment_state,
    locations,
    rename_location,
    revoke_terminal,
    terminals,
)
from app.programme.shop.programmes import (
    STAMPS_REQUIRED,
    TERMS_LENGTH,
    Typed,
    cards_in,
    planned,
    save_programme,
)
from app.programme.shop.programmes import listed as programmes
from app.programme.shop.promising import call_back, save_notice
from app.programme.shop.team import (
    StaffView,
    add_staff,
    rename_staff,
    set_active,
    set_console_access,
    set_pin,
    staff_member,
    staff_members,
)
from app.programme.shop.timetable import hours_of, save_hours
from app.programme.shop.undoing import undo_entry

__all__ = [
    "DEFAULT_COLOUR",
    "LOGO_BYTES",
    "STAMPS_REQUIRED",
    "STAMP_SHAPES",
    "TERMS_LENGTH",
    "UNKNOWN_SHOP",
    "EnrolmentState",
    "ItemView",
    "LocationView",
    "ShopView",
    "StaffView",
    "TerminalView",
    "Typed",
    "TypedItem",
    "add_item",
    "add_location",
    "add_staff",
    "allow_by_hand",
    "allows_by_hand",
    "asks_for_sums",
    "call_back",
    "cards_in",
    "change_item",
    "currency",
    "enrolment",
    "enrolment_state",
    "hours_of",
    "ink_of",
    "ink_on",
    "items",
    "locations",
    "logo",
    "may_change",
    "mixed",
    "move_item",
    "on_sale",
    "pause_card",
    "planned",
    "programmes",
    "remove_logo",
    "rename_location",
    "rename_staff",
    "revoke_terminal",
    "save_hours",
    "save_limits",
    "save_notice",
    "save_programme",
    "set_active",
    "set_console_access",
    "set_logo",
    "set_on_sale",
    "set_pin",
    "shop",
    "sign_out_everywhere",
    "staff_member",
    "staff_members",
    "terminals",
    "timezones",
    "undo_entry",
    "update_shop",
]

"""What every page of the console has: its door, its rail, its way to refuse.

Nobody gets past the door unsigned: ``bp`` asks before each view, so that a page
added later cannot forget to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from app.programme.errors import InvalidRequest, StoreDown, Unauthenticated
from app.programme.sessions import ConsoleCaller
from app.programme.signals import desk
from app.web.shared import access
from app.web.shared.errors import field_sentence

bp = Blueprint(
    "console",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/console",
)

_OPEN: Final = frozenset({"console.sign_in", "console.static"})


@dataclass(frozen=True, slots=True)
class Room:
    """One entry of the rail."""

    key: str
    endpoint: str
    icon: str
    title: Any


ROOMS: Final = (
    Room("home", "console.home", "home", lazy_gettext("Today")),
    Room("signals", "console.signals", "alert", lazy_gettext("Signals")),
    Room("cards", "console.cards", "search", lazy_gettext("Cards")),
    Room("programme", "console.programme", "card", lazy_gettext("Programme")),
    Room("printing", "console.printing", "print", lazy_gettext("Printing")),
    Room("terminals", "console.terminals", "till", lazy_gettext("Tills")),
    Room("staff", "console.staff", "people", lazy_gettext("Staff")),
    Room("locations", "console.locations", "place", lazy_gettext("Locations")),
    Room("shop", "console.shop_page", "shop", lazy_gettext("Shop")),
    Room("keys", "console.keys", "key", lazy_gettext("Keys")),
)
ROLE_NAMES: Final[Mapping[str, Any]] = {
    "owner": lazy_gettext("Owner"),
    "manager": lazy_gettext("Manager"),
    "barista": lazy_gettext("Barista"),
}
#: Where the shared sentence could say more, knowing the field.
_SENTENCES: Final[Mapping[tuple[str, str], Any]] = {
    ("stamps_required", "out_of_range"): lazy_gettext("A whole number from 2 to 30."),
    ("voucher_days", "out_of_range"): lazy_gettext(
        "A whole number from 1 to 3,650, or nothing."
    ),
    ("location_id", "missing"): lazy_gettext("Choose a location."),
    ("role", "not_a_role"): lazy_gettext("Choose a role."),
    ("pin", "too_simple"): lazy_gettext(
        "That is too easy to guess: no digits in a row, no repeats."
    ),
    ("email", "taken"): lazy_gettext("Another person has this e-mail address."),
    ("email", "not_for_role"): lazy_gettext(
        "A barista has no sign-in here. Leave it empty, or choose another role."
    ),
    ("stamps", "out_of_range"): lazy_gettext("A whole number from 1 to 5."),
    ("count", "out_of_range"): lazy_gettext("A whole number from 1 to 2,000."),
    ("last_day", "out_of_range"): lazy_gettext(
        "Choose a day from today to two years from now."
    ),
    ("programme_id", "missing"): lazy_gettext("Choose a card that is open."),
    ("item_name", "taken"): lazy_gettext("Another item has this name."),
    ("item_name", "too_many"): lazy_gettext(
        "A shop has 300 items at most. Change one that is hidden."
    ),
    ("price", "out_of_range"): lazy_gettext("A price from nothing to 100,000."),
    ("lines", "missing"): lazy_gettext("Choose what comes back."),
    ("name", "taken"): lazy_gettext("Another location has this name."),
    ("effective_on", "out_of_range"): lazy_gettext(
        "Choose a day within the next two years."
    ),
    ("notice_days", "out_of_range"): lazy_gettext("A whole number from 1 to 365."),
    ("least_count", "out_of_range"): lazy_gettext(
        "A whole number from 1 to 1,000, or nothing."
    ),
    ("least_age", "out_of_range"): lazy_gettext(
        "A whole number from 1 to 120, or nothing."
    ),
    ("group_id", "missing"): lazy_gettext("Choose a group, or make one first."),
    ("most_uses", "out_of_range"): lazy_gettext("A whole number from 1 to 100,000."),
    ("number", "taken"): lazy_gettext("It is a colleague's own card."),
    ("stock", "out_of_range"): lazy_gettext("1 to 100,000, or nothing."),
    ("per_member", "out_of_range"): lazy_gettext("1 to 1,000, or nothing."),
    ("worth", "out_of_range"): lazy_gettext("A sum such as 5.00, more than nothing."),
    ("cost", "out_of_range"): lazy_gettext("A sum such as 1.50, or nothing."),
    ("budget", "out_of_range"): lazy_gettext("A sum such as 200.00, or nothing."),
    ("codes", "missing"): lazy_gettext("Paste codes, or choose a file."),
    ("codes", "too_long"): lazy_gettext("At most 10,000 codes at once."),
    ("most_per_scan", "out_of_range"): lazy_gettext("A whole number from 1 to 5."),
    **{
        (f"most_per_{name}", "out_of_range"): lazy_gettext(
            "A whole number from 1 to 9,999, or nothing."
        )
        for name in ("card", "staff_member", "terminal", "location")
    },
}


def form_values() -> dict[str, str]:
    """Give what was typed, to be shown again; secrets are left out by the page."""
    return {name: value for name, value in request.form.items() if name != "csrf_token"}


def sentences(error: InvalidRequest) -> dict[str, str]:
    """Tell what is wrong, field by field."""
    return {
        name: str(_SENTENCES.get((name, word)) or field_sentence(word))
        for name, word in error.fields.items()
    }


def again(template: str, error: InvalidRequest, **facts: object) -> ResponseReturnValue:
    """Show a form again with what was typed and what is wrong with it."""
    page = render_template(
        template, form=form_values(), wrong=sentences(error), **facts
    )
    return page, HTTPStatus.UNPROCESSABLE_ENTITY


def id_or_none(text: str | None) -> UUID | None:
    """Read an id; None for anything that is none."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


@bp.before_request
def _ask_who() -> ResponseReturnValue | None:
    """Send strangers to the door, and back here afterwards."""
    if request.endpoint in _OPEN or access.console_or_none() is not None:
        return None
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == (
        "application/json"
    ):
        raise Unauthenticated
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("console.sign_in", next=wanted))


@bp.context_processor
def _frame() -> dict[str, Any]:
    """Give the rail its facts."""
    endpoint = (request.endpoint or "").removeprefix("console.")
    return {
        "me": _me(),
        "rooms": ROOMS,
        "here": _ROOM_OF.get(endpoint, endpoint),
        "role_names": ROLE_NAMES,
        "everywhere": gettext("Every location"),
        "new_signals": _new_signals(),
    }


def _me() -> ConsoleCaller | None:
    """Tell who is signed in; None, too, on the page that says the books are away."""
    try:
        return access.console_or_none()
    except StoreDown:
        return None


def _new_signals() -> int:
    """Count for the rail; nothing where nobody is signed in, or the books are away."""
    try:
        signed_in = access.console_or_none() is not None
        return desk.count_new(access.tools()) if signed_in else 0
    except StoreDown:
        return 0


#: Pages that belong to an entry of the rail by another name.
_ROOM_OF: Final = {
    "new_terminal": "terminals",
    "enrolment": "terminals",
    "new_staff": "staff",
    "staff_member": "staff",
    "set_pin": "staff",
    "set_console_access": "staff",
    "rename_location": "locations",
    "shop_page": "shop",
    "style": "shop",
    "key_review": "keys",
    "signal": "signals",
    "card": "cards",
    "undo_entry": "cards",
    "refund": "cards",
    "erase_person": "cards",
    "merge_cards": "cards",
    "merge_cards_now": "cards",
    "erase_person_now": "cards",
    "limits": "programme",
    "rewards_page": "programme",
    "new_reward": "programme",
    "reward": "programme",
    "add_codes": "programme",
    "tiers": "programme",
    "tier": "programme",
    "new_tier": "programme",
    "remove_tier": "programme",
    "plans_page": "programme",
    "plan": "programme",
    "new_plan": "programme",
    "card_gives": "cards",
    "card_tier": "cards",
    "card_membership": "cards",
    "refund_membership": "cards",
    "joining": "programme",
    **dict.fromkeys(
        (
            "new_programme",
            "one_programme",
            "programme_terms",
            "eligibility",
            "groups",
            "group",
            "put_in_group",
            "new_invitation",
        ),
        "programme",
    ),
    "items": "programme",
    "earning": "programme",
    "new_earning": "programme",
    "change_earning": "programme",
    "change_item": "programme",
    "hours": "locations",
    "new_batch": "printing",
    "batch": "printing",
    "print_batch": "printing",
    "revoke_batch": "printing",
}

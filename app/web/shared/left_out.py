"""Whom a programme's rules leave out, and why, in a title and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext

from app.programme.errors import NotEligible
from app.web.shared.names import isolated

_WHY: Final[Mapping[str, tuple[Any, Any]]] = {
    "no_visit": (
        lazy_gettext("After your first visit"),
        lazy_gettext(
            "This counts once you have been here. Show your code at the till."
        ),
    ),
    "needs_invitation": (
        lazy_gettext("By invitation"),
        lazy_gettext("This card is for: %(group)s. It takes an invitation."),
    ),
    "needs_purchases": (
        lazy_gettext("Not yet"),
        lazy_gettext(
            "This card comes after %(needed)s purchases with another card of this "
            "shop. So far: %(have)s."
        ),
    ),
    "needs_visits": (
        lazy_gettext("Not yet"),
        lazy_gettext(
            "This card comes after %(needed)s visits with another card of this shop. "
            "So far: %(have)s."
        ),
    ),
    "needs_age": (
        lazy_gettext("Not for every age"),
        lazy_gettext(
            "This card is for people of %(needed)s years and more. Tell your birthday, "
            "or show a document at the counter."
        ),
    ),
    "left_group": (
        lazy_gettext("No longer in the group"),
        lazy_gettext(
            "This card is for: %(group)s. Its owner is no longer among them; their "
            "vouchers stay good."
        ),
    ),
    "invitation_unknown": (
        lazy_gettext("No such invitation"),
        lazy_gettext("We do not know this invitation. Look at its twelve characters."),
    ),
    "invitation_over": (
        lazy_gettext("Invitation over"),
        lazy_gettext("This invitation works no more. Ask at the counter."),
    ),
    "invitation_used_up": (
        lazy_gettext("Invitation used up"),
        lazy_gettext(
            "This invitation was used as often as it may be. Ask at the counter."
        ),
    ),
}


def told(error: NotEligible) -> tuple[str, str] | None:
    """Say why, with what is asked for; None where these are not the words for it."""
    words = _WHY.get(error.why or "")
    if words is None:
        return None
    title, sentence = words
    facts = {
        "group": isolated(error.group),
        "needed": error.needed,
        "have": error.have,
    }
    return str(title), str(sentence) % facts

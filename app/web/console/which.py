"""Of which card a page is, where the shop has several.

Its address names it, and every link and form from there to a page of the same kind
carries it on; a page whose address names none is about the first open one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import request, url_for

from app.programme import shop
from app.programme.cards import ProgrammeView
from app.web.console.room import bp, id_or_none
from app.web.shared import access

#: How the address names it.
NAME: Final = "programme"
#: The pages that are about one card.
_LISTS: Final = frozenset({"tiers", "plans_page", "earning", "rewards_page"})
_OF_ONE: Final = _LISTS | {
    "change_earning",
    "new_earning",
    "new_plan",
    "new_reward",
    "new_tier",
    "plan",
    "preview_reward",
    "remove_tier",
    "reward",
    "set_exchanges",
    "switch_earning",
    "tier",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A card of the shop, and where the same page is about it."""

    name: str
    url: str
    is_shown: bool


def chosen_programme() -> ProgrammeView | None:
    """Find the programme that a page is about: the one named, else the first open."""
    known = shop.programmes(access.tools())
    wanted = id_or_none(request.args.get(NAME))
    named = (one for one in known if one.programme_id == wanted)
    return next(named, next(iter(known), None))


@bp.url_defaults
def _carry(endpoint: str, values: dict[str, Any]) -> None:
    """Stay with the card that was chosen."""
    wanted = id_or_none(request.args.get(NAME))
    if wanted is not None and endpoint.removeprefix("console.") in _OF_ONE:
        values.setdefault(NAME, wanted)


@bp.context_processor
def _choices() -> dict[str, Any]:
    """Offer the other cards, on a page that lists what one of them has."""
    endpoint = (request.endpoint or "").removeprefix("console.")
    if endpoint not in _OF_ONE or access.console_or_none() is None:
        return {"which": [], "which_name": ""}
    known, shown = shop.programmes(access.tools()), chosen_programme()
    if len(known) < 2 or shown is None:  # noqa: PLR2004
        return {"which": [], "which_name": ""}
    links = [
        Choice(
            one.name,
            url_for(f"console.{endpoint}", programme=one.programme_id),
            one.programme_id == shown.programme_id,
        )
        for one in (known if endpoint in _LISTS else ())
    ]
    return {"which": links, "which_name": shown.name}

"""What each kind of mail says, in the language of whoever reads it.

A letter is words only. ``envelopes`` lays them out, once as plain text and once as
HTML, so that both say the same. Each kind has a module of its own, whose ``write`` is
named in ``_WRITERS``; ``voice`` has what all are written with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from app import translations
from app.programme import welcome as welcome_mail
from app.programme.account import addresses
from app.programme.account import sign_in as sign_in_mail
from app.programme.earning import warning as units_warning
from app.programme.plans import rounds as plan_mail
from app.programme.rewards import calling_off, warning
from app.programme.shop import ShopView
from app.programme.terms import telling
from app.programme.tiers import telling as tier_mail
from app.store.outbox import Waiting
from app.translations import SOURCE
from app.worker.letters import (
    event_off,
    membership,
    new_email,
    sign_in,
    terms,
    tiers,
    units_end,
    voucher_ends,
    welcome,
)
from app.worker.letters.voice import CardPicture, Letter, Voice

__all__ = ["KINDS", "CardPicture", "Letter", "UnknownKind", "Voice", "letter"]


class UnknownKind(Exception):
    """A mail of a kind that this worker does not know; a newer one may."""


def letter(mail: Waiting, shop: ShopView, origin: str, *, stop_url: str = "") -> Letter:
    """Write the letter of a mail.

    Args:
        mail: its kind, facts and language.
        shop: whose it is, as it is now.
        origin: of the pages that it leads to.
        stop_url: where its reader ends mail of its kind; none if it needs no consent.

    Raises:
        UnknownKind: we know no such mail.
    """
    write = _WRITERS.get(mail.kind)
    if write is None:
        raise UnknownKind(mail.kind)
    language = translations.language(mail.locale) or SOURCE
    voice = Voice(language, shop, origin)
    written = write(voice, mail.facts)
    if not stop_url:
        return written
    return replace(written, stop_url=stop_url, stop=voice.gettext("Unsubscribe"))


_WRITERS: Final[Mapping[str, Callable[[Voice, Mapping[str, Any]], Letter]]] = {
    telling.KIND: terms.write,
    welcome_mail.KIND: welcome.write,
    sign_in_mail.KIND: sign_in.write,
    sign_in_mail.KIND_UNKNOWN: sign_in.write_unknown,
    addresses.KIND_NEW: new_email.write,
    addresses.KIND_OLD: new_email.write_to_old,
    tier_mail.CHANGED: tiers.changed,
    tier_mail.ENDS: tiers.ends,
    plan_mail.ENDS: membership.ends,
    plan_mail.ENDED: membership.ended,
    calling_off.KIND: event_off.write,
    warning.KIND: voucher_ends.write,
    units_warning.KIND: units_end.write,
}

#: The kinds of mail that we know.
KINDS: Final = frozenset(_WRITERS)

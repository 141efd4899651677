"""Cards: found by number or name, with all that happened to each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, gettext, lazy_gettext, ngettext

from app.programme import card_file, purchases, shop
from app.programme.card_file import FiledEntry
from app.programme.cards import CardState
from app.programme.errors import InvalidRequest, PurchaseRefunded, VoucherSpent
from app.programme.units import Unit
from app.web.console.lines import isolated, when
from app.web.console.room import bp, sentences
from app.web.shared import access, amounts, errors, purchased, reasons, unit_words

_SHORT: Final = lazy_gettext("Type the whole number, or three letters of the name.")


#: What became of a reward, with its icon.
_OF_REWARDS: Final = {
    "earned": (lazy_gettext("Earned: %(reward)s"), "gift"),
    "chosen": (lazy_gettext("Chosen: %(reward)s"), "gift"),
    "redeemed": (lazy_gettext("%(reward)s handed out"), "check"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry in words."""

    entry: FiledEntry
    title: str
    #: ``given``, ``good``, ``undone`` or ``plain``: the colour of its mark.
    tone: str
    icon: str
    facts: tuple[str, ...]
    when: str


@bp.get("/console/cards")
def cards() -> ResponseReturnValue:
    """Look for a card; the newest while nothing is looked for."""
    tools = access.tools()
    now, zone = tools.now(), ZoneInfo(shop.shop(tools).timezone)
    words, problem = request.args.get("q", ""), ""
    try:
        found = card_file.find(tools, words)
    except InvalidRequest:
        found, problem = [], str(_SHORT)
    return render_template(
        "console/cards.html",
        q=words,
        problem=problem,
        rows=[(each, when(each.opened_at, zone=zone, now=now)) for each in found],
    )


@bp.get("/console/cards/<uuid:card_id>")
def card(card_id: UUID) -> ResponseReturnValue:
    """Show a card and what happened to it."""
    return _page(card_id)


@bp.post("/console/cards/<uuid:card_id>/pause")
def pause_card(card_id: UUID) -> ResponseReturnValue:
    """Pause a card, or let it go on."""
    is_paused = request.form.get("to") != "off"
    shop.pause_card(access.tools(), card_id, is_paused=is_paused, by=access.console())
    flash(gettext("The card is paused.") if is_paused else gettext("It counts again."))
    return redirect(url_for("console.card", card_id=card_id))


@bp.post("/console/entries/<uuid:entry_id>/undo")
def undo_entry(entry_id: UUID) -> ResponseReturnValue:
    """Take back what an entry gave, with a reason."""
    tools = access.tools()
    card_id = card_file.card_of(tools, entry_id)
    try:
        shop.undo_entry(
            tools,
            entry_id,
            reason=request.form.get("reason", ""),
            by=access.console(),
        )
    except InvalidRequest as error:
        return _page(card_id, wrong=sentences(error), undoing=entry_id), 422
    except VoucherSpent:
        problem = gettext("Its reward was handed out. Undo that first.")
        return _page(card_id, wrong={"reason": problem}, undoing=entry_id), 409
    flash(gettext("Undone"))
    return redirect(url_for("console.card", card_id=card_id))


@bp.post("/console/purchases/<uuid:purchase_id>/refund")
def refund(purchase_id: UUID) -> ResponseReturnValue:
    """Take back what of a purchase came back, with a reason."""
    tools, by = access.tools(), access.console()
    card_id = purchases.card_of(tools, purchase_id)
    lines = [int(text) for text in request.form.getlist("line") if text.isdecimal()]
    if not lines:
        missing = sentences(InvalidRequest({"lines": "missing"}))
        return _page(card_id, wrong=missing, undoing=purchase_id), 422
    try:
        reason = request.form.get("reason", "")
        spent = purchases.refund(
            tools, purchase_id, lines=lines, staff=by, reason=reason
        )
    except InvalidRequest as error:
        return _page(card_id, wrong=sentences(error), undoing=purchase_id), 422
    except PurchaseRefunded as refusal:
        problem = errors.sentence(refusal)
        return _page(card_id, wrong={"lines": problem}, undoing=purchase_id), 409
    told = amounts.told(spent.answer["amount"], spent.answer["currency"])
    flash(gettext("Pay back %(sum)s.", sum=told))
    return redirect(url_for("console.card", card_id=card_id))


def _page(
    card_id: UUID, *, wrong: dict[str, str] | None = None, undoing: UUID | None = None
) -> str:
    tools = access.tools()
    now, zone = tools.now(), ZoneInfo(shop.shop(tools).timezone)
    file = card_file.of(tools, card_id)
    return render_template(
        "console/card.html",
        file=file,
        card=file.card,
        number=f"N° {file.card.number[:4]} {file.card.number[4:]}",
        since=when(file.opened_at, zone=zone, now=now),
        waiting=sum(each.state == "issued" for each in file.card.vouchers),
        others=_others(file.card),
        line_told=purchased.line,
        lines=[_line(each, zone, now) for each in file.entries],
        wrong=wrong or {},
        form={"reason": request.form.get("reason", "")},
        undoing=undoing,
    )


def _others(card: CardState) -> list[tuple[str, str]]:
    """Tell what is on a card besides stamps: the unit, and how much of it."""
    return [
        (
            unit_words.unit_name(unit),
            unit_words.of_shop(held) if unit is Unit.CENT else format_decimal(held),
        )
        for unit, held in card.balances.items()
        if unit is not Unit.STAMP and held
    ]


def _line(entry: FiledEntry, zone: ZoneInfo, now: datetime) -> Line:
    title, tone, icon = _words(entry)
    reason = reasons.told(entry.reason) if entry.reason else None
    by_hand = gettext("by hand, no code") if entry.what == "by_hand" else None
    bought = purchased.told(entry.bought) if entry.bought else None
    known = (
        by_hand,
        bought,
        entry.place,
        entry.staff_name,
        entry.terminal_name,
        reason,
    )
    return Line(
        entry=entry,
        title=title,
        tone="plain" if entry.is_undone else tone,
        icon=icon,
        facts=tuple(fact for fact in known if fact),
        when=when(entry.at, zone=zone, now=now),
    )


def _words(entry: FiledEntry) -> tuple[str, str, str]:
    """Tell an entry: its title, the colour of its mark and its icon."""
    reward = isolated(entry.reward or "")
    told = _OF_REWARDS.get(entry.what)
    if told is not None:
        words, icon = told
        return str(words) % {"reward": reward}, "good", icon
    if entry.what == "undone":
        return _undone(entry, reward), "undone", "undo"
    if entry.what in {"moved_in", "moved_out"}:
        return _moved(entry, reward)
    if entry.what == "ended":
        ended = gettext("%(what)s not used in time", what=_what(entry))
        return ended, "plain", "time"
    return _given(entry), "given", "stamp" if entry.unit is Unit.STAMP else "plus"


def _given(entry: FiledEntry) -> str:
    return _what(entry) if entry.units else str(gettext("A visit"))


def _undone(entry: FiledEntry, reward: str) -> str:
    """Tell what was taken back, or given back."""
    if entry.units > 0:
        return str(gettext("%(reward)s taken back", reward=reward))
    if not entry.units:
        return str(gettext("%(reward)s given back", reward=reward))
    if entry.unit is not Unit.STAMP:
        return str(gettext("%(what)s taken back", what=_what(entry)))
    units = abs(entry.units)
    return str(ngettext("%(num)s stamp undone", "%(num)s stamps undone", units))


def _what(entry: FiledEntry) -> str:
    """Tell how many of what: "2 stamps", "12 points", "kr. 4.20"."""
    if entry.unit is Unit.CENT:
        return unit_words.of_shop(abs(entry.units))
    return unit_words.units(entry.unit, abs(entry.units), "")


def _moved(entry: FiledEntry, reward: str) -> tuple[str, str, str]:
    """Tell what came from another card, or went to one."""
    count = abs(entry.units)
    words = ngettext("%(num)s stamp", "%(num)s stamps", count) if count else reward
    told = (
        gettext("%(what)s, from another card", what=words)
        if entry.what == "moved_in"
        else gettext("%(what)s, to another card", what=words)
    )
    return told, "plain", "stamp" if count else "gift"

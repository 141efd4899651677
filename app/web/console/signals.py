"""Signals: what may be fraud, with one tap to do something about it.

Nothing happens without a question before it. Each thing that is done is a verb of the
programme, which asks who may and writes its own line of the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.programme import card_file, shop
from app.programme.errors import Forbidden, InvalidRequest, NotFound, VoucherSpent
from app.programme.sessions import ConsoleCaller
from app.programme.signals import desk, kinds
from app.programme.signals.desk import SignalView
from app.tools import Tools
from app.web.console.room import bp, sentences
from app.web.console.signal_words import STATES, ToldSignal, title, told
from app.web.shared import access, reasons


@bp.get("/console/signals")
def signals() -> ResponseReturnValue:
    """List signals: new ones, those of a state, or of a kind."""
    tools = access.tools()
    state = request.args.get("state", "new")
    kind = request.args.get("kind")
    # Of a kind all are shown, whatever was said of them.
    found = desk.signals(
        tools,
        state=state if state in STATES else None,
        kind=kind if kind in kinds.ALL else None,
        before=_moment(request.args.get("before", "")),
    )
    counts = desk.counts(tools)
    return render_template(
        "console/signals.html",
        rows=_told(found),
        state=state if state in STATES else "any",
        kind=kind if kind in kinds.ALL else "",
        counts=counts,
        states=[(each, STATES[each], counts[each]) for each in kinds.STATES],
        kinds=[(each, title(each)) for each in kinds.ALL],
        older=found[-1].at.isoformat() if len(found) == desk.MOST else None,
    )


@bp.route("/console/signals/<uuid:signal_id>", methods=["GET", "POST"])
def signal(signal_id: UUID) -> ResponseReturnValue:
    """Show one with its evidence, and take down what somebody says of it."""
    tools = access.tools()
    wrong: dict[str, str] = {}
    if request.method == "POST":
        try:
            desk.judge(
                tools,
                signal_id,
                state=request.form.get("state", ""),
                note=request.form.get("note", ""),
                by=access.console(),
            )
        except InvalidRequest as error:
            wrong = sentences(error)
        else:
            flash(gettext("Saved."))
            return redirect(url_for("console.signal", signal_id=signal_id))
    seen = desk.signal(tools, signal_id)
    page = render_template(
        "console/signal.html",
        row=_told([seen])[0],
        entries=_entries(tools, seen),
        ways=_ways(seen),
        others=len(desk.signals(tools, card_id=seen.card_id)) - 1
        if seen.card_id
        else 0,
        wrong=wrong,
        form={"note": request.form.get("note", "")} if wrong else {},
    )
    return page, 422 if wrong else 200


@bp.post("/console/signals/<uuid:signal_id>/<way>")
def act_on_signal(signal_id: UUID, way: str) -> ResponseReturnValue:
    """Do what the button says, and come back."""
    if way not in _ACTS:
        abort(404)
    seen = desk.signal(access.tools(), signal_id)
    try:
        said = _ACTS[way](access.tools(), seen, access.console())
    except VoucherSpent:
        said = gettext("Its reward was handed out. Undo that first.")
    except Forbidden:
        said = gettext("Only an owner may change an owner.")
    flash(said)
    return redirect(url_for("console.signal", signal_id=signal_id))


def _revoke(tools: Tools, seen: SignalView, by: ConsoleCaller) -> str:
    shop.revoke_terminal(tools, _there(seen.terminal_id), by=by)
    return str(gettext("Till removed."))


def _pause(tools: Tools, seen: SignalView, by: ConsoleCaller) -> str:
    shop.pause_card(tools, _there(seen.card_id), is_paused=True, by=by)
    return str(gettext("The card is paused."))


def _sign_out(tools: Tools, seen: SignalView, by: ConsoleCaller) -> str:
    shop.sign_out_everywhere(tools, _there(seen.staff_id), by=by)
    return str(gettext("Signed out everywhere."))


def _undo(tools: Tools, seen: SignalView, by: ConsoleCaller) -> str:
    shop.undo_entry(tools, _there(seen.entry_id), reason=reasons.AFTER_A_SIGNAL, by=by)
    return str(gettext("Undone"))


def _there(named: UUID | None) -> UUID:
    """Read what a signal is about.

    Raises:
        NotFound: it is about no such thing.
    """
    if named is None:
        raise NotFound
    return named


_ACTS: Final[Mapping[str, Callable[[Tools, SignalView, ConsoleCaller], str]]] = {
    "pause": _pause,
    "revoke": _revoke,
    "sign-out": _sign_out,
    "undo": _undo,
}


def _ways(seen: SignalView) -> list[dict[str, str]]:
    """Tell what can be done about it, each with its question or the page for it."""
    ways = []
    if seen.card_id and not seen.card_is_paused:
        ways.append(
            {
                "way": "pause",
                "icon": "pause",
                "verb": gettext("Pause the card"),
                "ask": gettext("Pause this card?"),
                "text": gettext(
                    "No stamp and no reward counts on it until you let it go on. Its "
                    "phone says so. Nothing is taken away."
                ),
            }
        )
    if seen.staff_id and shop.may_change(access.console(), seen.staff_role or ""):
        if seen.kind == kinds.GUESSES:
            ways.append(_new_secret(seen, seen.staff_id))
        ways.append(
            {
                "way": "sign-out",
                "icon": "out",
                "verb": gettext("Sign this person out everywhere"),
                "ask": gettext("Sign this person out everywhere?"),
                "text": gettext(
                    "At every till and in this console. The PIN stays good: give a new "
                    "one if somebody else may know it."
                ),
            }
        )
    if seen.terminal_id and not seen.terminal_is_revoked:
        ways.append(
            {
                "way": "revoke",
                "icon": "till",
                "verb": gettext("Remove the till"),
                "ask": gettext("Remove %(name)s?", name=seen.terminal_name),
                "text": gettext(
                    "It stops at once: whoever uses it is signed out and no more "
                    "stamps come from it. Stamps it gave stay. To use the device "
                    "again, add it anew."
                ),
            }
        )
    if seen.entry_id and _can_undo(seen):
        ways.append(
            {
                "way": "undo",
                "icon": "undo",
                "verb": gettext("Undo it"),
                "ask": gettext("Undo the last of these?"),
                "text": gettext(
                    "It is taken back by an entry of its own, and the customer reads "
                    "that it was."
                ),
            }
        )
    return ways


def _new_secret(seen: SignalView, staff_id: UUID) -> dict[str, str]:
    """Lead to where what was guessed at is replaced."""
    is_pin = seen.terminal_id is not None
    return {
        "icon": "person",
        "verb": gettext("Give a new PIN") if is_pin else gettext("Give a new password"),
        "url": url_for("console.staff_member", staff_id=staff_id),
    }


def _can_undo(seen: SignalView) -> bool:
    if seen.card_id is None or seen.entry_id is None:
        return False
    file = card_file.of(access.tools(), seen.card_id)
    return any(
        entry.can_undo for entry in file.entries if entry.entry_id == seen.entry_id
    )


def _entries(tools: Tools, seen: SignalView) -> list[dict[str, str]]:
    """Lead to the entries, or the cards, that the evidence names."""
    links = []
    for entry_id in map(UUID, seen.evidence.get("entries", [])):
        card_id = card_file.card_of(tools, entry_id)
        url = url_for("console.card", card_id=card_id, _anchor=f"e{entry_id.hex}")
        links.append({"url": url, "card": card_file.number_of(tools, card_id)})
    for card_id in map(UUID, seen.evidence.get("cards", [])):
        url = url_for("console.card", card_id=card_id)
        links.append({"url": url, "card": card_file.number_of(tools, card_id)})
    return links


def _told(found: list[SignalView]) -> list[ToldSignal]:
    tools = access.tools()
    now, zone = tools.now(), ZoneInfo(shop.shop(tools).timezone)
    return [told(each, zone=zone, now=now) for each in found]


def _moment(text: str) -> datetime | None:
    """Read an aware moment of the query; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # At the ends of the calendar no moment can be told in another zone.
    is_plain = moment.tzinfo and MINYEAR < moment.year < MAXYEAR
    return moment if is_plain else None

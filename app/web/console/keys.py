"""Keys: what signs, what is still verified, and what a stolen key left behind.

Nothing here acts. Ceremonies belong to commands on the machine that holds the keys, so
that a stolen sign-in to the console can't do them; the pages name the commands.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, gettext, ngettext

from app.programme import alarms, batches, key_history, shop
from app.programme.alarms import Watch
from app.programme.batches import Hit
from app.programme.key_history import Made, Review
from app.web.console.key_words import (
    STATES,
    State,
    ToldCeremony,
    told_alarms,
    told_ceremony,
)
from app.web.console.room import bp
from app.web.shared import access, moments
from signing.keyring import KeyState, SigningKey
from signing.signers import IN_FILE

_CEREMONIES: Final = 20
#: Entries of a review on one page.
_ENTRIES: Final = 50
#: A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One key of the list."""

    key_id: int
    state: State
    #: Age, dates, where it lives.
    facts: tuple[str, ...]
    #: Whether there is a list of what it made after the theft.
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a review."""

    what: str
    card: str
    place: str
    person: str
    is_reversed: bool
    at: datetime
    when: str


@bp.get("/console/keys")
def keys() -> ResponseReturnValue:
    """Show every key, what is wrong, and what was done lately."""
    tools = access.tools()
    now, zone = tools.now(), _zone()
    watch = alarms.look(tools)
    ring = tools.keys.ring
    rows = [_row(key, now, zone) for key in reversed(ring.keys)]
    active = [key for key in ring.keys if key.state is KeyState.ACTIVE]
    days = [(now - (key.activated_at or key.created_at)).days for key in active]
    sealing = ring.sealing
    return render_template(
        "console/keys.html",
        alarms=told_alarms(watch.alarms, zone=zone, now=now),
        active=active[0] if active else None,
        days=days[0] if days else 0,
        rows=[row for row in rows if row.state is not STATES[KeyState.RETIRED]],
        retired=[row for row in rows if row.state is STATES[KeyState.RETIRED]],
        workers=_workers(watch, ring.digest),
        verified=sum(key.state.verifies for key in ring.keys),
        secret_age=_age(now - sealing.created_at) if sealing else None,
        ceremonies=_ceremonies(now, zone),
    )


@bp.get("/console/keys/<int:key_id>/review")
def key_review(key_id: int) -> ResponseReturnValue:
    """List what was made with a revoked key since it may have been stolen."""
    tools, zone = access.tools(), _zone()
    of = key_history.review(tools, key_id)
    pages = max(1, math.ceil(of.count / _ENTRIES))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    found = key_history.made(
        tools, of.key_id, of.since, offset=(page - 1) * _ENTRIES, limit=_ENTRIES
    )
    return render_template(
        "console/key_review.html",
        of=of,
        count=format_decimal(of.count),
        since=_moment(of.since, zone),
        revoked=_moment(of.revoked_at, zone),
        lines=[_line(each, zone) for each in found],
        page=page,
        pages=pages,
        batches=[
            (
                each,
                _day(each.created_at, zone),
                ngettext("%(num)s code out", "%(num)s codes out", each.out),
            )
            for each in _batches_hit(key_id)
        ],
    )


@bp.get("/console/keys/<int:key_id>/review.csv")
def key_review_file(key_id: int) -> ResponseReturnValue:
    """Give the whole list as a file for a spreadsheet."""
    of = key_history.review(access.tools(), key_id)
    # With a mark at its start, or some spreadsheets read it as anything but UTF-8.
    found = key_history.made(access.tools(), of.key_id, of.since)
    text = _as_csv(of, found, _batches_hit(key_id)).encode("utf-8-sig")
    answer = Response(text, mimetype="text/csv")
    name = f"key-{key_id}-review.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _batches_hit(key_id: int) -> list[Hit]:
    """List the printed batches of a revoked key, judged as the ring judges them."""
    tools = access.tools()
    since = tools.keys.ring.key(key_id).revoked_since
    return batches.hit(tools, key_id, since or tools.now(), is_hard=since is None)


def _as_csv(of: Review, found: Iterable[Made], printed: Iterable[Hit]) -> str:
    """Write the list; its columns are for programs, too, and always the same.

    Printed batches come last, with columns of their own.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    made = ("key", "at", "kind", "stamps", "card", "place", "person", "undone", "entry")
    of_batch = ("batch", "batch_name", "codes_out", "good_until", "stays_good")
    writer.writerow((*made, *of_batch))
    for each in found:
        writer.writerow(
            _cell(value)
            for value in (
                of.key_id,
                each.at.isoformat(timespec="seconds"),
                each.kind,
                each.units,
                each.card_number,
                each.place or "",
                each.staff_name or "",
                "yes" if each.is_reversed else "no",
                each.entry_id,
                *[""] * len(of_batch),
            )
        )
    for batch in printed:
        writer.writerow(
            _cell(value)
            for value in (
                of.key_id,
                batch.created_at.isoformat(timespec="seconds"),
                "BATCH",
                *[""] * 6,
                batch.number,
                batch.name,
                batch.out,
                batch.expires_at.isoformat(timespec="seconds"),
                "yes" if batch.stays_good else "no",
            )
        )
    return file.getvalue()


def _cell(value: object) -> str:
    """Write a value so that no spreadsheet reckons with it."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _row(key: SigningKey, now: datetime, zone: ZoneInfo) -> Row:
    """Put a key into words: how old, what happened when, where it lives."""
    made, begun = _day(key.created_at, zone), _day(key.activated_at, zone)
    ended = _day(key.verify_only_at, zone)
    facts = [] if made == begun else [gettext("made %(day)s", day=made)]
    if begun and ended:
        facts.append(gettext("signed from %(day)s to %(last)s", day=begun, last=ended))
    elif begun:
        facts.append(gettext("signs since %(day)s", day=begun))
    if key.retired_at is not None:
        day = _day(key.retired_at, zone)
        facts.append(gettext("retired %(day)s", day=day))
    if key.revoked_at is not None:
        moment = _moment(key.revoked_at, zone)
        facts.append(gettext("revoked %(moment)s", moment=moment))
    if key.state.verifies:
        age = _age(now - key.created_at)
        facts.append(gettext("%(age)s old", age=age))
        in_file = key.holder == IN_FILE
        facts.append(gettext("in a file") if in_file else gettext("in a token"))
    return Row(
        key.key_id,
        STATES[key.state],
        tuple(facts),
        is_revoked=key.state is KeyState.REVOKED,
    )


def _workers(watch: Watch, digest: str) -> tuple[int, int] | None:
    """How many live workers have this ring, and how many there are."""
    if watch.workers is None:
        return None
    have = sum(worker.ring == digest for worker in watch.workers)
    return have, len(watch.workers)


def _ceremonies(now: datetime, zone: ZoneInfo) -> list[ToldCeremony]:
    found = key_history.ceremonies(access.tools(), limit=_CEREMONIES)
    return [told_ceremony(each, zone=zone, now=now) for each in found]


def _line(each: Made, zone: ZoneInfo) -> Line:
    is_stamp = each.kind == "EARN"
    stamps = ngettext("%(num)s stamp", "%(num)s stamps", each.units)
    return Line(
        what=stamps if is_stamp else gettext("Reward"),
        card=f"{each.card_number[:4]} {each.card_number[4:]}",
        place=each.place or "",
        person=each.staff_name or "",
        is_reversed=each.is_reversed,
        at=each.at,
        when=_moment(each.at, zone),
    )


def _age(of: timedelta) -> str:
    if of.days < 1:
        return str(gettext("less than a day"))
    return str(ngettext("%(num)s day", "%(num)s days", of.days))


def _day(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else moments.day_and_year(at, zone)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    day, time = moments.day_and_year(at, zone), moments.time(at, zone)
    return str(gettext("%(day)s, %(time)s", day=day, time=time))


def _zone() -> ZoneInfo:
    return ZoneInfo(shop.shop(access.tools()).timezone)

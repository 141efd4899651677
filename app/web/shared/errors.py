"""Refusals as people and programs meet them: one table, one shape.

``TABLE`` has one line for each code: status, a word or three, a sentence that says
what to do next. Programs get ``application/problem+json`` (RFC 9457) with the stable
``code``; people get a page. A test holds the table to ``app.programme.errors``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import structlog
from flask import Flask, Response, jsonify, render_template, request
from flask_babel import gettext, lazy_gettext, ngettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.programme.errors import (
    CardClosed,
    CodeExpired,
    CodeInUse,
    CodeRevoked,
    CodeSpent,
    InvalidRequest,
    LimitReached,
    NotEligible,
    Refused,
    StoreDown,
    TryAgain,
    VoucherExpired,
)
from app.web.shared import access, field_words, left_out, moments, reward_words
from app.web.shared.names import isolated

#: What to wait, in seconds, when a store is away.
_STORE_WAIT_S = 2
_PROBLEM = "application/problem+json"
_log = structlog.get_logger("app.web")


@dataclass(frozen=True, slots=True)
class Line:
    """What a code means to people: status, title, sentence."""

    status: HTTPStatus
    title: Any
    detail: Any


TABLE: Final[Mapping[str, Line]] = {
    "code_invalid": Line(
        HTTPStatus.BAD_REQUEST,
        lazy_gettext("Not a valid code"),
        lazy_gettext("This is not a code of this shop. Ask for a fresh one."),
    ),
    "code_wrong_kind": Line(
        HTTPStatus.BAD_REQUEST,
        lazy_gettext("Another kind of code"),
        lazy_gettext("This code is real, but it is not for this."),
    ),
    "code_expired": Line(
        HTTPStatus.GONE,
        lazy_gettext("Too old"),
        lazy_gettext("This code has run out. A fresh one will do."),
    ),
    "code_revoked": Line(
        HTTPStatus.GONE,
        lazy_gettext("No longer good"),
        lazy_gettext("This code was called back. Please show a fresh one."),
    ),
    "code_unknown": Line(
        HTTPStatus.GONE,
        lazy_gettext("Please show it again"),
        lazy_gettext("This code is not known here. A fresh one will do."),
    ),
    "code_spent": Line(
        HTTPStatus.CONFLICT,
        lazy_gettext("Already used"),
        lazy_gettext("This code was used before. Ask for a fresh one."),
    ),
    "code_in_use": Line(
        HTTPStatus.CONFLICT,
        lazy_gettext("Being used"),
        lazy_gettext("Somebody is using this code right now. Try again in a moment."),
    ),
    "voucher_spent": Line(
        HTTPStatus.CONFLICT,
        lazy_gettext("Already used"),
        lazy_gettext("This voucher was used or taken back."),
    ),
    "voucher_expired": Line(
        HTTPStatus.GONE,
        lazy_gettext("Expired"),
        lazy_gettext("The last day of this voucher is over."),
    ),
    **{
        key: Line(HTTPStatus.CONFLICT, *it) for key, it in reward_words.REFUSALS.items()
    },
    "receipt_counted": Line(
        HTTPStatus.CONFLICT,
        lazy_gettext("Counted already"),
        lazy_gettext("This receipt was counted before. It counts once."),
    ),
    "purchase_refunded": Line(
        HTTPStatus.CONFLICT,
        lazy_gettext("Refunded already"),
        lazy_gettext("This was taken back before. It comes back once."),
    ),
    "card_closed": Line(
        HTTPStatus.CONFLICT,
        lazy_gettext("Card closed"),
        lazy_gettext("This card takes no more stamps."),
    ),
    "not_eligible": Line(
        HTTPStatus.FORBIDDEN,
        lazy_gettext("Not for this card"),
        lazy_gettext("The rules of the programme leave this card out."),
    ),
    "limit_reached": Line(
        HTTPStatus.TOO_MANY_REQUESTS,
        lazy_gettext("Too many tries"),
        lazy_gettext("That was tried too often. Please wait a little."),
    ),
    "unauthenticated": Line(
        HTTPStatus.UNAUTHORIZED,
        lazy_gettext("Please sign in"),
        lazy_gettext("We do not know who is asking. Sign in and try again."),
    ),
    "forbidden": Line(
        HTTPStatus.FORBIDDEN,
        lazy_gettext("Not allowed"),
        lazy_gettext("You may not do this here."),
    ),
    "not_found": Line(
        HTTPStatus.NOT_FOUND,
        lazy_gettext("Not found"),
        lazy_gettext("There is nothing here by that name."),
    ),
    "invalid_request": Line(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        lazy_gettext("Something is missing"),
        lazy_gettext("Please look at what was filled in."),
    ),
    "erased_before": Line(
        HTTPStatus.GONE,
        lazy_gettext("Already erased"),
        lazy_gettext("Nothing is kept of this person any more."),
    ),
    "try_again": Line(
        HTTPStatus.SERVICE_UNAVAILABLE,
        lazy_gettext("One moment"),
        lazy_gettext("Nothing was counted. Please try again in a moment."),
    ),
    # What HTTP itself refuses, before any rule of ours is asked.
    "page_too_old": Line(
        HTTPStatus.FORBIDDEN,
        lazy_gettext("Page too old"),
        lazy_gettext("This page was open for too long. Load it again."),
    ),
    "method_not_allowed": Line(
        HTTPStatus.METHOD_NOT_ALLOWED,
        lazy_gettext("Not possible"),
        lazy_gettext("This address can't be used in that way."),
    ),
    "too_large": Line(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        lazy_gettext("Too much"),
        lazy_gettext("That was more than we take at once."),
    ),
    "bad_request": Line(
        HTTPStatus.BAD_REQUEST,
        lazy_gettext("Not understood"),
        lazy_gettext("We could not read that."),
    ),
    "internal_error": Line(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        lazy_gettext("Our fault"),
        lazy_gettext("Something went wrong here. It was written down."),
    ),
}

#: Limits of stamps by the hour, which have words of their own.
_LIMITS: Final[Mapping[str, Any]] = {
    "stamps_per_card": lazy_gettext(
        "One card gets %(most)s stamps an hour at most. Again at %(time)s."
    ),
    "stamps_per_staff_member": lazy_gettext(
        "One person gives %(most)s stamps an hour at most. Again at %(time)s."
    ),
    "stamps_per_terminal": lazy_gettext(
        "One till gives %(most)s stamps an hour at most. Again at %(time)s."
    ),
    "stamps_per_location": lazy_gettext(
        "One location gives %(most)s stamps an hour at most. Again at %(time)s."
    ),
}
_ENOUGH: Final = lazy_gettext("Enough for now")
_PAUSED: Final = Line(
    HTTPStatus.CONFLICT,
    lazy_gettext("Card paused"),
    lazy_gettext("The shop has paused this card. A manager can tell why."),
)
_OWN_CARD: Final = Line(
    HTTPStatus.FORBIDDEN,
    lazy_gettext("Own card"),
    lazy_gettext("Nobody stamps their own card. A colleague does."),
)

#: Of a code on paper, where nothing fresh is shown in a moment.
_PRINTED: Final[Mapping[str, Any]] = {
    "code_expired": lazy_gettext("The last day of this printed stamp is over."),
    "code_revoked": lazy_gettext(
        "This printed stamp was called back and gives nothing any more."
    ),
}

_HTTP_CODES: Final = {
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
}


def field_sentence(word: str) -> str:
    """Tell a person what is wrong with a field.

    Args:
        word: a stable word of ``InvalidRequest.fields``.
    """
    return str(
        field_words.FIELD_SENTENCES.get(word, field_words.FIELD_SENTENCES["wrong_type"])
    )


def sentence(error: Refused) -> str:
    """Tell a person why, and what to do next; staff also hear when and where."""
    if isinstance(error, CodeSpent) and _may_see(error) and error.spent_at:
        told = gettext(
            "It was used at %(place)s. Ask for a fresh one.",
            place=isolated(error.place),
        )
        return str(told)
    if isinstance(error, CodeExpired | CodeRevoked) and error.is_printed:
        return str(_PRINTED[error.code])
    if isinstance(error, VoucherExpired):
        return ended(error.ended_at)
    if isinstance(error, LimitReached):
        return _limit(error)
    if isinstance(error, NotEligible) and (told := left_out.told(error)):
        return told[1]
    return reward_words.refused(error) or str(_line(error).detail)


def title(error: Refused) -> str:
    """Tell in a word or three what was refused."""
    if isinstance(error, LimitReached) and error.most is not None:
        return str(_ENOUGH)
    if isinstance(error, NotEligible) and (told := left_out.told(error)):
        return told[0]
    return str(_line(error).title)


def _line(error: Refused) -> Line:
    """Find the words for a refusal, by why it was refused where that is known."""
    if isinstance(error, CardClosed) and error.is_paused:
        return _PAUSED
    if isinstance(error, NotEligible) and error.why == "own_card":
        return _OWN_CARD
    return TABLE[error.code]


def _limit(error: LimitReached) -> str:
    """Name the limit, and when it is over."""
    wait = error.retry_after or timedelta()
    words = _LIMITS.get(error.limit)
    if error.limit == "stamps_per_scan":
        return str(
            ngettext(
                "At most %(num)s stamp a scan is given here.",
                "At most %(num)s stamps a scan are given here.",
                error.most or 1,
            )
        )
    if words is None:
        minutes = max(1, math.ceil(wait.total_seconds() / 60))
        return str(
            gettext(
                "That was tried too often. Please wait %(minutes)s min.",
                minutes=minutes,
            )
        )
    # Never a minute too early: the seconds are not told.
    over_at = access.tools().now() + wait + timedelta(minutes=1)
    return str(words) % {"most": error.most, "time": moments.time(over_at)}


def ended(at: datetime) -> str:
    """Tell the last day of what is over, "3 May", in a sentence."""
    day = moments.day_in_words(at, access.tools().now())
    return str(gettext("Ended on %(day)s.", day=day))


def register(app: Flask) -> None:
    """Answer every refusal and every fault of ``app`` in one shape."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StoreDown, _store_down)
    app.register_error_handler(CSRFError, _page_too_old)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _fault)


def _refused(error: Refused) -> Response:
    wait: timedelta | None = None
    if isinstance(error, LimitReached | CodeInUse):
        wait = error.retry_after
    elif isinstance(error, TryAgain):
        wait = timedelta(seconds=_STORE_WAIT_S)
    return _answer(error.code, sentence(error), _facts(error), wait, title(error))


def _facts(error: Refused) -> dict[str, Any]:
    """Tell programs what a refusal is about; what is None is left out."""
    told: dict[str, Any] = {}
    if isinstance(error, InvalidRequest):
        told = {
            "fields": {
                name: field_sentence(word) for name, word in error.fields.items()
            }
        }
    elif isinstance(error, CodeSpent) and _may_see(error) and error.spent_at:
        told = {"spent_at": error.spent_at.isoformat(), "place": error.place}
    elif isinstance(error, VoucherExpired):
        told = {"ended_at": error.ended_at.isoformat()}
    elif isinstance(error, LimitReached):
        told = {"limit": error.limit, "most": error.most}
    elif isinstance(error, CardClosed):
        told = {"is_paused": error.is_paused or None}
    elif isinstance(error, NotEligible):
        told = {"why": error.why, "needed": error.needed, "have": error.have}
    else:
        told = dict(reward_words.facts(error))
    return {name: value for name, value in told.items() if value is not None}


def _may_see(error: CodeSpent) -> bool:
    """Only staff hear where a code was used."""
    bearer = request.headers.get("Authorization")
    if error.place is None:
        return False
    try:
        return (access.staff() if bearer else access.staff_or_none()) is not None
    except (Refused, StoreDown):
        return False


def _store_down(error: StoreDown) -> Response:
    _log.warning("store_down", store=type(error).__name__)
    wait = timedelta(seconds=_STORE_WAIT_S)
    return _answer("try_again", str(TABLE["try_again"].detail), {}, wait)


def _page_too_old(_error: CSRFError) -> Response:
    return _answer("page_too_old", str(TABLE["page_too_old"].detail))


def _http(error: HTTPException) -> Response:
    if error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # type: ignore[return-value]
    code = _HTTP_CODES.get(HTTPStatus(error.code or 500), "bad_request")
    if (error.code or 500) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code = "internal_error"
    answer = _answer(code, str(TABLE[code].detail))
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _fault(error: Exception) -> Response:
    # The rule, since an address may be a code or name a card.
    rule = request.url_rule.rule if request.url_rule else None
    _log.exception("fault", rule=rule, error=type(error))
    return _answer("internal_error", str(TABLE["internal_error"].detail))


def _answer(
    code: str,
    detail: str,
    facts: Mapping[str, Any] | None = None,
    wait: timedelta | None = None,
    title: str | None = None,
) -> Response:
    line = TABLE[code]
    title = title or str(line.title)
    if _wants_json():
        seconds = {} if wait is None else {"retry_after": _seconds(wait)}
        answer = jsonify(
            type=f"urn:punchproof:{code}",
            title=title,
            status=int(line.status),
            code=code,
            detail=detail,
            **(facts or {}),
            **seconds,
        )
        answer.mimetype = _PROBLEM
    else:
        answer = Response(
            render_template(
                "shared/error.html", title=title, detail=detail, **_way_on()
            ),
            mimetype="text/html",
        )
    answer.status_code = line.status
    if wait is not None:
        answer.headers["Retry-After"] = str(_seconds(wait))
    if code == "unauthenticated":
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _way_on() -> Mapping[str, str]:
    """Lead back to where a person was working; a customer to the card."""
    if request.path.startswith("/console"):
        return {"next_url": "/console/", "next_label": gettext("To the console")}
    if request.path.startswith("/counter"):
        return {"next_url": "/counter/", "next_label": gettext("Open the till")}
    return {}


def _seconds(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))


def _wants_json() -> bool:
    if request.path.startswith("/api/") or request.is_json:
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"

"""Which language a page speaks, and how a person changes it.

In this order: what the account says, of whoever the page is for (the customer, the
barista at the till, the person at the console); what was chosen in this browser, which
at a till is the till's own language; what the browser asks for; English. The API goes
by ``Accept-Language`` alone; pages ask it in their own language (``api.js``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from flask import Flask, Response, g, redirect, request
from flask_babel import Babel, Domain, get_locale
from werkzeug.wrappers import Response as AnyResponse

from app import translations
from app.programme import languages as accounts
from app.programme.errors import InvalidRequest, StoreDown
from app.translations import LANGUAGES, SOURCE, Language
from app.web.shared import access

_COOKIE: Final = "pp_language"
#: Browsers keep no cookie for longer than this, in seconds.
_COOKIE_AGE: Final = 400 * 24 * 3600
#: What a phone keeps is named by the page that it is kept for: it is fetched without
#: anybody's cookies, or by a worker whose browser may ask for another language.
_NAMED: Final = {"customer.offline", "customer.service_worker"}


class _Catalogues(Domain):  # type: ignore[misc]  # ships no types
    """Flask-Babel's door to our catalogues."""

    def get_translations(self) -> object:
        """Give the sentences in the language of this request."""
        return translations.catalogue(str(get_locale()))


def register(app: Flask, timezone: Callable[[], str]) -> None:
    """Let ``app`` speak; dates and hours are those of ``timezone``."""
    babel = Babel(app, locale_selector=_locale, timezone_selector=timezone)
    babel.domain_instance = _Catalogues()
    app.after_request(_tell)


def spoken() -> Language:
    """Tell the language of this request."""
    if "language" not in g:
        # First this, so that a question on the way does not ask again.
        g.language = SOURCE
        g.language = _named() or _of_account() or _of_browser() or SOURCE
    found: Language = g.language
    return found


def choose() -> AnyResponse:
    """Keep the language that a form names, and go back to its page.

    Raises:
        InvalidRequest: ``language`` is none of ours.
        StoreDown: the account could not be written.
    """
    asked = translations.language(request.form.get("language"))
    if asked is None:
        raise InvalidRequest({"language": "not_a_locale"})
    wanted = _path_of_ours(request.form.get("next", ""))
    answer = redirect(wanted, 303)
    if _keep(wanted, asked):
        is_secure = access.tools().settings.is_secure
        answer.set_cookie(
            _cookie(),
            asked.tag,
            max_age=_COOKIE_AGE,
            secure=is_secure,
            httponly=True,
            samesite="Lax",
            path="/",
        )
    return answer


def of_staff(staff_id: UUID) -> Language:
    """Tell the language that a page will speak once this person is signed in."""
    kept = accounts.of_staff(access.tools(), staff_id)
    return translations.language(kept) or _of_browser() or SOURCE


def here() -> str:
    """Tell the address to come back to after choosing a language."""
    if request.method != "GET" or request.path == "/language":
        return "/counter/" if request.path.startswith("/counter/") else "/"
    return request.full_path.rstrip("?")


def _locale() -> str:
    return spoken().locale


def _named() -> Language | None:
    is_named = request.endpoint in _NAMED
    return translations.language(request.args.get("language")) if is_named else None


def _of_account() -> Language | None:
    if request.path.startswith(("/api/", "/static/")):
        return None
    try:
        return translations.language(_kept(request.path))
    except StoreDown:
        return None


def _of_browser() -> Language | None:
    chosen = translations.language(request.cookies.get(_cookie()))
    if chosen is not None and not request.path.startswith("/api/"):
        return chosen
    return translations.best(
        tag for tag, quality in request.accept_languages if quality > 0
    )


def _kept(path: str) -> str | None:
    tools = access.tools()
    staff_id = _staff_at(path)
    if staff_id is not None:
        return accounts.of_staff(tools, staff_id)
    if path.startswith(("/console/", "/counter/")):
        return None
    member = access.member_or_none()
    return accounts.of_member(tools, member.member_id) if member else None


def _keep(path: str, asked: Language) -> bool:
    """Keep it on the account; tells whether the browser keeps it too."""
    tools = access.tools()
    staff_id = _staff_at(path)
    if staff_id is not None:
        accounts.keep_for_staff(tools, staff_id, asked.tag)
        # One barista's language is not the till's.
        return not path.startswith("/counter/")
    member = None
    if not path.startswith(("/console/", "/counter/")):
        member = access.member_or_none()
    if member is not None:
        accounts.keep_for_member(tools, member.member_id, asked.tag)
    return True


def _staff_at(path: str) -> UUID | None:
    """Tell who of the staff a page is for."""
    if path.startswith("/console/"):
        console = access.console_or_none()
        return console.staff_id if console else None
    if path.startswith("/counter/"):
        staff = access.staff_or_none()
        return staff.staff_id if staff else None
    return None


def _path_of_ours(path: str) -> str:
    """Trust a path only within this service: never another host."""
    is_plain = path.isprintable() and "\\" not in path
    if not is_plain or not path.startswith("/") or path.startswith("//"):
        return "/"
    return path


def _cookie() -> str:
    is_secure = access.tools().settings.is_secure
    return f"__Host-{_COOKIE}" if is_secure else _COOKIE


def _tell(response: Response) -> Response:
    """Say which language an answer is in, and what it hung on, if it has any."""
    if "language" in g and not request.path.startswith("/static/"):
        response.headers["Content-Language"] = g.language.tag
        response.vary.update(["Accept-Language", "Cookie"])
    return response


__all__ = ["LANGUAGES", "choose", "here", "of_staff", "register", "spoken"]

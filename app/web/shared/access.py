"""Who is asking: a bearer token in a header, or one in a cookie.

Cookies are ``HttpOnly``, ``SameSite=Lax`` and, by https, ``__Host-`` cookies, which no
other host of the domain can set. Since a browser sends a cookie by itself, a request
that changes something and is known by its cookie must also carry the CSRF token; a
bearer token is sent on purpose and needs none.
"""

from __future__ import annotations

from typing import Final, Literal, TypeVar, cast

from flask import Flask, Response, current_app, g, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from itsdangerous import URLSafeTimedSerializer
from werkzeug.exceptions import BadRequest

from app.programme import sessions
from app.programme.errors import Forbidden, Unauthenticated
from app.programme.sessions import (
    Caller,
    ConsoleCaller,
    MemberCaller,
    StaffCaller,
    TerminalCaller,
)
from app.tools import Tools

Kind = Literal["member", "terminal", "staff", "console"]
_Asked = TypeVar("_Asked", MemberCaller, TerminalCaller, StaffCaller, ConsoleCaller)

csrf: Final = CSRFProtect()
#: Browsers keep no cookie for longer than this, in seconds.
_COOKIE_AGE = 400 * 24 * 3600
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class _Sessions(SecureCookieSessionInterface):
    """A page's cookie and form tokens under the secrets that the ring has now.

    The ring changes while we serve. Flask and Flask-WTF read these settings at each
    use, and opening the session comes first in a request.
    """

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        ring: Tools = app.extensions["punchproof"]
        secrets = ring.keys.ring.secrets
        app.config.update(
            SECRET_KEY=secrets[-1],
            SECRET_KEY_FALLBACKS=list(secrets[:-1]),
            # Handed to itsdangerous as it is: the last one seals, all open.
            WTF_CSRF_SECRET_KEY=list(secrets),
        )
        return super().get_signing_serializer(app)


def register(app: Flask) -> None:
    """Give ``app`` its sessions and the check of form tokens."""
    app.session_interface = _Sessions()
    csrf.init_app(app)


def tools() -> Tools:
    """Give the tools of this process."""
    return cast("Tools", current_app.extensions["punchproof"])


def member() -> MemberCaller:
    """Tell which customer asks.

    Raises:
        Unauthenticated: nobody known.
        Forbidden: somebody known, but no customer.
    """
    return _must_be(MemberCaller, "member")


def terminal() -> TerminalCaller:
    """Tell which terminal asks; raises as ``member``."""
    return _must_be(TerminalCaller, "terminal")


def staff() -> StaffCaller:
    """Tell which staff member asks; raises as ``member``."""
    return _must_be(StaffCaller, "staff")


def console() -> ConsoleCaller:
    """Tell which owner or manager asks; raises as ``member``."""
    return _must_be(ConsoleCaller, "console")


def member_or_none() -> MemberCaller | None:
    """Tell which customer asks, None for a stranger."""
    return _may_be(MemberCaller, "member")


def terminal_or_none() -> TerminalCaller | None:
    """Tell which terminal asks, None for any other device."""
    return _may_be(TerminalCaller, "terminal")


def staff_or_none() -> StaffCaller | None:
    """Tell which staff member asks, None when nobody is signed in."""
    return _may_be(StaffCaller, "staff")


def console_or_none() -> ConsoleCaller | None:
    """Tell which owner or manager asks, None when nobody is signed in."""
    return _may_be(ConsoleCaller, "console")


def staff_or_terminal() -> StaffCaller | TerminalCaller:
    """Tell who at a till asks, or which till by itself.

    Raises:
        Unauthenticated: nobody known.
        Forbidden: somebody else.
    """
    bearer = _bearer()
    if bearer is not None:
        caller = _who(bearer)
        if isinstance(caller, StaffCaller | TerminalCaller):
            return caller
        raise Forbidden
    return staff()


def member_or_staff() -> MemberCaller | StaffCaller:
    """Tell who looks at a card: its customer or the staff.

    Raises:
        Unauthenticated: nobody known.
        Forbidden: somebody else.
    """
    bearer = _bearer()
    if bearer is not None:
        caller = _who(bearer)
        if isinstance(caller, MemberCaller | StaffCaller):
            return caller
        raise Forbidden
    found = member_or_none() or staff_or_none()
    if found is None:
        raise Unauthenticated
    return found


def must_carry_form_token() -> None:
    """Let a request pass that carries the token of a page of ours.

    Raises:
        CSRFError: it carries none, or an old one.
        BadRequest: it is a form with a field that has no name, which Flask-WTF
            stumbles over as it looks for its own.
    """
    if any(not isinstance(name, str) for name in (*request.form, *request.files)):
        raise BadRequest
    csrf.protect()


def token(kind: Kind) -> str | None:
    """Read the token of a kind that this browser holds."""
    return request.cookies.get(_cookie(kind))


def set_cookie(response: Response, kind: Kind, value: str) -> None:
    """Give a token to this browser."""
    is_secure = tools().settings.is_secure
    life = int(sessions.LIFETIME[kind].total_seconds())
    response.set_cookie(
        _cookie(kind),
        value,
        max_age=min(life, _COOKIE_AGE),
        secure=is_secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def replace(response: Response, kind: Kind, value: str) -> None:
    """Give a token to this browser, and end the one that it held.

    Nobody could sign that one out any more, and a copy of it would live on.
    """
    _end_held(kind)
    set_cookie(response, kind, value)


def end(response: Response, kind: Kind) -> None:
    """End the token that this browser holds, in the books too, and take it."""
    _end_held(kind)
    response.delete_cookie(
        _cookie(kind),
        path="/",
        secure=tools().settings.is_secure,
        httponly=True,
        samesite="Lax",
    )


def _end_held(kind: Kind) -> None:
    held = token(kind)
    if held is not None:
        sessions.end(tools(), held)


def _must_be(asked: type[_Asked], kind: Kind) -> _Asked:
    bearer = _bearer()
    if bearer is None:
        found = _may_be(asked, kind)
        if found is None:
            raise Unauthenticated
        if request.method not in _SAFE:
            must_carry_form_token()
        return found
    caller = _who(bearer)
    if not isinstance(caller, asked):
        raise Forbidden
    return caller


def _may_be(asked: type[_Asked], kind: Kind) -> _Asked | None:
    value = token(kind)
    if value is None:
        return None
    try:
        caller = _who(value)
    except Unauthenticated:
        return None
    return caller if isinstance(caller, asked) else None


def _bearer() -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


def _who(value: str) -> Caller:
    """Ask the books once a request for one token."""
    known = cast("dict[str, Caller]", g.setdefault("callers", {}))
    if value not in known:
        known[value] = sessions.who(tools(), value)
    return known[value]


def _cookie(kind: Kind) -> str:
    return f"__Host-pp_{kind}" if tools().settings.is_secure else f"pp_{kind}"

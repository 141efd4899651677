"""A line in the log for each request, under a number of its own, with nothing in it.

A line says which rule of the router answered, not which address was asked for: that
may be a code, or name a card. So there is no query either, no name, no network and no
agent. Every other line that is written while the request is answered has the same
number, and so has the answer, in ``X-Request-ID``: who tells of a fault can quote it.

Reading is by far the most of the traffic and says the least, so it is told at the
level ``debug``; what was posted, and what went wrong, at ``info``.
"""

from __future__ import annotations

import re
import secrets
import time
from http import HTTPStatus
from typing import Final

import structlog
from flask import Flask, Response, g, request

from app.web.shared import access

HEADER: Final = "X-Request-ID"
#: As proxies make them.
_GIVEN: Final = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_log = structlog.get_logger("app.web")


def register(app: Flask) -> None:
    """Number every request of ``app`` and write a line when it was answered."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.monotonic()
    g.request_number = _number()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=g.request_number)


def _number() -> str:
    """Take the number of a proxy that we trust, or make one."""
    given = request.headers.get(HEADER, "")
    is_trusted = access.tools().settings.proxy_hops > 0
    return given if is_trusted and _GIVEN.fullmatch(given) else secrets.token_hex(8)


def _end(response: Response) -> Response:
    if "request_number" not in g:
        return response
    if not request.path.startswith("/static/"):
        # A file is no fault that anybody tells of, and the first page has many.
        response.headers[HEADER] = g.request_number
    facts = {
        "method": request.method if request.method.isalpha() else "?",
        "rule": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "ms": round((time.monotonic() - g.began) * 1000, 1),
    }
    is_plain = (
        request.method in _READS and response.status_code < HTTPStatus.BAD_REQUEST
    )
    (_log.debug if is_plain else _log.info)("request", **facts)
    return response

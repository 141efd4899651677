"""Bodies are read first, and few of strangers at a time: a slow one holds a thread.

The server hands us a request as soon as it has its headers, and reading the body waits
for it in one of the process's threads, for as long as somebody keeps the line open. So
that nobody stops the tills by opening lines and sending no request to its end, at most
``STRANGERS`` threads of a process wait for bodies of people who are not at a till. Who
comes then waits for a moment, which is enough when nobody means harm, and hears "try
again", which our pages do by themselves.

Where the promise ends: while it lasts, joining and collecting are put off; showing a
code and scanning it go on. Who is signed in at a till may hold every line; stop that
till. A proxy in front that reads requests whole, as nginx does, keeps all of it away.
"""

from __future__ import annotations

import threading
from typing import Final

from flask import Flask, request

from app.programme.errors import Forbidden, TryAgain, Unauthenticated
from app.web.shared import access

#: Of the 16 threads that ``scripts/serve`` gives a process, and any number from 12 on.
STRANGERS: Final = 10
#: For one of them to be free, in s: bodies usually come with their headers.
_MOMENT_S: Final = 0.25


def register(app: Flask) -> None:
    """Read the bodies of requests to ``app`` before anything else does."""
    slots = threading.BoundedSemaphore(STRANGERS)

    def read() -> None:
        if not _has_body():
            return
        if _is_at_a_till():
            request.get_data()
            return
        if not slots.acquire(timeout=_MOMENT_S):
            raise TryAgain
        try:
            # Kept: forms and JSON are parsed from it.
            request.get_data()
        finally:
            slots.release()

    app.before_request(read)


def _has_body() -> bool:
    length = request.headers.get("Content-Length", "0")
    return length != "0" or "Transfer-Encoding" in request.headers


def _is_at_a_till() -> bool:
    try:
        if "Authorization" in request.headers:
            access.staff()
            return True
        return access.staff_or_none() is not None
    except (Forbidden, Unauthenticated):
        return False

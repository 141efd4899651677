"""Which names we answer to: that of the origin, and no other.

A request that names another host came by a wrong turn, or from somebody who wants an
address of theirs in a link or a cache of ours. It is refused before anything is asked.
An installation on the machine itself answers to each name that the machine has for
itself. Whoever looks after the machine asks by an address of its own: ``/livez``,
``/readyz`` and ``/metrics`` mind no name, and make no link of it.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import SecurityError

from app.web.shared import access

#: Asked by machines, by whatever name they have for this one.
MIND_NO_NAME: Final = frozenset({"/livez", "/readyz", "/metrics"})
#: A name or an address, as it stands in the header: nothing else fits in between.
_HOST: Final = re.compile(
    r"(?P<name>[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII
)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def register(app: Flask) -> None:
    """Refuse what names another host, before anything else is done."""
    app.before_request(_must_be_ours)


def names_of(origin: str) -> tuple[str, ...]:
    """Return the hosts that an installation of this origin answers to, without port."""
    host = urlsplit(origin).hostname or ""
    if host in _LOOPBACK:
        return tuple(sorted(_LOOPBACK))
    return (host,)


def _must_be_ours() -> None:
    if request.path in MIND_NO_NAME:
        return
    said = _HOST.fullmatch(request.environ.get("HTTP_HOST", "").lower())
    origin = access.tools().settings.origin
    if said is None or said["name"].strip("[]").rstrip(".") not in names_of(origin):
        raise SecurityError

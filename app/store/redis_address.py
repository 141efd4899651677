"""Where the nonce store is: what ``REDIS_URL`` says, in its three forms.

One server, as redis-py reads it::

    redis://[user:password@]host[:port][/db]     rediss:// with TLS
    unix:///path/of/the/socket

A master that Sentinels watch, and a cluster, as others write them too (the packages
``limits``, ``redis-sentinel-url`` and Prefect; not redis-py, which has no such form)::

    redis+sentinel://[user:password@]host[:port],host[:port],…/service[/db]
    redis+cluster://[user:password@]host[:port],host[:port],…

``rediss+sentinel://`` and ``rediss+cluster://`` speak TLS with every server. User and
password are the Redis servers'; what a Sentinel asks for itself is in the query, as
``sentinel_username`` and ``sentinel_password``. The rest of the query is redis-py's,
the names in ``OPTIONS`` alone. Nothing here connects to anything.

Source: https://limits.readthedocs.io/en/stable/storage.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, unquote

from redis import connection

from app.settings import SettingsError

__all__ = ["OPTIONS", "Address", "Form", "read"]

#: What the query of a group's address may name.
OPTIONS = frozenset(
    {
        "client_name",
        "health_check_interval",
        "max_connections",
        "protocol",
        "socket_connect_timeout",
        "socket_keepalive",
        "socket_timeout",
        "ssl_ca_certs",
        "ssl_ca_path",
        "ssl_cert_reqs",
        "ssl_certfile",
        "ssl_check_hostname",
        "ssl_keyfile",
    }
)
_SENTINEL_OPTIONS = frozenset({"sentinel_username", "sentinel_password"})
_GROUP = re.compile(
    r"redis(?P<tls>s?)\+(?P<form>sentinel|cluster)://"
    r"(?:(?P<who>[^@/?#]*)@)?(?P<hosts>[^@/?#]+)"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
_HOST = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:,\s]+)(?::(?P<port>[0-9]{1,5}))?"
)
_PATH = re.compile(r"/(?P<service>[^/]+)(?:/(?P<db>[0-9]{1,4})?)?")
_LAST_PORT = 65535
#: Of redis-py, which gives it no types.
_parse_url: Any = connection.parse_url
_FORMS = (
    "redis://…, rediss://…, unix://…, redis+sentinel://HOST:PORT,…/SERVICE or "
    "redis+cluster://HOST:PORT,…"
)


class Form(Enum):
    """What stands behind an address; the value is its servers' usual port."""

    SERVER = 0
    SENTINEL = 26379
    CLUSTER = 6379


@dataclass(frozen=True, slots=True)
class Address:
    """An address, taken apart.

    Attributes:
        form: which of the three.
        url: of a single server, for redis-py; else empty.
        hosts: of the Sentinels, or of cluster servers to begin with.
        service: what the Sentinels call the master.
        options: keywords for ``redis.Redis``, but for host and port; with secrets.
        sentinel_options: the same, for a Sentinel.
    """

    form: Form
    url: str = field(default="", repr=False)
    hosts: tuple[tuple[str, int], ...] = ()
    service: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sentinel_options: Mapping[str, Any] = field(default_factory=dict, repr=False)


def read(text: str) -> Address:
    """Take an address apart.

    Args:
        text: as in ``REDIS_URL``.

    Raises:
        SettingsError: it is none of the forms. Its secrets are not in the message.
    """
    found = _GROUP.fullmatch(text)
    if found is None:
        return _server(text)
    form = Form[found["form"].upper()]
    asked = dict(parse_qsl(found["query"] or "", keep_blank_values=True))
    of_sentinels = _SENTINEL_OPTIONS if form is Form.SENTINEL else frozenset()
    if unknown := sorted(set(asked) - OPTIONS - of_sentinels):
        raise SettingsError(f"REDIS_URL has no option {', '.join(unknown)}")
    options = _options(found, is_secure=bool(found["tls"]))
    service, db = _service(found["path"] or "") if form is Form.SENTINEL else ("", 0)
    if form is Form.CLUSTER and found["path"] not in (None, "/", "/0"):
        raise SettingsError(
            "REDIS_URL names a path; a cluster has neither one nor a db"
        )
    shared = {
        name: value
        for name, value in options.items()
        if name.startswith(("ssl", "socket_"))
    }
    for name in ("username", "password"):
        if value := asked.get(f"sentinel_{name}"):
            shared[name] = value
    return Address(
        form=form,
        hosts=_hosts(found["hosts"], form.value),
        service=service,
        options=options | ({"db": db} if db else {}),
        sentinel_options=shared,
    )


def _server(text: str) -> Address:
    try:
        _parse_url(text)
    except ValueError as error:
        raise SettingsError(f"REDIS_URL is none of {_FORMS}") from error
    return Address(Form.SERVER, url=text)


def _options(found: re.Match[str], *, is_secure: bool) -> dict[str, Any]:
    """Read user, password and query into what redis-py takes."""
    try:
        # It knows the type of each option.
        options = dict(_parse_url(f"redis://host?{found['query'] or ''}"))
    except ValueError as error:
        raise SettingsError(f"REDIS_URL has an option of no sense: {error}") from error
    user, _, password = (found["who"] or "").partition(":")
    options |= {"username": unquote(user), "password": unquote(password)}
    options = {name: value for name, value in options.items() if value != ""}
    known = {"username", "password"} | OPTIONS
    options = {name: value for name, value in options.items() if name in known}
    return options | ({"ssl": True} if is_secure else {})


def _hosts(text: str, usual: int) -> tuple[tuple[str, int], ...]:
    hosts = []
    for each in text.split(","):
        found = _HOST.fullmatch(each.strip())
        port = int(found["port"] or usual) if found else 0
        if found is None or not 1 <= port <= _LAST_PORT:
            raise SettingsError(
                f"REDIS_URL names a server that is not HOST:PORT: {each}"
            )
        hosts.append((found["host"].strip("[]"), port))
    return tuple(hosts)


def _service(path: str) -> tuple[str, int]:
    found = _PATH.fullmatch(path)
    if found is None:
        raise SettingsError(
            "REDIS_URL does not say what the Sentinels call the master: "
            "redis+sentinel://HOST:PORT,…/SERVICE"
        )
    return unquote(found["service"]), int(found["db"] or 0)

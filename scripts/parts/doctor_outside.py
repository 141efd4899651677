"""What the doctor sees from outside: our pages by their address, the mail server.

One question each, with a short patience, to the addresses of the settings alone.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from app.worker.carriers import Delayed, Smtp
from scripts.parts.doctor_patient import Finding, Patient
from scripts.parts.doctor_stores import CLOCKS_MAY_DIFFER

_PATIENCE_S: Final = 5.0
#: A certificate that is renewed by itself never comes so near its end.
_CERTIFICATE_LEAST: Final = timedelta(days=14)
#: ``Date`` has whole seconds.
_DATE_IS_WITHIN: Final = timedelta(seconds=1)
_HTTPS: Final = 443
_BODY_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def origin(patient: Patient) -> Iterator[Finding]:
    """Ask whether we answer by the public address, as a customer's browser comes."""
    address = patient.settings.origin
    try:
        answer = _ask(address, "/livez")
    except ssl.SSLError:
        # Told by ``certificate``.
        return
    except (OSError, http.client.HTTPException) as error:
        yield Finding(
            f"{address} gives no answer: {_why(error)}",
            "is the server up, the proxy before it, and the name in the DNS?",
        )
        return
    if not _is_ours(answer):
        yield Finding(
            f"{address} is answered by somebody else, status {answer.status}",
            "does the proxy pass to PUNCHPROOF_PORT, and is PUNCHPROOF_ORIGIN right?",
        )
        return
    yield from _skew(patient, answer.headers.get("Date"))
    yield from _headers(patient, answer)


def _skew(patient: Patient, said: str | None) -> Iterator[Finding]:
    """Compare clocks with whoever answered, which may be a proxy."""
    try:
        theirs = parsedate_to_datetime(said or "").astimezone(UTC)
    except (ValueError, TypeError):
        return
    skew = abs(patient.now - theirs)
    if skew > CLOCKS_MAY_DIFFER + _DATE_IS_WITHIN + timedelta(seconds=_PATIENCE_S):
        yield Finding(
            f"the clock of {patient.settings.origin} is off by "
            f"{skew.total_seconds():.0f} s from this machine's",
            "let both be set by NTP (timedatectl, chronyc)",
        )


def _headers(patient: Patient, answer: _Answer) -> Iterator[Finding]:
    """Look whether the proxy says that browsers came by https."""
    is_told = "Strict-Transport-Security" in answer.headers
    if patient.settings.is_secure and not is_told:
        yield Finding(
            "the server does not know that browsers come by https",
            "let the proxy set X-Forwarded-Proto, and PUNCHPROOF_PROXY_HOPS count it; "
            "samples are in scripts/deploy/",
        )


def certificate(patient: Patient) -> Iterator[Finding]:
    """Look how long the certificate of the origin is good, and who trusts it."""
    parts = urlsplit(patient.settings.origin)
    if parts.scheme != "https":
        return
    host = parts.hostname or ""
    renew = "renew it; a proxy such as Caddy does so by itself"
    try:
        until = _until(host, parts.port or _HTTPS)
    except ssl.SSLCertVerificationError as error:
        yield Finding(
            f"browsers do not trust the certificate of {host}: {error.verify_message}",
            f"{renew}. One of scripts/serve --lan is this machine's own, and meant so",
        )
        return
    except ssl.SSLError as error:
        yield Finding(f"{host} does not speak TLS: {error.reason}", renew)
        return
    except OSError:
        # Told by ``origin``.
        return
    left = until - patient.now
    if left < _CERTIFICATE_LEAST:
        yield Finding(
            f"the certificate of {host} ends on {until:%Y-%m-%d}, in {left.days} days",
            renew,
        )


def mail_server(patient: Patient) -> Iterator[Finding]:
    """Greet the mail server as the worker does, and send nothing."""
    told = patient.settings.mail
    if told is None:
        yield Finding(
            f"no mail server is set: mail is put in {patient.settings.mail_files}",
            "set PUNCHPROOF_SMTP_URL and PUNCHPROOF_MAIL_FROM, if mail is to go out",
            is_wrong=False,
        )
        return
    patience = timedelta(seconds=_PATIENCE_S)
    try:
        Smtp(told, answer=patience, exchange=2 * patience).reach()
    except Delayed as delay:
        yield Finding(
            f"the mail server {told.host}:{told.port} does not let us in: {delay}",
            "look at host, port, password and the way of TLS in PUNCHPROOF_SMTP_URL",
        )


def _ask(address: str, path: str) -> _Answer:
    parts = urlsplit(address)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=_PATIENCE_S, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=_PATIENCE_S)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return _Answer(answer.status, answer.headers, answer.read(_BODY_MOST))


def _is_ours(answer: _Answer) -> bool:
    try:
        return bool(json.loads(answer.body) == {"status": "ok"})
    except ValueError:
        return False


def _until(host: str, port: int) -> datetime:
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=_PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        found = wrapped.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__

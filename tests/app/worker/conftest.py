"""Mail servers of the tests' own, and how their mails are read."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from app.settings import MailSecurity, MailSettings
from tests.running import free_port

SENDER = "stamps@shop.example"
HOST = "localhost"


class Server:
    """Keeps what it takes; ``rcpt`` and ``data`` may be set to answer otherwise."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        #: What was said for a recipient, before anything is taken.
        self.rcpt: Callable[[str], str | None] = lambda _address: None
        #: What is said once all has come; None takes it.
        self.data: Callable[[Envelope], str | None] = lambda _envelope: None
        self.was_tls: list[bool] = []

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if said := self.rcpt(address):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if said := self.data(envelope):
            return said
        tunnel = server.transport and server.transport.get_extra_info("ssl_object")
        self.was_tls.append(tunnel is not None)
        self.taken.append(envelope)
        return "250 OK"

    @property
    def mails(self) -> list[EmailMessage]:
        return [read(each.content) for each in self.taken]

    def wait_for(self, count: int) -> None:
        last = time.monotonic() + 20
        while len(self.taken) < count:
            assert time.monotonic() < last, len(self.taken)
            time.sleep(0.05)


def read(content: object) -> EmailMessage:
    """Read a message as a mail program does; nothing may be wrong with it."""
    assert isinstance(content, bytes)
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert [each.defects for each in message.walk() if each.defects] == []
    assert [h.defects for h in message.values() if getattr(h, "defects", ())] == []
    return message


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Let this process trust the tests' own authority."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@pytest.fixture
def certified(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(context)
    return context


@pytest.fixture
def serve_mail() -> Iterator[Callable[..., MailSettings]]:
    """Start a mail server; gives the settings that lead to it."""
    with ExitStack() as stack:

        def start(
            server: Server,
            *,
            security: MailSecurity = MailSecurity.NEVER,
            tls: ssl.SSLContext | None = None,
            port: int | None = None,
            **options: object,
        ) -> MailSettings:
            port = port or free_port()
            if tls and security is MailSecurity.STARTTLS:
                options |= {"tls_context": tls, "require_starttls": True}
            elif tls:
                options["ssl_context"] = tls
            options = {"enable_SMTPUTF8": True} | options
            controller = Controller(server, hostname=HOST, port=port, **options)
            controller.start()
            stack.callback(controller.stop)
            return MailSettings(HOST, port, security, SENDER)

        yield start


def knows(user: bytes, password: bytes) -> Callable[..., AuthResult]:
    """Let in who says just this."""

    def judge(*arguments: object) -> AuthResult:
        said = arguments[-1]
        given = (getattr(said, "login", b""), getattr(said, "password", b""))
        # Not handled: the server is to say 535 itself.
        return AuthResult(success=given == (user, password), handled=False)

    return judge

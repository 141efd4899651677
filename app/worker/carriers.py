"""Who takes a message from us: a mail server, or a directory where there is none.

``carry`` returns when the message is in other hands. Else it raises, with a word that
holds no address and nothing that a server said: ``Refused`` when no other try will
help, ``Delayed`` when one may. ``Delayed.is_ours`` tells that the way itself is shut
(no answer, no login, no TLS), whatever the mail.
"""

from __future__ import annotations

import contextlib
import os
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import timedelta
from email.generator import BytesGenerator
from email.policy import SMTP, SMTPUTF8, EmailPolicy
from pathlib import Path
from typing import Any, Final, Protocol

from app.settings import MailSecurity, MailSettings, Settings
from app.worker.envelopes import Envelope

#: For one answer of the mail server, and for the whole exchange: well within a lease.
_ANSWER: Final = timedelta(seconds=20)
_EXCHANGE: Final = timedelta(minutes=2)
#: A permanent refusal by policy (RFC 3463, 3.8): of the sender more than of the
#: mailbox, so it may pass once somebody has mended that.
_BY_POLICY: Final = re.compile(rb"5\.7\.\d")
_PERMANENT: Final = range(500, 600)


class Refused(Exception):
    """The mail server will never take this mail. ``args[0]`` is a stable word."""


class Delayed(Exception):
    """Not now. ``args[0]`` is a stable word."""

    def __init__(self, problem: str, *, is_ours: bool = False) -> None:
        super().__init__(problem)
        #: No mail would have got through.
        self.is_ours = is_ours


class Carrier(Protocol):
    """What takes messages."""

    #: For the log: where they go; no password in it.
    name: str
    #: The address that mail comes from.
    sender: str

    def carry(self, envelope: Envelope) -> None:
        """Hand a message over; return once it is in other hands.

        Raises:
            Refused: for good.
            Delayed: for now.
        """


class Files:
    """Writes each message to a file that mail programs open: ``….eml``.

    Args:
        directory: made with mode 0700 when the first message comes.
        host: of the pages, for the sender's address.
    """

    def __init__(self, directory: Path, host: str) -> None:
        self._directory = directory
        self.name = f"files in {directory}"
        self.sender = f"no-reply@{host}"

    def carry(self, envelope: Envelope) -> None:
        """Write the file whole or not at all; the same mail is the same file."""
        message = envelope.message
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        begun = self._directory / f".{name}.{os.getpid()}"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                BytesGenerator(file, policy=_written(envelope)).flatten(message)
            begun.replace(self._directory / f"{name}.eml")
        except OSError as error:
            raise Delayed("disk", is_ours=True) from error


def _written(envelope: Envelope) -> EmailPolicy[Any]:
    """Say how a message is written: in ASCII, unless its address cannot be."""
    return SMTP if envelope.recipient.isascii() else SMTPUTF8


class Smtp:
    """Hands messages to a mail server, one exchange for each.

    Args:
        settings: which server.
        answer: to wait for one answer of it.
        exchange: for all of it, so that a server that talks on and on holds nobody.
    """

    def __init__(
        self,
        settings: MailSettings,
        *,
        answer: timedelta = _ANSWER,
        exchange: timedelta = _EXCHANGE,
    ) -> None:
        self._settings = settings
        self._answer_s = answer.total_seconds()
        self._exchange_s = exchange.total_seconds()
        self.name = f"{settings.host}:{settings.port}"
        self.sender = settings.sender

    def carry(self, envelope: Envelope) -> None:
        """Hand a message to the server."""
        self._exchange(lambda server: self._send(server, envelope))

    def reach(self) -> None:
        """Greet the server, by TLS and with the password if so set, and send nothing.

        Raises:
            Delayed: the way is shut; the word says at which door.
        """
        self._exchange(lambda _server: None)

    def _exchange(self, say: Callable[[smtplib.SMTP], None]) -> None:
        server = self._server()
        end = threading.Timer(self._exchange_s, _cut, [server])
        end.daemon = True
        end.start()
        try:
            self._open(server)
            say(server)
        # Each of smtplib's is an OSError too.
        except smtplib.SMTPException as error:
            raise _judged(error) from None
        except ssl.SSLError:
            raise Delayed("tls", is_ours=True) from None
        except TimeoutError:
            raise Delayed("timeout", is_ours=True) from None
        except (OSError, ValueError):
            raise Delayed("no_answer", is_ours=True) from None
        finally:
            # What was taken is taken, however the server says goodbye.
            with contextlib.suppress(Exception):
                server.quit()
            end.cancel()
            server.close()

    def _server(self) -> smtplib.SMTP:
        # Our name is told as the sender's host: asking the DNS for it can take long.
        own_name = self._settings.sender.rpartition("@")[2]
        if self._settings.security is MailSecurity.TLS:
            return smtplib.SMTP_SSL(
                timeout=self._answer_s,
                local_hostname=own_name,
                context=ssl.create_default_context(),
            )
        return smtplib.SMTP(timeout=self._answer_s, local_hostname=own_name)

    def _open(self, server: smtplib.SMTP) -> None:
        settings = self._settings
        # Whom the certificate must name. smtplib takes it only together with a
        # connection, which the constructor would open out of the timer's reach.
        server._host = settings.host  # type: ignore[attr-defined]
        code, _ = server.connect(settings.host, settings.port)
        if code != 220:  # noqa: PLR2004 -- RFC 5321, 4.2
            raise Delayed(f"greeting_{code}", is_ours=True)
        if settings.security is MailSecurity.STARTTLS:
            server.starttls(context=ssl.create_default_context())
        if settings.user is not None:
            server.login(settings.user, settings.password or "")

    def _send(self, server: smtplib.SMTP, envelope: Envelope) -> None:
        try:
            server.send_message(envelope.message, self.sender, [envelope.recipient])
        except smtplib.SMTPNotSupportedError:
            # An address beyond ASCII, and a server that does not know such.
            raise Refused("no_smtputf8") from None


def carrier_for(settings: Settings) -> Carrier:
    """Choose who takes our mail."""
    if settings.mail is not None:
        return Smtp(settings.mail)
    host = settings.origin.partition("://")[2].partition(":")[0]
    return Files(settings.mail_files, "localhost" if "[" in host else host)


def _judged(error: smtplib.SMTPException) -> Exception:
    """Say what a fault of the exchange means for the mail."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _answered("recipient", *next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPDataError):
        return _answered("message", error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Delayed("no_starttls_or_login", is_ours=True)
    if isinstance(error, smtplib.SMTPResponseException):
        # Of the login, of the sender, of anything else that is ours.
        return Delayed(f"answer_{error.smtp_code}", is_ours=True)
    return Delayed("cut_off", is_ours=True)


def _answered(what: str, code: int, text: bytes | str) -> Exception:
    said = text if isinstance(text, bytes) else text.encode(errors="replace")
    word = f"{what}_{code}"
    # 421: the server goes away, whatever we asked.
    if code == 421:  # noqa: PLR2004
        return Delayed(word, is_ours=True)
    if code in _PERMANENT and not _BY_POLICY.match(said):
        return Refused(word)
    return Delayed(word)


def _cut(server: smtplib.SMTP) -> None:
    """End an exchange from outside; whoever waits in it hears of it."""
    sock = server.sock
    if sock is not None:
        with contextlib.suppress(OSError):
            # The plain socket's: TLS would want to say goodbye first.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

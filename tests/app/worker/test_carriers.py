"""Handing a message over: to servers that take it, refuse it, hang, lie or die."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.programme.shop import ShopView
from app.settings import MailSecurity, MailSettings
from app.store.outbox import Waiting
from app.worker import envelopes, letters
from app.worker.carriers import Delayed, Files, Refused, Smtp
from app.worker.envelopes import Look
from tests.app.worker.conftest import SENDER, Server, knows, read
from tests.running import free_port

ANNA = "anna@example.org"
QUICK = {"answer": timedelta(seconds=0.5), "exchange": timedelta(seconds=1.5)}


def envelope(address: str = ANNA) -> envelopes.Envelope:
    facts = {
        "name": "Anna",
        "number": "44172093",
        "opened_at": "2026-11-23T10:00:00+00:00",
        "programme": "Coffee card",
        "reward": "Free coffee",
        "stamps_required": 10,
        "terms": "",
    }
    mail = Waiting(
        UUID(int=7), "welcome", None, address, "en", facts, datetime.now(UTC), 1
    )
    shop = ShopView("Kaffe & Brød", "#0f5c4a", "Europe/Copenhagen")
    letter = letters.letter(mail, shop, "https://stamps.example")
    return envelopes.envelope(mail, letter, Look(shop, None), sender=SENDER)


def problem(carrier: Smtp, kind: type[Exception], address: str = ANNA) -> Exception:
    with pytest.raises(kind) as raised:
        carrier.carry(envelope(address))
    assert address not in str(raised.value)
    return raised.value


def test_a_message_is_handed_over(serve_mail):
    server = Server()
    Smtp(serve_mail(server)).carry(envelope())

    assert server.taken[0].mail_from == SENDER
    assert server.taken[0].rcpt_tos == [ANNA]
    assert server.mails[0]["To"] == ANNA


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("security", [MailSecurity.STARTTLS, MailSecurity.TLS])
def test_the_way_is_encrypted(serve_mail, certified, security):
    server = Server()
    Smtp(serve_mail(server, security=security, tls=certified)).carry(envelope())

    assert server.was_tls == [True]


@pytest.mark.parametrize("security", [MailSecurity.STARTTLS, MailSecurity.TLS])
def test_a_certificate_that_nobody_vouches_for_gets_nothing(
    serve_mail, certified, security
):
    server = Server()
    settings = serve_mail(server, security=security, tls=certified)

    refusal = problem(Smtp(settings), Delayed)

    assert (str(refusal), refusal.is_ours) == ("tls", True)
    assert server.taken == []


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_host_gets_nothing(serve_mail, certified):
    server = Server()
    settings = serve_mail(server, security=MailSecurity.STARTTLS, tls=certified)
    elsewhere = dataclasses.replace(settings, host="127.0.0.1")

    assert str(problem(Smtp(elsewhere), Delayed)) in {"tls", "no_answer"}
    assert server.taken == []


def test_a_server_without_tls_gets_no_mail_where_tls_is_asked_for(serve_mail):
    server = Server()
    settings = dataclasses.replace(serve_mail(server), security=MailSecurity.STARTTLS)

    assert str(problem(Smtp(settings), Delayed)) == "no_starttls_or_login"
    assert server.taken == []


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("password", "is_right"), [("pass:w@rd", True), ("x", False)])
def test_the_password_is_told_under_tls(serve_mail, certified, password, is_right):
    server = Server()
    settings = serve_mail(
        server,
        security=MailSecurity.STARTTLS,
        tls=certified,
        authenticator=knows(b"shop", b"pass:w@rd"),
        auth_required=True,
    )
    carrier = Smtp(dataclasses.replace(settings, user="shop", password=password))

    if is_right:
        carrier.carry(envelope())
        assert len(server.taken) == 1
    else:
        refusal = problem(carrier, Delayed)
        assert (str(refusal), refusal.is_ours) == ("answer_535", True)
        assert server.taken == []


@pytest.mark.parametrize(
    ("said", "kind", "word"),
    [
        ("550 5.1.1 no such user anna@example.org", Refused, "recipient_550"),
        ("553 bad anna@example.org", Refused, "recipient_553"),
        ("450 4.2.1 anna@example.org come back", Delayed, "recipient_450"),
        ("421 going down", Delayed, "recipient_421"),
        # of ours rather than of the mailbox: somebody may mend it
        ("550 5.7.1 relaying denied for anna@example.org", Delayed, "recipient_550"),
    ],
)
def test_what_is_said_of_the_recipient_decides(serve_mail, said, kind, word):
    server = Server()
    server.rcpt = lambda _address: said

    assert str(problem(Smtp(serve_mail(server)), kind)) == word


@pytest.mark.parametrize(
    ("said", "kind", "word"),
    [
        ("554 5.6.0 not this", Refused, "message_554"),
        ("554 5.7.1 looks like spam", Delayed, "message_554"),
        ("451 4.3.0 later", Delayed, "message_451"),
    ],
)
def test_what_is_said_of_the_message_decides(serve_mail, said, kind, word):
    server = Server()
    server.data = lambda _envelope: said

    assert str(problem(Smtp(serve_mail(server)), kind)) == word


def test_an_address_beyond_ascii_goes_to_servers_that_know_such(serve_mail):
    knowing, other = Server(), Server()
    address = "ren\u00e9@b\u00fccher.example"

    Smtp(serve_mail(knowing)).carry(envelope(address))
    refusal = problem(Smtp(serve_mail(other, enable_SMTPUTF8=False)), Refused, address)

    # the host as the DNS has it, the mailbox as it is
    assert knowing.taken[0].rcpt_tos == ["ren\u00e9@xn--bcher-kva.example"]
    assert str(refusal) == "no_smtputf8"


def test_nobody_there_is_told_of_the_way(serve_mail):
    settings = MailSettings("localhost", free_port(), MailSecurity.NEVER, SENDER)

    refusal = problem(Smtp(settings), Delayed)

    assert (str(refusal), refusal.is_ours) == ("no_answer", True)


def talk(client: socket.socket, greeting: bytes, drip: bytes) -> None:
    """Greet, then say the same for ever; hang up at the first word if it says bye."""
    with client, contextlib.suppress(OSError):
        client.sendall(greeting)
        while drip:
            time.sleep(0.1)
            client.sendall(drip)
        client.recv(1000)
        if b"bye" not in greeting:
            time.sleep(5)


@pytest.fixture
def strange_server() -> Iterator[Callable[..., MailSettings]]:
    """A server of no good manners."""
    doors: list[socket.socket] = []

    def serve(door: socket.socket, *manners: bytes) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = door.accept()
                words = (client, *manners)
                threading.Thread(target=talk, args=words, daemon=True).start()

    def start(*manners: bytes) -> MailSettings:
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)
        threading.Thread(target=serve, args=(door, *manners), daemon=True).start()
        port = door.getsockname()[1]
        return MailSettings("127.0.0.1", port, MailSecurity.NEVER, SENDER)

    yield start
    for door in doors:
        door.shutdown(socket.SHUT_RDWR)
        door.close()


@pytest.mark.parametrize(
    ("greeting", "drip", "words"),
    [
        # says nothing
        (b"", b"", {"cut_off"}),
        # greets, then says nothing
        (b"220 hello\r\n", b"", {"cut_off"}),
        # talks on and on, and no answer of its comes too late
        (b"", b"220-hello\r\n", {"no_answer", "cut_off", "greeting_-1"}),
        (b"220 hello\r\n", b"250-more\r\n", {"no_answer", "cut_off"}),
        # hangs up
        (b"220 bye\r\n", b"", {"cut_off", "no_answer"}),
        # is no mail server
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", b"", {"greeting_-1", "cut_off"}),
        (b"554 no service\r\n", b"", {"greeting_554"}),
    ],
)
def test_a_strange_server_holds_nobody(strange_server, greeting, drip, words):
    carrier = Smtp(strange_server(greeting, drip), **QUICK)
    began = time.monotonic()

    refusal = problem(carrier, Delayed)

    assert refusal.is_ours
    assert str(refusal) in words
    assert time.monotonic() - began < 4


def test_what_was_taken_is_taken_however_the_server_says_goodbye(serve_mail):
    class Rude(Server):
        async def handle_QUIT(self, server, _session, _envelope):  # noqa: N802
            server.transport.abort()
            return "421 go away"

    server = Rude()
    Smtp(serve_mail(server)).carry(envelope())

    assert len(server.taken) == 1


def test_a_goodbye_without_end_holds_nobody_and_unsends_nothing(serve_mail):
    class Chatty(Server):
        async def handle_QUIT(self, server, _session, _envelope):  # noqa: N802
            while not server.transport.is_closing():
                server.transport.write(b"221-and another thing\r\n")
                await asyncio.sleep(0.05)
            return "221 bye"

    server = Chatty()
    began = time.monotonic()

    Smtp(serve_mail(server), **QUICK).carry(envelope())

    assert len(server.taken) == 1
    assert time.monotonic() - began < 4


def test_without_a_server_a_mail_is_a_file(tmp_path):
    files = Files(tmp_path / "mail", "stamps.example")
    made = envelope()

    files.carry(made)
    files.carry(made)

    (found,) = (tmp_path / "mail").iterdir()
    assert found.name == f"{UUID(int=7).hex}.eml"
    assert stat.S_IMODE(found.stat().st_mode) == 0o600
    assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700
    text = read(found.read_bytes()).get_body(("plain",))
    assert "Welcome, Anna" in text.get_content()


def test_a_file_has_an_address_beyond_ascii_as_it_is(tmp_path):
    Files(tmp_path, "stamps.example").carry(envelope("ren\u00e9@b\u00fccher.example"))

    (found,) = tmp_path.iterdir()
    assert "\r\nTo: ren\u00e9@xn--bcher-kva.example\r\n".encode() in found.read_bytes()


def test_a_disk_that_takes_no_file_is_told_of_the_way(tmp_path):
    (tmp_path / "mail").write_text("in the way")

    with pytest.raises(Delayed, match="disk") as raised:
        Files(tmp_path / "mail", "stamps.example").carry(envelope())

    assert raised.value.is_ours

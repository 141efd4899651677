"""The worker: patient, blocked by no mail, stopped between two, killed without loss."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.programme import cards, members
from app.programme.shop import logo as logo_of
from app.settings import MailSecurity, MailSettings
from app.store import outbox
from app.store.tables import Logo, Outgoing, Programme, Shop
from app.tools import Tools
from app.worker import loop
from app.worker.carriers import Smtp
from app.worker.loop import Done
from tests.app.worker.conftest import SENDER, Server, read
from tests.app.worker.test_envelopes import logo
from tests.conftest import both_books
from tests.running import ROOT, free_port

ANNA = "anna.secret@example.org"
PATIENCE_S = 30.0
QUICK = {"answer": timedelta(seconds=0.5), "exchange": timedelta(seconds=2)}

pytestmark = pytest.mark.usefixtures("founded")


@pytest.fixture
def outgoing(tools: Tools) -> Callable[[], list[Outgoing]]:
    def rows() -> list[Outgoing]:
        with tools.database.read() as tx:
            wanted = select(Outgoing).order_by(Outgoing.created_at)
            return list(tx.scalars(wanted))

    return rows


def join(tools: Tools, email: str = ANNA, **said: object) -> members.Joined:
    return members.join(tools, email=email, **said)


def test_who_joins_with_an_address_gets_the_mail_once(tools, serve_mail, outgoing):
    server = Server()
    carrier = Smtp(serve_mail(server))
    joined = join(tools, name="Anna", locale="da")

    assert loop.deliver_one(tools, carrier) == Done(took=True)
    assert loop.deliver_one(tools, carrier) == Done(took=False)

    (mail,) = server.mails
    number = cards.card(tools, joined.card_id).number
    assert mail["To"] == ANNA
    assert mail["Subject"] == "Dit stempelkort hos Kaffe & Br\u00f8d"
    text = mail.get_body(("plain",)).get_content()
    assert text.splitlines()[0] == "Velkommen, Anna"
    assert f"{number[:4]} {number[4:]}" in text
    (row,) = outgoing()
    assert row.sent_at is not None
    assert (row.address, row.facts) == (None, {})


def test_it_has_the_look_of_the_shop_as_it_is_now(tools, serve_mail):
    server = Server()
    join(tools)
    with tools.database.begin() as tx:
        tx.add(Logo(name="0123456789abcdef-64", png=logo()))
        tx.execute(
            update(Shop).values(
                name="Br\u00f8d", colour="#c8a24a", logo="0123456789abcdef-64"
            )
        )

    loop.deliver_one(tools, Smtp(serve_mail(server)))

    (mail,) = server.mails
    assert mail["From"].addresses[0].display_name == "Br\u00f8d"
    assert "#c8a24a" in mail.get_body(("html",)).get_content()
    (image,) = [each for each in mail.walk() if each.get_content_type() == "image/png"]
    assert image.get_content() == logo_of(tools, "0123456789abcdef-64")


def test_it_says_what_was_promised_when_the_card_was_got(tools, serve_mail):
    server = Server()
    join(tools)
    with tools.database.begin() as tx:
        tx.execute(update(Programme).values(stamps_required=30, reward="Nothing"))

    loop.deliver_one(tools, Smtp(serve_mail(server)))

    assert "10 stamps, then: Free coffee." in server.mails[0].get_body().get_content()


def test_a_mail_that_is_put_off_waits_longer_each_time_and_is_given_up(
    tools, clock, serve_mail, outgoing
):
    # given a mailbox that is always full
    server = Server()
    server.rcpt = lambda _address: "452 4.2.2 mailbox full"
    carrier = Smtp(serve_mail(server))
    join(tools)
    waits = []

    # when it is tried whenever it is due
    while not (row := outgoing()[0]).failed_at:
        began = tools.now()
        assert loop.deliver_one(tools, carrier) == Done(took=True)
        assert loop.deliver_one(tools, carrier) == Done(took=False)
        row = outgoing()[0]
        waits.append(round((row.due_at - began) / timedelta(minutes=1)))
        clock.forward(row.due_at - tools.now() + timedelta(milliseconds=1))

    # then it rests longer each time, and after three days no more
    assert waits[:7] == [1, 5, 15, 60, 180, 360, 360]
    assert timedelta(days=3) <= row.failed_at - row.created_at < timedelta(days=3.5)
    assert (row.problem, row.address, row.facts) == ("recipient_452", None, {})
    assert loop.deliver_one(tools, carrier) == Done(took=False)


def test_what_is_refused_for_good_is_not_tried_again(tools, serve_mail, outgoing):
    server = Server()
    server.rcpt = lambda _address: "550 5.1.1 nobody here"
    join(tools)

    loop.deliver_one(tools, Smtp(serve_mail(server)))

    (row,) = outgoing()
    assert row.failed_at is not None
    assert (row.problem, row.address) == ("recipient_550", None)


@pytest.mark.parametrize(
    "trouble", ["hangs", "full", "unknown kind", "broken facts", "broken address"]
)
def test_one_mail_does_not_hold_up_the_next(tools, serve_mail, outgoing, trouble):
    # given two mails, something the matter with the first
    server = Server()
    join(tools, "first@example.org")
    join(tools, "second@example.org")

    def answer(address: str) -> str | None:
        if not address.startswith("first"):
            return None
        if trouble == "hangs":
            time.sleep(1)
        return "452 full"

    server.rcpt = answer
    changes = {
        "unknown kind": {"kind": "of tomorrow"},
        "broken facts": {"facts": {}},
        "broken address": {"address": "first at example"},
    }
    first = outgoing()[0].outgoing_id
    with tools.database.begin() as tx:
        tx.execute(
            update(Outgoing)
            .where(Outgoing.outgoing_id == first)
            .values(**changes.get(trouble, {"attempts": 0}))
        )
    carrier = Smtp(serve_mail(server), **QUICK)

    # when both are due, then the second goes out
    assert loop.deliver_one(tools, carrier).took
    time.sleep(1 if trouble == "hangs" else 0)
    assert loop.deliver_one(tools, carrier).took
    assert [each.rcpt_tos for each in server.taken] == [["second@example.org"]]


def test_a_way_that_is_shut_is_told(tools, outgoing):
    settings = MailSettings("localhost", free_port(), MailSecurity.NEVER, SENDER)
    join(tools)

    assert loop.deliver_one(tools, Smtp(settings)) == Done(took=True, is_shut=True)
    assert outgoing()[0].problem == "no_answer"


def test_the_loop_rests_while_the_way_is_shut_and_outlives_every_fault(tools):
    """Told by what it asks its clock for: rests grow, and end with the trouble."""

    class Rests(loop.Stop):
        def __init__(self) -> None:
            super().__init__()
            self.taken: list[float] = []

        def rest(self, seconds: float) -> None:
            self.taken.append(seconds)
            self.is_asked = len(self.taken) == 12

    class Broken:
        name = sender = SENDER

        def carry(self, _envelope: object) -> None:
            raise AssertionError

    stop, broken = Rests(), dataclasses.replace(tools, now=lambda: 1 / 0)
    loop.run(broken, Broken(), stop)
    assert stop.taken == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300, 300]

    stop = Rests()
    loop.run(tools, Broken(), stop)
    assert stop.taken == [2] * 12


@both_books
def test_of_many_workers_each_mail_is_sent_by_one(
    tools, make_tools, serve_mail, outgoing, counts
):
    server = Server()
    settings = serve_mail(server)
    for number in range(24):
        join(tools, f"guest{number}@example.org")
    together = threading.Barrier(6)

    def work(mine: Tools) -> None:
        together.wait()
        while loop.deliver_one(mine, Smtp(settings)).took:
            pass

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, [make_tools() for _ in range(6)]))

    sent = Counter(mail["To"] for mail in server.mails)
    assert len(sent) == sent.total() == 24
    assert all(row.sent_at and row.attempts == 1 for row in outgoing())
    counts(workers=6, mails=24, sent=sent.total())


# The program, as it runs.


@pytest.fixture
def start_worker(tools: Tools, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(mail: MailSettings | None = None, **more: str) -> Worker:
        started.append(
            Worker(tools, tmp_path / f"worker-{len(started)}.log", mail, more)
        )
        return started[-1]

    yield start
    for worker in started:
        worker.process.kill()
        worker.process.wait()


class Worker:
    """A running ``python -m app.worker`` and its log."""

    def __init__(
        self, tools: Tools, log: Path, mail: MailSettings | None, more: dict[str, str]
    ) -> None:
        settings = tools.settings
        ours = ("PUNCHPROOF_", "REDIS_", "DATABASE_")
        environ = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | {
            "PUNCHPROOF_DATA": str(settings.data),
            "PUNCHPROOF_KEYS": str(settings.keys),
            "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(settings.keys_passphrase_file),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
        }
        if mail is not None:
            environ |= {
                "PUNCHPROOF_SMTP_URL": f"smtp://{mail.host}:{mail.port}?starttls=never",
                "PUNCHPROOF_MAIL_FROM": mail.sender,
            }
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.worker"],
                cwd=ROOT,
                env=environ | more,
                stdout=output,
                stderr=output,
            )

    def said(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def wait_to_say(self, event: str, times: int = 1) -> None:
        last = time.monotonic() + PATIENCE_S
        while sum(each["event"] == event for each in self.said()) < times:
            assert time.monotonic() < last, self.log.read_text()
            time.sleep(0.05)

    def end(self, by: signal.Signals) -> int:
        self.process.send_signal(by)
        return self.process.wait(PATIENCE_S)


def test_the_program_sends_what_comes_and_stops_when_told(
    tools, serve_mail, start_worker
):
    server = Server()
    worker = start_worker(serve_mail(server))
    worker.wait_to_say("mail_worker_started")
    join(tools)

    worker.wait_to_say("mail_sent")

    assert len(server.taken) == 1
    assert worker.end(signal.SIGTERM) == 0
    assert worker.said()[-1]["event"] == "mail_worker_stopped"


def test_a_stop_waits_for_the_mail_that_is_under_way_and_takes_no_other(
    tools, serve_mail, start_worker, outgoing
):
    # given a server that takes its time, and two mails
    server, is_there = Server(), threading.Event()

    def slowly(_envelope: object) -> None:
        is_there.set()
        time.sleep(2)

    server.data = slowly
    join(tools, "first@example.org")
    join(tools, "second@example.org")
    worker = start_worker(serve_mail(server))

    # when it is told to stop in the middle of the first
    assert is_there.wait(PATIENCE_S)
    assert worker.end(signal.SIGTERM) == 0

    # then the first was sent and noted, and the second waits
    assert [each.rcpt_tos for each in server.taken] == [["first@example.org"]]
    assert [row.sent_at is not None for row in outgoing()] == [True, False]
    assert outgoing()[1].attempts == 0


@both_books
def test_a_kill_between_the_servers_ok_and_our_note_sends_twice_under_one_id(
    tools, clock, serve_mail, start_worker, outgoing
):
    # given a worker that dies when the server has the mail, before it hears so
    server, workers = Server(), []

    def kill(envelope: object) -> None:
        if workers:
            worker = workers.pop()
            worker.process.kill()
            worker.process.wait()

    server.data = kill
    join(tools)
    settings = serve_mail(server)
    ready = threading.Event()
    server.rcpt = lambda _address: None if ready.wait(PATIENCE_S) else "451 late"
    workers.append(start_worker(settings))
    killed = workers[0]
    ready.set()
    server.wait_for(1)
    assert killed.process.wait(PATIENCE_S) == -signal.SIGKILL
    assert outgoing()[0].sent_at is None

    # when the lease is not over, then nobody sends it
    carrier = Smtp(settings)
    assert loop.deliver_one(tools, carrier) == Done(took=False)

    # when it is, then the next one does
    clock.forward(outbox.LEASE)
    assert loop.deliver_one(tools, carrier) == Done(took=True)

    # and mailboxes know the two as one
    first, second = server.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert first.get_body().get_content() == second.get_body().get_content()
    assert outgoing()[0].sent_at is not None


def test_a_kill_before_the_server_has_the_mail_loses_nothing(
    tools, clock, serve_mail, start_worker
):
    server, reached = Server(), threading.Event()

    def hold(_address: str) -> str | None:
        if not reached.is_set():
            reached.set()
            time.sleep(1)
            return "451 too late"
        return None

    server.rcpt = hold
    join(tools)
    settings = serve_mail(server)
    worker = start_worker(settings)
    assert reached.wait(PATIENCE_S)
    worker.process.kill()
    worker.process.wait()

    clock.forward(outbox.LEASE)
    loop.deliver_one(tools, Smtp(settings))

    assert len(server.taken) == 1


def test_no_log_holds_an_address_a_name_or_a_password(
    tools, serve_mail, start_worker, clock
):
    """Not when it goes well, and not when the server repeats what it was told."""
    server = Server()
    answers = [
        f"550 5.1.1 <{ANNA}> is not here",
        f"452 {ANNA} has a full mailbox",
        f"421 {ANNA} go away",
        None,
    ]
    server.rcpt = lambda _address: answers.pop(0) if answers else None
    server.data = lambda _envelope: None
    for _ in range(2):
        join(tools, name="Anna Geheim")
    join(tools, name="Anna Geheim")
    with tools.database.begin() as tx:
        # and one whose letter cannot be written
        outbox.put(tx, "welcome", f"x.{ANNA}", {"name": ANNA}, now=clock())
        outbox.put(tx, "welcome", f"{ANNA} {ANNA}", {}, now=clock())
    worker = start_worker(serve_mail(server), PUNCHPROOF_LOG_LEVEL="debug")
    worker.wait_to_say("mail_fault", 2)
    worker.wait_to_say("mail_given_up")
    worker.end(signal.SIGTERM)

    log = worker.log.read_text()
    assert "recipient_550" in log
    for secret in ("anna", "secret", "Geheim", "@example"):
        assert secret.lower() not in log.lower()


def test_settings_that_make_no_sense_are_told_without_the_password(start_worker):
    worker = start_worker(PUNCHPROOF_SMTP_URL="smtp://shop:hunter2@", TZ="UTC")

    assert worker.process.wait(PATIENCE_S) == 1
    assert "PUNCHPROOF_" in worker.log.read_text()
    assert "hunter2" not in worker.log.read_text()


def test_without_a_server_mail_is_put_in_files_and_that_is_said(
    tools, start_worker, tmp_path
):
    join(tools, name="Anna")
    worker = start_worker()
    worker.wait_to_say("mail_sent")

    directory = tools.settings.mail_files
    (found,) = directory.iterdir()
    assert read(found.read_bytes())["To"] == ANNA
    assert worker.said()[0]["to"] == f"files in {directory}"
    assert worker.end(signal.SIGINT) == 0

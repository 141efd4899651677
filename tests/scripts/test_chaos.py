"""The disorder in its short form, and that its reckoning finds what is wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest

from app.programme import members, purchases, stamping
from app.programme.sessions import StaffCaller
from app.store.tables import LedgerEntry
from app.tools import Tools
from scripts import chaos
from scripts.disorder import faults
from scripts.disorder.load import Told
from scripts.disorder.reckoning import reckon
from scripts.disorder.run import Plan, run
from scripts.disorder.stores import CLUSTER, REDIS, SENTINEL
from scripts.disorder.tunnel import Tunnel
from scripts.disorder.world import POSTGRESQL, SQLITE


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("books", "store"),
    [
        (SQLITE, REDIS),
        pytest.param(POSTGRESQL, SENTINEL, marks=pytest.mark.long),
        pytest.param(SQLITE, CLUSTER, marks=pytest.mark.long),
    ],
)
def test_each_thing_that_breaks_loses_nothing_and_doubles_nothing(
    books: str, store: str, counts: Callable[..., None]
):
    every = len(faults.of(books, store))

    plan = Plan(books, store, spends=3 * every, faults=every, processes=1, workers=2)
    outcome = run(plan)

    came = outcome.reckoning
    counts(
        tried=came.tried,
        given=came.given,
        booked=came.booked,
        lost=came.lost,
        doubled=came.doubled,
        untrue=came.untrue,
        broken=sum(outcome.broken.values()),
        sent_again=came.again,
    )
    assert came.is_good, came
    assert came.given >= plan.spends
    assert len(outcome.broken) == every


@pytest.fixture
def given(tools: Tools, barista: StaffCaller) -> Told:
    """A stamp that was given, as its till was told."""
    card_id = members.join(tools, name="Anna").card_id
    code = stamping.card_code(tools, card_id).code
    request = uuid4().hex
    spent = stamping.stamp(tools, code, stamps=1, request_id=request, staff=barista)
    return Told("scan", code, str(card_id), True, spent.answer["stamp_id"])


def test_honest_books_fit_what_was_told(tools: Tools, given: Told):
    second = dataclasses.replace(
        given, is_given=False, entry_id="", refusal="code_spent"
    )

    assert reckon(tools, [given, second]).is_good


def test_a_sale_without_a_rule_that_came_back_fits(tools: Tools, barista: StaffCaller):
    card_id = members.join(tools, name="Anna").card_id
    code = stamping.card_code(tools, card_id).code
    sold = stamping.stamp(
        tools,
        code,
        stamps=1,
        request_id=uuid4().hex,
        staff=barista,
        order=purchases.Order(amount=350),
    ).answer
    bought = sold["purchase"]["purchase_id"]
    back = purchases.refund(tools, UUID(bought), staff=barista, reason="cold").answer
    sale = Told("sell", code, str(card_id), True, sold["stamp_id"])
    refund = Told("refund", bought, str(card_id), True, back["reversal_id"])
    again = dataclasses.replace(
        refund, is_given=False, entry_id="", refusal="purchase_refunded"
    )

    assert reckon(tools, [sale, refund, again]).is_good
    assert reckon(tools, [sale]).doubled == 1


def test_a_stamp_that_is_in_no_book_is_lost(tools: Tools, given: Told):
    other = dataclasses.replace(given, entry_id=str(uuid4()))

    came = reckon(tools, [given, other])

    assert (came.lost, came.is_good) == (1, False)


def test_a_stamp_that_nobody_was_told_of_is_doubled(tools: Tools, given: Told):
    came = reckon(tools, [dataclasses.replace(given, is_given=False)])

    assert (came.doubled, came.is_good) == (1, False)


@pytest.mark.parametrize(
    "change",
    [
        {"card_id": str(uuid4())},
        {"is_given": False, "refusal": "code_spent", "code": "A" * 128},
    ],
    ids=["another card", "a code that nobody spent"],
)
def test_an_answer_that_does_not_fit_is_untrue(
    tools: Tools, given: Told, change: dict[str, object]
):
    came = reckon(tools, [given, dataclasses.replace(given, **change)])

    assert (came.untrue, came.is_good) == (1, False)


def test_what_the_audit_finds_is_told(tools: Tools, given: Told):
    with tools.database.begin() as tx:
        tx.execute(LedgerEntry.__table__.update().values(units=3))

    came = reckon(tools, [given])

    assert came.findings
    assert not came.is_good


def test_a_refusal_that_no_honest_person_should_meet_is_not_good(
    tools: Tools, given: Told
):
    odd = dataclasses.replace(given, is_given=False, refusal="forbidden")

    assert not reckon(tools, [given, odd]).is_good


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that says again what it hears; gives its port."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=[line], daemon=True).start()

    def answer(line: socket.socket) -> None:
        with line:
            while heard := line.recv(100):
                line.sendall(heard)

    threading.Thread(target=serve, daemon=True).start()
    yield door.getsockname()[1]
    door.shutdown(socket.SHUT_RDWR)
    door.close()


def said(tunnel: Tunnel) -> bytes:
    """Say hello through a tunnel; gives what comes back."""
    with (
        contextlib.suppress(ConnectionError),
        socket.create_connection(("127.0.0.1", tunnel.port)) as line,
    ):
        line.sendall(b"hello")
        return line.recv(100)
    return b""


def test_a_tunnel_loses_the_reply_that_it_is_told_to(echo: int):
    tunnel = Tunnel(echo)

    assert said(tunnel) == b"hello"
    tunnel.lose_replies(1)
    assert said(tunnel) == b""
    assert said(tunnel) == b"hello"
    assert tunnel.lost == 1
    tunnel.close()


def test_a_shut_tunnel_lets_nothing_through_until_it_is_opened(echo: int):
    tunnel = Tunnel(echo)

    tunnel.shut()
    assert said(tunnel) == b""
    tunnel.open()
    assert said(tunnel) == b"hello"
    tunnel.close()


def test_what_is_open_is_cut(echo: int):
    tunnel = Tunnel(echo)
    line = socket.create_connection(("127.0.0.1", tunnel.port))
    line.sendall(b"hello")
    assert line.recv(100) == b"hello"

    tunnel.cut()

    assert line.recv(100) == b""
    assert tunnel.cuts == 1
    line.close()
    tunnel.close()


def test_wrong_words_are_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        chaos.main(["--books", "paper"])

    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err

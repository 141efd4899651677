"""One mail after another, until told to stop.

A mail that does not get through waits longer after each try, and is given up three days
after it was written. One mail never holds up another: it is put back with a moment of
its own, whatever went wrong with it. When the way itself is shut, the worker rests
before it takes any, longer each time, up to five minutes.

The stop is between two mails: one under way is brought to its end.
"""

from __future__ import annotations

import contextlib
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from app.programme import consents
from app.programme import shop as shops
from app.programme.errors import NotFound
from app.store import outbox
from app.store.database import Tx
from app.store.errors import StoreDown
from app.store.outbox import Waiting
from app.tools import Tools
from app.worker import envelopes, letters
from app.worker.carriers import Carrier, Delayed, Refused
from app.worker.envelopes import BadAddress, Envelope, Look
from app.worker.letters import UnknownKind

#: Until the next try, after the first, second… one; the last one goes on.
WAITS: Final = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60, 180, 360))
GIVE_UP: Final = timedelta(days=3)
#: Between two looks into an outbox with nothing due.
_LOOK_EVERY_S: Final = 2.0
#: Rest when the way is shut: at first, and at most.
_REST_S: Final = (5.0, 300.0)
#: Within which a stop is heard.
_SLICE_S: Final = 0.2
#: How often the books are asked to note a mail that is gone already.
_NOTE_TRIES: Final = 10

_log = structlog.get_logger("app.worker")


class Stop:
    """Whether somebody asked us to end.

    A plain flag, looked at often: a lock, as in ``threading.Event``, could be held by
    the very thread that the signal interrupts.
    """

    def __init__(self) -> None:
        self.is_asked = False

    def on(self, *signals: signal.Signals) -> None:
        """Be asked by these signals from now on."""
        for number in signals:
            signal.signal(number, self._ask)

    def rest(self, seconds: float) -> None:
        """Wait, but not beyond a stop."""
        end = time.monotonic() + seconds
        while not self.is_asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_S))

    def _ask(self, _number: int, _frame: object) -> None:
        self.is_asked = True


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one look into the outbox."""

    #: Whether there was a mail to take.
    took: bool
    #: The way is shut: rest before the next.
    is_shut: bool = False


def run(
    tools: Tools,
    carrier: Carrier,
    stop: Stop,
    *,
    beside: Callable[[], None] | None = None,
) -> None:
    """Send mail until ``stop`` is asked; no fault ends it.

    Args:
        tools: the books.
        carrier: who takes the mail.
        stop: asked between two mails.
        beside: what else there is to do between two mails; raises nothing.
    """
    shut = 0
    while not stop.is_asked:
        with contextlib.suppress(Exception):
            # For whoever looks after the machine; mail itself needs no nonce store.
            tools.workers.mail_goes_on(tools.now())
        if beside is not None:
            beside()
        try:
            done = deliver_one(tools, carrier)
        except StoreDown as error:
            _log.warning("store_down", store=type(error).__name__)
            done = Done(took=False, is_shut=True)
        except Exception as error:
            _log.error("mail_worker_fault", **_told(error))
            done = Done(took=False, is_shut=True)
        shut = shut + 1 if done.is_shut else 0
        if done.is_shut:
            first, most = _REST_S
            stop.rest(min(most, first * 2 ** min(shut - 1, 10)))
        elif not done.took:
            stop.rest(_LOOK_EVERY_S)


def deliver_one(tools: Tools, carrier: Carrier) -> Done:
    """Take the mail that is due for longest, if any, and hand it over.

    Raises:
        StoreDown: the books gave no answer. A mail that was taken before goes to
            another worker once its lease is over.
    """
    mail = _take(tools)
    if mail is None:
        return Done(took=False)
    try:
        return _carry(tools, carrier, mail)
    except StoreDown:
        raise
    except Exception as error:
        # A letter that cannot be written must not hold up the others.
        _log.error("mail_fault", mail=mail.outgoing_id.hex, **_told(error))
        _put_back(tools, mail, "fault")
        return Done(took=True)


def wait_after(attempt: int) -> timedelta:
    """Tell how long to wait after a try that did not work; 1 is the first."""
    return WAITS[min(attempt, len(WAITS)) - 1]


def _take(tools: Tools) -> Waiting | None:
    now = tools.now()
    with tools.database.read() as tx:
        if not outbox.is_due(tx, now):
            return None
    with tools.database.begin() as tx:
        return outbox.take(tx, now)


def _envelope(tools: Tools, mail: Waiting, sender: str) -> Envelope:
    try:
        shop = shops.shop(tools)
    except NotFound:
        shop = shops.UNKNOWN_SHOP
    logo = None
    if shop.logo is not None:
        try:
            logo = shops.logo(tools, shop.logo)
        except NotFound:
            # Taken away a moment ago.
            logo = None
    letter = letters.letter(
        mail, shop, tools.settings.origin, stop_url=_stop_url(tools, mail)
    )
    return envelopes.envelope(mail, letter, Look(shop, logo), sender=sender)


def _stop_url(tools: Tools, mail: Waiting) -> str:
    """Where its reader ends mail of its kind; none where no consent is needed."""
    kind = consents.NEEDS.get(mail.kind)
    if kind is None or mail.member_id is None:
        return ""
    return consents.link(tools, mail.member_id, kind)


def _is_wanted(tools: Tools, mail: Waiting) -> bool:
    """Ask at the last moment: its reader may have changed their mind."""
    with tools.database.read() as tx:
        return consents.may_mail(tx, mail.member_id, mail.kind)


def _carry(tools: Tools, carrier: Carrier, mail: Waiting) -> Done:
    """Write a mail, hand it over and note what came of it."""
    if not _is_wanted(tools, mail):
        _note(tools, lambda tx: outbox.given_up(tx, mail, tools.now(), outbox.UNWANTED))
        _log.info("mail_unwanted", **_facts(mail))
        return Done(took=True)
    try:
        carrier.carry(_envelope(tools, mail, carrier.sender))
    except Refused as refusal:
        _give_up(tools, mail, str(refusal))
    except BadAddress:
        _give_up(tools, mail, "bad_address")
    except Delayed as delay:
        _put_back(tools, mail, str(delay))
        return Done(took=True, is_shut=delay.is_ours)
    except UnknownKind:
        _put_back(tools, mail, "unknown_kind")
    else:
        _note(tools, lambda tx: outbox.sent(tx, mail, tools.now()))
        _log.info("mail_sent", **_facts(mail))
    return Done(took=True)


def _put_back(tools: Tools, mail: Waiting, problem: str) -> None:
    now = tools.now()
    if now - mail.created_at >= GIVE_UP:
        _give_up(tools, mail, problem)
        return
    due_at = now + wait_after(mail.attempt)
    _note(tools, lambda tx: outbox.later(tx, mail, due_at, problem))
    _log.warning("mail_delayed", problem=problem, **_facts(mail))


def _give_up(tools: Tools, mail: Waiting, problem: str) -> None:
    _note(tools, lambda tx: outbox.given_up(tx, mail, tools.now(), problem))
    _log.error("mail_given_up", problem=problem, **_facts(mail))


def _note(tools: Tools, write: Callable[[Tx], None]) -> None:
    """Write what became of a mail; patiently, for it has happened."""
    for left in reversed(range(_NOTE_TRIES)):
        try:
            with tools.database.begin() as tx:
                write(tx)
        except StoreDown:
            if not left:
                raise
            time.sleep(1)
        else:
            return


def _facts(mail: Waiting) -> dict[str, object]:
    """What a log may say of a mail."""
    return {
        "mail": mail.outgoing_id.hex,
        "kind": mail.kind,
        "attempt": mail.attempt,
    }


def _told(error: Exception) -> dict[str, str]:
    """Say what went wrong and where; its own words may hold an address."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return {"error": type(error).__name__, "at": at}

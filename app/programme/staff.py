"""Terminals and the people at them: enrolling, signing in, PINs and passwords.

A terminal is enrolled once per code: the code's nonce is unique among terminals.
A person signs in with a PIN of their own, at a terminal, never with a shared one;
guesses are limited per person and terminal, and per terminal.

The console's door stands open to the whole network. Guesses at a password are counted
by address and network together, so that a stranger who guesses on purpose does not
shut the owner out; by address from everywhere, more widely; and by network, since one
that tries ever other addresses makes us hash for each. However many come, a process
hashes few passwords at once: each takes 64 MiB.

Where a limit of guesses refuses, that is a signal (``signals.guessed``): once an hour
for the same person at the same terminal, or the same person's password. The answer is
the same with it and without.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import or_, select

from app.programme import audit, codes, sessions, signals
from app.programme.codes import IssuedCode, Spending
from app.programme.errors import (
    CodeSpent,
    InvalidRequest,
    LimitReached,
    NotFound,
    TryAgain,
    Unauthenticated,
)
from app.programme.networks import network_of
from app.programme.sessions import TerminalCaller
from app.programme.words import clean_name, has_controls
from app.store.database import Tx
from app.store.limits import LimitHit
from app.store.tables import Location, StaffMember, Terminal
from app.tools import Tools
from signing.codes import Code, Kind

ROLES: Final = ("owner", "manager", "barista")
_PIN = re.compile(r"[0-9]{4,8}")
#: How many guesses are heard within how many minutes.
_HEARD: Final[Mapping[str, tuple[int, int]]] = {
    # At one person's PIN at one terminal, and at all PINs of that terminal.
    "pin": (5, 15),
    "pin_terminal": (20, 15),
    # At one address from one network, from everywhere, and at any from one network.
    "password": (5, 15),
    "password_address": (30, 60),
    "password_network": (30, 15),
}
# A PIN has few possibilities, so the limits above protect it, not the hash; a
# barista signs in with a queue waiting. RFC 9106's second choice is for passwords.
_PINS = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_PASSWORDS = PasswordHasher()
#: Passwords that a process hashes at once; who may be in line, those included, since
#: who waits holds a thread; and how long they wait, in s.
_AT_ONCE: Final = threading.BoundedSemaphore(4)
_IN_LINE: Final = threading.BoundedSemaphore(8)
_PATIENCE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device that is now a terminal, and the token that says so."""

    terminal_id: UUID
    name: str
    location_name: str
    token: str


@dataclass(frozen=True, slots=True)
class StaffName:
    """A name to tap at the till."""

    staff_id: UUID
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A staff member at work, and the token that says so."""

    staff_id: UUID
    name: str
    role: str
    token: str


def enrolment_code(
    tools: Tools, location_id: UUID, *, name: str | None = None, by: UUID | None = None
) -> IssuedCode:
    """Issue the code that makes a device a terminal of a location.

    Args:
        tools: keys, stores and clock.
        location_id: where the device stands.
        name: what to call it; "Till 3" and so on when None.
        by: the staff member who asks; None for a script.

    Raises:
        NotFound: no such location.
        InvalidRequest: the name does not serve.
        StoreDown: nothing was issued.
    """
    wrong: dict[str, str] = {}
    record = {"location": location_id.hex}
    if name:
        record["name"] = clean_name(name, wrong)
    if wrong:
        raise InvalidRequest(wrong)
    with tools.database.begin() as tx:
        if tx.get(Location, location_id) is None:
            raise NotFound
        audit.record(tx, tools, "enrolment.issued", location_id, by=by)
    return codes.issue(tools, Kind.ENROLMENT, record)


def enrol(
    tools: Tools, text: str, *, name: str | None = None, numbered: str = "Till {number}"
) -> Enrolled:
    """Make the device that presents an enrolment code a terminal.

    Args:
        tools: keys, stores and clock.
        text: the code, not trusted.
        name: what to call it, not trusted; the code's own name when None.
        numbered: what to call it when nobody gave a name, in the caller's language.

    Raises:
        InvalidRequest: the name does not serve.
        Refused: what ``codes.spend`` refuses. A second try of the same device is
            refused too, since its token can't be told twice: take a fresh code.
        StoreDown: nothing was written.
    """
    wrong: dict[str, str] = {}
    own_name = clean_name(name, wrong) if name else None
    if wrong:
        raise InvalidRequest(wrong)
    request = uuid4().hex

    def book(tx: Tx, spending: Spending) -> Mapping[str, Any]:
        if tx.scalar(select(Terminal).where(Terminal.nonce == spending.code.nonce)):
            raise CodeSpent
        return _book_terminal(tx, tools, spending, own_name, numbered)

    def request_id(_code: Code) -> str:
        return request

    answer = codes.spend(
        tools, text, kinds={Kind.ENROLMENT}, request_id=request_id, book=book
    ).answer
    return Enrolled(
        terminal_id=UUID(answer["terminal_id"]),
        name=answer["name"],
        location_name=answer["location_name"],
        token=answer["token"],
    )


def staff_at(tools: Tools, terminal: TerminalCaller) -> list[StaffName]:
    """List who may sign in at a terminal, by name."""
    with tools.database.read() as tx:
        rows = tx.scalars(
            select(StaffMember)
            .where(
                StaffMember.is_active,
                StaffMember.pin_hash.is_not(None),
                or_(
                    StaffMember.location_id.is_(None),
                    StaffMember.location_id == terminal.location_id,
                ),
            )
            .order_by(StaffMember.name)
        )
        return [StaffName(row.staff_id, row.name, row.role) for row in rows]


def sign_in(
    tools: Tools, terminal: TerminalCaller, staff_id: UUID, pin: str
) -> SignedIn:
    """Sign a staff member in at a terminal.

    Raises:
        Unauthenticated: the PIN is not theirs, or they do not work here.
        LimitReached: ``pin``: too many guesses.
        StoreDown: the books gave no answer.
    """
    try:
        _guess(tools, "pin_terminal", terminal.terminal_id.hex)
        _guess(tools, "pin", terminal.terminal_id.hex, staff_id.hex)
    except LimitReached as refusal:
        _tell_of_pins(tools, refusal.limit, terminal, staff_id)
        raise
    is_here = _is_at(tools, terminal, staff_id)
    with tools.database.read() as tx:
        person = tx.get(StaffMember, staff_id) if is_here else None
    known = person.pin_hash if person else None
    if not _is_right(_PINS, known, pin) or person is None:
        raise Unauthenticated
    tools.limits.reset("pin", terminal.terminal_id.hex, staff_id.hex)
    tools.limits.reset("pin_terminal", terminal.terminal_id.hex)
    with tools.database.begin() as tx:
        token = sessions.grant(
            tx, tools, "staff", terminal_id=terminal.terminal_id, staff_id=staff_id
        )
    return SignedIn(staff_id, person.name, person.role, token)


def console_sign_in(
    tools: Tools, email: str, password: str, *, device: str | None = None
) -> SignedIn:
    """Sign an owner or manager in to the console.

    Args:
        tools: books, limits and clock.
        email: as typed; not trusted.
        password: as typed; not trusted.
        device: the network address that asks; None: nobody's, as for scripts. The
            machine's own counts as nobody's, see ``networks``.

    Raises:
        Unauthenticated: no such pair; says no more.
        LimitReached: ``password``, ``password_address`` or ``password_network``:
            too many guesses.
        TryAgain: many sign in at once.
        StoreDown: the books gave no answer.
    """
    address = email.strip().lower()
    network = network_of(device) if device else None
    try:
        # What one limit refuses counts for none of those after it.
        _guess(tools, "password", address, network or "")
        if network is not None:
            _guess(tools, "password_network", network)
        _guess(tools, "password_address", address)
    except LimitReached as refusal:
        _tell_of_passwords(tools, refusal.limit, address)
        raise
    person = _who_signs_in_as(tools, address)
    known = person.password_hash if person else None
    with _room(_IN_LINE, 0), _room(_AT_ONCE, _PATIENCE_S):
        is_right = _is_right(_PASSWORDS, known, password)
    if not is_right or person is None:
        raise Unauthenticated
    tools.limits.reset("password", address, network or "")
    tools.limits.reset("password_address", address)
    with tools.database.begin() as tx:
        token = sessions.grant(tx, tools, "console", staff_id=person.staff_id)
        audit.record(
            tx, tools, "console.signed_in", person.staff_id, by=person.staff_id
        )
    return SignedIn(person.staff_id, person.name, person.role, token)


def hash_pin(pin: str) -> str:
    """Check a new PIN and hash it.

    Raises:
        InvalidRequest: ``pin`` is ``not_digits`` (4 to 8) or ``too_simple``.
    """
    if not _PIN.fullmatch(pin):
        raise InvalidRequest({"pin": "not_digits"})
    if is_simple(pin):
        raise InvalidRequest({"pin": "too_simple"})
    return _PINS.hash(pin)


def is_simple(pin: str) -> bool:
    """Tell whether a PIN is among the first that anyone would try: 1111, 1212, 4321."""
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    return len(set(pin)) <= 2 or steps in ({1}, {-1})  # noqa: PLR2004 -- as told


def hash_password(password: str) -> str:
    """Check a new password and hash it.

    Raises:
        InvalidRequest: ``password`` is ``too_short`` (under 10) or ``too_long``.
    """
    if len(password) < 10:  # noqa: PLR2004 -- told in the docstring
        raise InvalidRequest({"password": "too_short"})
    if len(password) > 200:  # noqa: PLR2004 -- argon2 should not hash a book
        raise InvalidRequest({"password": "too_long"})
    return _PASSWORDS.hash(password)


def _book_terminal(
    tx: Tx, tools: Tools, spending: Spending, own_name: str | None, numbered: str
) -> Mapping[str, Any]:
    location = tx.get(Location, UUID(spending.record["location"]))
    if location is None:
        raise NotFound
    number = len(tx.scalars(select(Terminal.terminal_id)).all()) + 1
    terminal = Terminal(
        terminal_id=uuid4(),
        location_id=location.location_id,
        name=own_name
        or spending.record.get("name")
        or numbered.replace("{number}", str(number)),
        nonce=spending.code.nonce,
        proof=spending.code.data,
        enrolled_at=spending.at,
    )
    tx.add(terminal)
    tx.flush()
    token = sessions.grant(tx, tools, "terminal", terminal_id=terminal.terminal_id)
    audit.record(tx, tools, "terminal.enrolled", terminal.terminal_id, by=None)
    return {
        "terminal_id": str(terminal.terminal_id),
        "name": terminal.name,
        "location_name": location.name,
        "token": token,
    }


def _is_at(tools: Tools, terminal: TerminalCaller, staff_id: UUID) -> bool:
    return staff_id in {person.staff_id for person in staff_at(tools, terminal)}


def _who_signs_in_as(tools: Tools, address: str) -> StaffMember | None:
    """Find whose address it is; None too for those who have no way into the console."""
    whose = select(StaffMember).where(
        StaffMember.email == address, StaffMember.is_active
    )
    with tools.database.read() as tx:
        # PostgreSQL would not even look for some characters.
        person = None if has_controls(address) else tx.scalar(whose)
    return person if person and person.role != "barista" else None


def _guess(tools: Tools, name: str, *key: str) -> None:
    most, minutes = _HEARD[name]
    try:
        tools.limits.hit(name, *key, limit=f"{most}/{minutes}minute")
    except LimitHit as error:
        raise LimitReached(name, error.retry_after) from error


def _tell_of_pins(
    tools: Tools, limit: str, terminal: TerminalCaller, staff_id: UUID
) -> None:
    """Raise a signal; of all PINs of a terminal nobody's is meant."""
    if limit == "pin_terminal":
        _tell(tools, limit, "", lambda: None, terminal.terminal_id)
        return

    def whose() -> UUID | None:
        return staff_id if _is_at(tools, terminal, staff_id) else None

    _tell(tools, limit, staff_id.hex, whose, terminal.terminal_id)


def _tell_of_passwords(tools: Tools, limit: str, address: str) -> None:
    """Raise a signal; of a network that tries ever other people nobody is meant."""
    if limit == "password_network":
        _tell(tools, limit, "", lambda: None)
        return

    def whose() -> UUID | None:
        person = _who_signs_in_as(tools, address)
        return person.staff_id if person else None

    _tell(tools, limit, address, whose)


def _tell(
    tools: Tools,
    limit: str,
    key: str,
    whose: Callable[[], UUID | None],
    terminal_id: UUID | None = None,
) -> None:
    most, minutes = _HEARD[limit]
    evidence = {"limit": limit, "most": most, "minutes": minutes}
    signals.guessed(tools, evidence, key, whose, terminal_id=terminal_id)


@contextmanager
def _room(places: threading.BoundedSemaphore, patience_s: float) -> Iterator[None]:
    """Take a place for a while."""
    if not places.acquire(timeout=patience_s):
        raise TryAgain
    try:
        yield
    finally:
        places.release()


def _is_right(hasher: PasswordHasher, known: str | None, guess: str) -> bool:
    """Compare; where there is nobody, take as long as for somebody."""
    try:
        # Half a pair of surrogates, as JSON may hold, is no UTF-8 and no fault.
        said = guess[:200].encode(errors="surrogatepass")
        hasher.verify(known or _nobody(hasher), said)
    except (VerificationError, InvalidHashError):
        return False
    return known is not None


@cache
def _nobody(hasher: PasswordHasher) -> str:
    return hasher.hash(secrets.token_hex())

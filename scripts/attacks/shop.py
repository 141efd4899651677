"""The shop under attack: how to come to phones, tills and codes in it, honestly.

Whatever is given here honestly is written down in ``honest``, so that what the books
have beyond it was an attack's. Specimens are made sparingly: a shop limits what one
person gives in an hour, and an attack that nobody could set up shows nothing.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from app.programme import codes, founding, sessions, staff, stamping
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.tools import Tools
from scripts.attacks import books
from scripts.attacks.catalogue import Need
from scripts.attacks.parts import API, Browser, CannotSetUp, Phone, Till, must
from scripts.attacks.wire import Answer, Wire
from signing.codes import Kind

if TYPE_CHECKING:
    pass

_CODE = re.compile(r"[A-Z2-7]{128}")
#: Long ago enough for no limit of today.
_LONG_AGO = timedelta(days=3)
_FULL_BY = (5, 5)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works in the shop."""

    staff_id: str
    name: str
    role: str
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """An owner's or manager's way into the console."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Spent:
    """A code that was spent honestly, and what the first answer named."""

    kind: Kind
    code: str = field(repr=False)
    request_id: str
    phone: Phone
    entry_id: str
    answer: bytes = field(repr=False)


@dataclass
class Shop:
    """An installation, and what the operator gave us of it.

    Args:
        wire: the way to it.
        people: who can sign in at a till; two or more.
        account: of the console, if given.
        enrolments: codes for tills, if there is no other way to come by them.
        tools: the installation's own, if its directory was given.
        log: what its web server writes, if it can be read.
        is_own: it was made for this run, and is thrown away after.
    """

    wire: Wire
    people: tuple[Person, ...]
    account: Account | None = None
    enrolments: list[str] = field(default_factory=list, repr=False)
    tools: Tools | None = None
    log: Path | None = None
    is_own: bool = False
    #: What was given honestly, as ``books`` counts.
    honest: Counter[str] = field(default_factory=Counter)
    #: Nothing of this may be found in a log.
    secrets: set[str] = field(default_factory=set, repr=False)
    phones: list[Phone] = field(default_factory=list, repr=False)

    # What there is to work with.

    @property
    def has(self) -> frozenset[Need]:
        """What attacks may ask of this shop."""
        known = {
            Need.INSIDE: self.tools is not None,
            Need.OWN: self.is_own,
            Need.CONSOLE: self.account is not None,
        }
        return frozenset(need for need, is_here in known.items() if is_here)

    @property
    def inside(self) -> Tools:
        """The installation's tools, for attacks that need ``Need.INSIDE``."""
        if self.tools is None:
            raise CannotSetUp("the installation's directory was not given")
        return self.tools

    @property
    def origin(self) -> str:
        """What is signed into its codes, as far as it is known."""
        return self.tools.settings.origin if self.tools else self.wire.url

    def booked(self) -> Counter[str]:
        """Count what the books have now."""
        if self.tools:
            return books.of_shop(self.tools)
        return books.of_phones(self.phones)

    # Phones, tills, browsers.

    def join(self, **details: str) -> Phone:
        """Let somebody join."""
        joined = must(self.wire.ask("POST", f"{API}/members", details), "joining")
        self.secrets |= {joined["token"], *details.get("email", "").split()}
        phone = Phone(
            self.wire, joined["member_id"], joined["card_id"], joined["token"]
        )
        self.phones.append(phone)
        return phone

    def forget(self) -> None:
        """Look no more at the phones of an attack that is over, but at those kept."""
        kept = [vars(self)[name] for name in ("phone", "holder") if name in vars(self)]
        self.phones[:] = kept

    @cached_property
    def phone(self) -> Phone:
        """A customer's phone, for attacks that ask for no more than one."""
        return self.join(name="Anna")

    @cached_property
    def till(self) -> Till:
        """A till with a barista at it."""
        return self.new_till(0)

    @cached_property
    def second_till(self) -> Till:
        """Another one, with another person at it."""
        return self.new_till(1)

    def new_till(self, person: int = 0) -> Till:
        """Enrol a device, and sign one of the people in at it."""
        found = must(self.enrol(self.enrolment_code()), "enrolling a till")
        # Not +=, which forgets what is below nought.
        self.honest.update(tills=1, sessions=1)
        who = self.people[person % len(self.people)]
        session = must(self.sign_in(found["token"], who), "signing in at a till")
        self.honest["sessions"] += 1
        self.secrets |= {found["token"], session["token"]}
        return Till(
            self.wire,
            found["terminal_id"],
            found["token"],
            session["token"],
            who.staff_id,
        )

    def enrol(self, code: object) -> Answer:
        """Let a device present an enrolment code."""
        return self.wire.ask("POST", f"{API}/terminals", {"code": code})

    def sign_in(self, terminal: str, who: Person, pin: str | None = None) -> Answer:
        """Type a PIN at a till."""
        body = {"staff_id": who.staff_id, "pin": pin or who.pin}
        return self.wire.ask("POST", f"{API}/staff-sessions", body, token=terminal)

    @cached_property
    def owner(self) -> Browser:
        """A browser that is signed in to the console."""
        if self.account is None:
            raise CannotSetUp("no account of the console was given")
        browser = Browser(self.wire)
        facts = {"email": self.account.email, "password": self.account.password}
        browser.send("/console/sign-in", facts)
        self.secrets |= {facts["password"], facts["email"]}
        if self.cookie("console") not in browser.cookies:
            raise CannotSetUp("the console's e-mail and password were refused")
        self.honest["sessions"] += 1
        self.secrets.add(browser.cookies[self.cookie("console")])
        return browser

    def cookie(self, kind: str) -> str:
        """Name the cookie of a kind of token."""
        return f"__Host-pp_{kind}" if self.wire.is_secure else f"pp_{kind}"

    # Codes.

    def enrolment_code(self) -> str:
        """Come by a code that makes a device a till."""
        if self.enrolments:
            return self.enrolments.pop()
        if self.tools:
            place = founding.first_location(self.tools)
            if place is None:
                raise CannotSetUp("the shop has no location")
            return self._kept(staff.enrolment_code(self.tools, place).code)
        page = self._enrolment_page()
        found = _CODE.search(html.unescape(page))
        if found is None:
            raise CannotSetUp("the console showed no code for a till")
        return self._kept(found[0])

    def fresh(self, kind: Kind, phone: Phone | None = None) -> str:
        """Come by a code that is out and not spent."""
        if kind is Kind.ENROLMENT:
            return self.enrolment_code()
        if kind is Kind.STAMP:
            return self._kept(self.till.code())
        if kind is Kind.CARD:
            return self._kept((phone or self.phone).code())
        shown = self.holder.show_voucher(self.holder.vouchers()[0])
        return self._kept(str(must(shown, "showing a voucher")["code"]))

    def dead(self, kind: Kind) -> str:
        """Issue a code that ran out a moment ago."""
        now = self.inside.now()
        then = now - codes.LIFETIME[kind] - timedelta(seconds=2)
        past = replace(self.inside, now=lambda: then)
        return self._kept(codes.issue(past, kind, self._record(kind)).code)

    def knock(self, kind: Kind, code: object) -> Answer:
        """Present a code at the door that takes its kind."""
        if kind is Kind.CARD:
            return self.till.scan(code)
        if kind is Kind.VOUCHER:
            return self.till.redeem(code)
        if kind is Kind.ENROLMENT:
            return self.enrol(code)
        return self.phone.collect(code)

    @cached_property
    def holder(self) -> Phone:
        """A phone with a voucher that nobody uses."""
        return self.with_voucher()

    def with_voucher(self) -> Phone:
        """Let somebody join and fill a card; long ago, if that can be arranged."""
        phone = self.join(name="Vera")
        for stamps in _FULL_BY:
            self._fill(phone, stamps)
            self.honest["stamps"] += stamps
        return phone

    def _fill(self, phone: Phone, stamps: int) -> None:
        if self.tools is None:
            must(self.till.scan(phone.code(), stamps=stamps), "filling a card")
            return
        past = self.tools.now() - _LONG_AGO
        then, caller = replace(self.tools, now=lambda: past), self.barista
        code = stamping.card_code(then, UUID(phone.card_id)).code
        request = uuid4().hex
        stamping.stamp(then, code, stamps=stamps, request_id=request, staff=caller)

    def spend(self, kind: Kind) -> Spent:
        """Spend a code of a kind, honestly."""
        phone = self.with_voucher() if kind is Kind.VOUCHER else self.join(name="Bo")
        request_id = uuid4().hex
        if kind is Kind.CARD:
            code = phone.code()
            answer, what = self.till.scan(code, request_id=request_id), "stamps"
        elif kind is Kind.STAMP:
            code = self.till.code()
            answer, what = phone.collect(code), "stamps"
        else:
            shown = must(phone.show_voucher(phone.vouchers()[0]), "showing a voucher")
            code = shown["code"]
            answer = self.till.redeem(code, request_id=request_id)
            what = "redemptions"
        told = must(answer, f"spending a {kind.name.lower()} code")
        self.honest[what] += 1
        entry_id = told.get("stamp_id") or told.get("redemption_id")
        return Spent(kind, self._kept(code), request_id, phone, entry_id, answer.body)

    def respend(self, spent: Spent, code: str | None = None) -> Answer:
        """Present a spent code in the same request once more."""
        text = code or spent.code
        if spent.kind is Kind.STAMP:
            return spent.phone.collect(text)
        if spent.kind is Kind.CARD:
            return self.till.scan(text, request_id=spent.request_id)
        return self.till.redeem(text, request_id=spent.request_id)

    # From inside.

    @property
    def barista(self) -> StaffCaller:
        """Who stands at the till, as the programme knows them."""
        caller = sessions.who(self.inside, self.till.staff)
        if not isinstance(caller, StaffCaller):
            raise CannotSetUp("nobody stands at the till")
        return caller

    @property
    def leader(self) -> ConsoleCaller:
        """The owner, as the programme knows them."""
        owner = next(one for one in self.people if one.role == "owner")
        return ConsoleCaller(UUID(owner.staff_id), owner.name, "owner")

    def _record(self, kind: Kind) -> Mapping[str, str]:
        if kind is Kind.CARD:
            return {"card": UUID(self.phone.card_id).hex}
        if kind is Kind.VOUCHER:
            return {"voucher": UUID(self.holder.vouchers()[0]).hex}
        place = founding.first_location(self.inside)
        if kind is Kind.ENROLMENT and place is not None:
            return {"location": place.hex}
        return {"stamps": "1"}

    def _enrolment_page(self) -> str:
        listed = self.owner.ask("GET", "/console/terminals/new").text
        place = re.search(r'<option value="([0-9a-f-]{36})"', listed)
        fields = {"location_id": place[1] if place else "", "name": "Till"}
        sent = self.owner.send("/console/terminals/new", fields)
        return self.owner.ask("GET", sent.headers.get("location", "/")).text

    def _kept(self, code: str) -> str:
        self.secrets.add(code)
        return code

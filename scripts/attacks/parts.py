"""What stands in a shop: a customer's phone, a till with somebody at it, a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from scripts.attacks.wire import Answer, Wire

API = "/api/v1"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class CannotSetUp(Exception):
    """What an attack begins with could not be made; the sentence says why."""


def must(answer: Answer, what: str) -> Any:
    """Give what an honest request was answered.

    Raises:
        CannotSetUp: it was refused.
    """
    if not answer.is_success:
        raise CannotSetUp(f"{what} was refused: {answer.code}")
    return answer.json


@dataclass(frozen=True, slots=True)
class Phone:
    """A customer's phone with one card."""

    wire: Wire
    member_id: str
    card_id: str
    token: str = field(repr=False)

    def show(self) -> Answer:
        """Ask for the code that this phone shows for a stamp."""
        path = f"{API}/cards/{self.card_id}/code"
        return self.wire.ask("POST", path, token=self.token)

    def code(self) -> str:
        """Show a code, honestly."""
        return str(must(self.show(), "showing a card's code")["code"])

    def collect(self, code: object) -> Answer:
        """Collect the stamps of a till's or a printed code."""
        path = f"{API}/cards/{self.card_id}/stamps"
        return self.wire.ask("POST", path, {"code": code}, token=self.token)

    def show_voucher(self, voucher_id: str) -> Answer:
        """Ask for the code that this phone shows for a reward."""
        path = f"{API}/vouchers/{voucher_id}/code"
        return self.wire.ask("POST", path, token=self.token)

    def card(self) -> Any:
        """Read the card."""
        path = f"{API}/cards/{self.card_id}"
        return must(self.wire.ask("GET", path, token=self.token), "reading a card")

    def vouchers(self) -> list[str]:
        """The ids of the vouchers that are not used."""
        found = self.card()["vouchers"]
        return [one["voucher_id"] for one in found if one["state"] == "issued"]


@dataclass(frozen=True, slots=True)
class Till:
    """A device at a counter, and the session of the person at it."""

    wire: Wire
    terminal_id: str
    #: The device's token, and the person's.
    terminal: str = field(repr=False)
    staff: str = field(repr=False)
    staff_id: str = ""

    def scan(
        self, code: object, *, stamps: object = 1, request_id: str | None = None
    ) -> Answer:
        """Give stamps to the card whose code this is."""
        body = {
            "code": code,
            "stamps": stamps,
            "request_id": request_id or uuid4().hex,
        }
        return self.wire.ask("POST", f"{API}/stamps", body, token=self.staff)

    def redeem(self, code: object, *, request_id: str | None = None) -> Answer:
        """Hand over the reward of the voucher whose code this is."""
        body = {"code": code, "request_id": request_id or uuid4().hex}
        return self.wire.ask("POST", f"{API}/redemptions", body, token=self.staff)

    def offer(self, stamps: object = 1) -> Answer:
        """Ask for the code that this till shows for a customer to collect."""
        body = {"stamps": stamps}
        return self.wire.ask("POST", f"{API}/stamp-codes", body, token=self.staff)

    def code(self, stamps: int = 1) -> str:
        """Show a code, honestly."""
        return str(must(self.offer(stamps), "showing a till's code")["code"])

    def undo(self, what: str, entry_id: str, reason: str = "mistake") -> Answer:
        """Take back a stamp or a redemption; ``what`` is its name in the address."""
        path = f"{API}/{what}/{entry_id}/reversal"
        return self.wire.ask("POST", path, {"reason": reason}, token=self.staff)


@dataclass(slots=True)
class Browser:
    """A browser: it keeps cookies, and knows the form token of its page."""

    wire: Wire
    cookies: dict[str, str] = field(default_factory=dict, repr=False)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request with the cookies, and keep those that come back."""
        answer = self.wire.ask(
            method, path, body, cookies=self.cookies, headers=headers
        )
        for name, value in answer.cookies.items():
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return answer

    def page_token(self) -> str:
        """Give the form token that this browser's pages hold."""
        return str(must(self.ask("GET", "/page-token"), "loading a page")["token"])

    def send(self, path: str, fields: Mapping[str, object]) -> Answer:
        """Post a form, as a page of ours does."""
        token = {"csrf_token": self.page_token()}
        body = urlencode({**fields, **token}).encode()
        referer = {"Referer": f"{self.wire.url}/"}
        return self.ask("POST", path, body, {**FORM, **referer})

    def call(self, path: str, body: object) -> Answer:
        """Post JSON, as a script of ours does."""
        headers = {"X-CSRFToken": self.page_token(), "Referer": f"{self.wire.url}/"}
        return self.ask("POST", path, body, headers)

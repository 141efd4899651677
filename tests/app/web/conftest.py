"""A shop over HTTP without a server: Flask's test client, one token for each kind."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app import create_app
from app.programme import (
    batches,
    cards,
    codes,
    founding,
    limits,
    members,
    rewards,
    sessions,
    shop,
    staff,
    stamping,
)
from app.programme.cards import CardState
from app.programme.founding import Charter, Founded
from app.programme.members import Joined
from app.programme.purchases import Order
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.settings import Settings
from app.store.tables import Table
from app.tools import Tools, open_tools
from scripts.parts.redis_server import RunningRedis
from signing.codes import Kind
from tests.conftest import ORIGIN

#: What changes by looking: no part of what "nothing was written" means.
_BY_LOOKING = {("terminal", "seen_at"), ("access_token", "seen_at")}


@dataclass(frozen=True)
class Api:
    """A client of the API that speaks with one token, or with none."""

    app: Flask
    token: str | None = None

    def __call__(self, method: str, path: str, body: object = None, **more: Any):
        headers = dict(more.pop("headers", {}))
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            more["json"] = body
        return self.app.test_client().open(
            f"/api/v1{path}", method=method, headers=headers, **more
        )

    def get(self, path: str, **more: Any):
        return self("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Any):
        return self("POST", path, body, **more)


_APPS: dict[tuple[object, ...], Flask] = {}


def app_over(tools: Tools) -> Flask:
    """Give an app over these tools: making one, of a hundred addresses, takes long.

    Of its settings it keeps what is named here, and of a test its tools, so one serves
    all tests, one after the other. Who needs a second beside it calls ``create_app``.
    """
    kept = (tools.settings.is_secure, tools.settings.proxy_hops)
    app = _APPS[kept] = _APPS.get(kept) or create_app(tools)
    app.extensions["punchproof"] = tools
    return app


@dataclass(frozen=True)
class House:
    """A shop with a card, a till, somebody at it and somebody in the console."""

    tools: Tools
    app: Flask
    founded: Founded
    joined: Joined
    tokens: Mapping[str, str]

    def api(self, kind: str | None = None) -> Api:
        """Speak as ``member``, ``terminal``, ``staff`` or ``console``."""
        return Api(self.app, self.tokens[kind] if kind else None)

    def over(self, tools: Tools) -> House:
        """Make the same shop as a process with other tools serves it."""
        return dataclasses.replace(self, tools=tools, app=create_app(tools))

    @property
    def barista(self) -> StaffCaller:
        caller = sessions.who(self.tools, self.tokens["staff"])
        assert isinstance(caller, StaffCaller)
        return caller

    def join(self, name: str | None = "Bo") -> Joined:
        return members.join(self.tools, name=name)

    def card(self, joined: Joined | None = None) -> CardState:
        return cards.card(self.tools, (joined or self.joined).card_id)

    def card_code(self, joined: Joined | None = None) -> str:
        card_id = (joined or self.joined).card_id
        return stamping.card_code(self.tools, card_id).code

    def stamp_code(self, stamps: int = 1) -> str:
        return stamping.stamp_code(self.tools, self.barista, stamps).code

    def enrolment_code(self) -> str:
        return staff.enrolment_code(self.tools, self.founded.location_id).code

    def give(self, stamps: int, joined: Joined | None = None) -> UUID:
        """Give stamps; the id of the last entry comes back."""
        while stamps > 0:
            spent = stamping.stamp(
                self.tools,
                self.card_code(joined),
                stamps=min(stamps, stamping.MOST_STAMPS),
                request_id=uuid4().hex,
                staff=self.barista,
            )
            stamps -= stamping.MOST_STAMPS
        return UUID(spent.answer["stamp_id"])

    def buy(self, amount: int, joined: Joined | None = None) -> UUID:
        """Buy something, and get a stamp for it; the purchase's id comes back."""
        spent = stamping.stamp(
            self.tools,
            self.card_code(joined or self.join("Eva")),
            stamps=1,
            request_id=uuid4().hex,
            staff=self.barista,
            order=Order(amount=amount),
        )
        return UUID(spent.answer["purchase"]["purchase_id"])

    def voucher(self, joined: Joined | None = None) -> UUID:
        """Fill a card; the voucher's id comes back."""
        self.give(10, joined)
        return self.card(joined).vouchers[0].voucher_id

    def voucher_code(self, voucher_id: UUID, joined: Joined | None = None) -> str:
        member_id = (joined or self.joined).member_id
        return rewards.voucher_code(self.tools, voucher_id, member_id).code

    def code_of(self, kind: Kind) -> str:
        """Issue a waiting code of a kind."""
        if kind is Kind.CARD:
            return self.card_code()
        if kind is Kind.STAMP:
            return self.stamp_code()
        if kind is Kind.VOUCHER:
            return self.voucher_code(self.voucher())
        return self.enrolment_code()

    def print_batch(self) -> UUID:
        """Make a batch of printed codes, good for a month."""
        return batches.make(
            self.tools,
            name="Market",
            programme_id=self.founded.programme_id,
            location_id=self.founded.location_id,
            stamps=1,
            count=3,
            last_day=(self.tools.now() + timedelta(days=30)).date(),
            by=ConsoleCaller(self.founded.staff_id, "Owner", "owner"),
        )

    def nonce_of(self, code: str) -> bytes:
        return codes.read(self.tools, code).nonce

    def grant(self, kind: str, **whose: UUID) -> str:
        """Make a token without a PIN or password."""
        with self.tools.database.begin() as tx:
            return sessions.grant(tx, self.tools, kind, **whose)


@dataclass(frozen=True)
class Furniture:
    """What is in the books of a shop that is open."""

    founded: Founded
    joined: Joined
    tokens: Mapping[str, str]


def furnish(tools: Tools) -> Furniture:
    """Found a shop, let Anna join, set a till up and sign the owner in."""
    founded = founding.found(
        tools, Charter(name="Kaffe & Brød", location="Nyhavn", limits=limits.NONE)
    )
    joined = members.join(tools, name="Anna")
    code = staff.enrolment_code(tools, founded.location_id).code
    enrolled = staff.enrol(tools, code)
    till = {"terminal_id": enrolled.terminal_id}
    with tools.database.begin() as tx:
        tokens = {
            "member": joined.token,
            "terminal": enrolled.token,
            "staff": sessions.grant(
                tx, tools, "staff", **till, staff_id=founded.staff_id
            ),
            "console": sessions.grant(tx, tools, "console", staff_id=founded.staff_id),
        }
    return Furniture(founded, joined, tokens)


@pytest.fixture(scope="session")
def furnished_file(
    tmp_path_factory: pytest.TempPathFactory,
    key_directory: Path,
    redis_server: RunningRedis,
) -> tuple[Path, Furniture]:
    """SQLite books of a shop that is open, made once: hashing passwords is slow."""
    directory = tmp_path_factory.mktemp("furnished")
    path = directory / "books.sqlite3"
    tools = open_tools(
        Settings(
            data=directory,
            host="127.0.0.1",
            port=8000,
            origin=ORIGIN,
            keys=key_directory / "keys",
            keys_passphrase_file=key_directory / "keys.passphrase",
            database_url=f"sqlite:///{path}",
            redis_url=redis_server.url,
        )
    )
    tools.database.migrate()
    furniture = furnish(tools)
    tools.close()
    return path, furniture


@pytest.fixture
def house(
    request: pytest.FixtureRequest,
    make_tools: Callable[..., Tools],
    settings: Settings,
    tmp_path: Path,
) -> House:
    """A shop that is open."""
    if settings.database_url.startswith("sqlite"):
        template, furniture = request.getfixturevalue("furnished_file")
        shutil.copy(template, tmp_path / "books.sqlite3")
        tools = make_tools()
    else:
        tools = make_tools()
        furniture = furnish(tools)
    return House(
        tools, app_over(tools), furniture.founded, furniture.joined, furniture.tokens
    )


def books(tools: Tools, *, but: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Read all that the books hold, to be compared with a later look.

    Args:
        tools: the books.
        but: tables that may change, such as ``signal``.
    """
    with tools.database.read() as tx:
        return {
            table.name: sorted(
                map(
                    repr,
                    tx.execute(
                        select(
                            *(
                                column
                                for column in table.columns
                                if (table.name, column.name) not in _BY_LOOKING
                            )
                        )
                    ),
                )
            )
            for table in Table.metadata.sorted_tables
            if table.name not in but
        }


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a refusal of this code, in the one shape; give it."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    told: dict[str, Any] = response.get_json()
    assert told["code"] == code
    assert told["status"] == status
    assert told["type"] == f"urn:punchproof:{code}"
    assert told["title"].strip()
    assert told["detail"].strip().endswith(".")
    assert "Traceback" not in response.text
    if "retry_after" in told:
        assert response.headers["Retry-After"] == str(told["retry_after"])
        assert told["retry_after"] >= 1
    return told


class _Token(HTMLParser):
    """Finds the page's CSRF token."""

    found: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "meta" and said.get("name") == "csrf-token":
            self.found = said.get("content")


def csrf_token(client: FlaskClient, path: str = "/counter/enrol", **more: Any) -> str:
    """Open a page as a browser does, and read its token."""
    reader = _Token()
    reader.feed(client.get(path, **more).text)
    assert reader.found
    return reader.found


@dataclass(frozen=True)
class Call:
    """One call of the API as it goes well, and who may make it."""

    method: str
    #: As in the design, ``/cards/{id}/code``.
    name: str
    path: str
    #: ``None`` stands for anyone.
    kinds: frozenset[str | None]
    body: Mapping[str, object] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


def _biscuit(house: House, owner: ConsoleCaller) -> UUID:
    """Offer a reward that Anna can choose; its id comes back."""
    house.give(1)
    return rewards.save(
        house.tools,
        rewards.Plan(kind="item", name="Biscuit", price=1),
        programme_id=house.founded.programme_id,
        reward_id=None,
        by=owner,
    )


def calls(house: House) -> list[Call]:
    """Prepare every call, each of which would go well, once."""
    member, terminal, staff_ = (
        frozenset({kind}) for kind in ("member", "terminal", "staff")
    )
    anyone = frozenset({None})
    card = f"/cards/{house.joined.card_id}"
    shown = house.stamp_code()
    other = house.join()
    used, unused = house.voucher(), house.voucher()
    redeemed = rewards.redeem(
        house.tools,
        house.voucher_code(used),
        request_id=uuid4().hex,
        staff=house.barista,
    ).answer["redemption_id"]
    pin = {"staff_id": str(house.founded.staff_id), "pin": house.founded.pin}
    owner = ConsoleCaller(house.founded.staff_id, "Owner", "owner")
    shop.allow_by_hand(house.tools, is_allowed=True, by=owner)
    soup = shop.save_programme(
        house.tools,
        programme_id=None,
        name="Lunch",
        reward="Soup",
        stamps_required=5,
        terms="",
        is_open=True,
        voucher_days=None,
        by=owner,
    )
    by_hand = {"card_id": str(other.card_id), "stamps": 1, "request_id": uuid4().hex}
    receipt = {
        "code": house.card_code(house.join("Di")),
        "request_id": uuid4().hex,
        "till_number": uuid4().hex,
        "amount": 350,
        "items": [],
    }
    bought = house.buy(350)
    back = {"reason": "cold", "request_id": uuid4().hex, "lines": [1]}
    wanted = {
        "reward_id": str(_biscuit(house, owner)),
        "request_id": uuid4().hex,
        "edition": 1,
    }
    return [
        Call("POST", "/card-searches", "/card-searches", staff_, {"q": "Anna"}),
        Call("POST", "/hand-stamps", "/hand-stamps", staff_, by_hand),
        Call("POST", "/members", "/members", anyone, {"name": "Zoë"}),
        Call("POST", "/cards", "/cards", member, {"programme": str(soup.programme_id)}),
        Call("POST", "/purchases", "/purchases", staff_ | terminal, receipt),
        Call("GET", "/purchases", "/purchases", staff_),
        Call(
            "POST",
            "/purchases/{id}/refund",
            f"/purchases/{bought}/refund",
            staff_,
            back,
        ),
        Call("GET", "/cards/{id}", card, member | staff_),
        Call("GET", "/cards/{id}/rewards", f"{card}/rewards", member),
        Call("POST", "/cards/{id}/exchanges", f"{card}/exchanges", member, wanted),
        Call("POST", "/cards/{id}/code", f"{card}/code", member),
        Call(
            "POST",
            "/cards/{id}/stamps",
            f"{card}/stamps",
            member,
            {"code": house.stamp_code()},
        ),
        Call("POST", "/vouchers/{id}/code", f"/vouchers/{unused}/code", member),
        Call(
            "POST",
            "/terminals",
            "/terminals",
            anyone,
            {"code": house.enrolment_code(), "name": "By the door"},
        ),
        Call("GET", "/staff", "/staff", terminal),
        Call("POST", "/staff-sessions", "/staff-sessions", terminal, pin),
        Call("POST", "/stamp-codes", "/stamp-codes", staff_, {"stamps": 1}),
        Call(
            "GET",
            "/stamp-codes/{id}",
            f"/stamp-codes/{house.nonce_of(shown).hex()}",
            staff_,
        ),
        Call(
            "POST",
            "/stamps",
            "/stamps",
            staff_,
            {"code": house.card_code(), "stamps": 1, "request_id": uuid4().hex},
        ),
        Call(
            "POST",
            "/redemptions",
            "/redemptions",
            staff_,
            {"code": house.voucher_code(unused), "request_id": uuid4().hex},
        ),
        Call(
            "POST",
            "/stamps/{id}/reversal",
            f"/stamps/{house.give(1, other)}/reversal",
            staff_,
            {"reason": "slip"},
        ),
        Call(
            "POST",
            "/redemptions/{id}/reversal",
            f"/redemptions/{redeemed}/reversal",
            staff_,
            {"reason": "slip"},
        ),
    ]

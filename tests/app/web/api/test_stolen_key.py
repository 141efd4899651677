"""A stolen key: called back while the shop is busy, and worthless even before that.

The thief of the second half has all that lies in the keys directory and what opens it,
an accomplice at a till and a card of their own. They cannot write in the nonce store.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from app.programme import sessions, staff
from app.programme.codes import LIFETIME
from app.programme.founding import Founded, found
from app.settings import Settings
from app.tools import Tools
from app.web.shared.errors import TABLE
from signing import codes as signed
from signing import keyfiles
from signing.codes import Code, Kind
from signing.keyring import KeyRing
from tests.app.web.api.traffic import (
    Traffic,
    at_each_worker,
    booked,
    collect,
    collected,
    cries,
    enrol_by,
    outcomes,
    redeem,
    run,
    scan,
    scanned,
    unissued,
    until_live,
    with_ring_of_its_own,
)
from tests.conftest import both_books_at_length
from tests.running import BUSY, Service, join, work

pytestmark = pytest.mark.slow

WORKERS, LANES = 3, 12
#: How long customers hesitate, in s: a busy shop, and a machine that is not.
PAUSES = (0.2, 0.4, 1.0, 3.0)
#: What is out of each kind when the key is called back.
OUT_OF_EACH = 6
#: A revocation holds everywhere after this, in s from the command's first moment.
PROMISE_S = 5.0
FORGED, THREADS = 2000, 8


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return with_ring_of_its_own(settings, tmp_path)


@pytest.fixture
def tools(make_tools: Callable[..., Tools], served_settings: Settings) -> Tools:
    """Tools of the test, with the service's origin."""
    return make_tools(origin=served_settings.origin, port=served_settings.port)


@pytest.fixture
def shop(tools: Tools) -> Founded:
    return found(tools, BUSY)


@pytest.fixture
def service(
    serve: Callable[..., Service],
    served_settings: Settings,
    shop: Founded,
    tools: Tools,
) -> Service:
    running = serve(served_settings, workers=WORKERS)
    until_live(tools, WORKERS)
    return running


@dataclass
class Street:
    """Phones and tills with their connections, and what was given outside a lane."""

    service: Service
    tools: Tools
    shop: Founded
    stack: contextlib.ExitStack
    given: list[str] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)

    def client(self, token: str | None = None) -> httpx.Client:
        return self.stack.enter_context(self.service.client(token))

    def desk(self) -> tuple[httpx.Client, str]:
        with self.service.client() as door:
            token = work(door, self.tools, self.shop)
        return self.client(token), token

    def phone(self) -> tuple[httpx.Client, str]:
        with self.service.client() as door:
            member = join(door)
        return self.client(member["token"]), member["card_id"]

    def give(self, phone: httpx.Client, card_id: str, desk: httpx.Client, stamps: int):
        shown = phone.post(f"/api/v1/cards/{card_id}/code").json()["code"]
        answer = scan(desk, shown, stamps=stamps)
        assert answer.is_success, answer.text
        self.given.append(answer.json()["stamp_id"])
        return answer.json()["card"]

    def voucher(self, phone: httpx.Client, card_id: str, desk: httpx.Client) -> str:
        for stamps in (5, 5):
            card = self.give(phone, card_id, desk, stamps)
        voucher_id: str = card["vouchers"][0]["voucher_id"]
        return voucher_id


@pytest.fixture
def street(service: Service, tools: Tools, shop: Founded):
    with contextlib.ExitStack() as stack:
        yield Street(service, tools, shop, stack)


def lanes_of(street: Street, desk: httpx.Client):
    """Half of the customers are scanned, half scan; some hesitate."""
    for number in range(LANES):
        phone, card_id = street.phone()
        way = scanned if number < LANES // 2 else collected
        yield way(phone, desk, card_id, pause=PAUSES[number % 4])


def codes_out(street: Street, desk: httpx.Client) -> Mapping[Kind, list[str]]:
    """Codes of every kind that are shown and not spent; one may be typed, too."""
    phone, card_id = street.phone()
    voucher_id = street.voucher(phone, card_id, desk)
    place = street.shop.location_id
    card = [
        phone.post(f"/api/v1/cards/{card_id}/code").json() for _ in range(OUT_OF_EACH)
    ]
    return {
        Kind.CARD: [card[0]["short"], *(one["code"] for one in card)],
        Kind.STAMP: [
            desk.post("/api/v1/stamp-codes", json={"stamps": 1}).json()["code"]
            for _ in range(OUT_OF_EACH)
        ],
        Kind.VOUCHER: [
            phone.post(f"/api/v1/vouchers/{voucher_id}/code").json()["code"]
            for _ in range(OUT_OF_EACH)
        ],
        Kind.ENROLMENT: [
            staff.enrolment_code(street.tools, place).code for _ in range(OUT_OF_EACH)
        ],
    }


def revoke(settings: Settings, key_id: int, since: datetime) -> tuple[float, float]:
    """Call a key back as the operator does; when the command began and ended."""
    began = time.time()
    told = run(
        settings,
        *("scripts/keys.py", "revoke", str(key_id), "--since", since.isoformat()),
        *("--reason", "laptop stolen", "--apply", "--json"),
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["audited"] is True
    return began, time.time()


@both_books_at_length
def test_a_key_called_back_under_load_is_worth_nothing_everywhere(
    street, service, tools, served_settings, counts
):
    # given a busy shop, and codes of every kind that are shown and not spent
    desk, token = street.desk()
    phone, card_id = street.phone()
    with Traffic(list(lanes_of(street, desk))) as traffic:
        out = codes_out(street, desk)
        traffic.until(lambda: len(traffic.given()) >= 5 * LANES)
        since = datetime.now(UTC) - timedelta(minutes=5)

        # when its key is called back
        began, ended = revoke(served_settings, 1, since)

        # then every one of those codes is refused, whichever process is asked
        tills = at_each_worker(lambda: street.client(token), service, WORKERS)
        refused = outcomes(
            spend(code)
            for till in tills.values()
            for kind, spend in spenders(till, phone, card_id).items()
            for code in out[kind]
        )
        # and the new key's codes are good at once, whoever showed and whoever takes
        for showing in tills.values():
            for taking in tills.values():
                shown = showing.post("/api/v1/stamp-codes", json={"stamps": 1}).json()
                assert signed.named_key(shown["code"]) == 2
                answer = collect(phone, card_id, shown["code"])
                assert answer.is_success, answer.text
                street.given.append(answer.json()["stamp_id"])
                street.give(phone, card_id, taking, 1)
        traffic.until(lambda: len(traffic.given(key_id=2, since=ended)) >= 3 * LANES)

    ring_changed = (served_settings.keys / "ring.json").stat().st_mtime
    last = max(one.answered_at for one in traffic.given(key_id=1))
    waits = [v for v in traffic.visits if v.tries > 1]
    entries, nonces = booked(tools)
    given = sorted([*street.given, *(str(one.stamp_id) for one in traffic.given())])
    counts(
        issued=traffic.issued.total(),
        given=len(given),
        booked=len(entries),
        doubled=len(entries) - nonces,
        refused_while_busy=dict(traffic.refused()),
        refused_outstanding=dict(refused),
        renewed=len(waits),
        most_codes_shown=max((v.tries for v in waits), default=1),
        longest_wait_s=round(max((v.wait for v in waits), default=0.0), 1),
        last_accepted_s_after_command=round(last - began, 1),
        last_accepted_s_after_ring=round(last - ring_changed, 1),
        command_s=round(ended - began, 1),
    )
    assert last - ring_changed < PROMISE_S
    assert set(refused) == {"code_revoked"}
    assert refused.total() == WORKERS * (4 * OUT_OF_EACH + 1)
    # Nobody was told anything else, and whoever was told so got a stamp after all.
    assert set(traffic.refused()) <= {"code_revoked"}
    assert {one.outcome for one in traffic.tries if one.key_id == 2} == {"given"}
    assert given == entries
    assert len(entries) == nonces
    assert unissued(tools) == []


def spenders(till: httpx.Client, phone: httpx.Client, card_id: str):
    """For each kind the call that spends it, at one web process."""
    # The phone's own connection would go where it likes.
    mine = {"Authorization": phone.headers["Authorization"]}
    return {
        Kind.CARD: lambda code: scan(till, code),
        Kind.STAMP: lambda code: till.post(
            f"/api/v1/cards/{card_id}/stamps", json={"code": code}, headers=mine
        ),
        Kind.VOUCHER: lambda code: redeem(till, code),
        Kind.ENROLMENT: lambda code: enrol_by(till, code),
    }


@dataclass(frozen=True)
class Door:
    """A place where codes are spent."""

    name: str
    takes: frozenset[Kind]
    knock: Callable[[str], httpx.Response]

    def answer(self, code: str, wanted: str) -> str:
        """``taken``, or why it was refused; a page tells programs its status only."""
        told = self.knock(code)
        if told.is_success or told.is_redirect:
            return "taken"
        if told.headers["Content-Type"].startswith("text/html"):
            is_it = told.status_code == TABLE[wanted].status
            return wanted if is_it else f"status {told.status_code}"
        return str(told.json()["code"])


def doors(street: Street) -> list[Door]:
    """Every door there is; each thread of the thief has its own connections."""
    desk, _ = street.desk()
    phone, card_id = street.phone()
    browser = street.client()
    page = {"X-CSRFToken": csrf_token(browser)}
    bearer = phone.headers["Authorization"].removeprefix("Bearer ")
    visitor = street.client()
    visitor.cookies.set("pp_member", bearer)
    assert visitor.get("/card").headers["Location"].endswith(card_id)
    form = {"csrf_token": csrf_token(visitor)}
    stamps = frozenset({Kind.STAMP, Kind.PRINTED_STAMP})
    enrolment = frozenset({Kind.ENROLMENT})
    return [
        Door("till", frozenset({Kind.CARD}), lambda code: scan(desk, code)),
        Door("reward", frozenset({Kind.VOUCHER}), lambda code: redeem(desk, code)),
        Door("phone", stamps, lambda code: collect(phone, card_id, code)),
        Door(
            "phone's page",
            stamps,
            lambda code: visitor.post("/collect", data={**form, "code": code}),
        ),
        Door("device", enrolment, lambda code: enrol_by(browser, code)),
        Door(
            "device's page",
            enrolment,
            lambda code: browser.post(
                "/counter/enrol", json={"code": code}, headers=page
            ),
        ),
    ]


def csrf_token(browser: httpx.Client, **more: Any) -> str:
    page = browser.get("/counter/enrol", **more).text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token
    return token[1]


@dataclass(frozen=True)
class Thief:
    """Somebody with the ring, open; another key of it lies ready to sign, too."""

    ring: KeyRing
    origin: str

    @classmethod
    def breaking_in(cls, settings: Settings, loot: Path) -> Thief:
        shutil.copytree(settings.keys, loot / "keys")
        shutil.copy2(settings.keys_passphrase_file, loot / "passphrase")
        passphrase = keyfiles.read_passphrase(loot / "passphrase")
        return cls(keyfiles.load(loot / "keys", passphrase), settings.origin)

    def sign(self, kind: Kind, **more: object) -> Code:
        facts = {
            "origin": self.origin,
            # As ours, with a breath more than the second that is cut off.
            "not_after": datetime.now(UTC)
            + LIFETIME.get(kind, timedelta(days=30))
            + timedelta(seconds=2),
            "nonce": signed.new_nonce(),
            "ring": self.ring,
            **more,
        }
        return signed.sign(kind, **facts)

    def forge(self, number: int) -> tuple[Code, str]:
        """Make one of many kinds of codes; what its own door must say to it."""
        kind = list(Kind)[number % len(Kind)]
        now = datetime.now(UTC)
        match number // len(Kind) % 8:
            case 0 | 1 | 2 | 3:
                return self.sign(kind), "code_unknown"
            case 4:
                later = now + timedelta(days=365)
                return self.sign(kind, not_after=later), "code_unknown"
            case 5:
                pending = self.ring.activated(self.ring.last_key_id, now)
                return self.sign(kind, ring=pending), "code_unknown"
            case 6:
                past = now - timedelta(seconds=2)
                return self.sign(kind, not_after=past), "code_expired"
        host = ("http://localhost", "https://localhost", "https://stamps.example")
        other = host[number % len(host)]
        return self.sign(kind, origin=other), "code_invalid"


@pytest.fixture
def thief(served_settings: Settings, service: Service, tmp_path: Path) -> Thief:
    told = run(served_settings, "scripts/keys.py", "create", "--apply")
    assert told.returncode == 0, told.stderr
    return Thief.breaking_in(served_settings, tmp_path / "loot")


@pytest.mark.long
def test_codes_that_a_thief_makes_up_are_taken_nowhere(
    street, thief, tools, tmp_path, counts
):
    # given a thief with the whole ring, and an accomplice at each door
    before = booked(tools)
    wrong: list[tuple[str, ...]] = []
    said, made_up = Counter[str](), set()

    def spend_some(numbers: range) -> None:
        mine = doors(street)
        for number in numbers:
            code, wanted = thief.forge(number)
            own = [door for door in mine if code.kind in door.takes]
            other = [door for door in mine if code.kind not in door.takes]
            if wanted == "code_unknown":
                made_up.add(code.nonce.hex())
            for door in [*own, other[number % len(other)]]:
                is_told = door in own or wanted == "code_invalid"
                shall = wanted if is_told else "code_wrong_kind"
                answer = door.answer(code.text, shall)
                said[answer] += 1
                if answer != shall:
                    wrong.append((door.name, code.kind.name, shall, answer))

    # when they make codes of every kind, all at once, and spend each where it belongs
    # and where it does not
    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        shares = [range(n, FORGED, THREADS) for n in range(THREADS)]
        list(pool.map(spend_some, shares))

    # then each is refused as what it is, and everyone can see what goes on
    alarms = set(unissued(tools))
    logged = cries(tmp_path, "unissued_code")
    seconds = round(time.monotonic() - began)
    counts(
        forged=FORGED,
        spent_at_doors=said.total(),
        accepted=len(booked(tools)[0]) - len(before[0]),
        refused=dict(said),
        signals=len(alarms),
        log_lines=len(logged),
        seconds=seconds,
    )
    assert wrong == []
    assert booked(tools) == before
    assert made_up == alarms
    assert "never made" in feed(street)
    # The log says so at once, and is not flooded.
    assert 1 <= len(logged) <= 2 + seconds // 60


def feed(street: Street) -> str:
    """What the owner sees in the console."""
    tools = street.tools
    with tools.database.begin() as tx:
        owner = street.shop.staff_id
        token = sessions.grant(tx, tools, "console", staff_id=owner)
    browser = street.client()
    browser.cookies.set("pp_console", token)
    answer = browser.get("/console/feed")
    assert answer.is_success, answer.text
    return " ".join(line["html"] for line in answer.json()["lines"])


def test_codes_that_are_out_can_not_be_signed_anew(street, thief, tools, counts):
    # given codes of every kind that are shown, and stamps whose codes are spent
    desk, _ = street.desk()
    out = codes_out(street, desk)
    phone, card_id = street.phone()
    shown = [desk.post("/api/v1/stamp-codes", json={"stamps": 1}).json() for _ in "123"]
    for one in shown:
        street.given.append(collect(phone, card_id, one["code"]).json()["stamp_id"])
    before = booked(tools)

    # when the thief, who saw them all, signs their nonces anew
    tried, wrong, seen = Counter[str](), [], set()
    waiting = [text for kind in out for text in out[kind][-2:]]
    for text in [*waiting, *(one["code"] for one in shown)]:
        code = signed.verify(text, thief.ring, origin=thief.origin)
        is_spent = text not in waiting
        for copy in changed(thief, code):
            wanted = "code_spent" if is_spent else "code_unknown"
            seen |= set() if is_spent else {code.nonce.hex()}
            for door in doors_of(street, copy.kind):
                answer = door.answer(copy.text, wanted)
                tried[answer] += 1
                if answer != wanted:
                    wrong.append((door.name, code.kind.name, copy.kind.name, answer))

    # then none of it counts, everyone can see it, and the true ones are good yet
    counts(accepted=len(booked(tools)[0]) - len(before[0]), refused=dict(tried))
    assert wrong == []
    assert booked(tools) == before
    assert set(unissued(tools)) == seen
    spend = spenders(desk, phone, card_id)
    true = [spend[kind](text[-1]) for kind, text in out.items()]
    assert [answer.status_code for answer in true] == [201] * len(true)


def changed(thief: Thief, code: Code):
    """The thief's versions of a code that is not theirs."""
    for kind in Kind:
        if kind != code.kind:
            yield thief.sign(kind, nonce=code.nonce, not_after=code.not_after)
    for by in (timedelta(seconds=1), timedelta(days=30)):
        later = code.not_after + by
        yield thief.sign(code.kind, nonce=code.nonce, not_after=later)
    pending = thief.ring.activated(thief.ring.last_key_id, datetime.now(UTC))
    yield thief.sign(
        code.kind, nonce=code.nonce, not_after=code.not_after, ring=pending
    )


def doors_of(street: Street, kind: Kind) -> list[Door]:
    street.doors = street.doors or doors(street)
    return [door for door in street.doors if kind in door.takes]


def flask_session(secret: bytes) -> URLSafeTimedSerializer:
    """Seals a page's cookie as Flask does."""
    app = Flask(__name__, static_folder=None)
    app.secret_key = secret
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer
    return serializer


def test_the_link_secrets_open_no_door(street, thief):
    # given a page's cookie and form token that the thief sealed by themselves
    visitor = street.client()
    csrf_token(visitor)
    name, value = next(iter(visitor.cookies.items()))
    page = flask_session(thief.ring.secrets[-1])
    claims = {"member": "1", "staff_id": str(street.shop.staff_id), "role": "owner"}
    cookie = {"Cookie": f"{name}={page.dumps({**page.loads(value), **claims})}"}
    token = {"X-CSRFToken": csrf_token(street.client(), headers=cookie)}

    # when they knock with these where somebody must be known
    def knock(method: str, path: str) -> httpx.Response:
        client = street.client()
        return client.request(method, path, headers={**cookie, **token}, json={})

    answers = [
        knock("POST", "/api/v1/stamp-codes"),
        knock("POST", "/api/v1/stamps"),
        knock("POST", "/api/v1/redemptions"),
        knock("POST", "/api/v1/staff-sessions"),
        knock("GET", "/api/v1/staff"),
        # The form token is good: without one, this would be 403.
        knock("POST", "/counter/sign-in"),
    ]
    owner = knock("GET", "/console/feed")

    # then they are nobody
    assert [one.status_code for one in answers] == [401] * len(answers)
    assert owner.headers["Location"].startswith("/console/sign-in")

"""The main ways over a real server; then every log is searched for what they used."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.store.nonces import Nonces
from tests.conftest import both_books_at_length
from tests.running import ROOT, Service, enrol, join, running, sign_in

pytestmark = pytest.mark.slow

NAME, MAIL = "Zdenka Quistgaard", "zdenka.q@customers.example"
CARD_SEARCH = "Quistgaard"


class Notes:
    """Everything that must not be in a log."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {
            NAME: "name",
            MAIL: "e-mail",
            CARD_SEARCH: "name",
        }

    def keep(self, what: str, value: str) -> str:
        self.secrets[value] = what
        return value

    def found_in(self, log: str) -> set[str]:
        folded = log.casefold()
        return {
            what for text, what in self.secrets.items() if text.casefold() in folded
        }


@pytest.fixture
def notes() -> Notes:
    return Notes()


def post(client: httpx.Client, path: str, body: object, token: str | None = None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.post(f"/api/v1{path}", json=body, headers=headers)


class Visit:
    """Somebody with a card, somebody at a till, and all that they say."""

    def __init__(self, service: Service, tools, founded, notes: Notes) -> None:
        self.client, self.notes, self.founded = service.client(), notes, founded
        self.answers: list[httpx.Response] = []
        keep = notes.keep
        keep("PIN", founded.pin)
        self.till = keep("till's token", enrol(self.client, tools, founded))
        self.staff = keep("staff token", sign_in(self.client, self.till, founded))
        person = {"name": NAME, "email": MAIL}
        joined = post(self.client, "/members", person).json()
        self.mine = keep("member's token", joined["token"])
        self.card = keep("card's id", joined["card_id"])

    def say(self, path: str, body: object, token: str | None) -> httpx.Response:
        self.answers.append(post(self.client, path, body, token))
        return self.answers[-1]

    def shown(self, path: str, token: str, body: object = None) -> str:
        told = self.say(path, body, token).json()
        if told.get("short"):
            self.notes.keep("short code", told["short"])
        self.notes.keep("link", told["url"])
        return self.notes.keep("code", told["code"])

    def rightly(self) -> str:
        """Give, collect, redeem, undo, each once more too; the last code comes back."""
        mine, staff, card = self.mine, self.staff, f"/cards/{self.card}"
        other = join(self.client, NAME)
        for _ in range(2):
            scan = scan_of(self.shown(f"{card}/code", mine), 5)
            stamp = self.say("/stamps", scan, staff).json()["stamp_id"]
            self.say("/stamps", scan, staff)
        code = self.shown("/stamp-codes", staff, {"stamps": 1})
        self.say(f"{card}/stamps", {"code": code}, mine)
        self.say(f"/cards/{other['card_id']}/stamps", {"code": code}, other["token"])
        bearer = {"Authorization": f"Bearer {mine}"}
        state = self.client.get(f"/api/v1{card}", headers=bearer).json()
        code = self.shown(f"/vouchers/{state['vouchers'][0]['voucher_id']}/code", mine)
        self.say("/redemptions", {"code": code, "request_id": uuid4().hex}, staff)
        self.say(f"/stamps/{stamp}/reversal", {"reason": f"told {NAME}"}, staff)
        return code

    def wrongly(self, code: str) -> None:
        """No code, half a code, a wrong PIN, another's token, too much of all."""
        keep = self.notes.keep
        for text in ("A" * 128, code[:-1], f"http://x.example/S/{code}", "\0" * 128):
            self.say("/stamps", scan_of(text), self.staff)
        pin = keep("wrong PIN", "930571")
        wrong = {"staff_id": str(self.founded.staff_id), "pin": pin}
        self.say("/staff-sessions", wrong, self.till)
        self.say("/stamps", scan_of(code), keep("wrong token", "t" * 43))
        self.say("/members", {"name": NAME, "email": f"{MAIL}\r\nBcc: {MAIL}"}, None)
        self.say("/members", {"name": NAME * 2000}, None)


def scan_of(code: str, stamps: int = 1) -> dict[str, object]:
    return {"code": code, "stamps": stamps, "request_id": uuid4().hex}


def play(service: Service, tools, founded, notes: Notes) -> list[httpx.Response]:
    """Go all ways, rightly and wrongly, by the API and by the pages."""
    visit = Visit(service, tools, founded, notes)
    code = visit.rightly()
    visit.wrongly(code)
    pages = _as_pages(visit.client, code, founded, notes)
    visit.answers.extend(pages)
    visit.client.close()
    return visit.answers


def _as_pages(client: httpx.Client, code: str, founded, notes: Notes):
    """The same by the addresses that people open, which hold codes themselves."""
    yield client.get(f"/S/{code}")
    yield client.get(f"/S/{code}?name={CARD_SEARCH}", headers={"Referer": f"/S/{code}"})
    yield client.get(f"/{MAIL}/{code}", headers={"User-Agent": MAIL, "Cookie": code})
    yield client.post("/join", data={"name": NAME})
    notes.keep("owner's password", founded.password)
    page = client.get("/console/sign-in")
    token = re.search(r'csrf-token" content="([^"]+)', page.text)
    assert token
    secret = {"email": founded.email, "password": founded.password}
    yield client.post(
        "/console/sign-in",
        data={**secret, "csrf_token": notes.keep("form's token", token[1])},
    )
    for name, value in client.cookies.items():
        notes.keep(f"cookie {name}", value)
    yield client.request("BREW", f"/{code}")


@both_books_at_length
def test_the_logs_hold_no_secret_and_nobodys_name(
    tools, founded, served_settings, notes, tmp_path, monkeypatch, start_redis
):
    # given the most that can be logged, and stores that will break
    own = start_redis()
    monkeypatch.setenv("PUNCHPROOF_LOG_LEVEL", "debug")
    settings = dataclasses.replace(served_settings, redis_url=own.url)
    mine = dataclasses.replace(tools, settings=settings, nonces=Nonces.open(own.url))
    logs = tmp_path / "logs"
    logs.mkdir()

    with running(settings, workers=1, logs=logs) as service:
        answers = play(service, mine, founded, notes)
        _send_mail(settings, logs)
        own.process.kill()
        own.process.wait()
        with service.client() as client:
            answers.append(client.post("/api/v1/members", json={"email": MAIL}))
            answers.append(client.get("/readyz"))
    mine.nonces.close()

    log = "".join(path.read_text(errors="replace") for path in logs.iterdir())
    assert notes.found_in(log) == set()
    assert len(notes.secrets) > 20
    # and each line is JSON, and each answer is found by its number
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    numbers = {line.get("request") for line in lines if line["event"] == "request"}
    assert {answer.headers["X-Request-ID"] for answer in answers} <= numbers
    assert {"POST", "GET"} <= {line.get("method") for line in lines}
    assert "/S/<code>" in {line.get("rule") for line in lines}
    assert "mail_sent" in {line["event"] for line in lines}


def _send_mail(settings, logs: Path) -> None:
    """Let a mail worker send what waits, to files."""
    log = logs / "worker.log"
    environ = {
        "PUNCHPROOF_DATA": str(settings.data),
        "PUNCHPROOF_ORIGIN": settings.origin,
        "PUNCHPROOF_KEYS": str(settings.keys),
        "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(settings.keys_passphrase_file),
        "PUNCHPROOF_LOG_LEVEL": "debug",
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "app.worker"],
            cwd=ROOT,
            env=environ,
            stdout=output,
            stderr=output,
        )
        last = time.monotonic() + 30
        while "mail_sent" not in log.read_text() and time.monotonic() < last:
            time.sleep(0.05)
        worker.terminate()
        assert worker.wait(30) == 0


@pytest.mark.parametrize(
    "secret",
    [
        "A2" * 64,
        "https://stamps.example/S/" + "B3" * 64,
        "zdenka.q@customers.example",
        "postgresql+psycopg://punchproof:hush@db/punchproof",
        "t" * 43,
        "eyJpZCI6MX0.aBcDeFgHiJkLmNoPqRsTuVwXyZ012345678901",
    ],
)
def test_what_looks_like_a_secret_is_crossed_out_wherever_it_turns_up(secret):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, logging, structlog\n"
            "from app import logs\n"
            "logs.set_up('debug')\n"
            "log = structlog.get_logger('app.web')\n"
            "said = sys.argv[1]\n"
            "log.info('x', a=said, b=[said, {'c': said}])\n"
            "logging.getLogger('library').error('could not: %s', said)\n"
            "try:\n"
            "    raise ValueError(said)\n"
            "except ValueError as error:\n"
            "    log.exception('fault', e=error.__class__.__name__)\n"
            "    logging.getLogger('library').exception('again')\n",
            secret,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert secret not in done.stderr
    assert "hush" not in done.stderr
    assert [line["level"] for line in lines] == ["info", "error", "error", "error"]
    assert lines[2]["exception"][0]["exc_type"] == "ValueError"
    assert "left out" in lines[0]["a"]

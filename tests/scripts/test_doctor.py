"""The doctor finds what is really broken, and says how to mend it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import sqlite3
import ssl
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import redis
import trustme
from sqlalchemy import text

from app.programme import backups
from app.store import outbox
from app.store.workers import Report
from scripts import doctor
from scripts.parts import doctor_machine, doctor_outside, doctor_stores, redis_groups
from scripts.parts.certificate import Certificate
from scripts.parts.doctor_patient import Patient
from tests.app.programme.key_rooms import own_ring
from tests.conftest import both_books
from tests.running import free_port

RING = "0" * 64


@pytest.fixture
def settings(settings, tmp_path, migrated_file):
    """A data directory of the test's own, with a ring, as scripts/serve makes it."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    mine = own_ring(settings, data)
    port = free_port()
    url = mine.database_url
    if url.startswith("sqlite"):
        file = data / "punchproof.sqlite3"
        shutil.copyfile(migrated_file, file)
        url = f"sqlite:///{file}"
    return dataclasses.replace(
        mine,
        data=data,
        port=port,
        origin=f"http://localhost:{port}",
        database_url=url,
    )


@pytest.fixture
def environ(settings):
    return {
        "PUNCHPROOF_DATA": str(settings.data),
        "PUNCHPROOF_ORIGIN": settings.origin,
        "PUNCHPROOF_PORT": str(settings.port),
        "PUNCHPROOF_KEYS": str(settings.keys),
        "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(settings.keys_passphrase_file),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }


class Door:
    """Answers by HTTP or HTTPS as it is told."""

    def __init__(self, port: int, certificate=None) -> None:
        self.body, self.headers = b'{"status":"ok"}', {}
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                for name, value in door.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(door.body)))
                self.end_headers()
                self.wfile.write(door.body)

            def date_time_string(self, timestamp=None) -> str:
                return door.date or super().date_time_string(timestamp)

            def log_message(self, *_args) -> None:
                pass

        self.date = ""
        self.server = HTTPServer(("127.0.0.1", port), Handler)
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate.chain, certificate.key)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True
            )
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def door(settings):
    """Somebody at the public address, who answers as we would."""
    one = Door(settings.port)
    yield one
    one.close()


@pytest.fixture
def well(tools, door, founded):
    """A shop with nothing wrong: web worker, mail worker, backup and all."""
    tools.workers._tell("host:1:a", Report(RING))
    tools.workers.mail_goes_on(tools.now())
    backups.note(tools, "one.tar")
    return tools


@pytest.fixture
def store(settings):
    """What somebody may do to the nonce store."""
    with redis.Redis.from_url(settings.redis_url) as client:
        yield client


@pytest.fixture
def ask(environ, capsys):
    """Ask the doctor; gives what is wrong by check, as sentences."""

    def asked(**changes: str) -> dict[str, list[str]]:
        status = doctor.main(["--json"], environ=environ | changes)
        checks = json.loads(capsys.readouterr().out)["checks"]
        wrong = {
            name: [one["sentence"] for one in found if one["is_wrong"]]
            for name, found in checks.items()
        }
        wrong = {name: said for name, said in wrong.items() if said}
        assert status == bool(wrong)
        for found in checks.values():
            assert all(one["mend"] for one in found)
        return wrong

    return asked


@pytest.fixture
def patient(well, environ):
    """What the checks look at, with settings of the test's own."""

    def look(check, **changes):
        mine = dataclasses.replace(well.settings, **changes)
        tools = dataclasses.replace(well, settings=mine)
        return list(check(Patient(environ, tools, True, timedelta(hours=26))))

    return look


@both_books
def test_nothing_is_wrong_with_a_shop_that_is_well(well, ask, environ, capsys):
    assert ask() == {}

    assert doctor.main([], environ=environ) == 0
    said = capsys.readouterr().out
    assert said.endswith("all is well\n")
    assert said.count("\nok  ") + 1 == len(doctor.CHECKS) - 1
    assert "look   mail server: no mail server is set" in said


# Settings and files


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"PUNCHPROOF_ORGIN": "https://a.example"}, "no such setting"),
        ({"PUNCHPROOF_PORT": "many"}, "PUNCHPROOF_PORT"),
        ({"PUNCHPROOF_ORIGIN": "http://a.example"}, "https"),
        ({"PUNCHPROOF_HOST": "0.0.0.0"}, "listens to others"),  # noqa: S104
        ({"DATABASE_URL": "nonsense"}, "URL"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_named(well, ask, changes, word):
    assert any(word in said for said in ask(**changes)["settings"])


def test_a_proxy_that_is_not_counted_is_found(patient):
    found = patient(doctor_machine.settings, origin="https://stamps.example")

    assert "PUNCHPROOF_PROXY_HOPS" in found[0].mend
    assert not patient(
        doctor_machine.settings, origin="https://stamps.example", proxy_hops=1
    )


def test_a_secret_that_is_given_twice_is_found(well, ask, tmp_path, settings):
    file = tmp_path / "redis.url"
    file.touch(mode=0o600)
    file.write_text(settings.redis_url)

    wrong = ask(REDIS_URL_FILE=str(file))["settings"]

    assert "both set" in wrong[0]


@pytest.mark.parametrize("what", ["data", "keys", "keys_passphrase_file"])
def test_what_others_can_read_is_found(well, ask, settings, what):
    path = getattr(settings, what)
    path.chmod(path.stat().st_mode | 0o044)

    assert any(str(path) in said for said in ask()["files"])


def test_books_in_an_open_directory_are_found(well, ask, tmp_path, settings):
    aside = tmp_path / "open"
    aside.mkdir(mode=0o755)
    well.database.close()
    file = aside / "punchproof.sqlite3"
    shutil.copy(settings.data / "punchproof.sqlite3", file)
    file.chmod(0o644)

    assert str(file) in ask(DATABASE_URL=f"sqlite:///{file}")["files"][0]


def test_a_passphrase_among_its_keys_is_found(well, ask, settings):
    inside = settings.keys / "keys.passphrase"
    settings.keys_passphrase_file.rename(inside)

    wrong = ask(PUNCHPROOF_KEYS_PASSPHRASE_FILE=str(inside))

    assert "lies in the directory" in wrong["files"][0]


# Keys


def test_a_ring_that_does_not_open_is_found(well, ask, settings):
    kept = settings.keys_passphrase_file.read_text()
    settings.keys_passphrase_file.write_text("0" * 64)
    assert "ring" in ask()

    settings.keys_passphrase_file.write_text(kept)
    assert ask() == {}

    shutil.move(settings.keys, settings.data / "elsewhere")
    assert "there is no key ring" in ask()["ring"][0]


def test_a_key_that_has_signed_for_too_long_is_found(patient, clock):
    assert not patient(doctor_machine.ring)

    clock.forward(timedelta(days=91))

    assert "91 days" in patient(doctor_machine.ring)[0].sentence


# Stores


@both_books
def test_books_that_are_away_or_old_are_found(well, ask, settings):
    with well.database.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert "revision 0001" in ask()["books"][0]

    away = "sqlite:////nowhere/books.sqlite3"
    if not settings.database_url.startswith("sqlite"):
        away = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none"
    assert ask(DATABASE_URL=away)["books"]


def test_damaged_books_are_found(well, ask, settings):
    file = settings.data / "punchproof.sqlite3"
    with closing(sqlite3.connect(file)) as books:
        books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    well.database.close()
    with file.open("r+b") as raw:
        raw.seek(4096 * 3)
        raw.write(os.urandom(4096 * 8))

    assert any("damaged" in said for said in ask()["books"])


def test_a_nonce_store_that_is_away_or_forgets_is_found(
    well, ask, start_redis, tmp_path
):
    gone = ask(REDIS_URL=f"unix://{tmp_path}/nobody.sock")
    assert "gives no answer" in gone["nonce store"][0]

    own = start_redis()
    with redis.Redis.from_url(own.url) as client:
        client.config_set("appendonly", "no")
        client.config_set("maxmemory-policy", "allkeys-lru")
    wrong = ask(REDIS_URL=own.url)
    assert len(wrong["nonce store"]) == 2
    # and it is another store, to which nobody has reported
    assert {"web workers", "mail"} <= set(wrong)


def test_a_server_of_several_that_is_away_is_found(well, ask, start_guarded):
    group = start_guarded()
    assert "nonce store" not in ask(REDIS_URL=group.url)
    (replica,) = group.replicas()

    group.kill(replica)

    gone = [f"The replica 127.0.0.1:{replica} is away."]
    redis_groups.until(
        lambda: ask(REDIS_URL=group.url).get("nonce store") == gone,
        "the Sentinels have noticed",
    )


def test_a_shop_that_is_not_served_is_found(well, environ, capsys):
    del environ["REDIS_URL"]

    assert doctor.main(["--json"], environ=environ) == 1

    checks = json.loads(capsys.readouterr().out)["checks"]
    assert "no server runs" in checks["nonce store"][0]["sentence"]


def test_workers_with_different_rings_are_found(well, ask, store):
    well.workers._tell("host:2:b", Report("1" * 64))
    assert "different key rings" in ask()["web workers"][0]

    well.workers._tell("host:2:b", Report(RING, problem="it is torn"))
    assert "it is torn" in ask()["web workers"][0]

    store.flushall()
    assert "no web worker" in ask()["web workers"][0]


@pytest.mark.parametrize("by", [timedelta(seconds=-40), timedelta(seconds=40)])
def test_clocks_that_differ_are_found(patient, clock, by):
    assert not patient(doctor_stores.clock)

    clock.forward(by)

    assert "differ by" in patient(doctor_stores.clock)[0].sentence


def test_a_mail_worker_that_is_gone_and_an_outbox_that_is_stuck_are_found(
    patient, well, clock, store
):
    assert not patient(doctor_stores.mail)

    store.delete("pp:{workers}:mail")
    assert "no mail worker" in patient(doctor_stores.mail)[0].sentence

    well.workers.mail_goes_on(well.now())
    with well.database.begin() as tx:
        outbox.put(tx, "welcome", "anna@example.org", {}, now=well.now())
    assert not patient(doctor_stores.mail)
    clock.forward(timedelta(minutes=30))
    [found] = patient(doctor_stores.mail)
    assert "1 mails wait" in found.sentence
    assert "anna" not in found.sentence


def test_a_backup_that_is_old_or_missing_is_found(patient, well, clock):
    assert not patient(doctor_stores.backup)

    clock.forward(timedelta(hours=27))
    assert "27 hours" in patient(doctor_stores.backup)[0].sentence

    with well.database.begin() as tx:
        tx.execute(text("DELETE FROM audit_entry"))
    assert "never was" in patient(doctor_stores.backup)[0].sentence


def test_a_disk_that_fills_up_is_found(tmp_path):
    usage = shutil.disk_usage(tmp_path)
    full = type(usage)(10**12, 10**12 - 10**8, 10**8)
    roomy = type(usage)(10**12, 10**11, 9 * 10**11)

    assert "100 MB left" in next(doctor_machine.room(tmp_path, full)).sentence
    assert not list(doctor_machine.room(tmp_path, roomy))


# From outside


def test_an_address_that_nobody_answers_is_found(well, ask, door):
    door.body = b"<h1>Welcome to nginx</h1>"
    assert "somebody else" in ask()["origin"][0]

    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
    assert "no answer" in ask(PUNCHPROOF_ORIGIN=f"http://localhost:{port}")["origin"][0]


def test_a_clock_that_is_off_at_the_address_is_found(well, ask, door):
    door.date = "Mon, 02 Mar 2026 08:00:00 GMT"

    assert "is off by" in ask()["origin"][0]


@pytest.fixture
def by_tls(tmp_path, monkeypatch):
    """Answer by https with a certificate that ends after so many days."""
    opened = []

    def listen(days: int, *, is_trusted: bool = True) -> str:
        authority = trustme.CA()
        ends_at = datetime.now(UTC) + timedelta(days=days, minutes=1)
        leaf = authority.issue_cert("localhost", not_after=ends_at)
        key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
        leaf.private_key_pem.write_to_path(key)
        leaf.cert_chain_pems[0].write_to_path(chain)
        if is_trusted:
            authority.cert_pem.write_to_path(tmp_path / "authority.pem")
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        opened.append(Door(0, Certificate(chain, key)))
        return f"https://localhost:{opened[-1].server.server_address[1]}"

    yield listen
    for each in opened:
        each.close()


def test_a_certificate_that_ends_or_that_nobody_trusts_is_found(by_tls, patient):
    def look(origin: str) -> list[str]:
        found = patient(doctor_outside.certificate, origin=origin)
        return [one.sentence for one in found]

    assert "do not trust" in look(by_tls(100, is_trusted=False))[0]
    assert "in 5 days" in look(by_tls(5))[0]
    assert look(by_tls(60)) == []


def test_a_proxy_that_does_not_tell_of_https_is_found(by_tls, patient):
    [found] = patient(doctor_outside.origin, origin=by_tls(60))

    assert "X-Forwarded-Proto" in found.mend


def test_a_mail_server_that_does_not_let_us_in_is_found(well, ask):
    words = {
        "PUNCHPROOF_SMTP_URL": f"smtp://127.0.0.1:{free_port()}?starttls=never",
        "PUNCHPROOF_MAIL_FROM": "stamps@example.org",
    }

    assert "no_answer" in ask(**words)["mail server"][0]


def test_no_secret_is_told(well, ask, environ, capsys):
    secret = "a-password-of-the-books"
    url = f"postgresql+psycopg://punchproof:{secret}@127.0.0.1:{free_port()}/none"

    doctor.main([], environ=environ | {"DATABASE_URL": url})

    assert secret not in capsys.readouterr().out

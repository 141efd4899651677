"""The key commands as people run them: processes beside a server that is running."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.programme import founding
from signing import keyfiles, links
from signing.keyring import KeyState
from tests.app.programme.key_rooms import own_ring
from tests.running import join, work

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROOT = Path(__file__).parents[2]
WORKERS = 2


@pytest.fixture
def settings(settings, tmp_path):
    """A data directory of the test's own, named as scripts/serve names things."""
    settings = own_ring(settings, tmp_path)
    return dataclasses.replace(settings, data=tmp_path)


@pytest.fixture
def tools(make_tools, served_settings):
    """Tools of the test, with the service's origin."""
    return make_tools(origin=served_settings.origin, port=served_settings.port)


@pytest.fixture
def command(served_settings):
    """Run a command of scripts/; gives status, output and complaint."""

    def run(name, *words, is_served=True, **more):
        ours = ("PUNCHPROOF_", "REDIS_", "DATABASE_")
        environ = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        environ |= {
            "PUNCHPROOF_VENV": "none",
            "PUNCHPROOF_DATA": str(served_settings.data),
            "PUNCHPROOF_KEYS": str(served_settings.keys),
            "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(
                served_settings.keys_passphrase_file
            ),
            "DATABASE_URL": served_settings.database_url,
            **more,
        }
        if is_served:
            environ["REDIS_URL"] = served_settings.redis_url
        done = subprocess.run(
            [sys.executable, f"scripts/{name}", *map(str, words)],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def service(serve, served_settings, tools):
    started = serve(served_settings, workers=WORKERS)
    last = time.monotonic() + 10
    while len(tools.workers.live()) < WORKERS:
        assert time.monotonic() < last
        time.sleep(0.1)
    return started


def ring_of(settings):
    words = keyfiles.read_passphrase(settings.keys_passphrase_file)
    return keyfiles.load(settings.keys, words)


def states_of(settings):
    return [key.state for key in ring_of(settings).keys]


def code_of(phone, member):
    return phone.post(f"/api/v1/cards/{member['card_id']}/code").json()["code"]


def scan(till, code):
    sent = {"code": code, "stamps": 1, "request_id": os.urandom(16).hex()}
    return till.post("/api/v1/stamps", json=sent)


def form_token(page):
    return re.search(r'name="csrf-token" content="([^"]+)"', page.text)[1]


def test_a_rotation_logs_nobody_out_and_loses_no_code(
    service, tools, served_settings, command
):
    shop = founding.found(tools)
    with service.client() as anybody, httpx.Client(base_url=service.url) as browser:
        member, staff = join(anybody), work(anybody, tools, shop)
        phone, till = service.client(member["token"]), service.client(staff)
        # given a page that is open, a code that is shown and a link that is on its way
        page = browser.get("/join")
        token, cookies = form_token(page), dict(browser.cookies)
        code = code_of(phone, member)
        link = links.seal({"a": "b"}, ring_of(served_settings), purpose="confirm")

        status, said, complaint = command("rotate_keys.py", "--apply", "--json")

        assert status == 0, complaint
        told = json.loads(said)
        assert (told["key_id"], told["secret_id"], told["workers"]) == (2, 2, WORKERS)
        # then the code counts, though its record has the old secret's seal
        assert scan(till, code).status_code == httpx.codes.CREATED
        assert scan(till, code_of(phone, member)).status_code == httpx.codes.CREATED
        # and the page that was open still may send its form
        sent = browser.post(
            "/join", data={"csrf_token": token}, headers={"Referer": service.url}
        )
        assert cookies
        assert sent.status_code in {httpx.codes.FOUND, httpx.codes.SEE_OTHER}, sent.text
        opened = links.open_(
            link,
            ring_of(served_settings),
            purpose="confirm",
            max_age=served_settings.key_age_alarm,
        )
        assert opened == {"a": "b"}
        phone.close()
        till.close()


def test_the_codes_that_are_out_are_counted(service, tools, command):
    founding.found(tools)
    with service.client() as anybody:
        member = join(anybody)
        with service.client(member["token"]) as phone:
            for _ in range(37):
                code_of(phone, member)
    assert command("rotate_keys.py", "--apply")[0] == 0

    status, _, complaint = command("keys.py", "retire", 1, "--apply")

    assert status == 2
    told = (
        r"keys: 37 codes of key 1 may still be used, the last until \d\d:\d\d:\d\d UTC"
    )
    assert re.match(told, complaint), complaint
    # and the night's run leaves it for the next night
    words = ("--retire", "--if-older-than", "30d", "--apply")
    assert command("rotate_keys.py", *words)[0] == 3


def test_a_running_server_takes_up_another_passphrase(
    service, tools, served_settings, command
):
    founding.found(tools)
    before = served_settings.keys_passphrase_file.read_text()

    status, said, complaint = command("keys.py", "reseal", "--apply")

    assert status == 0, complaint
    assert f"Web workers that open it: {WORKERS}" in said
    assert served_settings.keys_passphrase_file.read_text() != before
    # with no restart: a rotation needs every worker to read what the new one seals
    status, said, complaint = command("rotate_keys.py", "--apply")
    assert status == 0, complaint
    assert f"had it before: {WORKERS}" in said
    status, said, _ = command("keys.py", "check")
    assert (status, said) == (
        0,
        f"the keys are in order; {WORKERS} workers have this ring\n",
    )


def test_a_lost_ring_comes_back_under_a_running_server(
    service, tools, served_settings, command, tmp_path
):
    shop = founding.found(tools)
    copy = (tmp_path / "copy", "--with", tmp_path / "word")
    assert command("keys.py", "export", *copy, "--apply")[0] == 0
    with service.client() as anybody:
        member, staff = join(anybody), work(anybody, tools, shop)
    shutil.rmtree(served_settings.keys)
    with service.client(member["token"]) as phone, service.client(staff) as till:
        # the workers go on with what they have
        assert scan(till, code_of(phone, member)).status_code == httpx.codes.CREATED
        assert command("keys.py", "list")[0] == 1

        status, _, complaint = command("keys.py", "import", *copy, "--apply")

        assert status == 0, complaint
        until_well(command)
        assert scan(till, code_of(phone, member)).status_code == httpx.codes.CREATED


def until_well(command):
    last = time.monotonic() + 15
    while (found := command("keys.py", "check"))[0] != 0:
        assert time.monotonic() < last, found


def test_after_a_loss_the_server_goes_on_with_a_new_key(
    service, tools, served_settings, command
):
    shop = founding.found(tools)
    served_settings.keys_passphrase_file.unlink()
    with service.client() as anybody:
        member, staff = join(anybody), work(anybody, tools, shop)
    with service.client(member["token"]) as phone, service.client(staff) as till:
        out = code_of(phone, member)

        words = ("renew", "--reason", "fire", "--apply")
        status, said, complaint = command("keys.py", *words)

        assert status == 0, complaint
        assert "key 2 is new and signs" in said
        until_well(command)
        assert scan(till, out).json()["code"] == "code_revoked"
        assert scan(till, code_of(phone, member)).status_code == httpx.codes.CREATED


def test_a_stopped_installation_can_do_it_all(
    tools, served_settings, command, tmp_path
):
    copy = (tmp_path / "copy", "--with", tmp_path / "word")

    def keys(*words):
        status, _, complaint = command("keys.py", *words, is_served=False)
        assert status == 0, complaint

    keys("create", "--apply")
    keys("activate", 2, "--apply")
    keys("export", *copy, "--apply")
    keys("reseal", "--apply")
    keys("check")
    shutil.rmtree(served_settings.keys)
    keys("import", *copy, "--apply")
    served_settings.keys_passphrase_file.unlink()
    keys("renew", "--reason", "fire", "--apply")
    keys("list")
    keys("check")

    assert states_of(served_settings) == [
        KeyState.REVOKED,
        KeyState.REVOKED,
        KeyState.ACTIVE,
    ]


def test_killed_at_any_moment_a_reseal_is_taken_up(tools, served_settings, command):
    before = ring_of(served_settings).digest
    file = served_settings.keys_passphrase_file
    words = [sys.executable, "scripts/keys.py", "reseal", "--apply"]
    environ = {
        **os.environ,
        "PUNCHPROOF_VENV": "none",
        "PUNCHPROOF_DATA": str(served_settings.data),
        "PUNCHPROOF_KEYS": str(served_settings.keys),
        "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(file),
        "DATABASE_URL": served_settings.database_url,
    }
    for milliseconds in (0, 4, 8, 16, 32):
        text = file.read_text()
        with subprocess.Popen(
            words, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL
        ) as process:
            # The first thing that it does is to write the file.
            while process.poll() is None and file.read_text() == text:
                time.sleep(0.001)
            time.sleep(milliseconds / 1000)
            process.kill()
        assert ring_of(served_settings).digest == before

    status, _, complaint = command("keys.py", "reseal", "--apply", is_served=False)
    assert status == 0, complaint
    assert ring_of(served_settings).digest == before
    assert len(file.read_text().split()) == 1

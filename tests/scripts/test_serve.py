"""scripts/serve as a person meets it: started, stopped, killed, in its own way."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0

pytestmark = pytest.mark.slow


@dataclass
class Served:
    """A running scripts/serve: what it printed, and every process of it."""

    process: subprocess.Popen[str]
    data: Path
    port: int
    printed: str = ""
    seconds: float = 0.0
    family: list[psutil.Process] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def child(self, name: str) -> psutil.Process:
        """The direct child whose command holds ``name``."""
        children = psutil.Process(self.process.pid).children()
        (found,) = [c for c in children if any(name in w for w in c.cmdline())]
        return found

    def end(self, by: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, wait; gives the exit status."""
        self.process.send_signal(by)
        return self.wait()

    def wait(self) -> int:
        rest, _ = self.process.communicate(timeout=PATIENCE_S)
        self.printed += rest
        return self.process.returncode

    def left_running(self) -> list[psutil.Process]:
        _, alive = psutil.wait_procs(self.family, timeout=10)
        return alive


def environment():
    """That of somebody who has set nothing, with this very Python."""
    ours = ("PUNCHPROOF_", "REDIS_", "DATABASE_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return {**kept, "PUNCHPROOF_VENV": "none"}


def run(*words, **more):
    """Run a command of scripts/ to its end."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**environment(), **more},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@contextlib.contextmanager
def starting(data):
    """Start scripts/serve and wait until it says what to open."""
    with contextlib.ExitStack() as stack:

        def start(*words):
            served = Served(_launch(data, port := free_port(), words), data, port)
            stack.callback(_see_to_its_end, served)
            began = time.monotonic()
            for line in served.process.stdout:
                served.printed += line
                if line.startswith("Stop with"):
                    served.seconds = time.monotonic() - began
                    me = psutil.Process(served.process.pid)
                    served.family = me.children(recursive=True)
                    return served
            raise AssertionError(served.printed)

        yield start


@pytest.fixture
def serve(data):
    """A command of the test's own."""
    with starting(data) as start:
        yield start


@pytest.fixture(scope="module")
def open_shop(tmp_path_factory):
    """One that runs already, for who does it no harm."""
    with starting(tmp_path_factory.mktemp("open") / "data") as start:
        yield start()


def _launch(data, port, words):
    return subprocess.Popen(
        [sys.executable, "scripts/serve", "--data", data, "--port", str(port), *words],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _see_to_its_end(served):
    served.process.kill()
    served.process.wait()
    served.process.stdout.close()
    for process in served.family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_demo_is_up_stops_whole_and_starts_again(serve, data):
    # when it is started for the first time
    first = serve("--demo")

    # then pages come, and demo.json holds what was printed
    assert httpx.get(f"{first.url}/readyz").status_code == 200
    assert httpx.get(f"{first.url}/join").status_code == 200
    facts = json.loads((data / "demo.json").read_text())
    assert facts["base_url"] == f"http://localhost:{first.port}"
    assert facts["console"]["password"] in first.printed
    assert mode_of(data) == 0o700
    assert mode_of(data / "demo.json") == mode_of(data / "keys.passphrase") == 0o600

    # when it is stopped, then nothing is left running
    assert first.end(signal.SIGINT) == 0
    assert first.left_running() == []

    # when it is started again, then it is the same shop, and soon
    second = serve("--demo")
    again = json.loads((data / "demo.json").read_text())
    assert again["staff"] == facts["staff"]
    assert httpx.get(f"{second.url}/readyz").status_code == 200
    assert second.seconds < 15, f"{second.seconds:.1f} s"
    assert second.end(signal.SIGTERM) == 0


def test_an_empty_shop_gets_an_owner_whose_password_is_told_once(serve):
    first = serve()
    assert "password" in first.printed
    first.end()

    assert "password" not in serve().printed


def test_codes_for_tills_are_made_beside_the_server_before_and_after_a_rotation(
    open_shop,
):
    _enrol_one(open_shop)

    told = run("scripts/rotate_keys.py", "--data", str(open_shop.data), "--apply")

    assert told.returncode == 0
    assert httpx.get(f"{open_shop.url}/readyz").status_code == 200
    _enrol_one(open_shop)


def _enrol_one(served):
    told = run("scripts/enrol.py", "--data", str(served.data), "--json")
    issued = json.loads(told.stdout)
    assert sorted(issued) == ["code", "not_after", "url"]
    answer = httpx.post(f"{served.url}/api/v1/terminals", json={"code": issued["url"]})
    assert answer.status_code == 201


def test_no_code_for_a_till_is_made_without_a_server(data):
    told = run("scripts/enrol.py", "--data", str(data))

    assert told.returncode == 1
    assert "no server runs" in told.stderr


def test_two_cannot_use_one_directory(open_shop):
    data = str(open_shop.data)

    told = run("scripts/serve", "--data", data, "--port", str(free_port()))

    assert told.returncode == 1
    assert f"process {open_shop.process.pid}" in told.stderr
    # and the one that runs is not disturbed
    assert httpx.get(f"{open_shop.url}/readyz").status_code == 200
    assert run("scripts/enrol.py", "--data", data).returncode == 0


def test_a_taken_port_is_named_with_the_flag(data):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        told = run("scripts/serve", "--data", str(data), "--port", str(port))

    assert told.returncode == 1
    assert f"port {port} is taken" in told.stderr
    assert "--port" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_store_that_gives_no_answer_is_named_and_the_owner_is_still_told(data):
    words = ("scripts/serve", "--data", str(data), "--port", str(free_port()))

    told = run(*words, REDIS_URL="redis://127.0.0.1:1")

    assert told.returncode == 1
    assert "Redis gives no answer" in told.stderr
    # the shop was made, and its owner's password is kept nowhere
    assert "password" in told.stdout


@pytest.mark.parametrize("url", ["nonsense", "postgresql+psycopg://x@127.0.0.1:1/x"])
def test_books_that_cannot_be_opened_are_named(data, url):
    words = ("scripts/serve", "--data", str(data), "--port", str(free_port()))

    told = run(*words, DATABASE_URL=url)

    assert told.returncode == 1
    assert "serve: " in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("lost", ["keys", "keys.passphrase"])
def test_a_lost_key_stops_the_start_and_is_not_replaced(data, lost):
    # given a data directory that has been used, with one part of its keys
    data.mkdir(mode=0o700)
    left = data / ("keys" if lost == "keys.passphrase" else "keys.passphrase")
    left.touch(mode=0o600)
    (data / "punchproof.sqlite3").touch()

    told = run("scripts/serve", "--data", str(data), "--port", str(free_port()))

    assert told.returncode == 1
    assert "A key is made only in an empty data directory" in told.stderr
    assert "Traceback" not in told.stderr
    assert not (data / lost).exists()


def test_a_directory_with_other_things_is_not_taken(data):
    data.mkdir(mode=0o755)
    (data / "letter.txt").touch()

    told = run("scripts/serve", "--data", str(data))

    assert told.returncode == 1
    assert "holds other things" in told.stderr
    assert mode_of(data) == 0o755


@pytest.mark.parametrize("name", ["webprocess.py", "server"])
def test_a_child_that_dies_ends_the_whole(serve, name):
    served = serve()

    served.child(name).kill()

    assert served.wait() == 1
    assert "was killed by SIGKILL" in served.printed
    assert served.left_running() == []


def test_the_mail_worker_is_there_after_the_pages_and_is_started_again(serve, data):
    # given a running shop, which says where its mail goes
    served = serve()
    assert f"is not sent but put in {data / 'mail'}" in served.printed
    first = served.child("app.worker")

    # when the mail worker dies, then the shop goes on, and another one takes over
    _wait_until(lambda: "mail_worker_started" in (data / "worker.log").read_text())
    first.kill()
    _wait_until(lambda: _mail_worker(served) not in {None, first})
    assert httpx.get(f"{served.url}/readyz").status_code == 200
    answer = httpx.post(
        f"{served.url}/api/v1/members", json={"email": "anna@example.org"}
    )
    assert answer.status_code == 201
    _wait_until(lambda: list((data / "mail").glob("*.eml")))
    served.family.append(_mail_worker(served))

    # and both are told of, and nothing is left
    assert served.end(signal.SIGTERM) == 0
    assert "the mail worker was killed by SIGKILL, and is started again" in (
        served.printed
    )
    assert served.left_running() == []
    assert "anna" not in (data / "worker.log").read_text()
    assert "mail_worker_stopped" in (data / "worker.log").read_text()


def _mail_worker(served):
    try:
        return served.child("app.worker")
    except (ValueError, psutil.NoSuchProcess, psutil.ZombieProcess):
        return None


def _wait_until(is_so):
    last = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(OSError):
            if is_so():
                return
        assert time.monotonic() < last
        time.sleep(0.1)


def test_a_worker_that_dies_is_replaced(serve):
    served = serve("--workers", "2")
    worker = served.child("webprocess.py").children()[0]

    worker.kill()
    psutil.wait_procs([worker], timeout=10)

    assert [httpx.get(f"{served.url}/readyz").status_code for _ in range(8)] == [
        200
    ] * 8
    assert served.end() == 0


if sys.platform == "linux":  # elsewhere no kernel tells a child of such an end

    def test_nothing_outlives_a_kill_of_the_command_itself(serve):
        served = serve()

        served.process.kill()

        assert served.left_running() == []


def test_a_stop_in_the_middle_of_a_start_leaves_nothing(serve, data):
    # given a first start that is stopped before it is ready
    process = _launch(data, free_port(), [])
    for line in process.stdout:
        if "keys" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0

    # when it is started again, then it starts
    assert serve().end() == 0


def test_phones_in_the_network_get_https_and_a_code(serve, data):
    served = serve("--lan", "--host", "127.0.0.1")

    url = re.search(r"Customers +(\S+)", served.printed)[1]
    assert url == f"https://127.0.0.1:{served.port}/join"
    assert "█" in served.printed
    trust = ssl.create_default_context(cafile=data / "certificate" / "chain.pem")
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    assert httpx.get(url, verify=trust).status_code == 200

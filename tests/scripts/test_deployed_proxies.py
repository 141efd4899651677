"""nginx and Caddy, as they run with the samples' settings, before the real server."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import MOST_BODY
from app.programme.founding import Founded, found
from app.settings import Settings
from app.tools import Tools
from scripts.parts import proxies
from scripts.parts.certificate import certificate_for
from tests.running import Service, free_port, join, work
from tests.scripts.test_deploy import DEPLOY

pytestmark = pytest.mark.slow
HOST = "stamps.example"
#: More than the server has threads.
LINES = 40
#: What the samples give a body, and what the tests do.
PATIENCE = ("10s", "2s")


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs: what it listens on, and what it wrote."""

    port: int
    directory: Path

    def client(self, token: str | None = None) -> httpx.Client:
        """A client that takes its address for the shop's."""
        headers = {"Host": HOST}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            headers=headers,
            verify=unverified(),
            timeout=30,
            event_hooks={"request": [_name_the_shop]},
        )

    def written(self) -> str:
        """All that it logged."""
        return "".join(path.read_text() for path in self.directory.rglob("*.log"))


def _name_the_shop(request: httpx.Request) -> None:
    request.extensions["sni_hostname"] = HOST


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def nginx(directory: Path, port: int, upstream: int) -> list[str]:
    """Write the sample for ports, files and a user of our own; give the command."""
    made = certificate_for(directory / "tls", [HOST], now=datetime.now(UTC))
    said = (DEPLOY / "nginx.conf").read_text()
    for old, new in {
        "listen 443 ssl http2": f"listen 127.0.0.1:{port} ssl http2",
        "listen 80": f"listen 127.0.0.1:{free_port()}",
        f"/etc/letsencrypt/live/{HOST}/fullchain.pem": str(made.chain),
        f"/etc/letsencrypt/live/{HOST}/privkey.pem": str(made.key),
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        "/var/log/nginx": str(directory),
        f"client_body_timeout {PATIENCE[0]}": f"client_body_timeout {PATIENCE[1]}",
    }.items():
        assert old in said, old
        said = said.replace(old, new)
    # This machine may have no address of the newer kind.
    lines = [line for line in said.splitlines() if "listen [::]" not in line]
    (directory / "site.conf").write_text("\n".join(lines))
    kept = "\n".join(
        f"{name}_temp_path {directory / name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (directory / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {directory}/pid;\n"
        f"error_log {directory}/first.log; events {{}}\n"
        f"http {{ {kept}\ninclude {directory}/site.conf; }}\n"
    )
    command = [str(proxies.find("nginx")), "-p", str(directory)]
    return [*command, "-e", str(directory / "first.log"), "-c", "nginx.conf"]


def caddy(directory: Path, port: int, upstream: int) -> list[str]:
    """Write the sample for ports and a certificate of our own; give the command."""
    made = certificate_for(directory / "tls", [HOST], now=datetime.now(UTC))
    said = (DEPLOY / "Caddyfile").read_text()
    for old, new in {
        "{$PUNCHPROOF_DOMAIN:stamps.example} {": (
            f"https://{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {made.chain} {made.key}"
        ),
        "{$PUNCHPROOF_UPSTREAM:127.0.0.1:8000}": f"127.0.0.1:{upstream}",
        "\tservers {": "\tadmin off\n\tauto_https off\n\tservers {",
        f"read_body {PATIENCE[0]}": f"read_body {PATIENCE[1]}",
    }.items():
        assert old in said, old
        said = said.replace(old, new)
    (directory / "Caddyfile").write_text(said)
    words = ("run", "--adapter", "caddyfile", "--config", str(directory / "Caddyfile"))
    return [str(proxies.find("caddy")), *words]


@contextlib.contextmanager
def run(
    write: Callable[[Path, int, int], list[str]], directory: Path, upstream: int
) -> Iterator[Proxy]:
    """Run a proxy until the block ends."""
    directory.mkdir()
    port = free_port()
    command = write(directory, port, upstream)
    log = directory / "output.log"
    home = {"HOME": str(directory), "XDG_DATA_HOME": str(directory)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=home, cwd=directory
        )
    try:
        last = time.monotonic() + 10
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < last, log.read_text()
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), 1),
            ):
                break
            time.sleep(0.05)
        yield Proxy(port, directory)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def write(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def settings_behind(served_settings: Settings) -> Settings:
    return replace(served_settings, origin=f"https://{HOST}", proxy_hops=1)


@pytest.fixture
def own_tools(make_tools: Callable[..., Tools], settings_behind: Settings) -> Tools:
    return make_tools(
        origin=settings_behind.origin, port=settings_behind.port, proxy_hops=1
    )


@pytest.fixture
def shop(own_tools: Tools) -> Founded:
    return found(own_tools)


@pytest.fixture
def proxy(
    write: Any,
    tmp_path: Path,
    serve: Callable[..., Service],
    settings_behind: Settings,
    shop: Founded,
) -> Iterator[Proxy]:
    serve(settings_behind, workers=1)
    with run(write, tmp_path / "proxy", settings_behind.port) as it:
        yield it


def test_a_proxy_whose_server_is_away_keeps_codes_to_itself(write, tmp_path):
    code = "A" * 128
    with (
        run(write, tmp_path / "proxy", free_port()) as proxy,
        proxy.client() as client,
    ):
        answer = client.get(
            f"/s/{code}", headers={"Referer": f"https://{HOST}/s/{code}"}
        )

    assert answer.status_code in {502, 503}
    assert code not in proxy.written()


@contextlib.contextmanager
def held(proxy: Proxy) -> Iterator[None]:
    """Begin many joinings, and end none."""
    head = (
        f"POST /api/v1/members HTTP/1.1\r\nHost: {HOST}\r\n"
        "Content-Type: application/json\r\nContent-Length: 200\r\n\r\n{"
    )
    context = unverified()
    with contextlib.ExitStack() as lines:
        for _ in range(LINES):
            bare = socket.create_connection(("127.0.0.1", proxy.port), 10)
            line = context.wrap_socket(bare, server_hostname=HOST)
            lines.enter_context(line)
            line.sendall(head.encode())
        yield


def scan(phone: httpx.Client, till: httpx.Client, card_id: str) -> tuple[str, int]:
    """Show a card's code and scan it; gives the code and the answer's status."""
    code: str = phone.post(f"/api/v1/cards/{card_id}/code").json()["code"]
    body = {"code": code, "stamps": 1, "request_id": "scan"}
    return code, till.post("/api/v1/stamps", json=body).status_code


def test_a_shop_behind_a_proxy_gives_stamps_and_stays_private(proxy, own_tools, shop):
    with proxy.client() as client:
        page = client.get("/join")
        card_id, token = itemgetter("card_id", "token")(join(client))
        terminal = work(client, own_tools, shop)
        with proxy.client(terminal) as till, proxy.client(token) as phone:
            code, given = scan(phone, till, card_id)
        seen = client.get(f"/s/{code}")
        inner = [client.get(path).status_code for path in ("/metrics", "/readyz")]
        largest = client.post("/api/v1/members", content=b"x" * MOST_BODY)
        larger = client.post("/api/v1/members", content=b"x" * (MOST_BODY + 1))

    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"]
    assert "__Host-" in page.headers["Set-Cookie"]
    assert given == 201
    assert seen.status_code == 200
    assert inner == [404, 404]
    # What the server takes is let through, and no more.
    assert largest.json()["code"] == "invalid_request"
    # Caddy has 502 for a server that answers before it has heard all.
    assert larger.status_code in {413, 502}
    # Neither a code nor whose card it is stands in a log of the proxy.
    assert code not in proxy.written()
    assert card_id not in proxy.written()


def test_who_sends_a_body_drop_by_drop_holds_up_no_till(proxy, own_tools, shop, counts):
    with proxy.client() as client:
        card_id, token = itemgetter("card_id", "token")(join(client))
        terminal = work(client, own_tools, shop)
        with proxy.client(terminal) as till, proxy.client(token) as phone, held(proxy):
            assert scan(phone, till, card_id)[1] == 201
            # Who joins waits no longer than the proxy does.
            last = time.monotonic() + 10
            while client.post("/api/v1/members", json={}).status_code != 201:
                assert time.monotonic() < last
                time.sleep(0.2)
    counts(lines=LINES, given=1)


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that answers with the headers that it got."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = json.dumps(self.headers.items()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            """Say nothing in the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_what_a_browser_says_of_itself_is_thrown_away(write, tmp_path, echo):
    said = {
        "X-Forwarded-For": "192.0.2.1, 192.0.2.2",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
    }
    with (
        run(write, tmp_path / "proxy", echo) as proxy,
        proxy.client() as client,
    ):
        heard = client.get("/", headers=said).json()

    forwarded = sorted(
        (name.lower(), value)
        for name, value in heard
        if name.lower().startswith("x-forwarded")
    )
    assert forwarded == [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", HOST),
        ("x-forwarded-proto", "https"),
    ]

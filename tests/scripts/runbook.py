"""The operator's runbook, read from scripts/README.md and done on a real installation.

An ``Installation`` is a directory as an operator has it: ``scripts/`` and ``.data/``
side by side, served by scripts/serve. A line of the runbook is run there by bash as it
stands; all that is changed is where copies are kept.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx

from scripts import keys
from signing import keyfiles
from signing.codes import named_key
from signing.keyring import KeyRing, SigningKey
from tests.running import free_port

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "scripts" / "README.md").read_text(encoding="utf-8")
PATIENCE_S = 120.0
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OURS = ("PUNCHPROOF_", "REDIS_", "DATABASE_")


def sections() -> dict[str, str]:
    """The runbook's sections by title."""
    parts = re.split(r"^## (.+)$", README, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def fences(title: str, *languages: str) -> list[list[str]]:
    """The fences of a section in these languages, each as its lines."""
    found = _FENCE.findall(sections()[title])
    return [body.splitlines() for language, body in found if language in languages]


def prose_of(first: str, behind: str, *, but: Collection[str]) -> str:
    """What the sections from one title up to another say, without their fences."""
    titles = list(sections())
    chosen = titles[titles.index(first) : titles.index(behind)]
    return "\n".join(
        _FENCE.sub("", sections()[title]) for title in chosen if title not in but
    )


def commands_of(lines: list[str]) -> list[str]:
    """The lines that are run: no comments, no empty ones."""
    bare = (line.partition("  #")[0].strip() for line in lines)
    return [line for line in bare if line and not line.startswith("#")]


def told_commands() -> Iterator[str]:
    """Every scripts/… line of crontabs and units, without what is around it."""
    for title in sections():
        for lines in fences(title, "text", "ini"):
            for line in lines:
                if found := re.search(r"scripts/[^|&]+", line):
                    yield found[0].strip().replace("\\%", "%")


@dataclass
class Installation:
    """A shop of its own, as its operator has it."""

    home: Path
    #: Where /mnt/… of the runbook is.
    mounts: Path
    #: What the operator's environment says besides.
    more: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    printed: str = ""
    given: int = 0
    _server: subprocess.Popen[str] | None = None
    _client: httpx.Client | None = None
    _tokens: dict[str, str] = field(default_factory=dict)
    _who: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir()
        (self.home / "scripts").symlink_to(ROOT / "scripts")
        for name in ("elsewhere", "safe"):
            (self.mounts / name).mkdir(parents=True, exist_ok=True)

    @property
    def data(self) -> Path:
        return self.home / ".data"

    @property
    def environ(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        python = Path(sys.executable).parent
        return {
            **kept,
            "PATH": f"{python}{os.pathsep}{kept['PATH']}",
            "PUNCHPROOF_VENV": "none",
            "PUNCHPROOF_DATA": str(self.data),
            "PUNCHPROOF_PORT": str(self.port),
            **self.more,
        }

    # What an operator does

    def do(self, lines: list[str]) -> list[int]:
        """Do the lines of a fence, one after the other; gives their exit statuses."""
        return [self.type(line) for line in commands_of(lines)]

    def type(self, line: str) -> int:
        """Run one line; scripts/serve goes on in the background."""
        if line == "scripts/serve":
            self.start()
            return 0
        done = self.run(line)
        self.printed = done.stdout + done.stderr
        return done.returncode

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line.replace("/mnt/", f"{self.mounts}/")],
            cwd=self.home,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def start(self) -> None:
        self._server = subprocess.Popen(
            ["scripts/serve"],
            cwd=self.home,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = ""
        for line in self._server.stdout or ():
            said += line
            if line.startswith("Stop with"):
                break
        else:
            raise AssertionError(said)
        self.printed = said
        if self._client is None:
            url = f"http://localhost:{self.port}"
            self._client = httpx.Client(base_url=url, timeout=30)

    def stop(self) -> None:
        """Press Ctrl-C and wait."""
        assert self._server is not None
        self._server.send_signal(signal.SIGINT)
        self._server.communicate(timeout=PATIENCE_S)
        assert self._server.returncode == 0
        self._server = None

    def close(self) -> None:
        """Leave nothing running, whatever happened."""
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                # It takes its children along.
                self._server.kill()
                self._server.communicate()
        if self._client is not None:
            self._client.close()

    # What comes of it

    def look(self, *words: str) -> tuple[int, str]:
        """Give scripts/keys.py in this very process, which has its imports already."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = keys.main([*words, "--data", str(self.data)], environ=self.environ)
        return status, said.getvalue()

    def listed(self) -> dict:
        """What ``list`` tells programs."""
        status, said = self.look("list", "--json")
        assert status == 0, said
        return json.loads(said)

    def states(self) -> dict[int, str]:
        """Every key's state, by number."""
        return {key["key_id"]: key["state"] for key in self.listed()["keys"]}

    def is_in_order(self) -> bool:
        """Whether the keys are, and every live worker has them."""
        return self.look("check")[0] == 0

    def is_everywhere(self) -> bool:
        """Whether every live worker has the ring."""
        workers = self.listed()["workers"]
        return bool(workers) and all(one["has_this_ring"] for one in workers)

    def audit(self) -> list[object]:
        """The findings of scripts/audit.py."""
        done = self.run("scripts/audit.py --json")
        assert done.returncode in (0, 2), done.stderr
        findings: list[object] = json.loads(done.stdout)["findings"]
        return findings

    def open_shop(self) -> None:
        """Make a device a till, sign the owner in, let somebody join."""
        pin = re.search(r"PIN at the till: (\d+)", self.printed)
        link = re.search(r"http://\S+/S/\w{128}", self.printed)
        assert pin
        assert link
        till = self._post("/terminals", {"code": link[0]})["token"]
        bearer = {"Authorization": f"Bearer {till}"}
        assert self._client is not None
        owner = self._client.get("/api/v1/staff", headers=bearer).json()[0]
        self._who = {"staff_id": owner["staff_id"], "pin": pin[1]}
        member = self._post("/members", {"name": "Anna"})
        self._tokens = {"till": till, "member": member["token"]}
        self._tokens["card"] = member["card_id"]
        self.sign_in()

    def sign_in(self) -> None:
        """Let the owner sign in at the till."""
        staff = self._post("/staff-sessions", self._who, self._tokens["till"])
        self._tokens["staff"] = staff["token"]

    def give_a_stamp(self) -> int:
        """Show a code and scan it; the number of the key that signed it."""
        code = self.show_a_code()
        scan = {"code": code, "stamps": 1, "request_id": uuid4().hex}
        self._post("/stamps", scan, self._tokens["staff"])
        self.given += 1
        return named_key(code)

    def show_a_code(self) -> str:
        card = self._tokens["card"]
        shown = self._post(f"/cards/{card}/code", None, self._tokens["member"])
        code: str = shown["code"]
        return code

    def refusal_of(self, code: str) -> str:
        """Scan a code that is not good any more; what the till is told."""
        scan = {"code": code, "stamps": 1, "request_id": uuid4().hex}
        assert self._client is not None
        bearer = {"Authorization": f"Bearer {self._tokens['staff']}"}
        answer = self._client.post("/api/v1/stamps", json=scan, headers=bearer)
        told: str = answer.json().get("code", "given")
        return told

    def stamps(self) -> int:
        """The stamps on the card."""
        assert self._client is not None
        bearer = {"Authorization": f"Bearer {self._tokens['member']}"}
        path = f"/api/v1/cards/{self._tokens['card']}"
        count: int = self._client.get(path, headers=bearer).json()["stamps"]
        return count

    def takes_over(self, other: Installation) -> None:
        """Have the customers and tills of a shop that moved here."""
        self._tokens, self.given = other._tokens, other.given
        self._who = other._who

    def _post(self, path: str, body: object, token: str | None = None) -> dict:
        assert self._client is not None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._client.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    # What time does

    def grow_older(self, by: timedelta) -> None:
        """Let the ring have been made so much earlier."""
        words = keyfiles.read_passphrase(self.data / "keys.passphrase")
        ring = keyfiles.load(self.data / "keys", words)
        # A ring is not let go back, so another one is made and its book taken.
        other = self.home / "older"
        keyfiles.save(other, _older(ring, by), words)
        (other / "ring.json").replace(self.data / "keys" / "ring.json")
        shutil.rmtree(other)
        wait_until(self.is_everywhere)


def _older(ring: KeyRing, by: timedelta) -> KeyRing:
    older = tuple(
        dataclasses.replace(
            key,
            **{
                moment.name: at - by
                for moment in dataclasses.fields(SigningKey)
                if moment.name.endswith("_at")
                and (at := getattr(key, moment.name)) is not None
            },
        )
        for key in ring.keys
    )
    return dataclasses.replace(ring, keys=older)


def wait_until(is_so) -> None:
    """Look again and again until something is so."""
    last = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < last, "it did not come to that"
        time.sleep(0.2)

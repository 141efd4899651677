"""Where the attacks take place: an installation of our own, or the operator's.

One of our own is what ``scripts/serve`` starts, in a directory that is removed after:
real stores, several web processes, and people whose PINs we know. Of the operator's we
know what is given: its address and people, or a demo's directory, which has all of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any, Final

from app.programme import founding
from app.programme import shop as shops
from app.programme.sessions import ConsoleCaller
from app.settings import Settings, SettingsError
from app.tools import Tools, open_tools
from scripts.attacks.shop import Account, Person, Shop
from scripts.attacks.wire import Wire
from scripts.parts import children, installation
from scripts.parts.environment import ROOT
from signing.errors import SigningError

#: Web processes of an installation of our own.
WORKERS: Final = 3
_START_S: Final = 120.0
_STOP: Final = timedelta(seconds=30)
_OURS: Final = ("PUNCHPROOF_", "REDIS_", "DATABASE_")
_OF_COMMANDS: Final = "PUNCHPROOF_VENV"
_HIRED: Final = (("Mia", "barista"), ("Emil", "barista"), ("Jonas", "manager"))
_ROLES: Final = ("barista", "manager", "owner")


class NoGround(Exception):
    """There is nothing to attack; the sentence says why."""


@contextlib.contextmanager
def own() -> Iterator[Shop]:
    """Start an installation, attack it, and leave nothing of it.

    Raises:
        NoGround: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="punchproof-attacked-") as folder:
        data, log = Path(folder, "data"), Path(folder, "start.log")
        process = _start(data, log)
        try:
            _wait(process, data, log)
            with _inside(data, {}) as tools:
                wire = Wire(tools.settings.origin)
                shop = _shop(wire, _people(tools))
                shop.tools, shop.log, shop.is_own = tools, data / "serve.log", True
                yield shop
                wire.close()
        finally:
            children.end(process, signal.SIGTERM, patience=_STOP)


@contextlib.contextmanager
def of_directory(data: Path, *, may_be_elsewhere: bool = False) -> Iterator[Shop]:
    """Go into the demo installation that runs on a data directory.

    Raises:
        NoGround: none runs there, or it is not a demo.
        NotOurs: its address is not this machine's.
    """
    with _inside(data, dict(os.environ)) as tools:
        try:
            facts = json.loads((data / "demo.json").read_text())
        except (OSError, ValueError) as error:
            raise NoGround(
                f"{data} is no demo's, so nobody can sign in; use --url and --people"
            ) from error
        wire = Wire(tools.settings.origin, may_be_elsewhere=may_be_elsewhere)
        shop = _shop(wire, facts)
        shop.tools, shop.log = tools, data / "serve.log"
        yield shop
        wire.close()


@contextlib.contextmanager
def _inside(data: Path, environ: dict[str, str]) -> Iterator[Tools]:
    """Open the tools of the installation that runs on a data directory."""
    if not installation.join(data, environ):
        raise NoGround(f"no server runs on {data}; start one with scripts/serve --demo")
    try:
        tools = open_tools(Settings.from_env(environ))
    except (SettingsError, SigningError) as error:
        raise NoGround(str(error)) from error
    try:
        yield tools
    finally:
        tools.close()


@contextlib.contextmanager
def of_address(
    url: str, people: Path, enrolments: list[str], *, may_be_elsewhere: bool = False
) -> Iterator[Shop]:
    """Stand before an installation, with what its operator gave us.

    Args:
        url: its address.
        people: a file such as ``demo.json``: ``staff`` with ``staff_id``, ``name``,
            ``role``, ``pin``; ``console`` with ``email`` and ``password``, or none.
        enrolments: codes that make tills, for a file without ``console``.
        may_be_elsewhere: it is the operator's own, wherever it is.

    Raises:
        NoGround: the file cannot be read, or nobody answers.
        NotOurs: the address is not this machine's.
    """
    wire = Wire(url, may_be_elsewhere=may_be_elsewhere)
    try:
        facts = json.loads(people.read_text())
        shop = _shop(wire, facts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoGround(f"{people} does not say who can sign in") from error
    if not wire.ask("GET", "/livez").is_success:
        raise NoGround(f"nobody answers at {url}")
    shop.enrolments = enrolments
    yield shop
    wire.close()


def _shop(wire: Wire, facts: Mapping[str, Any]) -> Shop:
    people = [
        Person(one["staff_id"], one["name"], one["role"], one["pin"])
        for one in facts["staff"]
    ]
    # Whoever can do least stands at the till.
    people.sort(key=lambda one: _ROLES.index(one.role))
    account = facts.get("console")
    return Shop(
        wire,
        tuple(people),
        Account(account["email"], account["password"]) if account else None,
    )


def _people(tools: Tools) -> dict[str, Any]:
    """Hire people for a shop of our own, as ``demo.json`` tells of them."""
    owner = shops.staff_members(tools)[0]
    by = ConsoleCaller(owner.staff_id, owner.name, "owner")
    shops.add_location(tools, name="Second counter", by=by)
    account = {"email": "owner@attacked.example", "password": secrets.token_hex(16)}
    shops.set_console_access(tools, owner.staff_id, by=by, **account)
    facts = []
    for name, role in _HIRED:
        pin = founding.random_pin()
        staff_id = shops.add_staff(tools, name=name, role=role, pin=pin, by=by)
        facts.append(
            {"staff_id": str(staff_id), "name": name, "role": role, "pin": pin}
        )
    pin = founding.random_pin()
    shops.set_pin(tools, owner.staff_id, pin=pin, by=by)
    told = {"staff_id": str(owner.staff_id), "name": "", "role": "owner", "pin": pin}
    return {"staff": [*facts, told], "console": account}


def _start(data: Path, log: Path) -> Popen[bytes]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) or name == _OF_COMMANDS
    }
    words = f"--port {_free_port()} --workers {WORKERS}"
    return children.launch(
        [sys.executable, ROOT / "scripts" / "serve", "--data", data, *words.split()],
        directory=ROOT,
        log=log,
        end_by=signal.SIGTERM,
        environment=kept,
    )


def _wait(process: Popen[bytes], data: Path, log: Path) -> None:
    last = time.monotonic() + _START_S
    while not (data / "running.json").exists():
        if process.poll() is not None or time.monotonic() > last:
            raise NoGround(f"the installation did not start.\n{children.tail(log)}")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port

"""Sets up, starts, watches and stops the whole of Punchproof on one machine.

The data directory, its keys, the nonce store, the books, the web server, and the mail
worker once pages are served. Whatever goes wrong is told in a sentence, exit status 1,
with nothing left running. Ctrl-C or SIGTERM stops all of it, the web server first, and
the exit status is 0.

A start is as fast as its imports. So the web server's program is launched first and
imports on one core, while this one imports ``preparing`` and prepares on another.
"""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.settings import SettingsError
from app.store.errors import StoreDown
from scripts.parts import installation, network
from scripts.parts.children import ServerError
from scripts.parts.installation import InstallationError
from scripts.parts.progress import step, warn
from scripts.parts.supervisor import ChildDied, StopAsked, Supervisor
from scripts.parts.webserver import Listening, NotReady, Warnings, WebServer

_THREADS = 16
_MOST_WORKERS = 4
_EVERYWHERE = "0.0.0.0"  # noqa: S104 (what --lan asks for)
_FAULTS = (InstallationError, SettingsError, ServerError, ChildDied, NotReady)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What this start is to do."""

    data: Path
    at: Listening
    workers: int
    is_demo: bool
    #: Whether the mail worker is a service of its own.
    is_mail_elsewhere: bool
    #: Everything that ``app.settings`` reads; the nonce store's address comes later.
    environ: dict[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, start everything, wait for the end."""
    options = _options(argv)
    supervisor = Supervisor()
    supervisor.stop_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    data = installation.data_directory(os.environ, options.data)
    try:
        with installation.in_use(data):
            try:
                _run(_plan(options, data), supervisor)
            finally:
                supervisor.stop()
    except StopAsked:
        print("\nStopped; everything is kept.", flush=True)
        return 0
    except StoreDown as error:
        cause = getattr(error.__cause__, "orig", error.__cause__ or error)
        warn(f"serve: the database gives no answer: {cause}")
    except _FAULTS as error:
        warn(f"serve: {error}")
    return 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/serve",
        description="Set up, start and stop Punchproof on this machine.",
        epilog="Variables do the same: PUNCHPROOF_DATA, PUNCHPROOF_HOST, "
        "PUNCHPROOF_PORT; and PUNCHPROOF_ORIGIN, DATABASE_URL, REDIS_URL.",
    )
    say = parser.add_argument
    say("--demo", action="store_true", help="with a shop to play with")
    say("--lan", action="store_true", help="for phones in this network, by https")
    say("--no-mail", action="store_true", help="the mail worker runs by itself")
    say("--data", metavar="DIR", help="where everything is kept; default .data")
    say("--host", metavar="ADDRESS", help="listen there; default 127.0.0.1")
    say("--port", metavar="N", help="listen there; default 8000")
    say("--workers", metavar="N", help="processes; default one a core, at most 4")
    return parser.parse_args(argv)


def _plan(options: argparse.Namespace, data: Path) -> _Plan:
    """Turn arguments and environment into what is to be done.

    Raises:
        InstallationError: a number is none, the port is taken, or no network is there.
    """
    environ = dict(os.environ)
    port = _whole(options.port or environ.get("PUNCHPROOF_PORT") or "8000", "port")
    cores = min(_MOST_WORKERS, os.cpu_count() or 1)
    workers = _whole(options.workers or str(cores), "number of workers")
    host = options.host or environ.get("PUNCHPROOF_HOST")
    origin, certificate = f"http://localhost:{port}", None
    if options.lan:
        address = host if host and host != _EVERYWHERE else _lan_address()
        host, origin = host or _EVERYWHERE, f"https://{address}:{port}"
        from scripts.parts.certificate import certificate_for  # noqa: PLC0415

        names = [address, "localhost", "127.0.0.1"]
        certificate = certificate_for(
            data / "certificate", names, now=datetime.now(UTC)
        )
    host = host or "127.0.0.1"
    if wrong := network.why_not(host, port):
        raise InstallationError(wrong)
    environ |= {
        "PUNCHPROOF_DATA": str(data),
        "PUNCHPROOF_HOST": host,
        "PUNCHPROOF_PORT": str(port),
        "PUNCHPROOF_ORIGIN": environ.get("PUNCHPROOF_ORIGIN") or origin,
    }
    at = Listening(host, port, certificate)
    return _Plan(data, at, workers, options.demo, options.no_mail, environ)


def _whole(text: str, meaning: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 65535):  # noqa: PLR2004
        raise InstallationError(f"the {meaning} is no number from 1 to 65535: {text}")
    return int(text)


def _lan_address() -> str:
    address = network.lan_address()
    if address is None:
        raise InstallationError(
            "this machine is in no network; join one, or name its address: "
            "--lan --host ADDRESS"
        )
    return address


def _run(plan: _Plan, supervisor: Supervisor) -> None:
    """Start everything and go on until a signal or a fault."""
    print(f"Starting Punchproof, data in {plan.data}", flush=True)
    log = plan.data / "serve.log"
    warnings = Warnings(log, warn)
    server = WebServer(
        supervisor, plan.at, workers=plan.workers, threads=_THREADS, log=log
    )
    from scripts.parts import mailworker, preparing  # noqa: PLC0415 (see above)

    with step("keys"):
        preparing.open_ring(plan.environ)
    supervisor.check()
    with step("nonce store"):
        preparing.start_nonce_store(plan.environ, supervisor)
    supervisor.check()
    with step("books"):
        tools = preparing.open_tools(plan.environ)
    with step("demo shop" if plan.is_demo else "shop"):
        told = preparing.first_shop(tools, is_demo=plan.is_demo)
    try:
        with step("web server"):
            server.go(plan.environ)
    except BaseException:
        preparing.print_people(told)  # no later start tells of a new owner
        raise
    told_of = [warnings]
    if not plan.is_mail_elsewhere:
        told_of.append(mailworker.start(supervisor, plan.environ, plan.data))
    installation.tell(plan.data, plan.environ)
    preparing.announce(tools, told, is_lan=plan.at.certificate is not None)
    print(f"\nStop with Ctrl-C. Log: {log}", flush=True)
    tools.close()
    supervisor.watch(*(each.pass_on for each in told_of))

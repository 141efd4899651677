"""What must stand before the web server may serve, and what to tell its owner.

Nothing here runs before ``serving`` has the data directory to itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.exc import ArgumentError

from app.programme import founding, shop, staff
from app.programme.founding import Charter
from app.settings import Settings
from app.tools import Tools
from app.tools import open_tools as open_all
from scripts import demo
from scripts.parts import first_key, installation, redis_server
from scripts.parts.installation import InstallationError
from scripts.parts.supervisor import Supervisor
from signing import qr


@dataclass(frozen=True, slots=True)
class Told:
    """What the owner hears of at this start: a new shop, or the demo's."""

    founded: founding.Founded | None = None
    demo: Path | None = None


def open_ring(environ: Mapping[str, str]) -> None:
    """See that the key ring is there; see ``first_key``.

    Raises:
        InstallationError: the ring is missing, cannot be read, or signs nothing.
    """
    first_key.ring_at_start(environ, Path(environ["PUNCHPROOF_DATA"]))


def start_nonce_store(
    environ: MutableMapping[str, str], supervisor: Supervisor
) -> None:
    """Start a Redis of our own, unless the environment names one; name it there.

    Raises:
        ServerError: there is none, or it does not start.
    """
    if environ.get("REDIS_URL") or environ.get("REDIS_URL_FILE"):
        return
    home = Path(environ["PUNCHPROOF_DATA"], "redis")
    server = redis_server.start(home)
    log = home / "redis.log"
    supervisor.add("the nonce store", server.process, log=log, stop=server.stop)
    environ["REDIS_URL"] = server.url


def open_tools(environ: Mapping[str, str]) -> Tools:
    """Open the tools, the books brought to the newest schema.

    Raises:
        SettingsError: a setting makes no sense.
        InstallationError: the books' address makes none.
        StoreDown: the books gave no answer.
    """
    try:
        tools = open_all(Settings.from_env(environ))
    except (ArgumentError, ModuleNotFoundError) as error:
        raise InstallationError(
            f"DATABASE_URL cannot be used: {error}. It is postgresql+psycopg://…, "
            "or unset for a file of our own"
        ) from error
    tools.database.migrate()
    return tools


def first_shop(tools: Tools, *, is_demo: bool) -> Told:
    """See to a shop: the demo's, or an empty one with an owner's account.

    Raises:
        InstallationError: the demo was asked for where another shop is.
        StoreDown: the books gave no answer.
    """
    data = tools.settings.data
    demo_file = data / "demo.json"
    if not founding.is_founded(tools):
        if not is_demo:
            return Told(
                founded=founding.found(tools, Charter(timezone=local_timezone()))
            )
        demo.load(tools, data)
    elif not is_demo:
        return Told()
    elif not demo_file.exists():
        raise InstallationError(
            f"{data} holds a shop already, and the demo would be mixed into it; "
            "give the demo a directory of its own: --demo --data DIR"
        )
    facts = json.loads(demo_file.read_text())
    facts["base_url"] = tools.settings.origin
    installation.write(demo_file, json.dumps(facts, indent=2).encode())
    return Told(demo=demo_file)


def local_timezone() -> str:
    """Return the machine's time zone by name, UTC if it has none."""
    name = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return "UTC"


def announce(tools: Tools, told: Told, *, is_lan: bool) -> None:
    """Print the addresses, who signs in with what, and a code for phones."""
    origin = tools.settings.origin
    print(f"\n{qr.terminal(f'{origin}/join')}", end="")
    print("\nPunchproof is ready.\n")
    print(f"  Customers  {origin}/join  (the code above)")
    if urlsplit(origin).hostname in {"localhost", "127.0.0.1", "::1"}:
        # A phone that reads "localhost" would look for us in itself.
        print("             on this machine only; for phones: scripts/serve --lan")
    print(f"  Counter    {origin}/counter/")
    is_first = all(till.revoked_at is not None for till in shop.terminals(tools))
    if told.demo or is_first:
        _print_enrolment(tools)
    print(f"  Console    {origin}/console/")
    print_people(told)
    if tools.settings.mail is None:
        # Else it would look as if it were sent.
        print(f"  Mail       is not sent but put in {tools.settings.mail_files}")
    if is_lan:
        print(
            "\nPhones in this network open the code above. The certificate is this "
            "machine's own,\nso each phone asks once whether to go on."
        )


def _print_enrolment(tools: Tools) -> None:
    """Print a link that makes a device a till; the console makes more of them."""
    place = founding.first_location(tools)
    if place is None:
        return
    issued = staff.enrolment_code(tools, place)
    print("             open once within 10 minutes on what shall be the till:")
    print(f"             {issued.url}")


def print_people(told: Told) -> None:
    """Print who signs in with what, as far as it is ours to tell."""
    if told.demo:
        facts = json.loads(told.demo.read_text())
        _print_account(**facts["console"])
        people = ", ".join(f"{one['name']} {one['pin']}" for one in facts["staff"])
        print(f"  PINs       {people}")
        print(f"             and all of it in {told.demo}")
    elif told.founded:
        _print_account(told.founded.email, told.founded.password)
        print(f"             PIN at the till: {told.founded.pin}")
        print("             Told this once and kept nowhere: write them down now.")


def _print_account(email: str, password: str) -> None:
    print(f"             e-mail {email}  password {password}")

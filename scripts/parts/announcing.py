"""What scripts/serve tells the person who started it: what to open, and how."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from app.programme import founding, shop, staff
from app.tools import Tools
from signing import qr


@dataclass(frozen=True, slots=True)
class Told:
    """What was made at this start and is told once."""

    founded: founding.Founded | None
    #: ``demo.json``, when the demo was asked for.
    demo: Path | None


def announce(tools: Tools, told: Told, *, log: Path, is_lan: bool) -> None:
    """Print the addresses, who signs in with what, and a code for phones."""
    origin = tools.settings.origin
    join = f"{origin}/join"
    print(f"\n{qr.terminal(join)}\n\nPunchproof is ready.\n")
    print(f"  Customers  {join}")
    print(f"  Counter    {origin}/counter/")
    _enrolment(tools)
    print(f"  Console    {origin}/console/")
    if told.demo:
        _demo_people(told.demo)
    elif told.founded:
        _owner(told.founded)
    if is_lan:
        print(
            "\nPhones in this network open the code above. The certificate is this "
            "machine's own,\nso each phone asks once whether to go on: "
            "“Advanced”, then “Proceed”."
        )
    print(f"\nStop with Ctrl-C. Log: {log}", flush=True)


def _enrolment(tools: Tools) -> None:
    """Print a link for the first till; later ones are enrolled in the console."""
    if any(not terminal.is_revoked for terminal in shop.terminals(tools)):
        return
    place = founding.first_location(tools)
    if place is None:
        return
    issued = staff.enrolment_code(tools, place)
    print("             the first till opens this, once, within 10 minutes:")
    print(f"             {issued.url}")


def _owner(founded: founding.Founded) -> None:
    print(
        f"             e-mail {founded.email}  password {founded.password}\n"
        f"             at the till: Owner, PIN {founded.pin}\n"
        "             These are told once and kept nowhere: write them down now."
    )


def _demo_people(demo: Path) -> None:
    facts = json.loads(demo.read_text())
    console = facts["console"]
    print(f"             e-mail {console['email']}  password {console['password']}")
    people = ", ".join(f"{one['name']} {one['pin']}" for one in facts["staff"])
    print(f"  PINs       {people}")
    print(f"             all of it is in {demo}")

#!/usr/bin/env python3
"""Say in words what is wrong with this installation, and how to mend it.

    scripts/doctor.py

It looks at the settings, at who can read what is secret, the key ring, the books, the
nonce store, the clocks, the room on the disk, the web workers, the mail worker and its
outbox, the mail server, the public address with its certificate, and the age of the
last backup. It changes nothing and sends no mail; beside a running server it costs a
few questions. Run it as the server's user, and where the keys, the books or the nonce
store are not in the data directory, with the variables that the server has.

Exit status: 0 all is well, 1 something is wrong, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

if __name__ == "__main__":
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from sqlalchemy.exc import SQLAlchemyError

from app.settings import SettingsError
from scripts.parts import (
    doctor_machine,
    doctor_outside,
    doctor_stores,
    installation,
    keyroom,
)
from scripts.parts.doctor_patient import Check, Finding, Patient
from signing.errors import KeyRingError

CHECKS: Final[Mapping[str, Check]] = {
    "settings": doctor_machine.settings,
    "files": doctor_machine.files,
    "ring": doctor_machine.ring,
    "disk": doctor_machine.disk,
    "books": doctor_stores.books,
    "nonce store": doctor_stores.nonce_store,
    "web workers": doctor_stores.workers,
    "clock": doctor_stores.clock,
    "mail": doctor_stores.mail,
    "mail server": doctor_outside.mail_server,
    "origin": doctor_outside.origin,
    "certificate": doctor_outside.certificate,
    "backup": doctor_stores.backup,
}


def main(
    argv: Sequence[str] | None = None, *, environ: Mapping[str, str] = os.environ
) -> int:
    """Read the arguments, look at everything, report."""
    options = _parser().parse_args(argv)
    found = _look(options, environ)
    is_wrong = any(one.is_wrong for each in found.values() for one in each)
    print(_as_json(found) if options.json else _as_sentences(found))
    return 1 if is_wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    say = parser.add_argument
    say("--data", metavar="DIR", help="data directory; default .data")
    say(
        "--backup-within",
        type=_hours,
        default=26,
        metavar="HOURS",
        help="how old the last backup may be; default 26",
    )
    say("--json", action="store_true", help="tell it as JSON")
    return parser


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of hours")
    return int(text)


def _look(
    options: argparse.Namespace, environ: Mapping[str, str]
) -> dict[str, list[Finding]]:
    """Run every check; one that breaks says so, and the others go on."""
    mine = dict(environ)
    installation.join(installation.data_directory(mine, options.data), mine)
    within = timedelta(hours=options.backup_within)
    try:
        with keyroom.outside(mine, options.data) as found:
            patient = Patient(mine, found.tools, found.is_served, within)
            return {name: _run(check, patient) for name, check in CHECKS.items()}
    except (SettingsError, KeyRingError, SQLAlchemyError, ValueError) as error:
        mend = "the README has every setting with its default and meaning"
        said = [*doctor_machine.unknown(mine), Finding(str(error), mend)]
        return {"settings": said}


def _run(check: Check, patient: Patient) -> list[Finding]:
    try:
        return list(check(patient))
    except (OSError, SQLAlchemyError, KeyRingError) as error:
        return [
            Finding(f"could not look: {type(error).__name__}", "as what user is it?")
        ]


def _as_json(found: Mapping[str, Sequence[Finding]]) -> str:
    told: dict[str, Any] = {
        name: [asdict(one) for one in each] for name, each in found.items()
    }
    return json.dumps({"checks": told})


def _as_sentences(found: Mapping[str, Sequence[Finding]]) -> str:
    lines = []
    for name, each in found.items():
        if not each:
            lines.append(f"ok     {name}")
        for one in each:
            lines.append(
                f"{'WRONG' if one.is_wrong else 'look':<7}{name}: {one.sentence}"
            )
            lines.append(f"       {one.mend}")
    wrong = sum(one.is_wrong for each in found.values() for one in each)
    lines.append(f"{wrong} thing{'s' * (wrong > 1)} wrong" if wrong else "all is well")
    if len(found) < len(CHECKS):
        lines.append("nothing else could be looked at")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

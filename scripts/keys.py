#!/usr/bin/env python3
"""Look after the signing keys: list, check, make, revoke, copy, bring back.

A key is pending (all verify, none signs), then active (it signs; there is one), then
verify-only, then retired; any of them can be revoked. A secret for links and issue
records goes with each. A routine rotation is `scripts/rotate_keys.py`; the same by
hand:

    scripts/keys.py create --apply
    scripts/keys.py activate 2 --apply
    scripts/keys.py retire 1 --apply          (a quarter of an hour later)

A stolen key:

    scripts/keys.py revoke 1 --since 2026-03-01T08:00 --reason "laptop stolen" --apply

A copy for bad days, and back; then another passphrase, and a lost one:

    scripts/keys.py export /mnt/stick/ring --with /mnt/other/ring.passphrase --apply
    scripts/keys.py import /mnt/stick/ring --with /mnt/other/ring.passphrase --apply
    scripts/keys.py reseal --apply
    scripts/keys.py renew --reason "passphrase lost in a fire" --apply

Each command but list and check shows what it would do, and does it with --apply. No
secret is ever printed.

Exit status: 0 done or shown, 1 it failed, 2 a guard refused and nothing was changed
(or wrong arguments), 3 it is so already.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from scripts.parts import keyroom, keys_copies, keys_looking, keys_steps
from scripts.parts.keyroom import Outside


def main(
    argv: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Read the arguments, do it, report."""
    options = _parser().parse_args(argv)

    def work() -> int:
        with keyroom.outside(environ, options.data) as found:
            return _do(found, options, wait)

    return keyroom.ended("keys", work)


def _do(
    found: Outside, options: argparse.Namespace, wait: Callable[[float], None]
) -> int:
    verbs: dict[str, Callable[[], int]] = {
        "list": lambda: keys_looking.show(found.enter(), options),
        "check": lambda: keys_looking.check(found.enter(), options, wait),
        "revoke": lambda: keys_steps.revoke(found.enter(), options, wait),
        "export": lambda: keys_copies.export(found, options),
        "import": lambda: keys_copies.import_(found, options),
        "reseal": lambda: keys_copies.reseal(found, options, wait),
        "renew": lambda: keys_copies.renew(found, options),
    }
    step = verbs.get(options.command)
    return step() if step else keys_steps.step(found.enter(), options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    # Words that every command takes, after its name.
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--data", metavar="DIR", help="data directory; default .data")
    every.add_argument("--json", action="store_true", help="tell it as JSON")
    change = argparse.ArgumentParser(add_help=False, parents=[every])
    change.add_argument("--apply", action="store_true", help="do it")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, told: str, *, looks: bool = False) -> argparse.ArgumentParser:
        parents = [every if looks else change]
        return commands.add_parser(name, parents=parents, help=told, description=told)

    add("list", "every key and secret, and who works with which ring", looks=True)
    add("check", "whether the keys are in order", looks=True)
    create = add("create", "make a key that all verify with, and a secret")
    where = create.add_mutually_exclusive_group()
    where.add_argument(
        "--in-token",
        action="store_const",
        const=True,
        help="make it in the token, which it never leaves; otherwise it is made where "
        "the key that signs is",
    )
    where.add_argument(
        "--in-file",
        action="store_const",
        const=False,
        dest="in_token",
        help="make it in a sealed file, though the key that signs is in a token",
    )
    _key_of(add("activate", "let a pending key sign and its secret seal"))
    _key_of(add("retire", "destroy the private part of a key whose last code is dead"))
    _say_revoke(add("revoke", "trust a key no more; if it signs, a new one does"))
    _say_copies(
        add("export", "write a sealed copy of the whole ring into a file"),
        add("import", "bring a copy back, into an empty keys directory"),
    )
    add("reseal", "give the ring another passphrase; every key stays")
    renew = add("renew", "the passphrase is lost: revoke every key and make one")
    renew.add_argument("--reason", required=True, help="for the audit log")
    renew.add_argument(
        "--unproven",
        action="store_true",
        help="take the old public keys though the audit log does not vouch for them",
    )
    return parser


def _key_of(command: argparse.ArgumentParser) -> None:
    command.add_argument("key_id", type=int, metavar="KEY", help="its number")


def _say_revoke(revoke: argparse.ArgumentParser) -> None:
    _key_of(revoke)
    revoke.add_argument(
        "--since",
        type=moment,
        required=True,
        metavar="MOMENT",
        help="when it may have been stolen, 2026-03-01T08:00 (UTC unless it says)",
    )
    revoke.add_argument("--reason", required=True, help="for the audit log")
    revoke.add_argument(
        "--hard",
        action="store_true",
        help="nothing printed with it stays good, also what is older than --since",
    )
    revoke.add_argument(
        "--csv", type=Path, metavar="FILE", help="write the review list"
    )


def _say_copies(export: argparse.ArgumentParser, back: argparse.ArgumentParser) -> None:
    export.add_argument("file", type=Path, metavar="FILE", help="never overwritten")
    how = export.add_mutually_exclusive_group(required=True)
    for group, told in (
        (how, "passphrase of the copy; made if there is none"),
        (back, "passphrase of the copy"),
    ):
        group.add_argument(
            "--with",
            dest="with_file",
            type=Path,
            required=group is back,
            metavar="PASSFILE",
            help=told,
        )
    how.add_argument(
        "--public",
        action="store_true",
        help="only the public keys, as JSON; needs no passphrase",
    )
    back.add_argument("file", type=Path, metavar="FILE", help="a copy made by export")
    back.add_argument(
        "--older",
        action="store_true",
        help="take it though the audit log knows more; what that calls dead is revoked",
    )


def moment(text: str) -> datetime:
    """Read a moment; UTC where it names no zone.

    Raises:
        ValueError: it is none.
    """
    at = datetime.fromisoformat(text)
    if not MINYEAR < at.year < MAXYEAR:
        # At the ends of the calendar no moment can be told in another zone.
        raise ValueError(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())

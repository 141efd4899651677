#!/usr/bin/env python3
"""Take a backup of the whole shop, beside the running server: books and keys.

    scripts/backup.py --to /mnt/elsewhere --keep 14 --apply

One file of mode 0600, punchproof-20260301T041700Z.tar, or the file that --to names. It
appears when it is whole, or not at all, and holds: the books as they were at one
moment (SQLite, or PostgreSQL by its own pg_dump), the key ring under its seal, and a
manifest with a hash of each and a seal of its own.

What opens the ring is not in it. That is the server's own passphrase, or with --with
another one, made at the first time; keep it, but not where the backups are. Without it
a backup cannot be restored.

Without --apply it shows what it would do. scripts/restore.py puts a backup back.

Exit status: 0 done or shown, 1 it failed, 2 a guard refused and nothing was changed
(or wrong arguments).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from scripts.parts import backup_making, keyroom
from scripts.parts.backup_making import Taken
from scripts.parts.backup_postgres import ProgramFailed


def main(
    argv: Sequence[str] | None = None, *, environ: Mapping[str, str] = os.environ
) -> int:
    """Read the arguments, take the backup, report."""
    options = _parser().parse_args(argv)

    def work() -> int:
        try:
            with keyroom.outside(environ, options.data) as found:
                taken = backup_making.take(
                    found,
                    options.to.absolute(),
                    with_file=options.with_file,
                    keep=options.keep,
                    is_applied=options.apply,
                )
        except (ProgramFailed, OSError) as error:
            print(f"backup: {error}", file=sys.stderr)
            return keyroom.FAILED
        return _report(taken, options)

    return keyroom.ended("backup", work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    say = parser.add_argument
    say("--to", type=Path, required=True, metavar="DIR|FILE", help="where it goes")
    say(
        "--with",
        dest="with_file",
        type=Path,
        metavar="PASSFILE",
        help="a passphrase of its own for the ring in it; made if there is none",
    )
    say("--keep", type=_count, metavar="N", help="leave the newest N in the directory")
    say("--data", metavar="DIR", help="data directory; default .data")
    say("--json", action="store_true", help="tell it as JSON")
    say("--apply", action="store_true", help="do it")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 on")
    return int(text)


def _report(taken: Taken, options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps(_facts(taken)))
    else:
        print("\n".join(_told(taken, options.keep)))
    if taken.is_audited:
        return keyroom.DONE
    print(
        "backup: it is finished and good, but the books did not take the audit log's "
        "line of it",
        file=sys.stderr,
    )
    return keyroom.FAILED


def _facts(taken: Taken) -> dict[str, Any]:
    facts = taken.facts
    return {
        "command": "backup",
        "applied": taken.is_applied,
        "file": str(taken.file),
        "bytes": taken.size,
        "passphrase": str(taken.passphrase_file),
        "passphrase_made": taken.is_passphrase_made,
        "rows": dict(facts.rows) if facts else None,
        "revision": facts.revision if facts else None,
        "entries": facts.ledger.count if facts else None,
        "removed": [str(path) for path in taken.removed],
        "audited": taken.is_applied and taken.is_audited,
    }


def _told(taken: Taken, keep: int | None) -> list[str]:
    opens = f"{taken.passphrase_file}" + (
        ", a new passphrase" if taken.is_passphrase_made else ""
    )
    needs = (
        f"What opens it is not in it: {opens}. Keep a copy of that elsewhere, and not "
        "beside the backups"
    )
    if taken.facts is None:
        kept = f" and leave the newest {keep} there" if keep else ""
        return [
            f"would: write the books and the sealed ring into {taken.file}{kept}",
            needs,
            "Do it with --apply",
        ]
    rows = taken.facts.rows
    told = [
        f"{taken.file}: {taken.size} bytes, {rows['card']} cards, "
        f"{taken.facts.ledger.count} entries of the ledger, schema "
        f"{taken.facts.revision}",
        needs,
    ]
    told += [f"removed {path}" for path in taken.removed]
    return told


if __name__ == "__main__":
    sys.exit(main())

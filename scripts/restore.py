#!/usr/bin/env python3
"""Put a backup of scripts/backup.py back, into a place where no shop is.

    scripts/restore.py /mnt/elsewhere/punchproof-20260301T041700Z.tar \
        --with /mnt/safe/keys.passphrase --apply

Books of an older time have forgotten what was spent since. So, before anybody is
served: every key that was in use is revoked, and a new one signs; every batch of
printed stamps that is still out is called back; whoever was signed in at a till or in
the console is signed out; the nonce store begins another epoch; and all of it is in the
audit log. Phones get fresh codes by themselves. Then every entry of the books is proved
again.

Whoever asked to be erased since the backup is in it still. Give the list that
scripts/erased.py wrote, with --erased, and they are erased again.

With --keep-paper printed stamps stay good. Each that was collected since the backup can
then be collected once more, and nobody can tell which: that is a decision.

The place is what the settings name, as for the server: an empty data directory, or an
empty database. Nothing that is there is overwritten. Where a newer ring of the same
shop is still in the keys directory, it is gone on from. Where REDIS_URL names a nonce
store, its memory does no harm; give it all the same that the server will have.

Without --apply it shows what it would do, and compares every hash.

Exit status: 0 done or shown, 1 it failed, or the books do not prove, 2 a guard refused
and nothing was changed (or wrong arguments).
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

from app.programme.ceremonies import CeremonyRefused
from scripts.parts import backup_archive, backup_restoring, installation, keyroom
from scripts.parts.backup_archive import Backup, NotWhole
from scripts.parts.backup_postgres import ProgramFailed
from scripts.parts.backup_restoring import Plan, Restored
from scripts.parts.installation import InstallationError

_STORE = frozenset({"REDIS_URL", "REDIS_URL_FILE"})
_ORIGIN = "PUNCHPROOF_ORIGIN"


def main(
    argv: Sequence[str] | None = None, *, environ: Mapping[str, str] = os.environ
) -> int:
    """Read the arguments, look, put it back, report."""
    options = _parser().parse_args(argv)

    def work() -> int:
        try:
            with backup_archive.opened(options.backup) as backup:
                return _restore(backup, options, environ)
        except InstallationError as error:
            return _told(keyroom.REFUSED, str(error))
        except (NotWhole, ProgramFailed, OSError) as error:
            return _told(keyroom.FAILED, f"{options.backup.name}: {error}")

    return keyroom.ended("restore", work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    say = parser.add_argument
    say("backup", type=Path, metavar="FILE", help="made by scripts/backup.py")
    say(
        "--with",
        dest="with_file",
        type=Path,
        metavar="PASSFILE",
        help="what opens the ring in it; default: the passphrase file of the settings",
    )
    say(
        "--keep-paper",
        action="store_true",
        help="printed stamps stay good, also those that were collected since",
    )
    say(
        "--erased",
        type=Path,
        metavar="FILE",
        help="a list of scripts/erased.py: who is on it is erased again",
    )
    say("--data", metavar="DIR", help="data directory; default .data")
    say("--json", action="store_true", help="tell it as JSON")
    say("--apply", action="store_true", help="do it")
    return parser


def _restore(
    backup: Backup, options: argparse.Namespace, environ: Mapping[str, str]
) -> int:
    mine = dict(environ)
    data = installation.data_directory(mine, options.data)
    if installation.join(data, dict(mine)):
        raise CeremonyRefused(f"a server runs on {data}: stop it first")
    mine.setdefault(_ORIGIN, backup.manifest.origin)
    with keyroom.outside(mine, options.data) as found:
        erased = backup_restoring.read_erased(options.erased) if options.erased else ()
        opens = options.with_file or found.tools.settings.keys_passphrase_file
        plan = backup_restoring.plan(
            found, backup, passphrase_file=opens, has_store=bool(_STORE & set(mine))
        )
        if not options.apply:
            return _shown(plan, options)
        done = backup_restoring.apply(
            found, backup, plan, keeps_paper=options.keep_paper, erased=erased
        )
    return _done(done, options, is_origin_told=_ORIGIN in environ)


def _facts(plan: Plan, options: argparse.Namespace) -> dict[str, Any]:
    said = plan.manifest.facts
    return {
        "command": "restore",
        "applied": options.apply,
        "backup": plan.source.name,
        "made_at": plan.source.made_at.isoformat(),
        "rows": dict(said.rows),
        "entries": said.ledger.count,
        "revoked": list(plan.revoked),
        "key_id": plan.after.keys[-1].key_id,
        "ring_was_there": plan.is_ring_there,
        "passphrase_made": plan.is_passphrase_made,
        "paper_kept": options.keep_paper,
    }


def _begin(plan: Plan) -> list[str]:
    said, keys = plan.manifest.facts, ", ".join(map(str, plan.revoked)) or "none"
    told = [
        f"the books of {plan.source.made_at:%Y-%m-%d %H:%M} UTC "
        f"({said.rows.get('card', 0)} cards, {said.ledger.count} entries of the "
        "ledger) and the ring are put back",
        f"Revoked: key {keys}. Key {plan.after.keys[-1].key_id} is new, and signs",
    ]
    if plan.is_ring_there:
        told.append("The ring that is there is newer, and is gone on from")
    if not plan.has_store:
        told.append("The nonce store begins empty, and another epoch with it")
    return told


def _shown(plan: Plan, options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps(_facts(plan, options)))
        return keyroom.DONE
    paper = "stays good" if options.keep_paper else "is called back"
    first, *more = _begin(plan)
    told = [f"would: {first}", *more, f"Paper that is still out {paper}"]
    print("\n".join([*told, "Do it with --apply"]))
    return keyroom.DONE


def _done(done: Restored, options: argparse.Namespace, *, is_origin_told: bool) -> int:
    if options.json:
        print(json.dumps(_facts(done.plan, options) | _outcome(done)))
    else:
        print("\n".join(_sentences(done, options, is_origin_told=is_origin_told)))
    if not done.findings:
        return keyroom.DONE
    return _told(
        keyroom.FAILED,
        f"the books are back, and {len(done.findings)} things in them do not follow",
    )


def _outcome(done: Restored) -> dict[str, Any]:
    right = done.done
    return {
        "epoch": done.epoch,
        "paper": [
            {"number": each.number, "name": each.name, "out": each.out}
            for each in right.paper
        ],
        "signed_out": right.signed_out,
        "vouchers": right.vouchers,
        "tills": right.tills,
        "people": right.people,
        "erased": right.erased,
        "proved": done.entries,
        "findings": list(done.findings),
    }


def _sentences(
    done: Restored, options: argparse.Namespace, *, is_origin_told: bool
) -> list[str]:
    plan, right = done.plan, done.done
    told = _begin(plan)
    if done.epoch:
        told.append(f"The nonce store is in epoch {done.epoch}")
    told += _of_paper(done, is_kept=options.keep_paper)
    told += [
        f"Erased again: {right.erased} members",
        f"Signed out: {right.signed_out} at tills and in the console",
        f"Proved: {done.entries} entries, {len(done.findings)} findings",
        *done.findings,
        f"To look at: {right.vouchers} vouchers can be used, though some may have "
        f"been since the backup; {right.tills} tills work and {right.people} people "
        "may sign in, though some may have been stopped since",
    ]
    if plan.is_passphrase_made:
        told.append("A passphrase is made for the ring; keep a copy of it elsewhere")
    if not is_origin_told:
        told.append(f"Start the server with {_ORIGIN}={plan.manifest.origin}")
    told.append("Next: scripts/serve, scripts/doctor.py, and another backup")
    return told


def _of_paper(done: Restored, *, is_kept: bool) -> list[str]:
    paper = done.done.paper
    if not paper:
        return ["No paper was out"]
    out = sum(each.out for each in paper)
    told = [f"  batch {each.number}, {each.name}: {each.out} out" for each in paper]
    if is_kept:
        begin = (
            f"PAPER STAYS GOOD: {out} stamps that look uncollected; what was collected "
            "since the backup can be collected once more:"
        )
    else:
        begin = f"Paper that was called back: {out} stamps that look uncollected:"
    return [begin, *told]


def _told(status: int, sentence: str) -> int:
    print(f"restore: {sentence}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())

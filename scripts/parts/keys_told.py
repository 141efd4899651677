"""What the key command says of a step: sentences for people, JSON for programs."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from app.programme.batches import Hit
from app.programme.ceremonies import Done
from app.programme.key_history import Made
from signing.keyring import SigningKey, moment_text
from signing.signers import IN_FILE

# As many lines of the review list as fit a screen; the file has all.
_MOST_SHOWN = 20


def facts(command: str, done: Done) -> dict[str, Any]:
    """Return what came of a step, as JSON values."""
    signing = [key.key_id for key in done.ring.keys if key.state == "active"]
    sealing = done.ring.sealing
    return {
        "command": command,
        "applied": done.is_applied,
        "key_id": done.key_id,
        "before": done.before,
        "active": signing[0] if signing else None,
        "secret_id": done.secret_id,
        "sealing": sealing.secret_id if sealing else None,
        "secrets_dropped": list(done.dropped),
        "workers": done.workers,
        "audited": done.is_audited and done.is_applied,
        "left_in_token": list(done.left_in_token),
        "ring": done.ring.digest,
    }


def sentences(command: str, done: Done) -> str:
    """Say what came of a step, and what comes next."""
    would = "" if done.is_applied else "would: "
    last = _NEXT[command].format_map(_words(done)) if done.is_applied else _DO_IT
    return f"{would}{_SAID[command].format_map(_words(done))}\n{last}"


_DO_IT = "Do it with --apply"
_SAID: Mapping[str, str] = {
    "create": "key {key}{where} is pending: all verify with it, none signs; "
    "secret {secret} is pending with it",
    "activate": "key {key} signs now{nobody}{secret_too}{before_too}",
    "retire": "key {key} is retired, its private part destroyed{dropped}",
    "revoke": "key {key} is revoked; key {active}{where_active} signs. Who shows a "
    "code of the old one is asked for a fresh one. Secret {secret} seals{dropped}",
}
_NEXT: Mapping[str, str] = {
    "create": "Next: scripts/keys.py activate {key}",
    "activate": "{retire_next}",
    "retire": "Nothing is left to do.",
    "revoke": "Next: go through the review list, find out how the key got away, and "
    "if the passphrase may be known too: scripts/keys.py reseal --apply",
}


def _words(done: Done) -> dict[str, object]:
    """Return what the sentences have room for."""
    active = [key for key in done.ring.keys if key.state == "active"]
    before, secret = done.before, done.secret_id
    retire = f"Next, in a quarter of an hour: scripts/keys.py retire {before}"
    return {
        "key": done.key_id,
        "where": _where(done.ring.find(done.key_id)),
        "active": active[0].key_id if active else "none",
        "where_active": _where(active[0] if active else None),
        "secret": secret,
        "secret_too": f" and secret {secret} seals" if secret else "",
        "nobody": "" if done.workers else " (no web worker is alive: none was asked)",
        "before_too": f"; key {before} only verifies" if before else "",
        "retire_next": retire if before else "Nothing is left to do.",
        "dropped": _dropped(done),
    }


def _where(key: SigningKey | None) -> str:
    return " (in the token)" if key and key.holder != IN_FILE else ""


def _dropped(done: Done) -> str:
    """Say which secrets are gone, as the end of a sentence."""
    if not done.dropped:
        return ""
    ids = ", ".join(map(str, done.dropped))
    one = len(done.dropped) == 1
    return f"; secret{'' if one else 's'} {ids} {'opens' if one else 'open'} no more"


# The review list of a revocation


def review_row(made: Made) -> dict[str, Any]:
    """Return one entry of a review list as JSON values."""
    return asdict(made) | {"entry_id": str(made.entry_id), "at": moment_text(made.at)}


def batch_row(hit: Hit) -> dict[str, Any]:
    """Return one printed batch of a revoked key as JSON values."""
    return asdict(hit) | {
        "batch_id": str(hit.batch_id),
        "created_at": moment_text(hit.created_at),
        "expires_at": moment_text(hit.expires_at),
    }


def write_csv(
    path: Path, review: Sequence[Made], batches: Sequence[Hit] = ()
) -> str | None:
    """Write a review list; say what went wrong, if anything did.

    Printed batches come last; their columns are empty for what was made.
    """
    of_made = [field.name for field in fields(Made)]
    of_batches = [f"batch_{name.removeprefix('batch_')}" for name in _batch_fields()]
    try:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, [*of_made, *of_batches])
            writer.writeheader()
            writer.writerows(review_row(made) for made in review)
            for hit in batches:
                told = batch_row(hit)
                values = [told[name] for name in _batch_fields()]
                writer.writerow(dict(zip(of_batches, values, strict=True)))
    except OSError as error:
        return f"the review list could not be written: {path}: {error.strerror}"
    return None


def _batch_fields() -> list[str]:
    return [field.name for field in fields(Hit)]


def print_batches(options: argparse.Namespace, batches: Sequence[Hit] | None) -> None:
    """Show the printed batches that a revocation hits."""
    if not batches:
        return
    print(f"Printed with key {options.key_id} and still about: {len(batches)} batches")
    for hit in batches:
        state = "stays good" if hit.stays_good else "is good no more"
        print(
            f"  batch {hit.number} ({hit.name}) of {hit.created_at:%Y-%m-%d}: "
            f"{hit.out} of {hit.count} codes are out, the batch {state}"
        )


def print_review(options: argparse.Namespace, review: Sequence[Made] | None) -> None:
    """Show the first lines of a review list."""
    if review is None:
        return
    since: datetime = options.since
    print(
        f"Made with key {options.key_id} since {moment_text(since)}: {len(review)} "
        "entries. None was removed; a wrong one is reversed by staff."
    )
    for made in review[:_MOST_SHOWN]:
        state = " (reversed already)" if made.is_reversed else ""
        print(
            f"  {made.at:%Y-%m-%d %H:%M:%S} {made.kind:<6} {made.units:>2}  "
            f"card {made.card_number}  {made.place or '-'}  "
            f"{made.staff_name or '-'}{state}"
        )
    if len(review) > _MOST_SHOWN:
        print(f"  … and {len(review) - _MOST_SHOWN} more: --csv FILE has all")
    if options.csv:
        print(f"All of it is in {options.csv}")

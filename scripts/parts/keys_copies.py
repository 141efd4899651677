"""Copies of the ring and its passphrase, as commands: export, import, reseal, renew.

Import and renew work where no ring can be opened, no server runs and no books are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from app.programme import ceremonies
from app.programme.ceremonies import Copied, Renewed, Resealed
from app.settings import Settings
from scripts.parts import keyroom
from scripts.parts.keyroom import Outside
from signing.keyring import KeyRing, KeyState
from signing.signers import IN_FILE

_DO_IT = "Do it with --apply"
_NO_BOOKS = (
    "There are no books yet, so there was nothing to compare with, and the audit log "
    "has no line."
)


def export(found: Outside, options: argparse.Namespace) -> int:
    """Write the ring, or its public part, into a file."""
    if options.public:
        directory = found.tools.settings.keys
        done = ceremonies.export_public(
            directory, options.file, is_applied=options.apply
        )
        return _say(options, _exported(done, options), _told_of_public(done, options))
    done = ceremonies.export(
        found.enter(),
        options.file,
        passphrase_file=options.with_file,
        is_applied=options.apply,
    )
    return _say(options, _exported(done, options), _told_of_export(done, options))


def _exported(done: Copied, options: argparse.Namespace) -> dict[str, Any]:
    return {
        "file": str(options.file),
        "public": options.public,
        "keys": len(done.ring.keys),
        "passphrase_made": done.is_passphrase_made,
        "audited": done.is_applied and not options.public,
    }


def _told_of_export(done: Copied, options: argparse.Namespace) -> list[str]:
    made = ", a new passphrase" if done.is_passphrase_made else ""
    told = [
        f"a sealed copy of the whole ring ({_keys(done.ring)}) is in {options.file}; "
        f"what opens it is in {options.with_file}{made}"
    ]
    if held := _in_token(done.ring):
        told.append(f"The private part of {held} stays in the token: it is not in it.")
    if done.is_applied:
        told.append(
            "Next: keep the two in two places, neither of them this machine; make "
            "another copy after the next rotation."
        )
    return told


def _told_of_public(done: Copied, options: argparse.Namespace) -> list[str]:
    told = [f"the public part of {_keys(done.ring)} is in {options.file}"]
    if done.is_applied:
        told.append(
            "Nobody looked at the ring's seal, for that needs the passphrase: compare "
            "its digest in the file with the last ceremony in the audit log."
        )
    return told


def import_(found: Outside, options: argparse.Namespace) -> int:
    """Bring a copy back."""
    done = ceremonies.bring_back(
        found.tools,
        options.file,
        passphrase_file=options.with_file,
        takes_older=options.older,
        is_applied=options.apply,
    )
    facts = {
        "keys": len(done.ring.keys),
        "active": _active(done.ring),
        "passphrase_made": done.is_passphrase_made,
        "lacked": [line.told for line in done.lacked],
        "revoked": list(done.revoked),
        "passed_over": list(done.passed_over),
        "made": done.key_id,
        "audited": done.is_applied and done.has_books,
    }
    return _say(
        options, facts | {"ring": done.ring.digest}, _told_of_import(found, done)
    )


def _told_of_import(found: Outside, done: Copied) -> list[str]:
    settings = found.tools.settings
    told = [f"the ring of the copy ({_keys(done.ring)}) is in {settings.keys}"]
    if done.is_passphrase_made:
        told.append(f"A passphrase is made for it: {settings.keys_passphrase_file}")
    told += _told_of_older(done)
    if not done.has_books:
        told.append(_NO_BOOKS)
    if settings.token is None and (held := _in_token(done.ring)):
        told.append(f"Set up the token first: {held} cannot be opened without it.")
    if done.is_applied:
        told.append("Next: scripts/keys.py check, and start the server")
    return told


def _told_of_older(done: Copied) -> list[str]:
    """Say what came of it that the copy is older than the books."""
    told = []
    if done.lacked:
        told.append(f"It lacked {', '.join(line.told for line in done.lacked)}.")
    if done.revoked:
        told.append(f"Revoked, for the audit log calls them dead: {_ids(done.revoked)}")
    if done.passed_over:
        told.append(f"Lost, and never given again: {_ids(done.passed_over)}")
    if done.key_id is not None:
        told.append(f"Key {done.key_id} is new, and signs.")
    return told


def reseal(
    found: Outside, options: argparse.Namespace, wait: Callable[[float], None]
) -> int:
    """Give the ring another passphrase."""
    done = ceremonies.reseal(found.enter(), is_applied=options.apply, wait=wait)
    facts = {
        "taken_up": done.is_taken_up,
        "workers": done.workers,
        "audited": done.is_applied,
        "ring": done.ring.digest,
    }
    return _say(options, facts, _told_of_reseal(found.tools.settings, done))


def _told_of_reseal(settings: Settings, done: Resealed) -> list[str]:
    taken_up = " (a change that was cut short is taken up)" if done.is_taken_up else ""
    told = [
        f"everything in {settings.keys} has a new seal{taken_up}; the passphrase in "
        f"{settings.keys_passphrase_file} is another, and the old one opens nothing"
    ]
    if done.is_applied:
        told.append(
            f"Web workers that open it: {done.workers}. Next: keep the new passphrase "
            "where the old one was kept. Who has an old copy of the keys directory and "
            "the old passphrase still has the keys: if that may be, revoke them"
        )
    return told


def renew(found: Outside, options: argparse.Namespace) -> int:
    """Begin anew after the passphrase was lost."""
    done = ceremonies.renew(
        found.tools,
        reason=options.reason,
        takes_unproven=options.unproven,
        is_applied=options.apply,
    )
    facts = {
        "key_id": done.key_id,
        "revoked": list(done.revoked),
        "proven": done.is_proven,
        "kept_as": str(done.kept_as) if done.kept_as else None,
        "left_in_token": list(done.left_in_token),
        "audited": done.is_applied and done.has_books,
        "ring": done.ring.digest,
    }
    return _say(options, facts, _told_of_renewal(found.tools.settings, done))


def _told_of_renewal(settings: Settings, done: Renewed) -> list[str]:
    told = [
        f"key {done.key_id} is new and signs, under a new passphrase in "
        f"{settings.keys_passphrase_file}; revoked: {_ids(done.revoked)}. Codes that "
        "are about are asked to be shown afresh; paper that is out stays good"
    ]
    if not done.has_books:
        told.append(_NO_BOOKS)
    elif done.is_proven is None:
        told.append(
            "The audit log knows no ceremony: it cannot vouch for the old keys."
        )
    elif not done.is_proven:
        told.append("THE AUDIT LOG DOES NOT VOUCH for the old public keys.")
    if done.left_in_token:
        told.append(f"Still in the token, unused: {_ids(done.left_in_token)}")
    if done.kept_as:
        told.append(f"The old ring is kept as {done.kept_as}")
    if done.is_applied:
        told.append(
            "Next: scripts/keys.py check; make a copy (export); when nobody will find "
            "the old passphrase any more, delete the old ring"
        )
    return told


def _say(options: argparse.Namespace, facts: dict[str, Any], told: list[str]) -> int:
    if options.json:
        begin = {"command": options.command, "applied": options.apply}
        print(json.dumps(begin | facts))
    elif options.apply:
        print("\n".join(told))
    else:
        print("\n".join([f"would: {told[0]}", *told[1:], _DO_IT]))
    return keyroom.DONE


def _keys(ring: KeyRing) -> str:
    return "1 key" if len(ring.keys) == 1 else f"{len(ring.keys)} keys"


def _ids(key_ids: Sequence[int]) -> str:
    return ", ".join(f"key {key_id}" for key_id in key_ids) or "none"


def _active(ring: KeyRing) -> int | None:
    found = [key.key_id for key in ring.keys if key.state is KeyState.ACTIVE]
    return found[0] if found else None


def _in_token(ring: KeyRing) -> str:
    """Name the keys of a ring that are in a token and in use."""
    return ", ".join(
        f"key {key.key_id}"
        for key in ring.keys
        if key.holder != IN_FILE and key.state.verifies
    )

"""A ring under a new passphrase, in place and at any moment whole."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from signing.errors import RingUnreadable
from signing.keyfiles.book import (
    KEY_FILE,
    RING_FILE,
    Book,
    key_name,
    open_document,
    read_book,
    sealed_text,
    secret_name,
)
from signing.keyfiles.files import check_directory, numbered, read, sync, write, writing
from signing.keyfiles.passphrase import Passphrase, check_passphrase
from signing.keyfiles.seals import (
    is_sealed,
    open_key,
    open_secret,
    seal_key,
    seal_secret,
)
from signing.keyfiles.writing import remove_dead, remove_leftovers
from signing.signers import IN_FILE


def reseal(directory: Path, passphrase: Passphrase) -> bool:
    """Seal anew whatever is not sealed with the first word of the passphrase.

    Afterwards the other word opens nothing in the directory. Each file is replaced
    whole, so that the passphrase of two words opens the ring at every moment, and a
    change that was cut short is finished by doing it again. A key in a token is under
    no passphrase of ours and is not touched; keys and secrets stay the same.

    Args:
        directory: where the ring is.
        passphrase: the new word first, the old one after it.

    Returns:
        True if anything was sealed anew, False if all was so already.

    Raises:
        KeyGuard: the first word is too short.
        RingUnreadable: a file is missing, torn, or sealed with neither word; nothing
            was changed. Or a file cannot be written.
    """
    check_passphrase(passphrase)
    check_directory(directory)
    with writing(directory):
        path = directory / RING_FILE
        data = read(path)
        book = read_book(str(path), data, passphrase)
        dead = {key_name(key.key_id) for key in book.keys if not key.state.verifies}
        live = {secret_name(entry.secret_id) for entry in book.secrets}

        # All is opened before anything is written, and ring.json is the last.
        anew = _files_anew(directory, book, dead, live, passphrase)
        document, seal = open_document(str(path), data)
        if not is_sealed(document, seal, passphrase.newest):
            anew[path] = sealed_text(document, passphrase)
        remove_leftovers(directory)
        remove_dead(directory, dead, live)
        for changed, content in anew.items():
            write(changed, content)
        sync(directory)
        return bool(anew)


def _files_anew(
    directory: Path, book: Book, dead: set[str], live: set[str], passphrase: Passphrase
) -> dict[Path, bytes]:
    """Return the new contents of files of keys and secrets that need one."""
    needed = {
        key_name(key.key_id)
        for key in book.keys
        if key.state.verifies and key.holder == IN_FILE
    }
    # Key files that no ring names too: the old word is to open nothing.
    orphans = set(numbered(directory, KEY_FILE).values()) - dead - needed
    anew: dict[Path, bytes | None] = {}
    for name in sorted(needed):
        anew[directory / name] = _key_anew(directory / name, passphrase)
    for name in sorted(orphans):
        with suppress(RingUnreadable):
            anew[directory / name] = _key_anew(directory / name, passphrase)
    for name in sorted(live):
        anew[directory / name] = _secret_anew(directory / name, passphrase)
    return {path: content for path, content in anew.items() if content is not None}


def _key_anew(path: Path, passphrase: Passphrase) -> bytes | None:
    """Return a key file's new content; None if it is sealed with the first word."""
    data = read(path)
    with suppress(RingUnreadable):
        open_key(str(path), data, passphrase.newest)
        return None
    return seal_key(open_key(str(path), data, passphrase), passphrase)


def _secret_anew(path: Path, passphrase: Passphrase) -> bytes | None:
    """Return a secret file's new content; None if sealed with the first word."""
    data = read(path)
    with suppress(RingUnreadable):
        open_secret(str(path), path.name, data, passphrase.newest)
        return None
    value = open_secret(str(path), path.name, data, passphrase)
    return seal_secret(path.name, value, passphrase)

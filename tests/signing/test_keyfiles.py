"""The ring on disk: sealed, whole or not at all, and nobody else's to read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from signing import codes, keyfiles
from signing.errors import KeyGuard, RingUnreadable
from signing.keyring import KeyRing

ROOT = Path(__file__).parents[2]


def files(directory):
    """The content of every file but the lock, by name."""
    return {
        path.name: path.read_bytes()
        for path in directory.iterdir()
        if path.name != "ring.lock"
    }


def refused(directory, passphrase):
    """Load and return the sentence of the refusal."""
    with pytest.raises(RingUnreadable) as refusal:
        keyfiles.load(directory, passphrase)
    sentence = str(refusal.value)
    assert passphrase.decode() not in sentence
    return sentence


# Made, kept, read


def test_a_ring_comes_back_as_it_was_made(directory, passphrase, kept, now):
    ring = keyfiles.load(directory, passphrase)

    assert ring == kept
    assert ring.digest == kept.digest
    assert ring.secrets == kept.secrets
    assert ring.active.private.private_bytes_raw() == (
        kept.active.private.private_bytes_raw()
    )
    assert ring.active.created_at == now


def test_a_code_signed_before_verifies_after(
    directory, passphrase, kept, make_code, origin
):
    code = make_code(ring=kept)

    ring = keyfiles.load(directory, passphrase)

    assert codes.verify(code.text, ring, origin=origin) == code


def test_every_step_comes_back(directory, passphrase, kept, now):
    ring = kept.with_new_key(now).activated(2, now).with_new_key(now)
    ring = ring.revoked(3, now).retired(1, now).with_new_key(now).with_new_secret(now)

    keyfiles.save(directory, ring, passphrase)
    read = keyfiles.load(directory, passphrase)

    assert read == ring
    assert read.digest == ring.digest
    assert [key.private is None for key in read.keys] == [True, False, True, False]


def test_files_are_for_their_owner_only(directory, kept):
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {p.name: p.stat().st_mode & 0o777 for p in directory.iterdir()} == {
        "key-00001.pem": 0o600,
        "ring.json": 0o600,
        "ring.lock": 0o600,
        "secret-00001.sealed": 0o600,
    }


def test_files_are_for_their_owner_only_under_a_lax_umask(tmp_path, passphrase, now):
    before = os.umask(0)
    try:
        keyfiles.create(tmp_path / "keys", passphrase, now=now)
    finally:
        os.umask(before)

    assert keyfiles.load(tmp_path / "keys", passphrase)


def test_no_file_shows_a_secret(directory, passphrase, kept):
    private = kept.active.private.private_bytes_raw()
    hidden = [private, kept.secrets[0], passphrase, bytes.fromhex(passphrase.decode())]

    for content in files(directory).values():
        for secret in hidden:
            assert secret not in content
            assert secret.hex().encode() not in content


def test_key_files_are_pkcs_8_that_other_tools_open(directory, passphrase, kept):
    pem = (directory / "key-00001.pem").read_bytes()

    private = load_pem_private_key(pem, passphrase)

    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert private.public_key() == kept.active.public


def test_private_files_go_with_retirement_revocation_and_dropping(
    directory, passphrase, kept, now
):
    ring = kept.with_new_key(now).activated(2, now).with_new_secret(now)
    keyfiles.save(directory, ring, passphrase)
    assert len(files(directory)) == 5

    keyfiles.save(directory, ring.retired(1, now).without_secret(1), passphrase)

    assert sorted(files(directory)) == [
        "key-00002.pem",
        "ring.json",
        "secret-00002.sealed",
    ]
    assert keyfiles.load(directory, passphrase).key(1).public == kept.key(1).public


def test_a_ring_can_be_sealed_anew_elsewhere(directory, kept, tmp_path):
    other = keyfiles.new_passphrase().encode()

    keyfiles.save(tmp_path / "new", kept, other)

    assert keyfiles.load(tmp_path / "new", other).digest == kept.digest


def test_saving_what_is_there_changes_no_key_file(directory, passphrase, kept):
    before = files(directory)

    keyfiles.save(directory, kept, passphrase)

    assert files(directory) == before


# Never a key made silently


def test_a_ring_is_not_made_in_a_directory_that_is_not_empty(
    directory, passphrase, kept, now
):
    before = files(directory)

    with pytest.raises(KeyGuard, match="not empty"):
        keyfiles.create(directory, passphrase, now=now)

    assert files(directory) == before


def test_a_missing_ring_is_an_error(directory, passphrase):
    assert "missing" in refused(directory, passphrase)
    directory.mkdir(mode=0o700)
    assert "missing" in refused(directory, passphrase)
    assert list(directory.iterdir()) == []


def test_a_passphrase_that_a_person_made_up_is_refused(directory, now):
    with pytest.raises(KeyGuard, match="too short"):
        keyfiles.create(directory, b"correct horse battery staple", now=now)
    assert not directory.exists()


# What is broken is refused


def test_another_passphrase_is_refused(directory, kept):
    other = keyfiles.new_passphrase().encode()

    assert "not sealed with this passphrase" in refused(directory, other)


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"\xff\xfe", b"0" * 9])
def test_a_torn_ring_is_refused(directory, passphrase, kept, content):
    (directory / "ring.json").write_bytes(content)

    assert "ring.json" in refused(directory, passphrase)


def test_a_ring_cut_at_any_place_is_refused(directory, passphrase, kept):
    whole = (directory / "ring.json").read_bytes()

    # The last byte is a line end, which nobody misses.
    for length in range(0, len(whole) - 1, 7):
        (directory / "ring.json").write_bytes(whole[:length])
        refused(directory, passphrase)


@pytest.mark.parametrize("name", ["key-00001.pem", "secret-00001.sealed", "ring.json"])
def test_a_half_copied_directory_is_refused(directory, passphrase, kept, name):
    (directory / name).unlink()

    assert name in refused(directory, passphrase)


@pytest.mark.parametrize("name", ["key-00001.pem", "secret-00001.sealed"])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.95])
def test_a_torn_key_file_is_refused(directory, passphrase, kept, name, part):
    path = directory / name
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])

    assert name in refused(directory, passphrase)


@pytest.mark.parametrize("name", ["key-00001.pem", "secret-00001.sealed"])
def test_a_file_of_another_ring_is_refused(
    directory, passphrase, kept, tmp_path, now, name
):
    # given a second ring under the same passphrase
    keyfiles.create(tmp_path / "other", passphrase, now=now)

    shutil.copy(tmp_path / "other" / name, directory / name)

    assert name in refused(directory, passphrase)


def test_a_renamed_secret_is_refused(directory, passphrase, kept, now):
    keyfiles.save(directory, kept.with_new_secret(now), passphrase)

    shutil.copy(directory / "secret-00001.sealed", directory / "secret-00002.sealed")

    assert "renamed" in refused(directory, passphrase)


def test_a_key_without_a_seal_is_refused(directory, passphrase, kept):
    plain = kept.active.private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (directory / "key-00001.pem").write_bytes(plain)

    assert "without its seal" in refused(directory, passphrase)


def test_a_key_of_another_algorithm_is_refused(directory, passphrase, kept):
    pem = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    )
    (directory / "key-00001.pem").write_bytes(pem)

    assert "not an Ed25519 key" in refused(directory, passphrase)


def test_nobody_brings_a_revoked_key_back_by_hand(directory, passphrase, kept, now):
    ring = kept.with_new_key(now).activated(2, now).revoked(1, now)
    keyfiles.save(directory, ring, passphrase)
    path = directory / "ring.json"

    path.write_text(path.read_text().replace('"revoked"', '"verify-only"'))

    assert "changed by hand" in refused(directory, passphrase)


def test_nobody_adds_a_key_by_hand(directory, passphrase, kept, now):
    document = json.loads((directory / "ring.json").read_text())
    document["keys"] += KeyRing.new(now).with_new_key(now).public_state()["keys"][1:]

    (directory / "ring.json").write_text(json.dumps(document))

    assert "changed by hand" in refused(directory, passphrase)


# Modes


@pytest.mark.parametrize("name", ["key-00001.pem", "secret-00001.sealed", "ring.json"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o666])
def test_a_file_that_others_may_open_is_refused(
    directory, passphrase, kept, name, mode
):
    (directory / name).chmod(mode)

    assert f"chmod 600 {directory / name}" in refused(directory, passphrase)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o755, 0o777])
def test_a_directory_that_others_may_open_is_refused(
    directory, passphrase, kept, mode, now
):
    directory.chmod(mode)

    assert f"chmod 700 {directory}" in refused(directory, passphrase)
    with pytest.raises(RingUnreadable, match="chmod 700"):
        keyfiles.save(directory, kept.with_new_key(now), passphrase)


def test_a_pipe_does_not_hang_the_start(directory, passphrase, kept):
    (directory / "ring.json").unlink()
    os.mkfifo(directory / "ring.json", 0o600)

    assert "not a regular file" in refused(directory, passphrase)


# The passphrase


def test_a_passphrase_is_read_from_its_file(tmp_path):
    text = keyfiles.new_passphrase()
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_text(text + "\n")

    assert len(text) == 64
    assert keyfiles.read_passphrase(path) == text.encode()
    assert keyfiles.new_passphrase() != text


@pytest.mark.parametrize("content", ["", "short", "g" * 64, "ab" * 33, "é" * 64])
def test_what_is_no_passphrase_is_refused_and_not_shown(tmp_path, content):
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_text(content)

    with pytest.raises(RingUnreadable) as refusal:
        keyfiles.read_passphrase(path)
    assert not content or content not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o640, 0o644, 0o604, 0o660])
def test_a_passphrase_that_others_may_read_is_refused(tmp_path, mode):
    path = tmp_path / "passphrase"
    path.write_text(keyfiles.new_passphrase())
    path.chmod(mode)

    with pytest.raises(RingUnreadable, match="chmod 600"):
        keyfiles.read_passphrase(path)


def test_a_missing_passphrase_is_an_error(tmp_path):
    with pytest.raises(RingUnreadable, match="missing"):
        keyfiles.read_passphrase(tmp_path / "passphrase")


# Two writers, and writers that die


def test_a_ring_that_others_took_further_is_not_written_over(
    directory, passphrase, kept, now
):
    # given two operators who read the same ring, and one who has saved
    keyfiles.save(directory, kept.with_new_key(now).activated(2, now), passphrase)
    before = files(directory)

    # when the other saves, then it is told, and nothing is lost
    for stale in (kept, kept.with_new_key(now), kept.revoked(1, now)):
        with pytest.raises(KeyGuard, match="meanwhile"):
            keyfiles.save(directory, stale, passphrase)
    assert files(directory) == before


def test_a_secret_that_others_added_is_not_written_over(
    directory, passphrase, kept, now
):
    keyfiles.save(directory, kept.with_new_secret(now), passphrase)
    before = files(directory)

    for stale in (kept, kept.with_new_secret(now), kept.with_new_key(now)):
        with pytest.raises(KeyGuard, match="meanwhile"):
            keyfiles.save(directory, stale, passphrase)
    assert files(directory) == before


def test_a_secret_that_others_dropped_does_not_come_back(
    directory, passphrase, kept, now
):
    two = kept.with_new_secret(now)
    keyfiles.save(directory, two, passphrase)
    keyfiles.save(directory, two.without_secret(1), passphrase)

    with pytest.raises(KeyGuard, match="meanwhile"):
        keyfiles.save(directory, two.with_new_key(now), passphrase)


def test_a_revocation_is_not_undone_by_saving(directory, passphrase, kept, now):
    keyfiles.save(directory, kept.revoked(1, now), passphrase)

    with pytest.raises(KeyGuard, match="meanwhile"):
        keyfiles.save(directory, kept, passphrase)


def test_many_writers_at_once_lose_no_key(directory, passphrase, kept, now):
    # given eight operators who each add a key, reading again when told to
    start = threading.Barrier(8)

    def add(_):
        start.wait()
        while True:
            ring = keyfiles.load(directory, passphrase).with_new_key(now)
            try:
                keyfiles.save(directory, ring, passphrase)
            except KeyGuard:
                continue
            return ring.keys[-1].public_bytes

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(add, range(8)))

    # then every key is there under its own id
    ring = keyfiles.load(directory, passphrase)
    assert [key.key_id for key in ring.keys] == list(range(1, 10))
    assert sorted(key.public_bytes for key in ring.keys[1:]) == sorted(added)


def test_a_key_file_is_never_written_over(directory, passphrase, kept, now, tmp_path):
    # given a key file that the ring on disk does not name
    lost = kept.with_new_key(now)
    keyfiles.save(tmp_path / "other", lost, passphrase)
    shutil.copy(tmp_path / "other" / "key-00002.pem", directory)
    before = files(directory)

    # when a ring with another key of its id is saved, then it is refused
    with pytest.raises(KeyGuard, match="never overwritten"):
        keyfiles.save(directory, kept.with_new_key(now), passphrase)
    assert files(directory) == before

    # and a ring that was read anew passes the id over
    ring = keyfiles.load(directory, passphrase)
    assert ring.digest == kept.digest
    assert ring.with_new_key(now).keys[-1].key_id == 3


def test_key_files_without_their_ring_are_not_taken_for_an_empty_directory(
    directory, passphrase, kept
):
    (directory / "ring.json").unlink()

    with pytest.raises(RingUnreadable, match=r"no ring\.json"):
        keyfiles.save(directory, kept, passphrase)


CRASH = """
import os, shutil, sys
from datetime import datetime, UTC
from pathlib import Path
from signing import keyfiles

base, passphrase = Path(sys.argv[1]), sys.argv[2].encode()
now = datetime(2026, 3, 1, tzinfo=UTC)
old = keyfiles.create(base / "template", passphrase, now=now)
old = old.with_new_key(now).activated(2, now)
keyfiles.save(base / "template", old, passphrase)
new = old.retired(1, now).with_new_key(now).activated(3, now).with_new_secret(now)
new = new.without_secret(1)
STEPS = {"open", "os.rename", "os.remove"}
outcomes = []
for step in range(1, 200):
    directory = base / str(step)
    shutil.copytree(base / "template", directory)
    child = os.fork()
    if child == 0:
        seen = 0
        def hook(event, arguments):
            global seen
            if event in STEPS:
                seen += 1
                if seen == step:
                    os._exit(9)  # as if the power went
        sys.addaudithook(hook)
        keyfiles.save(directory, new, passphrase)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found = keyfiles.load(directory, passphrase)
    assert found.digest in {old.digest, new.digest}, step
    outcomes.append("new" if found.digest == new.digest else "old")
    # Whatever was left, the next ceremony goes through and cleans up.
    again = found if outcomes[-1] == "new" else found.with_new_key(now)
    keyfiles.save(directory, again, passphrase)
    assert not list(directory.glob(".*")), step
    assert keyfiles.load(directory, passphrase).digest == again.digest
    if ended == 0:
        break
assert ended == 0 and step > 12
assert outcomes == sorted(outcomes, reverse=True), outcomes
assert {"old", "new"} == set(outcomes)
print(step, "steps")
"""


def test_a_writer_that_dies_at_any_step_leaves_the_old_ring_or_the_new(
    tmp_path, passphrase
):
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path), passphrase.decode()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr

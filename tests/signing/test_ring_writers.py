"""Two writers at once, and writers that die: nothing is lost or written over."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signing import keyfiles
from signing.errors import KeyGuard, RingUnreadable

ROOT = Path(__file__).parents[2]


def files(directory):
    """The content of every file but the lock, by name."""
    return {
        path.name: path.read_bytes()
        for path in directory.iterdir()
        if path.name != "ring.lock"
    }


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
    two = kept.with_new_secret(now).secret_activated(2, now)
    keyfiles.save(directory, two, passphrase)
    keyfiles.save(directory, two.without_secret(1), passphrase)

    with pytest.raises(KeyGuard, match="meanwhile"):
        keyfiles.save(directory, two.with_new_key(now), passphrase)


def test_a_secret_that_others_activated_does_not_become_pending_again(
    directory, passphrase, kept, now
):
    stale = kept.with_new_secret(now)
    keyfiles.save(directory, stale, passphrase)
    keyfiles.save(directory, stale.secret_activated(2, now), passphrase)

    with pytest.raises(KeyGuard, match="meanwhile"):
        keyfiles.save(directory, stale.with_new_key(now), passphrase)


def test_what_others_said_of_a_step_is_not_written_over(
    directory, passphrase, kept, now
):
    # given a key that two operators revoke, and what is on paper counts for one only
    two = kept.with_new_key(now)
    keyfiles.save(directory, two, passphrase)
    keyfiles.save(directory, two.revoked(2, now), passphrase)

    with pytest.raises(KeyGuard, match="meanwhile"):
        keyfiles.save(directory, two.revoked(2, now, since=now), passphrase)
    assert keyfiles.load(directory, passphrase).key(2).revoked_since is None


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


def test_a_torn_key_file_that_no_ring_names_is_not_written_over(
    directory, passphrase, kept, now
):
    (directory / "key-00002.pem").touch(mode=0o600)

    with pytest.raises(RingUnreadable, match=r"key-00002\.pem is torn"):
        keyfiles.save(directory, kept.with_new_key(now), passphrase)


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

base, passphrase = Path(sys.argv[1]), keyfiles.Passphrase((sys.argv[2].encode(),))
now = datetime(2026, 3, 1, tzinfo=UTC)
old = keyfiles.create(base / "template", passphrase, now=now)
old = old.with_new_key(now).activated(2, now)
keyfiles.save(base / "template", old, passphrase)
new = old.retired(1, now).with_new_key(now).activated(3, now).with_new_secret(now)
new = new.secret_activated(2, now).without_secret(1)
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
        [sys.executable, "-c", CRASH, str(tmp_path), passphrase.sealing.decode()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr

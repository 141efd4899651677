"""The ring of a running server: new keys within seconds, never a bad ring."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from signing import codes, keyfiles
from signing.errors import RingUnreadable

ROOT = Path(__file__).parents[2]


def wait_for(condition, seconds=3.0):
    """Wait until it is so; say whether it was in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "key-ring"]


@pytest.fixture
def watched(directory, passphrase, kept):
    watched = keyfiles.WatchedRing(directory, lambda: passphrase, every=0.05)
    yield watched
    watched.close()


def test_a_new_ring_is_taken_within_three_seconds(directory, passphrase, kept, now):
    # given a server that looks as often as it does by itself
    watched = keyfiles.WatchedRing(directory, lambda: passphrase)
    assert watched.ring.digest == kept.digest

    # when the operator activates a key
    ring = kept.with_new_key(now).activated(2, now)
    keyfiles.save(directory, ring, passphrase)

    # then it signs here too
    assert wait_for(lambda: watched.ring.digest == ring.digest)
    assert watched.ring.active.key_id == 2
    assert watched.problem is None
    watched.close()


def test_a_broken_ring_changes_nothing_but_the_problem(
    directory, watched, kept, passphrase, now
):
    path = directory / "ring.json"
    whole = path.read_bytes()
    before = watched.ring

    path.write_bytes(b"")

    assert wait_for(lambda: watched.problem is not None)
    assert "ring.json" in watched.problem
    assert watched.ring is before

    # when the old file is back, then all is well
    path.write_bytes(whole)
    assert wait_for(lambda: watched.problem is None)

    # and the next ring is taken
    keyfiles.save(directory, kept.with_new_key(now), passphrase)
    assert wait_for(lambda: len(watched.ring.keys) == 2)


@pytest.mark.parametrize("name", ["key-00001.pem", "secret-00001.sealed", "ring.json"])
def test_whatever_happens_to_a_file_the_old_ring_stays(directory, watched, kept, name):
    before, path = watched.ring, directory / name
    whole = path.read_bytes()

    for harm in (
        path.unlink,
        lambda: path.write_bytes(whole[:20]),
        lambda: path.chmod(0o644),
    ):
        harm()
        assert watched.refresh() is False
        assert name in watched.problem
        # Equal, if not the same: a look by itself may meet the file half way back.
        assert watched.ring.digest == before.digest

        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(whole)
        watched.refresh()
        assert watched.problem is None


def test_a_vanished_directory_changes_nothing_but_the_problem(directory, watched):
    before = watched.ring

    directory.rename(directory.with_name("away"))

    assert watched.refresh() is False
    assert "missing" in watched.problem
    assert watched.ring is before


def test_refresh_says_whether_another_ring_was_taken(directory, passphrase, kept, now):
    watched = keyfiles.WatchedRing(directory, lambda: passphrase, every=3600)

    assert watched.refresh() is False
    keyfiles.save(directory, kept.with_new_key(now), passphrase)
    assert watched.refresh() is True
    assert watched.refresh() is False
    watched.close()


def test_at_the_start_a_broken_ring_is_an_error(directory, passphrase, kept):
    (directory / "ring.json").write_bytes(b"")

    with pytest.raises(RingUnreadable):
        keyfiles.WatchedRing(directory, lambda: passphrase)


def test_a_code_of_a_key_made_a_moment_ago_is_known(
    directory, passphrase, kept, now, make_code, origin
):
    # given a worker that will not look for an hour, and another that signs ahead
    watched = keyfiles.WatchedRing(directory, lambda: passphrase, every=3600)
    ring = kept.with_new_key(now).activated(2, now)
    keyfiles.save(directory, ring, passphrase)
    code = make_code(ring=ring)

    # when the code comes here
    here = watched.ring_knowing(codes.named_key(code.text))

    assert codes.verify(code.text, here, origin=origin) == code
    watched.close()


def test_unknown_keys_make_the_disk_read_once_a_second_at_most(
    directory, passphrase, kept, now
):
    # given a worker that has just looked for a key that nobody has
    watched = keyfiles.WatchedRing(directory, lambda: passphrase, every=3600)
    assert watched.ring_knowing(9).find(9) is None

    # when a key appears at once
    keyfiles.save(directory, kept.with_new_key(now), passphrase)

    # then it is found only a second later
    assert watched.ring_knowing(2).find(2) is None
    assert wait_for(lambda: watched.ring_knowing(2).find(2), seconds=2.0)
    watched.close()


def test_the_thread_starts_when_the_ring_is_first_asked_for(
    directory, passphrase, kept
):
    before = len(threads())
    watched = keyfiles.WatchedRing(directory, lambda: passphrase)
    assert len(threads()) == before

    for _ in range(3):
        assert watched.ring
    assert len(threads()) == before + 1
    assert all(thread.daemon for thread in threads())

    watched.close()
    assert len(threads()) == before
    assert watched.ring.digest == kept.digest
    assert len(threads()) == before


def test_the_thread_ends_when_nobody_holds_the_ring(directory, passphrase, kept):
    before = len(threads())
    watched = keyfiles.WatchedRing(directory, lambda: passphrase, every=0.05)
    assert watched.ring

    del watched
    gc.collect()

    assert wait_for(lambda: len(threads()) == before)


def test_many_threads_that_ask_first_start_one_watcher(directory, passphrase, kept):
    before = len(threads())
    watched = keyfiles.WatchedRing(directory, lambda: passphrase)
    start = threading.Barrier(16)

    def ask():
        start.wait()
        assert watched.ring

    askers = [threading.Thread(target=ask) for _ in range(16)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert len(threads()) == before + 1
    watched.close()


def test_no_repr_shows_the_passphrase(watched, passphrase):
    assert passphrase.sealing.decode() not in repr(watched)


FORK = """
import os, sys, threading, time, warnings
from datetime import datetime, UTC
from pathlib import Path
from signing import keyfiles

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of what we test
directory = Path(sys.argv[1])
passphrase = keyfiles.Passphrase((sys.argv[2].encode(),))
now = datetime(2026, 3, 1, tzinfo=UTC)
watched = keyfiles.WatchedRing(directory, lambda: passphrase, every=0.001)
ring = watched.ring  # the parent's thread runs, and holds its lock most of the time
children = []
for _ in range(30):
    time.sleep(0.003)
    child = os.fork()
    if child == 0:
        count = len(threading.enumerate())
        watched.refresh()  # no lock of the parent's is waited for
        while len(watched.ring.keys) < 2:
            time.sleep(0.01)
        ours = [t for t in threading.enumerate() if t.name == "key-ring"]
        watched.close()
        os._exit(0 if count == 1 and len(ours) == 1 else 1)
    children.append(child)
keyfiles.save(directory, ring.with_new_key(now), passphrase)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
assert codes == [0] * 30, codes
"""


def test_forked_workers_each_follow_the_ring(directory, passphrase, kept):
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(directory), passphrase.sealing.decode()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr

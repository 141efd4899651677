"""A running server and a ring that is broken, half copied, or being copied."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signing import keyfiles

KEY, SECRET, RING = "key-00001.pem", "secret-00001.sealed", "ring.json"


@pytest.fixture
def watched(directory, passphrase, kept):
    """A ring that is looked at when the test says so."""
    watched = keyfiles.WatchedRing(directory, lambda: passphrase, every=3600)
    yield watched
    watched.close()


@pytest.fixture
def whole(directory, kept, tmp_path):
    """A copy of the ring as it should be."""
    copy = tmp_path / "whole"
    shutil.copytree(directory, copy)
    return copy


def empty(path):
    path.write_bytes(b"")


def torn(path):
    path.write_bytes(path.read_bytes()[:30])


def too_open(path):
    path.chmod(0o644)


def missing(path):
    path.unlink()


def a_directory(path):
    path.unlink()
    path.mkdir(mode=0o700)


def a_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def unreadable(path):
    path.unlink()
    path.symlink_to(path.name)


def put_back(directory, whole):
    shutil.rmtree(directory)
    shutil.copytree(whole, directory)


@pytest.mark.parametrize("name", [KEY, SECRET, RING])
@pytest.mark.parametrize(
    "harm", [empty, torn, too_open, missing, a_directory, a_pipe, unreadable]
)
def test_a_fault_is_told_once_and_over_when_it_is_over(
    directory, watched, whole, name, harm
):
    before = watched.ring

    # when a file is harmed
    harm(directory / name)
    started = datetime.now(UTC)
    looks = [watched.refresh() for _ in range(3)]

    # then the old ring stays, and the fault is told with its beginning
    assert looks == [False] * 3
    assert watched.ring is before
    assert name in watched.problem
    assert watched.rejected == 1
    assert timedelta(0) <= watched.since - started < timedelta(seconds=10)

    # and when the file is back, then it is over by itself
    put_back(directory, whole)
    assert watched.refresh() is False
    assert (watched.problem, watched.since, watched.rejected) == (None, None, 1)


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_directory_in_place_of_a_file_uses_up_no_descriptors(directory, watched):
    a_directory(directory / RING)
    watched.refresh()
    before = open_descriptors()

    for _ in range(20):
        watched.refresh()

    assert open_descriptors() == before


@pytest.mark.parametrize("mode", [0o755, 0o711])
def test_a_directory_that_others_may_open_is_a_problem(directory, watched, mode):
    directory.chmod(mode)

    assert watched.refresh() is False
    assert f"chmod 700 {directory}" in watched.problem

    directory.chmod(0o700)
    watched.refresh()
    assert (watched.problem, watched.rejected) == (None, 1)


def test_the_problem_began_with_the_first_of_several(directory, watched, whole):
    # given a fault
    empty(directory / RING)
    watched.refresh()
    since, first = watched.since, watched.problem

    # when another takes its place, then the trouble is as old as before
    missing(directory / RING)
    watched.refresh()
    assert watched.problem != first
    assert (watched.since, watched.rejected) == (since, 2)

    # and when it is over and comes again, then it begins anew, but is known
    put_back(directory, whole)
    watched.refresh()
    empty(directory / RING)
    watched.refresh()
    assert watched.since > since
    assert watched.rejected == 2


# The passphrase is read again with each ring


@pytest.fixture
def passphrase_file(tmp_path, passphrase):
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_bytes(passphrase.sealing)
    return path


@pytest.mark.parametrize("harm", [empty, torn, too_open, missing, a_directory])
def test_a_passphrase_that_cannot_be_read_is_a_problem_and_no_end(
    directory, passphrase, passphrase_file, kept, now, harm
):
    watched = keyfiles.WatchedRing(
        directory, lambda: keyfiles.read_passphrase(passphrase_file), every=3600
    )
    before = watched.ring

    # when it is harmed, then nothing is wrong until it is needed
    harm(passphrase_file)
    watched.refresh()
    assert watched.problem is None
    keyfiles.save(directory, kept.with_new_key(now), passphrase)
    assert watched.refresh() is False
    assert str(passphrase_file) in watched.problem
    assert watched.ring is before

    # and when it is back, then the ring is taken
    if passphrase_file.is_dir():
        passphrase_file.rmdir()
    passphrase_file.touch(mode=0o600)
    passphrase_file.chmod(0o600)
    passphrase_file.write_bytes(passphrase.sealing)
    assert watched.refresh() is True
    assert (watched.problem, watched.rejected) == (None, 1)
    watched.close()


def test_a_passphrase_that_raises_anything_is_a_problem(
    directory, passphrase, kept, now
):
    answers = iter([passphrase])
    watched = keyfiles.WatchedRing(directory, lambda: next(answers), every=3600)
    keyfiles.save(directory, kept.with_new_key(now), passphrase)

    assert watched.refresh() is False
    assert watched.problem == "StopIteration while reading the key ring"
    assert watched.ring.digest == kept.digest
    watched.close()


def test_a_passphrase_changed_under_our_eyes_is_no_problem(
    directory, passphrase, kept, make_passphrase
):
    # given a server that reads the old passphrase just before all is sealed anew
    both = make_passphrase(passphrase)
    answers = iter([passphrase, passphrase, both])
    watched = keyfiles.WatchedRing(directory, lambda: next(answers), every=3600)
    keyfiles.reseal(directory, both)

    assert watched.refresh() is False
    assert (watched.problem, watched.rejected) == (None, 0)
    assert watched.ring == kept
    watched.close()


def test_a_ring_under_another_passphrase_is_a_problem(
    directory, watched, kept, make_passphrase
):
    shutil.rmtree(directory)
    keyfiles.save(directory, kept, make_passphrase())

    assert watched.refresh() is False
    assert "not sealed with this passphrase" in watched.problem


# Copies that are not complete


@pytest.fixture
def newer(kept, passphrase, now, whole):
    """The ring taken further, in a directory of its own."""
    ring = kept.with_new_key(now).activated(2, now).with_new_secret(now)
    keyfiles.save(whole, ring, passphrase)
    return ring


def test_a_key_file_before_its_ring_is_no_problem(directory, watched, whole, newer):
    before = watched.ring.digest

    shutil.copy(whole / "key-00002.pem", directory)

    assert watched.refresh() is False
    assert (watched.problem, watched.ring.digest) == (None, before)
    assert watched.ring.next_key_id == 3


def test_a_ring_before_its_key_file_waits_for_it(directory, watched, whole, newer):
    shutil.copy(whole / RING, directory)
    assert watched.refresh() is False
    assert "key-00002.pem is missing" in watched.problem

    shutil.copy(whole / "key-00002.pem", directory)
    assert watched.refresh() is False
    assert "secret-00002.sealed is missing" in watched.problem

    shutil.copy(whole / "secret-00002.sealed", directory)
    assert watched.refresh() is True
    assert watched.ring == newer
    assert (watched.problem, watched.rejected) == (None, 2)


NEW = ["key-00002.pem", "secret-00002.sealed", RING]


@pytest.mark.parametrize("order", list(itertools.permutations(NEW)), ids="-".join)
def test_a_copy_in_progress_is_never_taken_for_the_ring(
    directory, watched, whole, newer, order
):
    # given a server, and someone who copies file by file, in pieces and in place
    old = watched.ring
    for name in order:
        content = (whole / name).read_bytes()
        path = directory / name
        path.touch(mode=0o600)
        for length in (0, len(content) // 2, len(content)):
            path.write_bytes(content[:length])
            # when it looks meanwhile, then it has the old ring or, at last, the new
            if watched.refresh():
                assert (name, length) == (order[-1], len(content))
            else:
                assert watched.ring.digest == old.digest

    assert watched.ring == newer
    assert watched.problem is None
    # Each look at another half counts, and no more than that.
    assert 2 <= watched.rejected <= 8


def test_a_copy_under_our_eyes_is_taken_when_it_is_complete(
    directory, passphrase, kept, whole, newer
):
    # given a server that looks all the time
    watched = keyfiles.WatchedRing(directory, lambda: passphrase, every=0.001)
    seen = {watched.ring.digest}

    def copy():
        for name in (RING, "secret-00002.sealed", "key-00002.pem"):
            (directory / name).touch(mode=0o600)
            content = (whole / name).read_bytes()
            with (directory / name).open("wb", buffering=0) as file:
                for start in range(0, len(content), 40):
                    file.write(content[start : start + 40])
                    time.sleep(0.002)

    # when files change while it reads them
    copier = threading.Thread(target=copy)
    copier.start()
    while copier.is_alive():
        seen.add(watched.ring.digest)
        time.sleep(0.001)
    copier.join()

    # then it never had anything but the old ring or the new, and has the new soon
    end = time.monotonic() + 5
    while watched.ring.digest != newer.digest and time.monotonic() < end:
        time.sleep(0.005)
    assert watched.ring == newer
    assert seen <= {kept.digest, newer.digest}
    assert watched.problem is None
    assert watched.rejected > 2
    watched.close()

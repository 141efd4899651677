"""A changed passphrase: whole at every moment, and then the old word opens nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from signing import keyfiles
from signing.errors import KeyGuard, RingUnreadable

ROOT = Path(__file__).parents[2]


def files(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture
def rich(directory, passphrase, kept, now):
    """A ring on disk with keys in every state, and more than one secret."""
    ring = kept.with_new_key(now).activated(2, now).with_new_key(now)
    ring = ring.with_new_key(now).revoked(4, now).with_new_secret(now)
    keyfiles.save(directory, ring, passphrase)
    return ring


def test_the_new_word_alone_opens_a_ring_sealed_anew(
    directory, passphrase, rich, make_passphrase
):
    both = make_passphrase(passphrase)
    before = files(directory)

    assert keyfiles.reseal(directory, both) is True

    found = keyfiles.load(directory, both.newest)
    assert found == rich
    assert found.digest == rich.digest
    assert found.secrets == rich.secrets
    after = files(directory)
    assert before.keys() == after.keys()
    assert not [
        name for name in after if after[name] == before[name] and name != "ring.lock"
    ]
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


def test_the_old_word_opens_not_one_file_of_it(
    directory, passphrase, rich, make_passphrase, tmp_path
):
    # given a ring sealed anew, and a copy of before
    old_copy = tmp_path / "old"
    shutil.copytree(directory, old_copy)
    keyfiles.reseal(directory, make_passphrase(passphrase))

    # when any file but one is as it was, then the old word does not open the ring
    names = sorted(files(directory).keys() - {"ring.lock"})
    assert len(names) == 6
    for name in names:
        mixed = tmp_path / f"with-{name}"
        shutil.copytree(old_copy, mixed)
        shutil.copy(directory / name, mixed)
        with pytest.raises(RingUnreadable, match=name):
            keyfiles.load(mixed, passphrase)


def test_what_is_sealed_with_the_first_word_is_left_alone(
    directory, passphrase, rich, make_passphrase
):
    both = make_passphrase(passphrase)
    keyfiles.reseal(directory, both)
    before = files(directory)

    assert keyfiles.reseal(directory, both) is False
    assert keyfiles.reseal(directory, both.newest) is False
    assert files(directory) == before


def test_a_ring_half_sealed_anew_opens_and_is_finished(
    directory, passphrase, rich, make_passphrase, tmp_path
):
    both = make_passphrase(passphrase)
    anew = tmp_path / "anew"
    shutil.copytree(directory, anew)
    keyfiles.reseal(anew, both)

    for name in sorted(files(directory).keys() - {"ring.lock"}):
        shutil.copy(anew / name, directory)
        assert keyfiles.load(directory, both) == rich

    # The seal of ring.json came with it; nothing is left to be done.
    assert keyfiles.reseal(directory, both) is False
    assert keyfiles.load(directory, both.newest) == rich


def test_while_both_words_open_the_ring_goes_on(
    directory, passphrase, rich, make_passphrase, now
):
    both = make_passphrase(passphrase)

    ring = rich.with_new_key(now).with_new_secret(now)
    keyfiles.save(directory, ring, both)
    assert keyfiles.load(directory, both) == ring

    assert keyfiles.reseal(directory, both) is True
    assert keyfiles.load(directory, both.newest) == ring


def test_key_files_that_no_ring_names_are_sealed_anew_too(
    directory, passphrase, kept, make_passphrase, now, tmp_path
):
    # given what a writer that died left: a key and a secret that no ring names
    keyfiles.save(
        tmp_path / "on", kept.with_new_key(now).with_new_secret(now), passphrase
    )
    shutil.copy(tmp_path / "on" / "key-00002.pem", directory)
    shutil.copy(tmp_path / "on" / "secret-00002.sealed", directory)
    (directory / ".key-00003.pem.ab.tmp").write_bytes(b"torn")
    both = make_passphrase(passphrase)

    keyfiles.reseal(directory, both)

    # then the key is there for who looks for it, and the rest is gone
    assert not (directory / "secret-00002.sealed").exists()
    assert not list(directory.glob(".*"))
    with pytest.raises(KeyGuard, match="never overwritten"):
        keyfiles.save(directory, kept.with_new_key(now), both.newest)
    assert keyfiles.load(directory, both.newest).next_key_id == 3


@pytest.mark.parametrize("name", ["key-00001.pem", "secret-00001.sealed", "ring.json"])
def test_nothing_is_sealed_anew_when_something_does_not_open(
    directory, passphrase, rich, make_passphrase, name
):
    (directory / name).write_bytes((directory / name).read_bytes()[:30])
    before = files(directory)

    with pytest.raises(RingUnreadable, match=name):
        keyfiles.reseal(directory, make_passphrase(passphrase))
    assert files(directory) == before


def test_a_stranger_to_the_ring_seals_nothing_anew(directory, rich, make_passphrase):
    before = files(directory)

    with pytest.raises(RingUnreadable, match="not sealed with this passphrase"):
        keyfiles.reseal(directory, make_passphrase(make_passphrase()))
    assert files(directory) == before


def test_a_short_new_word_is_refused(directory, passphrase, rich):
    short = keyfiles.Passphrase((b"short", *passphrase.words))

    with pytest.raises(KeyGuard, match="too short"):
        keyfiles.reseal(directory, short)


def test_a_missing_ring_is_not_made_by_sealing_it_anew(directory, passphrase):
    with pytest.raises(RingUnreadable, match="missing"):
        keyfiles.reseal(directory, passphrase)
    assert not directory.exists()


def test_a_key_in_a_token_needs_no_token_to_seal_the_ring_anew(
    directory, passphrase, kept, make_passphrase, now, box
):
    ring = kept.with_new_key(now, *box.make(2)).activated(2, now)
    keyfiles.save(directory, ring, passphrase, holder=box)
    both = make_passphrase(passphrase)

    assert keyfiles.reseal(directory, both) is True

    assert keyfiles.load(directory, both.newest, holder=box) == ring


def test_a_running_server_takes_a_changed_passphrase_without_a_restart(
    directory, passphrase, kept, make_passphrase, now, tmp_path
):
    # given a server that reads its passphrase from a file
    file = tmp_path / "passphrase"

    def write(passphrase):
        fresh = tmp_path / "fresh"
        fresh.touch(mode=0o600)
        fresh.write_bytes(b"\n".join(passphrase.words))
        fresh.replace(file)

    write(passphrase)
    watched = keyfiles.WatchedRing(
        directory, lambda: keyfiles.read_passphrase(file), every=3600
    )

    # when the passphrase is changed step by step
    both = make_passphrase(passphrase)
    write(both)
    watched.refresh()
    keyfiles.reseal(directory, both)
    watched.refresh()
    write(both.newest)
    watched.refresh()

    # then no step was a problem, and the next ring is taken
    keyfiles.save(directory, kept.with_new_key(now), both.newest)
    assert watched.refresh() is True
    assert (watched.problem, watched.rejected) == (None, 0)
    watched.close()


CRASH = """
import os, shutil, sys
from datetime import datetime, UTC
from pathlib import Path
from signing import keyfiles
from signing.errors import RingUnreadable

base = Path(sys.argv[1])
new, old = sys.argv[2].encode(), sys.argv[3].encode()
both = keyfiles.Passphrase((new, old))
now = datetime(2026, 3, 1, tzinfo=UTC)
ring = keyfiles.create(base / "template", keyfiles.Passphrase((old,)), now=now)
ring = ring.with_new_key(now).activated(2, now).with_new_secret(now)
keyfiles.save(base / "template", ring, keyfiles.Passphrase((old,)))
STEPS = {"open", "os.rename", "os.remove"}
opened_by_old = []
for step in range(1, 300):
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
        keyfiles.reseal(directory, both)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert keyfiles.load(directory, both).digest == ring.digest, step
    try:
        keyfiles.load(directory, keyfiles.Passphrase((old,)))
        opened_by_old.append(True)
    except RingUnreadable:
        opened_by_old.append(False)
    # Whatever was left, doing it again finishes it.
    keyfiles.reseal(directory, both)
    assert not list(directory.glob(".*")), step
    assert keyfiles.load(directory, both.newest) == ring
    assert keyfiles.reseal(directory, both) is False
    if ended == 0:
        break
assert ended == 0 and step > 20
assert opened_by_old == sorted(opened_by_old, reverse=True)
assert len(set(opened_by_old)) == 2
print(step, "steps")
"""


def test_dying_at_any_step_leaves_a_ring_that_both_words_open(
    tmp_path, passphrase, make_passphrase
):
    new = make_passphrase()
    words = [word.decode() for word in (new.sealing, passphrase.sealing)]
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr

"""The ring on disk: sealed, whole or not at all, and nobody else's to read."""

from __future__ import annotations

import json
import os
import shutil

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
from signing.keyfiles.seals import seal_document
from signing.keyring import KeyRing


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
    assert all(word.decode() not in sentence for word in passphrase.words)
    return sentence


# Made, kept, read


def test_a_ring_comes_back_as_it_was_made(directory, passphrase, kept, now):
    ring = keyfiles.load(directory, passphrase)

    assert ring == kept
    assert ring.digest == kept.digest
    assert ring.secrets == kept.secrets
    assert ring.active.signer.private_bytes_raw() == (
        kept.active.signer.private_bytes_raw()
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
    ring = ring.revoked(3, now, since=now).retired(1, now).with_new_key(now)
    ring = ring.with_new_secret(now).secret_activated(2, now).with_new_secret(now)

    keyfiles.save(directory, ring, passphrase)
    read = keyfiles.load(directory, passphrase)

    assert read == ring
    assert read.digest == ring.digest
    assert [key.signer is None for key in read.keys] == [True, False, True, False]


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
    private = kept.active.signer.private_bytes_raw()
    word = passphrase.sealing
    hidden = [private, kept.secrets[0], word, bytes.fromhex(word.decode())]

    for content in files(directory).values():
        for secret in hidden:
            assert secret not in content
            assert secret.hex().encode() not in content


def test_key_files_are_pkcs_8_that_other_tools_open(directory, passphrase, kept):
    pem = (directory / "key-00001.pem").read_bytes()

    private = load_pem_private_key(pem, passphrase.sealing)

    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert private.public_key() == kept.active.public


def test_private_files_go_with_retirement_revocation_and_dropping(
    directory, passphrase, kept, now
):
    ring = kept.with_new_key(now).activated(2, now).with_new_secret(now)
    ring = ring.secret_activated(2, now)
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
    other = keyfiles.Passphrase((keyfiles.new_passphrase().encode(),))

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
    made_up = keyfiles.Passphrase((b"correct horse battery staple",))

    with pytest.raises(KeyGuard, match="too short"):
        keyfiles.create(directory, made_up, now=now)
    assert not directory.exists()


# What is broken is refused


def test_another_passphrase_is_refused(directory, kept):
    other = keyfiles.Passphrase((keyfiles.new_passphrase().encode(),))

    assert "not sealed with this passphrase" in refused(directory, other)


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"\xff\xfe", b"0" * 9])
def test_a_torn_ring_is_refused(directory, passphrase, kept, content):
    (directory / "ring.json").write_bytes(content)

    assert "ring.json" in refused(directory, passphrase)


@pytest.mark.parametrize("depth", [2, 950, 985, 1100, 100_000])
@pytest.mark.parametrize("pair", [("[", "]"), ('{"keys":', "}")])
def test_a_ring_of_endless_depth_is_refused(directory, passphrase, kept, depth, pair):
    # given what whoever writes the directory may put there, without a passphrase
    deep = pair[0] * depth + "1" + pair[1] * depth
    head = '{"format":"punchproof-ring/1","secrets":[],"seal":"x","keys":'
    (directory / "ring.json").write_text(head + deep + "}")

    assert "ring.json" in refused(directory, passphrase)
    with pytest.raises(RingUnreadable):
        keyfiles.untrusted_ring(directory)


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
    plain = kept.active.signer.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (directory / "key-00001.pem").write_bytes(plain)

    assert "without its seal" in refused(directory, passphrase)


def test_a_key_of_another_algorithm_is_refused(directory, passphrase, kept):
    pem = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.sealing)
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


# A ring of the version before this one


def as_before(directory, passphrase):
    """Write the ring as a version that knew no pending secrets and no tokens."""
    document = json.loads((directory / "ring.json").read_text())
    del document["seal"]
    for key in document["keys"]:
        del key["revoked_since"], key["holder"]
    for secret in document["secrets"]:
        del secret["activated_at"]
    document["seal"] = seal_document(document, passphrase)
    (directory / "ring.json").write_text(json.dumps(document, indent=1))


def test_in_a_ring_of_an_older_version_every_secret_seals(
    directory, passphrase, kept, now
):
    # given a ring of two secrets, as it was written before secrets were activated
    ring = kept.with_new_secret(now).secret_activated(2, now)
    keyfiles.save(directory, ring, passphrase)
    as_before(directory, passphrase)

    # when it is read, then the newest seals and nothing is lost
    found = keyfiles.load(directory, passphrase)
    assert found == ring
    assert found.sealing.secret_id == 2
    assert found.secrets == ring.secrets
    assert found.active.holder == "file"

    # and it goes on
    keyfiles.save(directory, found.with_new_key(now).with_new_secret(now), passphrase)
    assert keyfiles.load(directory, passphrase).sealing.secret_id == 2


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

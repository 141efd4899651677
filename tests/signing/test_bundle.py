"""A ring in one sealed piece: packed, brought back, never half."""

from __future__ import annotations

import base64
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import codes, keyfiles
from signing.errors import KeyGuard, RingUnreadable
from signing.keyfiles import bundle as bundles
from signing.keyfiles.seals import seal_bundle
from signing.keyring import KeyRing, canonical_json
from tests.signing.conftest import NOW, new_passphrase


@pytest.fixture
def own(make_passphrase):
    """The passphrase of the bundle."""
    return make_passphrase()


@pytest.fixture
def rich(directory, passphrase, kept, now, box):
    """A ring on disk with keys in every state, one in a token, and three secrets."""
    ring = kept.with_new_key(now).activated(2, now).retired(1, now)
    ring = ring.with_new_key(now, *box.make(3)).activated(3, now)
    ring = ring.with_new_key(now).with_new_key(now).revoked(5, now, since=now)
    ring = ring.with_new_secret(now).secret_activated(2, now).with_new_secret(now)
    keyfiles.save(directory, ring.passed_over(9), passphrase, holder=box)
    return ring


def test_a_ring_comes_back_from_its_bundle(
    directory, passphrase, rich, own, tmp_path, box
):
    data = keyfiles.pack(directory, passphrase, sealed_with=own)

    ring = keyfiles.unpack(data, own)
    assert ring == rich
    assert ring.digest == rich.digest
    assert ring.secrets == rich.secrets
    assert ring.next_key_id == 10

    # when it is put in an empty directory, then all of it is there
    other = new_passphrase()
    keyfiles.save(tmp_path / "back", ring, other)
    found = keyfiles.load(tmp_path / "back", other, holder=box)
    assert found == rich
    assert found.next_key_id == 10
    assert found.active.signer


def test_a_code_signed_before_verifies_in_the_ring_brought_back(
    directory, passphrase, kept, own, make_code, origin
):
    code = make_code(ring=kept)

    ring = keyfiles.unpack(keyfiles.pack(directory, passphrase, sealed_with=own), own)

    assert codes.verify(code.text, ring, origin=origin) == code
    later = make_code(ring=ring)
    assert codes.verify(later.text, kept, origin=origin) == later


def test_packing_changes_nothing_and_takes_no_lock(directory, passphrase, kept, own):
    (directory / "ring.lock").unlink()
    before = {path.name: path.read_bytes() for path in directory.iterdir()}

    keyfiles.pack(directory, passphrase, sealed_with=own)

    assert before == {path.name: path.read_bytes() for path in directory.iterdir()}


def test_no_bundle_shows_a_secret(directory, passphrase, kept, own):
    data = keyfiles.pack(directory, passphrase, sealed_with=own)

    private = kept.active.signer.private_bytes_raw()
    for hidden in (private, *kept.secrets, own.sealing, passphrase.sealing):
        assert hidden not in data
        assert hidden.hex().encode() not in data
    assert b"public" not in data
    # and no two are alike
    assert keyfiles.pack(directory, passphrase, sealed_with=own) != data


def test_a_bundle_opens_with_its_own_passphrase_only(
    directory, passphrase, kept, own, make_passphrase
):
    data = keyfiles.pack(directory, passphrase, sealed_with=make_passphrase(own))

    for wrong in (passphrase, own, make_passphrase()):
        with pytest.raises(RingUnreadable, match="another passphrase") as refusal:
            keyfiles.unpack(data, wrong)
        assert wrong.sealing.decode() not in str(refusal.value)


def test_every_word_of_the_passphrase_opens_a_bundle(
    directory, passphrase, kept, own, make_passphrase
):
    data = keyfiles.pack(directory, passphrase, sealed_with=own)

    assert keyfiles.unpack(data, make_passphrase(own)) == kept


def test_a_bundle_is_not_sealed_with_what_a_person_made_up(directory, passphrase, kept):
    with pytest.raises(KeyGuard, match="too short"):
        keyfiles.pack(
            directory, passphrase, sealed_with=keyfiles.Passphrase((b"secret",))
        )


def test_a_ring_that_does_not_open_is_not_packed(directory, passphrase, kept, own):
    (directory / "key-00001.pem").unlink()

    with pytest.raises(RingUnreadable, match=r"key-00001\.pem"):
        keyfiles.pack(directory, passphrase, sealed_with=own)


# Whatever is done to a bundle


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("packed") / "keys"
    passphrase, own = new_passphrase(), new_passphrase()
    keyfiles.create(directory, passphrase, now=NOW)
    return keyfiles.pack(directory, passphrase, sealed_with=own), own


@given(bit=st.integers(min_value=0))
@settings(max_examples=300, deadline=None)
def test_a_bundle_with_any_bit_flipped_is_refused(packed, bit):
    data, own = packed
    place, bit = divmod(bit % (8 * len(data)), 8)
    flipped = bytearray(data)
    flipped[place] ^= 1 << bit

    with pytest.raises(RingUnreadable):
        keyfiles.unpack(bytes(flipped), own)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_bundle_cut_or_lengthened_is_refused(packed, data):
    whole, own = packed
    length = data.draw(st.integers(0, len(whole) - 1))
    more = data.draw(st.binary(min_size=1, max_size=40))

    for torn in (whole[:length], whole[length + 1 :], whole + more, more + whole):
        with pytest.raises(RingUnreadable):
            keyfiles.unpack(torn, own)


@given(data=st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_what_is_no_bundle_is_refused(packed, data):
    _, own = packed

    for content in (data, packed[0][:20] + data):
        with pytest.raises(RingUnreadable):
            keyfiles.unpack(content, own)


def sealed(content, passphrase):
    header = b"punchproof-bundle/1\n"
    return header + seal_bundle(header, canonical_json(content), passphrase)


def content_of(ring):
    return {
        "ring": bundles.document_of(ring),
        "keys": {"1": "AAAA"},
        "secrets": {"1": "AAAA"},
    }


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.pop("ring"),
        lambda content: content.pop("keys"),
        lambda content: content.update(keys=[]),
        lambda content: content.update(keys={"1": 7}),
        lambda content: content.update(keys={"1": "A" * 43 + "="}),
        lambda content: content.update(secrets=None),
        lambda content: content["ring"].pop("keys"),
        lambda content: content["ring"].update(last_key_id="x"),
        lambda content: content,
    ],
)
def test_a_bundle_that_someone_sealed_by_mistake_is_refused(own, now, spoil):
    content = content_of(KeyRing.new(now))
    spoil(content)

    with pytest.raises(RingUnreadable):
        keyfiles.unpack(sealed(content, own), own)


def test_a_bundle_whose_parts_are_of_two_rings_is_refused(own, now):
    # given the public state of one ring and the private parts of another
    one, other = KeyRing.new(now), KeyRing.new(now)

    def parts(key_from, secret_from):
        key = key_from.active.signer.private_bytes_raw()
        values = {"keys": {"1": key}, "secrets": {"1": secret_from.secrets[0]}}
        return content_of(one) | {
            name: {"1": base64.b64encode(value["1"]).decode()}
            for name, value in values.items()
        }

    # when both are of the one ring, then it opens
    assert keyfiles.unpack(sealed(parts(one, one), own), own) == one

    with pytest.raises(RingUnreadable, match="another private part for key 1"):
        keyfiles.unpack(sealed(parts(other, one), own), own)
    with pytest.raises(RingUnreadable, match="secret 1 of the bundle"):
        keyfiles.unpack(sealed(parts(one, other), own), own)


# Brought back onto a ring that is there


def test_an_older_ring_of_the_same_line_goes_on(
    directory, passphrase, kept, own, now, tmp_path
):
    # given a bundle of today, and a directory of last month
    old = tmp_path / "old"
    shutil.copytree(directory, old)
    ring = kept.with_new_key(now).activated(2, now).revoked(1, now)
    ring = ring.with_new_secret(now).secret_activated(2, now).without_secret(1)
    keyfiles.save(directory, ring, passphrase)
    data = keyfiles.pack(directory, passphrase, sealed_with=own)

    keyfiles.save(old, keyfiles.unpack(data, own), passphrase)

    assert keyfiles.load(old, passphrase) == ring
    assert sorted(path.name for path in old.iterdir()) == [
        *["key-00002.pem", "ring.json", "ring.lock", "secret-00002.sealed"]
    ]


def test_a_newer_ring_is_not_taken_back(directory, passphrase, kept, own, now):
    data = keyfiles.pack(directory, passphrase, sealed_with=own)
    ring = kept.with_new_key(now).activated(2, now).revoked(1, now)
    keyfiles.save(directory, ring, passphrase)

    with pytest.raises(KeyGuard, match="meanwhile"):
        keyfiles.save(directory, keyfiles.unpack(data, own), passphrase)
    assert keyfiles.load(directory, passphrase) == ring


def test_a_ring_of_another_line_is_not_written_over(
    directory, passphrase, kept, own, now, tmp_path
):
    keyfiles.create(tmp_path / "other", passphrase, now=now)
    data = keyfiles.pack(tmp_path / "other", passphrase, sealed_with=own)

    with pytest.raises(KeyGuard, match="meanwhile"):
        keyfiles.save(directory, keyfiles.unpack(data, own), passphrase)
    assert keyfiles.load(directory, passphrase) == kept


@pytest.mark.parametrize("name", ["key-00001.pem", "secret-00001.sealed"])
@pytest.mark.parametrize("harm", ["gone", "torn", "open"])
def test_a_damaged_file_is_brought_back(directory, passphrase, kept, own, name, harm):
    data = keyfiles.pack(directory, passphrase, sealed_with=own)
    path = directory / name
    if harm == "gone":
        path.unlink()
    elif harm == "torn":
        path.write_bytes(path.read_bytes()[:40])
    else:
        path.chmod(0o644)
    with pytest.raises(RingUnreadable, match=name):
        keyfiles.load(directory, passphrase)

    keyfiles.save(directory, keyfiles.unpack(data, own), passphrase)

    assert keyfiles.load(directory, passphrase) == kept
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [b"[" * 90_000, b"null", b'{"ring": 1}', b'{"ring": {"keys": 1}}', b"\xff"],
    ids=["deep", "nothing", "a number", "no keys", "no text"],
)
def test_a_bundle_that_was_sealed_by_mistake_says_so(own, content):
    header = b"punchproof-bundle/1\n"

    with pytest.raises(RingUnreadable, match="contradicts itself"):
        keyfiles.unpack(header + seal_bundle(header, content, own), own)

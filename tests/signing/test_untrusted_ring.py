"""A ring whose passphrase is lost: what it says, worth no more than its digest."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import codes, keyfiles
from signing.errors import CodeKeyRevoked, NoActiveKey, RingUnreadable
from signing.keyring import KeyRing, KeyState, canonical_json
from tests.signing.conftest import NOW


@pytest.fixture
def rich(directory, passphrase, kept, now):
    ring = kept.with_new_key(now).activated(2, now).retired(1, now)
    ring = ring.with_new_key(now).with_new_key(now).revoked(4, now, since=now)
    ring = ring.with_new_secret(now).secret_activated(2, now).with_new_secret(now)
    keyfiles.save(directory, ring, passphrase)
    return ring


def test_what_the_ring_says_is_read_without_a_passphrase(directory, rich):
    found = keyfiles.untrusted_ring(directory)

    assert found.digest == rich.digest
    assert found.ring.keys == rich.keys
    # but it neither signs nor opens anything
    assert found.ring.secrets == ()
    assert all(key.signer is None for key in found.ring.keys)
    with pytest.raises(NoActiveKey):
        _ = found.ring.active


def test_a_change_by_hand_shows_in_the_digest_only(directory, rich):
    path = directory / "ring.json"
    path.write_text(path.read_text().replace('"revoked"', '"verify-only"'))

    found = keyfiles.untrusted_ring(directory)

    assert found.ring.key(4).state is KeyState.VERIFY_ONLY
    assert found.digest != rich.digest


def test_the_line_goes_on_in_a_new_directory_and_under_a_new_passphrase(
    directory, rich, make_passphrase, make_code, origin, now, tmp_path
):
    # given a ring that nobody can open any more, and a code of it
    code = make_code(ring=rich)
    found = keyfiles.untrusted_ring(directory)
    assert found.digest == rich.digest

    # when all begins anew elsewhere
    fresh = make_passphrase()
    keyfiles.save(tmp_path / "new", found.ring.renewed(now, since=now), fresh)

    # then a new key signs, the old ones are known and trusted no more
    ring = keyfiles.load(tmp_path / "new", fresh)
    assert [key.state.value for key in ring.keys] == [
        *["retired", "revoked", "revoked", "revoked", "active"]
    ]
    assert ring.active.key_id == 5
    assert [secret.secret_id for secret in ring.link_secrets] == [4]
    assert not set(ring.secrets) & set(rich.secrets)
    with pytest.raises(CodeKeyRevoked):
        codes.verify(code.text, ring, origin=origin)
    assert codes.verify(make_code(ring=ring).text, ring, origin=origin)


def test_the_id_of_a_key_that_no_ring_names_is_passed_over(
    directory, passphrase, kept, now, tmp_path
):
    keyfiles.save(tmp_path / "on", kept.with_new_key(now), passphrase)
    (tmp_path / "on" / "key-00002.pem").rename(directory / "key-00002.pem")

    assert keyfiles.untrusted_ring(directory).ring.renewed(now).active.key_id == 3


def test_the_private_part_in_a_token_goes_when_the_line_goes_on(
    directory, passphrase, kept, make_passphrase, now, tmp_path, box
):
    ring = kept.with_new_key(now, *box.make(2)).activated(2, now)
    keyfiles.save(directory, ring, passphrase, holder=box)
    lost = ring.active.holder

    renewed = keyfiles.untrusted_ring(directory).ring
    renewed = renewed.renewed(now, *box.make(renewed.next_key_id))
    keyfiles.save(tmp_path / "new", renewed, make_passphrase(), holder=box)

    assert lost not in box.keys
    assert renewed.active.holder in box.keys


def without_new_fields(path):
    """Write the ring as the version before this one did; return what it says."""
    document = json.loads(path.read_text())
    for key in document["keys"]:
        del key["revoked_since"], key["holder"]
    for secret in document["secrets"]:
        del secret["activated_at"]
    path.write_text(json.dumps(document))
    return document


def test_the_digest_is_the_one_that_the_version_of_then_logged(directory, rich):
    document = without_new_fields(directory / "ring.json")
    logged = {part: document[part] for part in ("keys", "secrets")}

    found = keyfiles.untrusted_ring(directory)

    assert found.digest == hashlib.sha256(canonical_json(logged)).hexdigest()
    assert found.ring.key(2).holder == "file"


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"{}", b"\xff" * 9])
def test_a_torn_ring_is_refused_without_a_passphrase_too(directory, kept, content):
    (directory / "ring.json").write_bytes(content)

    with pytest.raises(RingUnreadable, match=r"ring\.json"):
        keyfiles.untrusted_ring(directory)


def test_a_ring_that_others_may_read_is_refused_without_a_passphrase_too(
    directory, kept
):
    (directory / "ring.json").chmod(0o644)
    with pytest.raises(RingUnreadable, match="chmod 600"):
        keyfiles.untrusted_ring(directory)

    directory.chmod(0o755)
    with pytest.raises(RingUnreadable, match="chmod 700"):
        keyfiles.untrusted_ring(directory)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    directory = tmp_path_factory.mktemp("untrusted")
    directory.chmod(0o700)
    (directory / "ring.json").touch(mode=0o600)
    return directory


@given(data=st.data(), value=json_values)
@settings(max_examples=300, deadline=None)
def test_whatever_stands_there_is_a_ring_or_refused(place, data, value):
    # given a ring in which one value is another
    document = {
        "format": "punchproof-ring/1",
        "last_key_id": 1,
        **json.loads(canonical_json(KeyRing.new(NOW).public_state())),
    }
    within = data.draw(
        st.sampled_from([document, document["keys"][0], document["secrets"][0]])
    )
    within[data.draw(st.sampled_from(sorted(within)))] = value
    (place / "ring.json").write_text(json.dumps(document))

    # when it is read, then nothing but RingUnreadable is raised
    try:
        found = keyfiles.untrusted_ring(place)
    except RingUnreadable:
        return
    assert len(found.digest) == 64

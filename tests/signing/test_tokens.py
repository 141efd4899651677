"""Keys that never leave a token: SoftHSM, real and whole."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pkcs11
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pkcs11 import Attribute, ObjectClass, TokenFlag

from app.settings import SettingsError, token_settings
from app.tools import open_holder
from scripts.parts import first_key
from scripts.parts.installation import InstallationError
from signing import codes, keyfiles
from signing.errors import RingUnreadable, SignerDown
from signing.keyfiles import Passphrase
from signing.keyring import KeyState
from signing.tokens import Token, keys
from signing.tokens.keys import decoded_point
from signing.tokens.token import REST, check_tries
from tests.signing import softhsm
from tests.signing.softhsm import PIN

ROOT = Path(__file__).parents[2]
OID = bytes.fromhex("06032b6570")
NAME = b"\x13\x0cedwards25519"


@pytest.fixture
def hsm(tmp_path, monkeypatch):
    made = softhsm.make(tmp_path / "hsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(made.conf))
    return made


@pytest.fixture
def make_token(hsm):
    """A function that sets up the token; a setting may be another."""
    made = []

    def make(**given):
        facts = {"module": hsm.module, "label": hsm.label, "pin_file": hsm.pin_file}
        made.append(Token(**{**facts, **given}))
        return made[-1]

    yield make
    for token in made:
        token.close()


@pytest.fixture
def token(make_token):
    return make_token()


def open_past_us(hsm):
    """Open a session of one's own, past our code; nothing else may be signed in."""
    library = pkcs11.lib(str(hsm.module))
    tokens = (slot.get_token() for slot in library.get_slots(token_present=True))
    ours = next(token for token in tokens if token.label == hsm.label)
    return ours.open(rw=True, user_pin=PIN)


def checks(signer, data, signature):
    """Whether the signature is good, by another implementation."""
    try:
        signer.public_key().verify(signature, data)
    except InvalidSignature:
        return False
    return True


# Making, signing, destroying.


def test_a_key_made_inside_signs(token):
    signer, _ = token.make(2)

    signature = signer.sign(b"a code")

    assert len(signature) == 64
    assert checks(signer, b"a code", signature)
    assert not checks(signer, b"another", signature)
    # Ed25519 has one signature for a message: nothing of the token's comes in.
    assert signer.sign(b"a code") == signature


def test_the_address_says_where_the_key_is_and_holds_no_secret(token, hsm):
    signer, address = token.make(2)

    label = hsm.label.replace(" ", "%20")
    assert address.startswith(f"pkcs11:token={label};object=punchproof-00002;id=%")
    assert PIN not in address
    assert PIN not in repr(token) + repr(signer)
    assert token.open(address).public_key() == signer.public_key()


def test_two_keys_of_one_number_are_two_keys(token):
    # given a key that no ring knows, because its making was cut short
    lost, _ = token.make(2)

    signer, address = token.make(2)

    assert signer.public_key() != lost.public_key()
    assert token.open(address).public_key() == signer.public_key()


def test_the_private_part_cannot_be_read_out(token, hsm):
    token.make(2)
    token.close()
    with open_past_us(hsm) as session:
        (private,) = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})

        with pytest.raises(pkcs11.AttributeSensitive):
            private[Attribute.VALUE]
        with pytest.raises(pkcs11.PKCS11Error):
            private[Attribute.EXTRACTABLE] = True
        with pytest.raises(pkcs11.PKCS11Error):
            private[Attribute.SENSITIVE] = False
        assert private[Attribute.NEVER_EXTRACTABLE]
        assert private[Attribute.ALWAYS_SENSITIVE]
        assert not private[Attribute.DERIVE]
        assert not private[Attribute.DECRYPT]


def test_a_destroyed_key_is_gone_with_both_halves(token, hsm):
    signer, address = token.make(2)
    kept, _ = token.make(3)

    token.destroy(address)

    assert hsm.labels("PRIVATE_KEY") == ["punchproof-00003"]
    assert hsm.labels("PUBLIC_KEY") == ["punchproof-00003"]
    with pytest.raises(SignerDown):
        signer.sign(b"a code")
    with pytest.raises(RingUnreadable, match="0 objects"):
        token.open(address)
    assert checks(kept, b"a code", kept.sign(b"a code"))
    # and again it is no error
    token.destroy(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "file",
        "pkcs11:",
        "pkcs11:token=shop;object=punchproof-00002;type=private",
        "pkcs11:token=shop;object=punchproof-00002;id=%01;type=private?pin-value=1",
        "pkcs11:token=sh%6Fp;object=punchproof-00002;id=%01;type=private",
        "pkcs11:token=%FF;object=punchproof-00002;id=%01;type=private",
        "pkcs11:token=sh\udcffop;object=punchproof-00002;id=%01;type=private",
    ],
)
def test_an_address_that_we_did_not_write_is_refused(token, address):
    with pytest.raises(RingUnreadable, match="not the address of a key"):
        token.open(address)


def test_a_key_of_another_token_is_refused_with_both_names(token):
    address = "pkcs11:token=other;object=punchproof-00002;id=%01;type=private"

    with pytest.raises(RingUnreadable, match="'other', but the settings name 'shop"):
        token.open(address)
    with pytest.raises(SignerDown, match="'other', but the settings name 'shop"):
        token.destroy(address)


# The public part.


@pytest.mark.parametrize("curve", [OID, NAME])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_point_is_read_bare_and_in_an_octet_string(curve, wrapped):
    public = Ed25519PrivateKey.generate().public_key()
    point = public.public_bytes_raw()

    assert decoded_point(curve, b"\x04\x20" + point if wrapped else point) == public


def test_a_bare_point_that_begins_like_an_octet_string_is_bare():
    point = b"\x04\x20" + bytes(30)

    assert decoded_point(OID, point).public_bytes_raw() == point


@pytest.mark.parametrize(
    ("curve", "point"),
    [
        (OID, bytes(31)),
        (OID, b"\x04\x21" + bytes(33)),
        (OID, b"\x04\x39" + bytes(57)),
        (bytes.fromhex("06032b6571"), bytes(32)),
        (bytes.fromhex("06082a8648ce3d030107"), bytes(32)),
    ],
)
def test_no_other_kind_of_key_is_taken(curve, point):
    with pytest.raises(RingUnreadable, match="not an Ed25519 key"):
        decoded_point(curve, point)


def test_halves_of_two_keys_are_found_out(token, hsm):
    # given a token in which somebody put another public half at our key's address
    _, address = token.make(2)
    token.close()
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with open_past_us(hsm) as session:
        (public,) = session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY})
        names = (Attribute.LABEL, Attribute.ID, Attribute.EC_PARAMS)
        facts = {name: public[name] for name in names}
        public.destroy()
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.PUBLIC_KEY,
                Attribute.KEY_TYPE: pkcs11.KeyType.EC_EDWARDS,
                Attribute.TOKEN: True,
                Attribute.EC_POINT: b"\x04\x20" + other,
                **facts,
            }
        )

    with pytest.raises(RingUnreadable, match="halves of different keys"):
        token.open(address)


# What can be wrong with the set-up.


def test_a_missing_module_is_named(make_token, tmp_path):
    with pytest.raises(SignerDown, match=r"nothing\.so is missing"):
        make_token(module=tmp_path / "nothing.so").make(2)


def test_a_module_that_is_no_library_gives_no_answer(make_token, tmp_path):
    (tmp_path / "text.so").write_text("no library")

    with pytest.raises(SignerDown, match=r"text\.so"):
        make_token(module=tmp_path / "text.so").make(2)


def test_a_token_that_is_not_there_gives_no_answer(make_token):
    with pytest.raises(SignerDown, match="0 tokens have this label"):
        make_token(label="elsewhere").make(2)


def test_of_two_tokens_of_one_label_none_is_taken(make_token, hsm):
    hsm.initialise()

    with pytest.raises(SignerDown, match="2 tokens have this label"):
        make_token().make(2)


def test_a_wrong_pin_is_tried_once_until_its_file_changes(make_token, hsm):
    # given a PIN that the token refused
    token, other = make_token(), make_token()
    hsm.write_pin("another")
    with pytest.raises(SignerDown, match="refused the PIN"):
        token.make(2)

    # when the token would take it now, then it is not asked
    with open_past_us(hsm) as session:
        session.set_pin(PIN, "another")
    other.make(2)
    other.close()
    with pytest.raises(SignerDown, match="not tried again until that file changes"):
        token.make(2)

    # when the file is written anew, then it is
    hsm.write_pin("another")
    signer, _ = token.make(2)
    assert checks(signer, b"a code", signer.sign(b"a code"))


def test_a_pin_open_to_others_is_refused(make_token, hsm):
    hsm.pin_file.chmod(0o644)

    with pytest.raises(SignerDown, match="chmod 600"):
        make_token().make(2)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_pin_is_refused(make_token, hsm, content):
    hsm.pin_file.write_bytes(content)

    with pytest.raises(SignerDown, match="does not hold a PIN"):
        make_token().make(2)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (TokenFlag.USER_PIN_FINAL_TRY, "locks at the next wrong PIN"),
        (TokenFlag.USER_PIN_LOCKED, "has locked its PIN"),
    ],
)
def test_a_token_s_last_try_is_left_to_a_person(flags, told):
    check_tries("shop", TokenFlag.USER_PIN_COUNT_LOW)

    with pytest.raises(SignerDown, match=told):
        check_tries("shop", flags | TokenFlag.LOGIN_REQUIRED)


def test_a_token_that_makes_keys_to_be_read_out_is_refused(token, hsm, monkeypatch):
    # given a token that does not do as it is asked
    monkeypatch.setitem(keys._STAYS_INSIDE, Attribute.EXTRACTABLE, True)

    with pytest.raises(SignerDown, match="read out"):
        token.make(2)

    # then it keeps nothing of that key
    assert hsm.labels("PRIVATE_KEY") == hsm.labels("PUBLIC_KEY") == []


# Threads, processes, and a token that goes away.


def test_of_eight_threads_every_signature_is_good(token, counts):
    signer, _ = token.make(2)
    messages = [b"message %d" % number for number in range(1000)]

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        signatures = list(pool.map(signer.sign, messages))
    took = time.monotonic() - began

    good = map(checks, [signer] * len(messages), messages, signatures)
    assert sum(good) == len(messages)
    counts(messages=len(messages), threads=8, signatures_a_second=int(1000 / took))


def test_a_signed_in_token_is_shared_by_two_holders(token, make_token):
    signer, address = token.make(2)
    other = make_token().open(address)
    assert checks(other, b"a code", other.sign(b"a code"))

    # when one of them signs out, which ends it for the process
    token.close()

    # then the other signs in again by itself
    assert checks(other, b"a code", other.sign(b"a code"))
    assert checks(signer, b"a code", signer.sign(b"a code"))


# Newer Pythons warn of it, for good reason: this is what it guards against.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_signs_and_its_parent_goes_on(token):
    signer, _ = token.make(2)
    busy = threading.Event()

    def keep_busy():
        while not busy.is_set():
            signer.sign(b"meanwhile")

    # given a parent that signs in another thread at the very moment
    thread = threading.Thread(target=keep_busy)
    thread.start()
    try:
        for _ in range(5):
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    os.write(writing, signer.sign(b"of the child"))
                    status = 0
                finally:
                    os._exit(status)
            os.close(writing)
            signature = os.read(reading, 64)
            os.close(reading)
            assert os.waitpid(child, 0)[1] == 0
            assert checks(signer, b"of the child", signature)
    finally:
        busy.set()
        thread.join()
    assert checks(signer, b"of the parent", signer.sign(b"of the parent"))


def test_a_key_made_by_another_process_is_found(token, hsm):
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from signing.tokens import Token\n"
        "module, label, pin = sys.argv[1:]\n"
        "signer, address = Token(Path(module), label, Path(pin)).make(7)\n"
        "print(address, signer.public_key().public_bytes_raw().hex())\n"
    )
    facts = [str(hsm.module), hsm.label, str(hsm.pin_file)]
    signer, _ = token.make(2)

    made = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *facts],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    address, public = made.stdout.split()
    assert made.stderr == ""
    opened = token.open(address)
    assert opened.public_key().public_bytes_raw().hex() == public
    assert checks(opened, b"a code", opened.sign(b"a code"))
    assert checks(signer, b"a code", signer.sign(b"a code"))


def test_a_token_that_goes_away_and_comes_back(token, hsm):
    signer, _ = token.make(2)
    away = hsm.directory.with_name("away")

    # when it is pulled out
    hsm.directory.rename(away)

    # then that is said, at once and to everyone
    with pytest.raises(SignerDown, match="gives no answer"):
        signer.sign(b"a code")
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(SignerDown, match="gives no answer"):
            signer.sign(b"a code")
    assert time.monotonic() - began < REST

    # when it is put in again, then it signs with no restart
    away.rename(hsm.directory)
    time.sleep(REST)
    assert checks(signer, b"a code", signer.sign(b"a code"))


def test_a_pin_that_is_gone_stops_the_next_sign_in_only(token, hsm):
    signer, _ = token.make(2)
    hsm.pin_file.unlink()

    assert checks(signer, b"a code", signer.sign(b"a code"))

    token.close()
    with pytest.raises(SignerDown, match="pin is missing"):
        signer.sign(b"a code")


# The whole way.


def test_a_shop_s_keys_move_into_a_token_and_out_again(hsm, directory, origin, now):
    holder = open_holder(token_settings(hsm.settings))
    passphrase = Passphrase((keyfiles.new_passphrase().encode(),))

    def code(ring):
        return codes.sign(
            codes.Kind.STAMP,
            ring,
            origin=origin,
            not_after=now + timedelta(seconds=120),
            nonce=codes.new_nonce(),
        )

    # given a server on a ring of files
    keyfiles.create(directory, passphrase, now=now)
    watched = keyfiles.WatchedRing(
        directory, lambda: passphrase, every=0.05, holder=holder
    )

    # when a key in the token becomes the active one
    ring = keyfiles.load(directory, passphrase, holder=holder)
    ring = ring.with_new_key(now, *holder.make(ring.next_key_id)).activated(2, now)
    assert keyfiles.save(directory, ring, passphrase, holder=holder) == ()

    # then the server signs with it, and there is no file of it
    watched.refresh()
    in_token = code(watched.ring)
    assert (watched.problem, in_token.key_id) == (None, 2)
    assert codes.verify(in_token.text, watched.ring, origin=origin) == in_token
    assert not (directory / "key-00002.pem").exists()
    assert PIN not in (directory / "ring.json").read_text()

    # when a file's key takes over, then codes of the token's key are still good
    ring = keyfiles.load(directory, passphrase, holder=holder)
    ring = ring.with_new_key(now).activated(3, now)
    keyfiles.save(directory, ring, passphrase, holder=holder)
    watched.refresh()
    assert code(watched.ring).key_id == 3
    assert codes.verify(in_token.text, watched.ring, origin=origin) == in_token

    # when the token's key is retired, then it is gone from the token
    assert hsm.labels("PRIVATE_KEY") == ["punchproof-00002"]
    ring = keyfiles.load(directory, passphrase, holder=holder).retired(2, now)
    assert keyfiles.save(directory, ring, passphrase, holder=holder) == ()
    assert hsm.labels("PRIVATE_KEY") == hsm.labels("PUBLIC_KEY") == []
    watched.refresh()
    assert watched.ring.key(2).state is KeyState.RETIRED
    watched.close()
    holder.close()


def test_a_server_starts_with_its_token_and_not_without(hsm, tmp_path, now):
    # given an installation whose active key is in the token
    data = tmp_path / "data"
    data.mkdir()
    first_key.ring_at_start(hsm.settings, data)
    keys_directory, passphrase_file = first_key.places(hsm.settings, data)
    passphrase = keyfiles.read_passphrase(passphrase_file)
    holder = open_holder(token_settings(hsm.settings))
    ring = keyfiles.load(keys_directory, passphrase, holder=holder)
    ring = ring.with_new_key(now, *holder.make(2)).activated(2, now)
    keyfiles.save(keys_directory, ring, passphrase, holder=holder)
    holder.close()

    assert first_key.ring_at_start(hsm.settings, data).active.key_id == 2

    with pytest.raises(InstallationError, match="no token is set up"):
        first_key.ring_at_start({}, data)
    hsm.directory.rename(tmp_path / "away")
    with pytest.raises(InstallationError, match="gives no answer"):
        first_key.ring_at_start(hsm.settings, data)


def test_a_token_without_the_binding_is_told(hsm, monkeypatch):
    monkeypatch.setitem(sys.modules, "signing.tokens", None)

    with pytest.raises(SettingsError, match="needs the package python-pkcs11"):
        open_holder(token_settings(hsm.settings))


def test_no_binding_is_loaded_without_a_token():
    program = (
        "import sys, app.tools\n"
        "assert app.tools.open_holder(None) is None\n"
        "sys.exit('pkcs11' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)

    assert done.returncode == 0

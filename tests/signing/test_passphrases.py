"""The passphrase: 256 random bits in a file, two words while it is changed."""

from __future__ import annotations

import pytest

from signing import keyfiles
from signing.errors import RingUnreadable


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    return path


def test_a_passphrase_is_read_from_its_file(file):
    text = keyfiles.new_passphrase()
    file.write_text(text + "\n")

    assert len(text) == 64
    assert keyfiles.read_passphrase(file).words == (text.encode(),)
    assert keyfiles.new_passphrase() != text


@pytest.mark.parametrize("form", ["{}\n{}\n", "{}\n{}", "{}\r\n{}\r\n", " {} \n{}\n\n"])
def test_two_words_are_read_the_newest_first(file, form):
    new, old = keyfiles.new_passphrase(), keyfiles.new_passphrase()
    file.write_bytes(form.format(new, old).encode())

    passphrase = keyfiles.read_passphrase(file)

    assert passphrase.words == (new.encode(), old.encode())
    assert passphrase.sealing == new.encode()
    assert passphrase.newest.words == (new.encode(),)


AB = "ab" * 32


@pytest.mark.parametrize(
    "content",
    [
        *["", "\n", "short", "g" * 64, "ab" * 33, "é" * 64],
        *[f"{AB}\nshort", f"{AB} {AB}", f"{AB}\n\n{AB}", "\n".join([AB] * 3)],
    ],
)
def test_what_is_no_passphrase_is_refused_and_not_shown(file, content):
    file.write_text(content)

    with pytest.raises(RingUnreadable) as refusal:
        keyfiles.read_passphrase(file)
    sentence = str(refusal.value).replace(str(file), "")
    assert not any(word in sentence for word in content.split())


@pytest.mark.parametrize("mode", [0o640, 0o644, 0o604, 0o660])
def test_a_passphrase_that_others_may_read_is_refused(file, mode):
    file.write_text(keyfiles.new_passphrase())
    file.chmod(mode)

    with pytest.raises(RingUnreadable, match="chmod 600"):
        keyfiles.read_passphrase(file)


def test_a_missing_passphrase_is_an_error(tmp_path):
    with pytest.raises(RingUnreadable, match="missing"):
        keyfiles.read_passphrase(tmp_path / "passphrase")


@pytest.mark.parametrize("words", [(), (b"a", b"b", b"c")])
def test_a_passphrase_has_one_word_or_two(words):
    with pytest.raises(ValueError, match="one word"):
        keyfiles.Passphrase(words)


def test_no_repr_shows_a_word():
    word = keyfiles.new_passphrase()

    assert word not in repr(keyfiles.Passphrase((word.encode(), word.encode())))

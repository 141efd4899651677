"""The catalogues: whole, with the same placeholders, with each language's plurals."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog

from app import translations
from app.translations import LANGUAGES, SOURCE
from scripts import words
from scripts.parts import catalogues

OTHERS = [each.locale for each in LANGUAGES if each != SOURCE]
NUMBERS = (0, 1, 2, 5, 11, 21, 100)
#: What a language writes just as English does.
SAME = {
    "da": {
        *("Live", "PIN", "Barista", "Person", "Logo", "Send", "VIP", "Cashback"),
        *("Feedback", "Invitation", "Cappuccino", "Version %(version)s"),
        *("{name}, {price}", "%(what)s: %(rule)s", "%(title)s · %(shop)s"),
    },
    "et": {
        "%(title)s · %(shop)s",
        "%(what)s: %(rule)s",
        "Barista",
        "Logo",
        "VIP",
        "Cappuccino",
        "{name}, {price}",
    },
    "sv": {
        *("Live", "Barista", "Person", "VIP", "Cashback", "Cappuccino"),
        *("Version %(version)s", "{name}, {price}", "%(what)s: %(rule)s"),
        "%(title)s · %(shop)s",
    },
    "he": {
        *("%(what)s: %(rule)s", "PIN", "%(day)s, %(time)s", "VIP", "{name}, {price}"),
        "%(title)s · %(shop)s",
    },
    "zh_Hant": {"VIP", "%(title)s · %(shop)s"},
}


@pytest.fixture(scope="module")
def found() -> Catalog:
    return catalogues.sentences()


@pytest.mark.parametrize("locale", OTHERS)
def test_every_sentence_is_translated_with_its_placeholders(
    found: Catalog, locale: str
):
    assert catalogues.problems(locale, found) == []


@pytest.mark.parametrize("locale", OTHERS)
def test_nothing_is_left_in_english(found: Catalog, locale: str):
    catalogue = catalogues.read(locale)

    same = {
        message.id
        for message in catalogue
        if message.id and message.id == message.string
    }

    assert same <= SAME[locale]


@pytest.mark.parametrize("locale", OTHERS)
def test_nobody_is_shouted_at(locale: str):
    loud = [
        message.string
        for message in catalogues.read(locale)
        if message.id and any(mark in str(message.string) for mark in "!\uff01")
    ]

    assert loud == []


@pytest.mark.parametrize("locale", OTHERS)
def test_plurals_are_those_of_cldr(locale: str):
    """Numbers that CLDR tells apart have forms of their own, and no others have."""
    catalogue = catalogues.read(locale)
    rule = Locale.parse(locale).plural_form

    told_apart = {(rule(n), catalogues.form_of(catalogue, n)) for n in NUMBERS}

    assert len(told_apart) == len({name for name, _ in told_apart})
    assert len(told_apart) == len({form for _, form in told_apart})


STAMPS = {
    "da": ["0 stempler", "1 stempel", "2 stempler", "5 stempler", "11 stempler"],
    "et": ["0 templit", "1 tempel", "2 templit", "5 templit", "11 templit"],
    "sv": ["0 stämplar", "1 stämpel", "2 stämplar", "5 stämplar", "11 stämplar"],
    "he": ["0 חותמות", "חותמת אחת", "2 חותמות", "5 חותמות", "11 חותמות"],
    "zh_Hant": ["0 點", "1 點", "2 點", "5 點", "11 點"],
}


@pytest.mark.parametrize("locale", OTHERS)
def test_stamps_are_counted_as_people_count_them(locale: str):
    say = translations.catalogue(locale).ngettext

    said = [
        say("%(num)s stamp", "%(num)s stamps", n) % {"num": n} for n in (0, 1, 2, 5, 11)
    ]

    assert said == STAMPS[locale]
    # twenty-one is no one again in any of these
    assert say("%(num)s stamp", "%(num)s stamps", 21) == say(
        "%(num)s stamp", "%(num)s stamps", 5
    )


def test_hebrew_has_its_word_for_two_days():
    say = translations.catalogue("he").ngettext

    assert say("%(num)s day", "%(num)s days", 2) == "יומיים"


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("da-DK", "da"),
        ("nb-NO", "da"),
        ("et", "et"),
        ("sv_FI", "sv"),
        ("iw-IL", "he"),
        ("HE", "he"),
        ("zh-TW", "zh_Hant"),
        ("zh-HK", "zh_Hant"),
        ("zh-Hant-MO", "zh_Hant"),
        ("zh", "zh_Hant"),
        ("en-US", "en"),
        ("zh-CN", None),
        ("zh-Hans-TW", None),
        ("fr", None),
        ("", None),
        ("*", None),
        ("../da", None),
        (None, None),
    ],
)
def test_a_tag_means_one_of_ours_or_none(asked: str | None, spoken: str | None):
    language = translations.language(asked)

    assert (language.locale if language else None) == spoken


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        (["fr", "sv", "da"], "sv"),
        (["zh-CN", "en"], "en"),
        (["zh-CN", "fr"], "zh_Hant"),
        (["zh-CN", "zh", "en"], "zh_Hant"),
        (["fr", "de"], None),
        ([], None),
    ],
)
def test_of_several_the_first_of_ours_is_spoken(asked: list[str], spoken: str | None):
    language = translations.best(asked)

    assert (language.locale if language else None) == spoken


def test_a_catalogue_is_written_the_same_each_time(found: Catalog):
    """No dates, no line numbers: two people's changes seldom meet."""
    for locale in OTHERS:
        kept = (translations.DIRECTORY / f"{locale}.po").read_bytes()

        is_kept = catalogues.updated(locale, found) == kept
        assert is_kept, f"{locale}: run scripts/words.py --apply"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Catalogues of a test's own."""
    for each in OTHERS:
        text = (translations.DIRECTORY / f"{each}.po").read_bytes()
        (tmp_path / f"{each}.po").write_bytes(text)
    monkeypatch.setattr(catalogues, "DIRECTORY", tmp_path)
    monkeypatch.setattr(words, "DIRECTORY", tmp_path)
    return tmp_path


def spoil(directory: Path, old: str, new: str) -> None:
    path = directory / "da.po"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('msgstr "Vis min kode"', 'msgstr ""', "missing: 'Show my code'"),
        ("nøgle %(key)s blev udskiftet", "nøglen blev udskiftet", "other placeholders"),
        ('msgstr "PIN for {name}"', 'msgstr "PIN for {navn}"', "other placeholders"),
        ('msgstr "Sprog"', 'msgstr "Sprog."', "ends otherwise: 'Language'"),
        ('msgid "Language"', '#, fuzzy\nmsgid "Language"', "fuzzy: 'Language'"),
        ('msgid "Language"', 'msgid "Tongue"', "no longer said: 'Tongue'"),
    ],
)
def test_the_command_tells_what_is_wrong(
    directory: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
):
    spoil(directory, old, new)

    status = words.main([])

    assert status == 1
    assert f"da: {told}" in capsys.readouterr().out


def test_the_command_brings_a_catalogue_up_to_date(
    directory: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    # given a dropped sentence, and a new one that somebody has translated
    spoil(directory, 'msgid "Language"', 'msgid "Tongue"')
    more = tmp_path / "more"
    more.write_text('msgid ""\nmsgstr ""\n\nmsgid "Language"\nmsgstr "Sprog"\n')

    status = words.main(["--apply", "--add", f"da={more}"])

    assert status == 0
    assert "0 to look at" in capsys.readouterr().out
    kept = (translations.DIRECTORY / "da.po").read_bytes()
    assert (directory / "da.po").read_bytes() == kept


def test_one_languages_new_words_are_not_anothers(
    directory: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    # given a sentence that two catalogues lack, and that one of them is given
    for locale in ("da", "sv"):
        path = directory / f"{locale}.po"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('msgid "Language"', 'msgid "Tongue"'))
    more = tmp_path / "more"
    more.write_text('msgid ""\nmsgstr ""\n\nmsgid "Language"\nmsgstr "Sprog"\n')

    status = words.main(["--apply", "--add", f"da={more}"])

    assert status == 1
    assert "sv: missing: 'Language'" in capsys.readouterr().out


def test_the_command_knows_its_languages():
    with pytest.raises(SystemExit):
        words.main(["--add", "xx=file"])

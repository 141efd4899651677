"""Catalogues held to the sentences: extract, bring up to date, find what is wrong.

Sentences are read from the Python modules and templates of ``app``; scripts of pages
bring none of their own. Files are written so that two people's additions seldom meet:
in the order of the English, with file names and no line numbers or dates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from gettext import c2py
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from app.translations import DIRECTORY, LANGUAGES, SOURCE

_ROOT: Final = Path(__file__).parents[2]
_METHODS: Final = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
_KEYWORDS: Final = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
_PLACEHOLDER: Final = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
_ENDS: Final = {
    ".": ".。",
    ":": ":\N{FULLWIDTH COLON}",
    "?": "?\N{FULLWIDTH QUESTION MARK}",
}
#: CLDR's, where Babel's own has fewer: Hebrew has a form for two.
_PLURALS: Final = {"he": "nplurals=3; plural=(n == 1 ? 0 : n == 2 ? 1 : 2);"}
#: Forms that are said of one number alone may leave it out: "one more to go".
_NUMBERS: Final = (*range(120), 1000, 1001)
_UNSTEADY: Final = re.compile(
    rb'^"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team'
    rb'|Generated-By|Report-Msgid-Bugs-To|Project-Id-Version): [^"]*"\n',
    re.MULTILINE,
)


def sentences() -> Catalog:
    """Read every sentence out of the modules and templates."""
    found = Catalog()
    for name, line, message, comments, context in extract_from_dir(
        _ROOT / "app", _METHODS, keywords=_KEYWORDS
    ):
        found.add(
            message,
            locations=[(f"app/{name}", line)],
            auto_comments=comments,
            context=context,
        )
    return found


def languages() -> list[str]:
    """List the locales that have a catalogue: all but the source."""
    return [each.locale for each in LANGUAGES if each != SOURCE]


def read(locale: str) -> Catalog:
    """Read a catalogue; an empty one for a language that has none yet."""
    path = DIRECTORY / f"{locale}.po"
    if path.exists():
        text = path.read_bytes()
    else:
        rule = _PLURALS.get(locale) or f"{get_plural(locale).plural_forms};"
        text = f'msgid ""\nmsgstr ""\n"Plural-Forms: {rule}\\n"\n'.encode()
    return read_po(BytesIO(text), locale=locale, abort_invalid=True)


def updated(locale: str, found: Catalog, more: Catalog | None = None) -> bytes:
    """Bring a catalogue up to date: new sentences empty, dropped ones gone.

    Args:
        locale: of the catalogue.
        found: from ``sentences``.
        more: translations to take where the catalogue has none.

    Returns:
        The file.
    """
    catalogue = read(locale)
    # A copy: Babel puts the very same messages into the catalogue.
    catalogue.update(deepcopy(found), no_fuzzy_matching=True)
    for message in _lacking(catalogue, found) if more is not None else ():
        offered = more.get(_key(message), message.context) if more else None
        kept = catalogue.get(_key(message), message.context)
        if kept is not None and offered is not None:
            kept.string = offered.string
    return written(catalogue)


def written(catalogue: Catalog) -> bytes:
    """Write a catalogue, the same for the same words whenever it is written."""
    file = BytesIO()
    catalogue.header_comment = "# Kept in step by scripts/words.py."
    write_po(
        file,
        catalogue,
        width=0,
        sort_output=True,
        include_lineno=False,
        ignore_obsolete=True,
    )
    return _UNSTEADY.sub(b"", file.getvalue())


def problems(locale: str, found: Catalog) -> list[str]:
    """Tell what is wrong with a catalogue, one line each; empty when nothing is."""
    catalogue = read(locale)
    told = [f"missing: {_shown(message)}" for message in _lacking(catalogue, found)]
    for message in catalogue:
        if not message.id:
            continue
        if found.get(_key(message), message.context) is None:
            told.append(f"no longer said: {_shown(message)}")
        elif message.fuzzy:
            told.append(f"fuzzy: {_shown(message)}")
        else:
            told += _faults(catalogue, message)
    return told


def form_of(catalogue: Catalog, number: int) -> int:
    """Tell which plural form a catalogue takes for a number."""
    return int(_rule(catalogue.plural_expr)(number))


@cache
def _rule(expression: str) -> Callable[[int], int]:
    # The standard library knows how to read gettext's rules, in C's own words.
    return c2py(expression)


def _lacking(catalogue: Catalog, found: Catalog) -> Iterator[Message]:
    for message in found:
        if message.id:
            kept = catalogue.get(_key(message), message.context)
            words = kept.string if kept else ""
            if not words or not all(words):
                yield message


def _faults(catalogue: Catalog, message: Message) -> Iterator[str]:
    """Compare a translation's placeholders and its end with the English."""
    is_plural = isinstance(message.id, tuple)
    english, forms = _texts(message.id), _texts(message.string)
    wanted = {name for text in english for name in _PLACEHOLDER.findall(text)}
    for place, text in enumerate(forms):
        if not text:
            continue
        names = set(_PLACEHOLDER.findall(text))
        may_lack = _may_lack(catalogue, place) if is_plural else set()
        if not wanted - may_lack <= names <= wanted:
            yield f"other placeholders: {_shown(message)} -> {text}"
        if not _ends_alike(english[-1], text):
            yield f"ends otherwise: {_shown(message)} -> {text}"


def _texts(words: object) -> tuple[str, ...]:
    """Give the forms of a message, one when it has no plural."""
    several = words if isinstance(words, tuple | list) else (words,)
    return tuple(str(each or "") for each in several)


def _may_lack(catalogue: Catalog, form: int) -> set[str]:
    said_of = [n for n in _NUMBERS if form_of(catalogue, n) == form]
    return {"%(num)s", "%(num)d"} if len(said_of) == 1 else set()


def _ends_alike(english: str, text: str) -> bool:
    ends = _ENDS.get(english[-1])
    return text[-1] in ends if ends else text[-1] not in ".。"


def _key(message: Message) -> str:
    return _texts(message.id)[0]


def _shown(message: Message) -> str:
    return repr(message.id)

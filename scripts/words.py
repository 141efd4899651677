"""Keep the catalogues of every language in step with the sentences of the pages.

Shows what is missing or wrong; brings the files up to date with ``--apply``, which
leaves new sentences empty for somebody to translate. Exit status: 0 nothing is wrong,
1 something is.

    python scripts/words.py
    python scripts/words.py --apply
    python scripts/words.py --apply --add da=mine.po    # somebody's new translations
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from app.translations import DIRECTORY
from scripts.parts import catalogues


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, update, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--apply", action="store_true", help="write the files")
    parser.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="LANGUAGE=FILE",
        help="take translations of a file where the catalogue has none",
    )
    options = parser.parse_args(argv)
    added = dict(each.split("=", 1) for each in options.add)
    if not added.keys() <= set(catalogues.languages()):
        parser.error(f"languages are: {', '.join(catalogues.languages())}")
    found = catalogues.sentences()
    wrong = 0
    for locale in catalogues.languages():
        if options.apply:
            more = Path(added[locale]) if locale in added else None
            (DIRECTORY / f"{locale}.po").write_bytes(_file(locale, found, more))
        for line in catalogues.problems(locale, found):
            print(f"{locale}: {line}")
            wrong += 1
    print(f"{len(found)} sentences, {wrong} to look at")
    return 1 if wrong else 0


def _file(locale: str, found: Catalog, more: Path | None) -> bytes:
    if more is None:
        return catalogues.updated(locale, found)
    with more.open("rb") as file:
        return catalogues.updated(locale, found, read_po(file, locale=locale))


if __name__ == "__main__":
    sys.exit(main())

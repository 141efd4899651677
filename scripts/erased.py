#!/usr/bin/env python3
"""List who was erased, by their random numbers: what a restore has to know.

A backup of before an erasure still has the person. Books that are restored from one
forget whom they know to be erased; whom they can't know stands in this list. Keep it
where the backups are, as often as you like, and not on this machine alone:

    scripts/erased.py > /mnt/elsewhere/erased.txt
    scripts/restore.py FILE --erased /mnt/elsewhere/erased.txt --apply

The list names nobody: a number tells whoever has the books that there was somebody.

Exit status: 0 printed, 1 the books give no answer, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from app.programme import privacy
from app.store.errors import StoreDown
from scripts.parts import keyroom


def main(
    argv: Sequence[str] | None = None, *, environ: Mapping[str, str] = os.environ
) -> int:
    """Read the arguments, print one number a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", metavar="DIR", help="data directory; default .data")
    options = parser.parse_args(argv)

    def work() -> int:
        try:
            with keyroom.outside(environ, options.data) as found:
                told = privacy.erased(found.tools)
        except StoreDown as error:
            why = error.__cause__ or error
            print(f"erased: the books give no answer: {why}", file=sys.stderr)
            return keyroom.FAILED
        print("".join(f"{member_id}\n" for member_id in told), end="")
        return keyroom.DONE

    return keyroom.ended("erased", work)


if __name__ == "__main__":
    sys.exit(main())

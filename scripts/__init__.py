"""Commands for those who run and change Punchproof; see README.md beside this file.

This is the first file that any of them reads, so it is also where the Python version
is judged: it keeps to a syntax that Python 3.6 can read. Where `python3` is too old,
a newer one on the PATH takes over.
"""

import os
import shutil
import sys

_NEEDED = (3, 11)

if sys.version_info < _NEEDED:
    for _minor in (13, 12, 11, 14):
        _newer = shutil.which(f"python3.{_minor}")
        if _newer:
            os.execv(_newer, [_newer, *sys.argv])  # noqa: S606
    sys.exit(
        f"Punchproof needs Python 3.11 or newer, and {sys.executable} is "
        f"{sys.version.split()[0]}. Install a newer one beside it and start again."
    )

if os.name != "posix":
    sys.exit("Punchproof runs on Linux and macOS; on Windows, start it inside WSL.")

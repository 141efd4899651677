"""One line for each step of a long command: what is done, and how long it took.

Plain text without colour or redrawing, so a terminal, a log and a screen reader get
the same. Standard library only: the commands use it before anything is installed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print ``text``, run the block, end the line with its seconds or how it ended."""
    print(f"  {text} … ", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException as error:
        print("failed" if isinstance(error, Exception) else "stopped", flush=True)
        raise
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def warn(text: str) -> None:
    """Say one thing on standard error."""
    print(text, file=sys.stderr, flush=True)

"""Sets up, starts, watches and stops the whole of Punchproof on one machine.

In order: the data directory, its keys, the nonce store, the books, the web server.
Whatever goes wrong is one sentence and exit status 1, and nothing is left running;
Ctrl-C or SIGTERM stops all of it in the opposite order, and exit status is 0.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scripts.parts import certificate, installation, network, redis_server, webserver
from scripts.parts.installation import InstallationError
from scripts.parts.progress import step, warn
from scripts.parts.supervisor import ChildDied, Supervisor
from scripts.parts.webserver import Listening, NotReady, Warnings

if TYPE_CHECKING:
    from app.tools import Tools
    from scripts.parts.announcing import Told

_THREADS = 16
_MOST_WORKERS = 4
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stop(BaseException):
    """A signal asked for the end; no ``except Exception`` may hold it up."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What this start is to do."""

    data: Path
    at: Listening
    origin: str
    workers: int
    is_demo: bool
    is_lan: bool
    #: The environment of the server, and of our own tools.
    environ: dict[str, str]

    @property
    def log(self) -> Path:
        return self.data / "serve.log"


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, start everything, wait for the end."""
    options = _parser().parse_args(argv)
    for number in _STOPPING:
        signal.signal(number, _raise_stop)
    supervisor = Supervisor()
    try:
        with _running(options) as plan:
            ...
    except _Stop:
        return 0
    return 1

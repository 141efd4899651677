"""The mail worker beside the web server: started late, started again when it ends.

Nobody waits for mail as for a page, so it begins when the pages are there, and its end
is no end of the shop.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.parts import children
from scripts.parts.progress import warn
from scripts.parts.supervisor import Supervisor
from scripts.parts.webserver import Warnings, begin_log

_ROOT = Path(__file__).resolve().parents[2]


def start(supervisor: Supervisor, environ: Mapping[str, str], data: Path) -> Warnings:
    """Start it and leave it to the supervisor.

    Args:
        supervisor: keeps it up, and stops it.
        environ: the settings, as ``app.settings`` reads them.
        data: where its log goes.

    Returns:
        What of its log is to be repeated on the terminal.
    """
    log = data / "worker.log"
    begin_log(log)
    warnings = Warnings(log, warn)

    def launch() -> subprocess.Popen[bytes]:
        return children.launch(
            [sys.executable, "-m", "app.worker"],
            directory=_ROOT,
            log=log,
            end_by=signal.SIGTERM,
            environment=environ,
        )

    supervisor.keep("the mail worker", launch, tell=lambda told: warn(f"serve: {told}"))
    return warnings

"""The program of the web server: the application imported once, served by several.

    python webprocess.py --host H --port P --workers N --threads N --go FD

Importing takes longer than everything else in a start. So it begins at once, while
the launcher still prepares the books; serving begins when the launcher has written
the settings to the pipe ``FD``, a JSON object that is added to the environment. The
workers are forks, which have the imports already.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import signal
import sys
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app import import_surfaces

# A request under way may take this long when the server is told to stop, in s.
_GRACE_S = 8


def main() -> int:
    """Wait for the word, serve until a signal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--go", type=int, required=True)
    options = parser.parse_args()

    if sys.platform == "linux":
        # Python 3.14 would start each worker from nothing.
        multiprocessing.set_start_method("fork")
    # A fork inherits a handler that does nothing in it: a worker told to stop before
    # it has its own would never do so.
    os.register_at_fork(
        after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL)
    )
    # Our requests mostly wait for the stores: many threads are meant.
    logging.getLogger("_granian").addFilter(
        lambda record: "Python threads" not in record.getMessage()
    )
    import_surfaces()  # for the workers, which are forks
    with os.fdopen(options.go) as ears:
        said = ears.read()
    if not said:
        return 1  # the launcher is gone
    os.environ.update(json.loads(said))
    Granian(
        "app:create_app_from_environment",
        factory=True,
        interface=Interfaces.WSGI,
        websockets=False,
        address=options.host,
        port=options.port,
        workers=options.workers,
        blocking_threads=options.threads,
        workers_kill_timeout=_GRACE_S,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        log_level=LogLevels.warning,
        ssl_cert=options.certificate,
        ssl_key=options.key,
        # An older customer's phone knows no newer one.
        ssl_protocol_min=SSLProtocols.tls12,
    ).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())

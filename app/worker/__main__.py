"""The mail worker's program: ``python -m app.worker``, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

#: Below what customers wait for.
_NICENESS = 10


def main() -> int:
    """Read the settings, send mail until a signal; exit status 1 if they are wrong."""
    with contextlib.suppress(OSError):
        # First of all: the imports are the most work that this program ever does.
        os.nice(_NICENESS)
    import structlog  # noqa: PLC0415

    from app import logs  # noqa: PLC0415
    from app.settings import Settings, SettingsError  # noqa: PLC0415
    from app.tools import open_tools  # noqa: PLC0415
    from app.worker import loop  # noqa: PLC0415
    from app.worker.carriers import carrier_for  # noqa: PLC0415
    from app.worker.rounds import Rounds  # noqa: PLC0415
    from signing.errors import KeyRingError  # noqa: PLC0415

    stop = loop.Stop()
    stop.on(signal.SIGINT, signal.SIGTERM)
    try:
        settings = Settings.from_env(os.environ)
        logs.set_up(settings.log_level)
        tools = open_tools(settings)
    except (SettingsError, KeyRingError) as error:
        print(f"worker: {error}", file=sys.stderr)  # noqa: T201
        return 1
    carrier = carrier_for(settings)
    log = structlog.get_logger("app.worker")
    log.info("mail_worker_started", to=carrier.name)
    try:
        loop.run(tools, carrier, stop, beside=Rounds(tools))
    finally:
        tools.close()
    log.info("mail_worker_stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())

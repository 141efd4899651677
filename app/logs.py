"""Logs: one JSON object a line on standard error, never a secret or a code."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up(level: str) -> None:
    """Write every log line of this process as JSON.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without local variables: they hold tokens and codes.
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def alarm(code: str, sentence: str, *, is_over: bool = False) -> None:
    """Write the line of an alarm that begins, or of one that ended.

    Args:
        code: of ``app.programme.alarms``.
        sentence: for the person who looks after the machine.
        is_over: it has ended; no error then, but repeated on the terminal too.
    """
    log = structlog.get_logger("app.alarms")
    if is_over:
        log.warning("alarm over", code=code, sentence=sentence)
    else:
        log.error("alarm", code=code, sentence=sentence)

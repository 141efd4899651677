"""Logs: one JSON object a line on standard error, never a secret or a code.

What we log says words and numbers of our own. What others say is not let through as
it is: a database repeats the row that it refused, a library the address that it was
called with. So of an exception the log has the type and the place and not the message,
and text that looks like a code, a token, an address or the password in one is crossed
out wherever it turns up.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

_CROSSED_OUT: Final = "[left out]"
_SECRETS: Final = re.compile(
    # A code: 128 letters and digits in base32. Whoever tries some may send fewer.
    r"\b[A-Za-z2-7]{100,}\b"
    # A token, a passphrase, a sealed link.
    r"|\b[A-Za-z0-9_.-]{40,}"
    # Somebody's address, and a password in one of a server.
    r"|[^\s@/\"'<>()\[\],;:]+@[^\s@\"'<>()\[\],;]+"
    r"|(?<=://)[^\s/@]*:[^\s/@]*@",
    re.ASCII,
)


def set_up(level: str) -> None:
    """Write every log line of this process as JSON, ours and those of libraries.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared = _shared()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *shared],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.contextvars.merge_contextvars],
            processors=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *shared,
            ],
        )
    )
    # Libraries speak up when something is the matter, and are silent else.
    logging.basicConfig(
        handlers=[handler], level=max(number, logging.WARNING), force=True
    )
    logging.captureWarnings(True)


def _shared() -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without local variables: they hold tokens and codes.
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        _without_messages,
        _without_secrets,
        structlog.processors.JSONRenderer(),
    ]


def _without_messages(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Leave out what exceptions say; what they are and where stays."""
    for each in event.get("exception", ()):
        if isinstance(each, dict):
            each.pop("exc_value", None)
            each.pop("exc_notes", None)
            each.pop("syntax_error", None)
    return event


def _without_secrets(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Cross out what looks like a secret; the net below what we do not log anyway."""
    return {name: _crossed_out(value) for name, value in event.items()}


def _crossed_out(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRETS.sub(_CROSSED_OUT, value)
    if isinstance(value, Mapping):
        return {name: _crossed_out(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_crossed_out(each) for each in value]
    return value


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

"""What an operator should know of the Redis servers behind the nonce store.

A *problem* is why this process can give no stamp, or should not: no master answers, or
a server would forget what it is told. Every server is asked, replicas too, since any of
them may be a master tomorrow. A replica that is away, or one master of several, is no
problem but a *warning*: the others go on, and a health check that stopped every web
server because one replica is down would do more harm than the replica.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import redis

from app.store.redises import FAULTS, Redises

__all__ = ["NO_ANSWER", "problems", "warnings"]


#: What is said of a server that is away.
NO_ANSWER = "gives no answer"


def problems(redises: Redises) -> list[str]:
    """Find what would make a store forget, or refuse to write.

    Asks ``CONFIG`` and, where that is forbidden, ``INFO``; says so when neither is
    allowed, for then nothing was checked.

    Returns:
        One sentence each; empty when all is well.
    """
    try:
        servers = redises.every()
    except FAULTS as error:
        return [_silent("Redis", error)]
    found, silent = [], []
    for name, server, is_master in servers:
        try:
            found += _problems_of(name, _settings_of(server))
        except FAULTS as error:
            silent += [_silent(name, error)] if is_master else []
    masters = sum(each.is_master for each in servers)
    return found + (silent if len(silent) == masters else [])


def warnings(redises: Redises) -> list[str]:
    """Find which servers of several are away.

    Returns:
        One sentence each; empty when all is well, and where there is but one.
    """
    silent = []
    try:
        servers = redises.every()
    except FAULTS:
        return []
    for name, server, _ in servers if len(servers) > 1 else ():
        try:
            server.ping()
        except FAULTS as error:
            silent.append(_silent(name, error))
    return silent + [f"{name} is away." for name in redises.missing()]


def _silent(name: str, error: Exception) -> str:
    return f"{name} {NO_ANSWER} ({type(error).__name__})."


def _settings_of(client: redis.Redis) -> dict[str, str] | None:
    """Ask for the settings that matter, in the words of ``CONFIG``.

    None when Redis allows neither question.
    """
    settings: dict[Any, Any] = {}
    with contextlib.suppress(redis.ResponseError):
        settings = client.info("persistence") | client.info("memory")
        settings["appendonly"] = "yes" if settings.get("aof_enabled") else "no"
        settings["maxmemory-policy"] = settings.get("maxmemory_policy", "noeviction")
    # Hosted services rename or forbid CONFIG.
    with contextlib.suppress(redis.ResponseError):
        settings.update(
            client.config_get("appendonly", "maxmemory-policy", "appendfsync")
        )
    known = {_text(key): _text(value) for key, value in settings.items()}
    return {key: str(value) for key, value in known.items() if key} or None


def _problems_of(name: str, settings: Mapping[str, str] | None) -> list[str]:
    if settings is None:
        return [
            f"{name} forbids CONFIG and INFO: whether it keeps what it is told "
            "(appendonly yes, maxmemory-policy noeviction) could not be checked."
        ]
    policy = settings.get("maxmemory-policy", "noeviction")
    found = {
        f"{name} runs with appendonly no: after a restart it forgets spent codes. "
        "Set appendonly yes.": settings.get("appendonly", "yes") == "yes",
        f"{name} runs with appendfsync no: a power cut loses what was last written. "
        "Set appendfsync always (or everysec).": settings.get("appendfsync") != "no",
        f"{name} runs with maxmemory-policy {policy}: when memory is short it drops "
        "spent codes. Set maxmemory-policy noeviction.": policy == "noeviction",
        f"{name} could not write its append-only file: is its disk full?": settings.get(
            "aof_last_write_status", "ok"
        )
        == "ok",
    }
    return [sentence for sentence, is_well in found.items() if not is_well]


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value

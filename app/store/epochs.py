"""Epochs of the nonce store: since when it remembers every code that was issued.

A code with our good signature that the store does not know is one of two things. The
store forgot it, which is nobody's fault: the phone shows a fresh one. Or nobody here
issued it, and then whoever made it has our key. The answer is ``code_unknown`` both
times; the second is an alarm besides, and one that must not cry wolf. What tells them
apart is the epoch: one unbroken memory. A code issued in it and unknown in it was
never issued; a code from before it may have been lost.

Servers lose their memory one by one, so each shard of the codes has an epoch of its
own, ``pp:{xx}:epoch``: under the same hash tag as the shard's codes it lies where they
lie, moves where they move, and is lost when they are lost. One epoch for a cluster
would lie on one master, and another that came back empty would make a thief of every
customer whose code it had held.

When a new one begins:

===============================  =====================================================
what happened                    how it is seen, and from when the new epoch counts
===============================  =====================================================
a server came back empty,        there is no epoch; from now
or somebody wiped it
a server was restarted           its run id is another than in the epoch; from now. How
                                 much it had on the disk nobody knows: with
                                 ``appendfsync everysec`` it lost the last second
a replica was promoted           the run id is another's; what the master had not sent
                                 it is gone, however stale the copy. And the master may
                                 still be writing for those who have not heard, until
                                 it finds itself alone: from ``TWO_MASTERS`` from now
a slot moved to another server   as a promotion; nothing is lost, and nobody is accused
===============================  =====================================================

It is seen by the first of the web workers to look, each of which does so every two
seconds (``watch``), and at the latest when a code is unknown.

Where the promise ends. Between the moment of a loss and that of its being seen, and
for ``TWO_MASTERS`` after a promotion, codes of a thief are refused like any other time
but raise no alarm. Where two masters write for longer than that (a cluster's
``cluster-node-timeout`` is 15 s, ``min-replicas-max-lag`` 10 s unless changed; a master
under Sentinels without ``min-replicas-to-write`` may do so for ever) an honest code may
look like a thief's. A server that forbids ``INFO`` to scripts has no run id: its
restarts and promotions are not seen. No stamp is lost or doubled by any of this.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.store.redises import Redises, Script

__all__ = ["SHARDS", "TWO_MASTERS", "Epoch", "Epochs"]

#: What the shards of the codes are called: the first byte of a nonce.
SHARDS = tuple(f"{byte:02x}" for byte in range(256))
#: For so long a master that was replaced may go on without knowing.
TWO_MASTERS = timedelta(seconds=30)

_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One unbroken memory of a part of the store.

    Attributes:
        epoch_id: 32 hexadecimal digits; shards that began together may share it.
        started_at: from when on it counts, by the clock of Redis, to the millisecond;
            after a promotion that is a little ahead.
    """

    epoch_id: str
    started_at: datetime


# ARGV: an id for a new epoch, TWO_MASTERS in ms. The epoch never expires. A server
# whose second replication id is not all zeros was a replica once.
# A third word begins an epoch though there is one.
SCRIPT = """
local function told(section, name)
    local said = redis.pcall('INFO', section)
    return type(said) == 'string' and string.match(said, name .. ':(%x+)') or ''
end
local run = told('server', 'run_id')
local id, started_at, of = unpack(redis.call('HMGET', KEYS[1],
    'id', 'started_at', 'run'))
if not id or of ~= run or ARGV[3] then
    local time = redis.call('TIME')
    local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    local was_replica = string.match(told('replication', 'master_replid2'), '[^0]')
    local later = id and was_replica and tonumber(ARGV[2]) or 0
    id, started_at = ARGV[1], string.format('%.0f', now + later)
    redis.call('HSET', KEYS[1], 'id', id, 'started_at', started_at, 'run', run)
end
return {id, started_at}
"""


class Epochs:
    """The epochs of all shards; safe to share between threads."""

    def __init__(self, redises: Redises) -> None:
        self._redises = redises
        self._script = Script(SCRIPT)
        #: Of one shard on each server, the epoch in which all there were seen to.
        self._seen: dict[str, str] = {}

    def of(self, shard: str) -> Epoch:
        """Give a shard's epoch, and begin one where the store has none.

        Args:
            shard: one of ``SHARDS``.

        Raises:
            redises.FAULTS: no answer.
        """
        answer = self._script.run(self._redises, _key(shard), *_words())
        epoch_id, started_ms = (_text(part) for part in answer)
        return Epoch(epoch_id, _ZERO + int(started_ms) * _MILLISECOND)

    def renew(self) -> str:
        """Begin an epoch in every shard, whatever the store remembers.

        Returns:
            Its id, one for all.

        Raises:
            redises.FAULTS: no answer; some shards may have begun it.
        """
        epoch_id = secrets.token_hex(16)
        for shard in SHARDS:
            self._script.run(
                self._redises, f"pp:{{{shard}}}:epoch", epoch_id, 0, "anew"
            )
        return epoch_id

    def watch(self) -> None:
        """Begin an epoch in every shard of a server that lost its memory.

        Asks one shard of each server, and the others where that one has a new epoch.

        Raises:
            redises.FAULTS: a server gave no answer; those before it were seen to.
        """
        together: defaultdict[int, list[str]] = defaultdict(list)
        owners = self._redises.owners([_key(shard) for shard in SHARDS])
        for shard, owner in zip(SHARDS, owners, strict=True):
            together[owner].append(shard)
        for shards in together.values():
            first = shards[0]
            epoch_id = self.of(first).epoch_id
            if self._seen.get(first) != epoch_id:
                keys = [_key(shard) for shard in shards]
                self._script.run_on_all(self._redises, keys, *_words())
                self._seen[first] = epoch_id


def _key(shard: str) -> str:
    return f"pp:{{{shard}}}:epoch"


def _words() -> tuple[str, int]:
    """What the script is told: an id, should it begin an epoch, and a while."""
    return secrets.token_hex(16), TWO_MASTERS // _MILLISECOND


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

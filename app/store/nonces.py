"""The nonce store: which codes are out, which are being spent, which are spent.

The rule. A code is waiting, claimed or spent. One request at a time may hold it, and
it holds a lease, not the code: when the lease has run out, because the process died
or hung, the next request may claim. Once spent, it stays spent and keeps the result
of the request that spent it, for as long as the caller said.

How it is held. All of one code is one Redis hash, ``pp:{xx}:code:<nonce>``, and each
method is one Lua script on that one key: Redis runs it whole or not at all, and its
own clock times the leases, so web servers' clocks do not matter. The shard ``xx`` (the
first byte of the nonce) is the key's hash tag, so that a cluster spreads the codes.

Repeats. A command is sent again when the connection broke before the reply
(``redises``), so a script may have run already when it runs. Each one therefore
answers its repeat as it answered the first time; ``claim`` knows its own repeat by a
number made for each call, kept beside the owner. Nothing that a repeat does late can
hurt: a repeated release can at most free a code early, and then the books decide.

Where the promise ends. Redis decides who may *try* to spend a code, not who did. A
lease that runs out while its owner still works lets a second request in; a failover
to a stale copy makes spent codes look fresh; a wiped Redis knows no code at all. In
each case the unique nonce in the books has the last word. Hence two rules of
``settle``: it is told what the books have already decided, so it marks the code spent
whoever holds the lease now, and it does so even where the code is no longer known.
And once marked, the first settlement stands, since the books can decide only once.

Beside its record a code may have the key that signed it and its end, so that whoever
puts a key away can ask how many of its codes may still be used (``outstanding``).
Nothing else looks at the two, and no seal holds them: who can write in Redis can make
that count too high or too low, and gains no stamp by it.

No answer from Redis is ``NonceStoreDown`` and never a guess. Settings of Redis under
which the store would forget are found by ``problems``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from app.store import nonce_scripts, redis_checks
from app.store.epochs import Epoch, Epochs
from app.store.errors import NonceStoreDown, NonceTaken
from app.store.redises import FAULTS, PATIENCE, Redises, Script, open_redises

__all__ = [
    "Claim",
    "ClaimState",
    "Epoch",
    "NonceStoreDown",
    "NonceTaken",
    "Nonces",
    "Outstanding",
]

# Codes looked at in one go by those who walk along all of them.
_STRIDE = 500


class ClaimState(StrEnum):
    """What the store says of a code."""

    WAITING = "waiting"
    """Issued, and nobody holds it. Only ``look`` says so; ``claim`` takes it."""
    CLAIMED = "claimed"
    """This request now holds it."""
    AGAIN = "again"
    """This request held or spent it before: a retry."""
    IN_USE = "in_use"
    """Another request holds it."""
    SPENT = "spent"
    """Another request spent it."""
    UNKNOWN = "unknown"
    """Never issued here, or forgotten."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The store's answer about one code.

    Attributes:
        state: see ``ClaimState``.
        record: what the code is worth, as issued; empty when the store does not know.
        result: what came of it, as settled; only for AGAIN and SPENT. None with AGAIN
            means that this request has not settled: it may go on, and the books tell
            whether an earlier try of it got through.
        retry_after: only for IN_USE: when the holder's lease ends.
        claimed_at: only for CLAIMED and unsettled AGAIN: the moment that this request
            gave when it first claimed. The code's age is judged by it, not by whether
            the answer is AGAIN: two requests at once with one id would else make a
            dead code pass as "in time at the first try".
    """

    state: ClaimState
    record: Mapping[str, str]
    result: str | None = None
    retry_after: timedelta | None = None
    claimed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outstanding:
    """Codes of one key that may still be used.

    Attributes:
        count: how many are neither spent nor at their end.
        last_ends_at: when the last of them ends; None where there is none.
    """

    count: int
    last_ends_at: datetime | None


class Nonces:
    """The nonce store; safe to share between threads.

    Nonces are bytes as in the code; in keys and answers they are hexadecimal.
    ``request_id`` must already be bound to who asks: two callers that give the same
    one are the same request here.
    """

    def __init__(
        self, redises: Redises, *, lease: timedelta = timedelta(seconds=15)
    ) -> None:
        """Use servers that are named already; ``open`` names them.

        Args:
            redises: where the codes are kept.
            lease: how long a claim is good for without a settlement.
        """
        self._redises = redises
        self._lease = lease
        self._epochs = Epochs(redises)

    @classmethod
    def open(cls, url: str, *, lease: timedelta = timedelta(seconds=15)) -> Self:
        """Make the store on the Redis at an address; does not connect yet.

        Args:
            url: see ``redis_address``; what its query names (``?socket_timeout=5``)
                wins over our own settings.
            lease: as in the constructor.

        Raises:
            SettingsError: not an address.
        """
        return cls(open_redises(url, PATIENCE), lease=lease)

    def issue(
        self,
        nonce: bytes,
        record: Mapping[str, str],
        *,
        keep: timedelta,
        key_id: int | None = None,
        not_after: datetime | None = None,
    ) -> None:
        """Write down that a code is out, and what it is worth.

        Safe to repeat with the same record, also after the code was spent: a repeat
        changes nothing but the time of keeping, which never gets shorter.

        Args:
            nonce: of the code.
            record: given back by ``claim``; no secrets.
            keep: at least the code's life and a lease more.
            key_id: of the key that signed it, for ``outstanding`` alone.
            not_after: the code's end, for ``outstanding`` alone.

        Raises:
            NonceTaken: the nonce has another record, or was spent without one.
            NonceStoreDown: no answer; the code must not be shown.
        """
        text = json.dumps(dict(record), sort_keys=True, separators=(",", ":"))
        key = "" if key_id is None else str(key_id)
        end = "" if not_after is None else str(int(not_after.timestamp()))
        if not self._ask(_ISSUE, _code_key(nonce), text, self._ms(keep), key, end):
            raise NonceTaken(nonce.hex())

    def claim(
        self, nonce: bytes, request_id: str, *, at: datetime | None = None
    ) -> Claim:
        """Ask for the code, for one request; a retry renews its lease.

        Args:
            nonce: of a code whose signature was found good.
            request_id: the same on each retry.
            at: the caller's now, remembered as the claim's ``claimed_at``.

        Returns:
            CLAIMED or AGAIN to the request that may go on to the books, IN_USE or
            SPENT to any other, UNKNOWN for a code that is not in the store.

        Raises:
            NonceStoreDown: no answer; the claim may or may not stand. A retry finds
                out, and a claim that nobody follows ends with its lease.
        """
        args = (request_id, self._ms(self._lease), secrets.token_hex(8))
        now = at.isoformat() if at else ""
        return _claim_of(self._ask(_CLAIM, _code_key(nonce), *args, now))

    def release(self, nonce: bytes, request_id: str) -> None:
        """Give a claim back unspent: a rule refused, and anyone may claim at once.

        Does nothing if the code is spent or another request holds it by now.

        Raises:
            NonceStoreDown: no answer; at worst the lease has to run out.
        """
        self._ask(_RELEASE, _code_key(nonce), request_id)

    def settle(
        self, nonce: bytes, request_id: str, result: str, *, keep: timedelta
    ) -> None:
        """Mark a code spent, after the books took it.

        Whoever holds the lease now, and even if the store has forgotten the code: the
        books have decided (see the module). Also for a request that found in the books
        who spent the code, on that one's behalf. The first settlement stands; safe to
        repeat.

        Args:
            nonce: of the code.
            request_id: of the request that spent it, by the books.
            result: short text that retries and others are answered with.
            keep: until well after the code's not-after.

        Raises:
            NonceStoreDown: no answer; the books still know.
        """
        key = _code_key(nonce)
        self._ask(_SETTLE, key, request_id, result, self._ms(keep))

    def look(self, nonce: bytes) -> Claim:
        """Say how a code stands, changing nothing.

        Returns:
            WAITING (also when its holder's lease ran out), IN_USE, SPENT or UNKNOWN.

        Raises:
            NonceStoreDown: no answer.
        """
        return _claim_of(self._ask(_LOOK, _code_key(nonce)))

    def outstanding(self, key_id: int, now: datetime) -> Outstanding:
        """Count the codes of a key that are waiting or claimed and not at their end.

        Walks along the whole store without holding anybody up, on a cluster along
        every node of it. What is issued or spent meanwhile may count or not.

        Args:
            key_id: as told to ``issue``; codes of which it was not told do not count.
            now: the caller's, by which a code is at its end.

        Raises:
            NonceStoreDown: no answer; nothing may be concluded.
        """
        # The walk may come by a key twice.
        ends: dict[bytes, int] = {}
        try:
            for key, said in self._walk():
                end = _end_of(said, key_id)
                if end is not None and end >= now.timestamp():
                    ends[key] = end
        except FAULTS as error:
            raise NonceStoreDown from error
        last = max(ends.values(), default=None)
        ends_at = None if last is None else _ZERO + timedelta(seconds=last)
        return Outstanding(len(ends), ends_at)

    def _walk(self) -> Iterator[tuple[bytes, list[Any]]]:
        """Give the key of each code with its state, signing key and end."""
        for server in self._redises.masters():
            found = server.scan_iter(match="pp:{*}:code:*", count=_STRIDE)
            for keys in _strides(found):
                with server.pipeline(transaction=False) as together:
                    for key in keys:
                        together.hmget(key, ["state", "key", "end"])
                    answers = together.execute()
                yield from zip(keys, answers, strict=True)

    def put_alias(self, alias: str, text: str, *, keep: timedelta) -> bool:
        """Keep a code's whole text under a short name that people can type.

        Returns:
            False if the name stands for another text: make up a new name.

        Raises:
            NonceStoreDown: no answer.
        """
        return bool(self._ask(_ALIAS, _alias_key(alias), text, self._ms(keep)))

    def find_alias(self, alias: str) -> str | None:
        """Give the text behind a short name, None if there is none.

        Args:
            alias: as typed and tidied by the caller; may be anything.

        Raises:
            NonceStoreDown: no answer.
        """
        try:
            key = _alias_key(alias)
            return _text(self._redises.at(key, lambda server: server.get(key)))
        except FAULTS as error:
            raise NonceStoreDown from error

    def epoch(self, nonce: bytes) -> Epoch:
        """Give the epoch of the part of the store that a code belongs to.

        A code that is unknown though it was issued in its epoch was never issued:
        ``epochs`` tells why, and where that ends.

        Raises:
            NonceStoreDown: no answer.
        """
        try:
            return self._epochs.of(_shard(nonce))
        except FAULTS as error:
            raise NonceStoreDown from error

    def begin_epoch(self) -> str:
        """Begin another epoch, for books of another time; what is known stays.

        Returns:
            Its id.

        Raises:
            NonceStoreDown: no answer; a part of the store may have begun it.
        """
        try:
            return self._epochs.renew()
        except FAULTS as error:
            raise NonceStoreDown from error

    def watch(self) -> None:
        """See to it that the store's epochs have begun; again every few seconds.

        Raises:
            NonceStoreDown: no answer; the next time will do.
        """
        try:
            self._epochs.watch()
        except FAULTS as error:
            raise NonceStoreDown from error

    def problems(self) -> list[str]:
        """Find what would make this store forget, or refuse to write.

        Returns:
            One sentence each, for the operator; empty when all is well. A store that
            does not answer is a problem too, not an exception.
        """
        return redis_checks.problems(self._redises)

    def warnings(self) -> list[str]:
        """Find what the store can do without for now, and not for long.

        Returns:
            One sentence each, for the operator: servers of several that are away.
        """
        return redis_checks.warnings(self._redises)

    def close(self) -> None:
        """Close the connections."""
        self._redises.close()

    def _ask(self, script: Script, key: str, *args: str | int) -> Any:
        try:
            return script.run(self._redises, key, *args)
        except FAULTS as error:
            raise NonceStoreDown from error

    def _ms(self, keep: timedelta) -> int:
        # Whole milliseconds, and never so few that a late caller makes a key vanish.
        return max(keep, self._lease) // _MILLISECOND


_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# Ten digits of seconds since 1970 reach the year 2286.
_END_DIGITS = 10


_ISSUE = Script(nonce_scripts.ISSUE)
_CLAIM = Script(nonce_scripts.CLAIM)
_RELEASE = Script(nonce_scripts.RELEASE)
_SETTLE = Script(nonce_scripts.SETTLE)
_LOOK = Script(nonce_scripts.LOOK)
_ALIAS = Script(nonce_scripts.ALIAS)


def _shard(nonce: bytes) -> str:
    return nonce[:1].hex()


def _code_key(nonce: bytes) -> str:
    return f"pp:{{{_shard(nonce)}}}:code:{nonce.hex()}"


def _alias_key(alias: str) -> str:
    return f"pp:{{{alias[:2]}}}:alias:{alias}"


def _strides(keys: Iterable[bytes]) -> Iterator[list[bytes]]:
    stride: list[bytes] = []
    for key in keys:
        stride.append(key)
        if len(stride) == _STRIDE:
            yield stride
            stride = []
    if stride:
        yield stride


def _end_of(said: list[Any], key_id: int) -> int | None:
    """The end of a code that is of this key and not spent, in seconds since 1970."""
    state, key, end = said
    if state not in {b"waiting", b"claimed"} or key != str(key_id).encode():
        return None
    # Anyone who can write in Redis may have written it.
    is_number = isinstance(end, bytes) and end.isdigit() and len(end) <= _END_DIGITS
    return int(end) if is_number else None


def _text(value: Any) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _record_in(text: str | None) -> Mapping[str, str]:
    """Read an issue record; empty where it is none, as if there were none.

    Anyone who can write in Redis may have written it: that makes a code unknown.
    """
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    is_record = isinstance(found, dict) and all(
        isinstance(value, str) for value in found.values()
    )
    return found if is_record else {}


def _moment_in(text: str | None) -> datetime | None:
    """Read when a code was claimed; None where nobody can tell."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _claim_of(answer: list[Any]) -> Claim:
    """Read ``{state, record, result, ms left, claimed at}``; the tail may miss."""
    state, record, result, left, claimed_at = (*answer, None, None, None, None)[:5]
    return Claim(
        state=ClaimState(_text(state) or ""),
        record=_record_in(_text(record)),
        result=_text(result),
        retry_after=None if left is None else left * _MILLISECOND,
        claimed_at=_moment_in(_text(claimed_at)),
    )

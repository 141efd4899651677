"""The nonce store against a small model of it, through random lives of a few codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.store.errors import NonceTaken
from app.store.nonces import Claim, ClaimState, Nonces

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

NONCES = st.sampled_from([b"\0" * 9, b"\0" * 8 + b"\1", b"\xff" * 9])
REQUESTS = st.sampled_from(["anna", "ben", "carl"])
RECORDS = st.sampled_from([{}, {"card": "1"}, {"card": "2"}])
RESULTS = st.sampled_from(["stamp 7", "stamp 8"])
MINUTES = st.integers(0, 59).map(lambda minutes: NOON + timedelta(minutes=minutes))


class StutteringNonces(Nonces):
    """Sends every script twice, as happens when the first reply is lost."""

    def _ask(self, script, key, *args):
        first = super()._ask(script, key, *args)
        second = super()._ask(script, key, *args)
        if isinstance(first, list) and first[0] == b"in_use":
            # The time that is left is another by then.
            assert first[:3] == second[:3]
        else:
            assert first == second
        return second


@dataclass
class Code:
    """What the model knows of one code."""

    record: dict[str, str] | None
    owner: str | None = None
    has_lease: bool = False
    claimed_at: datetime | None = None
    result: str | None = None
    spender: str | None = None


@dataclass
class Model:
    codes: dict[bytes, Code] = field(default_factory=dict)

    def claim(self, nonce, request_id, at):
        code = self.codes.get(nonce)
        if code is None:
            return Claim(ClaimState.UNKNOWN, {})
        record = code.record or {}
        if code.spender is not None:
            is_mine = code.spender == request_id
            state = ClaimState.AGAIN if is_mine else ClaimState.SPENT
            return Claim(state, record, code.result)
        if code.owner == request_id:
            code.has_lease = True
            return Claim(ClaimState.AGAIN, record, claimed_at=code.claimed_at)
        if code.has_lease:
            return Claim(ClaimState.IN_USE, record)
        code.owner, code.has_lease, code.claimed_at = request_id, True, at
        return Claim(ClaimState.CLAIMED, record, claimed_at=at)

    def look(self, nonce):
        code = self.codes.get(nonce)
        if code is None:
            return Claim(ClaimState.UNKNOWN, {})
        record = code.record or {}
        if code.spender is not None:
            return Claim(ClaimState.SPENT, record, code.result)
        state = ClaimState.IN_USE if code.has_lease else ClaimState.WAITING
        return Claim(state, record)


def without_wait(claim):
    return Claim(claim.state, claim.record, claim.result, None, claim.claimed_at)


class Life(RuleBasedStateMachine):
    """Any order of calls by three requests on three codes."""

    url = ""

    def __init__(self):
        super().__init__()
        self.client = redis.Redis.from_url(self.url)
        self.client.flushall()
        self.store = StutteringNonces.open(self.url)
        self.model = Model()
        self.spent = {}

    def teardown(self):
        self.client.close()
        self.store.close()

    @rule(nonce=NONCES, record=RECORDS)
    def issue(self, nonce, record):
        known = self.model.codes.get(nonce)
        if known is not None and known.record != record:
            with pytest.raises(NonceTaken):
                self.store.issue(nonce, record, keep=HOUR)
            return
        self.store.issue(nonce, record, keep=HOUR)
        self.model.codes.setdefault(nonce, Code(record))

    @rule(nonce=NONCES, request_id=REQUESTS, at=MINUTES)
    def claim(self, nonce, request_id, at):
        answer = self.store.claim(nonce, request_id, at=at)

        assert without_wait(answer) == self.model.claim(nonce, request_id, at)
        assert (answer.state is ClaimState.IN_USE) == bool(answer.retry_after)

    @rule(nonce=NONCES, request_id=REQUESTS)
    def release(self, nonce, request_id):
        self.store.release(nonce, request_id)
        code = self.model.codes.get(nonce)
        if code and code.owner == request_id and code.spender is None:
            code.owner, code.has_lease, code.claimed_at = None, False, None

    @rule(nonce=NONCES, request_id=REQUESTS, result=RESULTS)
    def settle(self, nonce, request_id, result):
        self.store.settle(nonce, request_id, result, keep=HOUR)
        code = self.model.codes.setdefault(nonce, Code(None))
        if code.spender is None:
            code.spender, code.result = request_id, result
            self.spent[nonce] = (request_id, result)

    @rule(nonce=NONCES)
    def lease_runs_out(self, nonce):
        code = self.model.codes.get(nonce)
        if code and code.has_lease and code.spender is None:
            code.has_lease = False
            key = f"pp:{{{nonce[:1].hex()}}}:code:{nonce.hex()}"
            self.client.hset(key, "lease_until", 1)

    @rule()
    def redis_is_wiped(self):
        self.client.flushall()
        self.model.codes.clear()
        self.spent.clear()

    @invariant()
    def looking_tells_what_the_model_knows(self):
        for nonce in (b"\0" * 9, b"\0" * 8 + b"\1", b"\xff" * 9):
            assert without_wait(self.store.look(nonce)) == self.model.look(nonce)

    @invariant()
    def spent_stays_spent_with_its_first_result(self):
        for nonce, (_, result) in self.spent.items():
            answer = self.store.look(nonce)
            assert (answer.state, answer.result) == (ClaimState.SPENT, result)

    @invariant()
    def every_key_has_an_end(self):
        for key in self.client.scan_iter():
            assert 0 < self.client.pttl(key) <= HOUR / timedelta(milliseconds=1)


def test_any_order_of_calls_is_answered_as_the_model_says(redis_url):
    Life.url = redis_url
    Life.TestCase.settings = settings(
        max_examples=60, stateful_step_count=30, deadline=None
    )

    Life.TestCase().runTest()

"""Requests drawn from the API's own description: it is true, and nothing stumbles.

schemathesis reads ``/api/v1/openapi.json`` and draws what that allows and what it does
not: the edges of every part, then by chance, the same each time. Who asks is nobody,
somebody unknown, and everybody that there is. What is allowed is also sent with ids and
codes that are real, or little would get past the door.

``PUNCHPROOF_DRAWN`` names how many are drawn by chance for each call, asker and way,
for a longer run than the suite's.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from app.web.shared.errors import TABLE
from tests.app.web.conftest import Call, House, calls

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    allow_header_conformance,
]
DRAWN = int(os.environ.get("PUNCHPROOF_DRAWN", "4"))
#: A token that nobody has.
UNKNOWN = "A" * 43
#: Shorter words may stand in a refusal by chance.
ECHOED = 8


@pytest.fixture
def described(house: House) -> BaseSchema:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", house.app)


def of_call(described: BaseSchema, call: Call) -> APIOperation:
    """Find what is said of a call."""
    for found in described.get_all_operations():
        operation = found.ok()
        path = "/api/v1" + call.name
        said = re.sub(r"\{\w+\}", "{id}", operation.path)
        if (operation.method.upper(), said) == (call.method, path):
            return operation
    raise LookupError(str(call))


@pytest.mark.parametrize(
    "kind", [None, "unknown", "member", "terminal", "staff", "console"]
)
def test_every_answer_is_as_described(
    house: House, described: BaseSchema, kind: str | None, counts
):
    told: Counter[str] = Counter()
    for call in calls(house):
        operation = of_call(described, call)
        is_theirs = kind in call.kinds

        def send(case: Case) -> None:
            response = answered(house, kind, case)
            told[str(response.status_code)] += 1

        if is_theirs or kind is None:
            for case in edges(described, operation):
                send(case)
        for drawn in (strategy(operation, call, mode) for mode in GenerationMode):
            throw(drawn, send)

    counts(kind=kind or "nobody", **dict(sorted(told.items())))
    assert told.total() > 0


def edges(described: BaseSchema, operation: APIOperation) -> Iterator[Case]:
    """Draw the edges of every part of a call, what is allowed and what is not."""
    return described.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=described.config.generation_for(operation=operation),
    )


def strategy(
    operation: APIOperation, call: Call, mode: GenerationMode
) -> st.SearchStrategy[Case]:
    """Draw by chance; of what is allowed the half is near to what goes well."""
    drawn = operation.as_strategy(generation_mode=mode)
    if mode is not GenerationMode.POSITIVE:
        return drawn
    return drawn | st.tuples(drawn, st.sampled_from(sorted(call.body or {"": 0}))).map(
        lambda both: made_real(*both, call)
    )


def made_real(case: Case, kept: str, call: Call) -> Case:
    """Put in what is real, but for one field."""
    parts = call.path.split("/")
    for name in case.path_parameters or {}:
        case.path_parameters[name] = next(
            part
            for part, said in zip(parts, call.name.split("/"), strict=True)
            if said == "{id}"
        )
    if isinstance(case.body, dict):
        real = dict((call.body or {}).items())
        if "request_id" in real:
            real["request_id"] = uuid4().hex
        case.body = {**case.body, **{k: v for k, v in real.items() if k != kept}}
    return case


def throw(drawn: st.SearchStrategy[Case], send: Any) -> None:
    @settings(
        derandomize=True,
        database=None,
        max_examples=DRAWN,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def one(case: Case) -> None:
        send(case)

    one()


def answered(house: House, kind: str | None, case: Case) -> Response:
    """Send a request, and hold its answer to the description."""
    headers = {}
    if kind is not None:
        headers["Authorization"] = f"Bearer {house.tokens.get(kind, UNKNOWN)}"
    response = case.call(headers=headers)
    case.validate_response(response, checks=CHECKS, headers=headers)
    must_not_repeat(case, response)
    return response


def must_not_repeat(case: Case, response: Response) -> None:
    """A refusal is one of ours and says nothing of what came in."""
    if response.status_code < 400:
        return
    assert response.json()["code"] in TABLE
    for sent in strings([case.path_parameters, case.query, case.body]):
        assert len(sent) < ECHOED or sent not in response.text


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from strings(list(value.values()))
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)

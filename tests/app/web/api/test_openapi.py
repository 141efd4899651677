"""The API's description is there, and it is true."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel, RootModel

from app.programme import errors
from app.web.api import bodies, purchase_bodies, reward_bodies
from app.web.shared.errors import TABLE
from tests.app.web.conftest import House, calls, problem


@pytest.fixture
def document(house: House) -> dict[str, Any]:
    answer = house.api().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    described: dict[str, Any] = answer.get_json()
    return described


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): call
        for path, methods in document["paths"].items()
        for method, call in methods.items()
    }


def of_name(document: dict[str, Any], method: str, name: str) -> dict[str, Any]:
    """Find a call by its name in the design."""
    return next(
        call
        for (its, path), call in operations(document).items()
        if (its, re.sub(r"\{\w+\}", "{id}", path)) == (method, f"/api/v1{name}")
    )


def model_of(answer: dict[str, Any]) -> type[BaseModel]:
    (content,) = answer["content"].values()
    name = content["schema"]["$ref"].rpartition("/")[2]
    homes = (bodies, purchase_bodies, reward_bodies)
    home = next(each for each in homes if hasattr(each, name))
    model: type[BaseModel] = getattr(home, name)
    return model


def test_it_is_openapi_3_1(document: dict[str, Any]):
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Punchproof"


def test_it_names_every_call_and_no_other(house: House, document: dict[str, Any]):
    served = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in house.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.startswith("api.") and not rule.rule.endswith(".json")
    }

    assert operations(document).keys() == served
    # and those of the design are among them
    assert {(call.method, call.name) for call in calls(house)} == {
        (method, re.sub(r"\{\w+\}", "{id}", path.removeprefix("/api/v1")))
        for method, path in served
    }


def test_all_that_it_leans_on_is_in_it(document: dict[str, Any]):
    schemas = document["components"]["schemas"]

    names = re.findall(r'"\$ref": "([^"]*)"', json.dumps(document))

    assert {name.removeprefix("#/components/schemas/") for name in names} <= set(
        schemas
    )


def test_every_call_has_a_name_of_its_own_and_a_sentence(document: dict[str, Any]):
    every = list(operations(document).values())

    assert len({call["operationId"] for call in every}) == len(every)
    assert all(call["summary"].endswith(".") for call in every)


def test_every_part_of_an_address_is_described(document: dict[str, Any]):
    for (_, path), call in operations(document).items():
        told = {part["name"] for part in call["parameters"] if part["in"] == "path"}
        assert told == set(re.findall(r"\{(\w+)\}", path))


def test_it_tells_which_calls_need_a_token(house: House, document: dict[str, Any]):
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for call in calls(house):
        described = of_name(document, call.method, call.name)
        needs = [] if None in call.kinds else [{"bearer": []}]
        assert described["security"] == needs, str(call)


def test_every_answer_is_as_described(house: House, document: dict[str, Any]):
    for call in calls(house):
        described = of_name(document, call.method, call.name)

        answer = house.api(next(iter(call.kinds)))(call.method, call.path, call.body)

        model = model_of(described["responses"][str(answer.status_code)])
        model.model_validate_json(answer.data)
        if not issubclass(model, RootModel):
            assert answer.get_json().keys() <= model.model_fields.keys()


def test_every_body_that_goes_well_is_as_described(
    house: House, document: dict[str, Any]
):
    schemas = document["components"]["schemas"]
    for call in calls(house):
        described = of_name(document, call.method, call.name)
        assert ("requestBody" in described) == (call.body is not None)
        if call.body is not None:
            name = model_of(described["requestBody"]).__name__
            assert call.body.keys() <= schemas[name]["properties"].keys()
            assert set(schemas[name].get("required", ())) <= call.body.keys()
            assert schemas[name]["additionalProperties"] is False


def test_every_refusal_of_the_programme_is_described(document: dict[str, Any]):
    refusals = {
        str(int(TABLE[kind.code].status)) for kind in errors.Refused.__subclasses__()
    }

    for call in operations(document).values():
        assert refusals <= call["responses"].keys()
        for status in refusals:
            answer = call["responses"][status]
            assert answer["content"].keys() == {"application/problem+json"}
            assert model_of(answer) is bodies.Problem


def test_a_refusal_has_the_described_shape(house: House):
    code = house.card_code()
    body = {"code": code, "stamps": 1, "request_id": "1"}
    house.api("staff").post("/stamps", body)
    spent = house.api("staff").post("/stamps", body | {"request_id": "2"})

    for told in (
        problem(spent, 409, "code_spent"),
        problem(house.api().post("/members", {"x": 1}), 422, "invalid_request"),
    ):
        bodies.Problem.model_validate(told)
        assert told.keys() <= bodies.Problem.model_fields.keys()


def test_no_page_draws_it_with_scripts_from_elsewhere(house: House):
    for name in ("", "/swagger", "/redoc", "/scalar"):
        assert house.api().get(name + "/").status_code == 404


def test_a_body_may_be_left_out_where_nothing_in_it_must_be(
    house: House, document: dict[str, Any]
):
    for call in calls(house):
        said = of_name(document, call.method, call.name).get("requestBody")
        if said is None:
            continue
        answer = house.api(next(iter(call.kinds)))(call.method, call.path)
        assert said["required"] == (answer.status_code == 422), str(call)

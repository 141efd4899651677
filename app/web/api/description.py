"""The API's description, OpenAPI 3.1, drawn from the views and their bodies.

spectree writes it; checking is ours (``bodies.read``), since its own answers to a bad
request echo what came in.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from app.web.api.bodies import Problem

_View = TypeVar("_View", bound=Callable[..., Any])
#: Views that the description does not know yet, and what tells it of them.
_waiting: Final[dict[Callable[..., Any], Callable[[], None]]] = {}
_writing: Final = threading.Lock()


def _name(model: type[Any]) -> str:
    return model.__name__


def _nested_name(_parent: str, name: str) -> str:
    return name


class _Described(SpecTree):
    """A description of views that run as they are: nothing is wrapped around them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.described: dict[Callable[..., Any], Callable[..., Any]] = {}

    def get_function_metadata(self, func: Callable[..., Any]) -> Any:
        return super().get_function_metadata(self.described.get(func, func))


_spec: Final = _Described(
    "flask",
    title="Punchproof",
    version="1.0.0",
    description="Signed, single-use stamps. A refusal is application/problem+json.",
    openapi_version="3.1.0",
    # spectree leaves out what lies below its own path; a view of ours serves it.
    path="unserved",
    mode="strict",
    # Pages that would load their scripts from elsewhere.
    page_templates={},
    annotations=False,
    naming_strategy=_name,
    nested_naming_strategy=_nested_name,
    validation_error_model=Problem,
    security_schemes=[
        SecurityScheme(
            name="bearer",
            data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"),
        )
    ],
)


def described(
    *,
    gives: type[BaseModel],
    takes: type[BaseModel] | None = None,
    status: int = 201,
    is_open: bool = False,
) -> Callable[[_View], _View]:
    """Describe a view in the API's document; it runs as before.

    Args:
        gives: the body of its answer.
        takes: the body of its request.
        status: of its first answer; a repeat is answered with 200.
        is_open: whether anyone may call it, without a token.
    """

    def describe(view: _View) -> _View:
        _waiting[view] = partial(
            _tell, view, gives=gives, takes=takes, status=status, is_open=is_open
        )
        return view

    return describe


def _tell(
    view: Callable[..., Any],
    *,
    gives: type[BaseModel],
    takes: type[BaseModel] | None,
    status: int,
    is_open: bool,
) -> None:
    answers: dict[str, Any] = {f"HTTP_{status}": gives, "HTTP_200": gives}
    for refusal in (400, 401, 403, 404, 409, 410, 429, 503):
        answers[f"HTTP_{refusal}"] = Problem
    _spec.described[view] = _spec.validate(
        json=takes,
        resp=Response(**answers),
        security={} if is_open else {"bearer": []},
        skip_validation=True,
        operation_id=view.__name__,
    )(view)


def document() -> dict[str, Any]:
    """Write the description of every call, in the application's context."""
    with _writing:
        # Putting bodies into JSON Schema takes a third of a start: not before one asks.
        while _waiting:
            _waiting.popitem()[1]()
        written: dict[str, Any] = copy.deepcopy(_spec.spec)
    models = written["components"]["schemas"]
    for calls in written["paths"].values():
        for call in calls.values():
            if body := call.get("requestBody"):
                named = body["content"]["application/json"]["schema"]["$ref"]
                # No body is an empty one.
                body["required"] = "required" in models[named.rpartition("/")[2]]
            for status, answer in call["responses"].items():
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    # spectree knows no other kind of JSON.
                    problem = answer["content"].pop("application/json")
                    answer["content"]["application/problem+json"] = problem
    return written

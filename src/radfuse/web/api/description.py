"""The description of the API (OpenAPI), with what is the same for every route said once, here."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from radfuse.web.api.refusals import Problem
from radfuse.web.authentication import SESSION_COOKIE
from radfuse.web.policy import PUBLIC, row_for
from radfuse.web.problems import PROBLEM_TYPE

TITLE: Final = "Radfuse"
SUMMARY: Final = "The API of a DICOM archive node"
DESCRIPTION: Final = """\
What the console of this node is made of, for programs too. DICOM objects are searched, retrieved and stored over
DICOMweb, at `/dicom-web`.

A program gives an API token, as `Authorization: Bearer rf_...`; the console makes them under Users, and so does
`radfuse tokens add`. Every error is `application/problem+json` (RFC 9457) with a sentence in `detail`. Times are
seconds since 1970 (UTC); DICOM attributes are called by their keyword and hold what the object holds."""

_VALIDATION: Final = "HTTPValidationError"
_UNTOLD: Final = (_VALIDATION, "ValidationError")
_OPERATIONS: Final = ("get", "put", "post", "patch", "delete")
_INVALID: Final = str(HTTPStatus.UNPROCESSABLE_ENTITY.value)
_NOTHING_SAID: Final = "Successful Response"
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_SECURITY: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "basic": {"type": "http", "scheme": "basic", "description": "A user's name, and an API token as the password."},
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE, "description": "The console's login."},
}


def completed(description: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's description, with who may use each route and how it refuses."""
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    for name in _UNTOLD:
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    description["components"]["securitySchemes"] = _SECURITY
    description["security"] = [{name: []} for name in _SECURITY]
    for path, method, operation in operations_of(description):
        _complete(path, method, operation)
    return description


def operations_of(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation with its path and its method."""
    for path, item in description["paths"].items():
        for method in _OPERATIONS:
            if method in item:
                yield path, method, item[method]


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    # FastAPI's own 422 is our 400; a route may have one that means something else.
    is_checked = _INVALID in responses or bool(operation.get("parameters"))
    if _INVALID in responses and _VALIDATION in str(responses[_INVALID]):
        del responses[_INVALID]
    refused = {HTTPStatus.BAD_REQUEST} if is_checked else set()
    needs = row_for(method.upper(), path).needs
    if needs is PUBLIC:
        operation["security"] = []
    else:
        operation["x-role"] = needs.value
        refused |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    if "requestBody" in operation:
        refused.add(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    for status in refused:
        responses.setdefault(str(status.value), {"description": status.phrase})
    for status, response in responses.items():
        if response["description"] == _NOTHING_SAID:
            response["description"] = HTTPStatus(int(status)).phrase
        if int(status) >= HTTPStatus.BAD_REQUEST:
            response["content"] = {PROBLEM_TYPE: {"schema": _PROBLEM}}
        for content in response.get("content", {}).values():
            if "anyOf" in content.get("schema", {}):
                content["schema"].pop("type", None)  # FastAPI takes every stream for text
    operation["responses"] = dict(sorted(responses.items()))

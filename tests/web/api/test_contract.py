"""The API's description: whole, and the same as what the console was written against."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radfuse.web.api.description import operations_of
from tests.web.api.conftest import RunningApi

_API = Path(__file__).parents[3] / "frontend" / "src" / "api"
_FILES = ("types.ts", "workstation.ts", "registering.ts", "exports.ts", "documents.ts", "media.ts")
TYPES = "\n".join((_API / name).read_text(encoding="utf-8") for name in _FILES)

_INTERFACE = re.compile(r"export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^  (\w+)(\??): ", re.MULTILINE)
_UNION = re.compile(r"export type (\w+) = ((?:\"\w+\"(?: \| )?)+);")


def _interfaces() -> dict[str, tuple[str, dict[str, bool]]]:
    """By name: what it extends, and its fields, each with whether it may be left out."""
    found = {}
    for name, base, body in _INTERFACE.findall(TYPES):
        found[name] = (base, {field: mark == "?" for field, mark in _FIELD.findall(body)})
    return found


def _fields(name: str) -> dict[str, bool]:
    base, own = _interfaces()[name]
    return (_fields(base) if base else {}) | own


@pytest.fixture(scope="module")
def description(shared_api: RunningApi) -> dict[str, Any]:
    found: dict[str, Any] = shared_api.get("/openapi.json")
    return found


def _schemas(description: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The schema of this name: two where it is asked for and answered in two ways."""
    schemas = description["components"]["schemas"]
    for each in (name, f"{name}-Input", f"{name}-Output"):
        if each in schemas:
            yield schemas[each]


@pytest.mark.parametrize("name", sorted(_interfaces()))
def test_the_console_and_the_description_know_the_same_fields(description: dict[str, Any], name: str) -> None:
    found = list(_schemas(description, name))
    assert found, f"the description has no {name}"
    for schema in found:
        assert set(schema["properties"]) == set(_fields(name))


@pytest.mark.parametrize("name", sorted(_interfaces()))
def test_what_the_console_counts_on_is_always_there(description: dict[str, Any], name: str) -> None:
    always = {field for field, is_optional in _fields(name).items() if not is_optional}
    for schema in _schemas(description, name):
        given = {field for field, each in schema["properties"].items() if field in schema.get("required", ())}
        # What has a default (one of null is not told) need not be asked for, and is always answered.
        defaults = {field for field, each in schema["properties"].items() if "default" in each or "anyOf" in each}
        assert always <= given | defaults


@pytest.mark.parametrize("union", _UNION.findall(TYPES), ids=lambda union: union[0])
def test_words_are_the_same_in_both(description: dict[str, Any], union: tuple[str, str]) -> None:
    name, words = union
    schema = description["components"]["schemas"].get(name)
    if schema is not None:
        assert set(schema["enum"]) == set(re.findall(r'"(\w+)"', words))


def test_every_operation_says_what_it_does_and_how_it_ends(description: dict[str, Any]) -> None:
    operations = list(operations_of(description))
    assert len(operations) > 30
    for path, method, operation in operations:
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["tags"], where
        assert "HTTPValidationError" not in str(operation["responses"]), where
        assert operation.get("security") == [] or operation["x-role"], where
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], where
        good = [each for status, each in operation["responses"].items() if int(status) < 300 and status != "204"]
        assert all(content for each in good for content in each["content"]), where
    assert len({operation["operationId"] for _, _, operation in operations}) == len(operations)


def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    named = set(re.findall(r"#/components/schemas/([\w-]+)", str(description)))
    assert named <= set(description["components"]["schemas"])


# --- as a page -------------------------------------------------------------------------------


def test_the_page_names_every_operation_and_asks_nobody_else(
    shared_api: RunningApi, description: dict[str, Any]
) -> None:
    answer = shared_api.http.get(f"{shared_api.url}/api/docs")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert not re.search(r"(?:src|href)=\"(?!#|/)", answer.text)
    for path, _, _ in operations_of(description):
        assert f"<code>{path}</code>" in answer.text
    anchors = set(re.findall(r'href="#([^"]+)"', answer.text))
    assert anchors <= set(re.findall(r'id="([^"]+)"', answer.text))


# --- how long a request may be ---------------------------------------------------------------


def test_a_body_of_gigabytes_is_refused_before_it_is_sent(shared_api: RunningApi) -> None:
    with contextlib.closing(http.client.HTTPConnection(shared_api.url.removeprefix("http://"), timeout=60)) as client:
        client.putrequest("POST", "/api/sends")
        client.putheader("Content-Type", "application/json")
        client.putheader("Content-Length", str(4 << 30))
        client.endheaders(b"{")
        answer = client.getresponse()
        assert answer.status == 413
        assert json.load(answer)["status"] == 413


def test_a_body_without_end_is_refused_on_the_way(shared_api: RunningApi) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    answer = shared_api.http.post(f"{shared_api.url}/api/sends", content=endless(), headers=headers)
    assert answer.status_code == 413

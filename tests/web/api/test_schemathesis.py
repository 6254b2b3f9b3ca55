"""The API asked for what its description allows, and for what it does not: it answers as it says, and never fails."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from radfuse.core.aetitle import AETitle
from radfuse.services.peers import Peer
from radfuse.services.roles import Role
from radfuse.services.users import NewUser
from radfuse.web.policy import POLICY, shape_of
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.support.ports import unused_port
from tests.support.repeats import repeats
from tests.web.api.conftest import RunningApi, api_in
from tests.web.conftest import keep

pytestmark = pytest.mark.slow

EXAMPLES: Final = repeats(5, 20)
"""For each operation."""
_UNDESCRIBED: Final = ("/api/events", "/api/openapi.json", "/api/docs")
"""What never ends, and what describes."""
_CHECKS: Final = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
_OPERATIONS: Final = [
    (row.method, row.path)
    for row in POLICY
    if row.path.startswith("/api/") and row.method != "*" and row.path not in _UNDESCRIBED
]
_KNOWN: Final = {
    "study": STUDY_UID,
    "series": "2.25.7100.1",
    "instance": "2.25.7100.1.1",
    "number": 1,
    "name": "NOWHERE",
}
"""What is there, for the variables of paths."""
_RULE: Final = 'when = "instance"\n[if]\nattribute = "Modality"\nequals = "XX"\n[then]\nsend = ["NOWHERE"]\n'
_ACCEPTED: Final[dict[str, Any]] = {
    "ae_title": "OTHER",
    "definition": _RULE,
    "instances": [],
    "level": "study",
    "names": [STUDY_UID],
    "peer": "NOWHERE",
    "series": [{"study": STUDY_UID, "series": "2.25.7100.2"}],
    "sop_classes": ["CTImageStorage"],
    "studies": [STUDY_UID],
    "transfer_syntaxes": ["1.2.840.10008.1.2.1"],
}
"""What is taken, for members of bodies."""


@dataclass(frozen=True)
class Asked:
    """The application, and how to ask it."""

    api: RunningApi
    headers: dict[str, str]
    closed_port: int


@pytest.fixture(scope="module")
def closed_port() -> int:
    """A loopback port that nothing listens on."""
    return unused_port()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, generated_set: GeneratedSet, closed_port: int) -> Iterator[Asked]:
    """The application with a study, a peer that is not there, a job, and an administrator's token."""
    with api_in(tmp_path_factory.mktemp("api") / "data") as api:
        for path in generated_set.files:
            keep(api.archive, path)
        api.desk.peers.add(Peer("NOWHERE", AETitle("NOWHERE"), "127.0.0.1", closed_port, retries=0))
        api.send("POST", "/sends", {"peer": "NOWHERE", "studies": [STUDY_UID]}, status=202)
        api.desk.accounts.users.add(NewUser("anna", Role.ADMINISTRATOR, "correct horse battery"))
        secret = api.desk.accounts.tokens.add("anna", "test", Role.ADMINISTRATOR)[1]
        api.desk.accounts.credentials.forget()
        yield Asked(api, {"Authorization": f"Bearer {secret}"}, closed_port)


@pytest.fixture(scope="module")
def description(asked: Asked) -> BaseSchema:
    """What the API says of itself."""
    found = asked.api.http.get(f"{asked.api.url}/api/openapi.json", headers=asked.headers).json()
    schema = schemathesis.openapi.from_dict(found)
    schema.config.base_url = asked.api.url
    schema.config.generation.update(with_security_parameters=False)
    return schema


@pytest.mark.parametrize(("method", "path"), _OPERATIONS, ids=lambda word: word)
def test_every_operation_answers_as_it_is_described(
    asked: Asked, description: BaseSchema, method: str, path: str
) -> None:
    (described,) = (known for known in description if shape_of(known) == shape_of(path))
    operation = description[described][method]
    made = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(strategies.one_of(made))
    def ask(case: Case[Any]) -> None:
        _meet_what_is_there(case)
        _stay_on_this_machine(case.body, asked.closed_port)
        case.call_and_validate(checks=list(_CHECKS), headers=asked.headers)

    ask()


def _meet_what_is_there(case: Case[Any]) -> None:
    """Every other time what is asked for is there: else nothing but refusals would be seen."""
    made = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if case.path_parameters and made % 2:
        case.path_parameters = {name: _KNOWN.get(name, value) for name, value in case.path_parameters.items()}
    if isinstance(case.body, dict) and made % 4 > 1:
        case.body = {name: _ACCEPTED.get(name, value) for name, value in case.body.items()}


def _stay_on_this_machine(body: Any, port: int) -> None:
    """Peers that are tried are nobody's."""
    if isinstance(body, dict) and isinstance(body.get("host"), str):
        body["host"], body["port"] = "127.0.0.1", port

"""The application with its API on a free loopback port, over an archive and a desk of its own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from radfuse.app import load_settings
from radfuse.app.node_desk import RunningNode
from radfuse.app.web import check_http
from radfuse.archive import Archive, ArchiveSettings
from radfuse.dicom import Transcoder
from radfuse.jobs import Jobs
from radfuse.services.access_log import AccessLog
from radfuse.services.associating import Caller
from radfuse.services.context_lists import ContextLists
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.peers import Peers
from radfuse.services.rules import Rules
from radfuse.services.users import Accounts, Passwords
from radfuse.services.workspaces import Workspaces
from radfuse.web import ApiDesk, Entrance, Site, WebSurroundings, create_app
from radfuse.wire import Limits
from tests.support.generate import GeneratedSet
from tests.web.conftest import keep, running_app

OUR_TITLE = "RADFUSE"
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Passwords that cost next to nothing."""


@dataclass(frozen=True)
class RunningApi:
    """The application while it serves."""

    archive: Archive
    desk: ApiDesk
    folder: Path
    """The data folder: its queue and its configuration."""
    url: str
    http: httpx.Client

    def get(self, path: str, /, **query: Any) -> Any:
        """What GET of a path below /api answers, as JSON; it must be 200."""
        answer = self._answer("GET", path, None, query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """What a request with a JSON body answers, as JSON; None when there is no content."""
        answer = self.http.request(method, f"{self.url}/api{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def problem(self, method: str, path: str, body: object = None, /, **query: Any) -> Mapping[str, Any]:
        """The problem that a request ends in."""
        answer = self._answer(method, path, body, query)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem: Mapping[str, Any] = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["detail"]
        return problem

    def _answer(self, method: str, path: str, body: object, query: Mapping[str, Any]) -> httpx.Response:
        """What is asked for again while a volume is still being read (202)."""
        while True:
            answer = self.http.request(method, f"{self.url}/api{path}", json=body, params=query or None)
            if method != "GET" or answer.status_code != HTTPStatus.ACCEPTED:
                return answer
            time.sleep(0.1)


@contextlib.contextmanager
def desk_over(folder: Path, databases: Mapping[str, WebSurroundings]) -> Iterator[ApiDesk]:
    """A desk with its own queue and configuration in ``folder``."""
    with (
        contextlib.closing(Jobs(folder)) as jobs,
        contextlib.closing(Peers(folder)) as peers,
        contextlib.closing(ContextLists(folder)) as context_lists,
        contextlib.closing(Rules(folder)) as rules,
        contextlib.closing(Accounts.open(folder, passwords=QUICK)) as accounts,
        contextlib.closing(AccessLog(folder)) as access_log,
        contextlib.closing(Workspaces(folder)) as workspaces,
    ):
        yield ApiDesk(
            databases=databases,
            jobs=jobs,
            peers=peers,
            context_lists=context_lists,
            rules=rules,
            caller_of=lambda peer, title: Caller(title or peer.calling_ae_title or OUR_TITLE, Limits()),
            node=RunningNode(load_settings(folder), peers, check_http),
            accounts=accounts,
            access_log=access_log,
            workspaces=workspaces,
            data=folder,
        )


@contextlib.contextmanager
def api_in(
    folder: Path, entrance: Entrance | None = None, *, is_local: bool = True, **facts: Any
) -> Iterator[RunningApi]:
    """The application in ``folder``, until the end of the block; ``facts``: other fields of its desk."""
    entrance = entrance or Entrance()
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        archive = stack.enter_context(Archive(ArchiveSettings(folder)))
        surroundings = WebSurroundings(archive, stack.enter_context(Transcoder()), OUR_TITLE)
        desk = stack.enter_context(desk_over(folder, {DEFAULT_DATABASE: surroundings}))
        desk = replace(desk, public_url=entrance.public_url, **facts)
        site = Site({}, is_local, entrance, desk=desk)
        url = stack.enter_context(running_app(create_app(surroundings, site)))
        http = stack.enter_context(httpx.Client(timeout=60))
        yield RunningApi(archive, desk, folder, url, http)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """The application over an empty archive."""
    with api_in(tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    """As ``api``, for all tests of a module."""
    with api_in(tmp_path_factory.mktemp("api") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def filled_api(tmp_path_factory: pytest.TempPathFactory, generated_set: GeneratedSet) -> Iterator[RunningApi]:
    """The application over the generated study. Shared by a module: nothing is added to its archive."""
    with api_in(tmp_path_factory.mktemp("api") / "data") as running:
        for path in generated_set.files:
            keep(running.archive, path)
        yield running

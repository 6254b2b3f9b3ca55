"""The policy: every route of the application is in it, and nothing that is not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from radfuse.archive import Archive, ArchiveSettings
from radfuse.dicom import Transcoder
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.roles import Role
from radfuse.web import STATIC, Site, WebSurroundings, create_app
from radfuse.web.policy import DICOMWEB_PREFIXES, POLICY, PUBLIC, row_for, shape_of, shapes, study_of
from tests.web.api.conftest import OUR_TITLE, desk_over
from tests.web.routes import application_in, routes_in

REST = "/{rest:path}"


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[tuple[str, str]]]:
    """Methods and paths of all routes of the application, with another database too."""
    folder = tmp_path_factory.mktemp("policy")
    with contextlib.ExitStack() as stack:
        transcoder = stack.enter_context(Transcoder())
        archive = stack.enter_context(Archive(ArchiveSettings(folder)))
        surroundings = WebSurroundings(archive, transcoder, OUR_TITLE)
        desk = stack.enter_context(desk_over(folder, {DEFAULT_DATABASE: surroundings}))
        site = Site({"research": surroundings}, desk=desk, console=STATIC, ohif=folder)
        app = application_in(create_app(surroundings, site))
        yield {(method, path) for method, path, _ in routes_in(app.router.routes)}


def shape(path: str) -> str:
    """The shape of a route's path; a database has its name in it."""
    return shape_of(path.replace("/databases/research/", "/databases/{database}/"))


def test_every_route_has_a_row_of_its_own(routes: set[tuple[str, str]]) -> None:
    known = set(shapes())
    assert len(routes) > 80
    assert {(method, path) for method, path in routes if (method, shape(path)) not in known} == set()


def test_every_row_is_for_a_route(routes: set[tuple[str, str]]) -> None:
    there = {(method, shape(path)) for method, path in routes}
    assert {each for each in shapes() if each[0] != "*"} - there == set()


def test_no_route_is_there_twice() -> None:
    found = list(shapes())
    assert len(found) == len(set(found))


def test_every_row_is_found_by_a_path_of_it() -> None:
    for row in POLICY:
        method = "PATCH" if row.method == "*" else row.method
        path = row.path.replace(":path}", "}")
        filled = "/".join("x" if part.startswith("{") else part for part in path.split("/"))
        assert row_for(method, filled) is row, row
        if row.method == "GET":
            assert row_for("HEAD", filled) is row


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/secrets"),
        ("GET", "/api"),
        ("GET", "/api/"),
        ("POST", "/ohif/"),
        ("POST", "/api/jobs"),
        ("GET", "/api/jobs/"),
        ("GET", "/api/jobs//items"),
        ("DELETE", "/dicom-web/studies/1.2.3"),
        ("GET", "/dicom-web/admin"),
        ("GET", "/databases/research"),
        ("GET", "/databases/research/dicom-web/x"),
        ("POST", "/metrics"),
        ("POST", "/"),
        ("PUT", "/index.html"),
        ("TRACE", "/api/session"),
        ("BREW", "/healthz"),
    ],
)
def test_what_no_row_names_is_the_administrators(method: str, path: str) -> None:
    assert row_for(method, path).needs is Role.ADMINISTRATOR


@pytest.mark.parametrize("path", ["/", "/studies", "/assets/index.js", "/jobs/5", "//api/jobs", "/apifoo"])
def test_the_files_of_the_console_are_for_everybody(path: str) -> None:
    assert row_for("GET", path).needs is PUBLIC


def test_only_these_need_no_login() -> None:
    assert {(row.method, row.path) for row in POLICY if row.needs is PUBLIC} == {
        ("GET", "/healthz"),
        ("POST", "/api/session"),
        ("DELETE", "/api/session"),
        ("GET", "/{file:path}"),
        ("GET", "/ohif"),
        ("GET", "/ohif/{file:path}"),
    }


def test_readers_change_nothing_but_what_is_theirs() -> None:
    assert {(row.method, row.path) for row in POLICY if row.needs is Role.READER and row.method != "GET"} == {
        ("PUT", "/api/session/password"),
        ("POST", "/api/tokens"),
        ("DELETE", "/api/tokens/{token}"),
        ("POST", "/api/exports/plan"),
        ("POST", "/api/pictures"),
        ("POST", "/api/registrations/landmarks"),
        ("POST", "/api/registrations/points"),
        ("POST", "/api/regions"),
        ("POST", "/api/tumour-burden"),
        ("POST", "/api/dose"),
        ("POST", "/api/values"),
        ("POST", "/api/workspaces"),
        ("PUT", "/api/workspaces/{workspace}"),
        ("DELETE", "/api/workspaces/{workspace}"),
    }


def test_every_dicomweb_request_is_told_to_the_access_log() -> None:
    rows = [row for row in POLICY if row.path.startswith(DICOMWEB_PREFIXES) and not row.path.endswith(REST)]
    assert {row.action for row in rows if row.method != "*"} == {"search", "view", "download", "store"}


def test_the_study_of_a_path_is_found() -> None:
    for prefix in ("/dicom-web", "/databases/research/dicom-web"):
        path = f"{prefix}/studies/1.2.3/series/1.2.4"
        assert study_of(row_for("GET", path), path) == "1.2.3"
    assert study_of(row_for("GET", "/dicom-web/series"), "/dicom-web/series") == ""


def test_a_word_goes_before_a_variable() -> None:
    assert row_for("POST", "/api/peers/test").needs is Role.ADMINISTRATOR
    assert row_for("POST", "/api/peers/test/test").needs is Role.OPERATOR
    assert row_for("PUT", "/api/peers/test").path == "/api/peers/{name}"

"""Drafts over the API: kept, told apart, never lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from radfuse.services.roles import Role
from radfuse.services.users import NewUser
from radfuse.services.workspaces import Workspaces, keeping
from tests.support.graphs import Scene
from tests.web.api.conftest import RunningApi, api_in


@dataclass(frozen=True)
class Desk:
    """An API over a study of two series."""

    api: RunningApi
    study: str
    series: tuple[str, str]

    def begun(self, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.api.send("POST", "/workspaces", {"study": self.study, **more})
        return found

    def put(self, draft: dict[str, Any], revision: int, client: str = "", **changes: Any) -> httpx.Response:
        body = {"revision": revision, "state": draft["state"] | changes, "client": client}
        return self.api.http.put(f"{self.api.url}/api/workspaces/{draft['id']}", json=body)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with api_in(tmp_path_factory.mktemp("workspaces") / "data") as api:
        scene = Scene(api.archive)
        series = scene.add_series("ct"), scene.add_series("pet", modality="PT")
        yield Desk(api, str(scene.of("ct")[0].StudyInstanceUID), series)


SHAPE = {
    "grid": {
        "shape": [2, 2, 2],
        "origin_mm": [0, 0, 0],
        "spacing_mm": [1, 1, 1],
        "direction": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        "FrameOfReferenceUID": "2.25.1",
    },
    "bounds": [0, 2, 0, 2, 0, 2],
    "runs": "AAAAAAgAAAA=",
}


def region(series: str, runs: str = SHAPE["runs"]) -> dict[str, Any]:  # type: ignore[assignment]
    return {
        "id": "r1",
        "name": "Lesion 1",
        "number": 1,
        "colour": [255, 200, 0],
        "series": series,
        "base": series,
        "rule": {"kind": "carried", "shape": SHAPE, "from": {"series": series}},
        "shape": SHAPE | {"runs": runs},
        "numbers": [{"SeriesInstanceUID": series, "unit": "HU", "voxels": 8, "mean": 1.5}],
        "is_visible": True,
        "kind": "lesion",
        "made_by": "local",
        "made_s": 1.0,
    }


def test_a_draft_begins_with_its_series_and_is_found_again(desk: Desk) -> None:
    draft = desk.begun(series=desk.series, title="First look")
    assert (draft["revision"], draft["title"], draft["made_by"]) == (1, "First look", "local")
    assert [draft["state"][name]["series"] for name in ("base", "overlay")] == list(desk.series)
    assert desk.api.get(f"/workspaces/{draft['id']}") == draft
    listed = next(each for each in desk.api.get("/workspaces", study=desk.study) if each["id"] == draft["id"])
    assert listed["bytes"] > 0
    assert "state" not in listed
    assert desk.begun()["state"]["base"] is None


def test_what_is_put_comes_back_to_the_letter(desk: Desk) -> None:
    draft = desk.begun()
    answer = desk.put(draft, 1, regions=[region(desk.series[0])], cursor_mm=[1.5, 2, -3])
    assert answer.json() == {"revision": 2}
    state = desk.api.get(f"/workspaces/{draft['id']}")["state"]
    (kept,) = state["regions"]
    assert kept["rule"]["from"]["series"] == desk.series[0]
    assert kept["shape"] == SHAPE
    assert (kept["numbers"][0]["mean"], kept["numbers"][0]["peak"]) == (1.5, None)
    assert state["cursor_mm"] == [1.5, 2, -3]
    assert desk.put({"id": draft["id"], "state": state}, 2).json() == {"revision": 2}, "nothing is new"


def test_who_comes_too_late_is_given_the_other_state_and_loses_nothing(desk: Desk) -> None:
    draft = desk.begun()
    desk.put(draft, 1, "mine", blend=0.2)
    refused = desk.put(draft, 1, "yours", blend=0.8)
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert (problem["theirs"]["revision"], problem["theirs"]["state"]["blend"]) == (2, 0.2)
    versions = desk.api.get(f"/workspaces/{draft['id']}/versions")
    late = next(version for version in versions if not version["is_newest"] and version["revision"] == 1)
    found = [
        desk.api.get(f"/workspaces/{draft['id']}/versions/{each['number']}")["state"]["blend"] for each in versions
    ]
    assert set(found) >= {0.2, 0.8}
    assert desk.api.get(f"/workspaces/{draft['id']}/versions/{late['number']}")["id"] == draft["id"]


def test_a_draft_survives_the_service(desk: Desk) -> None:
    draft = desk.begun()
    desk.put(draft, 1, blend=0.75)
    with contextlib.closing(Workspaces(desk.api.folder)) as others:
        assert b'"blend":0.75' in others.find("default", draft["id"]).state


def test_megabytes_of_regions_are_kept_and_too_many_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LIMIT_BYTES", 8 << 20)
    draft = desk.begun()
    regions = [region(desk.series[0], "A" * (5 << 20)), region(desk.series[0], "A" * (2 << 20))]
    assert desk.put(draft, 1, regions=regions).json() == {"revision": 2}
    refused = desk.put(draft, 2, regions=[*regions, region(desk.series[0], "A" * (2 << 20))])
    assert refused.status_code == 413
    assert "remove regions" in refused.json()["detail"]
    assert desk.api.get(f"/workspaces/{draft['id']}")["revision"] == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"extra": 1}, "state.extra"),
        ({"blend": 2}, "state.blend"),
        ({"mode": "magic"}, "state.mode"),
        ({"base": {"series": "2.25.1", "unit": 5}}, "state.base.unit"),
        ({"cursor_mm": [0, 0, 1e9]}, "state.cursor_mm.2"),
    ],
)
def test_a_state_of_another_form_is_refused_by_its_field(desk: Desk, changes: dict[str, Any], field: str) -> None:
    refused = desk.put(desk.begun(), 1, **changes)
    assert (refused.status_code, refused.json()["setting"]) == (400, field)


def test_what_is_not_there_says_so(desk: Desk) -> None:
    draft = desk.begun()
    assert desk.api.problem("GET", "/workspaces/nothing")["status"] == 404
    assert desk.api.problem("GET", f"/workspaces/{draft['id']}/versions/99")["status"] == 404
    assert desk.api.problem("GET", f"/workspaces/{draft['id']}", database="other")["status"] == 404
    assert desk.api.problem("GET", "/workspaces", study="x")["status"] == 400
    assert desk.api.problem("POST", "/workspaces", {"study": desk.study, "series": ["2.25.404"]})["status"] == 404
    assert desk.api.problem("POST", "/workspaces", {"study": desk.study, "from": "2.25.4"})["status"] == 404


def test_a_removed_draft_is_gone(desk: Desk) -> None:
    draft = desk.begun()
    desk.api.send("DELETE", f"/workspaces/{draft['id']}", status=204)
    assert desk.put(draft, 1).status_code == 404


def test_a_reader_removes_only_what_they_began(api: RunningApi) -> None:
    users, address = api.desk.accounts.users, f"{api.url}/api/workspaces"
    secrets = {}
    for name, role in (("ada", Role.ADMINISTRATOR), ("rita", Role.READER), ("rolf", Role.READER)):
        users.add(NewUser(name, role, "a very long password"))
        _, secrets[name] = api.desk.accounts.tokens.add(name, "test", role)

    def ask(name: str, method: str, path: str = "", **more: Any) -> httpx.Response:
        return api.http.request(method, address + path, headers={"Authorization": f"Bearer {secrets[name]}"}, **more)

    drafts = [ask("rita", "POST", json={"study": "2.25.1"}).json() for _ in range(2)]
    assert {draft["made_by"] for draft in drafts} == {"rita"}
    first, second = (f"/{draft['id']}" for draft in drafts)
    refused = ask("rolf", "DELETE", first)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    assert ask("rolf", "GET", first).json() == drafts[0]
    assert ask("rita", "DELETE", first).status_code == 204
    assert ask("ada", "DELETE", second).status_code == 204

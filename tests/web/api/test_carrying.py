"""Carrying over the API: points at once, regions and images as a job, and all that can be asked wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.graphs import Scene, shift
from tests.web.api.conftest import RunningApi, api_in


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningApi, Scene, dict[str, Any]]]:
    with api_in(tmp_path_factory.mktemp("carrying") / "data") as api:
        scene = Scene(api.archive)
        scene.judge(scene.register("ct", "mr", shift(1, 2, 3)), "CAUTION", "back within 4.8 mm")
        scene.of("alone")
        yield api, scene, {"fixed": scene.uid("ct"), "moving": scene.uid("mr")}


def test_points_are_carried_at_once_with_the_grade(ready: tuple[RunningApi, Scene, dict[str, Any]]) -> None:
    api, _, ends = ready
    found = api.send("POST", "/registrations/points", {**ends, "points": [[1, 2, 3], [10, 0, 0]]}, 200)
    assert found["points"] == [[0, 0, 0], [9, -2, -3]]
    assert (found["grade"], found["path"]["steps"][0]["is_forward"], found["notes"]) == ("CAUTION", True, [])
    back = {"fixed": ends["moving"], "moving": ends["fixed"], "points": found["points"]}
    assert api.send("POST", "/registrations/points", back, 200)["points"] == [[1, 2, 3], [10, 0, 0]]


def test_regions_and_images_are_queued_along_the_path_there_is(
    ready: tuple[RunningApi, Scene, dict[str, Any]],
) -> None:
    api, _, ends = ready
    job = api.send("POST", "/registrations/carry", {**ends, "priority": 2}, 202)
    assert (job["kind"], job["state"], job["pending"]) == ("carry", "queued", 1)
    parameters = api.desk.jobs.get(job["id"]).parameters
    (step,) = api.get("/registrations/path", **ends)["steps"]
    assert (parameters["only"], parameters["what"]) == ([step["registration"]], {"unit": None})
    regions = {**ends, "structures": "2.25.4", "names": ["GTV"], "form": "slices"}
    parameters = api.desk.jobs.get(api.send("POST", "/registrations/carry", regions, 202)["id"]).parameters
    assert parameters["what"] == {"structures": "2.25.4", "names": ["GTV"], "form": "slices"}


@pytest.mark.parametrize("route", ["points", "carry"])
def test_series_that_are_not_registered_are_a_conflict_that_says_what_to_do(
    ready: tuple[RunningApi, Scene, dict[str, Any]], route: str
) -> None:
    api, scene, ends = ready
    more = {"points": [[0, 0, 0]]} if route == "points" else {}
    problem = api.problem("POST", f"/registrations/{route}", {**ends, "moving": scene.uid("alone"), **more})
    assert problem["status"] == 409
    assert "not registered: " in problem["detail"]
    assert "register them" in problem["detail"]


@pytest.mark.parametrize(
    ("route", "changes", "status", "words"),
    [
        ("points", {"points": []}, 400, "points"),
        ("points", {"points": [[1, 2]]}, 400, "points"),
        ("points", {"points": [[0, 0, 0]], "fixed": "x"}, 400, "Series Instance UID"),
        ("points", {"points": [[0, 0, 0]], "fixed": "2.25.404"}, 404, "no such series"),
        ("points", {"points": [[0, 0, 0]], "only": ["2.25.404"]}, 404, "registration"),
        ("carry", {"names": ["GTV"]}, 400, "structures"),
        ("carry", {"form": "voxels"}, 400, "form"),
        ("carry", {"structures": "x"}, 400, "UID of structures"),
        ("carry", {"everything": True}, 400, "everything"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    route: str,
    changes: dict[str, Any],
    status: int,
    words: str,
    ready: tuple[RunningApi, Scene, dict[str, Any]],
) -> None:
    api, _, ends = ready
    problem = api.problem("POST", f"/registrations/{route}", ends | changes)
    assert problem["status"] == status
    assert words in str(problem)

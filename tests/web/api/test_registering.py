"""Registering over the API: a job that is queued, and all that can be asked wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.graphs import Scene
from tests.web.api.conftest import RunningApi, api_in


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningApi, dict[str, Any]]]:
    """An API with two series, and what would register them."""
    with api_in(tmp_path_factory.mktemp("registering") / "data") as api:
        scene = Scene(api.archive)
        fixed, moving = (str(scene.of(name)[0].SeriesInstanceUID) for name in ("ct", "mr"))
        yield api, {"fixed": fixed, "moving": moving, "clicks": [{"fixed": [1, 2, 3], "moving": [4, 5, 6]}]}


def test_two_series_are_queued_to_be_registered(ready: tuple[RunningApi, dict[str, Any]]) -> None:
    api, wanted = ready
    region = {"centre": [1, 2, 3], "radius_mm": 40}
    job = api.send("POST", "/registrations", wanted | {"kind": "affine", "region": region, "priority": 2}, 202)
    assert (job["kind"], job["state"], job["pending"]) == ("register", "queued", 1)
    parameters = api.desk.jobs.get(job["id"]).parameters
    assert (parameters["kind"], parameters["region"], parameters["clicks"]) == (
        "affine",
        [1, 2, 3, 40],
        [[1, 2, 3, 4, 5, 6, ""]],
    )
    box = {"centre": [1, 2, 3], "size_mm": [40, 50, 60]}
    job = api.send("POST", "/registrations", wanted | {"region": box}, 202)
    assert api.desk.jobs.get(job["id"]).parameters["region"] == [1, 2, 3, 40, 50, 60]


def test_a_registration_by_hand_is_queued(ready: tuple[RunningApi, dict[str, Any]]) -> None:
    api, wanted = ready
    hand = {"kind": "manual", "clicks": [], "manual": {"shift_mm": [1, 2, 3], "turn_degrees": [0, 0, 4.5]}}
    job = api.send("POST", "/registrations", wanted | hand, 202)
    assert api.desk.jobs.get(job["id"]).parameters["manual"] == [[1, 2, 3], [0, 0, 4.5]]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"fixed": "2.25.404"}, 404, "no such series"),
        ({"moving": "x"}, 400, "Series Instance UID"),
        ({"kind": "elastic"}, 400, "kind"),
        ({"kind": "landmarks"}, 400, "needs landmarks"),
        ({"kind": "manual"}, 400, "three shifts"),
        ({"manual": {"turn_degrees": [400, 0, 0]}}, 400, "turn_degrees"),
        ({"from_path": True}, 400, "not from both"),
        ({"clicks": [{"fixed": [1, 2], "moving": [4, 5, 6]}]}, 400, "clicks"),
        ({"region": {"centre": [1, 2, 3], "radius_mm": 0}}, 400, "radius_mm"),
        ({"region": {"centre": [1, 2, 3]}}, 400, "a sphere"),
        ({"region": {"centre": [1, 2, 3], "radius_mm": 4, "size_mm": [1, 2, 3]}}, 400, "a sphere"),
        ({"region": {"centre": [1, 2, 3], "size_mm": [1, 2, 0]}}, 400, "size_mm"),
        ({"everything": True}, 400, "everything"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    changes: dict[str, Any], status: int, words: str, ready: tuple[RunningApi, dict[str, Any]]
) -> None:
    api, wanted = ready
    before = len(api.desk.jobs.list())
    problem = api.problem("POST", "/registrations", wanted | changes)
    assert problem["status"] == status
    assert words in str(problem)
    assert len(api.desk.jobs.list()) == before

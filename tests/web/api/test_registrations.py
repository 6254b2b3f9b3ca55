"""Registrations and paths over the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.graphs import Scene, shift
from tests.web.api.conftest import RunningApi, api_in


@dataclass(frozen=True)
class Registered:
    """An API over a scene."""

    api: RunningApi
    scene: Scene
    study: str


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registered]:
    with api_in(tmp_path_factory.mktemp("registrations") / "data") as api:
        scene = Scene(api.archive)
        judged = scene.register("ct", "mr", shift(1, 2, 3), when=1)
        scene.judge(judged, "PASS", "landmarks")
        scene.register("ct", "mr", shift(9, 2, 3), when=2)
        scene.judge(scene.register("ct", "far", shift(3)), "FAIL")
        scene.of("alone")
        yield Registered(api, scene, str(scene.of("ct")[0].StudyInstanceUID))


def test_registrations_that_touch_a_study_are_listed(registered: Registered) -> None:
    found = registered.api.get("/registrations", study=registered.study)
    assert [each["grade"] for each in found] == ["PASS", "NOT JUDGED", "FAIL"]
    (link,) = found[0]["links"]
    assert (link["fixed"], link["moving"]) == (registered.scene.frame("ct"), registered.scene.frame("mr"))
    assert (found[0]["grade_reason"], found[0]["findings"]) == ("landmarks", [])
    assert registered.api.problem("GET", "/registrations", study="2.25.404")["status"] == 404
    assert registered.api.problem("GET", "/registrations", study="x")["status"] == 400
    assert registered.api.problem("GET", "/registrations")["status"] == 400


def test_the_path_between_two_series_is_told_with_what_contradicts_it(registered: Registered) -> None:
    ct, mr = registered.scene.uid("ct"), registered.scene.uid("mr")
    path = registered.api.get("/registrations/path", fixed=mr, moving=ct)
    assert (path["is_registered"], path["grade"], path["is_deformable"]) == (True, "PASS", False)
    assert path["matrix"][3::4] == pytest.approx([-1, -2, -3, 1])
    (step,) = path["steps"]
    assert (step["is_forward"], step["start"]) == (False, registered.scene.frame("mr"))
    (other,) = path["contradictions"]
    assert other["difference_mm"] == pytest.approx(8, abs=0.01)
    only = registered.api.get("/registrations/path", fixed=ct, moving=mr, only=other["steps"][0]["registration"])
    assert only["matrix"][3] == 9


def test_what_is_not_registered_says_so_and_is_no_error(registered: Registered) -> None:
    ct, far, alone = (registered.scene.uid(name) for name in ("ct", "far", "alone"))
    refused = registered.api.get("/registrations/path", fixed=ct, moving=alone)
    assert (refused["is_registered"], refused["matrix"], refused["grade"]) == (False, None, None)
    assert refused["sentence"].startswith("not registered: ")
    assert not registered.api.get("/registrations/path", fixed=ct, moving=far)["is_registered"]
    assert registered.api.get("/registrations/path", fixed=ct, moving=far, allow_failed=True)["grade"] == "FAIL"
    assert registered.api.problem("GET", "/registrations/path", fixed=ct, moving="2.25.404")["status"] == 404
    assert registered.api.problem("GET", "/registrations/path", fixed=ct, moving="x")["status"] == 400
    assert registered.api.problem("GET", "/registrations/path", fixed=ct, moving=far, only="2.25.9")["status"] == 404

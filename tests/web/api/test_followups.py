"""Follow-up over the API: the priors of a study, a job that is queued, and all that can be asked wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.graphs import Scene
from tests.web.api.conftest import RunningApi, api_in


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningApi, dict[str, Any]]]:
    """An API with two series of one study, and what would compare them."""
    with api_in(tmp_path_factory.mktemp("followups") / "data") as api:
        scene = Scene(api.archive)
        current, prior = (str(scene.of(name)[0].SeriesInstanceUID) for name in ("now", "before"))
        yield api, {"current": current, "prior": prior}


def test_two_series_are_queued_to_be_compared(ready: tuple[RunningApi, dict[str, Any]]) -> None:
    api, wanted = ready
    extra = {"rule": "SUV 4", "current_structures": "2.25.3", "pairs": [{"prior": "a", "current": "b"}], "margin_mm": 5}
    job = api.send("POST", "/followups", wanted | extra | {"registration": "rigid"}, 202)
    assert (job["kind"], job["state"], job["pending"]) == ("followup", "queued", 1)
    parameters = api.desk.jobs.get(job["id"]).parameters
    assert (parameters["rule"], parameters["pairs"], parameters["linking"]) == ("4", [["a", "b"]], "rigid")


def test_the_priors_of_a_study_say_why(ready: tuple[RunningApi, dict[str, Any]]) -> None:
    api, wanted = ready
    study = api.get("/studies")["studies"][0]["StudyInstanceUID"]
    found = api.get(f"/studies/{study}/priors")
    of_current = {each["SeriesInstanceUID"]: each["candidates"] for each in found}[wanted["current"]]
    assert [(each["SeriesInstanceUID"], each["reason"], each["is_chosen"]) for each in of_current] == [
        (wanted["prior"], "it is of the same study", False)
    ]
    assert api.problem("GET", "/studies/2.25.404/priors")["status"] == 404


def test_a_study_without_a_follow_up_has_no_tables(ready: tuple[RunningApi, dict[str, Any]]) -> None:
    api, _ = ready
    study = api.get("/studies")["studies"][0]["StudyInstanceUID"]
    assert api.get("/followups", study=study) == []
    assert api.problem("GET", "/followups?study=x")["status"] == 400


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"current": "2.25.404"}, 404, "no such series"),
        ({"prior": "2.25.404"}, 404, "no such series"),
        ({"current": "x"}, 400, "Series Instance UID"),
        ({"structures": "x"}, 400, "UID"),
        ({"rule": "half"}, 400, "a rule is"),
        ({"pairs": [{"prior": "a", "current": "b"}]}, 400, "drawn on the current images"),
        ({"margin_mm": -1}, 400, "margin_mm"),
        ({"registration": "elastic"}, 400, "registration"),
        ({"everything": True}, 400, "everything"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    changes: dict[str, Any], status: int, words: str, ready: tuple[RunningApi, dict[str, Any]]
) -> None:
    api, wanted = ready
    before = len(api.desk.jobs.list())
    problem = api.problem("POST", "/followups", wanted | changes)
    assert problem["status"] == status
    assert words in str(problem)
    assert len(api.desk.jobs.list()) == before

"""Proposed registrations over the API: the card, the pictures, yes and no; and fits of landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from radfuse.jobs import JobContext, run_next
from radfuse.services.image_jobs import ImageSurroundings
from radfuse.services.import_media import import_files
from radfuse.services.register_job import REGISTER, run_registration
from tests.support.two_series import CT_SERIES, MR_SERIES, TRUTH, write_two_series
from tests.web.api.conftest import RunningApi, api_in

POINTS = [[0, 0, 0], [25, 0, 0], [0, 22, 0], [0, 0, 28], [-20, -12, 6]]
PAIRS = [{"fixed": point, "moving": TRUTH.apply(point).tolist()} for point in POINTS]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    folder = tmp_path_factory.mktemp("proposals")
    with api_in(folder / "data") as made:
        list(import_files(made.archive, write_two_series(folder).files))
        yield made


def proposed(api: RunningApi, **wanted: Any) -> int:
    """The number of a job that has proposed this."""
    ask = {"fixed": CT_SERIES, "moving": MR_SERIES, "propose": True, **wanted}
    number: int = api.send("POST", "/registrations", ask, 202)["id"]

    def attempt(context: JobContext) -> None:
        run_registration(context, ImageSurroundings(lambda _name: api.archive))

    run_next(api.desk.jobs, {REGISTER: partial(attempt)}, number)
    assert api.get(f"/jobs/{number}")["state"] == "done"
    return number


def test_a_proposal_is_looked_at_and_kept_after_a_deliberate_yes(api: RunningApi) -> None:
    one = f"/registrations/proposals/{(number := proposed(api, kind='manual', manual={'shift_mm': [200, 0, 0]}))}"
    found = api.get(one)
    assert (found["grade"], found["kind"], found["accepted_s"]) == ("FAIL", "manual", None)
    overlap = next(each for each in found["checks"] if each["quantity"] == "overlap")
    assert (overlap["passes"], overlap["fails"], overlap["grade"]) == (50, 10, "FAIL")
    picture = api.http.get(f"{api.url}/api{one}/pictures/8")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    volume = f"/volumes/{MR_SERIES}"
    assert api.problem("GET", volume, onto=CT_SERIES)["setting"] == "registration"
    laid = api.get(volume, onto=CT_SERIES, proposed=number)
    assert (laid["alignment"]["kind"], laid["is_resampled"]) == ("proposed", False)
    voxels = api.http.get(f"{api.url}/api{volume}/voxels", params={"onto": CT_SERIES, "proposed": number})
    assert len(voxels.content) == laid["levels"][0]["bytes"]
    refused = api.problem("POST", one + "/accept", {})
    assert (refused["status"], refused["setting"]) == (409, "allow_failed")
    assert api.send("POST", one + "/accept", {"allow_failed": True})["accepted_s"] is not None
    assert api.problem("GET", volume, onto=CT_SERIES)["setting"] == "allow_failed"
    aligned = api.get(volume, onto=CT_SERIES, allow_failed=True)["alignment"]
    assert [step["registration"] for step in aligned["steps"]] == [found["registration"]]
    api.send("DELETE", one, status=204)
    for method, path, body in (("GET", one, None), ("POST", one + "/accept", {}), ("DELETE", one, None)):
        assert api.problem(method, path, body)["status"] == 404
    assert api.problem("GET", volume, onto=CT_SERIES, proposed=number)["status"] == 404


def test_landmarks_are_fitted_and_the_worst_is_named(api: RunningApi) -> None:
    off = [*PAIRS[:4], {"fixed": POINTS[4], "moving": [0, 0, 0]}]
    good, bad = (api.send("POST", "/registrations/landmarks", {"pairs": pairs}) for pairs in (PAIRS, off))
    assert good["matrix"] == pytest.approx(TRUTH.matrix.ravel().tolist(), abs=1e-6)
    assert max(good["residuals_mm"]) < 1e-6
    assert 1 < bad["rms_mm"] < bad["expected_error_mm"]
    assert bad["worst"] == 4
    one = api.send("POST", "/registrations/landmarks", {"pairs": PAIRS[:1], "kind": "translation"})
    assert (one["left_out_mm"], one["expected_error_mm"]) == ([None], None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"pairs": PAIRS[:2]}, "needs 3 pairs"),
        ({"pairs": [{"fixed": [n, 0, 0], "moving": [n, 0, 0]} for n in range(3)]}, "line"),
        ({"pairs": []}, "pairs"),
        ({"pairs": PAIRS, "kind": "elastic"}, "kind"),
        ({"pairs": [{"fixed": [1, 2], "moving": [1, 2, 3]}]}, "pairs"),
    ],
    ids=str,
)
def test_landmarks_that_fit_nothing_are_refused(api: RunningApi, body: dict[str, Any], words: str) -> None:
    problem = api.problem("POST", "/registrations/landmarks", body)
    assert problem["status"] == 400
    assert words in str(problem)

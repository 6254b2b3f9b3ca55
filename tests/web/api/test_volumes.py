"""Volumes, voxels, values and pictures over the API, on the demonstration study and beside other people's readers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from pydicom import dcmread

from radfuse.archive import Archive, queries
from radfuse.services.demo import STUDY_UID, add_demo_study
from radfuse.services.volumes import objects_of_series
from radfuse.web.api import volumes
from tests.support.graphs import Scene, shift
from tests.web.api.conftest import RunningApi, api_in

sitk: Any = pytest.importorskip("SimpleITK")


@dataclass(frozen=True)
class Demo:
    """An API over the demonstration, and over some registered series."""

    api: RunningApi
    ct: str
    pet: str
    mr: str
    scene: Scene

    def voxels(self, series: str, **query: Any) -> httpx.Response:
        return self.api.http.get(f"{self.api.url}/api/volumes/{series}/voxels", params=query)

    def array(self, series: str, facts: Any, **query: Any) -> np.ndarray:
        answer = self.voxels(series, **query)
        assert answer.status_code == 200, answer.text
        shape = facts["levels"][int(str(query.get("level", 0)))]["shape"]
        return np.frombuffer(answer.content, f"<{np.dtype(facts['dtype']).str[1:]}").reshape(shape)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with api_in(tmp_path_factory.mktemp("volumes") / "data") as api, pytest.MonkeyPatch.context() as patch:
        patch.setattr(volumes, "_WAIT_S", 60.0)
        list(add_demo_study(api.archive))
        with api.archive.reading() as connection:
            places = queries.study_places(connection, STUDY_UID)
        series = {place.modality: place.series_instance_uid for place in places}
        scene = Scene(api.archive)
        scene.add_series("fixed", laterality="L")
        scene.judge(scene.register("fixed", "moving", shift(1, 2, 3)), "PASS", "landmarks")
        scene.judge(scene.register("fixed", "poor", shift(3)), "FAIL")
        scene.add_series("other", patient="GEN-0002", frame=scene.frame("fixed"))
        scene.add_series("right", laterality="R")
        scene.judge(scene.register("fixed", "right", shift(3)), "PASS")
        yield Demo(api, series["CT"], series["PT"], series["MR"], scene)


def by_simpleitk(archive: Archive, series: str) -> Any:
    """The series as SimpleITK reads it."""
    paths = [archive.path_of(stored) for stored in objects_of_series(archive, series)]
    paths.sort(key=lambda path: dcmread(path, stop_before_pixels=True).ImagePositionPatient[2])
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in paths])
    return reader.Execute()


def test_facts_and_voxels_are_those_that_another_reader_finds(demo: Demo) -> None:
    judge = by_simpleitk(demo.api.archive, demo.ct)
    facts = demo.api.get(f"/volumes/{demo.ct}")
    assert (facts["unit"], facts["dtype"], facts["Modality"]) == ("HU", "int16", "CT")
    assert tuple(facts["shape"]) == judge.GetSize()[::-1]
    assert facts["origin_mm"] == pytest.approx(judge.GetOrigin())
    assert facts["spacing_mm"] == pytest.approx(judge.GetSpacing())
    assert np.array(facts["direction"]).reshape(3, 3).T.ravel() == pytest.approx(judge.GetDirection())
    voxels = demo.array(demo.ct, facts)
    assert np.array_equal(voxels, sitk.GetArrayViewFromImage(judge))
    assert facts["range"] == [voxels.min(), voxels.max()]
    assert (facts["alignment"]["kind"], facts["suv"], facts["suv_refusal"]) == ("base", None, "")


def test_pet_is_laid_over_ct_in_suv_with_the_evidence(demo: Demo) -> None:
    facts = demo.api.get(f"/volumes/{demo.pet}", onto=demo.ct)
    assert (facts["unit"], facts["alignment"]["kind"], facts["colours"]) == ("SUVbw", "same frame", "hot-iron")
    assert not facts["is_resampled"]
    rows = {row["name"]: row["value"] for row in facts["suv"]["rows"]}
    assert (rows["Injected activity"], rows["Uptake time"]) == ("350", "60.0")
    becquerels = sitk.GetArrayFromImage(by_simpleitk(demo.api.archive, demo.pet))
    assert np.allclose(demo.array(demo.pet, facts, onto=demo.ct), becquerels * facts["suv"]["factor"], rtol=1e-5)
    assert {unit["unit"]: unit["refusal"] for unit in facts["units"]}["SUVlbm(James)"] == ""
    coarse = demo.array(demo.pet, facts, level=1)
    assert coarse.shape == (40, 64, 64)
    assert coarse.mean() == pytest.approx(demo.array(demo.pet, facts).mean(), rel=1e-4)
    assert demo.api.get(f"/volumes/{demo.pet}", unit="Bq/ml")["suv"] is None


def test_a_carried_series_keeps_its_voxels_and_tells_why_it_lies_there(demo: Demo) -> None:
    fixed, moving = demo.scene.uid("fixed"), demo.scene.uid("moving")
    own, laid = demo.api.get(f"/volumes/{moving}"), demo.api.get(f"/volumes/{moving}", onto=fixed)
    assert laid["origin_mm"] == pytest.approx(np.array(own["origin_mm"]) - (1, 2, 3))
    assert laid["FrameOfReferenceUID"] == demo.scene.frame("fixed")
    alignment = laid["alignment"]
    assert (alignment["kind"], alignment["grade"], alignment["grade_reason"]) == ("registered", "PASS", "landmarks")
    (step,) = alignment["steps"]
    assert (step["start"], step["end"]) == (demo.scene.frame("fixed"), demo.scene.frame("moving"))
    assert demo.voxels(moving).content == demo.voxels(moving, onto=fixed).content
    assert own["id"] != laid["id"]


@pytest.mark.parametrize(
    ("name", "setting", "action"),
    [
        ("alone", "registration", ""),
        ("poor", "allow_failed", "allow failed registration"),
        ("other", "allow_other_patient", "allow other patient"),
        ("right", "allow_other_side", "allow other side"),
    ],
)
def test_what_does_not_belong_together_is_refused_or_a_deliberate_yes_in_the_access_log(
    demo: Demo, name: str, setting: str, action: str
) -> None:
    base, moving = demo.scene.uid("fixed"), demo.scene.uid(name)
    for path in (f"/volumes/{moving}", f"/volumes/{moving}/voxels", f"/volumes/{moving}/rotating-mip"):
        problem = demo.api.problem("GET", path, onto=base)
        assert (problem["status"], problem["setting"]) == (409, setting)
        assert problem["detail"].startswith("not registered: ")
    if setting != "registration":
        query = {"onto": base, setting: True}
        facts = demo.api.get(f"/volumes/{moving}", **query)
        assert facts["FrameOfReferenceUID"] == demo.scene.frame("fixed")

        def times() -> int:
            return sum(each["count"] for each in demo.api.get("/audit")["entries"] if each["action"] == action)

        before = times()
        assert before > 0
        demo.api.get(f"/volumes/{moving}", **query, known=facts["id"])  # the same page looks whether it still holds
        assert times() == before
        demo.api.get(f"/volumes/{moving}", **query, known="another")
        assert times() == before + 1


def test_what_is_no_volume_says_why(demo: Demo) -> None:
    structures = next(
        each["SeriesInstanceUID"]
        for each in demo.api.get("/openings", study=STUDY_UID)["studies"][0]["series"]
        if each["Modality"] == "RTSTRUCT"
    )
    problem = demo.api.problem("GET", f"/volumes/{structures}")
    assert (problem["status"], "RT Structure Set objects hold no images" in problem["detail"]) == (422, True)
    assert demo.api.problem("GET", "/volumes/2.25.404")["status"] == 404
    assert demo.api.problem("GET", "/volumes/x")["status"] == 400
    assert demo.api.problem("GET", f"/volumes/{demo.ct}", unit="grams")["setting"] == "unit"
    assert demo.api.problem("GET", f"/volumes/{demo.ct}", unit="SUVbw")["status"] == 422
    assert demo.api.problem("GET", f"/volumes/{demo.ct}/voxels", level=9)["status"] == 404


def test_a_series_that_takes_its_time_is_told_of_and_asked_for_again(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volumes, "_WAIT_S", 0)
    answers: list[httpx.Response] = []
    while not answers or answers[-1].status_code == 202:
        answers.append(demo.api.http.get(f"{demo.api.url}/api/volumes/{demo.mr}", params={"unit": "stored"}))
        assert len(answers) < 10_000
    assert set(answers[0].json()) == {"done", "total"}
    assert answers[-1].json()["unit"] == "stored"


def test_voxels_are_not_sent_twice_to_who_has_them(demo: Demo) -> None:
    whole = demo.voxels(demo.ct)
    assert whole.headers["cache-control"] == "private, no-cache"
    tag = whole.headers["etag"]
    again = demo.api.http.get(f"{demo.api.url}/api/volumes/{demo.ct}/voxels", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    named = demo.voxels(demo.ct, id=demo.api.get(f"/volumes/{demo.ct}")["id"])
    assert "immutable" in named.headers["cache-control"]
    for part in ("voxels", "rotating-mip"):
        other = demo.api.http.get(f"{demo.api.url}/api/volumes/{demo.ct}/{part}", params={"id": "another"})
        assert (other.status_code, "ask for its facts again" in other.text) == (412, True)
    head = demo.api.http.head(f"{demo.api.url}/api/volumes/{demo.ct}/voxels")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(whole.content)), b"")


def test_the_rotating_projection_is_as_large_as_was_told_and_shows_the_hottest_voxel_in_every_picture(
    demo: Demo,
) -> None:
    facts = demo.api.get(f"/volumes/{demo.pet}", onto=demo.ct)
    answer = demo.api.http.get(f"{demo.api.url}/api/volumes/{demo.pet}/rotating-mip", params={"onto": demo.ct})
    size = facts["rotating"]
    pictures = np.frombuffer(answer.content, "<f4").reshape(size["frames"], size["rows"], size["columns"])
    assert pictures.max(axis=(1, 2)) == pytest.approx([facts["range"][1]] * size["frames"])


def test_values_are_those_of_the_nearest_voxels_and_nothing_outside(demo: Demo) -> None:
    judge = by_simpleitk(demo.api.archive, demo.ct)
    points = [[-72.0, 4.0, 22.0], [10.2, -33.3, 5.1], [9999.0, 0.0, 0.0]]
    ask = {"base": demo.pet, "series": [{"series": demo.ct}, {"series": demo.pet}], "points_mm": points}
    ct, pet = demo.api.send("POST", "/values", ask)
    expected = [judge.GetPixel(judge.TransformPhysicalPointToIndex(point)) for point in points[:2]]
    assert (ct["unit"], ct["values"]) == ("HU", [*expected, None])
    assert pet["unit"] == "SUVbw"
    assert pet["values"][0] == pytest.approx(9, abs=1)
    fixed, moving = demo.scene.uid("fixed"), demo.scene.uid("moving")
    ask = {"base": fixed, "series": [{"series": moving}], "points_mm": [[-47.5, -47.5, -10.0]]}
    # One voxel is 5 x 5 x 20 mm, and the registration moves by 1, 2 and 3 mm: still the first one.
    assert demo.api.send("POST", "/values", ask)[0]["values"] == [-1024]
    assert demo.api.problem("POST", "/values", ask | {"base": demo.scene.uid("poor")})["setting"] == "allow_failed"


# --- pictures ------------------------------------------------------------------------------------

OBLIQUE: dict[str, Any] = {
    "centre_mm": [-40, 0, 10],
    "right": [0.8, 0.6, 0],
    "down": [0, 0, -1],
    "spacing_mm": 1.7,
    "rows": 60,
    "columns": 90,
}


def pixels_of(png: bytes) -> np.ndarray:
    """The pixels of a PNG without filters."""
    width, height = struct.unpack(">II", png[16:24])
    begin = png.index(b"IDAT") + 4
    length = struct.unpack(">I", png[begin - 8 : begin - 4])[0]
    lines = np.frombuffer(zlib.decompress(png[begin : begin + length]), np.uint8).reshape(height, 1 + 3 * width)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, 3)


def picture(demo: Demo, **more: object) -> np.ndarray:
    ask = {"base": {"series": demo.ct}, "plane": OBLIQUE, "base_window": {"low": -160, "high": 240}} | more
    answer = demo.api.http.post(f"{demo.api.url}/api/pictures", json=ask)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
    return pixels_of(answer.content)


def resliced(demo: Demo, series: str) -> np.ndarray:
    """The oblique plane by SimpleITK, in the numbers of the images."""
    plane = sitk.ResampleImageFilter()
    right, down = np.array(OBLIQUE["right"]), np.array(OBLIQUE["down"])
    axes, half = np.stack((right, down, np.cross(right, down)), axis=1), (np.array((89, 59, 0)) / 2) * 1.7
    plane.SetSize((90, 60, 1))
    plane.SetOutputSpacing((1.7, 1.7, 1.7))
    plane.SetOutputDirection(axes.ravel().tolist())
    plane.SetOutputOrigin((np.array(OBLIQUE["centre_mm"]) - axes @ half).tolist())
    plane.SetDefaultPixelValue(-1024)
    image = sitk.Cast(by_simpleitk(demo.api.archive, series), sitk.sitkFloat64)
    found: np.ndarray = sitk.GetArrayFromImage(plane.Execute(image))[0]
    return found


def test_a_picture_of_an_oblique_plane_is_that_of_another_program(demo: Demo) -> None:
    expected = np.clip(np.floor((resliced(demo, demo.ct) + 160) / 400 * 256), 0, 255)
    found = picture(demo)
    assert np.abs(found[..., 0].astype(int) - expected).max() <= 1
    assert np.array_equal(found[..., 0], found[..., 2])


def test_a_picture_is_written_on_where_that_is_asked_for_and_else_it_is_the_same(demo: Demo) -> None:
    plain, written = picture(demo), picture(demo, annotate=True)
    assert plain.shape == written.shape
    assert (plain != written).any()
    assert np.array_equal(plain[50:, 60:75], written[50:, 60:75])  # below the text, between the letters


def test_a_fused_picture_mixes_both_and_a_region_is_outlined(demo: Demo) -> None:
    over = {"overlay": {"series": demo.pet}, "overlay_window": {"low": 0, "high": 7}}
    base, overlay = picture(demo), picture(demo, **over, mode="overlay")
    assert np.abs(picture(demo, **over, blend=0.25) - (0.75 * base + 0.25 * overlay)).max() <= 1
    squares = picture(demo, **over, mode="checkerboard")
    assert np.array_equal(squares[:32, :32], base[:32, :32])
    assert np.array_equal(squares[:32, 32:64], overlay[:32, 32:64])
    rule = {"kind": "sphere", "centre_mm": [-40, 0, 10], "diameter_mm": 40}
    region = demo.api.send("POST", "/regions", {"series": {"series": demo.ct}, "rule": rule})
    drawn = picture(demo, regions=[{"shape": region["shape"], "colour": [0, 255, 0]}])
    down, across = np.nonzero((drawn == (0, 255, 0)).all(axis=-1))
    radii = np.hypot(across - 44.5, down - 29.5) * 1.7
    assert len(radii) > 30
    assert np.abs(radii - 20).max() < 4
    assert picture(demo, plane=OBLIQUE | {"slab_mm": 40, "projection": "mip"}).sum() > base.sum()


def test_a_picture_that_cannot_be_is_one_sentence(demo: Demo) -> None:
    ask = {"base": {"series": demo.ct}, "plane": OBLIQUE, "base_window": {"low": 1, "high": 1}}
    assert demo.api.problem("POST", "/pictures", ask)["setting"] == "base_window"
    ask |= {"base_window": {"low": 0, "high": 1}, "overlay": {"series": demo.mr}}
    assert demo.api.problem("POST", "/pictures", ask)["setting"] == "registration"
    skewed = ask | {"overlay": None, "plane": OBLIQUE | {"down": [1, 0, 0]}}
    assert demo.api.problem("POST", "/pictures", skewed)["status"] == 422


# --- openings ------------------------------------------------------------------------------------


def test_an_opening_tells_the_patient_the_series_and_what_to_open(demo: Demo) -> None:
    found = demo.api.get("/openings", study=STUDY_UID)
    assert (found["PatientID"], len(found["studies"])) == ("RADFUSE-DEMO", 1)
    assert (found["proposal"]["base"], found["proposal"]["overlay"]) == (demo.ct, demo.pet)
    assert found["proposal"]["prior"] is None
    assert {each["Modality"]: each["shows_as"] for each in found["studies"][0]["series"]} == {
        "CT": "volume",
        "PT": "volume",
        "MR": "volume",
        "RTSTRUCT": "object",
    }
    alone = demo.api.get("/openings", study=STUDY_UID, series=[demo.mr])["proposal"]
    assert (alone["base"], alone["overlay"]) == (demo.mr, None)
    assert demo.api.problem("GET", "/openings", study="2.25.404")["status"] == 404

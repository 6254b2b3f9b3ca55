"""Regions over the API: drawn, measured, refused; and those of objects that are kept."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radfuse.services.import_media import files_below, import_files
from radfuse.services.measure import FromObject, Image, MeasureAsk, measure
from radfuse.web.api.region_shapes import RegionShape
from tests.support.drawn import HOT_MM, WARM_MM, add_pet_and_ct
from tests.support.graphs import Scene
from tests.web.api.conftest import RunningApi, api_in


@dataclass(frozen=True)
class Ward:
    """An API over a PET, its CT, and a series in another frame of reference."""

    api: RunningApi
    pet: str
    ct: str
    elsewhere: str

    def ask(self, rule: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"series": {"series": self.pet}, "rule": rule, **more}

    def made(self, rule: dict[str, Any], **more: Any) -> Any:
        return self.api.send("POST", "/regions", self.ask(rule, **more))

    def refused(self, rule: dict[str, Any], **more: Any) -> tuple[int, str, str]:
        problem = self.api.problem("POST", "/regions", self.ask(rule, **more))
        return problem["status"], problem.get("setting", ""), problem["detail"]


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with api_in(tmp_path_factory.mktemp("drawing") / "data") as api:
        scene = Scene(api.archive)
        pet, ct = add_pet_and_ct(scene)
        yield Ward(api, pet, ct, scene.add_series("elsewhere"))


def sphere(diameter: float = 30.0) -> dict[str, Any]:
    return {"kind": "sphere", "centre_mm": HOT_MM, "diameter_mm": diameter}


def voxels(shape: dict[str, Any]) -> int:
    """How many voxels a shape holds, by its runs alone."""
    return int(np.frombuffer(base64.b64decode(shape["runs"]), "<u4")[1::2].sum())


def test_a_threshold_comes_back_as_voxels_of_its_series_with_numbers_there_and_elsewhere(ward: Ward) -> None:
    rule = {"kind": "threshold", "seed_mm": HOT_MM, "of": "max", "value": 41, "within": None}
    region = ward.made(rule, also=[{"series": ward.ct}, {"series": ward.elsewhere}], name="lesion")
    assert region["shape"]["grid"]["shape"] == [32, 32, 32]
    assert region["shape"]["grid"]["direction"] == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    own, ct, elsewhere = region["numbers"]
    assert [own["SeriesInstanceUID"], own["unit"], ct["unit"]] == [ward.pet, "SUVbw", "HU"]
    assert own["voxels"] == voxels(region["shape"])
    assert own["max"] >= own["peak"] >= own["mean"] >= 0.41 * own["max"] * 0.9
    assert own["tlg"] == pytest.approx(own["volume_ml"] * own["mean"])
    assert (ct["peak"], ct["tlg"]) == (None, None)
    assert ct["volume_ml"] == pytest.approx(own["volume_ml"], rel=0.4)
    assert (elsewhere["mean"], elsewhere["voxels"]) == (None, 0)
    assert elsewhere["findings"][0].startswith("not registered: ")
    assert region["shown"] is None


def test_a_shape_that_is_sent_back_is_the_same_region(ward: Ward) -> None:
    made = ward.made(sphere())
    again = ward.made({"kind": "shape", "shape": made["shape"]})
    assert again["shape"] == made["shape"]
    assert again["numbers"] == made["numbers"]
    whole = ward.made({"kind": "combine", "operation": "add", "first": made["shape"], "second": made["shape"]})
    assert whole["shape"] == made["shape"]
    rim = {"kind": "combine", "operation": "subtract", "second": made["shape"]}
    wider = ward.made({"kind": "margin", "shape": made["shape"], "mm": 6})["shape"]
    assert voxels(ward.made({**rim, "first": wider})["shape"]) == voxels(wider) - voxels(made["shape"])
    assert voxels(ward.made({"kind": "margin", "shape": made["shape"], "mm": [6, 0, 0]})["shape"]) < voxels(wider)


def test_a_dose_is_asked_for_of_a_dose_and_by_metrics_that_there_are(ward: Ward) -> None:
    shape = ward.made(sphere())["shape"]
    ask = {"series": {"series": ward.ct}, "regions": [{"kind": "shape", "shape": shape}]}
    problem = ward.api.problem("POST", "/dose", ask)
    assert (problem["status"], "the series is in HU" in problem["detail"]) == (422, True)
    assert "no dose metric" in ward.api.problem("POST", "/dose", ask | {"metrics": ["D95x"]})["detail"]
    assert ward.api.problem("POST", "/dose", ask | {"regions": [sphere()]})["status"] == 400


def test_the_other_rules_are_understood(ward: Ward) -> None:
    z = 6.0
    square = {"points_mm": [[-9, -9, z], [9, -9, z], [9, 9, z], [-9, 9, z]]}
    for rule in (
        {"kind": "ellipse", "centre_mm": HOT_MM, "right": [1, 0, 0], "down": [0, 1, 0], "radii_mm": [20, 10]},
        {"kind": "grow", "seed_mm": HOT_MM, "low": 3, "high": 99, "within": None},
        {"kind": "contours", "planes": [square], "interpolate": False},
        {"kind": "carried", "shape": ward.made(sphere())["shape"], "from": {"series": ward.ct}},
        {"kind": "threshold", "of": "adaptive", "within": {"centre_mm": HOT_MM, "diameter_mm": 50}},
    ):
        assert ward.made(rule)["numbers"][0]["voxels"] > 0


def test_tumour_burden_is_the_lesions_and_their_totals(ward: Ward) -> None:
    ask = {"series": {"series": ward.pet}, "threshold": {"of": "absolute", "value": 1.5}, "minimum_ml": 0.5}
    burden = ward.api.send("POST", "/tumour-burden", ask)
    volumes = [region["numbers"][0]["volume_ml"] for region in burden["regions"]]
    assert len(volumes) == 2
    assert volumes == sorted(volumes, reverse=True)
    assert burden["totals"]["mtv_ml"] == pytest.approx(sum(volumes))
    assert burden["totals"]["tlg"] == pytest.approx(sum(region["numbers"][0]["tlg"] for region in burden["regions"]))
    assert burden["totals"]["dmax_mm"] == pytest.approx(np.linalg.norm(np.subtract(HOT_MM, WARM_MM)), abs=2)
    without = ward.api.send("POST", "/tumour-burden", ask | {"exclude": [burden["regions"][0]["shape"]]})
    assert [region["shape"] for region in without["regions"]] == [burden["regions"][1]["shape"]]
    assert without["totals"]["excluded_ml"] == pytest.approx([volumes[0]])


def test_what_cannot_be_drawn_is_refused_with_a_reason(ward: Ward) -> None:
    made = ward.made(sphere())["shape"]
    far = {"kind": "sphere", "centre_mm": [900, 0, 0], "diameter_mm": 5}
    assert ward.refused(far) == (422, "", "invalid region: it lies beside the image")
    assert ward.refused(sphere(), base=ward.elsewhere)[:2] == (409, "registration")
    other = made | {"grid": made["grid"] | {"FrameOfReferenceUID": "2.25.9"}}
    assert ward.refused({"kind": "shape", "shape": other})[:2] == (409, "registration")
    for shape in (
        made | {"runs": "?"},
        made | {"runs": base64.b64encode(bytes(4)).decode()},
        made | {"bounds": [5, 5, 0, 1, 0, 1]},
        made | {"bounds": [0, 33, 0, 1, 0, 1]},
        made | {"grid": made["grid"] | {"direction": [0] * 9}},
    ):
        assert ward.refused({"kind": "shape", "shape": shape})[0] == 422
    for rule in (
        {"kind": "circle"},
        sphere(-1),
        sphere() | {"extra": 1},
        {"kind": "shape", "shape": made | {"runs": 1}},
    ):
        assert ward.refused(rule)[0] == 400
    assert ward.refused(sphere(), series={"series": "2.25.404"})[0] == 404
    assert ward.refused(sphere(), series={"series": "x"})[0] == 400
    assert ward.refused(sphere(), series={"series": ward.ct, "unit": "SUVbw"})[0] == 422
    assert ward.refused(sphere(), series={"series": ward.ct, "unit": "furlong"})[:2] == (400, "unit")


def test_a_deliberate_yes_is_in_the_access_log(ward: Ward) -> None:
    ward.made(sphere(), series={"series": ward.pet, "allow_other_patient": True})
    ward.api.desk.access_log.flush()
    entries = ward.api.get("/audit", action="allow other patient")["entries"]
    assert [entry["subject"] for entry in entries] == [ward.pet]


def test_structures_of_other_things_are_refused(ward: Ward) -> None:
    assert ward.api.problem("GET", f"/structures/{ward.ct}")["status"] == 422
    assert ward.api.problem("GET", "/structures/2.25.404")["status"] == 404
    refused = ward.refused({"kind": "object", "SOPInstanceUID": "2.25.404", "number": 1})
    assert refused[0] == 404


# --- real data -------------------------------------------------------------------------------


def test_a_structure_of_a_real_patient_has_the_numbers_of_measure(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "petct" / "sts-001"
    with api_in(tmp_path / "data") as api:
        list(import_files(api.archive, files_below([folder / "pet", folder / "rtstruct-pet.dcm"])))
        series = {each["Modality"]: each for each in _series(api)}
        pet = series["PT"]["SeriesInstanceUID"]
        structures = api.get(f"/structures/{series['RTSTRUCT']['SeriesInstanceUID']}")
        mass = next(each for each in structures if each["name"].startswith("GTV_Mass"))
        assert len(mass["colour"]) == 3
        rule = {"kind": "object", "SOPInstanceUID": mass["SOPInstanceUID"], "number": mass["number"]}
        region = api.send("POST", "/regions", {"series": {"series": pet}, "rule": rule})
        region_ask = FromObject(mass["SOPInstanceUID"], str(mass["number"]))
        expected = measure(api.archive, MeasureAsk((Image(pet),), region_ask, peak=True)).images[0]
    (numbers,) = region["numbers"]
    assert expected.statistics is not None
    assert expected.peak is not None
    assert (numbers["voxels"], numbers["max"], numbers["mean"]) == (
        expected.statistics.voxels,
        expected.statistics.maximum,
        expected.statistics.mean,
    )
    assert numbers["peak"] == pytest.approx(expected.peak.value, rel=1e-12)
    shape = RegionShape.model_validate(region["shape"])
    assert shape.mask().voxels == numbers["voxels"]


def _series(api: RunningApi) -> list[dict[str, Any]]:
    (study,) = api.get("/studies")["studies"]
    found: list[dict[str, Any]] = api.get(f"/studies/{study['StudyInstanceUID']}")["series"]
    return found

"""The command measure: tables, JSON, refusals, and what it stores."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from tests.cli.conftest import Run
from tests.support.generate import GeneratedSet, save
from tests.support.volumes import Shape, dose


def test_a_structure_is_measured_in_pet_and_ct(run: Run, generated_set: GeneratedSet) -> None:
    answer = run(
        "measure", *generated_set.pet, "--structures", generated_set.rtstruct, "--structure", "Disc", "--peak",
        "--percent", "41", "--diameters", "--also", generated_set.root / "ct",
    )  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert lines[0] == "Region: structure Disc"
    assert "Volume 1.02 ml in 64 voxels" in lines
    assert "Mean 21.50 HU" in lines
    assert any(line.startswith("SUV SUVbw = ") for line in lines)
    assert any(line.startswith("SUVpeak (voxel centres) ") for line in lines)
    assert any(line.startswith("Threshold 41 % of the maximum = ") for line in lines)
    assert any(line.startswith("Note: the peak's ball reaches out of the image") for line in lines)


def test_json_has_the_numbers_and_their_definitions(run: Run, generated_set: GeneratedSet) -> None:
    found = run("measure", *generated_set.ct, "--sphere", "-1,0,-2,6", "--json").json
    assert found["Region"]["Definition"].startswith("centre -1, 0, -2 mm, radius 6 mm")
    assert found["Images"][0]["Statistics"]["Unit"] == "HU"
    assert found["StoredObjects"] == []
    assert "Sd" in found["Definitions"]


def test_lesions_are_a_table(run: Run, generated_set: GeneratedSet) -> None:
    answer = run(
        "measure", *generated_set.pet, "--tmtv", "--percent", "41", "--minimum", "0.1",
        "--exclude", "left=30,0,0,20", "--structures", generated_set.rtstruct, "--exclude", "Disc",
    )  # fmt: skip
    assert answer.code == 0
    assert "Excluded: left" in answer.out
    assert "Excluded: Disc" in answer.out
    assert "Diameter mm" in answer.out


def test_percist_and_the_blood_pool_give_thresholds(run: Run, generated_set: GeneratedSet) -> None:
    liver = run("measure", *generated_set.pet, "--liver", "-26,-26,-2")
    assert "PERCIST liver reference" in liver.out
    pool = run("measure", *generated_set.pet, "--blood-pool", "-26,-26,-2,5")
    assert "(PERCIST blood pool)" in pool.out


@pytest.fixture
def dose_file(tmp_path: Path) -> Path:
    shape = Shape(30, 28, (2.5, 2.5, 3.0), first_mm=(-33.0, -34.0, -25.0))
    return save(dose(shape, [3.0 * number for number in range(12)]), tmp_path / "dose", "1.2.840.10008.1.2.1")


def test_a_dose_gets_metrics_and_a_histogram_file(
    run: Run, generated_set: GeneratedSet, dose_file: Path, tmp_path: Path
) -> None:
    command = (
        "measure", dose_file, "--structures", generated_set.rtstruct, "--structure", "1",
        "--dose", "D95", "--dose", "V5Gycc", "--dose", "D900cc", "--histogram", tmp_path / "dvh.csv",
    )  # fmt: skip
    answer = run(*command)
    assert answer.code == 0
    assert "D95" in answer.out
    assert "a dose is asked for 900 ml" in answer.out
    rows = (tmp_path / "dvh.csv").read_text().splitlines()
    assert rows[0] == "DoseGy,CumulativeMl"
    assert float(rows[1].split(",")[1]) == pytest.approx(0.79, abs=0.05)
    assert run(*command).code == 2  # never overwritten


def test_a_histogram_without_a_dose_is_refused(run: Run, generated_set: GeneratedSet, tmp_path: Path) -> None:
    answer = run("measure", *generated_set.ct, "--histogram", tmp_path / "dvh.csv")
    assert (answer.code, "needs a dose" in answer.err) == (1, True)


def test_distances_and_angles_need_no_series(run: Run) -> None:
    assert run("measure", "--distance", "0,0,0,3,4,12").out == "13.00 mm\n"
    assert run("measure", "--angle", "1,0,0,0,0,0,0,1,0").out == "90.00 degrees\n"
    both = run("measure", "--distance", "0,0,0,0,0,1", "--angle", "0,0,0,1,0,0,5,5,5,6,6,5", "--json").json
    assert both == {"DistanceMm": 1, "AngleDegrees": pytest.approx(45)}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["x", "--sphere", "1,2,3"],
        ["x", "--sphere", "a,b,c,d"],
        ["x", "--sphere", "1,2,3,4", "--mask", "m.nii"],
        ["x", "--structure", "Disc"],
        ["x", "--structures", "o.dcm"],
        ["x", "--threshold", "2", "--percent", "41"],
        ["x", "--percent", "140"],
        ["x", "--tmtv"],
        ["x", "--exclude", "brain=1,2,3,4"],
        ["x", "--dose", "D101"],
        ["x", "--units", "parsec"],
        ["--distance", "1,2,3"],
        ["--angle", "1,1,1,1,1,1,2,2,2"],
    ],
)
def test_wrong_use_ends_with_2(run: Run, words: list[str]) -> None:
    assert run("measure", *words).code == 2


def test_what_would_be_guessed_ends_with_1_and_a_sentence(run: Run, generated_set: GeneratedSet) -> None:
    answer = run("measure", *generated_set.ct, "--sphere", "900,0,0,5")
    assert answer.code == 1
    assert answer.err.startswith("radfuse: invalid region: no voxel centre of the image lies in it")
    assert run("measure", *generated_set.pet, "--threshold", "99").code == 1


def test_the_region_and_its_numbers_are_stored(run: Run, generated_set: GeneratedSet) -> None:
    run("import", *generated_set.ct, *generated_set.pet, generated_set.rtstruct)
    series = dcmread(generated_set.pet[0]).SeriesInstanceUID
    structures = dcmread(generated_set.rtstruct).SOPInstanceUID
    answer = run("measure", series, "--structures", structures, "--structure", "Disc", "--sr", "--json")
    assert answer.code == 0
    assert len(answer.json["StoredObjects"]) == 2
    kept = run("ls", "--level", "series", "Modality", "--json").json
    assert sorted(row["Modality"] for row in kept) == ["CT", "PT", "RTSTRUCT", "SEG", "SR"]

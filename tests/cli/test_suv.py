"""The command ``suv``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.support.generate import GeneratedSet
from tests.volume.suv.headers import pet_file


def test_formula_attributes_and_times_are_shown(run: Run, tmp_path: Path) -> None:
    pet_file(tmp_path / "pet", 0)
    answer = run("suv", tmp_path / "pet")
    assert answer.code == 0
    lines = {" ".join(line.split()) for line in answer.out.splitlines()}
    assert "Formula SUVbw = C * 70 kg * 1000 / (368.08 MBq * 2^(-3600 s / 6586.2 s))" in lines
    assert "Factor 0.000277778" in lines
    assert "Reference time 2025-01-01 11:00:00 (Series Date and Time, not later than any acquisition)" in lines
    assert "PatientWeight (0010,1030) 70 the image" in lines
    assert answer.err == ""


def test_a_series_of_the_archive_is_shown_as_its_files_are(run: Run, generated_set: GeneratedSet) -> None:
    assert run("import", generated_set.root / "pet").code == 0
    (of_files,) = run("suv", generated_set.root / "pet", "--json").json
    (of_archive,) = run("suv", of_files["SeriesInstanceUID"], "--json").json
    assert of_archive == of_files
    assert of_archive["Images"] == 5
    # 350 MBq at 09:12; the attributes that say when the series began are in the answer.
    assert of_archive["InjectedBecquerels"] == 350e6
    assert {"Keyword": "PatientWeight", "Tag": "(0010,1030)", "Value": "70", "From": "all 5 images"} in of_archive[
        "Attributes"
    ]


def test_a_refusal_is_said_with_its_reason_and_ends_with_1(run: Run, tmp_path: Path) -> None:
    pet_file(tmp_path / "pet", 0, PatientWeight="0")
    answer = run("suv", tmp_path / "pet")
    assert answer.code == 1
    reason, advice = answer.err.splitlines()
    assert reason == "radfuse: no SUV can be computed: Patient's Weight is 0 or less"
    assert "--units stored" in advice
    as_json = run("suv", tmp_path / "pet", "--json")
    assert as_json.code == 1
    assert as_json.json[0]["Refusal"] == "no SUV can be computed: Patient's Weight is 0 or less"


def test_what_is_doubtful_is_a_warning(run: Run, tmp_path: Path) -> None:
    pet_file(tmp_path / "pet", 0, PatientSex="O", RadionuclideTotalDose="368.08")
    answer = run("suv", tmp_path / "pet", "--kind", "ibw")
    assert answer.code == 0
    assert "dose: Radionuclide Total Dose is below 10000" in answer.err
    assert "sex: Patient's Sex is O" in answer.err


def test_each_kind_is_named_with_its_formula(run: Run, tmp_path: Path) -> None:
    pet_file(tmp_path / "pet", 0)
    units = {
        kind: run("suv", tmp_path / "pet", "--kind", kind, "--json").json[0]["Unit"]
        for kind in ("bw", "lbm", "lbm-james", "lbm-morgan", "bsa", "ibw")
    }
    assert units == {
        "bw": "SUVbw",
        "lbm": "SUVlbm(Janmahasatian)",
        "lbm-james": "SUVlbm(James)",
        "lbm-morgan": "SUVlbm(Morgan)",
        "bsa": "SUVbsa",
        "ibw": "SUVibw",
    }


def test_the_names_of_kinds_are_those_of_the_computation() -> None:
    from radfuse.cli.suv import KindName
    from radfuse.volume.suv import SuvKind

    assert {kind.value for kind in KindName} == {kind.value for kind in SuvKind}


def test_no_PET_among_the_files_and_a_path_that_is_not_there_end_with_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = run("suv", tmp_path / "empty")
    assert answer.code == 1
    assert "there is no PET image among the files" in answer.err
    assert run("suv", tmp_path / "nowhere").code == 1

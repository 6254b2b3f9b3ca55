"""``radfuse contour``: made in the archive, listed, and out as a mask that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom import dcmread

from tests.cli.conftest import Run
from tests.support.judges import dciodvfy
from tests.support.lesions import inside_ball, write_ball


@pytest.fixture
def ct(tmp_path: Path) -> list[Path]:
    return write_ball(tmp_path / "ct")


def test_a_region_is_made_listed_and_written_as_a_mask(run: Run, ct: list[Path], tmp_path: Path) -> None:
    run("import", ct[0].parent)
    series = str(dcmread(ct[0]).SeriesInstanceUID)
    made = run("contour", "make", series, "--threshold", "0", "--name", "ball", "--as", "rtstruct", "--json").json
    assert (made["Voxels"], made["Parameters"]["unit"]) == (int(inside_ball().sum()), "HU")
    listed = run("contour", "list", made["SOPInstanceUID"])
    assert listed.code == 0
    assert "ball" in listed.out
    target = tmp_path / "mask.nii.gz"
    done = run("contour", "mask", made["SOPInstanceUID"], "--structure", "ball", "--like", series, "--to", target)
    assert (done.code, done.err) == (0, "")
    image: Any = nibabel.load(target)
    assert np.array_equal(np.asarray(image.dataobj).T > 0, inside_ball())
    again = run("contour", "make", series, "--mask", target, "--name", "again", "--as", "seg")
    assert again.code == 0
    assert f"{made['Voxels']} voxels" in again.out


def test_files_are_enough(run: Run, ct: list[Path], tmp_path: Path) -> None:
    folder, target = ct[0].parent, tmp_path / "region.dcm"
    words = ("contour", "make", folder, "--percent", "50", "--sphere", "0,0,0,15", "--name", "ball", "--as", "seg")
    assert run(*words, "--to", target).code == 0
    assert dciodvfy(target) == []
    rows = run("contour", "list", target, "--json").json
    assert (rows["Modality"], rows["Regions"][0]["Name"], rows["Findings"]) == ("SEG", "ball", [])
    mask = tmp_path / "mask.nrrd"
    facts = run("contour", "mask", target, "--structure", "1", "--like", folder, "--to", mask, "--json").json
    assert facts["Voxels"] == inside_ball().sum()
    refused = run(*words, "--to", target)
    assert (refused.code, "exists already" in refused.err) == (2, True)
    assert run(*words).code == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "say how it is found"),
        (["--threshold", "1", "--percent", "5"], "one of --threshold"),
        (["--seed", "0,0,0"], "go with --threshold"),
        (["--sphere", "0,0,12"], "not 4 numbers"),
        (["--sphere", "0,0,x,12"], "not 4 numbers"),
    ],
)
def test_what_does_not_go_together_is_wrong_use(run: Run, words: list[str], sentence: str, tmp_path: Path) -> None:
    answer = run("contour", "make", tmp_path, "--name", "x", "--as", "seg", "--to", tmp_path / "x.dcm", *words)
    assert answer.code == 2
    assert sentence in " ".join(answer.err.replace("│", " ").split())


def test_a_region_that_is_empty_or_an_object_that_is_none_ends_with_1(run: Run, ct: list[Path], tmp_path: Path) -> None:
    words = ("contour", "make", ct[0].parent, "--threshold", "9000", "--name", "x", "--as", "seg")
    refused = run(*words, "--to", tmp_path / "x.dcm")
    assert (refused.code, "it is empty" in refused.err) == (1, True)
    assert not (tmp_path / "x.dcm").exists()
    assert run("contour", "list", tmp_path / "nothing.dcm").code == 1
    assert run("contour", "list", ct[0]).code == 1

"""``radfuse registrations carry``: onto the screen, into files, into the archive, as a job; and wrong use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import SimpleITK
from pydicom import dcmread

from radfuse.archive import Archive, ArchiveSettings
from tests.cli.conftest import Run
from tests.support.carried import CENTRE_CT, Kept, fill_archive
from tests.support.two_series import CT_SERIES, MR_SERIES, TRUTH

sitk: Any = SimpleITK
ENDS = ("registrations", "carry", "--from", MR_SERIES, "--to", CT_SERIES)


@pytest.fixture
def kept(run: Run, tmp_path: Path) -> Kept:
    with Archive(ArchiveSettings(tmp_path / "data")) as archive:
        return fill_archive(archive, tmp_path / "files")


def test_everything_that_can_be_carried_is(run: Run, kept: Kept, tmp_path: Path) -> None:
    points, out = tmp_path / "in.csv", tmp_path / "out.csv"
    x, y, z = TRUTH.apply(CENTRE_CT)
    points.write_text(f"middle,{x},{y},{z}\n", encoding="utf-8")
    said = run(*ENDS, "--points", points)
    assert (said.code, said.out) == (0, "name,x,y,z\nmiddle,5.0000,-4.0000,3.0000\n")
    assert run(*ENDS, "--points", points, "--to-file", out).code == 0
    assert out.read_text(encoding="utf-8") == said.out
    assert run(*ENDS, "--points", points, "--json").json["Points"][0]["Name"] == "middle"

    regions = run(*ENDS, "--structures", kept.structures, "--save", "--json").json
    assert (regions["Carried"], regions["Form"], len(regions["StoredObjects"])) == (["GTV"], "contours", 1)
    assert regions["Registrations"] == [kept.registration]
    found = run("contour", "list", regions["StoredObjects"][0], "--json").json["Regions"]
    assert [row["Name"] for row in found] == ["GTV"]
    said = run(*ENDS, "--structures", kept.segmentation, "--to-file", tmp_path / "mask.nrrd")
    assert (said.code, "1 region carried over by registration" in said.out) == (0, True)
    assert sitk.ReadImage(str(tmp_path / "mask.nrrd")).GetSize() == (30, 30, 29)
    assert run(*ENDS, "--structures", kept.structures, "--as", "seg", "--to-file", tmp_path / "a.dcm").code == 0
    assert dcmread(tmp_path / "a.dcm").Modality == "SEG"

    said = run(*ENDS, "--image", "--to-file", tmp_path / "mr.nii.gz")
    assert (said.code, "lie outside the images" in said.err) == (0, True)
    assert sitk.ReadImage(str(tmp_path / "mr.nii.gz")).GetSize() == (30, 30, 29)
    assert "Stored: 29 images in a new series." in run(*ENDS, "--image", "--save").out
    job = run("jobs", "show", run(*ENDS, "--image", "--job", "--json").json["Job"], "--json").json
    assert (job["Kind"], job["State"]) == ("carry", "queued")
    refused = run(*ENDS, "--image", "--save", "--by", "2.25.404")
    assert (refused.code, "no such registration" in refused.err) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--image",),
        ("--image", "--points", "a.csv"),
        ("--image", "--save", "--job"),
        ("--image", "--as", "seg", "--save"),
        ("--image", "--to-file", "a.dcm"),
        ("--image", "--save", "--by", "x"),
        ("--points", "a.csv", "--save"),
        ("--points", "a.csv", "--to-file", "/"),
    ],
)
def test_wrong_use_ends_with_2_before_anything_is_read(run: Run, words: tuple[str, ...]) -> None:
    assert run(*ENDS, *words).code == 2

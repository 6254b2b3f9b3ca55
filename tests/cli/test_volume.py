"""``radfuse volume``: facts, refusals, NIfTI and NRRD out and in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel
import pytest
from pydicom.dataset import Dataset

from radfuse.services.volumes import open_volume, stacks
from radfuse.volume import Unit
from tests.cli.conftest import Run
from tests.support.volumes import Shape, write_series


def tilted(ds: Dataset, number: int) -> None:
    """A gantry tilt."""
    ds.ImagePositionPatient = [0, number, 3 * number]


@pytest.fixture
def ct(tmp_path: Path) -> list[Path]:
    return write_series(tmp_path / "ct", 4)


def test_a_kept_series_is_shown_and_comes_from_the_cache_the_second_time(run: Run, ct: list[Path]) -> None:
    assert run("import", ct[0].parent).code == 0
    uid = stacks(None, ct)[0].source.series_uid
    shown = run("volume", uid)
    assert shown.code == 0
    for words in ("CT, " + uid, "5 columns, 6 rows, 4 slices", "2 x 1.5 x 3 mm", "axial: columns to the left", "HU"):
        assert words in shown.out
    facts = run("volume", uid, "--json").json
    assert facts["FromCache"] is True
    assert facts["SpacingMm"] == [2.0, 1.5, 3.0]
    assert (facts["Columns"], facts["Rows"], facts["Slices"]) == (5, 6, 4)
    assert facts["Minimum"] == open_volume(None, ct).voxels.min()
    assert facts["Findings"] == []
    assert run("volume", uid, "--units", "stored", "--json").json["Minimum"] == facts["Minimum"] + 1024


def test_the_bound_of_the_cache_is_a_setting(run: Run, ct: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADFUSE_VOLUME_CACHE_BYTES", "0")
    run("import", ct[0].parent)
    uid = stacks(None, ct)[0].source.series_uid
    assert [run("volume", uid, "--json").json["FromCache"] for _ in range(2)] == [False, False]


def test_files_are_written_as_nifti_and_read_again(run: Run, ct: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "out.nii.gz"
    written = run("volume", ct[0].parent, "--to", target)
    assert (written.code, written.err) == (0, "")
    assert f"{target} is written." in written.out
    image: Any = nibabel.load(target)
    assert image.shape == (5, 6, 4)
    back = run("volume", target)
    assert back.code == 0
    assert "HU" in back.out
    assert "no frame of reference" in back.err
    run("import", ct[0].parent)
    uid = stacks(None, ct)[0].source.series_uid
    like = run("volume", target, "--like", uid, "--json").json
    assert like["FrameOfReferenceUID"] == open_volume(None, ct).grid.frame.uid
    again = run("volume", ct[0].parent, "--to", target)
    assert again.code == 2
    assert "exists already" in again.err


def test_shear_is_resampled_only_when_asked(run: Run, tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", 4, Shape(), edit=tilted)[0].parent
    refused = run("volume", folder, "--to", tmp_path / "a.nrrd")
    assert refused.code == 1
    assert "--unshear" in refused.err
    assert not (tmp_path / "a.nrrd").exists()
    assert run("volume", folder, "--to", tmp_path / "a.nrrd", "--unshear").code == 0
    shown = run("volume", folder)
    assert "sheared 18.4°" in shown.out
    assert "radfuse: sheared:" in shown.err


def test_a_refusal_is_one_sentence_and_1(run: Run, tmp_path: Path) -> None:
    files = write_series(tmp_path / "ct", 6)
    files[3].unlink()
    refused = run("volume", tmp_path / "ct")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("radfuse: no volume can be built: 1 of ")
    assert refused.err.count("\n") == 1
    repaired = run("volume", tmp_path / "ct", "--repair", "gaps", "--json")
    assert repaired.code == 0
    assert any(each["Repaired"] for each in repaired.json["Findings"])
    assert run("volume", tmp_path / "ct", "--units", "SUVbw", "--repair", "gaps").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--units", "furlongs"),
        ("--repair", "all"),
        ("--stack", "0"),
        ("--to", "a.png"),
        ("--to", "no/such/folder/a.nii"),
    ],
)
def test_wrong_use_is_2(run: Run, ct: list[Path], words: tuple[str, ...]) -> None:
    assert run("volume", ct[0].parent, *words).code == 2


def test_a_missing_file_or_series_is_1(run: Run, ct: list[Path], tmp_path: Path) -> None:
    assert run("volume", tmp_path / "none").code == 1
    assert run("volume", "2.25.1").code == 1
    run("import", ct[0].parent)
    assert "no such series" in run("volume", "2.25.1").err


def test_units_may_be_typed_in_any_case_and_lean_body_mass_names_its_formula() -> None:
    from radfuse.cli.images import unit_named

    assert unit_named("hu") is Unit.HU
    assert unit_named("SUVLBM") is Unit.SUV_LBM_JANMA
    assert unit_named("SUVlbm(James)") is Unit.SUV_LBM_JAMES
    assert unit_named(None) is None


def test_help_and_the_node_load_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys; import radfuse.cli.program, radfuse.app, radfuse.services.forget\n"
        "heavy = {'SimpleITK', 'numba', 'pydicom', 'highdicom', 'reportlab'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

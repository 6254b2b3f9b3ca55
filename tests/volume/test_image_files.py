"""NIfTI and NRRD as nibabel and pynrrd see them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel
import nrrd  # type: ignore[import-untyped]
import numpy as np
import pytest
import SimpleITK

from radfuse.core.errors import CannotBuildVolume, FramesDiffer, InvalidGeometry
from radfuse.geometry import Affine, Grid, Mask
from radfuse.volume import Unit, Volume
from radfuse.volume.image_files import read_image_file, read_mask_file, write_image_file, write_mask_file
from tests.volume.made import FRAME, OTHER_FRAME, SOURCE, ramp_volume, tilted_grid, turned

sitk: Any = SimpleITK
LPS_TO_RAS = np.diag((-1.0, -1.0, 1.0, 1.0))


def oblique_volume(unit: Unit = Unit.HU) -> Volume:
    """Three different lengths, three different angles, int16."""
    voxels = np.random.default_rng(5).integers(-1000, 3000, (4, 5, 6)).astype(np.int16)
    linear = turned(20) @ turned(10, 0) @ turned(-7, 1) @ np.diag((0.7, 0.8, 3.0))
    return Volume(voxels, Grid(voxels.shape, Affine.of(linear, (-120.5, 33.25, -410)), FRAME), unit, SOURCE)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nibabel_reads_the_same_voxels_in_the_same_place(tmp_path: Path, suffix: str) -> None:
    volume = oblique_volume()
    write_image_file(tmp_path / f"a{suffix}", volume)
    image: Any = nibabel.load(tmp_path / f"a{suffix}")
    assert (np.asarray(image.dataobj) == volume.voxels.transpose(2, 1, 0)).all()
    assert image.get_data_dtype() == np.int16
    expected = LPS_TO_RAS @ volume.grid.to_patient.matrix
    assert np.abs(image.get_sform() - expected).max() < 1e-4
    assert np.abs(image.get_qform() - expected).max() < 1e-4
    assert image.header.get_xyzt_units()[0] == "mm"
    assert bytes(image.header["descrip"].item()).rstrip(b"\0") == b"Radfuse HU"


def test_pynrrd_reads_the_same_voxels_in_the_same_place(tmp_path: Path) -> None:
    volume = oblique_volume()
    write_image_file(tmp_path / "a.nrrd", volume)
    voxels, header = nrrd.read(str(tmp_path / "a.nrrd"))
    assert (voxels == volume.voxels.transpose(2, 1, 0)).all()
    assert header["space"] == "left-posterior-superior"
    assert np.abs(header["space directions"].T - volume.grid.to_patient.linear).max() < 1e-9
    assert np.abs(header["space origin"] - volume.grid.origin_mm).max() < 1e-9
    assert header["radfuse_unit"] == "HU"
    assert header["radfuse_frame_of_reference_uid"] == FRAME.uid


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd"])
@pytest.mark.parametrize("unit", [Unit.HU, Unit.SUV_LBM_JANMA, Unit.BQML])
def test_what_was_written_is_read_back(tmp_path: Path, suffix: str, unit: Unit) -> None:
    volume = oblique_volume(unit)
    write_image_file(tmp_path / f"a{suffix}", volume)
    back = read_image_file(tmp_path / f"a{suffix}", like=volume.grid)
    assert back.grid is volume.grid
    assert back.unit is unit
    assert (back.voxels == volume.voxels).all()
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def test_nrrd_keeps_the_frame_of_reference_and_nifti_cannot(tmp_path: Path) -> None:
    volume = ramp_volume(oblique_volume().grid)
    for name in ("a.nrrd", "a.nii"):
        write_image_file(tmp_path / name, volume)
    assert read_image_file(tmp_path / "a.nrrd").grid.matches(volume.grid)
    back = read_image_file(tmp_path / "a.nii")
    assert not back.grid.frame.is_known
    assert "no frame of reference" in back.findings[0].sentence
    assert back.voxels.dtype == np.float32
    assert np.array_equal(back.voxels, volume.voxels)


def test_a_file_is_like_a_series_only_if_it_has_its_voxels_and_frame(tmp_path: Path) -> None:
    volume = oblique_volume()
    for name in ("a.nrrd", "a.nii"):
        write_image_file(tmp_path / name, volume)
    moved = Affine.of(volume.grid.to_patient.linear, volume.grid.origin_mm + np.array((0.1, 0, 0)))
    with pytest.raises(CannotBuildVolume, match="not those of the series"):
        read_image_file(tmp_path / "a.nii", like=Grid(volume.grid.shape, moved, FRAME))
    with pytest.raises(FramesDiffer):
        read_image_file(tmp_path / "a.nrrd", like=Grid(volume.grid.shape, volume.grid.to_patient, OTHER_FRAME))


def test_shear_is_refused_or_resampled_on_request(tmp_path: Path) -> None:
    volume = ramp_volume(tilted_grid())
    with pytest.raises(InvalidGeometry, match="sheared"):
        write_image_file(tmp_path / "a.nii.gz", volume)
    assert list(tmp_path.iterdir()) == []
    write_image_file(tmp_path / "a.nii.gz", volume, unshear=True)
    back = read_image_file(tmp_path / "a.nii.gz")
    assert back.grid.spacing_mm == pytest.approx(volume.grid.spacing_mm, abs=1e-5)
    with pytest.raises(InvalidGeometry):
        write_mask_file(tmp_path / "b.nii", Mask(volume.grid, volume.voxels > 0))


def test_masks_are_bytes_of_0_and_1(tmp_path: Path) -> None:
    volume = oblique_volume()
    mask = Mask(volume.grid, volume.voxels > 500)
    for name in ("a.nii.gz", "a.nrrd"):
        write_mask_file(tmp_path / name, mask)
        assert (read_mask_file(tmp_path / name, like=volume.grid).inside == mask.inside).all()
    write_image_file(tmp_path / "b.nrrd", volume)
    with pytest.raises(CannotBuildVolume, match="0 and 1"):
        read_mask_file(tmp_path / "b.nrrd")


@pytest.mark.parametrize(
    ("kind", "kept"),
    [(np.uint8, np.int16), (np.uint16, np.float32), (np.int32, np.float32), (np.float64, np.float32)],
)
def test_other_number_types_become_ours_without_loss(tmp_path: Path, kind: Any, kept: Any) -> None:
    values = np.array([[[0, 1, 250 if kind is np.uint8 else 60000]]], dtype=kind)
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / "a.nrrd"))
    back = read_image_file(tmp_path / "a.nrrd")
    assert back.voxels.dtype == kept
    assert (back.voxels == values).all()
    assert back.unit is Unit.STORED


def test_what_is_no_volume_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_bytes(b"nothing")
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(b"nothing"))
    sitk.WriteImage(sitk.Image((2, 2, 2), sitk.sitkVectorFloat32, 3), str(tmp_path / "c.nrrd"))
    sitk.WriteImage(sitk.Image((2, 2), sitk.sitkInt16), str(tmp_path / "d.nrrd"))
    nan = sitk.GetImageFromArray(np.full((2, 2, 2), np.nan, np.float32))
    sitk.WriteImage(nan, str(tmp_path / "e.nrrd"))
    for name in ("a.nii", "b.nii.gz", "c.nrrd", "d.nrrd", "e.nrrd", "missing.nii"):
        with pytest.raises(CannotBuildVolume):
            read_image_file(tmp_path / name)
    with pytest.raises(CannotBuildVolume, match="must end with"):
        write_image_file(tmp_path / "a.txt", oblique_volume())
    with pytest.raises(OSError, match="cannot be written"):
        write_image_file(tmp_path / "no" / "a.nii", oblique_volume())


def test_shared_masks_lie_on_the_grid_that_nibabel_says(shared_data: Path) -> None:
    for path in sorted((shared_data / "petct" / "sts-001").rglob("*.nii*"))[:2]:
        image: Any = nibabel.load(path)
        ours = read_mask_file(path)
        assert np.abs(LPS_TO_RAS @ ours.grid.to_patient.matrix - image.affine).max() < 1e-3
        assert ours.voxels == np.count_nonzero(np.asarray(image.dataobj))

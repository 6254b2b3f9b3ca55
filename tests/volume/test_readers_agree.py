"""Where SimpleITK, GDCM, pydicom and highdicom read a series right, they read what we read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from radfuse.volume import Volume, read_stack, stacks_of
from tests.support.generate import save
from tests.support.volumes import ENHANCED_CT, Shape, enhanced, tomogram, write_series

OBLIQUE = Shape(orientation=(0.8, 0.6, 0.0, 0.0, 0.0, -1.0))


def volume_of(files: list[Path]) -> Volume:
    (stack,) = stacks_of(files)
    return read_stack(stack)


def assert_agrees(volume: Volume, image: Any) -> None:
    """With an image of SimpleITK, whichever way its slices run."""
    import SimpleITK as sitk

    values = sitk.GetArrayFromImage(image)
    assert values.shape == volume.voxels.shape
    turned = (image.GetSize()[2] > 1) and float(np.array(image.GetDirection())[2::3] @ volume.grid.normal) < 0
    last = len(values) - 1
    for index in ((0, 0, 0), (1, 2, last), (volume.grid.shape[2] - 1, 0, last // 2)):
        theirs = (index[0], index[1], last - index[2] if turned else index[2])
        place = image.TransformIndexToPhysicalPoint(tuple(int(part) for part in theirs))
        assert volume.grid.to_patient.apply(index) == pytest.approx(place, abs=2e-2)
    assert np.allclose(values[::-1] if turned else values, volume.voxels, rtol=1e-5, atol=1e-3)


def series_of_itk(files: list[Path]) -> Any:
    import SimpleITK as sitk

    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(files[0].parent))  # type: ignore[no-untyped-call]
    return sitk.ReadImage(names)


@pytest.mark.parametrize("modality", ["CT", "PT", "MR"])
@pytest.mark.parametrize("shape", [Shape(), OBLIQUE], ids=["axial", "oblique"])
def test_a_regular_series_is_what_simpleitk_reads(tmp_path: Path, modality: str, shape: Shape) -> None:
    files = write_series(tmp_path, 4, shape, modality)
    assert_agrees(volume_of(files), series_of_itk(files))


@pytest.mark.parametrize(
    "name",
    ["petct/sts-003/ct", "petct/sts-003/pet", "petct/sts-003/mr-t1", "mr/brainix/epi", "petct/sts-001-raw/mr-t2"],
)
def test_a_shared_series_is_what_simpleitk_reads(shared_data: Path, name: str) -> None:
    files = sorted((shared_data / name).iterdir())
    assert_agrees(volume_of(files), series_of_itk(files))


def test_a_tomogram_is_what_gdcm_reads(tmp_path: Path) -> None:
    import SimpleITK as sitk

    file = save(tomogram(Shape(), 4, 3.0), tmp_path, str(ExplicitVRLittleEndian))
    assert_agrees(volume_of([file]), sitk.ReadImage(str(file)))


def test_an_enhanced_image_is_what_gdcm_reads(tmp_path: Path) -> None:
    import SimpleITK as sitk

    file = save(enhanced(Shape(), [0, 1, 2, 3], ENHANCED_CT, "CT"), tmp_path, str(ExplicitVRLittleEndian))
    assert_agrees(volume_of([file]), sitk.ReadImage(str(file)))


def test_a_shared_series_is_what_highdicom_reads(shared_data: Path) -> None:
    import highdicom

    files = sorted((shared_data / "petct/sts-003/ct").iterdir())
    volume = volume_of(files)
    theirs = highdicom.get_volume_from_series([dcmread(file) for file in files])
    ours = {
        tuple(np.round(volume.grid.to_patient.apply(index), 2) + 0.0) for index in ((0, 0, 0), (0, 0, len(files) - 1))
    }
    ends = {tuple(np.round(theirs.affine[:3] @ (k, 0, 0, 1), 2) + 0.0) for k in (0, len(files) - 1)}
    assert ours == ends
    assert theirs.array.mean() == pytest.approx(float(volume.voxels.mean()), abs=1e-3)


def test_enhanced_frames_are_what_pydicom_reads(shared_data: Path) -> None:
    path = shared_data / "enhanced/philips-fmri.dcm"
    ds = dcmread(path)
    pixels = ds.pixel_array.astype(np.float64)
    for stack in stacks_of([path]):
        volume = read_stack(stack)
        for place, frame in enumerate(volume.source.frame_numbers):
            groups = ds.PerFrameFunctionalGroupsSequence[frame - 1]
            rescale = groups.PixelValueTransformationSequence[0]
            expected = pixels[frame - 1] * float(rescale.RescaleSlope) + float(rescale.RescaleIntercept)
            assert np.allclose(volume.voxels[place], expected, rtol=1e-6)
            position = [float(part) for part in groups.PlanePositionSequence[0].ImagePositionPatient]
            assert volume.grid.to_patient.apply([0, 0, place]) == pytest.approx(position, abs=1e-3)


def test_a_dose_is_what_pydicom_reads(shared_data: Path) -> None:
    path = shared_data / "sop-classes/pydicom/rtdose.dcm"
    ds = dcmread(path)
    volume = volume_of([path])
    offsets = [float(part) for part in ds.GridFrameOffsetVector]
    rising = offsets[-1] > offsets[0]
    expected = ds.pixel_array * float(ds.DoseGridScaling)
    assert np.allclose(volume.voxels, expected if rising else expected[::-1], rtol=1e-6)
    step = abs(offsets[1] - offsets[0])
    assert volume.grid.spacing_mm[2] == pytest.approx(step)


def test_a_shared_segmentation_is_what_pydicom_reads(shared_data: Path) -> None:
    path = shared_data / "seg/ucsf-br-06/seg.dcm"
    ds = dcmread(path)
    volume = volume_of([path])
    frames = ds.pixel_array / float(ds.MaximumFractionalValue)
    for place, frame in enumerate(volume.source.frame_numbers):
        assert np.allclose(volume.voxels[place], frames[frame - 1])

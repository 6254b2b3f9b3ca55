"""Numbers that would look right and be wrong: units, padding, slices of SUV and findings, parts of dynamic series."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from radfuse.core.errors import CannotBuildVolume, CannotComputeSUV
from radfuse.volume import FindingKind, Repair, Stack, Unit, Volume, read_stack, stacks_of
from radfuse.volume.image_files import read_image_file, read_mask_file
from radfuse.volume.resample import regular_grid, resample
from tests.support.generate import save
from tests.support.volumes import Edit, Shape, dose, pixels_of, put_pixels, tomogram, write_series
from tests.volume.suv.headers import pet

SHAPE = Shape()
GAPS = frozenset({Repair.GAPS})


def only(files: list[Path]) -> Stack:
    (stack,) = stacks_of(files)
    return stack


def sentences(volume: Volume, kind: FindingKind) -> list[str]:
    return [finding.sentence for finding in volume.findings if finding.kind is kind]


def _mapped(slope: float, unit: str) -> Sequence:
    item, code = Dataset(), Dataset()
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, 0.0
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = unit, "UCUM", unit
    item.MeasurementUnitsCodeSequence = Sequence([code])
    return Sequence([item])


# --- units -----------------------------------------------------------------------------------


def test_a_slice_without_a_rescale_among_others_is_refused(tmp_path: Path) -> None:
    def put(ds: Dataset, number: int) -> None:
        del ds.RescaleType
        if number == 2:
            del ds.RescaleSlope, ds.RescaleIntercept

    refusal = only(write_series(tmp_path, 4, edit=put)).refusal
    assert refusal == "some of its slices have no Rescale Slope and Intercept: they are not in one unit"


def test_pet_without_a_rescale_is_in_no_becquerels(tmp_path: Path) -> None:
    def bare(ds: Dataset, _: int) -> None:
        del ds.RescaleSlope, ds.RescaleIntercept

    stack = only(write_series(tmp_path, 2, modality="PT", edit=bare))
    volume = read_stack(stack)
    assert volume.unit is Unit.SIGNAL
    assert sentences(volume, FindingKind.UNIT) == [
        "the images have no Rescale Slope and Intercept: numbers are as stored"
    ]
    with pytest.raises(CannotBuildVolume, match="they have no Rescale Slope and Intercept"):
        read_stack(stack, Unit.BQML)
    with pytest.raises(CannotComputeSUV, match="Rescale Slope"):
        read_stack(stack, Unit.SUV_BW)


@pytest.mark.parametrize(("mapped_to", "unit"), [("g/ml{SUVbw}", Unit.SIGNAL), ("Bq/ml", Unit.BQML)])
def test_pet_with_a_real_world_mapping_alone_is_in_its_unit(tmp_path: Path, mapped_to: str, unit: Unit) -> None:
    def put(ds: Dataset, _: int) -> None:
        del ds.RescaleSlope, ds.RescaleIntercept
        ds.RealWorldValueMappingSequence = _mapped(0.001, mapped_to)

    assert only(write_series(tmp_path, 2, modality="PT", edit=put)).unit is unit


@pytest.mark.parametrize(("mapped_to", "unit"), [("Bq/ml", Unit.BQML), ("ml", Unit.SIGNAL)])
def test_a_quantitative_tomogram_is_not_in_counts(tmp_path: Path, mapped_to: str, unit: Unit) -> None:
    ds = tomogram(SHAPE, 3, 3.0)
    ds.RealWorldValueMappingSequence = _mapped(12.5, mapped_to)
    volume = read_stack(only([save(ds, tmp_path, ExplicitVRLittleEndian)]))
    assert volume.unit is unit
    assert np.allclose(volume.voxels[1], 12.5 * pixels_of(SHAPE, 1))


def test_slopes_that_are_all_negative_are_said(tmp_path: Path) -> None:
    files = write_series(tmp_path, 2, modality="MR", edit=lambda ds, _: ds.update(_rescaled("-2")))
    assert sentences(read_stack(only(files)), FindingKind.UNIT) == [
        "Rescale Slope is negative in all slices: applied as it stands"
    ]


def _rescaled(slope: str) -> Dataset:
    ds = Dataset()
    ds.RescaleSlope, ds.RescaleIntercept = slope, "0"
    return ds


@pytest.mark.parametrize(
    ("kind", "of", "words"),
    [
        ("PHYSICAL", "BEAM", "Dose Summation Type is BEAM: this is not the dose of the whole plan"),
        ("ERROR", "PLAN", "Dose Type is ERROR: the numbers are differences between doses"),
        ("EFFECTIVE", "PLAN", "Dose Type is EFFECTIVE: the numbers are doses weighted by their biological effect"),
    ],
)
def test_a_dose_that_is_not_that_of_the_plan_says_so(tmp_path: Path, kind: str, of: str, words: str) -> None:
    ds = dose(SHAPE, [0, 2, 4])
    ds.DoseType, ds.DoseSummationType = kind, of
    volume = read_stack(only([save(ds, tmp_path, ExplicitVRLittleEndian)]))
    assert sentences(volume, FindingKind.HEADER) == [words]


@pytest.mark.parametrize("scaling", ["0", "-0.01"])
def test_a_dose_scaling_that_is_not_above_0_is_refused(tmp_path: Path, scaling: str) -> None:
    path = save(dose(SHAPE, [0, 2, 4], scaling), tmp_path, ExplicitVRLittleEndian)
    assert "no Dose Grid Scaling above 0" in (only([path]).refusal or "")


def test_a_tomogram_without_spacing_between_slices_says_what_was_taken_for_it(tmp_path: Path) -> None:
    ds = tomogram(SHAPE, 3, 3.0)
    del ds.SpacingBetweenSlices
    ds.SliceThickness = 4.0
    volume = read_stack(only([save(ds, tmp_path, ExplicitVRLittleEndian)]))
    assert volume.grid.spacing_mm[2] == pytest.approx(4)
    assert sentences(volume, FindingKind.HEADER) == [
        "Spacing Between Slices is not given: Slice Thickness was taken for it"
    ]


def test_numbers_that_may_have_a_sign_or_not_are_refused(tmp_path: Path) -> None:
    def put(ds: Dataset, _: int) -> None:
        del ds.PixelRepresentation

    refusal = only(write_series(tmp_path, 2, edit=put)).refusal
    assert refusal == "an image does not say whether its numbers have a sign (Pixel Representation)"


# --- padding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("signed", [False, True])
def test_padding_that_bits_stored_cannot_hold_does_not_become_tissue(tmp_path: Path, signed: bool) -> None:
    def put(ds: Dataset, number: int) -> None:
        pixels = pixels_of(SHAPE, number).astype(np.int16)
        pixels[0, 0] = -4000
        put_pixels(ds, pixels if signed else pixels.view(np.uint16))
        ds.add_new(0x0028_0120, "SS" if signed else "US", -4000 if signed else 65536 - 4000)

    volume = read_stack(only(write_series(tmp_path, 3, edit=put)))
    padding = (0 if signed else 65536) - 4000 - 1024
    assert (volume.voxels[:, 0, 0] == padding).all()
    assert np.array_equal(volume.voxels[1, 1:], pixels_of(SHAPE, 1)[1:].astype(np.float32) - 1024)
    assert sentences(volume, FindingKind.PIXELS)[0].startswith(f"3 voxels have the Pixel Padding Value ({padding} HU)")


def test_all_of_a_range_of_padding_is_counted(tmp_path: Path) -> None:
    def put(ds: Dataset, _: int) -> None:
        ds.add_new(0x0028_0120, "US", 3)
        ds.add_new(0x0028_0121, "US", 1)

    volume = read_stack(only(write_series(tmp_path, 1, edit=put)))
    assert sentences(volume, FindingKind.PIXELS)[0].startswith("3 voxels have the Pixel Padding Value: ")


# --- slices that are not those of the images -------------------------------------------------


def _pet(**changes: Any) -> Edit:
    """Headers of which SUV can be computed; each image is a minute later than the one before it."""

    def put(ds: Dataset, number: int) -> None:
        ds.update(pet(AcquisitionTime=f"11{number:02}00", **changes))

    return put


def _without_decay_correction() -> Edit:
    return _pet(DecayCorrection="NONE", CorrectedImage=["ATTN"])


def test_the_suv_factors_of_a_filled_volume_are_those_of_its_slices(tmp_path: Path) -> None:
    files = write_series(tmp_path, 6, modality="PT", edit=_without_decay_correction())
    whole = read_stack(only(files), Unit.SUV_BW)
    filled = read_stack(only([*files[:2], *files[3:]]), Unit.SUV_BW, GAPS)
    assert whole.suv is not None
    assert filled.suv is not None
    assert len({*whole.suv.factors}) == len(filled.suv.factors) == 6
    assert filled.suv.factors[:2] + filled.suv.factors[3:] == whole.suv.factors[:2] + whole.suv.factors[3:]
    assert filled.suv.factor_for(2) == pytest.approx(whole.suv.factor_for(2), rel=1e-4)
    assert np.allclose(filled.voxels[4], pixels_of(SHAPE, 4) * filled.suv.factor_for(4))


def test_findings_on_images_name_the_slices_of_a_filled_volume(tmp_path: Path) -> None:
    def put(ds: Dataset, number: int) -> None:
        ds.RescaleSlope, ds.RescaleIntercept = ("-1" if number == 4 else "1"), "0"

    files = write_series(tmp_path, 6, modality="MR", edit=put)
    volume = read_stack(only([*files[:2], *files[3:]]), repairs=GAPS)
    (finding,) = (finding for finding in volume.findings if finding.kind is FindingKind.UNIT)
    assert finding.slices == (4,)


def test_a_repair_may_be_anywhere_in_a_resampled_volume(tmp_path: Path) -> None:
    files = write_series(tmp_path, 6)
    volume = read_stack(only([*files[:2], *files[3:]]), repairs=GAPS)
    (gap,) = resample(volume, regular_grid(volume.grid, 1.5)).findings
    assert (gap.repaired, gap.slices) == (True, ())


# --- parts of dynamic series -----------------------------------------------------------------


def _dynamic(folder: Path, kept: set[int]) -> list[Path]:
    """Some of the images of two times of three slices."""

    def put(ds: Dataset, number: int) -> None:
        ds.ImagePositionPatient = SHAPE.position(number % 3)
        ds.SeriesType, ds.NumberOfSlices, ds.ImageIndex = ["DYNAMIC", "IMAGE"], 3, number + 1

    files = write_series(folder, 6, modality="PT", edit=put)
    return [file for number, file in enumerate(files) if number in kept]


def test_two_times_of_which_no_place_is_left_twice_are_still_two(tmp_path: Path) -> None:
    stacks = stacks_of(_dynamic(tmp_path, {0, 4, 5}))
    assert [(stack.label, len(stack.frames)) for stack in stacks] == [
        ("gate 1 of 2, number 1", 1),
        ("gate 2 of 2, number 2", 2),
    ]


def test_a_time_with_fewer_slices_than_another_is_said(tmp_path: Path) -> None:
    stacks = stacks_of(_dynamic(tmp_path, {0, 1, 2, 3, 4}))
    assert [len(stack.frames) for stack in stacks] == [3, 2]
    for stack in stacks:
        assert stack.findings[-1].sentence == "the parts of the series have 2 to 3 slices: images of some are missing"
    assert len(stacks_of(_dynamic(tmp_path, set(range(6))))[0].findings) == 1


def test_suv_of_a_late_time_belong_to_the_start_of_the_whole_series(tmp_path: Path) -> None:
    """Series Time lies between the two times: it is no start, whichever time is read."""

    def put(ds: Dataset, number: int) -> None:
        late = number >= 2
        ds.update(
            pet(
                SeriesTime="112000",
                AcquisitionTime="113000" if late else "110000",
                FrameReferenceTime="1950000" if late else "150000",
            )
        )
        ds.ImagePositionPatient = SHAPE.position(number % 2)

    stacks = stacks_of(write_series(tmp_path, 4, modality="PT", edit=put))
    early, late = (read_stack(stack, Unit.SUV_BW).suv for stack in stacks)
    assert early is not None
    assert late is not None
    assert early.reference_time == late.reference_time
    assert early.factors == pytest.approx(late.factors, rel=1e-6)


# --- files of research -----------------------------------------------------------------------


def test_a_nifti_file_that_does_not_say_which_side_is_left_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.nii"
    image: Any = nibabel.Nifti1Image
    nibabel.save(image(np.ones((4, 5, 6), np.int16), np.diag([-2.0, -2, 3, 1])), path)
    assert read_mask_file(path).voxels == 120
    content = bytearray(path.read_bytes())
    content[252:256] = struct.pack("<hh", 0, 0)  # qform_code, sform_code
    path.write_bytes(content)
    for read in (read_image_file, read_mask_file):
        with pytest.raises(CannotBuildVolume, match="which side is left"):
            read(path)

"""Files of many frames: enhanced images, segmentations, tomograms and doses, frame by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from radfuse.core.errors import CannotBuildVolume
from radfuse.volume import FindingKind, Repair, Stack, Unit, read_stack, stacks_of
from tests.support.generate import FRAME_OF_REFERENCE_UID, base_instance, save
from tests.support.volumes import ENHANCED_CT, ENHANCED_PET, SEGMENTATION, Shape, dose, enhanced, pixels_of, tomogram

SHAPE = Shape()
SHUFFLED = [3, 0, 2, 1]


def stacks(ds: Dataset, folder: Path) -> list[Stack]:
    return stacks_of([save(ds, folder, str(ExplicitVRLittleEndian))])


def only(ds: Dataset, folder: Path) -> Stack:
    (stack,) = stacks(ds, folder)
    return stack


def z_of(stack: Stack, index: float) -> float:
    assert stack.grid is not None
    return float(stack.grid.to_patient.apply([0, 0, index])[2])


# --- enhanced --------------------------------------------------------------------------------


def test_frames_in_any_order_are_sorted_by_place(tmp_path: Path) -> None:
    stack = only(enhanced(SHAPE, SHUFFLED), tmp_path)
    volume = read_stack(stack)
    assert volume.source.frame_numbers == (2, 4, 3, 1)
    assert volume.unit is Unit.SIGNAL
    assert all(np.array_equal(volume.voxels[k], 0.5 * pixels_of(SHAPE, k)) for k in range(4))
    assert [z_of(stack, k) for k in range(4)] == pytest.approx([-30, -27, -24, -21])


def test_enhanced_ct_is_in_hu(tmp_path: Path) -> None:
    volume = read_stack(only(enhanced(SHAPE, SHUFFLED, ENHANCED_CT, "CT"), tmp_path))
    assert volume.unit is Unit.HU
    assert volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels[3], pixels_of(SHAPE, 3).astype(np.int16) - 1024)


def test_what_a_frame_says_counts_before_what_all_say(tmp_path: Path) -> None:
    ds = enhanced(SHAPE, SHUFFLED)
    own = Dataset()
    own.RescaleIntercept, own.RescaleSlope, own.RescaleType = "7", "2", "US"
    ds.PerFrameFunctionalGroupsSequence[0].PixelValueTransformationSequence = Sequence([own])
    volume = read_stack(only(ds, tmp_path))
    assert np.array_equal(volume.voxels[3], 2 * pixels_of(SHAPE, 3) + 7.0)
    assert np.array_equal(volume.voxels[0], 0.5 * pixels_of(SHAPE, 0))


@pytest.mark.parametrize(
    ("sequence", "keyword", "values", "label"),
    [
        ("MREchoSequence", "EffectiveEchoTime", [4.6, 2.3], "echo time 2 of 2, TE 4.6 ms"),
        ("MRDiffusionSequence", "DiffusionBValue", [800.0, 0.0], "b-value 2 of 2, b 800 s/mm2"),
        ("FrameContentSequence", "TemporalPositionIndex", [2, 1], "temporal position 2 of 2, number 2"),
        ("FrameContentSequence", "StackID", ["2", "1"], "stack 2 of 2, 2"),
        ("FrameContentSequence", "DimensionIndexValues", [[1, 2], [1, 1]], "dimension 2 of 2, 2"),
        (
            "CardiacSynchronizationSequence",
            "NominalCardiacTriggerDelayTime",
            [300.0, 0.0],
            "trigger time 2 of 2, 300 ms",
        ),
        (
            "MRImageFrameTypeSequence",
            "ComplexImageComponent",
            ["PHASE", "MAGNITUDE"],
            "image type 2 of 2, VOLUME\\NONE\\PHASE",
        ),
    ],
)
def test_frames_of_one_place_are_told_apart_by_their_functional_groups(
    tmp_path: Path, sequence: str, keyword: str, values: list[object], label: str
) -> None:
    ds = enhanced(SHAPE, [0, 0, 1, 1, 2, 2])
    for number, groups in enumerate(ds.PerFrameFunctionalGroupsSequence):
        if sequence not in groups:
            setattr(groups, sequence, Sequence([Dataset()]))
        setattr(getattr(groups, sequence)[0], keyword, values[number % 2])
    found = stacks(ds, tmp_path)
    assert [len(stack.frames) for stack in found] == [3, 3]
    assert found[1].label == label
    assert read_stack(found[1]).source.frame_numbers == (1, 3, 5)


def test_converted_images_keep_what_told_them_apart(tmp_path: Path) -> None:
    ds = enhanced(SHAPE, [0, 0, 1, 1])
    for number, groups in enumerate(ds.PerFrameFunctionalGroupsSequence):
        converted = Dataset()
        converted.AcquisitionNumber = number % 2 + 1
        groups.UnassignedPerFrameConvertedAttributesSequence = Sequence([converted])
    assert [stack.label for stack in stacks(ds, tmp_path)] == [
        "acquisition 1 of 2, number 1",
        "acquisition 2 of 2, number 2",
    ]


def test_enhanced_pet_says_its_unit_in_its_real_world_values(tmp_path: Path) -> None:
    ds = enhanced(SHAPE, SHUFFLED, ENHANCED_PET, "PT")
    mapping, unit = Dataset(), Dataset()
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 3.0, 0.0
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "Bq/ml", "UCUM", "Becquerels/milliliter"
    mapping.MeasurementUnitsCodeSequence = Sequence([unit])
    ds.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence = Sequence([mapping])
    volume = read_stack(only(ds, tmp_path))
    assert volume.unit is Unit.BQML
    assert np.array_equal(volume.voxels[2], 3.0 * pixels_of(SHAPE, 2))


def test_converted_pet_keeps_its_unit(tmp_path: Path) -> None:
    ds = enhanced(SHAPE, SHUFFLED, ENHANCED_PET, "PT")
    converted = Dataset()
    converted.Units = "CNTS"
    ds.SharedFunctionalGroupsSequence[0].UnassignedSharedConvertedAttributesSequence = Sequence([converted])
    assert read_stack(only(ds, tmp_path)).unit is Unit.COUNTS


def test_vendors_own_positions_are_not_taken(tmp_path: Path) -> None:
    ds = enhanced(SHAPE, SHUFFLED)
    for groups in ds.PerFrameFunctionalGroupsSequence:
        other = Dataset()
        other.ImagePositionPatient = [0, 0, 0]
        groups.private_block(0x2005, "Philips MR Imaging DD 005", create=True).add_new(0x0F, "SQ", Sequence([other]))
    assert z_of(only(ds, tmp_path), 3) == pytest.approx(-21)


def test_fewer_groups_than_frames_are_refused(tmp_path: Path) -> None:
    ds = enhanced(SHAPE, SHUFFLED)
    del ds.PerFrameFunctionalGroupsSequence[3]
    assert only(ds, tmp_path).refusal == "the image does not say of each of its frames where it lies"


def test_frames_without_any_geometry_are_refused(tmp_path: Path) -> None:
    ds = enhanced(SHAPE, SHUFFLED)
    del ds.PerFrameFunctionalGroupsSequence
    assert only(ds, tmp_path).refusal == "a multi-frame image says nowhere where its frames lie"


# --- nuclear medicine ------------------------------------------------------------------------


@pytest.mark.parametrize(("spacing_mm", "first_mm"), [(3.0, -30.0), (-3.0, -39.0)])
def test_tomograms_follow_the_sign_of_their_spacing(tmp_path: Path, spacing_mm: float, first_mm: float) -> None:
    stack = only(tomogram(SHAPE, 4, spacing_mm), tmp_path)
    volume = read_stack(stack)
    assert volume.unit is Unit.COUNTS
    assert z_of(stack, 0) == pytest.approx(first_mm)
    assert np.linalg.det(volume.grid.to_patient.linear) > 0
    first_frame = 0 if spacing_mm > 0 else 3
    assert np.array_equal(volume.voxels[first_frame], pixels_of(SHAPE, 0))
    assert z_of(stack, first_frame) == pytest.approx(-30)


def test_the_slice_vector_says_which_slice_a_frame_is(tmp_path: Path) -> None:
    ds = tomogram(SHAPE, 4, 3.0)
    ds.SliceVector = [3, 1, 4, 2]
    assert read_stack(only(ds, tmp_path)).source.frame_numbers == (2, 4, 1, 3)


def test_gates_of_a_tomogram_are_told_by_their_time_slots(tmp_path: Path) -> None:
    ds = tomogram(SHAPE, 6, 3.0)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"]
    ds.SliceVector, ds.TimeSlotVector = [1, 2, 3, 1, 2, 3], [1, 1, 1, 2, 2, 2]
    assert [stack.label for stack in stacks(ds, tmp_path)] == ["gate 1 of 2, number 1", "gate 2 of 2, number 2"]


def test_energy_windows_of_a_tomogram_are_volumes_of_their_own(tmp_path: Path) -> None:
    ds = tomogram(SHAPE, 4, 3.0)
    ds.SliceVector, ds.EnergyWindowVector = [1, 2, 1, 2], [1, 1, 2, 2]
    found = stacks(ds, tmp_path)
    assert [stack.label for stack in found] == ["energy window 1 of 2, number 1", "energy window 2 of 2, number 2"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("STATIC", "planar"), ("DYNAMIC", "over time"), ("TOMO", "reconstruct them first"), ("", "not said")],
)
def test_what_has_no_slices_is_refused(tmp_path: Path, kind: str, reason: str) -> None:
    ds = tomogram(SHAPE, 4, 3.0)
    ds.ImageType = ["ORIGINAL", "PRIMARY", kind, "EMISSION"]
    with pytest.raises(CannotBuildVolume, match=reason):
        read_stack(only(ds, tmp_path))


@pytest.mark.parametrize("keyword", ["DetectorInformationSequence", "SpacingBetweenSlices"])
def test_a_tomogram_without_its_place_is_refused(tmp_path: Path, keyword: str) -> None:
    ds = tomogram(SHAPE, 4, 3.0)
    delattr(ds, keyword)
    if keyword == "SpacingBetweenSlices":
        del ds.SliceThickness
    with pytest.raises(CannotBuildVolume, match="does not say where its slices lie"):
        read_stack(only(ds, tmp_path))


def test_two_detectors_at_two_places_are_refused(tmp_path: Path) -> None:
    ds = tomogram(SHAPE, 4, 3.0)
    second = Dataset()
    second.ImagePositionPatient = [0, 0, 0]
    second.ImageOrientationPatient = list(SHAPE.orientation)
    ds.DetectorInformationSequence.append(second)
    with pytest.raises(CannotBuildVolume, match="one for each detector"):
        read_stack(only(ds, tmp_path))


# --- dose ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "offsets_mm", [[0, 2.5, 5, 7.5], [0, -2.5, -5, -7.5], [-30, -27.5, -25, -22.5], [-30, -32.5, -35, -37.5]]
)
def test_dose_planes_lie_where_relative_or_absolute_offsets_say(tmp_path: Path, offsets_mm: list[float]) -> None:
    stack = only(dose(SHAPE, offsets_mm), tmp_path)
    volume = read_stack(stack)
    is_up = offsets_mm[1] > offsets_mm[0]
    assert volume.unit is Unit.GY
    assert volume.voxels.dtype == np.float32
    assert z_of(stack, 0 if is_up else 3) == pytest.approx(-30)
    assert z_of(stack, 3 if is_up else 0) == pytest.approx(-22.5 if is_up else -37.5)
    assert np.allclose(volume.voxels[0 if is_up else 3], 0.01 * pixels_of(SHAPE, 0))


def test_relative_offsets_of_an_oblique_dose_go_along_its_normal(tmp_path: Path) -> None:
    shape = Shape(orientation=(0, 1, 0, 0, 0, -1))
    grid = only(dose(shape, [0, 4, 8]), tmp_path).grid
    assert grid is not None
    assert grid.to_patient.apply([0, 0, 2]) == pytest.approx(np.array(shape.first_mm) + 8 * shape.normal)


def test_unequal_dose_planes_are_resampled_only_when_asked_for(tmp_path: Path) -> None:
    stack = only(dose(SHAPE, [0, 2, 4, 7]), tmp_path)
    assert stack.repair is Repair.VARIABLE
    assert len(read_stack(stack, repairs=frozenset({Repair.VARIABLE})).voxels) == 4


@pytest.mark.parametrize(
    ("offsets_mm", "reason"),
    [([5, 7, 9], "begin neither with 0"), ([0, 1], "not one Grid Frame Offset for each")],
)
def test_offsets_that_say_nothing_are_refused(tmp_path: Path, offsets_mm: list[float], reason: str) -> None:
    ds = dose(SHAPE, [0, 1, 2])
    ds.GridFrameOffsetVector = offsets_mm
    with pytest.raises(CannotBuildVolume, match=reason):
        read_stack(only(ds, tmp_path))


def test_a_relative_dose_is_no_gray(tmp_path: Path) -> None:
    ds = dose(SHAPE, [0, 2, 4])
    ds.DoseUnits = "RELATIVE"
    stack = only(ds, tmp_path)
    with pytest.raises(CannotBuildVolume, match="not in Gy; they say RELATIVE"):
        read_stack(stack, Unit.GY)
    volume = read_stack(stack)
    assert volume.unit is Unit.SIGNAL
    assert FindingKind.UNIT in [finding.kind for finding in volume.findings]


def test_a_dose_without_scaling_is_refused(tmp_path: Path) -> None:
    ds = dose(SHAPE, [0, 2, 4])
    del ds.DoseGridScaling
    with pytest.raises(CannotBuildVolume, match="no Dose Grid Scaling"):
        read_stack(only(ds, tmp_path))


def test_two_doses_of_one_series_are_two_volumes(tmp_path: Path) -> None:
    one, other = dose(SHAPE, [0, 2, 4]), dose(SHAPE, [0, 2, 4])
    other.SOPInstanceUID += ".1"
    files = [
        save(one, tmp_path / "1", str(ExplicitVRLittleEndian)),
        save(other, tmp_path / "2", ExplicitVRLittleEndian),
    ]
    assert [len(stack.frames) for stack in stacks_of(files)] == [3, 3]


# --- segmentations ---------------------------------------------------------------------------


def segmentation(
    kind: str, frames: list[tuple[int, float, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]]
) -> Dataset:
    """A segmentation of two segments; each frame is a segment's number, a place and its pixels."""
    ds = base_instance(SEGMENTATION, "SEG", 9, 1)
    ds.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    ds.SegmentationType = kind
    ds.SegmentSequence = Sequence([Dataset(), Dataset()])
    for number, item in enumerate(ds.SegmentSequence, 1):
        item.SegmentNumber, item.SegmentLabel = number, f"Part {number}"
    pixels = np.stack([frame for _, _, frame in frames])
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.NumberOfFrames, ds.Rows, ds.Columns = pixels.shape
    bits = 1 if kind == "BINARY" else 8
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    packed = np.packbits(pixels.ravel(), bitorder="little") if bits == 1 else pixels.ravel()
    ds.PixelData = packed.tobytes() + bytes(len(packed) & 1)
    if kind == "FRACTIONAL":
        ds.MaximumFractionalValue = 200
    ds.SharedFunctionalGroupsSequence = enhanced(SHAPE, [0]).SharedFunctionalGroupsSequence
    del ds.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
    ds.PerFrameFunctionalGroupsSequence = Sequence([_segment_groups(*frame[:2], kind) for frame in frames])
    return ds


def _segment_groups(number: int, place: float, kind: str) -> Dataset:
    groups, position, identification = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = SHAPE.position(place)
    groups.PlanePositionSequence = Sequence([position])
    if kind != "LABELMAP":
        identification.ReferencedSegmentNumber = number
        groups.SegmentIdentificationSequence = Sequence([identification])
    return groups


def some_bits(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 2, (7, 5), dtype=np.uint8)


def test_segments_share_one_grid_and_are_empty_where_they_have_no_frame(tmp_path: Path) -> None:
    bits = [some_bits(seed) for seed in range(4)]
    ds = segmentation("BINARY", [(2, 4, bits[0]), (1, 1, bits[1]), (1, 0, bits[2]), (2, 1, bits[3])])
    first, second = (read_stack(stack) for stack in stacks(ds, tmp_path))
    assert first.unit is second.unit is Unit.FRACTION
    assert first.grid.matches(second.grid)
    assert first.grid.shape == (5, 7, 5)
    zeros = np.zeros((7, 5))
    assert np.array_equal(first.voxels, np.stack([bits[2], bits[1], zeros, zeros, zeros]))
    assert np.array_equal(second.voxels, np.stack([zeros, bits[3], zeros, zeros, bits[0]]))
    (gap,) = [finding for finding in first.findings if finding.kind is FindingKind.GAP]
    assert (gap.slices, gap.repaired) == ((2, 3), False)
    assert second.source.frame_numbers == (0, 4, 0, 0, 1)


def test_segments_are_named_by_number_and_label(tmp_path: Path) -> None:
    ds = segmentation("BINARY", [(1, 0, some_bits(1)), (2, 0, some_bits(2))])
    assert [stack.label for stack in stacks(ds, tmp_path)] == [
        "segment 1 of 2, number 1, Part 1",
        "segment 2 of 2, number 2, Part 2",
    ]


def test_fractions_are_of_the_largest_fractional_value(tmp_path: Path) -> None:
    ds = segmentation(
        "FRACTIONAL", [(1, place, np.full((7, 5), value, np.uint8)) for place, value in ((0, 50), (1, 200))]
    )
    volume = read_stack(only(ds, tmp_path))
    assert [float(part[0, 0]) for part in volume.voxels] == pytest.approx([0.25, 1.0])


def test_fractions_of_nothing_are_refused(tmp_path: Path) -> None:
    ds = segmentation("FRACTIONAL", [(1, 0, np.full((7, 5), 50, np.uint8))])
    del ds.MaximumFractionalValue
    with pytest.raises(CannotBuildVolume, match="Maximum Fractional Value"):
        read_stack(only(ds, tmp_path))


def test_each_label_of_a_labelmap_is_a_volume(tmp_path: Path) -> None:
    labels = [np.arange(35, dtype=np.uint8).reshape(7, 5) % 3 for _ in range(2)]
    ds = segmentation("LABELMAP", [(0, 0, labels[0]), (0, 1, labels[1])])
    first, second = (read_stack(stack) for stack in stacks(ds, tmp_path))
    assert np.array_equal(first.voxels[0], labels[0] == 1)
    assert np.array_equal(second.voxels[1], labels[1] == 2)


def test_a_frame_of_no_described_segment_is_refused(tmp_path: Path) -> None:
    ds = segmentation("BINARY", [(3, 0, some_bits(1)), (1, 1, some_bits(2))])
    with pytest.raises(CannotBuildVolume, match="belongs to no segment that it describes"):
        read_stack(only(ds, tmp_path))


def test_segment_frames_at_unequal_distances_are_refused(tmp_path: Path) -> None:
    ds = segmentation("BINARY", [(1, place, some_bits(1)) for place in (0, 1, 2.3)])
    with pytest.raises(CannotBuildVolume, match="do not lie at equal distances"):
        read_stack(only(ds, tmp_path), repairs=frozenset(Repair))


def test_segment_frames_too_far_apart_are_refused(tmp_path: Path) -> None:
    ds = segmentation("BINARY", [(1, place, some_bits(1)) for place in (0, 1, 15000)])
    ds.Rows, ds.Columns, ds.PixelData = 350, 250, bytes(350 * 250 * 3 // 8 + 2)
    with pytest.raises(CannotBuildVolume, match="too far apart"):
        read_stack(only(ds, tmp_path))

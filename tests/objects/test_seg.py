"""Segmentations: written for others to read, and read whoever wrote them."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radfuse.core.errors import CannotTranscode, FramesDiffer, InvalidObject, InvalidRegion, UnreadableObject
from radfuse.dicom import Transcoder
from radfuse.geometry import Affine, FrameOfReference, Grid, Mask
from radfuse.objects.common import Code, codes, encode, read_native
from radfuse.objects.seg import (
    Content,
    NewSegment,
    Segmentation,
    SegmentationKind,
    SegmentFacts,
    build_segmentation,
    read_segmentation,
)
from radfuse.volume import FindingKind
from tests.support.generate import GeneratedSet
from tests.support.judges import dcentvfy, dciodvfy, segimage2itkimage, written
from tests.support.made import ball, centres, grid_of, headers, made_from, making

BINARY, FRACTIONAL, LABELMAP = SegmentationKind

_LESION = SegmentFacts(
    label="Läsion",
    category=codes.MORPHOLOGICALLY_ABNORMAL,
    kind=Code("52988006", "SCT", "Lesion"),
    algorithm="AUTOMATIC",
    algorithm_name="41 % of SUVmax",
    description="the hot one",
    colour=(255, 20, 0),
    region=Code("39607008", "SCT", "Lung"),
    tracking_id="L1",
    tracking_uid="2.25.4711",
)
_BODY = SegmentFacts("body", codes.TISSUE, Code("85756007", "SCT", "Tissue"), algorithm="MANUAL")


@pytest.fixture(scope="module")
def ct(generated_set: GeneratedSet) -> list[Dataset]:
    return headers(generated_set.ct)


@pytest.fixture(scope="module")
def grid(ct: list[Dataset]) -> Grid:
    return grid_of(ct)


def _made(segments: list[NewSegment], grid: Grid, images: list[Dataset], kind: SegmentationKind = BINARY) -> Dataset:
    ds = build_segmentation(
        segments, grid, images, content=Content(kind=kind), provenance=made_from(images), making=making("A^B")
    )
    return dcmread(io.BytesIO(encode(ds)))


def _segments(grid: Grid, kind: SegmentationKind) -> list[NewSegment]:
    """A lesion in the upper slices that lies in the body, but in a labelmap."""
    lesion, body = ball(grid, (12, 14, 3), 7), ball(grid, (16, 16, 2), 21)
    if kind is FRACTIONAL:
        middle = grid.to_patient.apply((12, 14, 3))
        far_mm = np.linalg.norm(centres(grid) - middle, axis=-1)
        return [NewSegment(_LESION, np.clip((11 - far_mm) / 8, 0, 1).astype(np.float32))]
    if kind is LABELMAP:
        body &= ~lesion
    return [NewSegment(_LESION, lesion), NewSegment.of(_BODY, Mask(grid, body))]


@pytest.fixture(scope="module", params=list(SegmentationKind))
def made(request: pytest.FixtureRequest, ct: list[Dataset], grid: Grid) -> Dataset:
    return _made(_segments(grid, request.param), grid, ct, request.param)


def _kind(ds: Dataset) -> SegmentationKind:
    return SegmentationKind(ds.SegmentationType)


def _stored(segment: NewSegment) -> npt.NDArray[Any]:
    """The numbers of a segment as they can be stored: fractions in 255 parts."""
    whole: npt.NDArray[Any] = np.rint(segment.voxels * 255) / 255
    return whole if segment.voxels.dtype != np.bool_ else segment.voxels


# --- what others say of it -------------------------------------------------------------------


def test_dciodvfy_and_dcentvfy_accept_it(made: Dataset, generated_set: GeneratedSet, tmp_path: Path) -> None:
    path = written(made, tmp_path)
    assert dciodvfy(path) == []
    assert dcentvfy(path, *generated_set.ct) == []


def test_highdicom_reads_the_same_voxels(made: Dataset, grid: Grid, tmp_path: Path) -> None:
    import highdicom

    read = highdicom.seg.segread(written(made, tmp_path))
    volume = read.get_volume(combine_segments=False)
    slices = _slices(volume, grid)
    for number, segment in enumerate(_segments(grid, _kind(made)), start=1):
        filled = np.zeros(grid.shape)
        filled[slices] = volume.array[..., number - 1]
        assert np.allclose(filled, _stored(segment), atol=1e-6), segment.facts.label
        assert read.get_segment_description(number).segment_label == segment.facts.label


def _slices(volume: Any, grid: Grid) -> list[int]:
    """In which slice of the grid each slice of a volume of highdicom lies; its pixels are those of the grid."""
    last_pixel = np.array([0, grid.shape[1] - 1, grid.shape[2] - 1])
    index = np.column_stack((np.arange(len(volume.array)), np.zeros((len(volume.array), 2))))
    ends = [
        grid.from_patient.apply((index + far) @ volume.affine[:3, :3].T + volume.affine[:3, 3])
        for far in (np.zeros(3), last_pixel)
    ]
    slices: list[int] = np.rint(ends[0][:, 2]).astype(int).tolist()
    expected = np.column_stack((np.zeros((len(slices), 2)), slices))
    assert np.allclose(ends[0], expected, atol=1e-3)
    assert np.allclose(ends[1], expected + last_pixel[::-1], atol=1e-3)
    return slices


def test_dcmqi_reads_the_same_voxels_in_the_same_place(made: Dataset, grid: Grid, tmp_path: Path) -> None:
    import SimpleITK

    parts = _segments(grid, _kind(made))
    files = segimage2itkimage(written(made, tmp_path), tmp_path / "dcmqi")
    read = np.zeros((len(parts) + 1, *grid.shape))
    for file in files:
        image: Any = SimpleITK.ReadImage(str(file))
        assert image.GetSpacing() == pytest.approx(grid.spacing_mm)
        column, row, first = np.rint(grid.from_patient.apply(image.GetOrigin())).astype(int)
        assert (column, row) == (0, 0)
        values = SimpleITK.GetArrayFromImage(image)
        for number in range(1, len(parts) + 1):
            part = values / values.max() * values.any() if _kind(made) is FRACTIONAL else values == number
            read[number, first : first + len(values)] += part
    for number, segment in enumerate(parts, start=1):
        expected = _stored(segment) > 0 if _kind(made) is FRACTIONAL else segment.voxels
        assert np.array_equal(read[number] > 0, expected), segment.facts.label


# --- what it says ----------------------------------------------------------------------------


def test_what_was_written_is_read_on_the_grid_of_the_volume(made: Dataset, grid: Grid) -> None:
    read = read_segmentation(made, grid)
    for number, segment in enumerate(_segments(grid, _kind(made)), start=1):
        assert np.allclose(read.fractions(number), _stored(segment), atol=1e-6)
        assert np.array_equal(read.mask(number).inside, _stored(segment) >= 0.5)
        assert read.mask(number).grid is grid


def test_what_was_written_is_read_on_a_grid_of_its_own(made: Dataset, grid: Grid) -> None:
    read = read_segmentation(made)
    assert read.findings == ()
    assert read.grid.frame == grid.frame
    for number, segment in enumerate(_segments(grid, _kind(made)), start=1):
        inside = np.argwhere(read.mask(number).inside)[:, ::-1]
        expected = np.argwhere(_stored(segment) >= 0.5)[:, ::-1]
        assert np.allclose(read.grid.to_patient.apply(inside), grid.to_patient.apply(expected), atol=1e-6)


def test_facts_of_segments_are_kept(made: Dataset) -> None:
    read = read_segmentation(made)
    facts = read.segments[0]
    assert (facts.label, facts.description, facts.algorithm, facts.algorithm_name) == (
        "Läsion", "the hot one", "AUTOMATIC", "41 % of SUVmax",
    )  # fmt: skip
    assert (facts.category, facts.kind, facts.region) == (_LESION.category, _LESION.kind, _LESION.region)
    assert (facts.colour, facts.tracking_id, facts.tracking_uid) == ((255, 20, 0), "L1", "2.25.4711")
    assert [facts.number for facts in read.segments] == list(range(1, len(read.segments) + 1))
    assert read.fractions_mean == ("OCCUPANCY" if read.kind is FRACTIONAL else "")


def test_each_frame_names_the_image_in_whose_slice_it_lies(made: Dataset, ct: list[Dataset]) -> None:
    by_place = {tuple(image.ImagePositionPatient): image.SOPInstanceUID for image in ct}
    read = read_segmentation(made)
    for group, frame in zip(made.PerFrameFunctionalGroupsSequence, read.frames, strict=True):
        position = tuple(group.PlanePositionSequence[0].ImagePositionPatient)
        assert [source.sop_instance_uid for source in frame.sources] == [by_place[position]]
    assert {one.sop_instance_uid for one in read.references} == set(by_place.values())


def test_frames_without_a_voxel_are_left_out(ct: list[Dataset], grid: Grid) -> None:
    lesion = _segments(grid, BINARY)[0]
    ds = _made([lesion], grid, ct)
    assert ds.NumberOfFrames == lesion.voxels.any(axis=(1, 2)).sum() == 3


def test_a_segment_with_a_gap_keeps_its_slices_apart(ct: list[Dataset], grid: Grid) -> None:
    inside = np.zeros(grid.shape, bool)
    inside[[0, 3], 4:6, 4:6] = True
    read = read_segmentation(_made([NewSegment(_BODY, inside)], grid, ct))
    assert read.findings == ()
    assert read.grid.shape[0] == 4
    assert read.mask(1).inside.any(axis=(1, 2)).tolist() == [True, False, False, True]


def test_a_frame_of_a_multi_frame_image_is_named(enhanced_ct: Dataset, ct: list[Dataset], tmp_path: Path) -> None:
    grid = grid_of(ct)
    ds = _made(_segments(grid, BINARY), grid, [enhanced_ct])
    frames = enhanced_ct.PerFrameFunctionalGroupsSequence
    for group, frame in zip(ds.PerFrameFunctionalGroupsSequence, read_segmentation(ds).frames, strict=True):
        (source,) = frame.sources
        (number,) = source.frames
        assert (
            frames[number - 1].PlanePositionSequence[0].ImagePositionPatient
            == group.PlanePositionSequence[0].ImagePositionPatient
        )
    assert dciodvfy(written(ds, tmp_path)) == []


@pytest.mark.parametrize("columns", [7, 8, 13])
def test_frames_whose_bits_end_inside_a_byte_are_read_by_all(columns: int, ct: list[Dataset], tmp_path: Path) -> None:
    import highdicom

    frame = FrameOfReference(ct[0].FrameOfReferenceUID)
    grid = Grid.of((11, 5, columns), (2, 2, 4), (-31, -31, -10), frame)
    inside = np.random.default_rng(columns).random(grid.shape) < 0.4
    path = written(_made([NewSegment(_BODY, inside)], grid, ct), tmp_path)
    assert np.array_equal(read_segmentation(dcmread(path), grid).mask(1).inside, inside)
    volume = highdicom.seg.segread(path).get_volume(combine_segments=False)
    assert np.array_equal(volume.array[..., 0], inside[_slices(volume, grid)])


_TURN = np.array([[0.8, -0.36, 0.48], [0.6, 0.48, -0.64], [0.0, 0.8, 0.6]])


@pytest.mark.parametrize(
    "axes",
    [
        pytest.param(_TURN * (2, 3, 4), id="oblique"),
        pytest.param(_TURN * (2, 3, -4), id="left-handed"),
        pytest.param(np.array([[2, 0, 0], [0, 3, 1], [0, 0, 4]], float), id="sheared"),
    ],
)
def test_grids_that_are_not_axial_are_kept(axes: npt.NDArray[np.float64], ct: list[Dataset], tmp_path: Path) -> None:
    frame = FrameOfReference(ct[0].FrameOfReferenceUID)
    grid = Grid((6, 9, 10), Affine.of(axes, (3, -5, 7)), frame)
    inside = np.random.default_rng(1).random(grid.shape) < 0.3
    path = written(_made([NewSegment(_BODY, inside)], grid, ct), tmp_path)
    assert dciodvfy(path) == []
    assert np.array_equal(read_segmentation(dcmread(path), grid).mask(1).inside, inside)
    own = read_segmentation(dcmread(path))
    points = own.grid.to_patient.apply(np.argwhere(own.mask(1).inside)[:, ::-1])
    expected = grid.to_patient.apply(np.argwhere(inside)[:, ::-1])
    assert np.allclose(_sorted(points), _sorted(expected), atol=1e-5)


def _sorted(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return points[np.lexsort(points.round(3).T)]


def test_many_labels_need_two_bytes(ct: list[Dataset]) -> None:
    frame = FrameOfReference(ct[0].FrameOfReferenceUID)
    grid = Grid.of((2, 13, 13), (2, 2, 4), (-31, -31, -10), frame)
    numbers = np.arange(1, 339).reshape(grid.shape)
    ds = _made([NewSegment(_BODY, numbers == number) for number in range(1, 339)], grid, ct, LABELMAP)
    read = read_segmentation(ds)
    assert ds.BitsAllocated == 16
    assert all(np.array_equal(read.mask(number).inside, numbers == number) for number in (1, 255, 256, 338))


def test_lossy_sources_are_told(ct: list[Dataset], grid: Grid, tmp_path: Path) -> None:
    images = copy.deepcopy(ct)
    images[0].LossyImageCompression = "01"
    images[0].LossyImageCompressionRatio = ["12.34567891"]
    images[0].LossyImageCompressionMethod = "ISO_15444_1"
    ds = _made(_segments(grid, BINARY), grid, images)
    assert (ds.LossyImageCompression, float(ds.LossyImageCompressionRatio)) == ("01", 12.3457)
    assert dciodvfy(written(ds, tmp_path)) == []


# --- what is refused -------------------------------------------------------------------------


_PLAIN = SegmentFacts("a", codes.TISSUE, codes.TISSUE)


@pytest.mark.parametrize(
    ("facts", "inside", "kind"),
    [
        (_PLAIN, np.zeros((5, 32, 32), bool), BINARY),
        (_PLAIN, np.ones((5, 32, 31), bool), BINARY),
        (_PLAIN, np.ones((5, 32, 32), np.float32), BINARY),
        (_PLAIN, np.full((5, 32, 32), 1.5, np.float32), FRACTIONAL),
        (_PLAIN, np.full((5, 32, 32), np.nan, np.float32), FRACTIONAL),
        (replace(_PLAIN, label=""), np.ones((5, 32, 32), bool), BINARY),
        (replace(_PLAIN, algorithm="MAGIC"), np.ones((5, 32, 32), bool), BINARY),
        (replace(_PLAIN, tracking_id="L1"), np.ones((5, 32, 32), bool), BINARY),
    ],
    ids=["empty", "shape", "numbers", "above one", "not a number", "label", "algorithm", "tracking"],
)
def test_segments_that_cannot_be_written_are_refused(
    facts: SegmentFacts, inside: npt.NDArray[Any], kind: SegmentationKind, ct: list[Dataset], grid: Grid
) -> None:
    with pytest.raises(InvalidObject, match="segment 1"):
        _made([NewSegment(facts, inside)], grid, ct, kind)


def test_overlapping_segments_are_no_labelmap(ct: list[Dataset], grid: Grid) -> None:
    with pytest.raises(InvalidObject, match="overlap"):
        _made(_segments(grid, BINARY), grid, ct, LABELMAP)


def test_another_frame_of_reference_is_refused(ct: list[Dataset], grid: Grid) -> None:
    for uid in ("2.25.1", ""):
        other = Grid(grid.shape, grid.to_patient, FrameOfReference(uid))
        with pytest.raises(FramesDiffer):
            _made(_segments(grid, BINARY), other, ct)
        with pytest.raises(FramesDiffer):
            read_segmentation(_made(_segments(grid, BINARY), grid, ct), other)


def test_images_without_a_frame_of_reference_are_refused(ct: list[Dataset], grid: Grid) -> None:
    images = copy.deepcopy(ct)
    for image in images:
        del image.FrameOfReferenceUID
    with pytest.raises(UnreadableObject, match="no frame of reference"):
        _made(_segments(grid, BINARY), grid, images)
    with pytest.raises(UnreadableObject, match="no frame of reference"):
        _made(_segments(grid, BINARY), grid, [])


def test_no_segments_bad_words_and_skew_pixels_are_refused(ct: list[Dataset], grid: Grid) -> None:
    with pytest.raises(InvalidObject, match="1 to 65535"):
        _made([], grid, ct)
    with pytest.raises(InvalidObject, match="words"):
        build_segmentation(_segments(grid, BINARY), grid, ct, content=Content("lower case"),
                           provenance=made_from(ct), making=making())  # fmt: skip
    skew = Grid(grid.shape, Affine.of([[2, 1, 0], [0, 2, 0], [0, 0, 4]], (0, 0, 0)), grid.frame)
    with pytest.raises(InvalidObject, match="right angles"):
        _made(_segments(grid, BINARY), skew, ct)


def _grid(shape: tuple[int, int, int], spacing: float, origin: float, uid: str) -> Grid:
    return Grid.of(shape, (2, 2, spacing), (-31, -31, origin), FrameOfReference(uid))


def test_other_voxels_than_those_of_the_volume_are_refused(made: Dataset, grid: Grid) -> None:
    uid = grid.frame.uid
    others = (
        _grid((5, 32, 32), 4, -8, uid),
        _grid((5, 32, 32), 3, -10, uid),
        _grid((3, 32, 32), 4, -10, uid),
        _grid((5, 32, 33), 4, -10, uid),
    )
    for other in others:
        with pytest.raises(UnreadableObject, match="voxels"):
            read_segmentation(made, other)


def _shift(ds: Dataset, frame: int, mm: float) -> None:
    plane = ds.PerFrameFunctionalGroupsSequence[frame].PlanePositionSequence[0]
    x, y, z = plane.ImagePositionPatient
    plane.ImagePositionPatient = [x, y, z + mm]


def _no_positions(ds: Dataset) -> None:
    for frame in ds.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence


def _two_orientations(ds: Dataset) -> None:
    turned = Dataset()
    turned.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    ds.PerFrameFunctionalGroupsSequence[1].PlaneOrientationSequence = Sequence([turned])


def _nonsense_orientation(ds: Dataset) -> None:
    shared = ds.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    shared.ImageOrientationPatient = [1, 0, 0, 1, 0, 0]


def _uneven(ds: Dataset) -> None:
    _shift(ds, 0, -1.7)
    del ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices


def _lone_plane_without_thickness(ds: Dataset) -> None:
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:1]
    ds.NumberOfFrames = 1
    measures = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    del measures.SpacingBetweenSlices, measures.SliceThickness


def _set(keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda ds: setattr(ds, keyword, value)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_set("SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"), "no segmentation"),
        (_set("SegmentationType", "SURFACE"), "Segmentation Type"),
        (_set("SegmentationType", "FRACTIONAL"), "does not fit the bits"),
        (_set("NumberOfFrames", 17), "number of its frames"),
        (_set("PerFrameFunctionalGroupsSequence", Sequence()), "no place in a patient"),
        (_no_positions, "no place in a patient"),
        (_two_orientations, "several orientations"),
        (_nonsense_orientation, "orientation of its frames is none"),
        (_uneven, "do not lie evenly"),
        (_lone_plane_without_thickness, "no thickness"),
        (_set("PixelData", b"\0" * 20), "shorter than the frames"),
        (_set("Rows", None), "does not say how its pixels"),
        (_set("SegmentSequence", Sequence()), "describes no segments"),
    ],
)
def test_what_cannot_be_placed_or_is_damaged_is_refused(
    spoil: Callable[[Dataset], None], sentence: str, ct: list[Dataset], grid: Grid
) -> None:
    ds = _made(_segments(grid, BINARY), grid, ct)
    spoil(ds)
    with pytest.raises(UnreadableObject, match=sentence):
        read_segmentation(ds)


def test_a_segment_that_is_not_there_is_refused(made: Dataset) -> None:
    with pytest.raises(InvalidRegion):
        read_segmentation(made).mask(9)


# --- what is remarked ------------------------------------------------------------------------


def _sentences(read: Segmentation) -> str:
    return "; ".join(finding.sentence for finding in read.findings)


def test_spacing_that_is_not_said_is_taken_from_the_positions(ct: list[Dataset], grid: Grid) -> None:
    ds = _made(_segments(grid, BINARY), grid, ct)
    measures = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.SpacingBetweenSlices = 7
    assert "contradicts the positions" in _sentences(read_segmentation(ds))
    del measures.SpacingBetweenSlices
    read = read_segmentation(ds)
    assert "is not said: the smallest step, 4.000 mm" in _sentences(read)
    assert read.grid.spacing_mm == pytest.approx((2, 2, 4))


def test_planes_that_jitter_are_put_on_the_grid_and_told(ct: list[Dataset], grid: Grid) -> None:
    ds = _made(_segments(grid, BINARY), grid, ct)
    _shift(ds, 1, 0.08)
    read = read_segmentation(ds)
    (finding,) = read.findings
    assert (finding.kind, finding.repaired) == (FindingKind.JITTER, True)
    assert read.mask(1).voxels == _segments(grid, BINARY)[0].voxels.sum()


def test_frames_of_nobody_and_segments_without_frames_are_told(ct: list[Dataset], grid: Grid) -> None:
    ds = _made(_segments(grid, BINARY), grid, ct)
    ds.SegmentSequence[0].SegmentNumber = 8
    read = read_segmentation(ds)
    assert "1 segments that are not described" in _sentences(read)
    assert "1 of 2 segments have no frames" in _sentences(read)
    assert read.mask(8).voxels == 0


def test_two_frames_in_one_plane_are_joined_and_told(ct: list[Dataset], grid: Grid) -> None:
    ds = _made(_segments(grid, BINARY), grid, ct)
    for frame in ds.PerFrameFunctionalGroupsSequence:
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 1
    read = read_segmentation(ds, grid)
    assert "their voxels were joined" in _sentences(read)
    lesion, body = _segments(grid, BINARY)
    assert np.array_equal(read.mask(1).inside, lesion.voxels | body.voxels)


def test_the_segment_may_stand_in_the_shared_groups(ct: list[Dataset], grid: Grid) -> None:
    lesion = _segments(grid, BINARY)[0]
    ds = _made([lesion], grid, ct)
    for frame in ds.PerFrameFunctionalGroupsSequence:
        shared = frame.SegmentIdentificationSequence
        del frame.SegmentIdentificationSequence
    ds.SharedFunctionalGroupsSequence[0].SegmentIdentificationSequence = shared
    assert np.array_equal(read_segmentation(ds, grid).mask(1).inside, lesion.voxels)


# --- real data -------------------------------------------------------------------------------

_TRUTH = {
    "23x38x3/seg/label.seg": ["23x38x3/nrrd/label.nrrd"],
    "24x38x3/seg/label.seg": ["24x38x3/nrrd/label.nrrd"],
    "liver.dcm": ["liver_seg.nrrd"],
    "partial_overlaps.dcm": ["partial_overlaps-1.nrrd", "partial_overlaps-2.nrrd", "partial_overlaps-3.nrrd"],
    "sparse-labelmap-noppv.dcm": ["sparse_labelmap_noppv_seg.nrrd"],
    "sparse-labelmap-ppv5.dcm": ["sparse_labelmap_ppv5_seg.nrrd"],
}
"""Segmentation -> the label volumes that dcmqi expects of it."""


@pytest.mark.parametrize("file", _TRUTH)
def test_segmentations_of_dcmqi_equal_their_label_volumes(file: str, shared_data: Path) -> None:
    import SimpleITK

    folder = shared_data / "seg" / "dcmqi"
    read = read_segmentation(dcmread(folder / file))
    assert read.findings == ()
    seen = set()
    for name in _TRUTH[file]:
        image: Any = SimpleITK.ReadImage(str(folder / name))
        labels = SimpleITK.GetArrayFromImage(image)
        assert labels.shape == read.grid.shape
        assert image.GetSpacing() == pytest.approx(read.grid.spacing_mm, abs=1e-4)
        assert image.GetOrigin() == pytest.approx(read.grid.origin_mm, abs=1e-4)
        for number in {facts.number for facts in read.segments} & set(np.unique(labels).tolist()) - {0}:
            assert np.array_equal(read.mask(number).inside, labels == number)
            seen.add(number)
    assert seen == {facts.number for facts in read.segments} - {0}


@pytest.mark.parametrize(
    "name",
    ["ct_binary", "ct_binary_fractional", "ct_binary_overlap", "ct_binary_single_frame", "ct_true_fractional"],
)
def test_segmentations_of_highdicom_read_as_highdicom_reads_them(name: str, shared_data: Path) -> None:
    import highdicom

    path = shared_data / "seg" / "highdicom" / f"seg_image_{name}.dcm"
    read = read_segmentation(dcmread(path))
    theirs = highdicom.seg.segread(path)
    for number in theirs.segment_numbers:
        stored = theirs.pixel_array.reshape(-1, theirs.Rows, theirs.Columns)
        full = theirs.get("MaximumFractionalValue", 1)
        ours = read.fractions(number)
        frames = [at for at, frame in enumerate(read.frames) if frame.segment == number]
        assert frames
        for at in frames:
            assert np.allclose(ours[read.frames[at].slice_index], stored[at] / full, atol=1e-6)


@pytest.mark.parametrize("name", ["cr_binary", "sm_control", "sm_control_labelmap", "sm_dots_tiled_full"])
def test_segments_of_slides_and_projections_are_refused(name: str, shared_data: Path) -> None:
    with pytest.raises(UnreadableObject, match="no place in a patient"):
        read_segmentation(dcmread(shared_data / "seg" / "highdicom" / f"seg_image_{name}.dcm"))


def test_a_fractional_segmentation_lies_on_its_images(shared_data: Path) -> None:
    folder = shared_data / "seg" / "ucsf-br-06"
    images = [dcmread(path, stop_before_pixels=True) for path in sorted((folder / "mr").glob("1-*.dcm"))]
    images.sort(key=lambda image: float(image.ImagePositionPatient[0]), reverse=True)
    ds = dcmread(folder / "seg.dcm")
    read = read_segmentation(ds, grid_of(images))
    frames = ds.pixel_array
    part = read.fractions(1)
    for at, frame in enumerate(read.frames):
        position = ds.PerFrameFunctionalGroupsSequence[at].PlanePositionSequence[0].ImagePositionPatient
        assert np.allclose(np.array(images[frame.slice_index].ImagePositionPatient, float), np.array(position, float))
        assert np.allclose(part[frame.slice_index], frames[at] / ds.MaximumFractionalValue)
    assert len(read.references) == 84


def test_the_digital_phantom_equals_its_nifti_mask(shared_data: Path) -> None:
    import SimpleITK

    folder = shared_data / "seg" / "ibsi-digital-phantom"
    truth = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / "nifti-mask.nii.gz")))
    mask = read_segmentation(dcmread(folder / "seg.dcm")).mask(1)
    # The frames are coronal, the NIfTI mask is axial.
    assert np.array_equal(mask.inside.transpose(1, 0, 2), truth == 1)
    assert mask.voxels == 74


def test_compressed_segmentations_equal_the_plain_one(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "transfer-syntaxes" / "segmentation"
    truth = read_segmentation(dcmread(folder / "liver.dcm")).mask(1).inside
    with Transcoder() as transcoder:
        for name in ("liver_expb", "liver_j2k", "liver_rle"):
            read = read_segmentation(read_native(folder / f"{name}.dcm", transcoder, tmp_path))
            assert np.array_equal(read.mask(1).inside, truth), name
        with pytest.raises(CannotTranscode):
            read_native(folder / "liver_deflate.dcm", transcoder, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_compressed_pixels_are_never_read_as_bits(shared_data: Path) -> None:
    folder = shared_data / "transfer-syntaxes" / "segmentation"
    with pytest.raises(UnreadableObject, match="compressed"):
        read_segmentation(dcmread(folder / "liver_rle.dcm"))


def test_a_real_mask_is_written_on_its_images_and_read_back(shared_data: Path, tmp_path: Path) -> None:
    images = headers((shared_data / "petct" / "sts-001" / "ct").iterdir())
    grid = grid_of(images)
    inside = ball(grid, (90, 100, 30), 30)
    path = written(_made([NewSegment(_LESION, inside)], grid, images), tmp_path)
    assert dciodvfy(path) == []
    read = read_segmentation(dcmread(path), grid)
    assert np.array_equal(read.mask(1).inside, inside)
    assert all(len(frame.sources) == 1 for frame in read.frames)


@pytest.mark.parametrize("file", ["enhanced/eCT_Supplemental.dcm", "seg/dcmqi/24x38x3/multiframe/mf.dcm"])
def test_an_enhanced_image_is_a_source(file: str, shared_data: Path, tmp_path: Path) -> None:
    image = dcmread(shared_data / file, stop_before_pixels=True)
    shared, frames = image.SharedFunctionalGroupsSequence[0], image.PerFrameFunctionalGroupsSequence
    places = [np.array(one.PlanePositionSequence[0].ImagePositionPatient, float) for one in frames]
    row, column = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float).reshape(2, 3)
    down, across = (float(one) for one in shared.PixelMeasuresSequence[0].PixelSpacing)
    axes = np.column_stack((row * across, column * down, places[1] - places[0]))
    frame = FrameOfReference(image.FrameOfReferenceUID)
    grid = Grid((len(places), image.Rows, image.Columns), Affine.of(axes, places[0]), frame)
    inside = np.random.default_rng(2).random(grid.shape) < 0.2
    path = written(_made([NewSegment(_LESION, inside)], grid, [image]), tmp_path)
    assert dciodvfy(path) == []
    read = read_segmentation(dcmread(path), grid)
    assert np.array_equal(read.mask(1).inside, inside)
    assert [one.sources[0].frames for one in read.frames] == [(number,) for number in range(1, len(places) + 1)]

"""RT Structure Sets: written for others to read, and read whoever wrote them."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.core.errors import FramesDiffer, InvalidGeometry, InvalidObject, UnreadableObject
from radfuse.geometry import Contour, FrameOfReference, Structure
from radfuse.objects.common import Code, encode
from radfuse.objects.rtstruct import OtherContour, Roi, StructureSet, build_structure_set, read_structures
from tests.support.generate import FRAME_OF_REFERENCE_UID, GeneratedSet
from tests.support.judges import dcentvfy, dciodvfy, drtdump, plastimatch, written
from tests.support.made import grid_of, headers, made_from, making

_FRAME = FrameOfReference(FRAME_OF_REFERENCE_UID)
# On the edges of voxels, whose centres are at odd millimetres.
_SQUARE = np.array([(-10, -10), (6, -10), (6, 4), (-10, 4)], float)
_NOTCHED = np.array([(-22, -22), (20, -22), (20, 2), (8, 2), (8, 12), (20, 12), (20, 22), (-22, 22)], float)


def _outlines(points: np.ndarray, *heights: float) -> tuple[Contour, ...]:
    return tuple(Contour(np.column_stack((points, np.full(len(points), z)))) for z in heights)


def _structures() -> list[Structure]:
    return [
        Structure("Square", _FRAME, _outlines(_SQUARE, -10, -6), (1, 2, 3), 4, "GTV"),
        Structure("Ecke mit Öse", _FRAME, _outlines(_NOTCHED, -2, 2, 6), (250, 0, 9), 7, "ORGAN"),
    ]


@pytest.fixture(scope="module")
def ct(generated_set: GeneratedSet) -> list[Dataset]:
    return headers(generated_set.ct)


def _made(structures: list[Structure | Roi], images: list[Dataset]) -> Dataset:
    made = build_structure_set(structures, images, label="TEST", provenance=made_from(images), making=making("A^B"))
    return dcmread(io.BytesIO(encode(made)))


@pytest.fixture(scope="module")
def made(ct: list[Dataset]) -> Dataset:
    return _made([*_structures()], ct)


@pytest.fixture
def foreign(made: Dataset) -> Dataset:
    """An object to spoil."""
    return copy.deepcopy(made)


def _sentences(read: StructureSet) -> str:
    return "; ".join(finding.sentence for finding in read.findings)


# --- what others say of it -------------------------------------------------------------------


def test_dciodvfy_accepts_it_and_drtdump_reads_it(made: Dataset, tmp_path: Path) -> None:
    path = written(made, tmp_path)
    assert dciodvfy(path) == []
    assert "RT Structure Set #9001" in drtdump(path).replace(", ", " ")


def test_dcentvfy_finds_every_image_it_names(made: Dataset, generated_set: GeneratedSet, tmp_path: Path) -> None:
    found = dcentvfy(written(made, tmp_path), *generated_set.ct)
    # It takes the study that the set refers to for an instance.
    assert [line for line in found if f"referenced - {made.StudyInstanceUID} " not in line] == []


@pytest.mark.parametrize("kind", ["single-frame", "multi-frame"])
def test_plastimatch_fills_the_same_voxels(
    kind: str, ct: list[Dataset], enhanced_ct: Dataset, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    import SimpleITK

    images = ct if kind == "single-frame" else [enhanced_ct]
    path = written(_made([*_structures()], images), tmp_path)
    mask = tmp_path / "masks"
    plastimatch("convert", "--input", path, "--fixed", _as_volume(ct, tmp_path), "--output-prefix", mask,
                "--prefix-format", "nrrd")  # fmt: skip
    grid = grid_of(ct)
    across, down = (np.arange(32) * 2 - 31.0,) * 2
    for name, outline, slices in (("Square", _SQUARE, (0, 1)), ("Ecke", _NOTCHED, (2, 3, 4))):
        (file,) = [one for one in mask.iterdir() if one.name.startswith(name)]
        read = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file))).astype(bool)
        expected = np.zeros(grid.shape, bool)
        expected[list(slices)] = _inside(outline, across, down)
        assert np.array_equal(read, expected), name


def _as_volume(ct: list[Dataset], folder: Path) -> Path:
    """The grid of the images as a volume for plastimatch, which wants one to fill."""
    import SimpleITK

    grid = grid_of(ct)
    image = SimpleITK.GetImageFromArray(np.zeros(grid.shape, np.int16))
    image.SetSpacing(grid.spacing_mm)  # type: ignore[no-untyped-call]
    image.SetOrigin(grid.origin_mm.tolist())  # type: ignore[no-untyped-call]
    path = folder / "grid.mha"
    SimpleITK.WriteImage(image, str(path))
    return path


def _inside(outline: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Whether points lie inside a polygon, by the crossings of a ray."""
    x, y = np.meshgrid(across, down)
    inside = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
            inside ^= crosses
    return inside


# --- what it says ----------------------------------------------------------------------------


def test_what_was_written_is_read(made: Dataset, ct: list[Dataset]) -> None:
    read = read_structures(made, images={image.SOPInstanceUID for image in ct})
    assert read.findings == ()
    assert (read.label, read.approval, len(read.references)) == ("TEST", "UNAPPROVED", 5)
    for ours, theirs in zip(_structures(), read.structures, strict=True):
        assert (ours.name, ours.frame, ours.colour, ours.number, ours.kind) == (
            theirs.name, theirs.frame, theirs.colour, theirs.number, theirs.kind,
        )  # fmt: skip
        for mine, other in zip(ours.contours, theirs.contours, strict=True):
            assert np.array_equal(mine.points_mm, other.points_mm)


def test_each_contour_names_the_image_in_whose_slice_it_lies(made: Dataset, ct: list[Dataset]) -> None:
    by_height = {float(image.ImagePositionPatient[2]): image.SOPInstanceUID for image in ct}
    for structure in read_structures(made).structures:
        for contour in structure.contours:
            assert contour.image_uid == by_height[contour.points_mm[0, 2]]


def test_a_contour_of_a_multi_frame_image_names_its_frame(enhanced_ct: Dataset) -> None:
    ds = _made([*_structures()], [enhanced_ct])
    frames = enhanced_ct.PerFrameFunctionalGroupsSequence
    for contour in (one for region in ds.ROIContourSequence for one in region.ContourSequence):
        (image,) = contour.ContourImageSequence
        assert image.ReferencedSOPInstanceUID == enhanced_ct.SOPInstanceUID
        position = frames[image.ReferencedFrameNumber - 1].PlanePositionSequence[0].ImagePositionPatient
        assert position[2] == contour.ContourData[2]


def test_a_contour_beside_every_slice_names_no_image(ct: list[Dataset]) -> None:
    outside = Structure("far", _FRAME, _outlines(_SQUARE, 60, 8.5, -12.5))
    tilted = np.column_stack((_SQUARE, [-10, -10, 6, 6]))
    ds = _made([outside, Structure("tilted", _FRAME, (Contour(tilted),), number=2)], ct)
    contours = [contour for region in ds.ROIContourSequence for contour in region.ContourSequence]
    assert [contour for contour in contours if "ContourImageSequence" in contour] == []


def test_a_contour_less_than_half_a_slice_away_names_the_image(ct: list[Dataset]) -> None:
    ds = _made([Structure("near", _FRAME, _outlines(_SQUARE, 7.5, -11.5))], ct)
    contours = ds.ROIContourSequence[0].ContourSequence
    assert [contour.ContourImageSequence[0].ReferencedSOPInstanceUID for contour in contours] == [
        ct[-1].SOPInstanceUID, ct[0].SOPInstanceUID,
    ]  # fmt: skip


def test_a_contour_keeps_the_image_it_was_drawn_on(ct: list[Dataset]) -> None:
    (contour,) = _outlines(_SQUARE, 60)
    drawn = Structure("far", _FRAME, (Contour(contour.points_mm, ct[2].SOPInstanceUID),))
    (read,) = read_structures(_made([drawn], ct)).structures
    assert read.contours[0].image_uid == ct[2].SOPInstanceUID


def test_coordinates_are_written_to_a_ten_thousandth_of_a_millimetre(ct: list[Dataset]) -> None:
    points = np.random.default_rng(5).uniform(-3000, 3000, (400, 3))
    points[:, 2] = -0.00001
    ds = _made([Structure("many", _FRAME, (Contour(points),))], ct)
    texts = ds.ROIContourSequence[0].ContourSequence[0].get_item("ContourData").value.decode().split("\\")
    assert max(len(text.strip()) for text in texts) <= 16
    assert "-0" not in texts
    (read,) = read_structures(ds).structures
    assert np.abs(read.contours[0].points_mm - points).max() <= 0.00005 + 1e-12


def test_a_contour_of_more_than_64_kibibytes_reaches_its_readers(ct: list[Dataset], tmp_path: Path) -> None:
    turn = np.linspace(0, 2 * np.pi, 3500, endpoint=False)
    points = np.column_stack((25.12345 * np.cos(turn), 25.12345 * np.sin(turn), np.full(len(turn), -10)))
    path = written(_made([Structure("fine", _FRAME, (Contour(points),))], ct), tmp_path)
    ds = dcmread(path)
    assert ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2"
    assert len(read_structures(ds).structures[0].contours[0].points_mm) == 3500
    assert dciodvfy(path) == []
    assert _made([*_structures()], ct).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_a_last_point_that_repeats_the_first_is_not_written(ct: list[Dataset]) -> None:
    closed = np.vstack((_SQUARE, _SQUARE[:1]))
    (read,) = read_structures(_made([Structure("closed", _FRAME, _outlines(closed, -10))], ct)).structures
    assert len(read.contours[0].points_mm) == 4


def test_points_lines_codes_and_exclusive_or_are_kept(ct: list[Dataset], tmp_path: Path) -> None:
    inner = _SQUARE / 2
    ring = Structure("ring", _FRAME, _outlines(_SQUARE, -10) + _outlines(inner, -10))
    liver = Code("10200004", "SCT", "Liver")
    others = (
        OtherContour("POINT", np.array([[1.0, 2, -10]]), ct[0].SOPInstanceUID),
        OtherContour("OPEN_PLANAR", np.array([[1.0, 2, -10], [3, 4, -10]])),
    )
    roi = Roi(ring, others, "SEMIAUTOMATIC", "a ring", exclusive_or=True, code=liver)
    ds = _made([roi], ct)
    (read,) = read_structures(ds).rois
    assert (read.algorithm, read.description, read.exclusive_or, read.code) == ("SEMIAUTOMATIC", "a ring", True, liver)
    assert [(other.kind, other.points_mm.tolist()) for other in read.others] == [
        ("POINT", [[1.0, 2.0, -10.0]]),
        ("OPEN_PLANAR", [[1.0, 2.0, -10.0], [3.0, 4.0, -10.0]]),
    ]
    assert read.others[0].image_uid == ct[0].SOPInstanceUID
    assert len(read.structure.contours) == 2
    assert dciodvfy(written(ds, tmp_path)) == []


def test_numbers_used_twice_are_given_anew(ct: list[Dataset]) -> None:
    first, second = (Structure(name, _FRAME, _outlines(_SQUARE, -10)) for name in "ab")
    assert [structure.number for structure in read_structures(_made([first, second], ct)).structures] == [1, 2]


def test_structures_of_several_frames_keep_theirs(generated_set: GeneratedSet, ct: list[Dataset]) -> None:
    moved = copy.deepcopy(headers(generated_set.mr))
    for image in moved:
        image.FrameOfReferenceUID = "2.25.77"
    there = Structure("there", FrameOfReference("2.25.77"), _outlines(_SQUARE, -10), number=2)
    here = Structure("here", _FRAME, _outlines(_SQUARE, -10))
    ds = _made([here, there], [*ct, *moved])
    assert [item.FrameOfReferenceUID for item in ds.ReferencedFrameOfReferenceSequence] == [_FRAME.uid, "2.25.77"]
    read = read_structures(ds)
    assert [structure.frame.uid for structure in read.structures] == [_FRAME.uid, "2.25.77"]
    uids = {image.SOPInstanceUID for image in moved}
    assert [structure.contours[0].image_uid in uids for structure in read.structures] == [False, True]


def test_structures_of_another_frame_than_the_images_are_refused(ct: list[Dataset]) -> None:
    for frame in (FrameOfReference("2.25.1"), FrameOfReference()):
        with pytest.raises(FramesDiffer):
            _made([Structure("lost", frame, _outlines(_SQUARE, -10))], ct)


@pytest.mark.parametrize(
    ("structure", "label"),
    [
        (Structure("a", _FRAME, (), kind="gross tumour"), "TEST"),
        (Structure("a" * 65, _FRAME, ()), "TEST"),
        (Structure("a", _FRAME, ()), ""),
        (Structure("a", _FRAME, ()), "LONGER THAN SIXTEEN"),
        (Roi(Structure("a", _FRAME, ()), algorithm="MAGIC"), "TEST"),
    ],
)
def test_words_that_do_not_fit_are_refused(structure: Structure | Roi, label: str, ct: list[Dataset]) -> None:
    with pytest.raises(InvalidObject):
        build_structure_set([structure], ct, label=label, provenance=made_from(ct), making=making())


def test_nothing_to_write_is_refused(ct: list[Dataset]) -> None:
    with pytest.raises(InvalidObject):
        _made([], ct)
    with pytest.raises(InvalidGeometry):
        OtherContour("CLOSED_PLANAR", np.zeros((1, 3)))


# --- what is wrong with others' --------------------------------------------------------------


def _duplicate_numbers(ds: Dataset) -> None:
    for sequence in (ds.ROIContourSequence, ds.RTROIObservationsSequence):
        sequence[1].ReferencedROINumber = 4
    ds.StructureSetROISequence[1].ROINumber = 4


def _contours_in_two_items(ds: Dataset) -> None:
    ds.ROIContourSequence[1].ReferencedROINumber = 4


def _no_contours(ds: Dataset) -> None:
    del ds.ROIContourSequence[1]


def _contours_of_nobody(ds: Dataset) -> None:
    ds.ROIContourSequence[1].ReferencedROINumber = 99


def _no_number(ds: Dataset) -> None:
    del ds.StructureSetROISequence[1].ROINumber


def _frame_not_named(ds: Dataset) -> None:
    del ds.StructureSetROISequence[1].ReferencedFrameOfReferenceUID


def _frame_not_listed(ds: Dataset) -> None:
    ds.StructureSetROISequence[1].ReferencedFrameOfReferenceUID = "2.25.3"


def _no_frame_at_all(ds: Dataset) -> None:
    _frame_not_named(ds)
    del ds.ReferencedFrameOfReferenceSequence, ds.FrameOfReferenceUID


def _image_not_listed(ds: Dataset) -> None:
    ds.ROIContourSequence[0].ContourSequence[0].ContourImageSequence[0].ReferencedSOPInstanceUID = "2.25.3"


def _contour(change: Callable[[Dataset], None]) -> Callable[[Dataset], None]:
    return lambda ds: change(ds.ROIContourSequence[1].ContourSequence[0])


def _set(keyword: str, value: object) -> Callable[[Dataset], None]:
    return _contour(lambda contour: setattr(contour, keyword, value))


@pytest.mark.parametrize(
    ("spoil", "sentence", "contours"),
    [
        (_duplicate_numbers, "used by several regions", (2, 3)),
        (_contours_in_two_items, "in several items and were joined", (5, 0)),
        (_no_contours, "at place 2 has no contours", (2, 0)),
        (_contours_of_nobody, "belong to no region", (2, 0)),
        (_no_number, "has no number", (2, 0)),
        (_frame_not_named, "the only one of the object is taken", (2, 3)),
        (_frame_not_listed, "that the object does not list", (2, 3)),
        (_no_frame_at_all, "it cannot be placed", (2, 3)),
        (_image_not_listed, "1 of 5 contours name images that the object does not list", (2, 3)),
        (_set("ContourData", [1, 2, 3, 4]), "coordinates cannot be read", (2, 2)),
        (_set("ContourData", None), "coordinates cannot be read", (2, 2)),
        (_set("ContourData", [1, 2, 3, 4, 5, 6, 1, 2, 3]), "fewer than three points", (2, 2)),
        (_set("ContourData", [0, 0, 0, 9, 0, 0, 9, 9, 0, 0, 9, 9]), "do not lie in one plane", (2, 3)),
        (_set("ContourGeometricType", "SPHERE"), "a geometric type that is not the standard's", (2, 2)),
        (_set("NumberOfContourPoints", 5), "another number of points than announced", (2, 3)),
    ],
)
def test_what_contradicts_itself_is_a_finding(
    spoil: Callable[[Dataset], None], sentence: str, contours: tuple[int, int], foreign: Dataset
) -> None:
    spoil(foreign)
    read = read_structures(foreign)
    assert sentence in _sentences(read)
    assert tuple(len(structure.contours) for structure in read.structures) == contours


def test_images_that_are_not_here_are_a_finding_and_no_error(made: Dataset, ct: list[Dataset]) -> None:
    read = read_structures(made, images={ct[0].SOPInstanceUID})
    assert "4 of the 5 images it refers to are not here" in _sentences(read)
    assert [structure.frame for structure in read.structures] == [_FRAME, _FRAME]


def test_what_is_not_said_gets_a_name_and_a_colour(foreign: Dataset) -> None:
    del foreign.StructureSetROISequence[1].ROIName, foreign.ROIContourSequence[1].ROIDisplayColor
    del foreign.RTROIObservationsSequence[1]
    structure = read_structures(foreign).structures[1]
    assert (structure.name, structure.colour, structure.kind) == ("region 2", (0, 200, 0), "")


def test_other_objects_and_empty_sets_are_refused(foreign: Dataset, ct: list[Dataset]) -> None:
    with pytest.raises(UnreadableObject, match="no RT Structure Set"):
        read_structures(ct[0])
    del foreign.StructureSetROISequence
    with pytest.raises(UnreadableObject, match="no region"):
        read_structures(foreign)


def test_a_spoiled_file_is_read_or_refused_and_nothing_else(made: Dataset) -> None:
    whole = encode(made)
    random = np.random.default_rng(11)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(120):
        spoiled = np.frombuffer(whole, np.uint8).copy()
        spoiled[random.integers(400, len(spoiled), 6)] = random.integers(0, 256, 6)
        try:
            ds = dcmread(io.BytesIO(spoiled.tobytes()), force=True)
        except Exception:  # noqa: S112 - no DICOM for pydicom either
            continue
        try:
            read_structures(ds)
            outcomes["read"] += 1
        except UnreadableObject:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 0


# --- real data -------------------------------------------------------------------------------


def test_a_real_structure_set_is_written_again_with_the_same_points(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "petct" / "sts-001"
    images = headers((folder / "ct").iterdir())
    source = read_structures(dcmread(folder / "rtstruct-ct.dcm"), {image.SOPInstanceUID for image in images})
    assert "the structures lie by their frame of reference alone" in _sentences(source)
    ds = _made([*source.rois], images)
    assert dciodvfy(written(ds, tmp_path)) == []
    read = read_structures(ds, {image.SOPInstanceUID for image in images})
    assert read.findings == ()
    for ours, theirs in zip(read.structures[0].contours, source.structures[0].contours, strict=True):
        assert np.abs(ours.points_mm - theirs.points_mm).max() <= 0.00005
        assert ours.image_uid


@pytest.mark.parametrize(
    ("file", "contours"),
    [
        ("ct-rtstruct/lung1-001/rtstruct.dcm", {"GTV-1": 21, "Spinal-Cord": 84, "Lung-Left": 139, "Lung-Right": 114}),
        ("petct/sts-001-raw/rtstruct-pet.dcm", {"GTV_Mass": 32, "GTV_Edema": 43}),
        ("suv-dro/DRO_1_0/RS/RS_dro_1_0.dcm", {"region_1": 16}),
        ("malformed/other/invalid_reference_rt.dcm", {f"ROI-{number}": 3 for number in (1, 2, 3, 4)}),
        ("malformed/other/non_existent_reference_rt.dcm", {f"ROI-{number}": 3 for number in (1, 2, 3, 4)}),
    ],
)
def test_foreign_structure_sets_are_read(file: str, contours: dict[str, int], shared_data: Path) -> None:
    read = read_structures(dcmread(shared_data / file), images=())
    assert {structure.name: len(structure.contours) for structure in read.structures} == contours
    assert all(structure.frame.is_known for structure in read.structures)
    assert "are not here" in _sentences(read)

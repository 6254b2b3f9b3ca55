"""Registration objects of others: what they mean, what is left out, and what is refused."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag

from radfuse.core.errors import UnreadableObject
from radfuse.geometry import Affine, Chain, DisplacementField, FrameOfReference
from radfuse.objects.common import encode
from radfuse.objects.reg import Edge, RegistrationObject, read_registration
from tests.support.generate import GeneratedSet
from tests.support.made import headers
from tests.support.registered import FIXED, MOVING, STEP, box, deformable, field_on, inside, moved, spatial, turned

_MATRIX = Tag(0x3006, 0x00C6)
_GRID = box((10, 14, 12), (6, 6, 6))
_FIELD = field_on(_GRID)
_BEND = Chain((_FIELD, STEP))
_POINTS = inside(_GRID, 400)


@pytest.fixture(scope="module")
def ct(generated_set: GeneratedSet) -> list[Dataset]:
    return headers(generated_set.ct)


@pytest.fixture(scope="module")
def mr(generated_set: GeneratedSet) -> list[Dataset]:
    return moved(headers(generated_set.mr))


@pytest.fixture(scope="module")
def objects(ct: list[Dataset], mr: list[Dataset]) -> tuple[Dataset, Dataset]:
    return spatial(Chain((STEP,)), ct, mr), deformable(_BEND, ct, mr).ds


@pytest.fixture
def rigid(objects: tuple[Dataset, Dataset]) -> Dataset:
    """A Spatial Registration to spoil."""
    return copy.deepcopy(objects[0])


@pytest.fixture
def bending(objects: tuple[Dataset, Dataset]) -> Dataset:
    """A Deformable Spatial Registration to spoil."""
    return copy.deepcopy(objects[1])


def _sentences(read: RegistrationObject) -> str:
    return "; ".join(finding.sentence for finding in read.findings)


def _only(ds: Dataset) -> Edge:
    (edge,) = read_registration(ds).edges
    return edge


def _off(edge: Edge, truth: Chain | Affine, points: np.ndarray = _POINTS) -> float:
    return float(np.nanmax(np.linalg.norm(edge.transform.apply(points) - truth.apply(points), axis=-1)))


def _matrix(matrix: Affine, kind: str = "RIGID") -> Dataset:
    item = Dataset()
    item.FrameOfReferenceTransformationMatrixType = kind
    item.FrameOfReferenceTransformationMatrix = [f"{one:.10g}" for one in matrix.matrix.ravel()]
    return item


def _registration_of(item: Dataset) -> Dataset:
    registration = item.MatrixRegistrationSequence[0]
    assert isinstance(registration, Dataset)
    return registration


def _registration(ds: Dataset) -> Dataset:
    return _registration_of(ds.RegistrationSequence[1])


def _grid(ds: Dataset) -> Dataset:
    item = ds.DeformableRegistrationSequence[0].DeformableRegistrationGridSequence[0]
    assert isinstance(item, Dataset)
    return item


# --- what it means ---------------------------------------------------------------------------


def test_of_several_matrices_the_first_is_applied_first(rigid: Dataset) -> None:
    first, second = turned(30, 100, 0, 0), turned(-70, 0, 50, 3)
    _registration(rigid).MatrixSequence = Items([_matrix(first), _matrix(second)])
    edge = _only(rigid)
    there = second.apply(first.apply(_POINTS))
    assert np.abs(edge.transform.apply(there) - _POINTS).max() < 1e-6


def test_without_an_identity_item_the_object_itself_names_the_fixed_frame(rigid: Dataset) -> None:
    del rigid.RegistrationSequence[0]
    read = read_registration(rigid)
    assert (read.fixed, read.edges[0].moving, read.findings) == (FIXED, MOVING, ())


def test_without_a_frame_of_its_own_the_frame_with_the_identity_is_fixed(rigid: Dataset) -> None:
    del rigid.FrameOfReferenceUID
    read = read_registration(rigid)
    assert (read.fixed, read.edges[0].moving) == (FIXED, MOVING)
    assert "the one with the identity is it" in _sentences(read)


def test_items_that_name_images_only_are_resolved_by_them(rigid: Dataset, ct: list[Dataset], mr: list[Dataset]) -> None:
    for item in rigid.RegistrationSequence:
        del item.FrameOfReferenceUID
    frames = {image.SOPInstanceUID: image.FrameOfReferenceUID for image in (*ct, *mr)}
    read = read_registration(rigid, frames.get)
    assert (read.fixed, [edge.moving for edge in read.edges]) == (FIXED, [MOVING])
    with pytest.raises(UnreadableObject, match="which frame of reference"):
        read_registration(rigid)
    frames[mr[0].SOPInstanceUID] = "2.25.1"  # images of two frames in one item
    with pytest.raises(UnreadableObject, match="which frame of reference"):
        read_registration(rigid, frames.get)


def test_images_of_another_frame_than_their_item_says_are_a_finding(rigid: Dataset, mr: list[Dataset]) -> None:
    frames = {mr[0].SOPInstanceUID: "2.25.1"}
    read = read_registration(rigid, frames.get)
    assert "registration 2 names images that lie in another frame of reference" in _sentences(read)
    assert [edge.moving for edge in read.edges] == [MOVING]


def test_a_common_frame_of_its_own_gives_an_edge_to_each_side(rigid: Dataset) -> None:
    rigid.FrameOfReferenceUID = "2.25.7999"
    read = read_registration(rigid)
    assert read.fixed == FrameOfReference("2.25.7999")
    assert [edge.moving for edge in read.edges] == [FIXED, MOVING]
    both = read.edges[0].transform.inverse().then(read.edges[1].transform)
    assert np.abs(both.apply(_POINTS) - STEP.apply(_POINTS)).max() < 1e-6


def test_several_frames_in_one_object_are_several_edges(rigid: Dataset) -> None:
    third = copy.deepcopy(rigid.RegistrationSequence[1])
    third.FrameOfReferenceUID = "2.25.7888"
    rigid.RegistrationSequence.append(third)
    assert [edge.moving.uid for edge in read_registration(rigid).edges] == [MOVING.uid, "2.25.7888"]
    third.FrameOfReferenceUID = MOVING.uid
    assert "registered several times" in _sentences(read_registration(rigid))
    del rigid.RegistrationSequence[1].MatrixRegistrationSequence
    (edge,) = read_registration(rigid).edges  # the one that is left does not hold for the images of the other
    assert (edge.item, edge.is_for_images) == (3, True)


def test_two_states_within_one_frame_hold_for_the_images_they_name(
    ct: list[Dataset], generated_set: GeneratedSet
) -> None:
    later = headers(generated_set.mr)
    for ds in (spatial(Chain((STEP,)), ct, later), deformable(_BEND, ct, later).ds):
        read = read_registration(ds)
        assert (read.fixed, read.edges[0].moving) == (FIXED, FIXED)
        assert {image.sop_instance_uid for image in read.edges[0].images} == {image.SOPInstanceUID for image in later}
        assert "within one frame of reference" in _sentences(read)


@pytest.mark.parametrize("matrix", [turned(40, 5, 6, 7), Affine.of(np.diag([2.0, 1, 1]), (0, 0, 9))])
def test_the_matrix_before_the_deformation_moves_points_but_not_the_grid(bending: Dataset, matrix: Affine) -> None:
    (item,) = bending.DeformableRegistrationSequence
    item.PreDeformationMatrixRegistrationSequence = Items([_matrix(matrix, "AFFINE")])
    field = _only(bending).transform.steps[0]
    assert isinstance(field, DisplacementField)
    expected = STEP.apply(matrix.apply(_POINTS) + (_FIELD.apply(_POINTS) - _POINTS))
    assert np.abs(_only(bending).transform.apply(_POINTS) - expected).max() < 0.05


def test_a_deformable_item_without_a_grid_is_its_matrices(bending: Dataset) -> None:
    (item,) = bending.DeformableRegistrationSequence
    item.PreDeformationMatrixRegistrationSequence = Items([_matrix(turned(10))])
    del item.DeformableRegistrationGridSequence
    edge = _only(bending)
    assert (edge.is_deformable, edge.matrix_type) == (False, "RIGID")
    assert np.abs(edge.transform.apply(_POINTS) - STEP.apply(turned(10).apply(_POINTS))).max() < 1e-5


def test_an_oblique_grid_lies_as_its_orientation_says(bending: Dataset) -> None:
    turn = turned(25)
    grid = _grid(bending)
    grid.ImageOrientationPatient = [f"{one:.12f}" for one in turn.linear[:, :2].T.ravel()]
    field = _only(bending).transform.steps[0]
    assert isinstance(field, DisplacementField)
    corner = field.grid.to_patient.apply([3, 2, 1])
    assert np.allclose(corner, _GRID.origin_mm + turn.linear @ [18.0, 12.0, 6.0], atol=1e-5)
    shift = field.apply(corner) - corner
    assert np.allclose(shift, _FIELD.vectors_mm[1, 2, 3], atol=1e-4)  # vectors are along the patient's axes


@pytest.mark.parametrize("undefined", [np.nan, np.inf, -3e38, 1.1e6])
def test_undefined_vectors_are_never_zero(bending: Dataset, undefined: float) -> None:
    vectors = np.array(_FIELD.vectors_mm)
    vectors[:2] = undefined
    vectors[:, -1, 5] = undefined
    _grid(bending).VectorGridData = vectors.tobytes()
    read = read_registration(bending)
    assert "has undefined vectors" in _sentences(read)
    field = read.edges[0].transform.steps[0]
    assert isinstance(field, DisplacementField)
    assert field.grid.shape == (8, 13, 12)
    assert _off(read.edges[0], _BEND) < 0.001
    gone = _GRID.to_patient.apply([5.0, 5, 0])
    assert np.isnan(read.edges[0].transform.apply(gone)).all()


def test_big_endian_vectors_are_read_as_such(bending: Dataset) -> None:
    grid = _grid(bending)
    grid.VectorGridData = np.frombuffer(grid.VectorGridData, "<f4").astype(">f4").tobytes()
    grid.set_original_encoding(False, False)
    assert _off(_only(bending), _BEND) < 0.001


# --- what is wrong with it -------------------------------------------------------------------


def _numbers(*texts: str) -> Callable[[Dataset], None]:
    def spoil(ds: Dataset) -> None:
        (item,) = _registration(ds).MatrixSequence
        raw = "\\".join(texts).encode("ascii")
        item[_MATRIX] = RawDataElement(_MATRIX, "DS", len(raw), raw, 0, False, True)

    return spoil


def _no_matrix(ds: Dataset) -> None:
    _registration(ds).MatrixSequence = Items()


def _no_matrix_registration(ds: Dataset) -> None:
    del ds.RegistrationSequence[1].MatrixRegistrationSequence


def _no_registration(ds: Dataset) -> None:
    del ds.RegistrationSequence


def _no_item_frame(ds: Dataset) -> None:
    del ds.RegistrationSequence[1].FrameOfReferenceUID


def _no_frame(ds: Dataset) -> None:
    del ds.FrameOfReferenceUID, ds.RegistrationSequence[0]


def _no_frame_and_no_numbers(ds: Dataset) -> None:
    _no_frame(ds)
    del _registration_of(ds.RegistrationSequence[0]).MatrixSequence[0].FrameOfReferenceTransformationMatrix


def _to_itself(ds: Dataset) -> None:
    ds.RegistrationSequence[1].FrameOfReferenceUID = FIXED.uid
    del ds.RegistrationSequence[1].ReferencedImageSequence


_IDENTITY = ["1", "0", "0", "0", "0", "1", "0", "0", "0", "0", "1", "0", "0", "0", "0", "1"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_numbers(*_IDENTITY[:15]), "no 16 numbers"),
        (_numbers("1", "x", *_IDENTITY[2:]), "no 16 numbers"),
        (_numbers("nan", *_IDENTITY[1:]), "finite"),
        (_numbers("0", *_IDENTITY[1:]), "singular"),
        (_numbers("1e6", *_IDENTITY[1:]), "thousandfold"),
        (_numbers("1", "0", "0", "1e9", *_IDENTITY[4:]), "farther than any patient"),
        (_numbers(*_IDENTITY[:12], "5", "6", "7", "1"), "last row"),
        (_no_matrix, "no matrix"),
        (_no_matrix_registration, "0 matrix registrations"),
        (_no_registration, "holds no registration"),
        (_no_item_frame, "which frame of reference it registers"),
        (_no_frame, "does not name the frame of reference"),
        (_no_frame_and_no_numbers, "does not name the frame of reference"),
        (_to_itself, "within itself"),
    ],
)
def test_a_matrix_that_cannot_be_used_is_refused(
    spoil: Callable[[Dataset], None], sentence: str, rigid: Dataset
) -> None:
    spoil(rigid)
    with pytest.raises(UnreadableObject, match=sentence):
        read_registration(rigid)


def test_one_bad_registration_leaves_the_others(rigid: Dataset) -> None:
    other = copy.deepcopy(rigid.RegistrationSequence[1])
    other.FrameOfReferenceUID = "2.25.7888"
    del other.MatrixRegistrationSequence
    rigid.RegistrationSequence.append(other)
    read = read_registration(rigid)
    assert [edge.moving for edge in read.edges] == [MOVING]
    assert "registration 3 is left out" in _sentences(read)


def test_a_matrix_of_another_type_than_it_says_is_a_finding(rigid: Dataset) -> None:
    _registration(rigid).MatrixSequence = Items([_matrix(Affine.of(np.diag([1.0, 1, 1.2]), (0, 0, 0)))])
    read = read_registration(rigid)
    assert "calls its matrix RIGID, and it is RIGID_SCALE" in _sentences(read)
    assert read.edges[0].matrix_type == "RIGID_SCALE"


def test_an_object_that_registers_nothing_says_so(rigid: Dataset) -> None:
    del rigid.RegistrationSequence[1]
    read = read_registration(rigid)
    assert read.edges == ()
    assert "nothing but its own frame" in _sentences(read)


def _set(keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda ds: setattr(_grid(ds), keyword, value)


def _two_grids(ds: Dataset) -> None:
    ds.DeformableRegistrationSequence[0].DeformableRegistrationGridSequence.append(copy.deepcopy(_grid(ds)))


def _two_matrices(ds: Dataset) -> None:
    ds.DeformableRegistrationSequence[0].PostDeformationMatrixRegistrationSequence.append(_matrix(STEP))


def _nothing_defined(ds: Dataset) -> None:
    _grid(ds).VectorGridData = np.full_like(_FIELD.vectors_mm, np.nan).tobytes()


def _no_source_frame(ds: Dataset) -> None:
    del ds.DeformableRegistrationSequence[0].SourceFrameOfReferenceUID


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_set("VectorGridData", b"\0" * 12), "do not fill its grid"),
        (_set("VectorGridData", None), "do not fill its grid"),
        (_set("GridDimensions", [12, 14, 0]), "no points"),
        (_set("GridDimensions", [4_000_000_000] * 3), "more than there can be"),
        (_set("GridDimensions", [12, 14]), "where it lies"),
        (_set("GridResolution", [6.0, 6.0, 0.0]), "more than 0"),
        (_set("GridResolution", [6.0, 6.0, float("nan")]), "more than 0"),
        (_set("ImageOrientationPatient", [1, 0, 0, 1, 0, 0]), "right angle"),
        (_set("ImageOrientationPatient", [2, 0, 0, 0, 1, 0]), "right angle"),
        (_set("ImagePositionPatient", None), "where it lies"),
        (_set("ImagePositionPatient", [0, 0, 1e9]), "farther off"),
        (_set("GridResolution", [6.0, 6.0, 1e5]), "at most 10 m"),
        (_set("GridResolution", [1e-6, 1e-6, 1e-6]), "its grid is none"),
        (_two_grids, "several grids"),
        (_two_matrices, "several matrices"),
        (_nothing_defined, "undefined everywhere"),
        (_no_source_frame, "which frame of reference"),
        (lambda ds: delattr(ds, "FrameOfReferenceUID"), "does not name the frame of reference"),
    ],
)
def test_a_deformation_that_cannot_be_used_is_refused(
    spoil: Callable[[Dataset], None], sentence: str, bending: Dataset
) -> None:
    spoil(bending)
    with pytest.raises(UnreadableObject, match=sentence):
        read_registration(bending)


def test_other_objects_are_refused(ct: list[Dataset]) -> None:
    with pytest.raises(UnreadableObject, match="no Spatial or Deformable"):
        read_registration(ct[0])


@pytest.mark.parametrize("which", [0, 1])
def test_a_spoiled_file_is_read_or_refused_and_nothing_else(which: int, objects: tuple[Dataset, Dataset]) -> None:
    whole = encode(objects[which])
    random = np.random.default_rng(12 + which)
    start = whole.index(b"\x70\x00\x08\x03" if which == 0 else b"\x64\x00\x02\x00")
    outcomes = {"read": 0, "refused": 0}
    for _ in range(100):
        spoiled = np.frombuffer(whole, np.uint8).copy()
        spoiled[random.integers(start, min(start + 3000, len(spoiled)), 4)] = random.integers(0, 256, 4)
        try:
            ds = dcmread(io.BytesIO(spoiled.tobytes()), force=True)
        except Exception:  # noqa: S112 - no DICOM for pydicom either
            continue
        try:
            read_registration(ds)
            outcomes["read"] += 1
        except UnreadableObject:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 0


def test_a_real_object_without_frames_of_reference_is_refused(shared_data: Path) -> None:
    ds = dcmread(shared_data / "malformed" / "other" / "spatial_reg.dcm")
    with pytest.raises(UnreadableObject, match="does not name the frame of reference"):
        read_registration(ds)

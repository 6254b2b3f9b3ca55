"""Registration objects of ours: accepted by others, and read again as the transform they were made from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from radfuse.core.errors import FramesDiffer, InvalidObject
from radfuse.geometry import Affine, Chain, DisplacementField, FrameOfReference
from radfuse.objects.checking import facts_of, faults_of
from radfuse.objects.common import Reference, encode, read_provenance
from radfuse.objects.reg import (
    CONTENT_BASED,
    FIDUCIALS,
    DeformableObject,
    FieldStorage,
    NewRegistration,
    UsedFiducial,
    build_deformable_registration,
    build_spatial_registration,
    read_registration,
)
from radfuse.objects.reg.matrices import matrix_type
from radfuse.objects.reg.methods import METHODS
from tests.support.generate import GeneratedSet
from tests.support.judges import dcentvfy, dciodvfy, written
from tests.support.made import headers, made_from, making
from tests.support.registered import (
    FIXED,
    MOVING,
    STEP,
    bent,
    box,
    centres,
    deformable,
    field_on,
    inside,
    moved,
    references,
    spatial,
    turned,
)

_BEND = Chain((field_on(box()), STEP))


@pytest.fixture(scope="module")
def ct(generated_set: GeneratedSet) -> list[Dataset]:
    return headers(generated_set.ct)


@pytest.fixture(scope="module")
def mr(generated_set: GeneratedSet) -> list[Dataset]:
    return moved(headers(generated_set.mr))


@pytest.fixture(scope="module")
def rigid(ct: list[Dataset], mr: list[Dataset]) -> Dataset:
    return spatial(Chain((STEP,)), ct, mr)


@pytest.fixture(scope="module")
def bending(ct: list[Dataset], mr: list[Dataset]) -> Dataset:
    return deformable(_BEND, ct, mr).ds


def _off(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.linalg.norm(ours - theirs, axis=-1).max())


# --- what others say of it -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rigid", "bending"])
def test_dciodvfy_and_our_own_rules_accept_it(
    name: str, ct: list[Dataset], mr: list[Dataset], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    ds = request.getfixturevalue(name)
    assert dciodvfy(written(ds, tmp_path)) == []
    assert faults_of(ds, facts_of([*ct, *mr])) == ()


@pytest.mark.parametrize("build", [build_spatial_registration, build_deformable_registration])
def test_dciodvfy_accepts_one_that_names_no_image(
    build: Callable[..., object], ct: list[Dataset], tmp_path: Path
) -> None:
    transform = Chain((STEP,)) if build is build_spatial_registration else _BEND
    new = NewRegistration(FIXED, MOVING, transform, CONTENT_BASED, fixed_images=())
    made = build(new, ct[0], provenance=made_from(ct), making=making())
    ds = made.ds if isinstance(made, DeformableObject) else made
    assert isinstance(ds, Dataset)
    assert dciodvfy(written(ds, tmp_path)) == []


def test_dcentvfy_finds_every_image_it_names(
    rigid: Dataset, bending: Dataset, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    for ds in (rigid, bending):
        assert dcentvfy(written(ds, tmp_path), *generated_set.ct, *generated_set.mr) == []


def test_all_methods_are_those_of_the_context_group() -> None:
    from pydicom.sr.codedict import Collection

    theirs = {(code.value, code.scheme_designator, code.meaning) for code in Collection("CID7100").concepts.values()}
    assert {(code.value, code.scheme, code.meaning) for code in METHODS} == theirs


# --- a matrix --------------------------------------------------------------------------------


def test_a_spatial_registration_holds_the_matrix_from_moving_to_fixed(rigid: Dataset) -> None:
    fixed, moving = rigid.RegistrationSequence
    assert (rigid.FrameOfReferenceUID, fixed.FrameOfReferenceUID, moving.FrameOfReferenceUID) == (
        FIXED.uid, FIXED.uid, MOVING.uid,
    )  # fmt: skip
    (own,) = fixed.MatrixRegistrationSequence[0].MatrixSequence
    assert [float(one) for one in own.FrameOfReferenceTransformationMatrix] == np.eye(4).ravel().tolist()
    (matrix,) = moving.MatrixRegistrationSequence[0].MatrixSequence
    numbers = np.array(matrix.FrameOfReferenceTransformationMatrix, float).reshape(4, 4)
    point = np.array([20.0, -30.0, 40.0])
    there = STEP.apply(point)
    assert np.allclose(numbers @ (*there, 1), (*point, 1), atol=1e-9)
    assert matrix.FrameOfReferenceTransformationMatrixType == "RIGID"


def test_a_matrix_is_read_to_a_millionth_of_a_millimetre(rigid: Dataset, ct: list[Dataset], mr: list[Dataset]) -> None:
    read = read_registration(rigid)
    assert read.findings == ()
    (edge,) = read.edges
    assert (read.fixed, edge.moving, edge.matrix_type, edge.is_deformable) == (FIXED, MOVING, "RIGID", False)
    assert (read.label, read.description, read.creator, read.date) == (
        "TEST", "a registration", "Reader^One", "20261122143015",
    )  # fmt: skip
    assert (edge.method, edge.comment) == (CONTENT_BASED, "as good as it gets")
    assert read.equipment[:2] == ("Radfuse", "Radfuse")
    assert (read.fixed_images, edge.images) == (references(ct), references(mr))
    assert read.references == (*references(ct), *references(mr))
    points = np.random.default_rng(1).uniform(-900, 900, (500, 3))
    assert _off(edge.transform.apply(points), STEP.apply(points)) < 1e-6


@pytest.mark.parametrize(
    ("linear", "kind"),
    [
        (turned(20).linear, "RIGID"),
        (turned(20).linear * 1.1, "RIGID_SCALE"),
        (turned(20).linear * np.array([1.1, 0.9, 1]), "RIGID_SCALE"),
        (np.array([[1, 0.1, 0], [0, 1, 0], [0, 0, 1.0]]), "AFFINE"),
        (np.diag([1.0, 1, -1]), "AFFINE"),
    ],
)
def test_the_type_of_a_matrix_is_judged_from_it(linear: np.ndarray, kind: str) -> None:
    assert matrix_type(Affine.of(linear, (1, 2, 3))) == kind


def test_matrices_of_several_steps_become_one(ct: list[Dataset], mr: list[Dataset]) -> None:
    chain = Chain((turned(10, 1, 2, 3), turned(-20, 5, 0, 0)))
    (edge,) = read_registration(spatial(chain, ct, mr)).edges
    assert _off(edge.transform.apply(inside(box())), chain.apply(inside(box()))) < 1e-9


def test_moving_images_of_another_study_are_named_with_it(ct: list[Dataset], mr: list[Dataset]) -> None:
    elsewhere = copy.deepcopy(mr)
    for image in elsewhere:
        image.StudyInstanceUID = "2.25.7555"
    ds = spatial(Chain((STEP,)), ct, elsewhere)
    (other,) = ds.StudiesContainingOtherReferencedInstancesSequence
    assert other.StudyInstanceUID == "2.25.7555"
    assert read_registration(ds).edges[0].images == references(elsewhere)


@pytest.mark.parametrize("kind", ["matrix", "field"])
def test_landmarks_are_named_by_the_object_they_are_in(kind: str, ct: list[Dataset], tmp_path: Path) -> None:
    points = Reference("1.2.840.10008.5.1.4.1.1.66.2", "2.25.7601", "2.25.7602", ct[0].StudyInstanceUID)
    used = (UsedFiducial(points, "2.25.7603"), UsedFiducial(points, "2.25.7604"))
    transform = Chain((STEP,)) if kind == "matrix" else _BEND
    images = references(ct)
    new = NewRegistration(
        FIXED, MOVING, transform, FIDUCIALS, fixed_images=images, moving_images=images[:1], fiducials=used
    )
    if kind == "matrix":
        ds = build_spatial_registration(new, ct[0], provenance=made_from(ct), making=making())
        item = ds.RegistrationSequence[1]
    else:
        ds = build_deformable_registration(new, ct[0], provenance=made_from(ct), making=making()).ds
        item = ds.DeformableRegistrationSequence[0]
        assert item.FrameOfReferenceTransformationComment.startswith("3.92 x 3.99 x 3.90 mm, off 0.0")
    assert [one.FiducialUID for one in item.UsedFiducialsSequence] == ["2.25.7603", "2.25.7604"]
    assert dciodvfy(written(ds, tmp_path)) == []


# --- a deformation ---------------------------------------------------------------------------


def test_a_deformation_is_read_as_exactly_as_it_was_stated(ct: list[Dataset], mr: list[Dataset]) -> None:
    made = deformable(_BEND, ct, mr)
    (edge,) = read_registration(made.ds).edges
    assert edge.is_deformable
    field = edge.transform.steps[0]
    assert isinstance(field, DisplacementField)
    nodes = centres(field.grid)
    assert _off(edge.transform.apply(nodes), _BEND.apply(nodes)) <= 0.001
    points = inside(box())
    assert _off(edge.transform.apply(points), _BEND.apply(points)) <= made.loss.max_mm + 0.001
    assert 0 < made.loss.mean_mm < made.loss.p95_mm < made.loss.max_mm <= FieldStorage().stated_loss_mm
    assert max(made.loss.spacing_mm) <= 4


def test_vectors_are_small_x_runs_fastest_and_nothing_is_inverted(bending: Dataset) -> None:
    (item,) = bending.DeformableRegistrationSequence
    assert item.SourceFrameOfReferenceUID == MOVING.uid
    (grid,) = item.DeformableRegistrationGridSequence
    columns, rows, slices = grid.GridDimensions
    vectors = np.frombuffer(grid.VectorGridData, "<f4").reshape(slices, rows, columns, 3)
    first = np.array(grid.ImagePositionPatient, float)
    second = first + np.array(grid.ImageOrientationPatient[:3], float) * grid.GridResolution[0]
    assert np.allclose(vectors[0, 0, 0], bent(first), atol=0.05)
    assert np.allclose(vectors[0, 0, 1], bent(second), atol=0.05)
    after = np.array(item.PostDeformationMatrixRegistrationSequence[0].FrameOfReferenceTransformationMatrix, float)
    assert np.allclose(after.reshape(4, 4), STEP.matrix)


def test_outside_the_grid_nothing_is_known(bending: Dataset) -> None:
    (edge,) = read_registration(bending).edges
    assert np.isnan(edge.transform.apply([[500.0, 0, 0]])).all()


def test_the_grid_is_finer_where_the_stated_loss_asks_for_it(ct: list[Dataset], mr: list[Dataset]) -> None:
    finer = deformable(_BEND, ct, mr, FieldStorage(stated_loss_mm=0.01))
    assert finer.loss.max_mm <= 0.01
    assert max(finer.loss.spacing_mm) < 3.1
    whole = deformable(_BEND, ct, mr, FieldStorage(stated_loss_mm=0))
    assert (whole.loss.max_mm, whole.loss.spacing_mm) == (0, (2, 2.5, 3))
    coarse = deformable(_BEND, ct, mr, FieldStorage(spacing_mm=12, stated_loss_mm=5))
    assert coarse.loss.max_mm > 0.15
    points = inside(box())
    off = read_registration(coarse.ds).edges[0].transform.apply(points) - _BEND.apply(points)
    assert 0.1 < np.linalg.norm(off, axis=1).max() <= coarse.loss.max_mm + 0.001


def test_a_field_that_nothing_coarser_can_hold_is_stored_as_it_is(ct: list[Dataset], mr: list[Dataset]) -> None:
    grid = box((10, 10, 10), (1, 1, 1))
    noise = np.random.default_rng(3).normal(size=(*grid.shape, 3)).astype(np.float32)
    made = deformable(Chain((DisplacementField(grid, noise),)), ct, mr, FieldStorage(spacing_mm=12))
    assert (made.loss.max_mm, made.loss.spacing_mm) == (0, (1, 1, 1))
    field = read_registration(made.ds).edges[0].transform.steps[0]
    assert isinstance(field, DisplacementField)
    assert np.array_equal(field.vectors_mm, noise)


def test_the_provenance_says_what_the_grid_lost(bending: Dataset) -> None:
    facts = read_provenance(bending)
    assert facts is not None
    assert facts["parameters"]["grid covers"] == "1.0000"
    assert facts["parameters"]["grid loss mm (mean, 95 %, most)"].startswith("0.0")


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        (turned(33).linear, (20, 30, 25)),
        (np.diag([1.0, 1, -1]), (20, 30, 25)),
        (turned(-50).linear @ np.diag([-1.0, 1, 1]), (20, 30, 25)),
        (np.array([[1, 0, 0], [0, 1, 0.26], [0, 0, 0.966]]), (20, 60, 40)),
    ],
    ids=["oblique", "left-handed", "oblique and left-handed", "sheared"],
)
def test_a_field_on_any_grid_is_stored(
    axes: np.ndarray, shape: tuple[int, int, int], ct: list[Dataset], mr: list[Dataset], tmp_path: Path
) -> None:
    grid = box(shape, (3, 3, 4), axes)
    chain = Chain((field_on(grid), STEP))
    made = deformable(chain, ct, mr)
    (edge,) = read_registration(made.ds).edges
    points = inside(grid)
    theirs = edge.transform.apply(points)
    known = np.isfinite(theirs).all(axis=1)
    assert known.mean() > (0.4 if grid.is_sheared else 0.999)
    assert _off(theirs[known], chain.apply(points[known])) <= made.loss.max_mm + 0.06
    assert dciodvfy(written(made.ds, tmp_path)) == []


def test_a_chain_of_matrix_field_and_inverse_field_is_stored(ct: list[Dataset], mr: list[Dataset]) -> None:
    far = field_on(box(frame=MOVING))
    back = Chain((far,)).inverse()
    chain = Chain((turned(5, 1, 2, 3),)).then(back).then(Chain((turned(30, 5, 6, 7),)))
    made = deformable(chain, ct, mr, FieldStorage(grid=box()))
    assert 0.3 < made.loss.covered < 1
    (edge,) = read_registration(made.ds).edges
    points = inside(box())
    theirs = edge.transform.apply(points)
    known = np.isfinite(theirs).all(axis=1)
    assert 0.3 < known.mean() < 1
    assert _off(theirs[known], chain.apply(points[known])) <= made.loss.max_mm + 0.06


def test_a_chain_of_three_objects_is_right_within_a_tenth_of_a_millimetre(ct: list[Dataset], mr: list[Dataset]) -> None:
    third, fourth = FrameOfReference("2.25.7078"), FrameOfReference("2.25.7079")
    inner = Chain((field_on(box((80, 80, 80), (4, 4, 4), frame=MOVING)), turned(-15, 4, 5, 6)))
    steps = [Chain((turned(20, 1, 2, 3),)), inner, Chain((turned(40, -5, 0, 9),))]
    frames = [FIXED, MOVING, third, fourth]
    read, truth = Chain(), Chain()
    for step, here, there in zip(steps, frames[:-1], frames[1:], strict=True):
        ends = moved(ct, here), moved(mr, there)
        ds = spatial(step, *ends) if step.is_affine else deformable(step, *ends).ds
        read, truth = read.then(read_registration(ds).edges[0].transform), truth.then(step)
    points = inside(box())
    assert _off(read.apply(points), truth.apply(points)) <= 0.1
    assert _off(read.inverse().apply(read.apply(points)), points) <= 0.1


def test_the_same_inputs_give_the_same_bytes(ct: list[Dataset], mr: list[Dataset]) -> None:
    assert encode(spatial(Chain((STEP,)), ct, mr)) == encode(spatial(Chain((STEP,)), ct, mr))
    assert encode(deformable(_BEND, ct, mr).ds) == encode(deformable(_BEND, ct, mr).ds)


# --- what cannot be written ------------------------------------------------------------------


_NEW = NewRegistration(FIXED, MOVING, Chain((STEP,)), CONTENT_BASED)


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (replace(_NEW, label="lower case"), "label"),
        (replace(_NEW, label="LONGER_THAN_SIXTEEN"), "label"),
        (replace(_NEW, label=""), "label"),
        (replace(_NEW, moving=FrameOfReference()), "known frame"),
        (replace(_NEW, fixed=FrameOfReference()), "known frame"),
        (replace(_NEW, moving=FIXED), "name the images of both sides"),
        (replace(_NEW, transform=_BEND), "deforms"),
    ],
)
def test_a_registration_that_cannot_be_said_is_refused(new: NewRegistration, sentence: str, ct: list[Dataset]) -> None:
    with pytest.raises(InvalidObject, match=sentence):
        build_spatial_registration(new, ct[0], provenance=made_from(ct), making=making())


@pytest.mark.parametrize(
    ("transform", "storage", "sentence"),
    [
        (Chain((STEP,)), FieldStorage(), "has none"),
        (Chain(), FieldStorage(), "has none"),
        (_BEND, FieldStorage(spacing_mm=0), "positive"),
        (Chain((turned(0, 900, 0, 0), *_BEND.steps)), FieldStorage(grid=box()), "undefined all over"),
    ],
)
def test_a_deformation_without_a_grid_is_refused(
    transform: Chain, storage: FieldStorage, sentence: str, ct: list[Dataset]
) -> None:
    new = replace(_NEW, transform=transform)
    with pytest.raises(InvalidObject, match=sentence):
        build_deformable_registration(new, ct[0], provenance=made_from(ct), making=making(), storage=storage)


def test_grids_and_images_of_other_frames_are_refused(ct: list[Dataset], mr: list[Dataset]) -> None:
    elsewhere = Chain((field_on(box((4, 4, 4), frame=MOVING)), STEP))
    with pytest.raises(FramesDiffer):
        deformable(elsewhere, ct, mr)
    with pytest.raises(FramesDiffer):
        deformable(_BEND, ct, mr, FieldStorage(grid=box(frame=MOVING)))
    with pytest.raises(FramesDiffer):
        build_spatial_registration(_NEW, mr[0], provenance=made_from(mr), making=making())

"""Faults of registration objects are found before they leave."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse.objects.checking import facts_of, faults_of
from tests.support.whole_objects import CT, EXAMPLES, PT

_NUMBERS = np.eye(4).ravel().tolist()


def _matrix(ds: Dataset) -> Dataset:
    item = ds.RegistrationSequence[1].MatrixRegistrationSequence[0].MatrixSequence[0]
    assert isinstance(item, Dataset)
    return item


def _grid(ds: Dataset) -> Dataset:
    item = ds.DeformableRegistrationSequence[0].DeformableRegistrationGridSequence[0]
    assert isinstance(item, Dataset)
    return item


def _put(of: Callable[[Dataset], Dataset], keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda ds: setattr(of(ds), keyword, value)


def _called(kind: str) -> Callable[[Dataset], None]:
    return _put(_matrix, "FrameOfReferenceTransformationMatrixType", kind)


def _numbers(numbers: list[float]) -> Callable[[Dataset], None]:
    return _put(_matrix, "FrameOfReferenceTransformationMatrix", numbers)


def _no_frame(ds: Dataset) -> None:
    del ds.RegistrationSequence[0].FrameOfReferenceUID, ds.RegistrationSequence[0].ReferencedImageSequence


def _no_series(ds: Dataset) -> None:
    del ds.ReferencedSeriesSequence


def _no_grid(ds: Dataset) -> None:
    ds.DeformableRegistrationSequence[0].DeformableRegistrationGridSequence = Items()


@pytest.mark.parametrize(
    ("name", "spoil", "place", "sentence"),
    [
        ("REG", _numbers(_NUMBERS[:15]), "MatrixSequence[1].FrameOfReferenceTransformationMatrix", "16 numbers"),
        ("REG", _numbers([*_NUMBERS[:12], 1, 2, 3, 1]), "FrameOfReferenceTransformationMatrix", "last row"),
        ("REG", _numbers([0, *_NUMBERS[1:]]), "FrameOfReferenceTransformationMatrix", "singular"),
        ("REG", _numbers([2, *_NUMBERS[1:]]), "FrameOfReferenceTransformationMatrixType", "the matrix is RIGID_SCALE"),
        ("REG", _called("BENT"), "FrameOfReferenceTransformationMatrixType", "the matrix is RIGID"),
        ("REG", _no_frame, "RegistrationSequence[1].FrameOfReferenceUID", "required here"),
        ("REG", _no_series, "ReferencedSeriesSequence", "required here"),
        ("DREG", _no_series, "ReferencedSeriesSequence", "required here"),
        ("DREG", _no_grid, "DeformableRegistrationGridSequence", "must have a grid"),
        ("DREG", _put(_grid, "VectorGridData", b"\0" * 24), "VectorGridData", "three numbers of four bytes"),
        ("DREG", _put(_grid, "GridDimensions", [2, 0, 2]), "GridDimensions", "three numbers of points"),
        ("DREG", _put(_grid, "GridResolution", [2.0, 0.0, 2.0]), "GridResolution", "more than 0"),
        ("DREG", _put(_grid, "ImageOrientationPatient", [1, 0, 0, 1, 0, 0]), "ImageOrientationPatient", "right angle"),
    ],
)
def test_a_registration_that_contradicts_itself_is_not_let_out(
    name: str, spoil: Callable[[Dataset], None], place: str, sentence: str
) -> None:
    ds = EXAMPLES[name]()
    assert faults_of(ds, facts_of([*CT, *PT])) == ()
    spoil(ds)
    assert any(place in str(fault) and sentence in str(fault) for fault in faults_of(ds))


@pytest.mark.parametrize("kind", ["RIGID_SCALE", "AFFINE"])
def test_a_rigid_matrix_may_be_called_by_a_wider_name(kind: str) -> None:
    ds = EXAMPLES["REG"]()
    _called(kind)(ds)
    assert faults_of(ds) == ()


@pytest.mark.parametrize(
    ("name", "sequence", "keyword"),
    [
        ("REG", "RegistrationSequence", "FrameOfReferenceUID"),
        ("DREG", "DeformableRegistrationSequence", "SourceFrameOfReferenceUID"),
    ],
)
def test_images_named_under_another_frame_than_theirs_are_a_fault(name: str, sequence: str, keyword: str) -> None:
    ds = EXAMPLES[name]()
    setattr(ds[sequence].value[-1], keyword, "2.25.4711")
    faults = map(str, faults_of(ds, facts_of([*CT, *PT])))
    assert any("another frame of reference" in fault for fault in faults)

"""Whether the matrices and grids of registration objects are what they say (PS3.3 sections C.20.2 and C.20.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry import Affine
from radfuse.objects.checking.model import Fault, Path, is_empty
from radfuse.objects.reg.matrices import AFFINE, RIGID, RIGID_SCALE, matrix_type

_WIDER: Final = {RIGID: (RIGID, RIGID_SCALE, AFFINE), RIGID_SCALE: (RIGID_SCALE, AFFINE), AFFINE: (AFFINE,)}
"""What a matrix may be called: a rigid one is affine too."""

_MATRIX: Final = "FrameOfReferenceTransformationMatrix"
_VECTOR_BYTES: Final = 12
_TOLERANCE: Final = 1e-3
_SPATIAL_STEPS: Final = ("MatrixRegistrationSequence", "MatrixSequence")
_DEFORMABLE_STEPS: Final = ("PreDeformationMatrixRegistrationSequence", "PostDeformationMatrixRegistrationSequence")
_GRIDS: Final = "DeformableRegistrationGridSequence"


def wrong_registrations(ds: Dataset) -> Iterator[Fault]:
    """Faults of matrices and of deformation grids."""
    for path, item in _items(ds, "RegistrationSequence", ()):
        for inner, registration in _items(item, _SPATIAL_STEPS[0], path):
            for place, matrix in _items(registration, _SPATIAL_STEPS[1], inner):
                yield from _matrix(matrix, place)
    deformations = _items(ds, "DeformableRegistrationSequence", ())
    for path, item in deformations:
        for keyword in _DEFORMABLE_STEPS:
            for place, matrix in _items(item, keyword, path):
                yield from _matrix(matrix, place)
        for place, grid in _items(item, _GRIDS, path):
            yield from _grid(grid, place)
    if deformations and not any(item.get(_GRIDS) for _, item in deformations):
        yield Fault((*deformations[0][0], _tag(_GRIDS)), "type 1C", "at least one registration must have a grid")


def _items(ds: Dataset, keyword: str, path: Path) -> list[tuple[Path, Dataset]]:
    return [((*path, _tag(keyword), f"[{number}]"), item) for number, item in enumerate(ds.get(keyword) or (), start=1)]


def _tag(keyword: str) -> int:
    return tag_for_keyword(keyword) or 0


def _numbers(ds: Dataset, keyword: str) -> list[float]:
    value: Any = ds.get(keyword)
    return [] if is_empty(value) else [float(one) for one in (value if hasattr(value, "__iter__") else [value])]


def _matrix(item: Dataset, path: Path) -> Iterator[Fault]:
    place = (*path, _tag(_MATRIX))
    numbers = _numbers(item, _MATRIX)
    if len(numbers) != 16:
        yield Fault(place, "registration", "a matrix needs 16 numbers, row by row")
        return
    try:
        seen = matrix_type(Affine(np.array(numbers).reshape(4, 4)))
    except InvalidGeometry as error:
        yield Fault(place, "registration", error.reason)
        return
    if str(item.get(f"{_MATRIX}Type", "")) not in _WIDER[seen]:
        yield Fault((*path, _tag(f"{_MATRIX}Type")), "registration", f"the matrix is {seen}")


def _grid(item: Dataset, path: Path) -> Iterator[Fault]:
    sizes, steps = _numbers(item, "GridDimensions"), _numbers(item, "GridResolution")
    if len(sizes) != 3 or min(sizes) < 1:
        yield Fault((*path, _tag("GridDimensions")), "registration", "a grid needs three numbers of points")
    elif len(item.get("VectorGridData") or b"") != int(np.prod(sizes)) * _VECTOR_BYTES:
        sentence = "it needs three numbers of four bytes for each point of its grid"
        yield Fault((*path, _tag("VectorGridData")), "registration", sentence)
    if len(steps) != 3 or not all(0 < step < float("inf") for step in steps):
        yield Fault((*path, _tag("GridResolution")), "registration", "a distance must be more than 0")
    axes = np.array(_numbers(item, "ImageOrientationPatient"))
    if axes.shape != (6,) or np.abs(axes.reshape(2, 3) @ axes.reshape(2, 3).T - np.eye(2)).max() > _TOLERANCE:
        sentence = "its two directions must be unit vectors at a right angle"
        yield Fault((*path, _tag("ImageOrientationPatient")), "registration", sentence)

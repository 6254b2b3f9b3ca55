"""Matrices of registrations: their type, and how they are read (PS3.3 sections C.20.2.1.1 and C.20.2.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from radfuse.core.errors import InvalidGeometry, UnreadableObject
from radfuse.geometry import Affine
from radfuse.objects.common import Item

RIGID: Final = "RIGID"
RIGID_SCALE: Final = "RIGID_SCALE"
AFFINE: Final = "AFFINE"

_TOLERANCE: Final = 1e-4
_NUMBERS: Final = 16
_IDENTITY_TOLERANCE: Final = 1e-6
_IDENTITY_MM: Final = 1e-4
_MOST_STRETCH: Final = 1000.0
_FARTHEST_MM: Final = 1e7


def matrix_type(matrix: Affine) -> str:
    """Frame of Reference Transformation Matrix Type, judged from the matrix."""
    if matrix.is_rigid:
        return RIGID
    product = matrix.linear.T @ matrix.linear
    lengths = np.sqrt(np.diag(product))
    angles = product / np.outer(lengths, lengths) - np.eye(3)
    is_orthogonal = np.abs(angles).max() < _TOLERANCE and np.linalg.det(matrix.linear) > 0
    return RIGID_SCALE if is_orthogonal else AFFINE


def is_identity(matrix: Affine) -> bool:
    """Whether it moves nothing that could be seen."""
    turned = np.abs(matrix.linear - np.eye(3)).max() > _IDENTITY_TOLERANCE
    return not turned and bool(np.abs(matrix.translation).max() <= _IDENTITY_MM)


def read_matrix(item: Item) -> Affine:
    """The matrix of an item, rows first. Raises UnreadableObject."""
    numbers = item.numbers("FrameOfReferenceTransformationMatrix")
    if len(numbers) != _NUMBERS:
        raise UnreadableObject("its matrix has no 16 numbers that can be read")
    try:
        matrix = Affine(np.array(numbers).reshape(4, 4))
    except InvalidGeometry as error:
        raise UnreadableObject(f"its matrix is none: {error.reason}") from error
    return _sensible(matrix)


def read_matrices(items: Sequence[Item]) -> Affine:
    """Several matrices as one: the first item is applied first (equation C.20.2-2). Raises UnreadableObject."""
    whole = Affine.identity()
    for item in items:
        whole = _sensible(read_matrix(item).after(whole))
    return whole


def _sensible(matrix: Affine) -> Affine:
    """The matrix, unless numbers in it can only be damage."""
    stretch = np.linalg.svd(matrix.linear, compute_uv=False)
    if stretch.max() > _MOST_STRETCH or stretch.min() < 1 / _MOST_STRETCH:
        raise UnreadableObject("its matrix stretches or shrinks more than a thousandfold")
    if np.abs(matrix.translation).max() > _FARTHEST_MM:
        raise UnreadableObject("its matrix moves farther than any patient")
    return matrix


def wrong_types(items: Sequence[Item]) -> list[str]:
    """What is said of matrices and is not so, as parts of sentences."""
    wrong = []
    for item in items:
        said, seen = item.text("FrameOfReferenceTransformationMatrixType"), matrix_type(read_matrix(item))
        if said not in (seen, AFFINE, *([RIGID_SCALE] if seen == RIGID else [])):
            wrong.append(f"calls its matrix {said or 'nothing'}, and it is {seen}")
    return wrong

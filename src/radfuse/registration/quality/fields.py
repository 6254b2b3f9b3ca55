"""What displacement fields do to space: where they shrink, grow and fold it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Chain, DisplacementField, InverseField

_VOXELS_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class JacobianFacts:
    """The Jacobian determinants of the fields of a transform: 1 keeps volumes, 0 and less folds."""

    least: float
    largest: float
    folded: float
    """Share of the grid points at which a field folds, 0 to 1."""


def jacobian_facts(transform: Chain) -> JacobianFacts | None:
    """Of all fields of a transform together; None for one without fields. Matrices are left out."""
    facts = [_facts(step) for step in transform.steps if isinstance(step, DisplacementField | InverseField)]
    if not facts:
        return None
    return JacobianFacts(
        min(each.least for each in facts), max(each.largest for each in facts), max(each.folded for each in facts)
    )


def _facts(step: DisplacementField | InverseField) -> JacobianFacts:
    field = step if isinstance(step, DisplacementField) else step.field
    least, largest, folded = np.inf, -np.inf, 0
    for part in _determinants(field):
        least, largest = min(least, float(part.min())), max(largest, float(part.max()))
        folded += int(np.count_nonzero(part <= 0))
    if isinstance(step, InverseField) and least > 0:
        least, largest = 1 / largest, 1 / least
    return JacobianFacts(least, largest, folded / float(np.prod(field.grid.shape)))


def _determinants(field: DisplacementField) -> Iterator[npt.NDArray[np.float64]]:
    """By central differences (one-sided at the border), some slices at a time; an axis of one point has no slope."""
    slices, rows, columns = field.grid.shape
    per_mm = field.grid.from_patient.linear
    at_once = max(1, _VOXELS_AT_ONCE // (rows * columns))
    for first in range(0, slices, at_once):
        begin, end = max(first - 1, 0), min(first + at_once + 1, slices)
        vectors = field.vectors_mm[begin:end].astype(np.float64)
        slopes = [
            np.gradient(vectors, axis=axis) if vectors.shape[axis] > 1 else np.zeros_like(vectors) for axis in (2, 1, 0)
        ]
        # d u / d x = sum over the grid's axes of (d u / d index) (d index / d x)
        matrices = np.einsum("a...c,ax->...cx", np.stack(slopes), per_mm) + np.eye(3)
        yield np.linalg.det(matrices[first - begin : first - begin + min(at_once, slices - first)])

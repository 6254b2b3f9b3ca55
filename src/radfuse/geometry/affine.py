"""Affine transforms of points in mm, or from indices to mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidGeometry

Points: TypeAlias = npt.NDArray[np.float64]
"""Points or vectors: an array whose last axis is x, y, z."""

_SMALLEST_DETERMINANT: Final = 1e-12
_RIGID_TOLERANCE: Final = 1e-4


@dataclass(frozen=True, eq=False)
class Affine:
    """A 4 x 4 matrix that maps column vectors: ``p' = matrix @ (p, 1)``. It can always be inverted.

    Raises InvalidGeometry for a matrix that is not 4 x 4, not finite, singular, or not affine.
    """

    matrix: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check the matrix and freeze a copy of it."""
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise InvalidGeometry("a transform needs 4 x 4 finite numbers")
        if not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise InvalidGeometry("the last row of a transform must be 0, 0, 0, 1")
        if abs(np.linalg.det(matrix[:3, :3])) < _SMALLEST_DETERMINANT:
            raise InvalidGeometry("the transform is singular")
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def identity(cls) -> Affine:
        """The transform that moves nothing."""
        return cls(np.eye(4))

    @classmethod
    def of(cls, linear: npt.ArrayLike, translation: npt.ArrayLike) -> Affine:
        """From its 3 x 3 part (columns are the images of the unit vectors) and its translation."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = linear, translation
        return cls(matrix)

    @property
    def linear(self) -> npt.NDArray[np.float64]:
        """The 3 x 3 part."""
        return self.matrix[:3, :3]

    @property
    def translation(self) -> npt.NDArray[np.float64]:
        """Where the origin goes."""
        return self.matrix[:3, 3]

    @property
    def is_rigid(self) -> bool:
        """Whether it only turns and shifts: lengths, angles and handedness stay."""
        product = self.linear @ self.linear.T
        return bool(np.abs(product - np.eye(3)).max() < _RIGID_TOLERANCE and np.linalg.det(self.linear) > 0)

    def apply(self, points: npt.ArrayLike) -> Points:
        """Where points go."""
        moved: Points = np.asarray(points, dtype=np.float64) @ self.linear.T + self.translation
        return moved

    def inverse(self) -> Affine:
        """The way back."""
        return Affine(np.linalg.inv(self.matrix).astype(np.float64))

    def after(self, first: Affine) -> Affine:
        """``first``, then this one."""
        return Affine(self.matrix @ first.matrix)

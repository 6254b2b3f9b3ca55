"""Shapes between drawn ones: outlines interpolated by their distance maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Shape2D = npt.NDArray[np.bool_]


def shape_between(lower: Shape2D, upper: Shape2D, part: float, spacing_mm: tuple[float, float]) -> Shape2D:
    """The shape at ``part`` (0 to 1) of the way between two: where the interpolated signed distance is inside.

    ``spacing_mm`` is that of columns and rows. Where one side has nothing, so has the shape.
    """
    inside = np.zeros(lower.shape, dtype=np.bool_)
    either = lower | upper
    if not (lower.any() and upper.any()):
        return inside
    rows, columns = np.flatnonzero(either.any(axis=1)), np.flatnonzero(either.any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    one, other = _signed(lower[box], spacing_mm), _signed(upper[box], spacing_mm)
    inside[box] = (1 - part) * one + part * other < 0
    return inside


def _signed(shape: Shape2D, spacing_mm: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Distances to the outline, negative inside; beyond the array's edges nothing is inside."""
    padded = np.pad(shape, 1)
    distance = _distances(padded, spacing_mm) - _distances(~padded, spacing_mm)
    return distance[1:-1, 1:-1]


def _distances(shape: Shape2D, spacing_mm: tuple[float, float]) -> npt.NDArray[np.float64]:
    """The distance of each pixel centre to the nearest one of the shape, exactly."""
    import SimpleITK

    sitk: Any = SimpleITK
    image = sitk.GetImageFromArray(shape.astype(np.uint8))
    image.SetSpacing(spacing_mm)
    squared = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=True, useImageSpacing=True)
    result: npt.NDArray[np.float64] = np.sqrt(np.maximum(sitk.GetArrayFromImage(squared), 0).astype(np.float64))
    return result

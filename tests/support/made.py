"""The circumstances in which test objects are made, the same in every run, and sources to make them from."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.objects.common import Making, Provenance, reference_to

WHEN = datetime(2026, 11, 22, 14, 30, 15, 250000, tzinfo=UTC)


def making(operator: str = "", root: int = 91) -> Making:
    """A fixed time, and UIDs that count."""
    numbers = itertools.count(1)
    return Making(WHEN, lambda: f"2.25.{root}.{next(numbers)}", operator)


def made_from(images: Iterable[Dataset], **parameters: str) -> Provenance:
    """A provenance that names its images."""
    return Provenance("test", parameters, tuple(reference_to(image) for image in images))


def headers(paths: Iterable[Path]) -> list[Dataset]:
    """The images of a series without their pixels, from foot to head."""
    images = [dcmread(path, stop_before_pixels=True) for path in paths]
    return sorted(images, key=lambda image: float(image.ImagePositionPatient[2]))


def grid_of(images: Sequence[Dataset]) -> Grid:
    """The grid of a regular series, by its first and last slice."""
    first, last = images[0], images[-1]
    row, column = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    down, across = (float(number) for number in first.PixelSpacing)
    start, end = (np.array(one.ImagePositionPatient, float) for one in (first, last))
    step = (end - start) / max(len(images) - 1, 1)
    linear = np.column_stack((row * across, column * down, step))
    return Grid(
        (len(images), first.Rows, first.Columns), Affine.of(linear, start), FrameOfReference(first.FrameOfReferenceUID)
    )


def centres(grid: Grid) -> npt.NDArray[np.float64]:
    """The voxel centres of a grid, slices x rows x columns x 3."""
    return np.stack([grid.slice_points_mm(index) for index in range(grid.shape[0])])


def ball(grid: Grid, centre: Sequence[float], radius_mm: float) -> npt.NDArray[np.bool_]:
    """The voxels whose centres lie within ``radius_mm`` of the voxel ``centre`` (column, row, slice)."""
    middle = grid.to_patient.apply(np.array(centre, float))
    inside: npt.NDArray[Any] = np.linalg.norm(centres(grid) - middle, axis=-1) <= radius_mm
    return inside

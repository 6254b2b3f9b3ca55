"""Transforms with known truth and the sources to write them with, for tests of registration objects."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterable, Sequence

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.geometry import Affine, Chain, DisplacementField, FrameOfReference, Grid
from radfuse.objects.common import Reference, encode, reference_to
from radfuse.objects.reg import (
    CONTENT_BASED,
    DeformableObject,
    FieldStorage,
    NewRegistration,
    build_deformable_registration,
    build_spatial_registration,
)
from tests.support.generate import FRAME_OF_REFERENCE_UID
from tests.support.made import made_from, making

FIXED = FrameOfReference(FRAME_OF_REFERENCE_UID)
MOVING = FrameOfReference("2.25.7077")


def turned(degrees: float, x_mm: float = 0, y_mm: float = 0, z_mm: float = 0) -> Affine:
    """A turn about an oblique axis, then a shift."""
    axis = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = np.deg2rad(degrees)
    return Affine.of(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross, (x_mm, y_mm, z_mm))


STEP = turned(35, 13.277826, 13.964776, -780.624697)
"""As far from the identity as real frames of reference are."""


def box(
    shape: tuple[int, int, int] = (40, 60, 50),
    spacing_mm: tuple[float, float, float] = (2, 2.5, 3),
    axes: np.ndarray | None = None,
    frame: FrameOfReference = FIXED,
) -> Grid:
    """A grid about the origin; ``axes`` are its directions as columns."""
    linear = (np.eye(3) if axes is None else axes) * np.array(spacing_mm)
    middle = linear @ (np.array(shape[::-1]) - 1) / 2
    return Grid(shape, Affine.of(linear, -middle), frame)


def bent(points: np.ndarray) -> np.ndarray:
    """A smooth displacement of some millimetres."""
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack((5 * np.sin(y / 25), 4 * np.cos(z / 30) * np.sin(x / 40), 3 * np.sin(x / 22)), axis=-1)


def centres(grid: Grid) -> np.ndarray:
    """All voxel centres."""
    return np.stack([grid.slice_points_mm(index) for index in range(grid.shape[0])])


def field_on(grid: Grid) -> DisplacementField:
    """``bent`` on a grid."""
    return DisplacementField(grid, bent(centres(grid)).astype(np.float32))


def inside(grid: Grid, count: int = 2000) -> np.ndarray:
    """Points between the centres of a grid's voxels, the same in every run."""
    index = np.random.default_rng(4).uniform(0, 1, (count, 3)) * (np.array(grid.shape[::-1]) - 1)
    return grid.to_patient.apply(index)


def references(images: Iterable[Dataset]) -> tuple[Reference, ...]:
    """To each image."""
    return tuple(map(reference_to, images))


def moved(images: Sequence[Dataset], frame: FrameOfReference = MOVING) -> list[Dataset]:
    """Copies of images in another frame of reference."""
    copies = copy.deepcopy(list(images))
    for image in copies:
        image.FrameOfReferenceUID = frame.uid
    return copies


def spatial(transform: Chain, fixed: Sequence[Dataset], moving: Sequence[Dataset]) -> Dataset:
    """A Spatial Registration as it is read from its file."""
    new = _new(transform, fixed, moving)
    made = build_spatial_registration(
        new, fixed[0], provenance=made_from([*fixed, *moving]), making=making("Reader^One")
    )
    return dcmread(io.BytesIO(encode(made)))


def deformable(
    transform: Chain, fixed: Sequence[Dataset], moving: Sequence[Dataset], storage: FieldStorage | None = None
) -> DeformableObject:
    """A Deformable Spatial Registration as it is read from its file."""
    new = _new(transform, fixed, moving)
    provenance = made_from([*fixed, *moving])
    made = build_deformable_registration(new, fixed[0], provenance=provenance, making=making(), storage=storage)
    return DeformableObject(dcmread(io.BytesIO(encode(made.ds))), made.loss)


def _new(transform: Chain, fixed: Sequence[Dataset], moving: Sequence[Dataset]) -> NewRegistration:
    return NewRegistration(
        FrameOfReference(fixed[0].FrameOfReferenceUID),
        FrameOfReference(moving[0].FrameOfReferenceUID),
        transform,
        CONTENT_BASED,
        "TEST",
        "a registration",
        "as good as it gets",
        references(fixed),
        references(moving),
    )

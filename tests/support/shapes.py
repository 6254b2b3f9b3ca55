"""Masks and grids of many kinds for tests of regions."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, Contour, FrameOfReference, Grid, Mask, Structure
from tests.support.measuring import FRAME, points_of

TURN: Final = np.linalg.qr(np.array([[0.9, 0.2, -0.3], [-0.1, 0.95, 0.3], [0.35, -0.25, 0.9]]))[0]
"""Some rotation (or reflection) about no axis of the patient."""

PLACEMENTS: Final = {
    "axial": Affine.of(np.diag((1.5, 1.5, 3)), (-31.5, 12.25, 480)),
    "head first down": Affine.of(np.diag((0.9, 1.1, -2)), (10, -20, 30)),
    "coronal": Affine.of(np.array([[1.2, 0, 0], [0, 0, 2.5], [0, -1.2, 0]]), (5, 6, 7)),
    "oblique": Affine.of(TURN @ np.diag((1.5, 1.2, 3)), (-3, 2, 5)),
    "sheared": Affine.of(TURN @ np.array([[1, 0, 0.4], [0, 1, -0.3], [0, 0, 2]]), (100, -100, 3)),
}
"""Grids of every kind: from index to mm."""


def placed(shape: tuple[int, int, int], placement: str, frame: FrameOfReference = FRAME) -> Grid:
    """A grid of one of the kinds."""
    return Grid(shape, PLACEMENTS[placement], frame)


def noise(grid: Grid, share: float, seed: int) -> Mask:
    """Voxels that belong at random."""
    return Mask(grid, np.random.default_rng(seed).random(grid.shape) < share)


def labelled(inside: npt.NDArray[np.bool_], connectivity: int) -> npt.NDArray[np.int64]:
    """The number of the connected part of each voxel, from 1 by first voxels; 0 outside. Slow and plain."""
    most = {6: 1, 18: 2, 26: 3}[connectivity]
    steps = [np.array(step) - 1 for step in np.ndindex(3, 3, 3) if 0 < np.abs(np.array(step) - 1).sum() <= most]
    labels = np.zeros(inside.shape, dtype=np.int64)
    for start in map(tuple, np.argwhere(inside)):
        waiting = [] if labels[start] else [start]
        number = labels.max() + 1
        while waiting:
            at = waiting.pop()
            is_there = all(0 <= place < size for place, size in zip(at, inside.shape, strict=True))
            if is_there and inside[at] and not labels[at]:
                labels[at] = number
                waiting += [tuple(np.add(at, step).tolist()) for step in steps]
    return labels


def dice(one: Mask, other: Mask | npt.NDArray[np.bool_]) -> float:
    """The Dice coefficient; 1 for two empty masks."""
    inside = other.inside if isinstance(other, Mask) else other
    total = one.voxels + int(np.count_nonzero(inside))
    return 2 * int(np.count_nonzero(one.inside & inside)) / total if total else 1.0


def as_written(structure: Structure, places: int = 4) -> Structure:
    """The structure with coordinates rounded as in a file."""
    contours = tuple(Contour(each.points_mm.round(places), each.image_uid) for each in structure.contours)
    return Structure(structure.name, structure.frame, contours, structure.colour, structure.number, structure.kind)


def research_shapes() -> dict[str, Mask]:
    """The shapes of the comparison of programs: 1.5 x 1.5 x 3 mm, a shell with a hole, a ragged one."""
    grid = Grid.of((20, 48, 52), (1.5, 1.5, 3), (-38.6, -34.9, -28.7), FRAME)
    distance = np.linalg.norm(points_of(grid), axis=-1)
    ragged = (distance < 25) & (np.random.default_rng(7).random(grid.shape) < 0.8)
    shapes = {f"sphere of {size} mm": distance <= size / 2 for size in (4, 8, 30)}
    shapes |= {"sphere of 60 mm": distance <= 30, "shell": (distance <= 24) & (distance > 14), "ragged": ragged}
    return {name: Mask(grid, inside) for name, inside in shapes.items()}

"""Volumes coarse to fine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.services.viewing.levels import coarser, halved, levels_of
from radfuse.volume import Source, Unit, Volume

SOURCE = Source("CT", "", "", "", ())


def brute(voxels: Any) -> Any:
    """Means of 2 x 2 x 2 voxels, the last of an odd count twice; short axes as they are."""
    for axis in range(3):
        if voxels.shape[axis] > 64:
            places = np.arange(0, voxels.shape[axis], 2)
            pairs = voxels.take(places, axis), voxels.take(np.minimum(places + 1, voxels.shape[axis] - 1), axis)
            voxels = (pairs[0].astype(np.float64) + pairs[1]) / 2
    return voxels


@pytest.mark.parametrize("shape", [(66, 70, 68), (67, 65, 40), (3, 129, 64), (64, 64, 64)])
@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_a_level_is_the_mean_of_neighbours(shape: tuple[int, int, int], kind: type) -> None:
    voxels: Any = np.random.default_rng(1).normal(0, 3000, shape).astype(kind)
    made = halved(voxels)
    assert made.dtype == kind
    assert np.abs(made - brute(voxels)).max() <= (0.5 if kind is np.int16 else 1e-3)


def test_a_coarse_voxel_lies_in_the_middle_of_those_that_it_stands_for() -> None:
    grid = Grid((10, 128, 100), Affine.of(np.diag((1.5, 2.0, 3.0)) @ _turn(), (4, 5, 6)), FrameOfReference("2.25.1"))
    coarse = coarser(grid)
    assert coarse.shape == (10, 64, 50)
    middle = grid.to_patient.apply([[6, 8, 2], [7, 9, 2]]).mean(axis=0)
    assert coarse.to_patient.apply([3, 4, 2]) == pytest.approx(middle)


def test_levels_end_with_a_small_one() -> None:
    grid = Grid((300, 512, 512), Affine.identity(), FrameOfReference())
    volume = Volume(np.broadcast_to(np.int16(0), grid.shape), grid, Unit.HU, SOURCE)
    assert [level.grid.shape for level in levels_of(volume)] == [
        (300, 512, 512),
        (150, 256, 256),
        (75, 128, 128),
        (38, 64, 64),
    ]
    small = Grid((40, 64, 64), Affine.identity(), FrameOfReference())
    assert len(levels_of(Volume(np.zeros(small.shape, np.int16), small, Unit.HU, SOURCE))) == 1


def _turn() -> np.ndarray:
    return np.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])

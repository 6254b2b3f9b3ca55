"""Where the voxels of a series lie in the frame of a base."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.archive.queries import SeriesPlace
from radfuse.geometry import Affine, Chain, FrameOfReference, Grid
from radfuse.services.registrations import Grade, RegistrationPath
from radfuse.services.viewing.grids import carried, made_anew
from tests.support.graphs import bend

BASE, MOVING = FrameOfReference("2.25.1"), FrameOfReference("2.25.2")
MOST = 64 << 20


def path(chain: Chain) -> RegistrationPath:
    places = (SeriesPlace("2.25.11", "2.25.10", 1, BASE.uid, "CT", ""), SeriesPlace("2.25.12", "", 1, "2.25.2", "", ""))
    return RegistrationPath(*places, (), chain, "", Grade.PASS)


def shifted(x_mm: float) -> Chain:
    return Chain((Affine.of(np.eye(3), (x_mm, 0, 0)),))


def test_a_mirrored_or_sheared_grid_is_not_carried() -> None:
    grid = Grid.of((4, 5, 6), (1, 2, 3), (0, 0, 0), MOVING)
    assert carried(grid, Affine.of(np.diag((1.0, -1.0, 1.0)), (0, 0, 0)), BASE) is None
    assert carried(grid, Affine.of(np.array([[1, 0.1, 0], [0, 1, 0], [0, 0, 1]]), (0, 0, 0)), BASE) is None
    moved = carried(grid, Affine.of(2 * np.eye(3), (1, 1, 1)), BASE)
    assert moved is not None
    assert (moved.frame, moved.spacing_mm) == (BASE, (2, 4, 6))


def test_a_grid_that_is_made_anew_fills_the_base_with_the_moving_spacing() -> None:
    base = Grid.of((10, 100, 100), (1, 1, 5), (0, 0, 0), BASE)
    # Sagittal slices: columns go to the back, rows to the head.
    sagittal = Affine.of(np.array([[0, 0, 2.5], [3.0, 0, 0], [0, 4.0, 0]]), (0, 0, 0))
    made = made_anew(base, Grid((20, 10, 30), sagittal, MOVING), path(shifted(10)))
    assert made.frame == BASE
    assert made.spacing_mm == pytest.approx((2.5, 3, 4))
    low, high = made.corners_mm.min(axis=0), made.corners_mm.max(axis=0)
    assert low == pytest.approx(base.corners_mm.min(axis=0))
    assert ((high - base.corners_mm.max(axis=0)) < made.spacing_mm).all()


@pytest.mark.parametrize("chain", [shifted(30), Chain((*bend(BASE.uid, reach_mm=60).steps, *shifted(30).steps))])
def test_a_base_that_is_too_large_is_cut_to_where_the_moving_images_lie(chain: Chain) -> None:
    base = Grid.of((1000, 512, 512), (1, 1, 2), (-256, -256, -1000), BASE)
    moving = Grid.of((60, 60, 60), (0.5, 0.5, 0.5), (15, -15, -15), MOVING)
    made = made_anew(base, moving, path(chain))
    assert made.spacing_mm == pytest.approx(moving.spacing_mm)
    low, high = made.corners_mm.min(axis=0), made.corners_mm.max(axis=0)
    assert (low <= (-15, -15, -15)).all()
    assert (high >= (15, 15, 15)).all()
    assert (high - low < 70).all()


def test_what_is_still_too_large_is_made_coarser() -> None:
    base = Grid.of((1000, 512, 512), (1, 1, 2), (-256, -256, -1000), BASE)
    moving = Grid.of((2000, 512, 512), (1, 1, 1), (-256, -256, -1000), MOVING)
    made = made_anew(base, moving, path(shifted(0)))
    assert np.prod(made.shape) <= MOST * 1.02
    assert made.spacing_mm[0] == pytest.approx((2000 * 512 * 512 / MOST) ** (1 / 3), rel=1e-3)

"""Boolean operations, parts, holes, walls and smoothing of masks; margins are in test_margins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import FrameOfReference, Mask
from radfuse.roi.combining import (
    components,
    difference,
    exclusive,
    intersection,
    largest_component,
    smoothed,
    union,
    wall,
    without_holes,
)
from radfuse.roi.components import Connectivity, parts_of
from tests.support.measuring import ball_mask, grid_of
from tests.support.shapes import labelled, noise

sitk: Any = SimpleITK

GRID = grid_of((4, 5, 6), (1, 2, 3))
masks = arrays.arrays(np.bool_, GRID.shape).map(lambda inside: Mask(GRID, inside))


@settings(max_examples=30, deadline=None)
@given(a=masks, b=masks, c=masks)
def test_boolean_identities_hold(a: Mask, b: Mask, c: Mask) -> None:
    def same(one: Mask, other: Mask) -> bool:
        return np.array_equal(one.inside, other.inside)

    assert same(union(a, b, c), union(c, union(b, a)))
    assert same(intersection(a, union(b, c)), union(intersection(a, b), intersection(a, c)))
    assert same(difference(a, b, c), difference(a, union(b, c)))
    assert same(exclusive(a, b), difference(union(a, b), intersection(a, b)))
    assert same(exclusive(exclusive(a, b), b), a)
    assert union(a, b).voxels + intersection(a, b).voxels == a.voxels + b.voxels


def test_masks_of_other_voxels_or_frames_are_not_combined() -> None:
    mask = noise(GRID, 0.5, 0)
    with pytest.raises(InvalidRegion, match="different voxels"):
        union(mask, noise(grid_of((4, 5, 6), (1, 2, 3.1)), 0.5, 0))
    with pytest.raises(FramesDiffer, match="two regions"):
        union(mask, noise(grid_of((4, 5, 6), (1, 2, 3), frame=FrameOfReference("2.25.8")), 0.5, 0))
    assert union(mask, noise(grid_of((4, 5, 6), (1, 2, 3)), 0.5, 1)).voxels > mask.voxels


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 9, 8), (8, 1, 9), (6, 5, 1), (5, 11, 9)], ids=str)
def test_parts_are_those_that_flooding_finds(shape: tuple[int, int, int], connectivity: Connectivity) -> None:
    for share in (0, 0.1, 0.3, 0.6, 1):
        inside = np.random.default_rng(1).random(shape) < share
        labels = labelled(inside, connectivity)
        parts = parts_of(inside, connectivity)
        assert parts.voxels.tolist() == np.bincount(labels.ravel()).tolist()[1:]
        for number in range(labels.max()):
            assert np.array_equal(parts.mask([number]), labels == number + 1)


def test_a_voxel_knows_its_part() -> None:
    inside = np.zeros((2, 3, 4), dtype=np.bool_)
    inside[0, 0, :2] = inside[1, 2, 3] = True
    parts = parts_of(inside, 6)
    assert [parts.at(index) for index in ((0, 0, 1), (1, 2, 3), (0, 0, 2), (0, 0, 0))] == [0, 1, None, 0]
    with pytest.raises(InvalidRegion):
        parts_of(inside, 8)  # type: ignore[arg-type]


def test_components_come_by_size_and_small_ones_are_left_out() -> None:
    inside = np.zeros(GRID.shape, dtype=np.bool_)
    inside[0, 0, 0] = inside[3, 4, 2:6] = inside[2, 0, 3:5] = True
    mask = Mask(GRID, inside)
    assert [part.voxels for part in components(mask)] == [4, 2, 1]
    assert [part.voxels for part in components(mask, smallest_ml=0.012)] == [4, 2]
    assert np.array_equal(largest_component(mask).inside, components(mask)[0].inside)
    with pytest.raises(InvalidRegion):
        largest_component(Mask(GRID, np.zeros(GRID.shape, dtype=np.bool_)))


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_holes_are_filled_as_itk_does(share: float) -> None:
    mask = noise(grid_of((9, 12, 14)), share, 5)

    def by_itk(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        image = sitk.GetImageFromArray(inside.astype(np.uint8))
        return np.asarray(sitk.GetArrayFromImage(sitk.BinaryFillhole(image, foregroundValue=1)) > 0)

    assert np.array_equal(without_holes(mask).inside, by_itk(mask.inside))
    slices = [by_itk(each) for each in mask.inside]
    assert np.array_equal(without_holes(mask, within_slices=True).inside, np.stack(slices))


def test_a_full_mask_has_no_holes() -> None:
    mask = noise(GRID, 2, 0)
    assert without_holes(mask).voxels == mask.voxels


def test_a_wall_is_what_shrinking_takes_away() -> None:
    grid = grid_of((44, 44, 44), (1, 1, 1), (-21.5, -21.5, -21.5))
    shell = wall(ball_mask(grid, (0, 0, 0), 20), 4)
    assert shell.volume_ml == pytest.approx(4 / 3 * np.pi * (20**3 - 16**3) / 1000, rel=0.05)
    with pytest.raises(InvalidRegion):
        wall(shell, 0)


def test_smoothing_keeps_a_ball_and_takes_specks_away() -> None:
    grid = grid_of((16, 48, 48), (1, 1, 3), (-23.5, -23.5, -22.5))
    ball = ball_mask(grid, (0, 0, 0), 18)
    speckled = exclusive(ball, noise(grid, 0.02, 2))
    found = smoothed(speckled, 2.5)
    assert 2 * intersection(found, ball).voxels / (found.voxels + ball.voxels) > 0.97
    assert len(components(found)) == 1
    with pytest.raises(InvalidRegion):
        smoothed(ball, 0)

"""A carried lesion is found again by its rule, is told to have vanished, and warns where something is beside it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from radfuse.geometry import FrameOfReference, Grid, Mask
from radfuse.roi.boxes import Part
from radfuse.services.followup.asking import Rule, RuleKind
from radfuse.services.followup.finding import Found, Where, beside, by_rule, looked_for, search_area
from radfuse.volume import Source, Unit, Volume

GRID = Grid.of((30, 30, 30), (3, 3, 3), (0, 0, 0), FrameOfReference("2.25.1"))
PERCENT = Rule(RuleKind.PERCENT, 41.0)
FOUR = Rule(RuleKind.ABSOLUTE, 4.0)
MIDDLE = (45.0, 45.0, 45.0)


def ball(centre_mm: tuple[float, float, float], radius_mm: float) -> npt.NDArray[np.bool_]:
    points = np.stack([GRID.slice_points_mm(index) for index in range(30)])
    inside: npt.NDArray[np.bool_] = np.linalg.norm(points - np.array(centre_mm), axis=-1) <= radius_mm
    return inside


CARRIED = Part.of(Mask(GRID, ball(MIDDLE, 12)))
AREA = search_area(CARRIED, [], 9)


def volume(*balls: tuple[tuple[float, float, float], float, float]) -> Volume:
    """A body of 1 with noise of 0.05 and balls of a height (centre, radius, height)."""
    voxels = 1 + np.random.default_rng(3).normal(0, 0.05, GRID.shape)
    for centre, radius, height in balls:
        voxels[ball(centre, radius)] = height
    return Volume(voxels.astype(np.float32), GRID, Unit.SUV_BW, Source("PT", "", "", "", ()))


def looked(shown: Volume, rule: Rule = PERCENT, prior_level: float = 3.0) -> Found:
    return looked_for(shown, Where(CARRIED, AREA), rule, prior_level)


@pytest.mark.parametrize("rule", [PERCENT, FOUR], ids=str)
def test_a_lesion_that_moved_within_the_margin_is_found_whole(rule: Rule) -> None:
    moved = ((50.0, 42.0, 45.0), 9.0, 6.0)
    found = looked(volume(moved), rule)
    assert (found.part.whole_mask.inside == ball(*moved[:2])).all()
    assert found.notes == ()


@pytest.mark.parametrize("rule", [PERCENT, FOUR], ids=str)
def test_where_nothing_is_left_it_has_vanished(rule: Rule) -> None:
    assert not looked(volume(), rule).part.voxels


def test_a_lesion_that_faded_below_the_prior_threshold_is_there_while_it_stands_out() -> None:
    assert looked(volume((MIDDLE, 9.0, 2.5)), prior_level=4.0).part.voxels
    assert not looked(volume((MIDDLE, 9.0, 1.4)), prior_level=4.0).part.voxels


def test_one_that_reaches_the_edge_of_the_search_says_so() -> None:
    found = looked(volume((MIDDLE, 30.0, 6.0)))
    assert any("reaches the edge" in note for note in found.notes)


def test_something_higher_beside_it_is_not_taken_for_the_lesion() -> None:
    slope = ball((84.0, 45.0, 45.0), 24.0)  # its flank lies in the margin
    shown = volume((MIDDLE, 9.0, 5.0))
    points = np.stack([GRID.slice_points_mm(index) for index in range(30)])
    voxels = shown.voxels.copy()
    voxels[slope] = np.maximum(voxels[slope], (points[slope][:, 0] / 8).astype(np.float32))
    found = looked(Volume(voxels, GRID, Unit.SUV_BW, shown.source))
    assert any("something higher lies beside it" in note for note in found.notes)
    assert (found.part.whole_mask.inside == ball(MIDDLE, 9.0)).all()


def test_of_parts_above_a_number_those_that_touch_the_carried_region_count() -> None:
    inside, beside = ((45.0, 45.0, 45.0), 5.0, 6.0), ((45.0, 45.0, 63.0), 2.0, 9.0)
    found = looked(volume(inside, beside), FOUR)
    assert (found.part.whole_mask.inside == ball(*inside[:2])).all()


def test_the_regions_of_other_lesions_are_not_looked_at() -> None:
    other = Part.of(Mask(GRID, ball((66.0, 45.0, 45.0), 9)))
    area = search_area(CARRIED, [other], 9)
    assert area.common(other) == CARRIED.common(other)
    assert area.common(CARRIED) == CARRIED.voxels


def test_what_the_region_of_the_prior_left_out_is_left_out_again() -> None:
    shown = volume(((45.0, 45.0, 57.0), 15.0, 6.0))  # twice as long as what was drawn of it
    before = by_rule(shown, CARRIED, PERCENT)
    assert before.level is not None
    left_out = beside(shown, CARRIED, before.level, 9)
    now = looked_for(shown, Where(CARRIED, AREA, left_out), PERCENT, before.level)
    assert (now.part.whole_mask.inside == before.part.whole_mask.inside).all(), "the same images, the same lesion"
    assert "left out" in now.notes[0]
    without = looked_for(shown, Where(CARRIED, AREA), PERCENT, before.level)
    assert without.part.voxels > 1.2 * before.part.voxels


def test_a_region_without_uptake_has_no_lesion() -> None:
    shown = volume()
    nothing = Volume(np.zeros_like(shown.voxels), GRID, Unit.SUV_BW, shown.source)
    found = by_rule(nothing, CARRIED, PERCENT)
    assert (found.part.voxels, found.notes) == (0, ("no value in it is above zero",))

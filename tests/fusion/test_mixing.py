"""Windows, colours and two pictures in one."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.core.errors import FramesDiffer, InvalidGeometry
from radfuse.fusion import ColourMap, Plane, Window, blended, checkerboard, colours, difference, rendered
from radfuse.geometry import FrameOfReference, Grid
from radfuse.volume import Unit
from tests.volume.made import FRAME, OTHER_FRAME

BLACK, WHITE = [0, 0, 0], [255, 255, 255]


def plane(values: list[list[float]], unit: Unit = Unit.HU, frame: FrameOfReference = FRAME, x_mm: float = 0) -> Plane:
    """A picture; None of it lies outside but for -9999."""
    array = np.array(values, dtype=np.float32)
    return Plane(array, array != -9999, Grid.of((1, *array.shape), (1, 1, 1), (x_mm, 0, 0), frame), unit)


@pytest.mark.parametrize("colour_map", list(ColourMap))
def test_every_map_has_256_colours_that_nobody_changes(colour_map: ColourMap) -> None:
    table = colours(colour_map)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    assert len(np.unique(table, axis=0)) > 100
    with pytest.raises(ValueError, match="read-only"):
        table[0, 0] = 1


def test_known_colours() -> None:
    assert colours(ColourMap.GRAY)[[0, 128, 255]].tolist() == [BLACK, [128, 128, 128], WHITE]
    assert colours(ColourMap.INVERTED)[[0, 255]].tolist() == [WHITE, BLACK]
    # PS3.6 section B.1.1: red reaches its end in the middle, green at 255, blue begins at 192.
    assert colours(ColourMap.HOT_IRON)[[0, 64, 127, 128, 192, 255]].tolist() == [
        [0, 0, 0], [128, 0, 0], [254, 0, 0], [255, 0, 0], [255, 128, 0], [255, 254, 252],
    ]  # fmt: skip


def test_a_window_spreads_its_values_over_the_map() -> None:
    window = Window.of(50, 256)
    assert (window.low, window.high) == (-78, 178)
    shown = rendered(plane([[-1000, -78, 50, 177.9, 178, 4000]]), window)
    assert shown[0, :, 0].tolist() == [0, 0, 128, 255, 255, 255]
    for low, high in ((1.0, 1.0), (2.0, 1.0), (np.nan, 1.0), (0.0, np.inf)):
        with pytest.raises(InvalidGeometry):
            Window(low, high)


def test_outside_is_black_also_where_low_is_white() -> None:
    shown = rendered(plane([[0, -9999]], Unit.SUV_BW), Window(0, 5, ColourMap.INVERTED))
    assert shown[0].tolist() == [WHITE, BLACK]


def test_blending_weighs_by_opacity_and_shows_alone_what_is_alone() -> None:
    below = plane([[100, 100, -9999, -9999]])
    above = plane([[10, -9999, 10, -9999]], Unit.SUV_BW)
    mixed = blended(below, Window(0, 100), above, Window(0, 10, ColourMap.RED), 0.25)
    assert mixed[0].tolist() == [[255, 191, 191], WHITE, [255, 0, 0], BLACK]
    assert blended(below, Window(0, 100), above, Window(0, 10, ColourMap.RED), 0.0)[0, 0].tolist() == WHITE
    for opacity in (-0.1, 1.1, np.nan):
        with pytest.raises(InvalidGeometry):
            blended(below, Window(0, 1), above, Window(0, 1), opacity)


def test_a_checkerboard_takes_turns() -> None:
    first, second = plane([[0.0] * 6] * 4), plane([[1.0] * 6] * 4)
    shown = checkerboard(first, Window(0, 1), second, Window(0, 1), tile=2)[..., 0]
    assert shown[[0, 2]].tolist() == [[0, 0, 255, 255, 0, 0], [255, 255, 0, 0, 255, 255]]
    with pytest.raises(InvalidGeometry):
        checkerboard(first, Window(0, 1), second, Window(0, 1), tile=0)


def test_a_difference_is_known_only_inside_both() -> None:
    made = difference(plane([[5, 5, -9999]]), plane([[3, -9999, 1]]))
    assert made.values.tolist() == [[2, 0, 0]]
    assert made.inside.tolist() == [[True, False, False]]
    with pytest.raises(InvalidGeometry, match="subtracted"):
        difference(plane([[1]]), plane([[1]], Unit.SUV_BW))


def test_pictures_of_different_places_are_never_mixed() -> None:
    here, window = plane([[1, 2]]), Window(0, 1)
    with pytest.raises(InvalidGeometry, match="same place"):
        blended(here, window, plane([[1, 2]], x_mm=0.5), window)
    with pytest.raises(FramesDiffer):
        checkerboard(here, window, plane([[1, 2]], frame=OTHER_FRAME), window)
    with pytest.raises(FramesDiffer):
        difference(here, plane([[1, 2]], frame=FrameOfReference()))

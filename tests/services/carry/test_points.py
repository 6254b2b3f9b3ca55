"""Points carried over: where they go, what is not known of them, and the files they come from and go to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion, NotOverlaid
from radfuse.services.carry import NamedPoint, carry_points, read_points, write_points
from radfuse.services.registrations import Wish
from tests.support.graphs import Scene, bend, shift


def test_points_go_where_the_path_says_and_keep_their_names(archive: Archive) -> None:
    scene = Scene(archive)
    scene.register("ct", "mr", shift(1, 2, 3))
    points = (NamedPoint((10.0, 20.0, 30.0), "A"), NamedPoint((0.0, 0.0, 0.0)))
    carried = carry_points(archive, scene.uid("ct"), scene.uid("mr"), points)
    assert carried.points == (NamedPoint((9.0, 18.0, 27.0), "A"), NamedPoint((-1.0, -2.0, -3.0)))
    assert carried.notes == ()


def test_what_nothing_is_known_of_has_no_place_and_is_counted(archive: Archive) -> None:
    scene = Scene(archive)
    scene.register("ct", "mr", bend(scene.frame("ct")))
    far, near = NamedPoint((500.0, 0.0, 0.0), "far"), NamedPoint((5.0, 0.0, 0.0), "near")
    carried = carry_points(archive, scene.uid("ct"), scene.uid("mr"), (far, near))
    assert carried.points[0] == NamedPoint(None, "far")
    assert carried.points[1].mm is not None
    forth = bend(scene.frame("ct")).apply(np.array([carried.points[1].mm]))
    assert np.abs(forth - (5, 0, 0)).max() < 0.1
    assert carried.notes == ("the registration says nothing of 1 of 2 points",)
    assert "far,,," in write_points(carried.points)


def test_without_a_path_points_stay_and_contradictions_are_said(archive: Archive) -> None:
    scene = Scene(archive)
    scene.register("ct", "mr", shift(1), when=1)
    scene.register("ct", "mr", shift(9), when=2)
    ends = scene.uid("ct"), scene.uid("mr")
    assert "says something else by up to 8.0 mm" in carry_points(archive, *ends, (NamedPoint((0, 0, 0)),)).notes[0]
    failed = scene.register("ct", "far", shift(3))
    scene.judge(failed, "FAIL")
    ends = scene.uid("ct"), scene.uid("far")
    with pytest.raises(NotOverlaid, match=r"failed its report card.*register them"):
        carry_points(archive, *ends, (NamedPoint((0, 0, 0)),))
    taken = carry_points(archive, *ends, (NamedPoint((3.0, 0.0, 0.0)),), Wish(allow_failed=True))
    assert taken.points == (NamedPoint((0.0, 0.0, 0.0)),)


def test_a_file_of_points_is_read_with_and_without_names_and_written_back(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text("\ufeffname,x,y,z\nA,1,2.5,-3\n\n4,5,6\n", encoding="utf-8")
    points = read_points(file)
    assert points == (NamedPoint((1.0, 2.5, -3.0), "A"), NamedPoint((4.0, 5.0, 6.0)))
    file.write_text(write_points(points), encoding="utf-8")
    assert read_points(file) == points


@pytest.mark.parametrize("text", ["", "x,y,z", "1,2", "1,2,3,4,5", "1,2,nan", "A,B,1,2,3", "1,2,3\n1,two,3"])
def test_a_file_that_holds_no_points_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRegion):
        read_points(file)

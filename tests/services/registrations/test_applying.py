"""Paths applied to points, contours, masks and images, against transforms that are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from radfuse.archive.queries import SeriesPlace
from radfuse.core.errors import FramesDiffer
from radfuse.geometry import Affine, Chain, Contour, FrameOfReference, Grid, Mask, Points, Structure
from radfuse.services.registrations import Grade, RegistrationPath
from radfuse.services.registrations.applying import (
    carry_mask,
    carry_structure,
    carry_volume,
    points_to_fixed,
    points_to_moving,
)
from radfuse.volume import Source, Unit, Volume
from radfuse.volume.resample import Interpolation
from tests.support.graphs import bend

FIXED, MOVING = FrameOfReference("2.25.1"), FrameOfReference("2.25.2")
TURN = Affine.of(np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]), (5, -3, 2))
GRID = Grid.of((20, 40, 40), (2, 2, 3), (-39, -39, -28.5), FIXED)
MOVING_GRID = Grid.of((30, 50, 50), (1.5, 1.5, 2), (-36, -36, -29), MOVING)


def path_of(chain: Chain) -> RegistrationPath:
    fixed, moving = (SeriesPlace("", "", 1, frame.uid, "CT", "") for frame in (FIXED, MOVING))
    return RegistrationPath(fixed, moving, (), chain, "", Grade.PASS)


def by_matrix() -> Chain:
    return Chain((TURN,))


def by_field() -> Chain:
    return bend(FIXED.uid).then(Chain((TURN,)))


def by_inverse() -> Chain:
    return bend(MOVING.uid).inverse()


def by_two_fields() -> Chain:
    return bend(FIXED.uid).then(bend("2.25.3", 2))


def brightness(points: Points) -> np.ndarray:
    """An image without corners."""
    x, y, z = np.moveaxis(points, -1, 0)
    values: np.ndarray = 100 * np.sin(x / 15) + 80 * np.cos(y / 12) + z
    return values


def moving_volume() -> Volume:
    points = np.stack([MOVING_GRID.slice_points_mm(index) for index in range(MOVING_GRID.shape[0])])
    return Volume(brightness(points).astype(np.float32), MOVING_GRID, Unit.SIGNAL, Source("MR", "", "", "", ()))


CHAINS = pytest.mark.parametrize("make", [by_matrix, by_field, by_inverse, by_two_fields])


@CHAINS
def test_points_go_there_and_come_back(make: Callable[[], Chain]) -> None:
    path = path_of(make())
    points = np.random.default_rng(1).uniform(-25, 25, (50, 3))
    there = points_to_moving(path, points)
    assert np.linalg.norm(there - points, axis=-1).min() > 0.1
    assert np.abs(points_to_fixed(path, there) - points).max() < 1e-3


@CHAINS
def test_images_are_seen_where_the_chain_says(make: Callable[[], Chain]) -> None:
    chain = make()
    made = carry_volume(path_of(chain), moving_volume(), GRID)
    places = chain.apply(np.stack([GRID.slice_points_mm(index) for index in range(GRID.shape[0])]))
    index = MOVING_GRID.from_patient.apply(places)
    known = np.asarray(np.isfinite(places).all(axis=-1))
    known[known] = np.all((index[known] > 0.5) & (index[known] < np.array(MOVING_GRID.shape[::-1]) - 1.5), axis=-1)
    assert known.sum() > 1000
    seen = (made.voxels != 0) & known
    assert seen.sum() > 0.95 * known.sum()  # a cell of the field at its border may be lost
    assert np.abs(made.voxels - brightness(places))[seen].max() < 2
    assert made.grid is GRID
    assert made.findings


@pytest.mark.parametrize("interpolation", Interpolation)
def test_what_the_registration_says_nothing_of_is_outside_and_never_unmoved(interpolation: Interpolation) -> None:
    small = bend(FIXED.uid, reach_mm=20)
    for chain in (small, small.then(bend("2.25.3"))):
        made = carry_volume(path_of(chain), moving_volume(), GRID, interpolation)
        places = np.stack([GRID.slice_points_mm(index) for index in range(GRID.shape[0])])
        unknown = ~np.isfinite(chain.apply(places)).all(axis=-1)
        assert unknown.sum() > 1000
        assert (made.voxels[unknown] == 0).all()
        assert "%" in made.findings[-1].sentence


@CHAINS
def test_a_mask_arrives_with_its_volume_and_place(make: Callable[[], Chain]) -> None:
    points = np.stack([MOVING_GRID.slice_points_mm(index) for index in range(MOVING_GRID.shape[0])])
    ball = Mask(MOVING_GRID, np.linalg.norm(points, axis=-1) < 14)
    path = path_of(make())
    carried = carry_mask(path, ball, GRID)
    assert carried.mask.volume_ml == pytest.approx(ball.volume_ml, rel=0.15)
    middle = GRID.to_patient.apply(np.argwhere(carried.mask.inside)[:, ::-1]).mean(axis=0)
    assert np.linalg.norm(middle - points_to_fixed(path, np.zeros(3))) < 1.5
    assert carried.notes == ()


def test_a_mask_that_leaves_the_grid_is_said_to() -> None:
    everything = Mask(MOVING_GRID, np.ones(MOVING_GRID.shape, np.bool_))
    assert (
        "beyond the grid" in carry_mask(path_of(Chain((Affine.of(np.eye(3), (60, 0, 0)),))), everything, GRID).notes[0]
    )
    nothing = Mask(MOVING_GRID, np.zeros(MOVING_GRID.shape, np.bool_))
    assert carry_mask(path_of(by_inverse()), nothing, GRID).notes == ()


def circle(centre: tuple[float, float, float]) -> Contour:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    return Contour(np.array(centre) + 20 * np.stack((np.cos(angles), np.sin(angles), 0 * angles), axis=-1))


def test_contours_stay_plane_under_a_matrix_and_leave_their_plane_under_a_deformation() -> None:
    structure = Structure("GTV", MOVING, (circle((0, 0, 3)), circle((0, 0, 9))), number=4)
    plain = carry_structure(path_of(by_matrix()), structure)
    assert (plain.notes, plain.most_out_of_plane_mm, plain.left_out) == ((), 0, 0)
    assert (plain.structure.frame, plain.structure.name, plain.structure.number) == (FIXED, "GTV", 4)
    expected = TURN.inverse().apply(structure.contours[1].points_mm)
    assert np.abs(plain.structure.contours[1].points_mm - expected).max() < 1e-9
    bent = carry_structure(path_of(by_field()), structure)
    assert 0.1 < bent.most_out_of_plane_mm < 3
    assert "off its plane" in bent.notes[0]


def test_contours_that_the_registration_says_nothing_of_are_left_out_and_counted() -> None:
    structure = Structure("GTV", MOVING, (circle((0, 0, 0)), circle((55, 0, 0))))
    carried = carry_structure(path_of(by_inverse()), structure)
    assert (len(carried.structure.contours), carried.left_out) == (1, 1)
    assert "1 contours are left out" in carried.notes[0]


def test_what_lies_in_another_frame_is_refused() -> None:
    path = path_of(by_matrix())
    with pytest.raises(FramesDiffer):
        carry_structure(path, Structure("GTV", FIXED, (circle((0, 0, 0)),)))
    with pytest.raises(FramesDiffer):
        carry_volume(path, moving_volume(), MOVING_GRID)
    with pytest.raises(FramesDiffer):
        carry_mask(path, Mask(GRID, np.zeros(GRID.shape, np.bool_)), GRID)

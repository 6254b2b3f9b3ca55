"""Where a registration may begin: a click, landmarks, an earlier registration, centres, axes of the bodies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, Points
from radfuse.registration.rigid_images import Ready

Matrix: TypeAlias = npt.NDArray[np.float64]
"""That of an affine transform, 4 x 4, unchecked: to check each of thousands takes as long as to look at it."""


def start_from_click(fixed_mm: npt.ArrayLike, moving_mm: npt.ArrayLike) -> Affine:
    """The start that puts two points, which show about the same place, on each other."""
    return Affine.of(np.eye(3), np.asarray(moving_mm, dtype=np.float64) - np.asarray(fixed_mm, dtype=np.float64))


def starts_from_images(fixed: Ready, moving: Ready) -> list[Affine]:
    """Centres on each other, centres of mass on each other, and these with the long axes of the bodies aligned."""
    one, other = fixed.grid.corners_mm.mean(axis=0), moving.grid.corners_mm.mean(axis=0)
    (mass_one, axes_one), (mass_other, axes_other) = _moments(fixed), _moments(moving)
    turn = _nearest_turn(axes_one, axes_other)
    aligned = Affine.of(turn, mass_other - turn @ mass_one)
    return [start_from_click(one, other), start_from_click(mass_one, mass_other), aligned]


def spread_out(starts: Sequence[Affine], place_mm: Points, turn_degrees: float, shift_mm: float) -> Iterator[Matrix]:
    """Each start with turns about a place and shifts; the plain start first."""
    turns = list(product((0.0, -turn_degrees, turn_degrees), repeat=3)) if turn_degrees else [(0.0, 0.0, 0.0)]
    along = (0.0, -shift_mm, shift_mm, -2 * shift_mm, 2 * shift_mm)
    shifts = [each for each in product(along, repeat=3) if np.linalg.norm(each) <= 2.3 * shift_mm]
    for start, turn, shift in product(starts, turns, shifts if shift_mm else [(0.0, 0.0, 0.0)]):
        yield moved_about(start.matrix, place_mm, np.array(shift), np.array(turn))


def sent(matrix: Matrix, points_mm: Points) -> Points:
    """Where points go."""
    moved: Points = points_mm @ matrix[:3, :3].T + matrix[:3, 3]
    return moved


def moved_about(
    matrix: Matrix, place_mm: Points, shift_mm: npt.NDArray[np.float64], degrees: npt.NDArray[np.float64]
) -> Matrix:
    """The transform, then a turn about where it sends ``place_mm`` (axes x, y, z in this order), then a shift."""
    made = np.eye(4)
    linear = made[:3, :3] = rotation(*np.radians(degrees)) @ matrix[:3, :3]
    made[:3, 3] = sent(matrix, place_mm) + shift_mm - linear @ place_mm
    return made


def turned_degrees(one: Matrix, other: Matrix) -> float:
    """The angle between two rigid transforms."""
    trace = float(np.trace(one[:3, :3] @ other[:3, :3].T))
    return float(np.degrees(np.arccos(np.clip((trace - 1) / 2, -1.0, 1.0))))


def rotation(about_x: float, about_y: float, about_z: float) -> npt.NDArray[np.float64]:
    """Turn by angles in radians about x, then y, then z."""
    (sx, sy, sz), (cx, cy, cz) = np.sin((about_x, about_y, about_z)), np.cos((about_x, about_y, about_z))
    turned: npt.NDArray[np.float64] = (
        np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    )
    return turned


def angles(turn: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """The three angles in radians of ``rotation``; about z is 0 where x and z cannot be told apart."""
    about_y = float(np.arcsin(np.clip(-turn[2, 0], -1.0, 1.0)))
    if abs(turn[2, 0]) > 1 - 1e-12:
        return float(np.arctan2(-turn[1, 2], turn[1, 1])), about_y, 0.0
    return float(np.arctan2(turn[2, 1], turn[2, 2])), about_y, float(np.arctan2(turn[1, 0], turn[0, 0]))


def _moments(image: Ready) -> tuple[Points, npt.NDArray[np.float64]]:
    """Centre of what is brighter than the middle of the range, and its axes, longest first, as columns."""
    low, high = np.percentile(image.voxels, (1, 99))
    index = np.argwhere(image.voxels > (low + high) / 2)[:, ::-1]
    if len(index) < 4:
        return image.grid.corners_mm.mean(axis=0), np.eye(3)
    points = image.grid.to_patient.apply(index)
    centre: Points = points.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov((points - centre).T))
    return centre, np.asarray(axes[:, ::-1], dtype=np.float64)


def _nearest_turn(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The smallest rotation that lays the axes of one body along those of the other, whichever way they point."""
    best = np.eye(3)
    most = -np.inf
    for signs in product((-1.0, 1.0), repeat=3):
        turn = other @ np.diag(signs) @ one.T
        if np.linalg.det(turn) > 0 and np.trace(turn) > most:
            best, most = turn, float(np.trace(turn))
    return best

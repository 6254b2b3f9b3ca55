"""Deformable registrations against a known deformation, through Deformable Spatial Registration objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from radfuse.geometry import Affine, Chain, DisplacementField, Grid, Mask, Points
from radfuse.objects.reg import FieldStorage, build_deformable_registration, read_registration
from radfuse.registration import deform, quality, rigid
from radfuse.services.commission.anatomy import WALL
from radfuse.services.commission.bench import Bench, Series, filled, known_regions
from radfuse.services.commission.model import Row
from radfuse.services.commission.rigid import new_registration
from radfuse.services.commission.sizes import DEFORMED_MOTION, Size
from radfuse.services.commission.warp import Warp

PART: Final = "deformable"
_INSET_MM: Final = 12.0
"""Points so near to the border of images are not compared: these show little of what lies there."""
_MOST_POINTS: Final = 200_000
_STORAGE: Final = FieldStorage()


def deformable_rows(bench: Bench, fixed: Series, moving: Series, size: Size) -> Iterator[Row]:
    """Rigid, then deformable; written, read, and compared all over the patient; contours carried over."""
    test = f"CT to {fixed.scan.modality}, deformed"
    start = rigid.register_rigid(fixed.volume, moving.volume, size.recipe).transform
    registration = deform.register_deformable(fixed.volume, moving.volume, start).registration
    yield Row(PART, test, "times it fell back to the rigid start", "1", 0, float(bool(registration.fell_back)))
    if registration.fell_back:
        return
    found = registration.transform
    kept = written(bench, fixed, moving, found)
    truth = _Truth(DEFORMED_MOTION.transform)
    points = _points(fixed, moving, truth)
    yield from _error_rows(test, kept, start, truth, points)
    yield from _space_rows(test, kept)
    yield from _contour_rows(bench, test, fixed, moving, kept)
    backward = deform.register_deformable(moving.volume, fixed.volume, start.inverse()).registration.transform
    there_and_back = np.linalg.norm(backward.apply(kept.apply(points)) - points, axis=-1)
    yield Row(PART, test, "inverse consistency, 95 %", "mm", size.most_inconsistent_mm, _share(there_and_back, 95))
    yield from _storage_rows(test, found, kept, points)
    again = deform.register_deformable(fixed.volume, moving.volume, start).registration.transform
    yield Row(PART, test, "values that differ when it is done again", "1", 0, _differ(found, again))


class _Truth:
    """The deformation, then the motion: from the fixed frame of reference to the moving one."""

    def __init__(self, motion: Affine) -> None:
        self._motion = motion

    def apply(self, points_mm: Points) -> Points:
        return self._motion.apply(Warp().apply(points_mm))


def written(bench: Bench, fixed: Series, moving: Series, transform: Chain) -> Chain:
    """A deformation as the archive gives it back, from a Deformable Spatial Registration."""
    made = build_deformable_registration(
        new_registration(fixed, moving, transform),
        fixed.headers[0],
        provenance=bench.provenance("automatic deformable registration", (*fixed.headers, *moving.headers)),
        making=bench.making,
        storage=_STORAGE,
    )
    bench.stored([made.ds])
    (edge,) = read_registration(bench.read(made.ds)).edges
    return edge.transform


def _points(fixed: Series, moving: Series, truth: _Truth) -> Points:
    """Voxel centres of the fixed images below the patient's fat, and well within what both images show.

    Along the skin nothing tells how far it slid: air is beyond it.
    """
    grid = fixed.volume.grid
    every = max(1, int(np.ceil((np.prod(grid.shape) / _MOST_POINTS) ** (1 / 3))))
    k, j, i = np.meshgrid(*(np.arange(every // 2, size, every) for size in grid.shape), indexing="ij")
    points = grid.to_patient.apply(np.stack((i, j, k), axis=-1).reshape(-1, 3))
    points = points[WALL.inside(fixed.scan.place(points)) & _well_inside(grid, points)]
    return points[_well_inside(moving.volume.grid, truth.apply(points))]


def _well_inside(grid: Grid, points_mm: Points) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    index = grid.from_patient.apply(points_mm)
    margin = _INSET_MM / np.array(grid.spacing_mm) - 0.5
    last = np.array(grid.shape[::-1]) - 1
    within: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = np.all(
        (index >= margin) & (index <= last - margin), axis=-1
    )
    return within


def _share(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], percent: float) -> float:
    """A percentile; where something is undefined, all of it is."""
    return float(np.percentile(values, percent)) if np.isfinite(values).all() else float("nan")


def _error_rows(test: str, kept: Chain, start: Affine, truth: _Truth, points: Points) -> Iterator[Row]:
    wanted = truth.apply(points)
    before = np.linalg.norm(start.apply(points) - wanted, axis=-1)
    off = np.linalg.norm(kept.apply(points) - wanted, axis=-1)
    yield Row(PART, test, "error of the rigid start, 95 %", "mm", None, _share(before, 95))
    yield Row(PART, test, "mean error", "mm", None, float(off.mean()))
    yield Row(PART, test, "error, 95 %", "mm", 2, _share(off, 95))
    yield Row(PART, test, "largest error", "mm", 5, float(off.max()))


def _space_rows(test: str, kept: Chain) -> Iterator[Row]:
    facts = quality.jacobian_facts(kept)
    yield Row(PART, test, "folded share", "%", 0, 100 * facts.folded if facts else float("nan"))
    yield Row(PART, test, "least Jacobian", "1", 0.1, facts.least if facts else float("nan"), is_least=True)


def _contour_rows(bench: Bench, test: str, fixed: Series, moving: Series, kept: Chain) -> Iterator[Row]:
    """Contours of the moving images, carried over, against those of the fixed images: the worst of the organs."""
    drawn = bench.contoured(moving, known_regions(moving.scan))
    wanted = filled(bench.contoured(fixed, known_regions(fixed.scan)), fixed)
    grid = fixed.volume.grid
    pairs: list[tuple[Mask, Mask]] = [
        (wanted[name], quality.carried(mask, kept, grid)) for name, mask in filled(drawn, moving).items()
    ]
    agreements = [quality.agreement(*pair) for pair in pairs]
    changes = [100 * abs(other.volume_ml / one.volume_ml - 1) for one, other in pairs]
    yield Row(PART, test, "least Dice of a contour", "1", 0.9, min(one.dice for one in agreements), is_least=True)
    yield Row(
        PART, test, "largest mean distance to agreement", "mm", 2, max(one.mean_distance_mm for one in agreements)
    )
    yield Row(PART, test, "largest error of a carried volume", "%", 10, max(changes))


def _storage_rows(test: str, found: Chain, kept: Chain, points: Points) -> Iterator[Row]:
    field = next(step for step in kept.steps if isinstance(step, DisplacementField))
    nodes = np.concatenate([field.grid.slice_points_mm(index).reshape(-1, 3) for index in range(field.grid.shape[0])])
    for quantity, limit, at in (
        ("written and read, at nodes", 0.05, nodes),
        ("written and read, between", _STORAGE.stated_loss_mm, points),
    ):
        off = np.linalg.norm(kept.apply(at) - found.apply(at), axis=-1)
        yield Row(PART, test, quantity, "mm", limit, float(off.max()))


def _differ(one: Chain, other: Chain) -> float:
    pairs = zip(one.steps, other.steps, strict=True)
    return float(sum(np.count_nonzero(_numbers(first) != _numbers(second)) for first, second in pairs))


def _numbers(step: object) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
    if isinstance(step, DisplacementField):
        return step.vectors_mm
    assert isinstance(step, Affine)  # noqa: S101 a registration has no other steps
    return step.matrix

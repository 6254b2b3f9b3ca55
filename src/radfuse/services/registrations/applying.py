"""Paths applied: points, contours, masks and images carried over from the moving series' frame to the fixed one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from radfuse.geometry import (
    Affine,
    Chain,
    Contour,
    DisplacementField,
    FrameOfReference,
    Grid,
    Mask,
    Points,
    Structure,
    sampling,
)
from radfuse.services.registrations.model import RegistrationPath
from radfuse.volume import Finding, FindingKind, Volume, resample

_MOST_NODES: Final = 20_000_000
_SPACINGS_MM: Final = (4.0, 2.0, 1.0, 0.5)
_LOSS_MM: Final = 0.05
_PROBES: Final = 2_000
_FLAT_MM: Final = 0.01


@dataclass(frozen=True, eq=False)
class CarriedStructure:
    """Contours in the fixed frame, and what a person should know of them."""

    structure: Structure
    left_out: int = 0
    """Contours with points of which the registration says nothing."""
    most_out_of_plane_mm: float = 0.0
    """How far points of a contour lie off the plane through it: 0 unless the path is deformable."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CarriedMask:
    """A mask on a grid of the fixed frame, and what a person should know of it."""

    mask: Mask
    notes: tuple[str, ...] = ()


def points_to_moving(path: RegistrationPath, points_mm: Points) -> Points:
    """Where points of the fixed frame lie in the moving one; NaN where the registration says nothing."""
    return path.chain.apply(points_mm)


def points_to_fixed(path: RegistrationPath, points_mm: Points) -> Points:
    """Where points of the moving frame lie in the fixed one; NaN where the registration says nothing."""
    return path.chain.inverse().apply(points_mm)


def carry_structure(path: RegistrationPath, structure: Structure) -> CarriedStructure:
    """Contours of the moving frame in the fixed one, each point moved on its own.

    A matrix keeps contours plane, in planes that need not be those of the fixed images. A deformation does not:
    carry a mask where voxels are to be counted. Raises FramesDiffer.
    """
    structure.frame.require_same(_frame(path.moving.frame_of_reference_uid), "the contours and the registration")
    back = path.chain.inverse()
    contours, left_out, off_mm = [], 0, 0.0
    for contour in structure.contours:
        moved = back.apply(contour.points_mm)
        if np.isfinite(moved).all():
            contours.append(Contour(moved))
            off_mm = max(off_mm, _out_of_plane_mm(moved)) if path.is_deformable else 0.0
        else:
            left_out += 1
    notes = []
    if left_out:
        notes.append(f"{left_out} contours are left out: the registration says nothing of where they lie")
    if off_mm > _FLAT_MM:
        notes.append(f"the deformation takes points of a contour up to {off_mm:.1f} mm off its plane")
    moved_structure = replace(structure, frame=_frame(path.fixed.frame_of_reference_uid), contours=tuple(contours))
    return CarriedStructure(moved_structure, left_out, off_mm, tuple(notes))


def carry_mask(path: RegistrationPath, mask: Mask, grid: Grid) -> CarriedMask:
    """A mask of the moving frame on a grid of the fixed one, by the nearest voxel. Raises FramesDiffer."""
    _check(path, mask.grid, grid, "the mask")
    transform, known = _transform(path.chain, grid)
    carried = resample.resample_mask(mask, grid, transform)
    if known is not None:
        carried = Mask(grid, carried.inside & known)
    lost = _share_lost(path, mask, grid)
    notes = [f"some {100 * lost:.0f} % of the region lie beyond the grid, or where nothing is known"] if lost else []
    return CarriedMask(carried, tuple(notes))


def _share_lost(path: RegistrationPath, mask: Mask, grid: Grid) -> float:
    """The share of a region whose voxels do not arrive on the grid, told from some thousand of them."""
    voxels = np.argwhere(mask.inside)[:, ::-1]
    some = voxels[:: max(len(voxels) // _PROBES, 1)]
    if not len(some):
        return 0.0
    arrived = points_to_fixed(path, mask.grid.to_patient.apply(some))
    arrived = arrived[np.isfinite(arrived).all(axis=-1)]
    return 1 - np.count_nonzero(grid.contains(arrived)) / len(some)


def carry_volume(
    path: RegistrationPath,
    volume: Volume,
    grid: Grid,
    interpolation: resample.Interpolation = resample.Interpolation.LINEAR,
) -> Volume:
    """A volume of the moving frame on a grid of the fixed one; what is not known gets the value for outside.

    Findings say how much that is. Raises as ``volume.resample.resample``.
    """
    _check(path, volume.grid, grid, "the images")
    transform, known = _transform(path.chain, grid)
    made = resample.resample(volume, grid, transform, interpolation)
    if known is None or known.all():
        return made
    voxels = made.voxels.copy()
    voxels[~known] = resample.outside_value(volume.unit)
    share = 100 * (1 - known.mean())
    finding = Finding(
        FindingKind.PIXELS, f"the registration says nothing of {share:.1f} % of the voxels", repaired=True
    )
    return replace(made, voxels=voxels, findings=(*made.findings, finding))


def _transform(chain: Chain, grid: Grid) -> tuple[Affine | DisplacementField, np.ndarray | None]:
    """What resampling takes, and which voxels it is known for (None: resampling sees that itself).

    Matrices and single fields as they are; other chains as a field that is at most 0.05 mm off (95 %), as far
    as memory allows.
    """
    if chain.is_affine:
        return chain.affine(), None
    field = sampling.single_field(chain, grid.frame)
    if field is not None:
        return field, None
    made = sampling.sampled(chain, grid, _SPACINGS_MM[0])
    for spacing_mm in _SPACINGS_MM[1:]:
        nodes = np.prod(np.maximum(np.array(grid.shape[::-1]) * grid.spacing_mm / spacing_mm, 1))
        if made.field.grid.shape == grid.shape or nodes > _MOST_NODES or _loss_mm(chain, made.field) <= _LOSS_MM:
            break
        made = sampling.sampled(chain, grid, spacing_mm)
    return made.field, made.known_at(grid)


def _loss_mm(chain: Chain, field: DisplacementField) -> float:
    """How far a field is off the chain between its points: 95 % of some thousand places, the same every time."""
    last = np.array(field.grid.shape[::-1]) - 1
    places = field.grid.to_patient.apply(np.random.default_rng(0).random((_PROBES, 3)) * last)
    true = chain.apply(places)
    known = np.isfinite(true).all(axis=-1)
    off = np.linalg.norm(field.apply(places)[known] - true[known], axis=-1)
    return float(np.percentile(off, 95)) if len(off) else 0.0


def _check(path: RegistrationPath, source: Grid, grid: Grid, what: str) -> None:
    source.frame.require_same(_frame(path.moving.frame_of_reference_uid), f"{what} and the registration")
    grid.frame.require_same(_frame(path.fixed.frame_of_reference_uid), "the grid and the registration")


def _out_of_plane_mm(points: Points) -> float:
    """The largest distance from the plane that fits the points best."""
    centred = points - points.mean(axis=0)
    normal = np.linalg.svd(centred, full_matrices=False)[2][-1]
    return float(np.abs(centred @ normal).max())


def _frame(uid: str) -> FrameOfReference:
    return FrameOfReference(uid)

"""How much is done: the whole commission, or a small one in seconds that finds what is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radfuse.geometry import Affine, Grid
from radfuse.registration import RigidRecipe
from radfuse.services.commission.scans import CT, MR, PT, frame_of
from radfuse.services.commission.warp import rigid_motion


@dataclass(frozen=True, eq=False)
class Motion:
    """A known rigid motion of the patient, from the fixed frame of reference to the moving one."""

    name: str
    transform: Affine


@dataclass(frozen=True, eq=False)
class Size:
    """What is scanned, and how finely. Voxels in mm along columns, rows, slices."""

    name: str
    box_mm: tuple[float, float, float]
    """What every scan covers, around the origin of its frame of reference."""
    voxels_mm: dict[str, tuple[float, float, float]]
    motions: tuple[Motion, ...]
    registered: tuple[str, ...]
    """The modalities of the moving images of rigid registrations; the fixed ones are CT."""
    deformed: tuple[str, ...]
    """The modalities of the fixed, deformed images; the moving ones are CT."""
    exported: tuple[str, ...]
    """The modalities of the series that are exported."""
    spheres_mm: tuple[float, ...]
    """Radii of the balls of activity."""
    sphere_voxel_mm: float
    recipe: RigidRecipe
    """Of the rigid registrations; none gets a hint."""
    most_inconsistent_mm: float
    """Of two independent deformable registrations, there and back, at 95 % of the points."""


def _motion(degrees: tuple[float, float, float], shift_mm: tuple[float, float, float]) -> Motion:
    turned, moved = (" / ".join(f"{each:g}" for each in three) for three in (degrees, shift_mm))
    return Motion(f"{turned} degrees, {moved} mm", rigid_motion(degrees, shift_mm))


_SMALL_MOTION: Final = _motion((6, -4, 8), (12, -9, 7))

FULL: Final = Size(
    "full",
    (250.0, 204.0, 240.0),
    {CT: (2.0, 2.0, 2.5), MR: (2.0, 2.0, 3.0), PT: (4.0, 4.0, 4.0)},
    (_SMALL_MOTION, _motion((-14, 9, -12), (-25, 18, 20)), _motion((19, -8, 15), (30, -24, -18))),
    (CT, MR, PT),
    (CT, MR),
    (CT, MR, PT),
    (5.0, 6.5, 8.5, 11.0, 14.0, 18.5),
    2.0,
    RigidRecipe(),
    1.0,
)

SMALL: Final = Size(
    "small",
    (246.0, 201.0, 150.0),
    {CT: (3.0, 3.0, 3.0), MR: (4.0, 4.0, 5.0), PT: (5.0, 5.0, 5.0)},
    (_SMALL_MOTION,),
    (MR, PT),
    (CT,),
    (MR,),
    (8.5, 11.0, 18.5),
    2.5,
    RigidRecipe(turn_degrees=12.0, shift_mm=15.0, climbed=8, kept=(2, 1), samples=10_000),
    1.5,
)

DEFORMED_MOTION: Final = _motion((3, -2, 4), (6, -5, 4))
"""Where the moving images of the deformable part lie: a start is needed there too."""


def grid_of(size: Size, modality: str, frame_name: str) -> Grid:
    """The grid of a scan, around the origin; that of MR is oblique."""
    steps = size.voxels_mm[modality]
    columns, rows, slices = (round(length / step) for length, step in zip(size.box_mm, steps, strict=True))
    axes = rigid_motion((8, -5, 4), (0, 0, 0)).linear if modality == MR else Affine.identity().linear
    half = axes @ [(count - 1) / 2 * step for count, step in zip((columns, rows, slices), steps, strict=True)]
    return Grid((slices, rows, columns), Affine.of(axes * steps, -half), frame_of(frame_name))
